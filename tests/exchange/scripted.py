"""An engine whose provider is a script; for the tests of this folder."""

from __future__ import annotations

import httpx

from nango_py import Nango
from nango_py.testing import ManualClock

KEY = "k_topsecret_1234"


class Script:
    """Answer with the scripted responses in turn, the last one again and again; count requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, type):
            raise answer("scripted", request=request)
        status, headers, body = answer
        return httpx.Response(status, headers=headers, json=body)


def keys_of(**keys):
    """Return an integration of an API key."""
    return {
        "auth": {"auth_mode": "API_KEY", "placement": "header", "name": "X-Key"},
        "requests": {"base_url": "https://api.acme.test/v1/"},
        "actions": {
            "get": {"request": {"path": "thing"}},
            "make": {"request": {"method": "POST", "path": "thing", "json": {"a": 1}}},
            "flagged": {"request": {"path": "thing"}, "ok": {"path": "ok", "value": True, "message": "error"}},
        },
        **keys,
    }


def engine(transport, *, clock=None, credentials=None, **keys):
    """Return an engine with one connection of the integration ``acme`` that the keys declare."""
    transport = transport if isinstance(transport, httpx.BaseTransport) else httpx.MockTransport(transport)
    nango = Nango.load(
        {"integrations": {"acme": keys_of(**keys)}},
        store="memory://",
        transport=transport,
        clock=clock or ManualClock(),
        environ={},
    )
    assert () == nango.problems
    nango.register_connection("acme", "u", {"api_key": KEY} if credentials is None else credentials)
    return nango
