"""Make an action's output of its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nango_py.errors import OutputError
from nango_py.template import TemplateError, render_tree

if TYPE_CHECKING:
    from nango_py.exchange.answers import Asker
    from nango_py.json_schema import Schema
    from nango_py.model import Output

__all__ = ["flattened", "shaped"]


def shaped(output: Output, values: Mapping[str, Any], asker: Asker) -> Callable[[Any], Any]:
    """Return what makes an output of the value, or of each item, that was found in an answer."""

    def shape(value: Any) -> Any:
        if output.map is not None:
            value = _mapped(output.map, values, value, asker)
        if output.flatten:
            value = flattened(value)
        if output.schema is not None:
            _check_output(output.schema, value, asker)
        return value

    return shape


def _mapped(tree: Any, values: Mapping[str, Any], item: Any, asker: Asker) -> Any:
    try:
        # A mapped name stays, with null, where the provider has no value for it.
        return {name: render_tree(branch, {**values, "item": item}) for name, branch in tree.items()}
    except TemplateError as error:
        asker.fail(OutputError, f"output map: {error}")


def flattened(value: Any) -> Any:
    """Return a mapping whose inner mappings became keys with dotted names; lists and empty mappings stay."""
    return dict(_leaves(value, "")) if isinstance(value, Mapping) else value


def _leaves(value: Mapping[str, Any], before: str) -> Any:
    for name, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, f"{before}{name}.")
        else:
            yield f"{before}{name}", item


def _check_output(schema: Schema, value: Any, asker: Asker) -> None:
    found = [str(violation) for violation in schema.violations(value)]
    if found:
        asker.fail(OutputError, "the answer does not keep what the action promises: " + " ".join(found[:5]))
