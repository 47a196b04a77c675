"""Streams become actions that list their records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nango_py.actions.inputs import RESERVED
from nango_py.authoring.foreign import mapping
from nango_py.authoring.names import field_name, kebab
from nango_py.importers.airbyte.language import Untranslatable, filled
from nango_py.importers.airbyte.manifest import SAID
from nango_py.importers.airbyte.mappings import turned
from nango_py.importers.airbyte.pages import pagination_of, path_text
from nango_py.importers.airbyte.records import items_of, schema_of
from nango_py.importers.airbyte.retries import retry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.importers.airbyte.fields import Fields
    from nango_py.importers.airbyte.language import LookUp
    from nango_py.importers.airbyte.manifest import Part

__all__ = ["Parent", "Stream", "stream_of"]

_SLICES: Final = frozenset({"stream_slice", "stream_partition", "partition"})
_BODIES: Final[Mapping[str, str]] = {"request_body_json": "json", "request_body_data": "form"}
_NO_PAGES: Final = "The manifest says NoPagination."


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A stream whose records are asked for the records of another, one by one."""

    stream: str
    key: str
    input: str


@dataclass(slots=True, kw_only=True)
class Stream:
    """What a stream becomes: an action without its pagination and retry policy, which most streams share."""

    name: str
    base_url: str
    action: dict[str, Any]
    items: str = ""
    pagination: dict[str, Any] | None = None
    retry: dict[str, Any] = field(default_factory=dict)
    parent: Parent | None = None

    @property
    def asks_for_nothing(self) -> bool:
        """Tell whether its request can be sent without an input."""
        return "required" not in self.action["input"]


def stream_of(part: Part, fields: Fields, signs: Callable[[Part | None], bool]) -> Stream:
    """Return what a stream becomes; what does not come along is noted.

    *signs* takes the authenticator and tells whether it is the one that signs the blueprint's requests. It comes
    first, so that a request that repeats a credential names it as the auth mode does.

    Raises:
        Untranslatable: There can be no action.
    """
    name = part.text("name")
    retriever = part.part("retriever")
    requester = retriever.part("requester") if retriever else None
    if retriever is None or requester is None or retriever.kind not in {"SimpleRetriever", ""}:
        kind = retriever.kind if retriever and retriever.kind else "a stream without a requester"
        raise Untranslatable(f"{kind} has no counterpart")
    if not signs(requester.part("authenticator")):
        raise Untranslatable("it is signed another way than most")
    inputs = _Inputs(fields)
    parent = _partition(retriever.part("partition_router"), inputs)
    _incremental(part.part("incremental_sync"), inputs)
    base_url, path = _url(requester, inputs)
    items, paginator = items_of(retriever.part("record_selector")), retriever.part("paginator")
    pagination = pagination_of(paginator, items)
    action: dict[str, Any] = {"description": f"Records of {name.replace('_', ' ')}."}
    request = _request(requester, path, inputs)
    action |= {"input": inputs.schema(), "request": request}
    if pagination is None and paginator is not None and paginator.kind == "NoPagination":
        action["x-not-paged"] = _NO_PAGES
    if schema := schema_of(part):
        action["output"] = {"schema": schema}
    made = Stream(
        name=kebab(name) or "records",
        base_url=base_url,
        action=action,
        items=items,
        pagination=pagination,
        retry=retry_of(requester.part("error_handler")),
        parent=parent,
    )
    _drop(part, retriever, requester)
    return made


