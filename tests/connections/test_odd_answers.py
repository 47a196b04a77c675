"""Token answers that are granted, and hold what nobody expects: the tokens in them count all the same."""

from __future__ import annotations

import math

import httpx
import pytest

from nango_py.auth.expiry import lifetime_of
from tests.connections.faulty import LIFETIME, opened
from tests.servers.faces import BACKENDS

TOKENS = '"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600'
ODD = {
    "not a number": "NaN",
    "infinite": "1e999",
    "deep": "[" * 60 + "]" * 60,
    "deep mappings": '{"a":' * 60 + "1" + "}" * 60,
    "half a pair": '"\\ud800"',
    "nul": '"\\u0000"',
}


def answer(odd: str) -> httpx.Response:
    body = f'{{{TOKENS}, "odd": {odd}, "more": {{"odd": {odd}}}, "team": "T1"}}'
    return httpx.Response(200, content=body.encode(), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_tokens_are_kept_beside_what_cannot_be_stored(odd: str, backend: str) -> None:
    with opened(answer(odd), backend=backend) as account:
        account.clock.advance(LIFETIME)

        assert 200 == account.get().status_code
        assert ("access-1", "refresh-1") == (account.held("access_token"), account.held("refresh_token"))
        assert "T1" == account.connection().credentials["raw"]["team"].reveal()


def test_a_lifetime_that_has_no_end_is_no_lifetime() -> None:
    with pytest.raises(ValueError, match="no lifetime"):
        lifetime_of("9" * 400 + "d")
    assert math.isfinite(lifetime_of("9999d"))


@pytest.mark.parametrize("lifetime", ["9" * 400 + "d", "1e999", "9" * 400, 10**300, -5, "never"])
def test_a_token_with_an_odd_lifetime_is_kept(lifetime: object) -> None:
    tokens = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": lifetime}
    with opened(httpx.Response(200, json=tokens)) as account:
        account.clock.advance(LIFETIME)
        account.nango.call("get_connection", "it", "ann")
        account.nango.send("it", "ann", "GET", "/x")

        assert "refresh-1" == account.held("refresh_token")
