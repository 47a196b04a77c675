"""Make an action's request of its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_py.errors import InputError
from nango_py.exchange.plan import filled_headers, filled_params, header_text, render_path
from nango_py.files import is_file, name_of, source_of
from nango_py.model import FilePart
from nango_py.template import TemplateError, render_tree, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.exchange.contents import Content, Part
    from nango_py.exchange.plan import Plan
    from nango_py.files import Source
    from nango_py.model import Action, ActionRequest, GraphQL, Raw

__all__ = ["Filled", "fill"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An action's request with its placeholders filled."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    json: Any
    content: Content | None
    """A body of another kind."""
    values: Mapping[str, Any]
    """What output maps see."""


def fill(
    action: Action,
    given: Mapping[str, Any],
    plan: Plan,
    beside: Mapping[str, Any],
    *,
    who: str,
    key_header: str | None = None,
) -> Filled:
    """Return the action's request with its placeholders filled; *key_header* is where its idempotency key stands.

    *beside* is what they see beside the input and the account: functions, and in a step what was there before.

    Raises:
        InputError: A placeholder inside a longer text, or in the path, has no value; or a value does not fit where
            it would stand.
    """
    request = action.request
    if request is None:
        raise AssertionError(action.name)
    values = {**plan.values, "input": given, **beside}
    try:
        headers = filled_headers(request.headers, values)
        key = None if action.idempotency_key is None else render_tree(action.idempotency_key, values)
        if key is not None and key_header is not None:
            headers[key_header] = header_text(key_header, key)
        json = _json(request, values)
        if action.input is not None and action.input.has_files:
            _refuse_files(json)
        return Filled(
            method=request.method,
            path=render_path(request.path, values),
            params=filled_params(request.params, values, request.list_style),
            headers=headers,
            json=json,
            content=_content(request, values),
            values={
                "input": given,
                "connection_config": plan.values["connection_config"],
                "metadata": plan.values["metadata"],
                **beside,
                # In an output map `item` is what the answer holds.
                **({"parent": beside["item"]} if "item" in beside else {}),
            },
        )
    except (InputError, TemplateError) as error:
        raise InputError(f"{who}: {error}") from None


def _json(request: ActionRequest, values: Mapping[str, Any]) -> Any:
    if request.graphql is not None:
        return _graphql(request.graphql, values)
    return None if request.json is None else render_tree(request.json, values)


def _graphql(graphql: GraphQL, values: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"query": graphql.query}
    if graphql.variables:
        body["variables"] = render_tree(graphql.variables, values) or {}
    if graphql.operation_name is not None:
        body["operationName"] = graphql.operation_name
    return body


def _refuse_files(value: Any) -> None:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _refuse_files(item)
    elif is_file(value):
        raise InputError("json: a file has no place in a JSON body; use `multipart`, `raw`, or text in base64.")


def _content(request: ActionRequest, values: Mapping[str, Any]) -> Content | None:
    if request.form is None and request.multipart is None and request.raw is None:
        return None
    from nango_py.exchange.contents import form_content, multipart_content  # noqa: PLC0415 - most bodies are JSON

    if request.form is not None:
        return form_content(filled_params(request.form, values, request.list_style))
    if request.multipart is not None:
        return multipart_content(_parts(request, request.multipart, values))
    return None if request.raw is None else _raw(request.raw, values)


_BYTES = "application/octet-stream"


def _raw(raw: Raw, values: Mapping[str, Any]) -> Content | None:
    from nango_py.exchange.contents import raw_content  # noqa: PLC0415

    content = render_tree(raw.content, values)
    if content is None:
        return None
    kind = header_text("Content-Type", render_tree(raw.content_type, values) or _BYTES)
    return raw_content(_file(content, "raw"), kind)


def _parts(request: ActionRequest, declared: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Part]:
    from nango_py.exchange.contents import Part  # noqa: PLC0415

    for name, written in declared.items():
        if isinstance(written, FilePart):
            yield from _file_parts(name, written, values)
        else:
            texts = {name: written}
            pairs = filled_params(texts, values, request.list_style)
            yield from (Part(name=spelt, value=text) for spelt, text in pairs)


def _file_parts(name: str, part: FilePart, values: Mapping[str, Any]) -> Iterator[Part]:
    from nango_py.exchange.contents import Part  # noqa: PLC0415

    found = render_tree(part.file, values)
    filename, kind = render_tree(part.filename, values), render_tree(part.content_type, values)
    for value in found if isinstance(found, list) else () if found is None else (found,):
        yield Part(
            name=name,
            value=_file(value, f"multipart part {name!r}"),
            filename=name_of(value) or name if filename is None else to_text(filename, "filename"),
            content_type=None if kind is None else header_text("Content-Type", kind),
        )


def _file(value: Any, what: str) -> bytes | Source:
    """Return a file, or a text's bytes: a text is what it says, never a path."""
    if is_file(value):
        return source_of(value)
    return to_text(value, what).encode()
