"""Turn the blueprints of a folder into pages: one each, and one that lists them all.

A page shows what the merged data says, so it cannot promise what is not declared.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from pprint import pformat
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from nango_py.auth.token_scheme import TokenScheme
from nango_py.declare import load
from nango_py.declare.catalogue import Catalogue, Reference, Source
from nango_py.testing.accounts import made_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nango_py.field import Field
    from nango_py.model import Action, Integration

__all__ = ["BlueprintPage", "Version", "index_of", "pages_of"]

_HERE = Path(__file__).parent
_OTHER = "other"
_INITIALS = {"ai", "api", "ats", "cms", "crm", "erp", "hr", "sms"}
_LONGEST_CALL, _LONGEST_LINE = 200, 66
_MANY = {kind: f"{kind}s" for kind in ("object", "string", "integer", "number", "boolean", "file")}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a blueprint, merged with what it extends."""

    key: str
    name: str
    comment: str
    is_newest: bool
    integration: Integration

    @property
    def declared(self) -> Mapping[str, Any]:
        """Return the merged keys, as they were written."""
        return self.integration.declared

    @property
    def gotchas(self) -> list[str]:
        """Return what surprises people, in the author's words."""
        return self.declared.get("x-gotchas", [])

    @property
    def sources(self) -> Iterator[tuple[str, str, str]]:
        """Yield what each page was read for: its subject, address and date."""
        yield from _sources(self.declared)
        for name, action in self.declared.get("actions", {}).items():
            for subject, url, read in _sources(action):
                yield f"{name}: {subject}", url, read

    @property
    def renewal(self) -> str:
        """Say how the credentials stay fresh."""
        auth = self.integration.auth
        if not isinstance(auth, TokenScheme):
            return "nothing to renew"
        return "by itself, before a token expires and when one is refused"

    @property
    def account_fields(self) -> tuple[Field, ...]:
        """Return what a person brings: tokens that a sign-in or a grant gets are not among it."""
        if self.integration.auth.connects:
            return ()
        return tuple(field for field in self.integration.credentials if self._is_asked(field))

    @property
    def given_fields(self) -> tuple[Field, ...]:
        """Return the account's fields that every connection has."""
        declared = self.declared.get("credentials", {})
        return tuple(field for field in self.account_fields if not declared.get(field.name, {}).get("optional"))

    def _is_asked(self, field: Field) -> bool:
        # A scheme may leave a credential to the integration; a blueprint that declares it wants it from the account.
        return field.required or field.default is not None or field.name in self.declared.get("credentials", {})

    @property
    def endpoints(self) -> tuple[tuple[str, str], ...]:
        """Return each address that credentials go to, and as what."""
        requests, auth = self.integration.requests, self.integration.auth
        found = [("requests", requests.base_url.text)]
        found += [("requests, also", origin) for origin in requests.allowed_origins]
        found += [("sign-in and tokens", url.text) for url in auth.urls()]
        return tuple(found)

    @property
    def main_action(self) -> Action | None:
        """Return the action that shows best what a call looks like: a list, else the first one that is short."""
        short = [
            action
            for action in self.integration.actions.values()
            if len(json.dumps(_input_of(action), default=str)) <= _LONGEST_CALL
        ]
        return next((action for action in short if action.paginate), short[0] if short else None)

    @property
    def config_values(self) -> dict[str, str]:
        """Return the connection config that has to be given, with values that show its form."""
        needed = [field for field in self.integration.connection_config if field.required]
        return {field.name: _sample(field) for field in needed}

    @property
    def paginated_actions(self) -> int:
        """Return how many actions walk a list."""
        return sum(action.paginate is not None for action in self.integration.actions.values())

    def shown(self, *parts: str) -> str:
        """Return declared parts as YAML."""
        return _dumped({part: self.declared[part] for part in parts if self.declared.get(part)}).rstrip()

    def integrations_yaml(self) -> str:
        """Return the file that a reader begins with."""
        name, variable = self.key.partition(":")[0], _variable(self.key)
        keys: dict[str, Any] = {"extends_blueprint": self.key}
        if self.integration.auth.wants_client:
            keys |= {
                "oauth_client_id": f"${{{variable}_CLIENT_ID}}",
                "oauth_client_secret": f"${{{variable}_CLIENT_SECRET}}",
            }
            scopes = _scopes(self.main_action)
            keys |= {"oauth_scopes": scopes} if scopes else {}
        if _mentions_app_key(self.declared):
            keys["app_api_key"] = f"${{{variable}_APP_API_KEY}}"
        return "# integrations.yaml\n" + _dumped({"integrations": {name: keys}}).rstrip()

    def credentials_code(self) -> str:
        """Return the credentials as a reader's program gives them: secrets from its environment."""
        pairs = [f'"{field.name}": {self._given(field)}' for field in self.given_fields]
        line = "{" + ", ".join(pairs) + "}"
        return (
            line
            if len(line) <= _LONGEST_LINE
            else "{\n" + "".join(f"            {pair},\n" for pair in pairs) + "        }"
        )

    def _given(self, field: Field) -> str:
        if field.default is not None:
            return json.dumps(field.default)
        if field.secret or not field.example:
            return f'os.environ["{_variable(self.key)}_{field.name.upper()}"]'
        return json.dumps(field.example)


