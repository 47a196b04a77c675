"""The whole path through ``Nango`` and ``AsyncNango``, over a scripted transport."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import httpx
import pytest

import nango_py
from nango_py import AsyncNango, Nango, Secret
from nango_py.testing import ManualClock

KEY = "api_topsecret_1234"
CLOSE = {"integrations": {"close": {"extends_blueprint": "close:v0"}}}
ACME = {
    "integrations": {
        "acme": {
            "auth": {"auth_mode": "API_KEY", "placement": "query", "name": "key"},
            "requests": {"base_url": "https://api.acme.test/v1", "headers": {"X-Trace": "${uuid()}"}},
            "retry": {"idempotency_key": "Idempotency-Key"},
            "verification": {"path": "me", "identity": "name"},
            "actions": {
                "create": {
                    "input": {"type": "object", "properties": {"name": {"type": "string"}}},
                    "request": {"method": "POST", "path": "things", "json": {"name": "${input.name}", "kind": None}},
                },
                "remove": {
                    "input": {"type": "object", "properties": {"id": {"type": "string"}}},
                    "request": {"method": "DELETE", "path": "things/${input.id}"},
                },
                "flagged": {
                    "request": {"path": "flagged"},
                    "ok": {"path": "ok", "value": True, "message": "error"},
                },
            },
        }
    }
}


class Script:
    """Answer with the scripted responses in turn, the last one again and again; remember requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        return httpx.Response(status, headers=headers, json=body)


def engine(script, document=CLOSE, clock=None, credentials=None):
    nango = Nango.load(
        document,
        store="memory://",
        transport=httpx.MockTransport(script),
        clock=clock or ManualClock(),
        environ={},
    )
    name = next(iter(document["integrations"]))
    nango.register_connection(name, "u", credentials or {"username": KEY, "password": ""})
    return nango


def acme(script, **options):
    return engine(script, ACME, credentials={"api_key": KEY}, **options)


OK = (200, {}, {"id": "1"})


def test_client_is_a_genuine_httpx_client():
    with engine(Script(OK)) as nango, nango.client("close", "u") as client:
        assert httpx.Client is type(client)
        assert "https://api.close.com/api/v1/" == str(client.base_url)


def test_credentials_are_sent_and_never_seen_above():
    script = Script(OK)
    with engine(script) as nango, nango.client("close", "u") as client:
        answer = client.get("me/")
    assert script.requests[0].headers["authorization"].startswith("Basic ")
    assert "authorization" not in answer.request.headers
    assert KEY not in repr(answer.request) + repr(client.headers) + str(answer.request.url)


def test_query_placed_key_shows_in_no_log_repr_or_exception(caplog):
    caplog.set_level(logging.DEBUG)
    script = Script(httpx.ConnectError("refused by https://api.acme.test/v1/me?key=" + KEY))
    with acme(script) as nango, nango.client("acme", "u") as client:
        with pytest.raises(httpx.ConnectError) as caught:
            client.get("me")
        with pytest.raises(nango_py.UnreachableError) as also:
            nango.trigger_action("acme", "flagged", "u")
    assert KEY == script.requests[0].url.params["key"]
    assert KEY not in caplog.text
    assert KEY not in repr(caught.value) + str(caught.value.request.url) + str(also.value) + repr(also.value)


def test_credentials_stay_with_their_origin():
    script = Script(OK)
    with engine(script) as nango, nango.client("close", "u") as client:
        client.get("https://evil.test/x")
        client.get("https://api.close.com.evil.test/x")
        client.get("http://api.close.com/api/v1/me/")
    assert [None, None, None] == [request.headers.get("authorization") for request in script.requests]


def test_redirect_to_another_origin_goes_bare():
    script = Script((302, {"Location": "https://evil.test/x"}, {}), OK)
    with engine(script) as nango, nango.client("close", "u", follow_redirects=True) as client:
        client.get("me/")
    assert "authorization" not in script.requests[1].headers


def test_own_authorization_header_of_the_caller_wins():
    script = Script(OK)
    with engine(script) as nango, nango.client("close", "u") as client:
        client.get("me/", headers={"Authorization": "Own"})
    assert "Own" == script.requests[0].headers["authorization"]


