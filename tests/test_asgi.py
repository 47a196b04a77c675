"""The connect pages: who may connect what for whom, in which browser, and what the pages give away."""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest

from nango_py import AsyncNango, Nango, UnknownConnection, UsageError
from nango_py.asgi import connect_app
from nango_py.connections.memory import MemoryStore
from nango_py.errors import StoreError
from nango_py.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py import AuthorizationRequest

HOME = "https://app.example.com"
OAUTH = {
    "oauth_client_id": "id",
    "oauth_client_secret": "s3cr3t-of-the-app",
    "oauth_scopes": ["read"],
    "auth": {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://provider.example/authorize",
        "token_url": "https://provider.example/token",
    },
    "requests": {"base_url": "https://api.provider.example/"},
}
DECLARED = {
    "integrations": {
        "calendar": OAUTH,
        "desk": {
            **OAUTH,
            "connection_config": {
                "subdomain": {"title": "Subdomain", "format": "domain-label"},
                "pin": {"secret": True, "optional": True},
            },
            "requests": {"base_url": "https://${connection_config.subdomain}.provider.example/"},
        },
        "keyed": {"auth": {"auth_mode": "BASIC"}, "requests": {"base_url": "https://api.provider.example/"}},
        "broken": {"auth": {"auth_mode": "BASIC"}, "requests": {"base": "https://api.provider.example/"}},
    }
}


@dataclass(slots=True)
class Provider:
    """The token endpoint."""

    status: int = 200
    answer: dict[str, Any] = field(
        default_factory=lambda: {"access_token": "t0k3n-of-the-user", "token_type": "bearer"}
    )
    asked: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, json=self.answer)


@dataclass(slots=True)
class Site:
    """A program with the app in it, and its engine."""

    app: Any
    nango: Any
    provider: Provider
    clock: ManualClock

    def connected(self, user: str, integration: str = "calendar") -> bool:
        async def view() -> bool:
            views = self.nango.get_connections_for_user_id(user)
            views = views if isinstance(views, list) else await views
            return integration in [view.integration for view in views]

        return anyio.run(view)


@dataclass(slots=True)
class Browser:
    """Somebody's browser; the header stands for the program's own session."""

    app: Any
    user: str = "ann"
    home: str = HOME
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, url: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def fetch() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            sent = {"X-User": self.user, **{name.replace("_", "-"): value for name, value in headers.items()}}
            async with httpx.AsyncClient(transport=transport, base_url=self.home, cookies=self.cookies) as client:
                answer = await client.request(method, url, headers=sent)
                self.cookies = client.cookies
                return answer

        return anyio.run(fetch)

    def begin(self, path: str = "/connect/calendar", **headers: str) -> str:
        """Return where the provider would send the browser back to."""
        answer = self.get(path, **headers)
        assert 303 == answer.status_code, answer.text
        asked = parse_qs(urlsplit(answer.headers["Location"]).query)
        return f"{asked['redirect_uri'][0]}?code=c0de&state={asked['state'][0]}"

    def end(self, url: str) -> httpx.Response:
        """Return the page that is shown in the end."""
        answer = self.get(url)
        assert 303 == answer.status_code, answer.text
        return self.get(answer.headers["Location"])


def identify(scope: Any) -> str | None:
    return dict(scope["headers"]).get(b"x-user", b"").decode() or None


@contextmanager
def site(
    *, kind: Any = Nango, wrap: Any = lambda app: app, store: Any = "memory://", **options: Any
) -> Iterator[Site]:
    provider, clock = Provider(), ManualClock()
    nango = kind.load(DECLARED, transport=httpx.MockTransport(provider), clock=clock, store=store, environ={})
    try:
        app = wrap(connect_app(nango, **{"identify": identify, **options}))
        yield Site(app=app, nango=nango, provider=provider, clock=clock)
    finally:
        nango.close() if kind is Nango else anyio.run(nango.close)


def cookie_in(answer: httpx.Response) -> tuple[str, set[str]]:
    first, *attributes = answer.headers["Set-Cookie"].split("; ")
    return first, set(attributes)


# The way through


