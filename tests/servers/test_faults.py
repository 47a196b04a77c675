"""mitmproxy before localstripe: requests that get lost, and answers that do; what was written is never written twice."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from nango_py.errors import OutputError, RateLimitedError, RemoteError, ResponseError, UnreachableError
from nango_py.exchange.attempts import attempts_of
from nango_py.testing import ManualClock
from tests.servers.faces import BACKENDS, SOURCE, face
from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.servers.faces import Face
    from tests.servers.localstripe import LocalStripe
    from tests.servers.mitmproxy import Mitmproxy

    Opened = Callable[..., AbstractContextManager[Face]]

pytestmark = pytest.mark.server

USER = "user-1"
UNSENT = {"hang up": "protocol", "reset": "network", "silence": "timeout"}
LOST = {"lost": "protocol", "lost by reset": "network", "late": "timeout"}
CUT = {"cut short": "protocol"}
NUMBERS = count()
SHORT, LONG = 0.8, 60.0  # seconds: what must end by a timeout waits as short as a busy machine allows, the rest long


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def localstripe(localstripe_to_write: LocalStripe) -> LocalStripe:
    return localstripe_to_write


@pytest.fixture
def clock() -> ManualClock:
    """Backoff takes no time; the timeouts of the network do."""
    return ManualClock()


@pytest.fixture
def timeout(request: pytest.FixtureRequest) -> float:
    """How long a request waits, by the fault that the test is about."""
    fault = getattr(request.node, "callspec", None) and request.node.callspec.params.get("fault")
    return SHORT if {**UNSENT, **LOST}.get(fault) == "timeout" else LONG


@pytest.fixture
def opened(
    backend: str, mitmproxy: Mitmproxy, localstripe: LocalStripe, clock: ManualClock, timeout: float
) -> Opened:
    """Return what opens an engine, with other keys of the integration where they are given."""

    @contextmanager
    def opened(**keys: Any) -> Iterator[Face]:
        it = {
            "extends_blueprint": "localstripe:v0",
            "requests": {"base_url": f"{mitmproxy.url}/v1/"},
            "http_request_timeout_seconds": timeout,
            **keys,
        }
        load = {"clock": clock, "blueprints": [SOURCE.parent / "blueprints"]}
        with face(backend, {"integrations": {"it": it}}, load) as nango:
            nango.call("register_connection", "it", USER, {"username": localstripe.key})
            yield nango

    return opened


@pytest.fixture
def nango(opened: Opened) -> Iterator[Face]:
    with opened() as nango:
        yield nango


def someone() -> str:
    return f"someone-{next(NUMBERS)}@example.test"


def written(localstripe: LocalStripe, email: str) -> int:
    """Count the customers of an address, behind the proxy's back."""
    with browse(localstripe.url, auth=(localstripe.key, "")) as client:
        answer = client.get("/v1/customers", params={"email": email}).raise_for_status()
    return len(answer.json()["data"])


def create(nango: Face, email: str, **options: Any) -> Any:
    return nango.call("trigger_action", "it", "create-customer", USER, {"email": email}, **options)


def history(result: Any) -> list[tuple[int | None, str | None, str]]:
    return [(attempt.status, attempt.error, attempt.decision) for attempt in attempts_of(result)]


# What is only read is read again


@pytest.mark.parametrize("fault", [*UNSENT, *LOST])
def test_a_read_without_an_answer_is_repeated(
    nango: Face, mitmproxy: Mitmproxy, clock: ManualClock, fault: str
) -> None:
    mitmproxy.plan(fault)

    answer = nango.send("it", USER, "GET", "customers", params={"limit": 1})

    assert [fault, ""] == [each["fault"] for each in mitmproxy.seen()]
    assert [(None, {**UNSENT, **LOST}[fault], "network_error"), (200, None, "success")] == history(answer)
    assert clock.slept == [attempt.waited for attempt in attempts_of(answer)][:1]
    assert 0 <= clock.slept[0] <= 0.5


@pytest.mark.parametrize("fault", [*UNSENT, *LOST, *CUT, "500", "502", "503", "504", "429"])
def test_an_action_that_reads_outlasts_a_fault(nango: Face, mitmproxy: Mitmproxy, fault: str) -> None:
    mitmproxy.plan(fault)

    (customer,) = nango.call("trigger_action", "it", "list-customers", USER, {"limit": 1})

    assert {"id", "email"} == set(customer)
    assert 2 == len(mitmproxy.seen())


