"""Turn the interpolations of a manifest into placeholders.

Only look-ups are turned: ``{{ config['x'] }}``, ``{{ parameters.get('x', 'default') }}``, ``{{ stream_slice.id }}``
and the like. Statements, macros and conditions have no counterpart and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.literals import followed_by, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LONGEST", "LookUp", "Untranslatable", "filled", "interpolations", "look_up", "sole"]

LONGEST: Final = 500
"""What is longer than a placeholder may be is computed, whatever it says."""
_ROOT: Final = re.compile(r"\s*(\$?[A-Za-z_]\w*)")
_STEP: Final = re.compile(
    r"""\s*(?:
        \.get\(\s*(?P<q>['"])(?P<get>[^'"]+)(?P=q)\s*(?:,\s*(?P<default>[^()]*?)\s*)?\)
      | \.(?P<dot>[A-Za-z_]\w*)(?!\()
      | \[\s*(?P<p>['"])(?P<key>[^'"]+)(?P=p)\s*\]
      | \[\s*(?P<at>-?\d+)\s*\]
    )""",
    re.VERBOSE,
)
_NOTHING: Final = frozenset({"", "None", "none", "null", "''", '""', "{}", "[]"})


class Untranslatable(Exception):  # noqa: N818 - the reason why a text becomes no template
    """A text holds what placeholders have no words for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """What an interpolation looks up: a name, the members below it, and what stands for it where it is not there."""

    root: str
    path: tuple[str, ...]
    default: str = ""


def look_up(expression: str) -> LookUp | None:
    """Return the look-up that an expression is; None where it is more than that."""
    root = _ROOT.match(expression)
    if root is None or len(expression) > LONGEST:
        return None
    path: list[str] = []
    default, at = "", root.end()
    while match := _STEP.match(expression, at):
        path.append(match["get"] or match["dot"] or match["key"] or match["at"])
        stated = match["default"] or ""
        default = "" if stated in _NOTHING else stated.strip("'\"")
        at = match.end()
    name = {"options": "parameters", "$parameters": "parameters", "$options": "parameters"}.get(root[1], root[1])
    return LookUp(root=name, path=tuple(path), default=default) if not expression[at:].strip() else None


def sole(text: str) -> LookUp | None:
    """Return the look-up that a text consists of, or None."""
    stripped = text.strip()
    begin, end = next(interpolations(stripped), (0, 0))
    return look_up(stripped[2:-2]) if (begin, end) == (0, len(stripped)) and end else None


def interpolations(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each interpolation begins and ends, braces included."""
    end = 0
    while (begin := text.find("{{", end)) >= 0 and (closed := text.find("}}", begin + 2)) >= 0:
        end = closed + 2
        yield begin, end


def filled(text: str, parameters: Mapping[str, Any], named: Callable[[LookUp], str]) -> str:
    """Return a template: parameters are put in their place, other look-ups become what *named* calls them.

    Raises:
        Untranslatable: It holds more than look-ups.
    """
    if "{%" in text or "{#" in text:
        raise Untranslatable("it is computed by statements")
    made, at = "", 0
    for begin, end in interpolations(text):
        made = followed_by(made, literal(text[at:begin]))
        expression = text[begin + 2 : end - 2]
        found = look_up(expression)
        if found is None:
            raise Untranslatable(f"it is computed: {' '.join(expression.split())[:60]}")
        made = followed_by(made, _parameter(found, parameters, named) if found.root == "parameters" else named(found))
        at = end
    return followed_by(made, literal(text[at:]))


def _parameter(found: LookUp, parameters: Mapping[str, Any], named: Callable[[LookUp], str]) -> str:
    value: Any = parameters
    for name in found.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    value = found.default if value is None else value
    if not isinstance(value, str | int | float):
        raise Untranslatable(f"the parameter {'.'.join(found.path)!r} is no single value")
    # A parameter may hold an interpolation of its own, but not one of parameters.
    return filled(str(value), {}, named)
