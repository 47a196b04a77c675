"""Perform grants without a network: what they ask is kept, what they are answered is given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from nango_py import http
from nango_py.auth.grant import Account, TokenAnswer, TokenRequest
from nango_py.exchange.session import Moment
from nango_py.secret import Secret

__all__ = ["NOW", "Answer", "account", "perform", "sent"]

NOW = 1_772_461_855.25
"""2026-03-02T14:30:55.250Z."""


@dataclass
class Answer:
    """What a token endpoint answers."""

    data: Any = None
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)

    def made(self) -> TokenAnswer:
        """Return it as a grant is given it."""
        body = self.data if isinstance(self.data, bytes) else json.dumps(self.data).encode()
        return TokenAnswer(status=self.status, headers=http.Headers(self.headers), body=body)


def account(credentials: dict[str, Any] | None = None, *, now: float = NOW, **values: Any) -> Account:
    """Return an account with *credentials*, their texts secret."""
    held = {name: Secret(value) if isinstance(value, str) else value for name, value in (credentials or {}).items()}
    seen = {**held, "credentials": held, "connection_config": {}, "metadata": {}, **values}
    return Account(
        values={**seen, **Moment(now=now).functions()}, credentials=held, scopes=(), now=now, nonce=lambda: "nonce"
    )


def perform(grant: Any, *answers: Answer) -> tuple[list[TokenRequest], Any]:
    """Return what a grant asked, and what it ended with."""
    asked, left = [], list(answers)
    try:
        request = next(grant)
        while True:
            asked.append(request)
            request = grant.send(left.pop(0).made())
    except StopIteration as end:
        assert [] == left
        return asked, end.value


def sent(request: TokenRequest) -> http.Request:
    """Return a token request as it goes out."""
    body: dict[str, Any] = {"content": request.content}
    if request.json is not None:
        body = {"json": request.json}
    elif request.form is not None:
        body = {"data": dict(request.form)}
    url = http.with_query(http.URL(request.url), request.params)
    made = http.Request(request.method, url, headers=dict(request.headers), **body)
    return made if request.sign is None else request.sign(made)
