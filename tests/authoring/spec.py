"""Small descriptions, and the requests that a blueprint made of one sends."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from nango_py import Nango
from nango_py.authoring.openapi.blueprint import Choice, Taken, from_openapi
from nango_py.authoring.openapi.spec import Spec


def described(operations: dict[str, dict[str, Any]], **keys: Any) -> dict[str, Any]:
    """Return an OpenAPI 3.1 description of operations by ``GET /path``."""
    paths: dict[str, Any] = {}
    for label, operation in operations.items():
        method, _, path = label.partition(" ")
        paths.setdefault(path, {})[method.lower()] = {"responses": {"204": {"description": "ok"}}, **operation}
    info = {"title": "Acme", "version": "7"}
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "https://acme.example/api"}],
        "paths": paths,
        **keys,
    }


def taken(document: dict[str, Any], **options: Any) -> Taken:
    """Return what is made of a description."""
    return from_openapi(Spec(document, "acme.json"), "acme", **{"choice": Choice(), **options})


def version(document: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the keys of the version that is made of a description."""
    return taken(document, **options).draft.data["versions"]["v0"]


def answer(schema: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """Return ``responses`` with one JSON answer."""
    return {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}, **keys}}}


def param(name: str, place: str = "query", **keys: Any) -> dict[str, Any]:
    """Return a parameter."""
    return {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}, **keys}


def body(schema: dict[str, Any], media: str = "application/json", *, required: bool = True) -> dict[str, Any]:
    """Return ``requestBody``."""
    return {"requestBody": {"required": required, "content": {media: {"schema": schema}}}}


def sent(made: Taken, action: str, given: dict[str, Any] | None = None, **registered: Any) -> httpx.Request:
    """Return the first request of an action of the blueprint that was made."""
    seen: list[httpx.Request] = []

    def provider(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(200, json=[])

    with TemporaryDirectory() as folder:
        (Path(folder) / "acme.yaml").write_text(made.draft.text(), encoding="utf-8")
        declared = {"integrations": {"acme": {"extends_blueprint": "acme:v0"}}}
        transport = httpx.MockTransport(provider)
        with Nango.load(declared, blueprints=[folder], store="memory://", transport=transport, environ={}) as nango:
            credentials, config = registered.get("credentials", {}), registered.get("config", {})
            nango.register_connection("acme", "user-1", credentials, config)
            try:
                nango.trigger_action("acme", action, "user-1", given)
            except Exception:
                if not seen:
                    raise
    return seen[0]