def test_refused_request_is_waited_out_as_the_server_says():
    clock = ManualClock()
    script = Script((429, {"Retry-After": "7"}, {}), OK)
    with engine(script, clock=clock) as nango, nango.client("close", "u") as client:
        answer = client.get("me/")
    assert [7.0] == clock.slept
    assert [429, 200] == [attempt.status for attempt in answer.extensions["nango_attempts"]]


def test_retry_after_of_thirty_days_stops_at_once():
    clock = ManualClock()
    script = Script((429, {"Retry-After": "2592000"}, {}))
    with engine(script, clock=clock) as nango, pytest.raises(nango_py.RateLimitedError) as caught:
        nango.trigger_action("close", "me", "u")
    assert [] == clock.slept
    assert 2592000 == caught.value.retry_after


def test_post_is_not_repeated_after_a_server_error():
    script = Script((503, {}, {}))
    with acme(script) as nango, pytest.raises(nango_py.ResponseError):
        nango.trigger_action("acme", "create", "u", {"name": "x"})
    assert 1 == len(script.requests)


def test_post_with_an_idempotency_key_is_repeated_with_it():
    script = Script((503, {}, {}), OK)
    with acme(script) as nango:
        nango.trigger_action("acme", "create", "u", {"name": "x"}, idempotency_key="k1")
    assert ["k1", "k1"] == [request.headers["idempotency-key"] for request in script.requests]


def test_streamed_upload_is_not_sent_twice():
    script = Script((503, {}, {}))
    with engine(script) as nango, nango.client("close", "u") as client:
        answer = client.put("file/", content=iter([b"one", b"two"]))
    assert (503, 1) == (answer.status_code, len(script.requests))


def test_unauthorized_is_not_retried():
    script = Script((401, {}, {"error": "bad key"}))
    with engine(script) as nango, pytest.raises(nango_py.AuthenticationError, match=r"401: .*bad key"):
        nango.trigger_action("close", "me", "u")
    assert 1 == len(script.requests)


@pytest.mark.parametrize("bad", ["..", ".", "", "%2e%2e", None])
def test_path_value_that_means_another_resource_is_refused(bad):
    script = Script(OK)
    with acme(script) as nango, pytest.raises(nango_py.InputError):
        nango.trigger_action("acme", "remove", "u", {"id": bad} if bad is not None else {})
    assert [] == script.requests


def test_path_value_is_one_segment():
    script = Script(OK)
    with acme(script) as nango:
        nango.trigger_action("acme", "remove", "u", {"id": "a/b c"})
    assert b"/v1/things/a%2Fb%20c" == script.requests[0].url.raw_path.split(b"?")[0]


def test_null_leaf_is_dropped_and_written_null_stays():
    script = Script(OK)
    with acme(script) as nango:
        nango.trigger_action("acme", "create", "u", {})
    assert {"kind": None} == json.loads(script.requests[0].content)


def test_sign_in_the_body_makes_an_error_of_a_success():
    with acme(Script((200, {}, {"ok": False, "error": "not_here"}))) as nango:
        with pytest.raises(nango_py.ResponseError, match="not_here"):
            nango.trigger_action("acme", "flagged", "u")


def test_uuid_is_fixed_for_an_exchange():
    script = Script((503, {}, {}), OK)
    with acme(script) as nango, nango.client("acme", "u") as client:
        client.get("me")
        client.get("me")
    first, second, third = (request.headers["x-trace"] for request in script.requests)
    assert first == second != third


@pytest.mark.parametrize("option", ["proxy", "verify", "auth", "base_url", "transport", "mounts"])
def test_option_that_bypasses_the_engine_names_what_to_do(option):
    with engine(Script(OK)) as nango, pytest.raises(nango_py.UsageError, match=option):
        nango.client("close", "u", **{option: "x"})


def test_list_is_walked_and_cut_by_limit():
    items = [{"id": f"l{number}", "display_name": "n"} for number in range(7)]

    def answer(request):
        skip, limit = (int(request.url.params[name]) for name in ("_skip", "_limit"))
        body = {"data": items[skip : skip + limit], "has_more": skip + limit < len(items)}
        return httpx.Response(200, json=body)

    with engine(answer) as nango:
        leads = nango.trigger_action("close", "list-leads", "u", {"limit": 5, "page_size": 2})
        pages = list(nango.pages("close", "u", "lead/", params={"_limit": 3}))
        resumed = list(nango.pages("close", "u", "lead/", position=pages[0].position, pagination={"limit": 3}))
    assert ["l0", "l1", "l2", "l3", "l4"] == [lead["id"] for lead in leads]
    assert [3, 3, 1] == [len(page.items) for page in pages]
    assert [3, 1] == [len(page.items) for page in resumed]
    assert pages[-1].is_last


