"""Read an OpenAPI description, 2.0 to 3.1, into one shape: operations with parameters, a body and an answer.

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
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["METHODS", "Answer", "Body", "Operation", "Parameter", "Spec", "is_json"]

Place = Literal["path", "query", "header", "cookie"]
Style = Literal["repeat", "comma", "space", "pipe", "deep", "json"]

METHODS: Final = ("get", "post", "put", "patch", "delete", "head")
"""The methods that an action can have, as OpenAPI spells them."""
_OTHER_METHODS: Final = ("options", "trace", "query")
_HOPS: Final = 32
_STYLES: Final[Mapping[str, Style]] = {
    "spaceDelimited": "space", "pipeDelimited": "pipe", "deepObject": "deep",
    "csv": "comma", "ssv": "space", "tsv": "space", "pipes": "pipe", "multi": "repeat",
}  # fmt: skip
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

    def follow(self, node: Any) -> Any:
        """Return what *node* is, or what its reference leads to; None where that is nothing in this file."""
        for _ in range(_HOPS):
            if not (isinstance(node, Mapping) and isinstance(node.get("$ref"), str)):
                return node
            node = self.at(node["$ref"])
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
            for method in (*METHODS, *_OTHER_METHODS):
                if isinstance(item.get(method), Mapping):
                    yield self._operation(path, method, item)

    def schemes(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the security schemes by name."""
        found = self.data.get("securityDefinitions") if self.is_swagger else self._components("securitySchemes")
        return {name: mapping(self.follow(scheme)) for name, scheme in mapping(found).items()}

    def _components(self, name: str) -> Any:
        return mapping(self.data.get("components")).get(name)

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        keys = item[method]
        written = [*self._parameters(item), *self._parameters(keys)]
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
            body=self._form(keys, written) if self.is_swagger else self._body(keys.get("requestBody")),
            answer=self._answer(keys),
            security=None if alternatives is None else tuple(frozenset(one) for one in alternatives),
            scopes=tuple({name: texts(asked) for name, asked in one.items()} for one in alternatives or ()),
            servers=tuple(
                url for one in servers if isinstance(url := mapping(one).get("url"), str)
            ) if isinstance(servers, list) else (),
        )  # fmt: skip

    def _parameters(self, keys: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        written = keys.get("parameters")
        found = [self.follow(one) for one in written] if isinstance(written, list) else []
        return [one for one in found if isinstance(one, Mapping) and isinstance(one.get("name"), str)]

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
        keys = mapping(self.follow(written))
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