@dataclass(frozen=True, kw_only=True)
class BlueprintPage:
    """A blueprint, and what its page says; the newest version comes first."""

    name: str
    title: str
    docs_url: str
    maintainer: str
    categories: tuple[str, ...]
    versions: tuple[Version, ...]

    @property
    def newest(self) -> Version:
        """Return the version that the page begins with."""
        return self.versions[0]

    @property
    def category(self) -> str:
        """Return the category under which it is listed."""
        return self.categories[0]

    @property
    def actions(self) -> int:
        """Return how many actions the newest version has."""
        return len(self.newest.integration.actions)

    @property
    def path(self) -> str:
        """Return where the page lies below docs/."""
        return f"blueprints/{self.name}.md"

    @cached_property
    def markdown(self) -> str:
        """Return the page."""
        return _template("blueprint.md.jinja").render(page=self)


def pages_of(folder: Path) -> tuple[BlueprintPage, ...]:
    """Return a page for each blueprint of a folder.

    Raises:
        ValueError: One does not load.
    """
    source = Source(label="docs", folder=folder)
    catalogue = Catalogue(folders=(folder,))
    documents = {name: catalogue.find(Reference(pack=None, name=name, version=None)) for name in source.names()}
    unreadable = [str(problem) for found in documents.values() for problem in found.document.problems]
    if unreadable:
        raise ValueError("\n".join(unreadable))
    keys = {
        f"{name}-{version}": f"{name}:{version}"
        for name, found in documents.items()
        for version in _versions(found.document.data)
    }
    entries = {name: {"extends_blueprint": key} for name, key in keys.items()}
    declared = load({"integrations": entries}, blueprints=[folder], environ={})
    if declared.broken:
        raise ValueError("\n".join(str(problem) for found in declared.broken.values() for problem in found))
    return tuple(_page(name, found.document.data, declared.integrations) for name, found in documents.items())


def index_of(pages: Iterable[BlueprintPage]) -> str:
    """Return the page that lists the blueprints by category."""
    pages = tuple(pages)
    categories = {
        category: sorted((page for page in pages if page.category == category), key=lambda page: page.title.lower())
        for category in sorted({page.category for page in pages}, key=lambda name: (name == _OTHER, name))
    }
    modes = Counter(page.newest.integration.auth.mode for page in pages)
    return _template("blueprints.md.jinja").render(pages=pages, categories=categories, modes=modes.most_common())


def _versions(document: Mapping[str, Any]) -> list[str]:
    names = (name for name in document["versions"] if not name.startswith("x-"))
    return sorted(names, key=lambda name: -int(name[1:]))


