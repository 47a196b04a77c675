"""Make actions of operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_py.actions.inputs import RESERVED
from nango_py.authoring.foreign import mapping
from nango_py.authoring.names import kebab, one_line, unused
from nango_py.authoring.openapi.inputs import asked_of
from nango_py.authoring.openapi.lists import asks_for_page, guess_of, items_in, usual_of, written_for
from nango_py.authoring.openapi.schemas import schema_of
from nango_py.authoring.openapi.spec import is_json

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from nango_py.authoring.openapi.lists import Guess
    from nango_py.authoring.openapi.security import Signing
    from nango_py.authoring.openapi.spec import Operation, Spec

__all__ = ["Made", "made_of", "pagination_of"]

_NOT_PAGED = "A guess: nothing in the description tells of pages."


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An action of a blueprint, not yet told how most lists are walked."""

    name: str
    operation: Operation
    keys: Mapping[str, Any]
    guess: Guess | None = None
    left_out: tuple[tuple[str, str], ...] = ()

    def written(self, usual: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the action's keys where the blueprint's pagination is *usual*."""
        keys = dict(self.keys)
        if self.guess is None or usual is None:
            return keys
        output = keys.pop("output", {})
        paginate, items = written_for(self.guess, usual)
        return {**keys, "paginate": paginate, **({"output": {**items, **output}} if items or output else {})}


def made_of(spec: Spec, operation: Operation, signing: Signing, taken: Container[str]) -> Made:
    """Return the action of an operation, under a name that is not *taken*.

    Raises:
        Impossible: There can be none; the text says why.
    """
    guess = guess_of(spec, operation)
    asked = asked_of(spec, operation, without=guess.settled if guess else (), reserved=RESERVED if guess else ())
    description = one_line(operation.summary) or f"{operation.label}."
    keys: dict[str, Any] = {"description": description, "input": asked.input, "request": asked.request}
    if output := _output(spec, operation, guess):
        keys["output"] = output
    if scopes := signing.scopes(operation):
        keys["requires_scopes"] = scopes
    if guess is None and _gives_list(spec, operation) and not asks_for_page(operation):
        keys["x-not-paged"] = _NOT_PAGED
    return Made(
        name=unused(_name(operation), taken),
        operation=operation,
        keys=keys,
        guess=guess,
        left_out=asked.left_out,
    )


def _name(operation: Operation) -> str:
    name = kebab(operation.id) or kebab(f"{operation.method} {operation.path}") or operation.method
    # Keys that begin with x- are nobody's, and a second x would be x-2.
    return f"{operation.method}-{name}" if f"{name}-".startswith("x-") else name


def _output(spec: Spec, operation: Operation, guess: Guess | None) -> dict[str, Any]:
    answer = operation.answer
    if answer.media and not is_json(answer.media):
        return {"download": True}
    schema = schema_of(spec, answer.schema, "output")
    if guess is not None:
        schema = _at(schema, guess.items)
    return {"schema": schema} if schema else {}


def _at(schema: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the schema of one item of the list at *path* in an answer."""
    for name in filter(None, path.split(".")):
        schema = mapping(mapping(schema.get("properties")).get(name))
    return dict(mapping(schema.get("items")))


def pagination_of(made: Iterable[Made]) -> tuple[dict[str, Any] | None, str]:
    """Return the pagination of most lists, and a comment that says what it was guessed from."""
    lists = [one for one in made if one.guess is not None]
    usual = usual_of(one.guess for one in lists if one.guess is not None)
    if usual is None:
        return None, ""
    alike = [one for one in lists if one.guess is not None and written_for(one.guess, usual)[0] is True]
    signs = ", ".join(one_line(sign, 80) for sign in alike[0].guess.signs) if alike[0].guess else ""
    count = f"{len(alike)} operation{'' if len(alike) == 1 else 's'}"
    return usual, (
        f"A guess from the names in {count}, such as {one_line(alike[0].name)}: {signs}. "
        "Check it against the documentation."
    )


def _gives_list(spec: Spec, operation: Operation) -> bool:
    is_read = operation.method == "get" and is_json(operation.answer.media)
    return is_read and items_in(schema_of(spec, operation.answer.schema, "output")) is not None
