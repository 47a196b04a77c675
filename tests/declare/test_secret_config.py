"""Connection config is no place for secrets: that is said at load, and their text is masked all the same."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from nango_py import Nango
from nango_py.errors import UnreachableError
from tests.servers.faces import KEYS

SOURCE: dict[str, Any] = {
    "auth": {"auth_mode": "NONE"},
    "connection_config": {"pin": {"secret": True}, "team": {}},
    "requests": {"base_url": "https://api.example.com", "headers": {"X-Pin": "${connection_config.pin}"}},
    "retry": {"max_attempts": 1},
    "actions": {"ask": {"request": {"path": "x"}}},
}


def fail(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"while sending {request.headers['X-Pin']}")


def test_a_secret_in_connection_config_is_warned_of_and_masked() -> None:
    environ = {"NANGO_ENCRYPTION_KEYS": KEYS}
    transport = httpx.MockTransport(fail)
    with Nango.load(
        {"integrations": {"it": SOURCE}}, store="memory://", environ=environ, transport=transport
    ) as nango:
        (problem,) = nango.problems
        nango.register_connection("it", "ann", {}, {"pin": "the-secret-pin", "team": "while"})
        with pytest.raises(UnreachableError) as caught:
            nango.trigger_action("it", "ask", "ann")

    assert ("connection_config.secret", "warning") == (problem.code, problem.severity)
    assert "/connection_config/pin" in problem.pointer
    assert "while sending ***" in str(caught.value)