def test_the_history_names_every_fault(nango: Face, mitmproxy: Mitmproxy, clock: ManualClock) -> None:
    mitmproxy.plan("503", "reset", "429 Retry-After: 7")

    answer = nango.send("it", USER, "GET", "customers")

    assert [
        (503, None, "status_code_503"),
        (None, "network", "network_error"),
        (429, None, "retry_after"),
        (200, None, "success"),
    ] == history(answer)
    assert [1, 2, 3, 4] == [attempt.number for attempt in attempts_of(answer)]
    assert [*clock.slept, None] == [attempt.waited for attempt in attempts_of(answer)]
    assert 7 == clock.slept[2]
    assert all(waited <= most for waited, most in zip(clock.slept[:2], (0.5, 1.0), strict=True))


@pytest.mark.parametrize("fault", ["hang up", "late"])
def test_a_read_is_given_up_with_its_history(
    nango: Face, mitmproxy: Mitmproxy, clock: ManualClock, fault: str
) -> None:
    error = {"hang up": httpx.RemoteProtocolError, "late": httpx.ReadTimeout}[fault]
    mitmproxy.plan(*[fault] * 9)
    with pytest.raises(error) as caught:
        nango.send("it", USER, "GET", "customers")

    kind = {**UNSENT, **LOST}[fault]
    assert [*[(None, kind, "network_error")] * 3, (None, kind, "max_attempts")] == history(caught.value)
    assert (4, 3) == (len(mitmproxy.seen()), len(clock.slept))


def test_an_action_is_given_up_with_its_history(nango: Face, mitmproxy: Mitmproxy) -> None:
    mitmproxy.plan("reset", "cut short", "lost", "hang up")
    with pytest.raises(UnreachableError) as caught:
        nango.call("trigger_action", "it", "list-customers", USER)

    assert ["network", "protocol", "protocol", "protocol"] == [attempt.error for attempt in caught.value.attempts]


def test_a_walk_loses_and_repeats_nothing(nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe) -> None:
    mitmproxy.plan("", "cut short", "reset", "", "lost", "503")

    walked = nango.collect("stream_action", "it", "list-customers", USER, {"page_size": 2})

    with browse(localstripe.url, auth=(localstripe.key, "")) as client:
        there = client.get("/v1/customers", params={"limit": 100}).raise_for_status().json()["data"]
    assert [customer["id"] for customer in there] == [customer["id"] for customer in walked]


def test_a_wait_of_a_month_is_not_slept(nango: Face, mitmproxy: Mitmproxy, clock: ManualClock) -> None:
    mitmproxy.plan("429 Retry-After: 2592000")
    with pytest.raises(RateLimitedError) as caught:
        nango.call("trigger_action", "it", "list-customers", USER)

    assert (2_592_000, []) == (caught.value.retry_after, clock.slept)


def test_a_client_gets_a_body_that_is_cut_short_as_httpx_gives_it(nango: Face, mitmproxy: Mitmproxy) -> None:
    """The answer is the caller's, who may read it as a stream: what was read is not taken back."""
    mitmproxy.plan("cut short")
    with pytest.raises(httpx.RemoteProtocolError):
        nango.send("it", USER, "GET", "customers")

    assert 1 == len(mitmproxy.seen())


# What is written is written once


@pytest.mark.parametrize("is_warm", [False, True], ids=["new-connection", "kept-connection"])
@pytest.mark.parametrize("fault", [*UNSENT, *LOST, *CUT])
def test_a_write_without_an_answer_is_not_repeated(
    nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe, fault: str, is_warm: bool
) -> None:
    email = someone()
    mitmproxy.plan(*([""] if is_warm else []), fault)
    if is_warm:
        nango.call("trigger_action", "it", "list-customers", USER, {"limit": 1})
    with pytest.raises(UnreachableError) as caught:
        create(nango, email)

    assert (0 if fault in UNSENT else 1) == written(localstripe, email)
    assert [(None, {**UNSENT, **LOST, **CUT}[fault], "not_idempotent")] == history(caught.value)
    assert ["POST"] == [each["method"] for each in mitmproxy.seen()][is_warm:]


@pytest.mark.parametrize("fault", LOST)
def test_a_client_s_write_without_an_answer_is_not_repeated(
    nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe, fault: str
) -> None:
    email = someone()
    mitmproxy.plan(fault)
    with pytest.raises(httpx.TransportError) as caught:
        nango.send("it", USER, "POST", "customers", data={"email": email})

    assert 1 == written(localstripe, email)
    assert ["not_idempotent"] == [attempt.decision for attempt in attempts_of(caught.value)]


@pytest.mark.parametrize("status", ["408", "500", "502", "503", "504"])
def test_a_write_that_fails_at_the_server_is_not_repeated(
    nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe, status: str
) -> None:
    email = someone()
    mitmproxy.plan(status)
    with pytest.raises(ResponseError, match=status):
        create(nango, email)

    assert (0, 1) == (written(localstripe, email), len(mitmproxy.seen()))


