"""Read an OpenAPI description, 2.0 to 3.2, into one shape: operations with parameters, a body and an answer.

Sources: the OpenAPI Specification 3.0.4 and 3.1.1, and 2.0 ("Swagger"). Nothing is fetched: only references inside
the file are followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args
from urllib.parse import unquote

from nango_py.authoring.foreign import mapping, texts
from nango_py.authoring.names import one_line
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["METHODS", "OTHER_METHODS", "Answer", "Body", "Operation", "Parameter", "Spec", "is_json"]

Place = Literal["path", "query", "header", "cookie"]
Style = Literal["repeat", "comma", "space", "pipe", "deep", "json"]

METHODS: Final = ("get", "post", "put", "patch", "delete", "head")
"""The methods that an action can have, as OpenAPI spells them."""
OTHER_METHODS: Final = ("options", "trace", "query")
_HOPS: Final = 32
_STYLES: Final[Mapping[str, Style]] = {
    "spaceDelimited": "space", "pipeDelimited": "pipe", "deepObject": "deep",
    "csv": "comma", "ssv": "space", "tsv": "space", "pipes": "pipe", "multi": "repeat",
}  # fmt: skip
_NOWHERE: Final = "a reference that leads nowhere: what it stands for is not known"
_OTHER_FILE: Final = "a reference into another file, which is not read: put the files into one first"
_NO_BODY: Final = "its body cannot be read"
_IN_BODY: Final = ("body", "formData")
_BYTES: Final = "application/octet-stream"
_PREFERRED: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; ``style`` tells how a list or an object in it is written."""

    name: str
    place: Place
    required: bool
    schema: Any
    description: str
    style: Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a request carries, of its preferred media type."""

    media: str
    schema: Any
    required: bool
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of a request that went well; ``media`` is empty where it has no content."""

    media: str = ""
    schema: Any = None
    headers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request that the API offers."""

    method: str
    path: str
    id: str
    tags: tuple[str, ...] = ()
    summary: str = ""
    is_deprecated: bool = False
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    answer: Answer = field(default_factory=Answer)
    security: tuple[frozenset[str], ...] | None = None
    """Alternatives, each the names of the schemes that it takes; None where nothing is said."""
    scopes: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    """For each alternative, the scopes that it asks of each scheme."""
    servers: tuple[str, ...] = ()
    """Servers of its own."""
    unread: str = ""
    """Why a part of its request could not be read; an empty text where all of it was."""

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.method.upper()} {self.path}"


class Spec:
    """Hold an OpenAPI description and follow the references inside it.

    Raises:
        UsageError: It is none that can be read.
    """

    def __init__(self, data: Mapping[str, Any], source: str) -> None:
        self.data = data
        self.source = source
        version = str(data.get("openapi") or data.get("swagger") or "")
        if not re.fullmatch(r"2\.0(?:\.0)?|3\.[0-2](?:\.\d+)?", version):
            what = f"version {version!r}" if version else "a file without the key 'openapi' or 'swagger'"
            raise UsageError(f"{source}: {what} is no OpenAPI description from 2.0 to 3.2.")
        self.is_swagger = version.startswith("2")
        self.turned: dict[tuple[int, str, bool], tuple[Any, dict[str, Any]]] = {}
        self.astray: dict[str, str] = {}
        """References that were followed to nothing, each with the reason."""

    def follow(self, node: Any) -> Any:
        """Return what *node* is, or what its reference leads to; None where that is nothing in this file."""
        reference = ""
        for _ in range(_HOPS):
            if not (isinstance(node, Mapping) and isinstance(node.get("$ref"), str)):
                return node
            reference = node["$ref"]
            node = self.at(reference)
            if node is None:
                break
        self.astray[reference] = _NOWHERE if reference.startswith("#") else _OTHER_FILE
        return None

    def at(self, reference: str) -> Any:
        """Return the value that a reference inside the file leads to, or None."""
        if not reference.startswith("#/"):
            return None
        node: Any = self.data
        for part in reference[2:].split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            elif isinstance(node, Mapping):
                node = node.get(name)
            else:
                return None
        return node

    def operations(self) -> Iterator[Operation]:
        """Yield every operation, in the order of the file."""
        for path, written in mapping(self.data.get("paths")).items():
            item = mapping(self.follow(written))
            for method in (*METHODS, *OTHER_METHODS):
                keys = self.follow(item.get(method))
                if isinstance(keys, Mapping):
                    yield self._operation(path, method, item, keys)

    def schemes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the security schemes by name."""
        found = self.data.get("securityDefinitions") if self.is_swagger else self._components("securitySchemes")
        return {name: mapping(self.follow(scheme)) for name, scheme in mapping(found).items()}

    def _components(self, name: str) -> Any:
        return mapping(self.data.get("components")).get(name)

    def _operation(self, path: str, method: str, item: Mapping[str, Any], keys: Mapping[str, Any]) -> Operation:
        written, unread = self._parameters(item, keys)
        has_body = not self.is_swagger and keys.get("requestBody") is not None
        body = (self.follow(keys["requestBody"]) or _NO_BODY) if has_body else None
        security = keys.get("security", self.data.get("security"))
        alternatives = [mapping(one) for one in security] if isinstance(security, list) else None
        servers = keys.get("servers") or item.get("servers")
        summary = keys.get("summary") or keys.get("description") or ""
        return Operation(
            method=method,
            path=path,
            id=keys["operationId"] if isinstance(keys.get("operationId"), str) else "",
            tags=texts(keys.get("tags")),
            summary=summary if isinstance(summary, str) else "",
            is_deprecated=keys.get("deprecated") is True,
            parameters=tuple({(one.name, one.place): one for one in map(self._parameter, _plain(written))}.values()),
            body=self._form(keys, written) if self.is_swagger else self._body(body),
            answer=self._answer(keys),
            security=None if alternatives is None else tuple(frozenset(one) for one in alternatives),
            scopes=tuple({name: texts(asked) for name, asked in one.items()} for one in alternatives or ()),
            servers=tuple(
                url for one in servers if isinstance(url := mapping(one).get("url"), str)
            ) if isinstance(servers, list) else (),
            unread=unread or ("" if isinstance(body, Mapping | None) else _NO_BODY),
        )  # fmt: skip

    def _parameters(self, *holders: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], str]:
        """Return the parameters that can be read, and why there are others; an empty text where there are none."""
        readable, unread = [], ""
        for holder in holders:
            written = holder.get("parameters", [])
            if not isinstance(written, list):
                unread = "its parameters are no list"
            for one in map(self.follow, written if isinstance(written, list) else ()):
                if not (isinstance(one, Mapping) and isinstance(one.get("name"), str)):
                    unread = "one of its parameters cannot be read"
                elif one.get("in") not in (*get_args(Place), *(_IN_BODY if self.is_swagger else ())):
                    unread = f"a parameter goes to an unknown place: {one_line(str(one.get('in')), 80)!r}"
                else:
                    readable.append(one)
        return readable, unread

    def _parameter(self, keys: Mapping[str, Any]) -> Parameter:
        place = cast("Place", keys["in"])
        content = next(iter(mapping(keys.get("content")).items()), None)
        schema = keys if self.is_swagger else keys.get("schema")
        return Parameter(
            name=keys["name"],
            place=place,
            required=keys.get("required") is True or place == "path",
            schema=mapping(content[1]).get("schema") if content else schema,
            description=_text(keys.get("description")),
            style="json" if content else self._style(keys, place),
        )

    def _style(self, keys: Mapping[str, Any], place: Place) -> Style:
        if self.is_swagger:
            return _STYLES.get(_text(keys.get("collectionFormat")), "comma")
        style = _text(keys.get("style")) or ("form" if place in {"query", "cookie"} else "simple")
        explodes = keys.get("explode", style == "form") is True
        if style in _STYLES:
            return "repeat" if explodes and style != "deepObject" else _STYLES[style]
        return "repeat" if explodes and style == "form" else "comma"

    def _body(self, written: Any) -> Body | None:
        keys = mapping(written)
        content = mapping(keys.get("content"))
        if not content:
            return None
        media = min(content, key=_preference)
        return Body(
            media=media,
            schema=mapping(content[media]).get("schema"),
            required=keys.get("required") is True,
            description=_text(keys.get("description")),
        )

    def _form(self, keys: Mapping[str, Any], written: list[Mapping[str, Any]]) -> Body | None:
        """Return the body of Swagger 2.0, whose form fields are parameters."""
        whole = next((one for one in written if one.get("in") == "body"), None)
        fields = {one["name"]: one for one in written if one.get("in") == "formData"}
        media = texts(keys.get("consumes", self.data.get("consumes")))
        if whole is not None:
            return Body(
                media=min(media, key=_preference, default=_PREFERRED[0]),
                schema=whole.get("schema"),
                required=whole.get("required") is True,
                description=_text(whole.get("description")),
            )
        if not fields:
            return None
        has_file = any(one.get("type") == "file" for one in fields.values())
        required = [name for name, one in fields.items() if one.get("required") is True]
        properties = {name: {**one, "required": None} for name, one in fields.items()}
        return Body(
            media=_PREFERRED[2] if has_file or _PREFERRED[2] in media else _PREFERRED[1],
            schema={"type": "object", "properties": properties, "required": required},
            required=bool(required),
        )

    def _answer(self, keys: Mapping[str, Any]) -> Answer:
        answers = mapping(keys.get("responses"))
        status = min((status for status in answers if re.fullmatch(r"2(?:\d\d|XX)", status)), default="default")
        answer = mapping(self.follow(answers.get(status)))
        headers = frozenset(name.lower() for name in mapping(answer.get("headers")))
        if self.is_swagger:
            produces = texts(keys.get("produces", self.data.get("produces")))
            media = min(produces, key=_preference, default=_PREFERRED[0]) if answer.get("schema") else ""
            if mapping(answer.get("schema")).get("type") == "file":
                media = _BYTES
            return Answer(media=media, schema=answer.get("schema"), headers=headers)
        content = mapping(answer.get("content"))
        media = min(content, key=_preference, default="")
        return Answer(media=media, schema=mapping(content.get(media)).get("schema"), headers=headers)


def is_json(media: str) -> bool:
    """Tell whether a media type is JSON (RFC 6838 section 4.2.8 for ``+json``)."""
    essence = media.partition(";")[0].strip().lower()
    return essence in {"application/json", "text/json", "*/*", "application/*"} or essence.endswith("+json")


def _preference(media: str) -> tuple[int, int]:
    essence = media.partition(";")[0].strip().lower()
    rank = _PREFERRED.index(essence) if essence in _PREFERRED else len(_PREFERRED)
    return (rank, 0) if rank < len(_PREFERRED) else (rank, not is_json(media))


def _plain(written: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (one for one in written if one.get("in") in get_args(Place))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
