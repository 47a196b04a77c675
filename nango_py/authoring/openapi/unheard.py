"""What a description says around its operations that nothing is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.foreign import mapping
from nango_py.authoring.openapi.spec import METHODS, OTHER_METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.authoring.openapi.spec import Spec

__all__ = ["unheard"]

_OUTERMOST: Final = frozenset(
    {
        "$schema", "$self", "basePath", "components", "consumes", "definitions", "externalDocs", "host", "info",
        "jsonSchemaDialect", "openapi", "parameters", "paths", "produces", "responses", "schemes", "security",
        "securityDefinitions", "servers", "swagger", "tags",
    }
)  # fmt: skip
_OF_PATH: Final = frozenset({*METHODS, *OTHER_METHODS, "$ref", "description", "parameters", "servers", "summary"})
_OF_OPERATION: Final = frozenset(
    {
        "$ref", "consumes", "deprecated", "description", "externalDocs", "operationId", "parameters", "produces",
        "requestBody", "responses", "schemes", "security", "servers", "summary", "tags",
    }
)  # fmt: skip
_REASONS: Final[Mapping[str, str]] = {
    "additionalOperations": "actions have no such methods",
    "callbacks": "nango_py receives no webhooks",
    "webhooks": "nango_py receives no webhooks",
}


def unheard(spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield the place of each key that no rule reads, outermost, of a path or of an operation, with the reason."""
    yield from _others(spec.data, _OUTERMOST, "")
    for path, written in mapping(spec.data.get("paths")).items():
        item = spec.follow(written)
        if not isinstance(item, Mapping):
            if not path.startswith("x-"):
                yield path, "nothing there is an operation that can be read"
            continue
        yield from _others(item, _OF_PATH, f"{path} ")
        for method in (*METHODS, *OTHER_METHODS):
            if method in item:
                label, keys = f"{method.upper()} {path}", spec.follow(item[method])
                if isinstance(keys, Mapping):
                    yield from _others(keys, _OF_OPERATION, f"{label} ")
                else:
                    yield label, "it is no operation that can be read"


def _others(keys: Mapping[str, Any], known: frozenset[str], before: str) -> Iterator[tuple[str, str]]:
    for name in keys:
        if name not in known and not name.startswith("x-"):
            yield f"{before}{name}", _REASONS.get(name, "no rule knows this key")