def _page(name: str, document: Mapping[str, Any], integrations: Mapping[str, Integration]) -> BlueprintPage:
    names = _versions(document)
    return BlueprintPage(
        name=name,
        title=document.get("display_name", name),
        docs_url=document.get("docs_url", ""),
        maintainer=document.get("maintainer", ""),
        categories=tuple(document.get("categories", ())) or (_OTHER,),
        versions=tuple(
            Version(
                key=f"{name}:{version}",
                name=version,
                comment=document["versions"][version].get("comment", ""),
                is_newest=version == names[0],
                integration=integrations[f"{name}-{version}"],
            )
            for version in names
        ),
    )


def _sources(declared: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for subject, source in declared.get("x-sources", {}).items():
        yield subject.replace("_", " "), str(source.get("url", "")), str(source.get("read", ""))


def _variable(key: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", key.partition(":")[0].upper())


def _mentions_app_key(value: Any) -> bool:
    return "${app_api_key" in json.dumps(value, default=str)


def _sample(field: Field) -> str:
    is_free = not (field.enum or field.format or field.pattern)
    return field.example or (f"your-{field.name}" if is_free else made_up([field], seed=0)[field.name])


def _scopes(action: Action | None) -> list[str]:
    wanted = action.requires_scopes if action else ()
    return [scope if isinstance(scope, str) else scope[0] for scope in wanted]


def _input_of(action: Action) -> dict[str, Any]:
    return dict(action.example.input) if action.example else {}


def _dumped(value: Any) -> str:
    return yaml.safe_dump(_plain(value), sort_keys=False, allow_unicode=True, width=100, default_flow_style=False)


def _plain(value: Any) -> Any:
    """Return declared data without the keys that the engine ignores, in types that can be dumped."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items() if not str(key).startswith("x-")}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _options(config: Mapping[str, str]) -> str:
    """Return connection config as the command line takes it."""
    return "".join(f" --config {shlex.quote(f'{name}={value}')}" for name, value in config.items())


def _kind(schema: Any) -> str:
    """Say in words what a JSON Schema admits."""
    if not isinstance(schema, dict) or not schema:
        return "anything"
    if "const" in schema or "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("format") == "binary":
        return "file"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_kind(one) for one in schema[key]))
    kinds = schema.get("type", "anything")
    if kinds == "array":
        return f"list of {_MANY.get(inner := _kind(schema.get('items', {})), inner)}"
    return str(kinds) if isinstance(kinds, str) else " or ".join(kinds)


def _rows(schema: Any) -> list[tuple[str, str, bool, str]]:
    """Return the members of an object's schema: name, kind, whether required, description."""
    document = {} if schema is None else schema.document
    required = document.get("required", ())
    return [
        (name, _kind(one), name in required, one.get("description", "") if isinstance(one, dict) else "")
        for name, one in document.get("properties", {}).items()
    ]


def _category(name: str) -> str:
    words = [word.upper() if word in _INITIALS else word for word in name.split("-")]
    text = " ".join(words).replace("e ", "e-", 1) if words[0] == "e" else " ".join(words)
    return text[:1].upper() + text[1:]


def _heading(text: str) -> Markup:
    """Return text that Markdown leaves as it is."""
    return Markup(re.sub(r"([\\`*_{}\[\]|!])", r"\\\1", str(escape(text))))  # noqa: S704 - escaped twice


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _python(value: Any) -> str:
    """Return a Python literal, with the quotes that people write."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    plain = not re.search(r"\b(true|false|null)\b", text)
    return text if plain else pformat(value, width=10_000, sort_dicts=False)


def _linked(text: str) -> Markup:
    """Return text with its web addresses as links."""
    link = r'<a href="\g<0>">\g<0></a>'
    text = re.sub(r"https?://[^\s<>()&;,]+[^\s<>()&;,.:]", link, str(escape(text)))
    return Markup(text)  # noqa: S704 - escaped above


@cache
def _template(name: str) -> Any:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "category": _category, "config": _options, "example": _input_of, "heading": _heading, "json": _json,
        "kind": _kind, "linked": _linked, "python": _python, "rows": _rows,
    }  # fmt: skip
    return environment.get_template(name)