def test_page_of_another_origin_is_refused():
    document = {
        "integrations": {
            "linked": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": "https://api.acme.test/"},
                "pagination": {"type": "link", "link_path_in_response_body": "next", "response_path": "items"},
            }
        }
    }
    script = Script((200, {}, {"items": [1], "next": "https://evil.test/2"}))
    with engine(script, document, credentials={"api_key": KEY}) as nango:
        with pytest.raises(nango_py.ForeignOriginError):
            list(nango.paginate("linked", "u", "things"))
    assert 1 == len(script.requests)


def test_second_registration_is_refused_and_the_first_stays():
    with engine(Script(OK)) as nango:
        with pytest.raises(nango_py.DuplicateConnection):
            nango.register_connection("close", "u", {"username": "other"})
        assert Secret(KEY) == nango.credentials("close", "u")["username"]


def test_deleted_connection_is_unknown():
    with engine(Script(OK)) as nango:
        nango.delete_connection("close", "u")
        with pytest.raises(nango_py.UnknownConnection):
            nango.client("close", "u")
        with pytest.raises(LookupError):
            nango.delete_connection("close", "u")


def test_update_takes_effect_at_once():
    script = Script(OK)
    with engine(script) as nango, nango.client("close", "u") as client:
        client.get("me/")
        nango.update_connection_credentials("close", "u", {"username": "api_other_key"})
        client.get("me/")
        nango.update_metadata("close", "u", {"plan": "pro"})
        assert {"plan": "pro"} == dict(nango.get_connection("close", "u").metadata)
    assert script.requests[0].headers["authorization"] != script.requests[1].headers["authorization"]


def test_views_show_no_credentials():
    with engine(Script(OK)) as nango:
        views = nango.get_connections_for_user_id("u") + nango.get_connections_for_integration("close")
    assert [("close", "u")] * 2 == [(view.integration, view.user_id) for view in views]
    assert not hasattr(views[0], "credentials")


def test_check_connection_tells_who_it_is_and_why_not():
    with acme(Script((200, {}, {"name": "Ann"}), (403, {}, {}))) as nango:
        good, bad = nango.check_connection("acme", "u"), nango.check_connection("acme", "u")
    assert (True, 200, "Ann") == (good.ok, good.status, good.identity)
    assert (False, 403) == (bad.ok, bad.status)


def test_expired_token_is_never_handed_out():
    document = {"integrations": {"o": {"auth": {"auth_mode": "OAUTH2"}, "requests": {"base_url": "https://o.test/"}}}}
    clock = ManualClock()
    with engine(Script(OK), document, clock, {"access_token": "tok_abcdef", "expires_in": 60}) as nango:
        nango.client("o", "u").close()
        clock.advance(61)
        with pytest.raises(nango_py.ReauthRequired):
            nango.client("o", "u")


def test_host_part_of_a_connection_is_a_name():
    document = {
        "integrations": {
            "z": {
                "auth": {"auth_mode": "NONE"},
                "connection_config": {"subdomain": {"prefix": "https://", "suffix": ".z.test"}},
                "requests": {"base_url": "https://${connection_config.subdomain}.z.test/api"},
            }
        }
    }
    script = Script(OK)
    with Nango.load(document, store="memory://", transport=httpx.MockTransport(script), environ={}) as nango:
        nango.register_connection("z", "good", {}, {"subdomain": "https://acme.z.test/"})
        nango.register_connection("z", "bad", {}, {"subdomain": "evil.test/x?"})
        with nango.client("z", "good") as client:
            client.get("me")
        with pytest.raises(nango_py.CredentialsError):
            nango.client("z", "bad")
    assert "https://acme.z.test/api/me" == str(script.requests[0].url)


