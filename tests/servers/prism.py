"""Prism: any provider that an OpenAPI file describes; it refuses what the file does not admit, and answers its examples."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.servers.launch import free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Prism", "serve"]

_ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}"
_GITHUB_PATHS = (
    "/user",
    "/user/repos",
    "/user/starred/{owner}/{repo}",
    "/search/issues",
    "/repos/{owner}/{repo}/issues",
    "/repos/{owner}/{repo}/pulls",
    _ISSUE,
    f"{_ISSUE}/comments",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prism:
    """A Prism that stands for a provider."""

    provider: str
    base_url: str


@contextmanager
def serve(folder: Path, *, provider: str) -> Iterator[Prism]:
    """Run Prism; it answers 422 to a request that the provider's OpenAPI file does not admit, and 401 to one without credentials."""
    node, port = installed("node", "bin", "node"), free_port()
    script = installed("prism", "node_modules", "@stoplight", "prism-cli", "dist", "index.js")
    openapi = _github() if provider == "github" else _written(provider)
    file = folder / "openapi.json"
    file.write_text(json.dumps(openapi))
    command = [node, script, "mock", "--host", "127.0.0.1", "--port", str(port), str(file)]
    url = f"http://127.0.0.1:{port}/"
    with running(command, answers_at=url, folder=folder):
        yield Prism(provider=provider, base_url=url)


def _written(provider: str) -> dict[str, Any]:
    """Return the OpenAPI file that is written from the provider's documentation."""
    file = Path(__file__).parent / "openapi" / f"{provider}.yaml"
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def _github() -> dict[str, Any]:
    """Return what the tests need of the OpenAPI file that GitHub publishes; Prism would take a minute for all of it."""
    place = ("github-openapi", "node_modules", "@octokit", "openapi", "generated", "api.github.com.json")
    whole = json.loads(Path(installed(*place)).read_text(encoding="utf-8"))
    paths = {path: _mended(whole["paths"][path]) for path in _GITHUB_PATHS}
    # The file leaves out what https://docs.github.com/en/rest/authentication says.
    bearer = {"bearer": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {**_used(paths, _mended(whole["components"])), "securitySchemes": bearer},
    }


def _mended(value: Any) -> Any:
    """Return a part of GitHub's file without what makes Prism pass over a schema, or answer an example's wrapping."""
    match value:
        case {"value": {"$ref": reference}}:  # an example that refers to an example
            return {"$ref": reference}
        case dict():
            # "nullable" without a type: Prism cannot compile the schema then, and lets everything through.
            idle = {"nullable"} if "type" not in value and value.get("nullable") is True else set()
            return {key: _mended(inner) for key, inner in value.items() if key not in idle}
        case list():
            return [_mended(inner) for inner in value]
        case _:
            return value


def _used(paths: object, components: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Return the components that *paths* refer to, and those that these refer to."""
    used: dict[str, dict[str, object]] = {}
    waiting = list(_references(paths))
    while waiting:
        kind, name = waiting.pop().removeprefix("#/components/").split("/", 1)
        if name not in used.setdefault(kind, {}):
            used[kind][name] = components[kind][name]
            waiting.extend(_references(components[kind][name]))
    return used


def _references(value: object) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)