@pytest.mark.parametrize("kind", [Nango, AsyncNango])
def test_an_account_is_connected_for_whoever_is_signed_in(kind):
    with site(kind=kind) as here:
        ann = Browser(here.app)
        callback = ann.begin()
        shown = ann.end(callback)

        assert (200, "/connected/calendar") == (shown.status_code, shown.url.path)
        assert "Your account at calendar is connected." in shown.text
        assert here.connected("ann")
        assert f"{HOME}/callback?" in callback


def test_an_async_identify_and_hook_are_awaited():
    heard = []

    async def who(scope):
        return identify(scope)

    async def hear(view):
        heard.append((view.integration, view.user_id))

    with site(identify=who, on_connected=hear) as here:
        ann = Browser(here.app)
        ann.end(ann.begin())

    assert [("calendar", "ann")] == heard


def test_a_hook_that_fails_undoes_nothing():
    def hear(view):
        raise RuntimeError("mine")

    with site(on_connected=hear) as here:
        ann = Browser(here.app)

        assert 200 == ann.end(ann.begin()).status_code
        assert here.connected("ann")


def test_the_programs_own_page_can_take_the_place_of_the_result():
    with site(return_to="https://app.example.com/settings?tab=accounts") as here:
        ann = Browser(here.app)
        answer = ann.get(ann.begin())

        assert (303, "https://app.example.com/settings?tab=accounts") == (
            answer.status_code,
            answer.headers["Location"],
        )
        assert 'href="https://app.example.com/settings?tab=accounts"' in ann.get("/failed/refused").text


def test_declared_connection_config_may_come_in_the_query():
    with site() as here:
        ann = Browser(here.app)
        ann.end(ann.begin("/connect/desk?subdomain=acme"))
        ann.end(ann.begin("/connect/desk"))  # and need not be said again

        assert "acme" == here.nango.get_connection("desk", "ann").connection_config["subdomain"]


def test_attempts_in_two_tabs_do_not_meet():
    with site() as here:
        ann = Browser(here.app)
        first, second = ann.begin(), ann.begin("/connect/desk?subdomain=acme")

        assert 2 == len(ann.cookies)
        assert [200, 200] == [ann.end(first).status_code, ann.end(second).status_code]
        assert 0 == len(ann.cookies)


# Attacks


def test_a_victim_who_opens_an_attackers_callback_gets_nothing_connected():
    with site() as here:
        mallory, ann = Browser(here.app, "mallory"), Browser(here.app, "ann")
        callback = mallory.begin()

        assert 400 == ann.end(callback).status_code
        assert not here.connected("ann")
        assert not here.connected("mallory")
        assert 0 == here.provider.asked


def test_a_victims_callback_in_an_attackers_browser_connects_nothing_and_spoils_nothing():
    with site() as here:
        mallory, ann = Browser(here.app, "mallory"), Browser(here.app, "ann")
        callback = ann.begin()

        assert 400 == mallory.end(callback).status_code
        assert (False, 0) == (here.connected("mallory"), here.provider.asked)
        assert 200 == ann.end(callback).status_code


def test_a_planted_cookie_does_not_connect_an_attackers_account_to_a_victim():
    with site() as here:
        mallory, ann = Browser(here.app, "mallory"), Browser(here.app, "ann")
        callback = mallory.begin()
        ann.cookies = mallory.cookies  # as a sibling domain could set it

        assert 400 == ann.end(callback).status_code
        assert (False, False, 0) == (here.connected("ann"), here.connected("mallory"), here.provider.asked)


def test_another_user_of_the_same_browser_cannot_end_an_attempt():
    with site() as here:
        browser = Browser(here.app, "ann")
        callback = browser.begin()
        browser.user = "bob"

        assert 400 == browser.end(callback).status_code
        assert not here.connected("bob")


def test_a_wrong_binding_is_refused_before_any_token_request():
    with site() as here:
        ann = Browser(here.app)
        callback = ann.begin()
        for cookie in ann.cookies.jar:
            cookie.value = "x" * 43

        assert 400 == ann.end(callback).status_code
        assert 0 == here.provider.asked


def test_a_callback_works_once():
    with site() as here:
        ann = Browser(here.app)
        callback = ann.begin()
        kept = httpx.Cookies(ann.cookies)
        ann.end(callback)
        ann.cookies = kept

        assert 400 == ann.end(callback).status_code
        assert 1 == here.provider.asked


