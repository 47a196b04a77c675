"""Write into JSON bodies at the places that a blueprint names."""

from __future__ import annotations

import re
from typing import Any

from nango_py.errors import UsageError
from nango_py.testing.expressions import written

__all__ = ["get", "put"]

_PLAIN = re.compile(r"[^\[\]()|&*?\"'`]+")


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set what a path finds, and make what is missing above it.

    Raises:
        UsageError: The path is an expression that has no such place.
    """
    # A provider that writes `@odata.nextLink` means one key.
    names = [path] if path.startswith("@") else re.sub(r"\[(\d+)\]", r".\1", path).split(".")
    if all(_PLAIN.fullmatch(name) for name in names):
        _put(body, names, value)
        return
    made = written(body, path, value)
    if not isinstance(made, dict):
        raise UsageError(f"simulate() cannot write what the path {path!r} finds.")
    body.update(made)


def _put(target: Any, names: list[str], value: Any) -> Any:
    name, *rest = names
    if name.isdigit():
        items = target if isinstance(target, list) else []
        items += [None] * (int(name) + 1 - len(items))
        items[int(name)] = _put(items[int(name)], rest, value) if rest else value
        return items
    members = target if isinstance(target, dict) else {}
    members[name] = _put(members.get(name), rest, value) if rest else value
    return members


def get(body: Any, path: str) -> Any:
    """Return what stands at a dotted path of mappings; None where nothing does."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body
