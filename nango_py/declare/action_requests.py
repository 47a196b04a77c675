"""Build the request of an action, and what differs for it from its integration, of merged keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.declare.policies import rate_limits_of, retry_of
from nango_py.model import ActionRequest, FilePart, GraphQL, Overrides, Raw, Timeouts
from nango_py.template import plain_text, split, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.declare.build import Builder

__all__ = ["filled_in", "overrides_of", "request_of", "timeouts_of"]

_BODIES = ("json", "form", "multipart", "raw", "graphql")
_PLAIN = ("method", "list_style")


def request_of(builder: Builder, keys: Mapping[str, Any], pointer: str) -> ActionRequest:
    """Return the request of an action."""
    known = _known(keys)
    bodies = [name for name in _BODIES if name in known]
    if len(bodies) > 1:
        builder.report(
            f"{pointer}/{bodies[1]}", "request.bodies",
            f"a request has one body, and this one declares {' and '.join(map(repr, bodies))}.", key=True,
        )  # fmt: skip
    made: dict[str, Any] = {
        name: value if name in _PLAIN else tree(value) for name, value in known.items() if name not in _READ
    }
    if "graphql" in known:
        made = {"method": "POST", **made, "graphql": _graphql(builder, known["graphql"], f"{pointer}/graphql")}
    if "raw" in known:
        made["raw"] = Raw(**{name: tree(value) for name, value in _known(known["raw"]).items()})
    if "multipart" in known:
        made["multipart"] = {name: _part(value) for name, value in known["multipart"].items()}
    return ActionRequest(path=split(known["path"]), **made)


_READ = ("path", "multipart", "raw", "graphql")


def _part(written: Any) -> Any:
    if not isinstance(written, dict):
        return tree(written)
    return FilePart(**{name: tree(value) for name, value in _known(written).items()})


def _graphql(builder: Builder, keys: Mapping[str, Any], pointer: str) -> GraphQL:
    known = _known(keys)
    if not plain_text(known["query"]):
        builder.report(
            f"{pointer}/query", "graphql.query", "a placeholder would make another document of this one.",
            "Declare a variable in the query, and its value among `variables`.",
        )  # fmt: skip
    return GraphQL(**{**known, "variables": tree(known.get("variables", {}))})


def filled_in(request: ActionRequest) -> Iterator[Any]:
    """Yield everything of a request that may hold placeholders."""
    yield from (request.path, request.params, request.headers, request.json, request.form)
    for part in (request.multipart or {}).values():
        yield from (part.file, part.filename, part.content_type) if isinstance(part, FilePart) else (part,)
    if request.raw is not None:
        yield from (request.raw.content, request.raw.content_type)
    if request.graphql is not None:
        yield request.graphql.variables


def overrides_of(builder: Builder, name: str, keys: Mapping[str, Any], pointer: str) -> Overrides | None:
    """Return what an action changes of its integration's policies; a null takes a key away."""
    if not {"retry", "timeouts", "rate_limit"} & keys.keys():
        return None
    usual, limits = builder.merged.data, keys.get("rate_limit", ())
    for index, entry in enumerate(limits):
        for word in {"headers", "learn"} & entry.keys():
            builder.report(
                f"{pointer}/rate_limit/{index}/{word}", "rate_limit",
                "what answers tell of limits is the integration's business.", "Declare it there.", key=True,
            )  # fmt: skip
    own = {word: _laid(usual.get(word), keys[word]) for word in ("retry", "timeouts") if word in keys}
    return Overrides(
        action=name,
        retry=retry_of(builder, own["retry"], f"{pointer}/retry") if "retry" in own else None,
        timeouts=timeouts_of(own["timeouts"]) if "timeouts" in own else None,
        rate_limit=rate_limits_of(builder, limits, f"{pointer}/rate_limit"),
    )


def timeouts_of(keys: Mapping[str, Any] | None) -> Timeouts:
    """Return the timeouts of ``timeouts``."""
    return Timeouts(**{name: float(value) for name, value in _known(keys).items()})


def _laid(usual: Mapping[str, Any] | None, keys: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**(usual or {}), **keys}.items() if value is not None}


def _known(keys: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (keys or {}).items() if not key.startswith("x-")}
