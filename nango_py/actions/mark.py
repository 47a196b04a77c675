"""``@nango_py.action``: say of a function that it is an action; nothing is registered by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from nango_py.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Mark", "action", "marks_of", "place_of"]

_F = TypeVar("_F", bound="Callable[..., Any]")
_ATTRIBUTE = "__nango_actions__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What ``@nango_py.action`` says of a function."""

    integration: str
    name: str
    input: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    scopes: Sequence[str | Sequence[str]] = ()
    description: str | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict)


def action(
    integration: str,
    name: str | None = None,
    *,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - DESIGN's word
    output: Mapping[str, Any] | None = None,
    scopes: Sequence[str | Sequence[str]] = (),
    description: str | None = None,
    annotations: Mapping[str, Any] | None = None,
) -> Callable[[_F], _F]:
    """Make ``function(ctx, input)`` an action; give it, or its module, to ``Nango.load(actions=[...])``.

    *integration* is the name of an integration, or of a blueprint that integrations extend. *name* is the function's
    own without it, ``list_leads`` as ``list-leads``. *input* and *output* are JSON Schemas. *scopes* must have been
    granted to the connection; of those in a list within the list, one. *description* is the docstring without it.
    *annotations* say what the action does to the provider's data: ``read_only``, ``destructive``, ``idempotent``.

    The function stays what it was, to be called and tested. Decorated twice, it is an action of two integrations.
    """

    def mark(function: _F) -> _F:
        made = Mark(
            integration=integration,
            name=function.__name__.replace("_", "-") if name is None else name,
            input=input,
            output=output,
            scopes=scopes,
            description=description,
            annotations=annotations or {},
        )
        setattr(function, _ATTRIBUTE, (*marks_of(function), made))
        return function

    return mark


def marks_of(value: object) -> tuple[Mark, ...]:
    """Return what ``@nango_py.action`` said of a value."""
    found = getattr(value, _ATTRIBUTE, ())
    return found if isinstance(found, tuple) else ()  # objects that have any attribute one asks for


def place_of(function: Callable[..., Any]) -> Location:
    """Return where a function is defined."""
    code = getattr(function, "__code__", None)
    if code is None:
        return Location(source=f"{function.__module__}.{getattr(function, '__qualname__', repr(function))}")
    return Location(source=code.co_filename, line=code.co_firstlineno, column=1)
