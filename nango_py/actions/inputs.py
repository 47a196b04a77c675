"""Check what an action is given before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.errors import InputError
from nango_py.files import held, is_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nango_py.model import Action

__all__ = ["RESERVED", "check_input"]

RESERVED = ("limit", "page_size")
"""What every paginated action takes beside its input: items in all, and items a page."""


def check_input(action: Action, given: Mapping[str, Any] | None, *, who: str) -> dict[str, Any]:
    """Return an action's input with the reserved ones in it, checked.

    Raises:
        InputError: It does not fit; the message names places and quotes no value.
    """
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"{who}: the input must be a mapping, not {type(given).__name__}.")
    if not given and action.input is None:
        return {}
    try:
        return _checked(action, given, who)
    except RecursionError:
        raise InputError(f"{who}: the input is nested too deeply.") from None


def _checked(action: Action, given: Mapping[str, Any] | None, who: str) -> dict[str, Any]:
    values = dict(given or {})
    reserved = {name: values[name] for name in RESERVED if name in values and action.paginate is not None}
    for name, value in reserved.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{who}: {name!r} must be a whole number from 1 on.")
    rest = {name: value for name, value in values.items() if name not in reserved} if reserved else values
    if action.input is not None:
        found = [str(violation) for violation in action.input.violations(rest)]
        if found:
            hint = " A paginated action also takes 'limit' and 'page_size'." if action.paginate else ""
            raise InputError(f"{who}: the input does not fit: {' '.join(found)}{hint}")
    elif rest:
        raise InputError(f"{who}: it takes no input, but was given {', '.join(map(repr, sorted(map(str, rest))))}.")
    has_files = action.input is not None and action.input.has_files
    wrong = _unfit(rest, has_files=has_files)
    if wrong is not None:
        raise InputError(f"{who}: the input does not fit: {wrong[0]}: {wrong[1]}.")
    if not has_files:
        return values
    try:
        return {name: _held(item) for name, item in values.items()}
    except InputError as error:
        raise InputError(f"{who}: {error}") from None


def _held(value: Any) -> Any:
    """Return a value whose files may go into several requests."""
    if isinstance(value, Mapping):
        return {name: _held(item) for name, item in value.items()}
    return [_held(item) for item in value] if isinstance(value, list | tuple) else held(value)


def _unfit(value: Any, *, has_files: bool) -> tuple[str, str] | None:
    """Return where a value is none that a request can carry, and why; schemas say little about that."""
    kind = type(value)
    if kind is str:
        return None if value.isascii() or _is_text(value) else ("", "it holds half a character (a surrogate)")
    if value is None or isinstance(value, int):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else ("", "it is no finite number")
    if isinstance(value, Mapping):
        return _unfit_member(value, has_files=has_files)
    if isinstance(value, list | tuple):
        return _first(enumerate(value), has_files=has_files)
    if isinstance(value, str) or (has_files and is_file(value)):
        return None
    hint = "; a file goes where the schema has {type: string, format: binary}" if is_file(value) else ""
    return "", f"it is {kind.__name__}, which no request can carry{hint}"


def _unfit_member(value: Mapping[Any, Any], *, has_files: bool) -> tuple[str, str] | None:
    for name in value:
        if not isinstance(name, str) or not (name.isascii() or _is_text(name)):
            return "", f"its key {name!r} is no text"
    return _first(value.items(), has_files=has_files)


def _first(members: Iterable[tuple[str | int, Any]], *, has_files: bool) -> tuple[str, str] | None:
    for name, item in members:
        wrong = _unfit(item, has_files=has_files)
        if wrong is not None:
            return pointer_to(name) + wrong[0], wrong[1]
    return None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
