"""One declared action, run against an answer: what was sent, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from nango_py import Nango

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Sent", "load", "run"]

API: dict[str, Any] = {"auth": {"auth_mode": "NONE"}, "requests": {"base_url": "https://birds.test/v1/"}}


class Sent:
    """A provider that keeps what it is sent, whose bodies the transport has read."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self._answer = answer or (lambda _request: httpx.Response(200, json={"ok": True}))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        self.requests.append(request)
        return self._answer(request)

    @property
    def request(self) -> httpx.Request:
        """Return the only request."""
        (request,) = self.requests
        return request


def load(
    action: Mapping[str, Any], sent: Sent, options: Mapping[str, Any] | None = None, **integration: Any
) -> Nango:
    """Return a Nango with the action ``act`` of the integration ``birds``, and a connection of ``u``."""
    declared = {"integrations": {"birds": {**API, **integration, "actions": {"act": action}}}}
    transport = httpx.MockTransport(sent)
    nango = Nango.load(declared, **{"store": "memory://", "transport": transport, "environ": {}, **(options or {})})
    assert () == nango.problems
    nango.register_connection("birds", "u", {}, {})
    return nango


def run(
    action: Mapping[str, Any], given: Mapping[str, Any] | None = None, sent: Sent | None = None, **other: Any
) -> Any:
    """Return the output of the action."""
    with load(action, sent or Sent(), **other) as nango:
        return nango.trigger_action("birds", "act", "u", given)