@dataclass(slots=True)
class _Inputs:
    """Collect what a caller gives, and say what a placeholder is called."""

    fields: Fields
    properties: dict[str, Any] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    slices: dict[str, str] = field(default_factory=dict)
    """What a partition calls a value, with the input that it is."""
    params: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, schema: dict[str, Any], *, required: bool) -> str:
        """Declare an input and return its name."""
        made = field_name(name) or "value"
        made = f"for_{made}" if made in RESERVED else made
        self.properties[made] = schema
        if required:
            self.required.append(made)
        return made

    def named(self, found: LookUp) -> str:
        """Return the placeholder of a look-up."""
        if found.root in _SLICES and len(found.path) == 1 and found.path[0] in self.slices:
            return f"${{input.{self.slices[found.path[0]]}}}"
        return self.fields.name(found)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the input."""
        made: dict[str, Any] = {"type": "object"}
        made |= {"properties": self.properties} if self.properties else {}
        made |= {"required": self.required} if self.required else {}
        return {**made, "additionalProperties": False}


def _url(requester: Part, inputs: _Inputs) -> tuple[str, str]:
    """Return the base URL of a request, and its path below that."""
    whole, base, path = (requester.text(key).strip() for key in ("url", "url_base", "path"))
    if not (whole or base):
        raise Untranslatable("it has no URL")
    below = filled(path, requester.parameters, inputs.named).strip().lstrip("/")
    if base and not whole:
        url = filled(base, requester.parameters, inputs.fields.name)
        return url if url.endswith("/") else f"{url}/", below
    url, slash, last = filled(whole, requester.parameters, inputs.named).rpartition("/")
    return f"{url}{slash}", f"{last}/{below}" if below and last else last or below


def _request(requester: Part, path: str, inputs: _Inputs) -> dict[str, Any]:
    method = requester.text("http_method").upper() or "GET"
    request: dict[str, Any] = {"method": method, "path": path}
    if params := {**inputs.params, **_texts(requester, "request_parameters", inputs)}:
        request["params"] = params
    if headers := _texts(requester, "request_headers", inputs):
        request["headers"] = headers
    for key, form in _BODIES.items():
        if (body := _texts(requester, key, inputs)) and method != "GET":
            request[form] = body
    if (body_part := requester.part("request_body")) is not None:
        body_part.forget("lost", "a body of this form has no counterpart")
    return request


def _texts(requester: Part, key: str, inputs: _Inputs) -> dict[str, Any]:
    """Return a mapping of templates; what cannot be turned is noted and left out."""
    if isinstance(requester.keys.get(key), str):
        text = requester.text(key)
        requester.note(
            key, "lost", "it is a text that is computed" if "{{" in text else "it is a text, not a mapping"
        )
        return {}
    part = requester.part(key)
    return {} if part is None else turned(part, inputs.named)


def _partition(router: Part | None, inputs: _Inputs) -> Parent | None:
    if router is None:
        return None
    if router.kind == "ListPartitionRouter":
        _listed(router, inputs)
        return None
    if router.kind not in {"SubstreamPartitionRouter", ""}:
        raise Untranslatable(f"its partitions are made by {router.kind}")
    configs = router.parts("parent_stream_configs")
    if len(configs) != 1:
        raise Untranslatable("its partitions are made of several streams")
    (config,) = configs
    parent = config.take("stream")
    key, partition = config.text("parent_key"), config.text("partition_field")
    name = inputs.add(partition, {"type": ["string", "integer"]}, required=True)
    inputs.slices[partition] = name
    option = config.part("request_option")
    if option is not None:
        _inject(option, name, inputs)
    config.drop("not_needed", "nothing is kept between runs", "incremental_dependency")
    config.drop("lost", "only the parent's key comes along", "extra_fields", "lazy_read_pointer")
    said = [mapping(parent), *(mapping(mapping(parent).get(name)) for name in SAID)]
    stream = next((called for one in said if isinstance(called := one.get("name"), str)), None)
    path = path_text(tuple(key.split("/"))) if key else ""
    return Parent(stream=kebab(stream), key=path, input=name) if stream and path else None


def _listed(router: Part, inputs: _Inputs) -> None:
    values, cursor = router.take("values"), router.text("cursor_field")
    words = [str(one) for one in values] if isinstance(values, list) else []
    schema: dict[str, Any] = {"type": "string", **({"enum": words} if words else {})}
    if not words:
        router.note("values", "changed", "callers say which")
    inputs.slices[cursor] = inputs.add(cursor, schema, required=True)
    if (option := router.part("request_option")) is not None:
        _inject(option, inputs.slices[cursor], inputs)


def _inject(option: Part, name: str, inputs: _Inputs) -> None:
    where, param = option.text("inject_into"), option.text("field_name")
    if where == "request_parameter" and param:
        inputs.params[param] = f"${{input.{name}}}"
    else:
        option.note("inject_into", "lost", f"it travels in {where!r}")


def _incremental(cursor: Part | None, inputs: _Inputs) -> None:
    """Let callers say from when and until when; nothing is kept between runs."""
    if cursor is None:
        return
    for key in ("start_time_option", "end_time_option"):
        option = cursor.part(key)
        if option is None:
            continue
        param = option.keys.get("field_name")
        if option.keys.get("inject_into") == "request_parameter" and isinstance(param, str) and "{{" not in param:
            option.take("field_name")
            option.take("inject_into")
            name = inputs.add(param, {"type": ["string", "integer"]}, required=False)
            inputs.params[param] = f"${{input.{name}}}"
            cursor.note(key, "changed", "callers give it, in the form that the provider wants")
        else:
            option.forget("lost", "it travels where no input reaches")
    cursor.forget("lost", "an action keeps nothing between runs: it always lists everything that it is asked for")


def _drop(part: Part, retriever: Part, requester: Part) -> None:
    part.drop("not_needed", "records are not stored", "primary_key", "state_migrations")
    part.drop("changed", "records come as the answer has them", "transformations")
    part.drop("lost", "files are not fetched", "file_uploader")
    retriever.drop("not_needed", "it says again what the stream says", "name", "primary_key")
    retriever.drop("lost", "answers are JSON", "decoder")
    retriever.drop(
        "not_needed", "parameters stay on every page", "ignore_stream_slicer_parameters_on_paginated_requests"
    )
    retriever.drop(
        "lost", "it has no counterpart", "pagination_reset", "page_size_reduction", "request_window_splitting"
    )
    requester.drop("not_needed", "nothing is cached", "use_cache", "use_tcp_keepalive")
    requester.drop("lost", "properties are not asked for", "fetch_properties_from_endpoint", "query_properties")
    requester.drop(
        "lost", "timeouts are the integration's: `timeouts`", "connect_timeout_in_seconds", "read_timeout_in_seconds"
    )