def test_an_attempt_ends_after_ten_minutes():
    with site() as here:
        ann = Browser(here.app)
        callback = ann.begin()
        here.clock.advance(601)

        assert 400 == ann.end(callback).status_code


@pytest.mark.parametrize(
    "tampered", ["state=x&state=y&code=1", "code=c0de", "", "state=%00%ff", "state=" + "x" * 20_000]
)
def test_a_callback_that_nobody_began_is_refused(tampered):
    with site() as here:
        shown = Browser(here.app).end(f"/callback?{tampered}")

        assert (400, "/failed/callback", "") == (shown.status_code, shown.url.path, shown.url.query.decode())


@pytest.mark.parametrize(
    "query",
    [
        "user_id=bob",
        "scopes=admin",
        "redirect_uri=https://evil.example/",
        "return_to=https://evil.example/",
        "subdomain=acme&user_id=bob",
        "pin=1234&subdomain=acme",
        "subdomain=acme&subdomain=evil",
        "subdomain=evil.example%2F",
        "subdomain=%FF",
        "",
    ],
)
def test_the_query_says_nothing_but_declared_config(query):
    with site() as here:
        answer = Browser(here.app).get(f"/connect/desk?{query}")

        assert 400 == answer.status_code
        assert "Set-Cookie" not in answer.headers
        assert "1234" not in answer.text


def test_no_query_redirects_anywhere_else():
    with site() as here:
        ann = Browser(here.app)
        callback = ann.begin() + "&return_to=https://evil.example/&next=//evil.example"

        assert "/connected/calendar" == ann.get(callback).headers["Location"]


def test_a_page_of_another_site_cannot_begin_by_itself():
    with site() as here:
        ann = Browser(here.app)
        answer = ann.get("/connect/desk?subdomain=evil", Sec_Fetch_Site="cross-site")

        assert (200, False) == (answer.status_code, "Set-Cookie" in answer.headers)
        assert "<dt>subdomain</dt><dd>evil</dd>" in answer.text
        assert '<a href="/connect/desk?subdomain=evil">' in answer.text
        assert ann.begin("/connect/desk?subdomain=evil", Sec_Fetch_Site="same-origin")


def test_text_of_the_query_is_escaped():
    with site() as here:
        shown = Browser(here.app).get("/connect/desk?%3Cscript%3Ealert(1)%3C/script%3E=1").text
        asked = Browser(here.app).get("/connect/desk?subdomain=%22%3E%3Cb%3E", Sec_Fetch_Site="cross-site").text

        assert "&lt;script&gt;" in shown
        assert "<script" not in shown
        assert "<b>" not in asked


def test_the_page_that_says_connected_tells_the_truth():
    with site() as here:
        ann = Browser(here.app)
        before = ann.get("/connected/calendar")
        ann.end(ann.begin())
        bob = Browser(here.app, "bob").get("/connected/calendar")

        assert [404, 200, 404] == [before.status_code, ann.get("/connected/calendar").status_code, bob.status_code]


# Who, where and how


@pytest.mark.parametrize("nobody", [None, ""])
def test_nobody_is_refused(nobody):
    with site(identify=lambda scope: nobody) as here:
        browser = Browser(here.app)

        assert 401 == browser.get("/connect/calendar").status_code
        assert 401 == browser.get("/connected/calendar").status_code
        assert (401, "") == ((shown := browser.end("/callback?code=c&state=s")).status_code, shown.url.query.decode())


def test_an_identify_that_returns_no_text_connects_nobody():
    with site(identify=lambda scope: 7) as here:
        assert 502 == Browser(here.app).get("/connect/calendar").status_code


@pytest.mark.parametrize(
    "path",
    ["/", "/connect/", "/connect", "/connect/nothing", "/connect/keyed", "/callback/x", "/failed/x", "/connect/a/b"],
)
def test_what_is_not_there_is_not_found(path):
    with site() as here:
        assert 404 == Browser(here.app).get(path).status_code


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/connect/calendar", "/callback"])
def test_pages_are_only_read(method, path):
    with site() as here:
        answer = Browser(here.app).get(path, method)

        assert (405, "GET, HEAD") == (answer.status_code, answer.headers["Allow"])


