"""The suite passes every built-in blueprint, and fails for ten seeded faults of each kind."""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
import yaml

from nango_py import ConfigError, ForeignOriginError, Nango, ResponseError
from nango_py.declare.catalogue import built_in_folder
from nango_py.testing import conformance, conformance_test
from nango_py.testing.suite import conformance_cases

KEYS = [
    f"{path.stem}:{version}"
    for path in sorted(built_in_folder().glob("*.yaml"))
    for version in yaml.safe_load(path.read_text("utf-8"))["versions"]
]
API = "https://api.example.com/v1/"
ITEMS = {"response_path": "items"}
KEY = {"auth_mode": "API_KEY", "name": "X-Api-Key"}
OAUTH = {
    "auth_mode": "OAUTH2",
    "authorization_url": "https://id.example.com/authorize",
    "token_url": "https://id.example.com/token",
}
CURSOR = {"type": "cursor", "cursor_name_in_request": "after", "cursor_path_in_response": "next.after", **ITEMS}
LIMIT = {"limit_name_in_request": "size", "limit": 5}
OFFSET = {"type": "offset", "offset_name_in_request": "skip", "has_more_path_in_response": "more", **ITEMS, **LIMIT}
PAGE = {"type": "page", "page_name_in_request": "page", **ITEMS, **LIMIT}
LINK = {"type": "link", "link_rel_in_response_header": "next"}


def keys(auth=KEY, base_url=API, **more):
    requests = {"base_url": base_url, **more.pop("requests", {})}
    return {"auth": auth, "requests": requests, **more}


class Meddler(httpx.BaseTransport):
    """Stand between the engine and the provider; a subclass makes the engine's mistake."""

    def __init__(self, inner):
        self.inner = inner
        self.seen = {}

    def handle_request(self, request):
        request.read()
        for name in ("authorization", "x-api-key"):
            if name in request.headers:
                self.seen.setdefault(name, request.headers[name])
        return self.send(request)

    def send(self, request):
        return self.inner.handle_request(request)

    def edited(self, request, **changes):
        headers = dict(request.headers) | changes.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        headers.pop("content-length", None)
        return httpx.Request(
            request.method, changes.get("url", request.url), headers=headers,
            content=changes.get("content", request.content), extensions=request.extensions,
        )  # fmt: skip


def meddling(send):
    """Return an engine whose requests pass through *send(meddler, request)*."""

    class Sent(Meddler):
        def send(self, request):
            return send(self, request)

    return lambda source, *, transport, **options: Nango.load(source, transport=Sent(transport), **options)


def engine(**methods):
    """Return an engine with methods that are wrong."""
    return type("Wrong", (Nango,), methods).load


def is_token_request(request):
    return request.url.path == "/token"


# Mistakes in where credentials are placed


def into_the_query(meddler, request):
    key = request.headers["x-api-key"]
    return meddler.inner.handle_request(
        meddler.edited(request, url=request.url.copy_merge_params({"X-Api-Key": key}), headers={"x-api-key": None})
    )


def not_on_posts(meddler, request):
    headers = {"x-api-key": None} if request.method == "POST" else {}
    return meddler.inner.handle_request(meddler.edited(request, headers=headers))


def also_as_referer(meddler, request):
    return meddler.inner.handle_request(
        meddler.edited(request, headers={"referer": quote(request.headers["x-api-key"])})
    )


# Mistakes in where they may go


def with_credentials_to(chosen):
    def send(meddler, request):
        headers = meddler.seen if chosen(request.url) and "x-api-key" not in request.headers else {}
        return meddler.inner.handle_request(meddler.edited(request, headers=headers))

    return meddling(send)


def follow_anywhere(nango, integration, user_id, path, **options):
    try:
        yield from Nango.paginate(nango, integration, user_id, path, **options)
    except ForeignOriginError:
        nango.client(integration, user_id).get("https://elsewhere.example.net/list")


# Mistakes in what is tried again


def repeat_posts(meddler, request):
    answer = meddler.inner.handle_request(request)
    return meddler.inner.handle_request(request) if request.method == "POST" and answer.is_error else answer


