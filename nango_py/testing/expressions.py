"""Write a value where a JMESPath expression finds it: the expressions that blueprints use, backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jmespath
from jmespath import visitor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["written"]

_TURNED = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}
_CONVERSIONS = frozenset({"not_null", "to_number", "to_string"})
"""Functions that find what their first argument finds, or nearly."""


class _Unwritable(Exception):  # noqa: N818 - caught here
    """The expression has no place that a value could be written to."""


def written(document: Any, expression: str, value: Any) -> Any | None:
    """Return *document* with *value* where *expression* finds it, the rest as it was; None where that cannot be."""
    compiled = jmespath.compile(expression)
    try:
        made = _set(compiled.parsed, document, value)
    except _Unwritable:
        return None
    found = compiled.search(made)
    return made if found == value or (isinstance(value, bool) and bool(found) is value) else None


def _set(node: Mapping[str, Any], target: Any, value: Any) -> Any:
    kind, children = node["type"], node["children"]
    match kind:
        case "identity" | "current":
            return value
        case "field":
            return {**(target if isinstance(target, dict) else {}), node["value"]: value}
        case "index":
            return _with_item(target, node["value"], value)
        case "subexpression" | "pipe" | "index_expression":
            return _chained(children, target, value)
        case "flatten" | "or_expression":
            return _set(children[0], target, value)
        case "and_expression":
            # The last part is what is found, where the first holds.
            made = _set(children[1], target, value)
            return _kept_to(children[0], made) if value else made
        case "function_expression" if node["value"] in _CONVERSIONS:
            return _set(children[0], target, value)
        case "not_expression" | "comparator" if isinstance(value, bool):
            return _judged(node, target, holds=value)
        case "projection" | "filter_projection" if isinstance(value, list):
            return _projected(node, target, value)
    raise _Unwritable(kind)


def _chained(children: Sequence[Mapping[str, Any]], target: Any, value: Any) -> Any:
    first, *rest = children
    if not rest:
        return _set(first, target, value)
    return _set(first, target, _chained(rest, _found(first, target), value))


def _with_item(target: Any, index: int, value: Any) -> list[Any]:
    items = list(target) if isinstance(target, list) else []
    needed = index + 1 if index >= 0 else -index
    items += [None] * (needed - len(items))
    items[index] = value
    return items


def _projected(node: Mapping[str, Any], target: Any, values: list[Any]) -> Any:
    """Make an element of each value; those of a filter keep to it, and those that it passes over stay."""
    source, each, *conditions = node["children"]
    before = _found(source, target)
    before = before if isinstance(before, list) else []
    kept = [item for item in before if not _found(conditions[0], item)] if conditions else []
    chosen = [item for item in before if not conditions or _found(conditions[0], item)]
    made = []
    for index, value in enumerate(values):
        element = _set(each, chosen[index] if index < len(chosen) else None, value)
        made.append(_kept_to(conditions[0], element) if conditions else element)
    return _set(source, target, [*kept, *made])


def _kept_to(condition: Mapping[str, Any], element: Any) -> Any:
    if _found(condition, element):
        return element
    match condition["type"]:
        case "and_expression":
            for part in condition["children"]:
                element = _kept_to(part, element)
            return element
        case "comparator":
            return _compared(condition, element, holds=True)
    return _set(condition, element, value=True)


def _judged(node: Mapping[str, Any], target: Any, *, holds: bool) -> Any:
    if node["type"] == "comparator":
        return _compared(node, target, holds=holds)
    return _set(node["children"][0], target, not holds)


def _compared(node: Mapping[str, Any], target: Any, *, holds: bool) -> Any:
    """Return *target* so that a comparison holds, or does not: its one side is set, beside what the other is."""
    (left, right), sign = node["children"], node["value"]
    if left["type"] == "literal":
        left, right, sign = right, left, _TURNED.get(sign, sign)
    other = _found(right, target)
    if sign in {"eq", "ne"}:
        return _set(left, target, other if holds is (sign == "eq") else _other_than(other))
    if not isinstance(other, int | float):
        raise _Unwritable(sign)
    is_above = holds is (sign in {"gt", "gte"})
    step = 1 if is_above else -1
    return _set(left, target, other + step)


def _other_than(value: Any) -> Any:
    return not value if isinstance(value, bool) else f"not {value}"


def _found(node: Mapping[str, Any], target: Any) -> Any:
    return visitor.TreeInterpreter().visit(node, target)  # type: ignore[arg-type]