def test_a_probe_begins_nothing_and_uses_nothing_up():
    with site() as here:
        ann = Browser(here.app)
        callback = ann.begin()
        probes = [ann.get("/connect/calendar", "HEAD"), ann.get(callback, "HEAD")]

        assert [(200, b""), (200, b"")] == [(probe.status_code, probe.content) for probe in probes]
        assert not any("Set-Cookie" in probe.headers for probe in probes)
        assert 200 == ann.end(callback).status_code


@pytest.mark.parametrize(
    ("status", "answer", "wanted"),
    [
        (400, {"error": "invalid_grant"}, 502),
        (401, {"error": "invalid_client"}, 502),
        (500, {"error": "s3cr3t-of-the-provider"}, 502),
        (200, {"nothing": "s3cr3t-of-the-provider"}, 502),
    ],
)
def test_a_failure_at_the_token_endpoint_is_told_without_internals(status, answer, wanted):
    with site() as here:
        ann = Browser(here.app)
        here.provider.status, here.provider.answer = status, answer
        shown = ann.end(ann.begin())

        assert wanted == shown.status_code
        assert "s3cr3t" not in shown.text
        assert "provider.example" not in shown.text
        assert 0 == len(ann.cookies)


def test_a_refusal_is_told():
    with site() as here:
        ann = Browser(here.app)
        refused = ann.begin().replace("code=c0de", "error=access_denied&error_description=%3Cb%3E")
        shown = ann.end(refused)

        assert (403, 0) == (shown.status_code, here.provider.asked)
        assert "Access was not granted" in shown.text


def test_a_broken_integration_is_told_without_internals():
    with site() as here:
        answer = Browser(here.app).get("/connect/broken")

        assert 502 == answer.status_code
        assert "base_url" not in answer.text


# Headers and cookies


@pytest.mark.parametrize("path", ["/connect/calendar", "/callback?code=c&state=s", "/failed/refused", "/nothing"])
def test_every_answer_bears_the_strict_headers(path):
    with site() as here:
        answer = Browser(here.app).get(path)
        found = {
            name: answer.headers[name] for name in ("Referrer-Policy", "X-Content-Type-Options", "Cache-Control")
        }
        policy = answer.headers["Content-Security-Policy"].split("; ")

        assert {
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        } == found
        assert "default-src 'none'" == policy[0]
        assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy)


def test_the_policy_allows_the_pages_own_style_and_no_other():
    with site() as here:
        answer = Browser(here.app).get("/failed/refused")
        style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert style is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

        assert f"style-src 'sha256-{digest}';" in answer.headers["Content-Security-Policy"]
        assert "style=" not in answer.text


def test_a_page_is_accessible_and_has_no_script():
    with site() as here:
        text = Browser(here.app).get("/failed/refused").text

        assert '<html lang="en">' in text
        assert "<title>Access was not granted</title>" in text
        assert 1 == text.count("<h1>")
        assert '<p role="status">' in text
        assert "<script" not in text


def test_the_cookie_is_the_callbacks_alone():
    with site(base_url="https://app.example.com/nango", wrap=mounted_at("/nango")) as here:
        ann = Browser(here.app)
        answer = ann.get("/nango/connect/calendar")
        state = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
        cookie, attributes = cookie_in(answer)
        name, _, value = cookie.partition("=")

        assert f"__Secure-nango-{hashlib.sha256(state.encode()).hexdigest()[:32]}" == name
        assert {"Max-Age=600", "Path=/nango/callback", "HttpOnly", "SameSite=Lax", "Secure"} == attributes
        assert 43 == len(value)
        assert value not in answer.headers["Location"]

        ended = ann.get(f"/nango/callback?code=c0de&state={state}")
        assert (f"{name}=", {"Max-Age=0", "Path=/nango/callback", "HttpOnly", "SameSite=Lax", "Secure"}) == cookie_in(
            ended
        )


@pytest.mark.parametrize(
    "home", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:9", "http://app.localhost"]
)
def test_loopback_needs_no_tls(home):
    with site() as here:
        ann = Browser(here.app, home=home)
        cookie, attributes = cookie_in(ann.get("/connect/calendar"))

        assert cookie.startswith("nango-")
        assert "Secure" not in attributes
        assert ann.begin().startswith(f"{home}/callback?")