def hide_failures(meddler, request):
    answer = meddler.inner.handle_request(request)
    return httpx.Response(200, json={}) if answer.status_code == 503 else answer


# Mistakes in walks


def without_cursor(meddler, request):
    return meddler.inner.handle_request(meddler.edited(request, url=request.url.copy_remove_param("after")))


def twice(meddler, request):
    meddler.inner.handle_request(request)
    return meddler.inner.handle_request(request)


def backwards(meddler, request):
    answer = meddler.inner.handle_request(request)
    answer.read()
    body = answer.json()
    if isinstance(body, dict) and "items" in body:
        return httpx.Response(200, json={**body, "items": body["items"][::-1]})
    return answer


# Mistakes in what is shown


def logging_engine(encode, name="nango_py"):
    def send(meddler, request):
        logging.getLogger(name).info("sent %s", encode(request.headers.get("x-api-key", "")))
        return meddler.inner.handle_request(request)

    return meddling(send)


def showing_client(nango, integration, user_id, **options):
    client = Nango.client(nango, integration, user_id, **options)
    client.headers["X-Shown"] = nango.credentials(integration, user_id)["api_key"].reveal()
    return client


def showing_base_url(nango, integration, user_id, **options):
    client = Nango.client(nango, integration, user_id, **options)
    client.base_url = client.base_url.copy_with(username=nango.credentials(integration, user_id)["api_key"].reveal())
    return client


class Shown(dict):
    """Values whose repr holds everything."""


def showing_views(nango, user_id):
    return [Shown(credentials=nango.credentials("it", user_id)["api_key"].reveal())]


def showing_connection(nango, integration, user_id):
    return Shown(credentials=nango.credentials(integration, user_id)["api_key"].reveal())


def failing_with(message):
    def paginate(nango, integration, user_id, path, **options):
        yield from ()
        raise ResponseError(message(nango.credentials(integration, user_id)["api_key"].reveal()), integration="it")

    return paginate


def failing_because(nango, integration, user_id, path, **options):
    yield from ()
    secret = nango.credentials(integration, user_id)["api_key"].reveal()
    raise ResponseError("it failed", integration="it") from ValueError(secret)


# Mistakes in renewals


def lose_the_rotated_token(meddler, request):
    answer = meddler.inner.handle_request(request)
    answer.read()
    if not is_token_request(request) or answer.is_error:
        return answer
    body = {name: value for name, value in answer.json().items() if name != "refresh_token"}
    return httpx.Response(200, json=body)


def renew_twice(meddler, request):
    if is_token_request(request):
        meddler.inner.handle_request(request)
    return meddler.inner.handle_request(request)


def take_no_refusal(meddler, request):
    answer = meddler.inner.handle_request(request)
    return httpx.Response(403, json={}) if answer.status_code == 401 else answer


def keep_the_first_token(meddler, request):
    return meddler.inner.handle_request(
        request if is_token_request(request) else meddler.edited(request, headers=meddler.seen)
    )


def hide_refused_grants(meddler, request):
    answer = meddler.inner.handle_request(request)
    return httpx.Response(200, json={"access_token": "made-up"}) if answer.status_code == 400 else answer


def token(**changes):
    return keys({**OAUTH, **changes})


def retry(**policy):
    return keys(retry=policy)


def walk(**pagination):
    return keys(pagination=pagination)


