"""Turn the parameters and the body of an operation into one input and the request that it fills."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.foreign import mapping
from nango_py.authoring.literals import followed_by, literal
from nango_py.authoring.names import field_name, one_line, unused
from nango_py.authoring.openapi.schemas import schema_of
from nango_py.authoring.openapi.shapes import SINGLE, is_flat, joined, leaves, types_of
from nango_py.authoring.openapi.spec import Parameter, is_json
from nango_py.authoring.pasted import PASTED, is_pasted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nango_py.authoring.openapi.spec import Body, Operation, Spec

__all__ = ["Asked", "Impossible", "asked_of"]

_SEGMENT: Final = re.compile(r"\{([^{}]*)\}")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_IGNORED_HEADERS: Final = frozenset({"accept", "authorization", "content-type"})
"""OpenAPI 3 says so: parameters of these names are described elsewhere."""
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"


class Impossible(Exception):  # noqa: N818 - the reason why an operation becomes no action
    """An operation wants what no action can send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an action takes, what it sends, and the parameters that it leaves out, each with the reason."""

    input: Mapping[str, Any]
    request: Mapping[str, Any]
    left_out: tuple[tuple[str, str], ...] = ()


def asked_of(
    spec: Spec, operation: Operation, *, without: Collection[str] = (), reserved: Collection[str] = ()
) -> Asked:
    """Return what an operation asks for.

    Query parameters *without* are somebody else's business; names *reserved* are not those of an input.

    Raises:
        Impossible: It cannot be sent; the text says why.
    """
    asking = _Asking(spec, operation, reserved)
    kept = [one for one in operation.parameters if not (one.place == "query" and one.name in without)]
    asking.path([one for one in kept if one.place == "path"])
    for parameter in kept:
        if parameter.place != "path":
            asking.parameter(parameter)
    if operation.body is not None:
        asking.body(operation.body)
    return asking.asked()


@dataclass(slots=True)
class _Asking:
    """Collect inputs and what they fill; a name that is taken gets its place before it."""

    spec: Spec
    operation: Operation
    reserved: Collection[str]
    properties: dict[str, Any] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    request: dict[str, Any] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    wants_more: bool = False
    """Whether something optional has to be given: a body of nothing is not sent, and there has to be one."""

    def asked(self) -> Asked:
        """Return the whole of it."""
        schema: dict[str, Any] = {"type": "object"}
        schema |= {"properties": self.properties} if self.properties else {}
        schema |= {"required": self.required} if self.required else {}
        schema |= {"minProperties": len(self.required) + 1} if self.wants_more else {}
        schema["additionalProperties"] = False
        return Asked(input=schema, request=self.request, left_out=tuple(self.left_out))

    def take(self, name: str, place: str, schema: dict[str, Any], *, required: bool) -> str:
        """Declare an input and return its name."""
        if any(is_pasted(name, word) for word in schema.get("enum", ())):
            self.left_out.append((name, f"what it may be: {PASTED}"))
            schema = {key: value for key, value in schema.items() if key != "enum"}
        wanted = field_name(name) or place
        if wanted in self.properties or wanted in self.reserved:
            wanted = unused(f"{place}_{wanted}", self.properties, joint="_")
        self.properties[wanted] = schema
        if required:
            self.required.append(wanted)
        return wanted

    # Parameters

    def path(self, parameters: list[Parameter]) -> None:
        """Fill the path; a placeholder that no parameter describes is a text."""
        path, _, query = self.operation.path.partition("?")
        if "#" in path + query:
            raise Impossible("its path has a fragment")
        known = {one.name: one for one in parameters}
        taken: dict[str, str] = {}
        made, at = "", 0
        for match in _SEGMENT.finditer(path):
            made += literal(path[at : match.start()])
            name = match[1].strip("+*;?&/ ")
            if name not in taken:
                taken[name] = self._segment(known.get(name) or _undescribed(name))
            made, at = followed_by(made, taken[name]), match.end()
        made += literal(path[at:])
        self.request["method"] = self.operation.method.upper()
        self.request["path"] = made.lstrip("/")
        for pair in filter(None, query.split("&")):
            key, _, value = pair.partition("=")
            if is_pasted(key, value):
                raise Impossible(f"the query in its path: {PASTED}")
            if "{" not in value:
                self.request.setdefault("params", {})[key] = literal(value)

    def _segment(self, parameter: Parameter) -> str:
        schema = schema_of(self.spec, parameter.schema, "input")
        if types_of(schema) - SINGLE - {"array"}:
            raise Impossible(f"the path parameter {one_line(parameter.name)!r} is an object")
        name = self._described(parameter, schema)
        return f"${{input.{name}{joined(schema, 'comma')}}}"

    def parameter(self, parameter: Parameter) -> None:
        """Put a parameter into the query or a header."""
        if parameter.place == "cookie":
            self._leave(parameter, "cookies are not sent by actions")
        elif parameter.place == "header":
            if parameter.name.lower() not in _IGNORED_HEADERS:
                self._header(parameter)
        else:
            self._query(parameter)

    def _header(self, parameter: Parameter) -> None:
        schema = schema_of(self.spec, parameter.schema, "input")
        if not _HEADER.fullmatch(parameter.name):
            self._leave(parameter, "it has no name that a header can have")
        elif types_of(schema) - SINGLE - {"array"}:
            self._leave(parameter, "a header holds no object")
        else:
            headers = self.request.setdefault("headers", {})
            only = schema.get("enum", ())
            is_fixed = parameter.required and len(only) == 1 and isinstance(only[0], str) and only[0].isprintable()
            if is_fixed and not is_pasted(parameter.name, only[0]):
                headers[parameter.name] = literal(only[0])
            else:
                headers[parameter.name] = f"${{input.{self._described(parameter, schema)}{joined(schema, 'comma')}}}"

    def _query(self, parameter: Parameter) -> None:
        params = self.request.setdefault("params", {})
        schema = schema_of(self.spec, parameter.schema, "input")
        if parameter.style == "json":
            params[parameter.name] = f"${{input.{self._described(parameter, schema)} | tojson}}"
            return
        if not types_of(schema) - SINGLE or "array" in types_of(schema):
            if is_flat(schema):
                name = self._described(parameter, schema)
                params[parameter.name] = f"${{input.{name}{joined(schema, parameter.style)}}}"
                return
            self._leave(parameter, "lists of lists or objects have no form in a query")
        elif members := leaves(schema, parameter.name, is_deep=parameter.style == "deep"):
            name = self._described(parameter, schema)
            params |= {key: f"${{input.{'.'.join((name, *path))}}}" for key, path in members}
        else:
            self._leave(parameter, "an object of any members has no form in a query")

    def _described(self, parameter: Parameter, schema: dict[str, Any]) -> str:
        text = one_line(parameter.description)
        described = {**schema, **({"description": text} if text else {})}
        return self.take(parameter.name, parameter.place, described, required=parameter.required)

    def _leave(self, parameter: Parameter, reason: str) -> None:
        if parameter.required:
            raise Impossible(f"the {parameter.place} parameter {one_line(parameter.name)!r} is required: {reason}")
        self.left_out.append((parameter.name, f"an optional parameter: {reason}"))

    # The body

    def body(self, body: Body) -> None:
        """Put a body into the request, by its media type."""
        essence = body.media.partition(";")[0].strip().lower()
        if is_json(essence):
            self._json(body, essence)
        elif essence == _FORM:
            self._form(body)
        elif essence == _MULTIPART:
            self._multipart(body)
        elif essence.endswith(("/xml", "+xml")):
            raise Impossible("its body is XML")
        else:
            self._raw(body, essence)

    def _json(self, body: Body, essence: str) -> None:
        schema = schema_of(self.spec, body.schema, "input")
        members = mapping(schema.get("properties"))
        required = frozenset(schema.get("required", ())) if body.required else frozenset()
        # Members that are all left out make no body. Where there has to be one, another one is wanted of them.
        self.wants_more = body.required and not required and len(self.properties) == len(self.required)
        is_sure = not body.required or required or self.wants_more
        is_closed = not schema.get("additionalProperties") and "anyOf" not in schema
        if members and types_of(schema) == {"object"} and is_closed and is_sure:
            self.request["json"] = {
                key: f"${{input.{self.take(key, 'body', member, required=key in required)}}}"
                for key, member in members.items()
            }
        else:
            self.wants_more = False
            self.request["json"] = f"${{input.{self._whole(body, schema)}}}"
        if essence not in {"application/json", "*/*", "application/*", "text/json"}:
            self.request.setdefault("headers", {})["Content-Type"] = essence

    def _whole(self, body: Body, schema: dict[str, Any]) -> str:
        text = one_line(body.description)
        return self.take(
            "body", "request", {**schema, **({"description": text} if text else {})}, required=body.required
        )

    def _fields(self, body: Body, *, takes_files: bool) -> Iterator[tuple[str, dict[str, Any], bool]]:
        schema = schema_of(self.spec, body.schema, "input", takes_files=takes_files)
        members = mapping(schema.get("properties"))
        if not members:
            raise Impossible("the fields of its form are not described")
        required = frozenset(schema.get("required", ()))
        for key, member in members.items():
            yield key, member, key in required and body.required

    def _form(self, body: Body) -> None:
        form: dict[str, Any] = {}
        for key, schema, required in self._fields(body, takes_files=False):
            if not types_of(schema) - SINGLE or ("array" in types_of(schema) and is_flat(schema)):
                form[key] = f"${{input.{self.take(key, 'body', schema, required=required)}}}"
            elif members := leaves(schema, key, is_deep=True):
                name = self.take(key, "body", schema, required=required)
                form |= {spelt: f"${{input.{'.'.join((name, *path))}}}" for spelt, path in members}
            elif required:
                raise Impossible(f"the form field {one_line(key)!r} is required, and has no form")
            else:
                self.left_out.append((key, "an optional parameter: an object of any members has no form in a form"))
        self.request["form"] = form

    def _multipart(self, body: Body) -> None:
        parts: dict[str, Any] = {}
        for key, schema, required in self._fields(body, takes_files=True):
            is_file = "binary" in {schema.get("format"), mapping(schema.get("items")).get("format")}
            name = self.take(key, "body", schema, required=required)
            if is_file:
                parts[key] = {"file": f"${{input.{name}}}"}
            elif types_of(schema) - SINGLE and not ("array" in types_of(schema) and is_flat(schema)):
                parts[key] = f"${{input.{name} | tojson}}"
            else:
                parts[key] = f"${{input.{name}}}"
        self.request["multipart"] = parts

    def _raw(self, body: Body, essence: str) -> None:
        is_text = essence.startswith("text/")
        schema = {"type": "string"} if is_text else {"type": "string", "format": "binary"}
        kind = essence if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", essence) else "application/octet-stream"
        self.request["raw"] = {"content": f"${{input.{self._whole(body, schema)}}}", "content_type": kind}


def _undescribed(name: str) -> Parameter:
    return Parameter(name=name, place="path", required=True, schema={"type": "string"}, description="", style="comma")
