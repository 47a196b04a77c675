"""Connect an account in a real browser, at a real provider, through the pages of ``connect_app``."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import connect_site, oidc_provider
from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.chromium import Chromium, Tab
    from tests.servers.conftest import Start
    from tests.servers.connect_site import ConnectSite
    from tests.servers.oidc_provider import OidcProvider

pytestmark = pytest.mark.server

LOGIN = "input[value=login] ~ button"
CONSENT = "input[value=consent] ~ button"
OURS = "p[role=status]"


@pytest.fixture
def connected_to(start: Start) -> Iterator[tuple[ConnectSite, OidcProvider]]:
    """Give the program, and the provider that knows its address."""
    running: list[OidcProvider] = []

    def declare(site: ConnectSite) -> dict[str, Any]:
        running.append(start(oidc_provider.serve, callbacks=(site.redirect_uri,)))
        return {"integrations": {"calendar": integration(running[0])}}

    with ExitStack() as stack:
        yield stack.enter_context(connect_site.serve(declare)), running[0]


def integration(provider: OidcProvider) -> dict[str, Any]:
    return {
        "oauth_client_id": "client_secret_basic",
        "oauth_client_secret": provider.secret,
        "oauth_scopes": ["openid"],
        "auth": {
            "auth_mode": "OAUTH2",
            "authorization_url": provider.authorization_url,
            "token_url": provider.token_url,
            "authorization_method": "header",
        },
        "requests": {"base_url": provider.url},
    }


@pytest.fixture
def tab(chromium: Chromium) -> Iterator[Tab]:
    with chromium.open() as tab:
        yield tab


def sign_in_at_provider(tab: Tab) -> None:
    tab.type("input[name=login]", "ann")
    tab.type("input[name=password]", "any")
    tab.click(LOGIN, then=CONSENT)


def keep(picture: bytes, name: str) -> None:
    """Keep a picture for whoever wants to look: ``NANGO_PY_PICTURES=/some/folder``."""
    if folder := os.environ.get("NANGO_PY_PICTURES"):
        Path(folder, f"{name}.png").write_bytes(picture)


def test_an_account_is_connected_in_a_browser(connected_to: tuple[ConnectSite, OidcProvider], tab: Tab) -> None:
    site, provider = connected_to
    tab.go(f"{site.url}/sign-in?ann")
    tab.click("a", then=LOGIN)
    assert tab.url.startswith(provider.url)
    sign_in_at_provider(tab)
    tab.console()  # the provider's own pages ask for fonts
    tab.click(CONSENT, then=OURS)

    assert f"{site.url}/nango/connected/calendar" == tab.url
    assert ("Connected", "Connected") == (tab.title, tab.text("h1"))
    assert "Your account at calendar is connected. You can close this page." == tab.text("[role=status]")
    assert "en" == tab.value("document.documentElement.lang")
    assert [] == tab.console()
    assert ["session"] == [cookie["name"] for cookie in tab.cookies()]
    assert 1 == len(provider.events("grant.success"))
    for dark, width in ((False, 1000), (True, 1000), (False, 360), (True, 360)):
        keep(tab.look(dark=dark, width=width), f"connected-{width}-{'dark' if dark else 'light'}")
    colour = tab.value("getComputedStyle(document.body).backgroundColor")
    assert "rgb(20, 23, 27)" == colour  # the style is applied, in its dark scheme
    assert tab.value("document.documentElement.scrollWidth <= innerWidth")

    tab.go(f"{site.url}/me")
    assert '{"sub": "ann"}' == tab.text()


def test_the_binding_is_sent_to_the_callback_alone(connected_to: tuple[ConnectSite, OidcProvider], tab: Tab) -> None:
    site, _ = connected_to
    tab.go(f"{site.url}/sign-in?ann")
    tab.click("a", then=LOGIN)
    tab.go(f"{site.url}/nango/failed/refused")
    elsewhere = {cookie["name"] for cookie in tab.cookies()}
    tab.go(f"{site.url}/nango/callback/nothing")  # below the callback's path
    (binding,) = [cookie for cookie in tab.cookies() if cookie["name"] not in elsewhere]

    assert {"session"} == elsewhere
    assert (True, "Lax", "/nango/callback") == (binding["httpOnly"], binding["sameSite"], binding["path"])


def test_a_user_who_refuses_is_told(connected_to: tuple[ConnectSite, OidcProvider], tab: Tab) -> None:
    site, provider = connected_to
    tab.go(f"{site.url}/sign-in?ann")
    tab.click("a", then=LOGIN)
    tab.click("a[href$='/abort']", then=OURS)

    assert f"{site.url}/nango/failed/refused" == tab.url
    assert "Access was not granted" == tab.text("h1")
    assert () == provider.events()


def test_an_attackers_callback_connects_nothing(connected_to: tuple[ConnectSite, OidcProvider], tab: Tab) -> None:
    site, provider = connected_to
    with browse(headers={"Cookie": "session=mallory"}) as client:
        begun = client.get(f"{site.url}/nango/connect/calendar").headers["Location"]
    callback = provider.authorize(begun)
    tab.go(f"{site.url}/sign-in?ann")
    tab.go(callback)

    assert "code=" in callback
    assert f"{site.url}/nango/failed/callback" == tab.url
    assert "This cannot be finished here" == tab.text("h1")
    assert () == provider.events()
    keep(tab.look(width=360), "refused-360-light")


def test_a_link_on_another_site_asks_first(connected_to: tuple[ConnectSite, OidcProvider], tab: Tab) -> None:
    site, provider = connected_to
    tab.go(f"{site.url}/sign-in?ann")
    tab.go(f"{site.elsewhere}/")
    tab.click("a", then=OURS)
    asked = (tab.url, tab.text("h1"))
    seen = tab.console()
    keep(tab.look(width=360, dark=True), "question-360-dark")
    tab.click("a", then=LOGIN)

    assert (f"{site.url}/nango/connect/calendar", "Connect calendar?") == asked
    assert not [line for line in seen if "Content Security Policy" in line]
    assert tab.url.startswith(provider.url)