def test_an_address_without_tls_is_refused():
    with site() as here:
        answer = Browser(here.app, home="http://app.example.com").get("/connect/calendar")

        assert 502 == answer.status_code
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example/", "a b", "user@evil.example", "evil.example?x", ""])
def test_a_host_that_is_none_is_refused(host):
    with site() as here:
        assert 502 == Browser(here.app).get("/connect/calendar", Host=host).status_code


def test_a_stated_address_makes_the_host_header_mean_nothing():
    with site(base_url=HOME) as here:
        assert Browser(here.app).begin(Host="evil.example").startswith(f"{HOME}/callback?")


@pytest.mark.parametrize(
    "base_url",
    [
        "http://app.example.com",
        "https://",
        "app.example.com",
        "https://a.example/?x=1",
        "https://u:p@a.example",
        "ftp://a.example",
    ],
)
def test_a_base_url_that_is_none_is_refused_at_once(base_url):
    with pytest.raises(UsageError, match="base_url"), site(base_url=base_url):
        pass


# Mounting


def mounted_at(prefix: str, *, cut: bool = False) -> Any:
    """Mount an app below *prefix*; frameworks used to *cut* the prefix off the path."""

    def wrap(app: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            assert scope["path"].startswith(f"{prefix}/")
            path = scope["path"].removeprefix(prefix) if cut else scope["path"]
            await app({**scope, "root_path": scope["root_path"] + prefix, "path": path}, receive, send)

        return outer

    return wrap


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("prefix", ["/nango", "/connect", "/callback", "/a/b"])
def test_a_mounted_app_finds_its_way(prefix, cut):
    with site(wrap=mounted_at(prefix, cut=cut)) as here:
        ann = Browser(here.app)
        callback = ann.begin(f"{prefix}/connect/calendar")
        shown = ann.end(callback)

        assert f"{HOME}{prefix}/callback" == callback.partition("?")[0]
        assert (200, f"{prefix}/connected/calendar") == (shown.status_code, shown.url.path)


def test_the_lifespan_is_answered():
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive():
        return next(events)

    async def send(event):
        sent.append(event["type"])

    with site() as here:
        anyio.run(here.app, {"type": "lifespan"}, receive, send)

    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == sent


def test_a_websocket_is_closed():
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(event):
        sent.append(event["type"])

    with site() as here:
        anyio.run(here.app, {"type": "websocket", "path": "/"}, receive, send)

    assert ["websocket.close"] == sent


# finish(user_id=...), which any framework can use


def begun(nango: Any) -> AuthorizationRequest:
    request: AuthorizationRequest = nango.oauth.begin("calendar", "ann", redirect_uri=f"{HOME}/callback")
    return request


def test_finish_refuses_the_attempt_of_another_user():
    with site() as here:
        request = begun(here.nango)
        with pytest.raises(UsageError, match="another user"):
            here.nango.oauth.finish(f"?code=c&state={request.state}", binding=request.binding, user_id="bob")
        with pytest.raises(UnknownConnection):
            here.nango.get_connection("calendar", "bob")

        assert 0 == here.provider.asked


def test_finish_takes_the_user_who_began():
    with site() as here:
        request = begun(here.nango)
        made = here.nango.oauth.finish(f"?code=c&state={request.state}", binding=request.binding, user_id="ann")

        assert "ann" == made.user_id


class Full(MemoryStore):
    """A store that takes no new connection while it is full."""

    is_full = True

    def put(self, row: Any) -> None:
        if self.is_full:
            raise StoreError("memory://: the disk is full.")
        super().put(row)


@pytest.mark.parametrize("kind", [Nango, AsyncNango])
def test_a_callback_that_could_not_be_stored_is_finished_by_loading_its_page_again(kind: Any) -> None:
    store = Full()
    with site(kind=kind, store=store) as made:
        browser = Browser(made.app)
        callback = browser.begin()
        failed = browser.get(callback)
        before = made.connected("ann")
        store.is_full = False
        shown = browser.end(callback)

        assert (503, False) == (failed.status_code, before)
        assert "load this page again" in failed.text
        assert ("Connected" in shown.text, made.connected("ann"), made.provider.asked) == (True, True, 1)