THROTTLED = {"path": "error", "value": "throttled", "reaction": "retry"}
FAULTS = {
    "auth": {
        "another header": (keys({**KEY, "name": "X-Key"}), keys()),
        "another word before the key": (
            keys({**KEY, "value": "Bearer ${api_key}"}),
            keys({**KEY, "value": "Token ${api_key}"}),
        ),
        "a word too few": (keys(KEY), keys({**KEY, "value": "Token ${api_key}"})),
        "the query in place of the header": (keys({**KEY, "placement": "query"}), keys()),
        "nothing placed": (keys({"auth_mode": "BASIC", "placement": "none"}), keys({"auth_mode": "BASIC"})),
        "Bearer for a provider's own word": (token(), token(value="Zoho-oauthtoken ${access_token}")),
        "in a parameter as well": (
            keys({**KEY, "placement": "header"}, requests={"params": {"key": "${api_key}"}}),
            keys(),
        ),
        "moved by the engine": (keys(), keys(), meddling(into_the_query)),
        "forgotten on posts": (keys(), keys(), meddling(not_on_posts)),
        "repeated in another header": (keys(), keys(), meddling(also_as_referer)),
    },
    "origin": {
        "one more origin": (keys(requests={"allowed_origins": ["https://elsewhere.example.net"]}), keys()),
        "every subdomain": (keys(requests={"allowed_origins": ["https://*.api.example.com"]}), keys()),
        "not encrypted": (keys(base_url="http://api.example.com/v1/"), keys()),
        "another host": (keys(base_url="https://api.example.net/v1/"), keys()),
        "a token endpoint elsewhere": (token(token_url="https://id.example.net/token"), token()),
        "credentials for a namesake": (
            keys(),
            keys(),
            with_credentials_to(lambda url: url.host == "api.example.com.example.net"),
        ),
        "credentials for everybody": (keys(), keys(), with_credentials_to(lambda url: True)),
        "credentials for another port": (keys(), keys(), with_credentials_to(lambda url: url.port == 8443)),
        "credentials after a redirect": (keys(), keys(), with_credentials_to(lambda url: url.path == "/moved")),
        "a next page anywhere": (keys(pagination=LINK), keys(pagination=LINK), engine(paginate=follow_anywhere)),
    },
    "retry": {
        "too few statuses": (retry(error_code=["429"]), retry()),
        "too many statuses": (retry(error_code=["4xx", "5xx"]), retry()),
        "never again": (retry(max_attempts=1), retry()),
        "again and again": (retry(max_attempts=9), retry()),
        "a header not known": (retry(), retry(after="X-Wait")),
        "no patience": (retry(max_wait=1), retry()),
        "posts repeated that may have been done": (retry(not_processed=["503"]), retry()),
        "a sign not known": (retry(), retry(reactions=[THROTTLED])),
        "posts repeated by the engine": (keys(), keys(), meddling(repeat_posts)),
        "failures hidden by the engine": (keys(), keys(), meddling(hide_failures)),
    },
    "pagination": {
        "another parameter": (walk(**CURSOR | {"cursor_name_in_request": "cursor"}), walk(**CURSOR)),
        "another path": (walk(**CURSOR | {"cursor_path_in_response": "next.cursor"}), walk(**CURSOR)),
        "items elsewhere": (walk(**CURSOR | {"response_path": "data"}), walk(**CURSOR)),
        "pages begin elsewhere": (walk(**PAGE | {"page_start_value": 0}), walk(**PAGE)),
        "offsets begin elsewhere": (walk(**OFFSET | {"offset_start_value": 1}), walk(**OFFSET)),
        "offsets count pages": (walk(**OFFSET | {"offset_calculation_method": "per-page"}), walk(**OFFSET)),
        "an early end": (walk(**CURSOR, max_pages=2), walk(**CURSOR)),
        "the cursor lost by the engine": (walk(**CURSOR), walk(**CURSOR), meddling(without_cursor)),
        "pages twice by the engine": (walk(**CURSOR), walk(**CURSOR), meddling(twice)),
        "another order by the engine": (walk(**CURSOR), walk(**CURSOR), meddling(backwards)),
    },
    "redaction": {
        "logged": (keys(), keys(), logging_engine(str)),
        "logged in base64": (keys(), keys(), logging_engine(lambda key: base64.b64encode(f"u:{key}".encode()))),
        "logged in hexadecimal digits": (keys(), keys(), logging_engine(lambda key: key.encode().hex())),
        "logged by another library": (keys(), keys(), logging_engine(json.dumps, "httpx")),
        "shown by a client": (keys(), keys(), engine(client=showing_client)),
        "shown in a URL": (keys(), keys(), engine(client=showing_base_url)),
        "shown by a connection": (keys(), keys(), engine(get_connection=showing_connection)),
        "shown by a view": (keys(), keys(), engine(get_connections_for_user_id=showing_views)),
        "in an error": (keys(), keys(), engine(paginate=failing_with(lambda key: f"refused: {key}"))),
        "in an error's cause": (keys(), keys(), engine(paginate=failing_because)),
    },
    "renewal": {
        "no token endpoint": (keys({**OAUTH, "token_url": None}), token()),
        "another proof": (token(authorization_method="header"), token()),
        "another form of body": (token(body_format="json"), token()),
        "a token elsewhere": (token(), token(token_response={"token": "data.token"})),
        "a lifetime in another unit": (token(expires_in_unit="milliseconds"), token()),
        "another grant": (token(refresh_params={"grant_type": "refresh"}), token()),
        "the rotated token lost": (token(), token(), meddling(lose_the_rotated_token)),
        "renewed twice": (token(), token(), meddling(renew_twice)),
        "a refusal taken for another": (token(), token(), meddling(take_no_refusal)),
        "a refused grant hidden": (token(), token(), meddling(hide_refused_grants)),
    },
}
SEEDED = [(kind, name) for kind, faults in FAULTS.items() for name in faults]


