"""A provider as its documentation describes it: answers by method and URL, behind its check of the credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import yaml

from nango_py import Nango
from nango_py.declare.catalogue import built_in_folder
from nango_py.testing import ManualClock

Body = Any


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the provider saw it: ``POST https://...``, its query and its body."""

    line: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Body = None


Answer = Callable[[Sent], httpx.Response]


def json_answer(body: Body, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return the same answer to every request."""
    return lambda _: httpx.Response(status, headers=headers, json=body)


def empty(status: int) -> Answer:
    """Return an answer without a body."""
    return lambda _: httpx.Response(status)


@dataclass(slots=True)
class Provider:
    """Answer as documented, keep what was sent, and refuse whoever shows no or other credentials."""

    answers: Mapping[str, Answer]
    headers: Mapping[str, str]
    """What every request has to bear, the credentials first."""
    refused: Answer
    unknown: Answer = field(default=empty(404))
    sent: list[Sent] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        sent = Sent(
            f"{request.method} {str(request.url).partition('?')[0]}", dict(request.url.params), body_of(request)
        )
        self.sent.append(sent)
        if any(request.headers.get(name) != value for name, value in self.headers.items()):
            return self.refused(sent)
        return self.answers.get(sent.line, self.unknown)(sent)


def body_of(request: httpx.Request) -> Body:
    """Return the body as its content type says that it is to be read."""
    kind, text = request.headers.get("content-type", ""), request.content.decode()
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(text, keep_blank_values=True))
    return json.loads(text) if text else None


@dataclass(frozen=True, slots=True)
class Case:
    """What an action is given, what it sends for it, and what comes of it."""

    given: Mapping[str, Any]
    sent: Sent | Sequence[Sent]
    output: Any

    @property
    def requests(self) -> list[Sent]:
        """What is sent, in order."""
        return [self.sent] if isinstance(self.sent, Sent) else list(self.sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at a provider, connected through its blueprint."""

    blueprint: str
    credentials: Mapping[str, Any]
    integration: Mapping[str, Any] = field(default_factory=dict)
    connection_config: Mapping[str, str] = field(default_factory=dict)

    def run(self, provider: Provider, action: str, given: Mapping[str, Any]) -> Any:
        """Return the output of an action."""
        declared = {"it": {"extends_blueprint": self.blueprint, **self.integration}}
        transport, clock = httpx.MockTransport(provider), ManualClock()
        with Nango.load(
            {"integrations": declared}, store="memory://", transport=transport, clock=clock, environ={}
        ) as nango:
            nango.register_connection("it", "ann", self.credentials, dict(self.connection_config))
            return nango.trigger_action("it", action, "ann", given)

    def actions(self) -> set[str]:
        """Return the names of the blueprint's actions."""
        name, _, version = self.blueprint.partition(":")
        document = yaml.safe_load((built_in_folder() / f"{name}.yaml").read_text(encoding="utf-8"))
        return set(document["versions"][version]["actions"])