def test_a_write_that_was_answered_without_json_is_not_repeated(
    nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe
) -> None:
    email = someone()
    mitmproxy.plan("not JSON")
    with pytest.raises(OutputError, match="not with JSON"):
        create(nango, email)

    assert (1, 1) == (written(localstripe, email), len(mitmproxy.seen()))


def test_a_write_refused_for_the_limit_is_repeated_until_it_is_lost(
    nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe, clock: ManualClock
) -> None:
    email = someone()
    mitmproxy.plan("429 Retry-After: 0", "429 Retry-After: 3", "lost")
    with pytest.raises(UnreachableError) as caught:
        create(nango, email)

    assert 1 == written(localstripe, email)
    assert [0, 3] == clock.slept
    assert ["retry_after", "retry_after", "not_idempotent"] == [each.decision for each in caught.value.attempts]


def test_a_write_refused_for_the_limit_is_done_once(
    nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe
) -> None:
    email = someone()
    mitmproxy.plan("429")

    assert email == create(nango, email)["email"]
    assert (1, 2) == (written(localstripe, email), len(mitmproxy.seen()))


@pytest.mark.parametrize("fault", [*UNSENT, *LOST, *CUT, "500", "503"])
def test_a_write_with_an_idempotency_key_is_repeated_under_it(
    opened: Opened, mitmproxy: Mitmproxy, localstripe: LocalStripe, fault: str
) -> None:
    email = someone()
    with opened(retry={"idempotency_key": "Idempotency-Key"}) as nango:
        mitmproxy.plan(fault)
        created = create(nango, email, idempotency_key=f"key-{email}")

    assert email == created["email"]
    assert [f"key-{email}"] * 2 == [each["headers"]["idempotency-key"] for each in mitmproxy.seen()]
    # localstripe knows no such keys, so that it shows how often it was asked; Stripe would have answered the second
    # request with the answer to the first.
    assert (2 if fault in {**LOST, **CUT} else 1) == written(localstripe, email)


def test_a_declared_key_that_is_not_given_repeats_nothing(
    opened: Opened, mitmproxy: Mitmproxy, localstripe: LocalStripe
) -> None:
    email = someone()
    with opened(retry={"idempotency_key": "Idempotency-Key"}) as nango:
        mitmproxy.plan("lost")
        with pytest.raises(UnreachableError):
            create(nango, email)

    assert (1, 1) == (written(localstripe, email), len(mitmproxy.seen()))


def test_a_body_that_cannot_be_replayed_is_sent_once(
    nango: Face, backend: str, mitmproxy: Mitmproxy, localstripe: LocalStripe
) -> None:
    email = someone()
    form = f"email={email}".encode()

    async def apieces():
        yield form

    mitmproxy.plan("429")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    content = iter([form]) if backend == "sync" else apieces()
    answer = nango.send("it", USER, "POST", "customers", content=content, headers=headers)

    assert [(429, None, "body_not_replayable")] == history(answer)
    assert 0 == written(localstripe, email)


def test_a_delete_is_repeated_and_may_find_its_work_done(
    nango: Face, mitmproxy: Mitmproxy, localstripe: LocalStripe
) -> None:
    """RFC 9110 section 9.2.2: the effect is that of one request; the answer need not be."""
    email = someone()
    created = create(nango, email)
    mitmproxy.plan("lost")
    with pytest.raises(ResponseError, match="404") as caught:
        nango.call("trigger_action", "it", "delete-customer", USER, {"id": created["id"]})

    assert [(None, "protocol", "network_error"), (404, None, "not_retryable")] == history(caught.value)
    assert 0 == written(localstripe, email)


def test_a_storm_of_faults_writes_nothing_twice(
    opened: Opened, mitmproxy: Mitmproxy, localstripe: LocalStripe
) -> None:
    emails = [someone() for _ in range(48)]
    faults = [*UNSENT, *LOST, *CUT, "429", "429 Retry-After: 0", "500", "503", "not JSON", "", ""]
    mitmproxy.plan(*random.Random(4).choices(faults, k=96))

    def attempt(email: str) -> bool:
        try:
            return bool(create(nango, email)["id"])
        except RemoteError:
            return False

    with opened(http_request_timeout_seconds=SHORT) as nango, ThreadPoolExecutor(12) as threads:
        succeeded = list(threads.map(attempt, emails))

    copies = [written(localstripe, email) for email in emails]
    assert {0, 1} == set(copies)
    assert all(number == 1 for number, is_done in zip(copies, succeeded, strict=True) if is_done)
    assert 0 < sum(succeeded) < sum(copies) < len(emails)