@pytest.mark.parametrize("key", KEYS)
def test_every_built_in_blueprint_passes(key):
    found = conformance(key)

    assert [] == [f"{check.id}: {check.message}" for check in found if check.ok is False]
    assert 15 <= sum(check.ok is True for check in found)


@pytest.mark.parametrize(("kind", "name"), SEEDED, ids=[f"{kind}: {name}" for kind, name in SEEDED])
def test_a_seeded_fault_is_found(kind, name):
    tested, truth, *engines = FAULTS[kind][name]
    options = {"engine": engines[0]} if engines else {}

    failed = [check.id for check in conformance(tested, against=truth, **options) if check.ok is False]

    assert [] != [check for check in failed if check.startswith(f"{kind}.")]


def test_there_are_ten_faults_of_each_kind():
    assert dict.fromkeys(("auth", "origin", "retry", "pagination", "redaction", "renewal"), 10) == {
        kind: len(faults) for kind, faults in FAULTS.items()
    }


TRUTHS = {json.dumps(truth): truth for faults in FAULTS.values() for _, truth, *_ in faults.values()}


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=range(len(TRUTHS)))
def test_what_the_faults_were_put_into_passes(truth):
    assert [] == [f"{check.id}: {check.message}" for check in conformance(truth) if check.ok is False]


def found_by(check, tested, truth=None):
    """Return what one check finds."""
    (case,) = [case for case in conformance_cases(tested, against=truth) if case.id == check]
    return case.run()


IN_LINK = {"type": "cursor", "cursor_name_in_request": "after", "link_path_in_response_body": "next", **ITEMS}
BY_HEADER = {"type": "cursor", "cursor_name_in_request": "X-After", "cursor_header_in_response": "X-Next"}
BELOW = {"type": "link", "link_path_in_response_body": "links[?rel=='next'] | [0].href", **ITEMS}


@pytest.mark.parametrize(
    ("tested", "truth"),
    [
        (IN_LINK | {"cursor_name_in_link": "cursor"}, IN_LINK | {"cursor_name_in_link": "from"}),
        (BY_HEADER, BY_HEADER | {"in_header": True}),
        (BELOW, BELOW | {"link_relative_to": "base_url"}),
        (PAGE | {"total_pages_header_in_response": "X-Page"}, PAGE | {"total_items_header_in_response": "X-Page"}),
        (CURSOR | {"cursor_path_in_response": "items[0].id"}, CURSOR | {"cursor_path_in_response": "items[-1].id"}),
    ],
)
def test_walks_of_every_kind_are_checked(tested, truth):
    assert found_by("pagination.walk", walk(**truth)).ok is True
    assert found_by("pagination.walk", walk(**tested), walk(**truth)).ok is False


@pytest.mark.parametrize(
    ("field", "ok"),
    [
        ({"format": "email"}, True),
        ({"format": "uuid"}, True),
        ({"example": "u-12", "pattern": "^u-[0-9]+$"}, True),
        ({"default": "x"}, True),
        ({"enum": ["a", "b"]}, True),
        ({"enum": ["a"]}, None),
    ],
)
def test_other_credentials_are_made_up_in_every_declared_form(field, ok):
    key = keys(credentials={"api_key": {"title": "Key", **field}})

    assert ok is found_by("auth.others_refused", key).ok


