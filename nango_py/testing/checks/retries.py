"""Whether what fails is tried again when the provider says that it may be, and not otherwise."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from nango_py.testing.bodies import put
from nango_py.testing.checks.bench import PLACE, Bench, Lab, fail, skip
from nango_py.testing.limits import refusal_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["checks"]

_STATUSES = (400, 403, 404, 408, 409, 422, 425, 429, 500, 501, 502, 503, 504, 529)
_USUAL = ("408", "425", "429", "500-504")
_WAIT = 7
_REPEATED = ("retry", "rate_limited")


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks of the retry table."""
    for method in ("GET", "POST"):
        yield f"retry.{method.lower()}", partial(_table, lab, method)
    yield "retry.stated_wait", lambda: _stated_wait(lab)
    yield "retry.gives_up", lambda: _gives_up(lab)
    for number, reaction in enumerate(_retry_of(lab).get("reactions", ())):
        yield f"retry.reactions[{number}]", partial(_reaction, lab, reaction)


def _table(lab: Lab, method: str) -> None:
    retry, wrong = _retry_of(lab), []
    with lab.connected() as bench:
        for status in _STATUSES:
            bench.provider.answer_next({}, status=status)
            wanted = 2 if _is_retried(retry, status, method) else 1
            sent = _sent(bench, method)
            if sent != wanted:
                wrong.append(f"{status} was sent {sent} times, not {wanted}")
    if wrong:
        fail(f"after a {method}: {'; '.join(wrong)}.")


def _stated_wait(lab: Lab) -> None:
    retry, wrong = _retry_of(lab), []
    with lab.connected() as bench:
        headers = refusal_headers(retry, _WAIT, bench.clock.now())
        for name in headers:
            if headers[name] == "0":
                continue
            told = refusal_headers(retry, _WAIT, bench.clock.now())
            bench.provider.answer_next({}, status=429, headers={name: told[name]})
            before = len(bench.clock.slept)
            sent = _sent(bench, "GET")
            waited = sum(bench.clock.slept[before:])
            if sent != 2 or not _WAIT <= waited <= _WAIT + 1:  # noqa: PLR2004 - the refused one, and the next
                wrong.append(f"{name} told of {_WAIT} s, but {waited:g} s were waited, and {sent} requests sent")
    if wrong:
        fail(f"{'; '.join(wrong)}.")


def _gives_up(lab: Lab) -> None:
    retry = _retry_of(lab)
    most = retry.get("max_attempts", 4)
    status = next((status for status in (503, 500, 429) if _is_retried(retry, status, "GET")), None)
    if status is None:
        skip("no failure is tried again.")
    with lab.connected() as bench:
        for _ in range(most + 3):
            bench.provider.answer_next({}, status=status)
        sent = _sent(bench, "GET")
    if sent != most:
        fail(f"a request that always fails was sent {sent} times, not {most}.")


def _reaction(lab: Lab, reaction: Mapping[str, Any]) -> None:
    with lab.connected() as bench:
        status = _status_in((reaction.get("status") or ["200"])[0])
        value = reaction.get("value", (reaction.get("values") or ["anything"])[0])
        body: dict[str, Any] = {}
        if "path" in reaction:
            put(body, reaction["path"], value)
        headers = {reaction["header"]: str(value)} if "header" in reaction else None
        bench.provider.answer_next(body, status=status, headers=headers)
        word = reaction["reaction"]
        can_renew = bench.provider.can_renew
        wanted = 2 if word in _REPEATED or (word == "renew_then_retry" and can_renew) else 1
        sent = _sent(bench, "GET")
        if sent != wanted:
            fail(f"an answer that means {word!r} made {sent} requests, not {wanted}.")
        if word == "renew_then_retry" and can_renew and bench.provider.desk.granted != 1:
            fail("an answer that means a dead token was not followed by a renewal.")


def _sent(bench: Bench, method: str) -> int:
    before = len(bench.provider.seen)
    with bench.client() as client:
        client.request(method, PLACE, json={} if method == "POST" else None)
    bench.provider.forget_answers()
    return len(bench.provider.seen) - before


def _retry_of(lab: Lab) -> Mapping[str, Any]:
    found: Mapping[str, Any] = lab.truth.declared.get("retry") or {}
    return found


def _is_retried(retry: Mapping[str, Any], status: int, method: str) -> bool:
    """Tell what the table in docs/how-to/survive-failures.md says."""
    promised = _is_named(retry.get("not_processed"), status)
    named = _is_named(retry.get("error_code") or _USUAL, status) or (promised and "error_code" not in retry)
    return named if method == "GET" else named and (status == 429 or promised)  # noqa: PLR2004 - Too Many Requests


def _is_named(rules: Any, status: int) -> bool:
    for rule in [rules] if isinstance(rules, str | int) else list(rules or ()):
        first, _, last = str(rule).partition("-")
        if str(rule).lower().endswith("xx"):
            first, last = f"{str(rule)[0]}00", f"{str(rule)[0]}99"
        if int(first) <= status <= int(last or first):
            return True
    return False


def _status_in(rule: str) -> int:
    return int(str(rule).lower().replace("xx", "00").partition("-")[0])