@pytest.mark.parametrize("port", ["8443", "evil.test", "84430x", "1/x"])
def test_port_of_a_connection_is_a_number(port):
    base = "https://${connection_config.host}:${connection_config.port}/api"
    declared = {
        "integrations": {
            "acme": {
                "auth": {"auth_mode": "NONE"},
                "connection_config": {"host": {"format": "hostname"}, "port": {}},
                "requests": {"base_url": base},
            }
        }
    }
    script = Script((200, {}, {}))
    with Nango.load(declared, transport=httpx.MockTransport(script), store="memory://", environ={}) as nango:
        assert nango.problems == ()
        nango.register_connection("acme", "u", {}, {"host": "acme.test", "port": port})
        if port == "8443":
            with nango.client("acme", "u") as client:
                client.get("x")
            assert "https://acme.test:8443/api/x" == str(script.requests[0].url)
        else:
            with pytest.raises(nango_py.CredentialsError, match="a number such as 8443"):
                nango.client("acme", "u")


def test_credential_inside_the_base_url_has_a_stand_in():
    document = {
        "integrations": {
            "t": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": "https://t.test/bot${api_key}/"},
            }
        }
    }
    script = Script(OK)
    with engine(script, document, credentials={"api_key": KEY}) as nango, nango.client("t", "u") as client:
        answer = client.get("getMe")
    assert f"/bot{KEY}/getMe" == script.requests[0].url.path
    assert "https://t.test/botapi-key/getMe" == str(answer.request.url)
    assert "authorization" not in script.requests[0].headers


@pytest.mark.parametrize("link", [f"https://t.test/bot{KEY}/more", f"/bot{KEY}/more", "more"])
@pytest.mark.parametrize("relative_to", ["request", "base_url"])
def test_a_position_holds_no_credential_of_the_base_url(link, relative_to):
    pagination = {"type": "link", "link_path_in_response_body": "next", "response_path": "found"}
    declared = {
        "auth": {"auth_mode": "API_KEY"},
        "requests": {"base_url": "https://t.test/bot${api_key}/"},
        "pagination": {**pagination, "link_relative_to": relative_to},
    }
    script = Script((200, {}, {"found": [1], "next": link}), (200, {}, {"found": [2]}))
    with engine(script, {"integrations": {"t": declared}}, credentials={"api_key": KEY}) as nango:
        page = next(nango.pages("t", "u", "list"))
        (rest,) = nango.pages("t", "u", "list", position=page.position)
    assert KEY not in page.position
    assert "https://t.test/botapi-key/more" == str(rest.response.request.url)
    assert [f"/bot{KEY}/list", f"/bot{KEY}/more"] == [one.url.path for one in script.requests]


LETTERS = "".join(f"%{ord(sign):02x}" for sign in KEY)


def linked(script, base="https://t.test/bot${api_key}/", key=KEY):
    pagination = {"type": "link", "link_path_in_response_body": "next", "response_path": "found"}
    declared = {"auth": {"auth_mode": "API_KEY"}, "requests": {"base_url": base}, "pagination": pagination}
    return engine(script, {"integrations": {"t": declared}}, credentials={"api_key": key})


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (f"https://t.test:443/bot{KEY}/list?p=2", "https://t.test/botapi-key/list?p=2"),
        (f"HTTPS://T.test/bot{KEY}/list?p=2", "https://t.test/botapi-key/list?p=2"),
        (f"https://t.test/b%6ft{LETTERS}/a%2fb?p=%32", "https://t.test/botapi-key/a%2fb?p=%32"),
        (f"https://t.test/bot{KEY}?p=2", "https://t.test/botapi-key/?p=2"),
    ],
)
def test_a_position_holds_no_credential_of_a_base_url_that_is_written_otherwise(link, shown):
    script = Script((200, {}, {"found": [1], "next": link}), (200, {}, {"found": [2]}))
    with linked(script) as nango:
        page, rest = nango.pages("t", "u", "list")

    assert shown == json.loads(page.position)["mark"]
    assert shown == str(rest.response.request.url)
    assert shown.replace("api-key", KEY) == str(script.requests[1].url)