LEAD = {
    "input": {
        "type": "object",
        "properties": {"id": {"type": "string"}},
        "required": ["id"],
        "additionalProperties": False,
    },
    "request": {"path": "leads/${input.id}"},
    "output": {"map": {"id": "${item.id}", "name": "${item.title}"}},
    "example": {
        "input": {"id": "7"},
        "answer": {"id": "7", "title": "Acme", "more": 1},
        "output": {"id": "7", "name": "Acme"},
    },
}


def test_an_action_does_what_its_example_shows():
    found = conformance(keys(actions={"get-lead": LEAD}))

    assert ("action.get-lead.example", True) == (found[-1].id, found[-1].ok)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": {}}, "InputError: .* 'id'"),
        ({"input": {"id": "7", "x": 1}}, "InputError: .* 'x'"),
        ({"answer": {"id": "7", "name": "Acme"}}, "it gave .*, not the example's output"),
        ({"output": {"id": "7"}}, "it gave .*, not the example's output"),
        ({"answers": [{"id": "7", "title": "Acme"}, {}]}, "1 requests were sent, but the example has 2 answers"),
    ],
)
def test_an_example_that_is_not_true_is_found(change, message):
    import re

    action = {**LEAD, "example": {**LEAD["example"], **change}}
    found = conformance(keys(actions={"get-lead": action}))[-1]

    assert found.ok is False
    assert re.search(message, found.message)


def test_files_of_an_example_are_base64():
    action = {
        "input": {
            "type": "object",
            "properties": {"file": {"type": "string", "format": "binary"}},
            "required": ["file"],
        },
        "request": {"method": "POST", "path": "convert", "raw": {"content": "${input.file}"}},
        "output": {"download": True},
        "example": {"input": {"file": "aGVsbG8="}, "answer": "SEVMTE8=", "output": "SEVMTE8="},
    }
    good = conformance(keys(actions={"convert": action}))[-2:]
    bad = conformance(keys(actions={"convert": {**action, "example": {**action["example"], "output": "aGVsbG8="}}}))

    assert [True, True, False] == [*(check.ok for check in good), bad[-1].ok]


def test_an_action_without_an_example_is_sent_nevertheless():
    action = {
        "input": {
            "type": "object",
            "properties": {"id": {"type": "integer", "minimum": 5}, "at": {"type": "string", "format": "date"}},
            "minProperties": 2,
            "required": ["id"],
        },
        "request": {"method": "POST", "path": "leads/${input.id}"},
    }
    good, bad = (
        {check.id: check.ok for check in conformance(keys(actions={"touch": action}), **options)}
        for options in ({}, {"engine": meddling(not_on_posts)})
    )

    assert (True, False) == (good["action.touch.request"], bad["action.touch.request"])


def test_what_there_is_not_is_skipped_with_a_reason():
    found = {check.id: check for check in conformance(keys(actions={"me": {"request": {"path": "me"}}}))}

    assert (None, "these credentials are not renewed.") == (found["renewal.once"].ok, found["renewal.once"].message)
    assert (None, "it has no example.") == (found["action.me.example"].ok, found["action.me.example"].message)


def test_a_file_is_checked_as_well(tmp_path):
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump({"name": "demo", "versions": {"v0": keys()}}), encoding="utf-8")

    assert [] == [check for check in conformance(path) if check.ok is False]


def test_a_broken_file_says_what_is_wrong(tmp_path):
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump({"name": "demo", "versions": {"v0": {"auth": {}}}}), encoding="utf-8")

    with pytest.raises(ConfigError):
        conformance(path)


def test_an_integration_that_is_loaded_already_is_checked():
    from nango_py.declare import load

    integration = load({"integrations": {"it": keys()}}, environ={}).integrations["it"]

    assert [] == [check for check in conformance(replace(integration, name="other")) if check.ok is False]


def test_no_two_checks_have_one_name():
    names = [case.id for case in conformance_cases("github:v0")]

    assert len(set(names)) == len(names)


test_the_pytest_face_of_a_key = conformance_test("github:v0")
