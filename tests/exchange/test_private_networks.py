from __future__ import annotations

import httpx
import pytest

from nango_py import Nango
from nango_py.exchange.private_networks import is_hop, remember_asked
from nango_py.exchange.session import profile_of
from nango_py.http import Request
from nango_py.template import split
from nango_py.testing import ManualClock


def declared(base_url, allow_private=None, **requests):
    network = {} if allow_private is None else {"network": {"allow_private": allow_private}}
    return {
        "integrations": {
            "it": {
                "auth": {"auth_mode": "API_KEY"},
                "connection_config": {"name": {"optional": True}},
                "requests": {"base_url": base_url, **requests},
                **network,
            }
        }
    }


def load(document, script=None, environ=None):
    transport = httpx.MockTransport(script or (lambda _: httpx.Response(200)))
    options = {"transport": transport, "clock": ManualClock(), "environ": environ or {}}
    nango = Nango.load(document, store="memory://", **options)
    nango.register_connection("it", "u", {"api_key": "secret-key"}, {"name": "acme"})
    return nango


def profile(document, environ=None, url=None):
    with load(document, environ=environ) as nango:
        return profile_of(nango._core.integration("it"), url)


@pytest.mark.parametrize(
    ("base_url", "allowed"),
    [
        ("https://api.test/", True),
        ("http://127.0.0.1:9/", True),
        ("https://api.test/${connection_config.name}/", True),
        ("${HOME_URL}/${connection_config.name}/", True),
        ("https://${env.HOME_HOST}/", True),
        ("https://${HOME_HOST}:81/v1/${api_key}/", True),
        ("https://${connection_config.name}.api.test/", False),
        ("https://api.test:${connection_config.name}/", False),
        ("https://api.test${connection_config.name}/", False),
        ("https://${connection_config.name | lower}/x/", False),
        ("https://${metadata.host}/", False),
        ("https://${api_key}.api.test/", False),
        ("https://${credentials.api_key}.api.test/", False),
        ("${connection_config.name}/v1/", False),
        ("${HOME_URL}${connection_config.name}/", False),
        ("https://${HOME_HOST}.${connection_config.name}/", False),
        ("https://${env.HOME_HOST ~ connection_config.name}/", False),
    ],
)
def test_a_host_that_a_connection_chooses_may_not_be_private(base_url, allowed):
    environ = {"HOME_URL": "https://home.test", "HOME_HOST": "home.test"}

    assert allowed is profile(declared(base_url), environ).allow_private


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("base_url", ["https://api.test/", "https://${connection_config.name}/"])
def test_what_is_written_wins(base_url, written):
    assert written is profile(declared(base_url, written)).allow_private


def test_a_url_beside_the_base_url_is_judged_by_its_own_host():
    found = [
        profile(declared(base), url=split(url)).allow_private
        for base, url in [
            ("https://api.test/", "https://${connection_config.name}/token"),
            ("https://${connection_config.name}/", "https://login.test/token"),
        ]
    ]
    assert [False, True] == found


def test_a_request_is_a_hop_when_its_url_is_not_the_one_asked_for():
    asked = Request("GET", "https://api.test/")
    fresh = is_hop(asked)
    remember_asked(asked)
    hop = Request("GET", "http://10.0.0.1/", extensions=asked.extensions)
    remember_asked(hop)
    back = Request("GET", "https://api.test/", extensions=hop.extensions)

    assert (False, False, True, False) == (fresh, is_hop(asked), is_hop(hop), is_hop(back))


class Redirecting:
    """Send the client along the given URLs; remember by which rule each request went."""

    def __init__(self, *urls):
        self.urls = list(urls)
        self.rules = []

    def __call__(self, request):
        self.rules.append((request.url.host, request.extensions["nango_profile"].allow_private))
        return httpx.Response(302, headers={"Location": self.urls.pop(0)}) if self.urls else httpx.Response(200)


def hops(document, *urls, start="me"):
    script = Redirecting(*urls)
    with load(document, script) as nango, nango.client("it", "u", follow_redirects=True) as client:
        client.get(start)
    return script.rules


def test_a_redirect_to_another_origin_may_not_be_private_and_none_after_it():
    found = hops(declared("https://api.test/"), "http://a.test/", "http://b.test/x", "/y")

    assert [("api.test", True), ("a.test", False), ("b.test", False), ("b.test", False)] == found


def test_a_redirect_within_the_bound_origins_keeps_the_rule_of_the_integration():
    document = declared("https://api.test/", allowed_origins=["https://files.test"])
    found = hops(document, "/other", "https://files.test/x", "http://a.test/", "https://api.test/me")

    assert [True, True, True, False, True] == [rule for _, rule in found]


@pytest.mark.parametrize("written", [True, False])
def test_a_redirect_keeps_to_what_is_written(written):
    found = hops(declared("https://api.test/", written), "http://a.test/")

    assert [("api.test", written), ("a.test", written)] == found


def test_a_foreign_url_that_the_caller_asked_for_is_the_callers_choice():
    found = hops(declared("https://api.test/"), "http://127.0.0.1/", start="http://localhost:1/")

    assert [("localhost", True), ("127.0.0.1", False)] == found


def test_a_redirect_that_the_caller_follows_by_hand_is_a_redirect():
    script = Redirecting("http://a.test/")
    with load(declared("https://api.test/"), script) as nango, nango.client("it", "u") as client:
        client.send(client.get("me").next_request)

    assert [("api.test", True), ("a.test", False)] == script.rules