def test_a_link_to_the_path_of_a_base_url_whose_host_is_a_credential_is_followed():
    script = Script((200, {}, {"found": [1], "next": "/bottopsecret1234/more"}), (200, {}, {"found": [2]}))
    with linked(script, "https://${api_key}.t.test/bot${api_key}/", "topsecret1234") as nango:
        page, _ = nango.pages("t", "u", "list")

    assert "https://api-key.t.test/botapi-key/more" == json.loads(page.position)["mark"]
    assert "https://topsecret1234.t.test/bottopsecret1234/more" == str(script.requests[1].url)


@pytest.mark.parametrize(
    "link", [f"https://t.test/v2/x?t={KEY}", f"/x/bot{KEY}/", f"https://t.test/bot{KEY}/?t={LETTERS}"]
)
def test_a_link_with_a_credential_beside_the_base_url_is_refused_without_quoting_it(link):
    script = Script((200, {}, {"found": [1], "next": link}))
    with linked(script) as nango, pytest.raises(nango_py.PaginationError, match="holds a secret outside") as caught:
        list(nango.pages("t", "u", "list"))

    assert KEY not in str(caught.value)
    assert LETTERS not in str(caught.value)
    assert 1 == len(script.requests)


@pytest.mark.parametrize(
    ("base", "environ", "real", "shown"),
    [
        ("https://t.test/bot${TOKEN}", {"TOKEN": KEY}, f"https://t.test/bot{KEY}/", "https://t.test/bottoken/"),
        (
            "https://t.test/${env.TOKEN}/v1",
            {"TOKEN": KEY},
            f"https://t.test/{KEY}/v1/",
            "https://t.test/env.token/v1/",
        ),
        (
            "http://${HOST}:${PORT}/v1",
            {"HOST": "t.test", "PORT": "81"},
            "http://t.test:81/v1/",
            "http://t.test:81/v1/",
        ),
        ("${URL}/v1", {"URL": "https://t.test"}, "https://t.test/v1/", "https://t.test/v1/"),
        ("${URL}/v1", {"URL": f"https://t.test/bot{KEY}"}, f"https://t.test/bot{KEY}/v1/", "https://t.test/url/v1/"),
        (
            "https://${HOST}/${connection_config.team}/${TOKEN}",
            {"HOST": "t.test", "TOKEN": KEY},
            f"https://t.test/red/{KEY}/",
            "https://t.test/red/token/",
        ),
    ],
)
def test_environment_behind_the_host_of_the_base_url_has_a_stand_in(base, environ, real, shown, caplog):
    declared = {
        "auth": {"auth_mode": "NONE"},
        "connection_config": {"team": {"default": "red"}},
        "requests": {"base_url": base},
        "actions": {"get": {"request": {"path": "x"}}},
    }
    script = Script((500, {}, {}))
    load = {"transport": httpx.MockTransport(script), "store": "memory://", "environ": environ}
    with Nango.load({"integrations": {"t": {**declared, "retry": {"max_attempts": 1}}}}, **load) as nango:
        assert () == nango.problems
        nango.register_connection("t", "u", {}, {"team": "red"})
        with nango.client("t", "u") as client, caplog.at_level("INFO"):
            assert shown == str(client.base_url)
            answer = client.get("x")
            with pytest.raises(httpx.HTTPStatusError) as refused:
                answer.raise_for_status()
        with pytest.raises(nango_py.ResponseError) as failed:
            nango.trigger_action("t", "get", "u")
    assert [f"{real}x"] * 2 == [str(one.url) for one in script.requests]
    assert [f"{shown}x"] * 2 == [str(answer.request.url), str(failed.value.response.request.url)]
    told = [str(refused.value), str(failed.value), caplog.text]
    assert [] == [text for text in told if KEY in text]


def test_credential_inside_the_base_url_has_a_stand_in_in_the_errors_of_actions():
    document = {
        "integrations": {
            "t": {
                "auth": {"auth_mode": "API_KEY"},
                "requests": {"base_url": "https://t.test/bot${api_key}/"},
                "pagination": {"type": "link", "link_path_in_response_body": "next", "response_path": "found"},
                "actions": {"list": {"request": {"path": "list"}, "paginate": True}},
            }
        }
    }
    script = Script((200, {}, {"found": [1], "next": f"https://t.test/bot{KEY}/more"}), (404, {}, {}))
    with engine(script, document, credentials={"api_key": KEY}) as nango:
        with pytest.raises(nango_py.ResponseError) as of_a_link:
            nango.trigger_action("t", "list", "u")
        with pytest.raises(nango_py.ResponseError) as of_a_path:
            nango.trigger_action("t", "list", "u")
    assert [f"/bot{KEY}/list", f"/bot{KEY}/more", f"/bot{KEY}/list"] == [one.url.path for one in script.requests]
    assert "GET https://t.test/botapi-key/more was answered 404" in str(of_a_link.value)
    assert "GET https://t.test/botapi-key/list was answered 404" in str(of_a_path.value)
    assert "https://t.test/botapi-key/list" == str(of_a_path.value.response.request.url)


