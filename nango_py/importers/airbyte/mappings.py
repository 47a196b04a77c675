"""Mappings of headers, parameters and bodies become mappings of templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.authoring.pasted import PASTED, is_pasted
from nango_py.importers.airbyte.language import Untranslatable, filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.importers.airbyte.language import LookUp
    from nango_py.importers.airbyte.manifest import Part

__all__ = ["turned"]


def turned(part: Part, named: Callable[[LookUp], str]) -> dict[str, Any]:
    """Return a mapping of templates; what cannot be turned is noted and left out."""
    made: dict[str, Any] = {}
    for name in tuple(part.keys):
        try:
            made[name] = _filled(name, part.take(name), part, named)
        except Untranslatable as reason:
            part.note(name, "lost", str(reason))
    return made


def _filled(name: str, value: Any, part: Part, named: Callable[[LookUp], str]) -> Any:
    if isinstance(value, str):
        made = filled(value, part.parameters, named)
        if is_pasted(name, made):
            raise Untranslatable(PASTED)
        return made
    if isinstance(value, dict):
        return {inner: _filled(inner, one, part, named) for inner, one in value.items()}
    return [_filled(name, one, part, named) for one in value] if isinstance(value, list) else value
