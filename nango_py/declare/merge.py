"""Lay one layer of declared keys over another (RFC 7396) and remember where every value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_py.auth import SPELLINGS
from nango_py.document import pointer_to
from nango_py.model import Provenance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.document import Document
    from nango_py.location import Location

__all__ = ["Layer", "Merged", "is_data", "merge"]

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One document's part of an integration: the *data* that stands at *pointer*, under the name *label*."""

    label: str
    document: Document
    pointer: str
    data: Mapping[str, Any]
    is_integration: bool = False


@dataclass(slots=True)
class Merged:
    """The keys of an integration, with the layer that set each part."""

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, tuple[Layer, str]] = field(default_factory=dict)

    def origin(self, pointer: str) -> tuple[Layer, str] | None:
        """Return the layer that set the value at *pointer*, and the pointer inside its document."""
        at = pointer
        while at not in self.origins:
            if not at:
                return None
            at = at.rpartition("/")[0]
        layer, there = self.origins[at]
        return layer, there + pointer[len(at) :]

    def provenance(self) -> Iterator[tuple[str, Provenance]]:
        """Yield who set each leaf, by pointer."""
        for pointer in _leaves(self.data, ""):
            if found := self.origin(pointer):
                layer, there = found
                yield pointer, Provenance(location=layer.document.locate(there), layer=layer.label)

    def locate(self, pointer: str, *, key: bool = False) -> Location | None:
        """Return where the value, or its key, at *pointer* was written."""
        found = self.origin(pointer)
        if found is None:
            return None
        layer, there = found
        return layer.document.locate_key(there) if key else layer.document.locate(there)


def is_data(path: Path) -> bool:
    """Tell whether a value is data: it is replaced whole, and a null in it is a null."""
    match path:
        case ("actions", _, "input") | ("actions", _, "request", "json") | ("verification", "json"):
            return True
        case ("actions", _, "request", "graphql", "variables"):
            return True
        case ("actions", _, "example"):
            return True
        case ("actions", _, "output", "schema") | ("actions", _, "ok", "value") | ("verification", "expect", "value"):
            return True
        # A null here deletes a key of the integration's own, which is laid below it later.
        case ("actions", _, "paginate" | "retry" | "timeouts", _):
            return True
    return False


def _is_parameter(path: Path) -> bool:
    """Tell whether a value is one parameter of an auth request: a null takes a standard one away."""
    return len(path) == 3 and path[0] == "auth" and path[1].endswith("_params")  # noqa: PLR2004


def merge(layers: tuple[Layer, ...]) -> Merged:
    """Return the keys of all *layers*, the last one on top."""
    merged = Merged()
    for layer in layers:
        merged.origins.setdefault("", (layer, layer.pointer))
        _forget_other_scheme(merged, layer.data)
        _lay(merged, merged.data, layer, layer.data, ())
    if layers:
        merged.origins[""] = (layers[-1], layers[-1].pointer)
    return merged


def _lay(merged: Merged, target: dict[str, Any], layer: Layer, patch: Mapping[str, Any], path: Path) -> None:
    for key, value in patch.items():
        at = (*path, key)
        pointer = pointer_to(*at)
        if value is None and not (is_data(at) or _is_parameter(at)):
            _forget(merged, pointer, target.pop(key, None))
        elif isinstance(value, Mapping) and not is_data(at):
            below = target.get(key)
            if not isinstance(below, dict):
                _forget(merged, pointer, below)
                below = target[key] = {}
                merged.origins[pointer] = (layer, layer.pointer + pointer)
            _lay(merged, below, layer, value, at)
        else:
            _forget(merged, pointer, target.get(key))
            target[key] = value
            merged.origins[pointer] = (layer, layer.pointer + pointer)


def _forget(merged: Merged, pointer: str, value: Any) -> None:
    """Forget where *value* at *pointer* came from; lists were laid whole."""
    merged.origins.pop(pointer, None)
    for name, inner in value.items() if isinstance(value, dict) else ():
        _forget(merged, pointer + pointer_to(name), inner)


def _forget_other_scheme(merged: Merged, patch: Mapping[str, Any]) -> None:
    before, after = _mode(merged.data), _mode(patch)
    if before and after and before != after:
        # Keys and fields of one scheme mean nothing to another.
        for key in ("auth", "credentials"):
            _forget(merged, pointer_to(key), merged.data.pop(key, None))


def _mode(data: Mapping[str, Any]) -> str | None:
    auth = data.get("auth")
    mode = auth.get("auth_mode") if isinstance(auth, Mapping) else None
    return SPELLINGS.get(mode, mode) if isinstance(mode, str) else None


def _leaves(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, pointer + pointer_to(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{pointer}/{index}")
    else:
        yield pointer
