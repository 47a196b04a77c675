"""Integrations for tools: declared in a line, answered by a fake."""

from __future__ import annotations

import json

import httpx

from nango_py import Nango


def integration(**actions):
    return {
        "auth": {"auth_mode": "API_KEY"},
        "requests": {"base_url": "https://api.acme.example/", "headers": {"X-Key": "${api_key}"}},
        "actions": actions,
    }


def action(schema=None, method="POST", **keys):
    found = {"request": {"method": method, "path": "things", "json": {"given": "${input}"}}, **keys}
    return {**found, "input": schema} if schema is not None else found


class Fake:
    """Answer every request with *answer*, and keep what came."""

    def __init__(self, answer=None):
        self.answer = {"ok": True} if answer is None else answer
        self.seen = []

    def __call__(self, request):
        self.seen.append(request)
        return httpx.Response(200, json=self.answer)

    @property
    def bodies(self):
        return [json.loads(request.content) for request in self.seen]


def nango(integrations, fake=None, **options):
    loaded = Nango.load(
        {"integrations": integrations}, store="memory://", transport=httpx.MockTransport(fake or Fake()), **options
    )
    assert () == loaded.problems
    return loaded
