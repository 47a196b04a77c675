"""Expand environment variables in ``integrations.yaml``, before its schema is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to, scalar
from nango_py.template import TemplateError, plain_text, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.template import Path

__all__ = ["EnvironmentText", "expand", "variable_of"]

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_TEMPLATED = frozenset({"auth", "requests", "verification", "actions"})
_PLAIN_THERE = frozenset({"auth_mode", "allowed_origins", "cookies"})
_NEVER = frozenset({"extends_blueprint"})


class EnvironmentText(str):
    """A text that came from the environment: it shows as the text that was written."""

    __slots__ = ("shown",)
    shown: str

    def __repr__(self) -> str:
        return self.shown


def variable_of(name: Path) -> str | None:
    """Return the environment variable that a placeholder's name stands for, or None."""
    if name[0] == "env" and len(name) == 2:  # noqa: PLR2004 - env.NAME
        return name[1]
    return name[0] if len(name) == 1 and _NAME.fullmatch(name[0]) else None


def expand(
    keys: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    wants_text: Callable[[tuple[str, ...]], bool],
    missing: Callable[[str, str], None],
) -> dict[str, Any]:
    """Return an integration's *keys* with the environment filled in, where placeholders are filled at load.

    Places whose placeholders are filled per request keep theirs. A sole placeholder where *wants_text* says no is
    read as a scalar. A variable that is not set goes to *missing*, with the pointer of its place.
    """

    def walk(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, Mapping):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, str(index))) for index, item in enumerate(value)]
        if not isinstance(value, str) or plain_text(value) or _is_kept(path):
            return value
        return _expanded(value, environ, wants_text(path), lambda name: missing(name, pointer_to(*path)))

    return {key: walk(value, (key,)) for key, value in keys.items()}


def _is_kept(path: tuple[str, ...]) -> bool:
    if path[0] in _NEVER:
        return True
    return path[0] in _TEMPLATED and (len(path) == 1 or path[1] not in _PLAIN_THERE)


def _expanded(text: str, environ: Mapping[str, str], wants_text: bool, missing: Callable[[str], None]) -> Any:
    try:
        template = split(text)
    except TemplateError:
        return text
    variables = {name: variable_of(name) for name in template.names}
    if not variables or None in variables.values():
        return text
    absent = sorted({name for name in variables.values() if name and not environ.get(name)})
    for name in absent:
        missing(name)
    values = {**environ, "env": environ}
    try:
        filled = "" if absent else template.render(values)
    except TemplateError:
        return text
    if not wants_text and len(template.parts) == 1:
        return scalar(filled) if filled else None
    expanded = EnvironmentText(filled)
    expanded.shown = "".join(
        part if isinstance(part, str) else f"<env.{part.text.removeprefix('env.')}>" for part in template.parts
    )
    return expanded