def test_python_actions_run_under_both_engines(tmp_path):
    (tmp_path / "integrations.yaml").write_text("integrations: {close: {extends_blueprint: 'close:v0'}}")
    (tmp_path / "close").mkdir()
    (tmp_path / "close" / "who.py").write_text(
        "INPUT = {'type': 'object', 'required': ['x']}\n"
        "def run(ctx, input):\n    return [ctx.http.get('me/').json()['id'], input['x'], ctx.connection.user_id]\n"
    )
    (tmp_path / "close" / "awho.py").write_text(
        "async def run(ctx, input):\n    return (await ctx.http.get('me/')).json()['id']\n"
    )
    options = {"store": "memory://", "transport": httpx.MockTransport(Script(OK)), "environ": {}}

    async def beside_a_loop():
        async with AsyncNango.load(tmp_path / "integrations.yaml", **options) as nango:
            await nango.register_connection("close", "u", {"username": KEY})
            assert ["1", 2, "u"] == await nango.trigger_action("close", "who", "u", {"x": 2})
            return await nango.trigger_action("close", "awho", "u")

    with Nango.load(tmp_path / "integrations.yaml", **options) as nango:
        nango.register_connection("close", "u", {"username": KEY})
        assert "1" == nango.trigger_action("close", "awho", "u")
        assert ["1", 2, "u"] == nango.trigger_action("close", "who", "u", {"x": 2})
        with pytest.raises(nango_py.InputError):
            nango.trigger_action("close", "who", "u", {})
        with pytest.raises(nango_py.UnknownAction):
            nango.trigger_action("close", "../close/who", "u", {"x": 2})
    assert "1" == asyncio.run(beside_a_loop())


def test_two_runs_and_two_threads_use_one_async_engine():
    nango = AsyncNango.load(CLOSE, store="memory://", transport=httpx.MockTransport(Script(OK)), environ={})

    async def main(user):
        await nango.register_connection("close", user, {"username": KEY})
        async with nango.client("close", user) as client:
            return (await client.get("me/")).status_code

    found = [asyncio.run(main("a")), asyncio.run(main("b"))]
    threads = [threading.Thread(target=lambda user=user: found.append(asyncio.run(main(user)))) for user in "cd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [200] * 4 == found


def test_unknown_connection_shows_when_an_async_client_is_entered():
    async def main():
        async with AsyncNango.load(CLOSE, store="memory://", environ={}) as nango:
            with pytest.raises(nango_py.UnknownConnection):
                async with nango.client("close", "nobody"):
                    raise AssertionError

    asyncio.run(main())


def test_deadline_ends_an_action_between_its_pages():
    clock = ManualClock()

    def slowly(request):
        clock.advance(6)
        return httpx.Response(200, json={"data": [{"id": "a"}], "has_more": True})

    with engine(slowly, clock=clock) as nango, pytest.raises(nango_py.DeadlineError, match="deadline"):
        nango.trigger_action("close", "list-leads", "u", {"limit": 5}, deadline=5)


def test_both_engines_offer_the_same_names():
    def names(engine):
        return {name for name in vars(engine) if not name.startswith("_")}

    assert names(Nango) == names(AsyncNango)


def test_nothing_of_a_deleted_connection_is_remembered():
    script = Script((200, {}, {}))
    with Nango.load(CLOSE, transport=httpx.MockTransport(script), store="memory://", environ={}) as nango:
        nango.register_connection("close", "ann", {"username": KEY})
        with nango.client("close", "ann") as client:
            client.get("me/")
        nango.delete_connection("close", "ann")

        assert {} == nango._core._sessions._known
