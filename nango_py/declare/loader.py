"""Load ``integrations.yaml``: one broken integration never stops another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_py.declare.assemble import assemble
from nango_py.declare.catalogue import Catalogue, read_file
from nango_py.declare.environment import expand
from nango_py.declare.merge import Layer
from nango_py.declare.placeholders import variables_in
from nango_py.declare.resolve import Chain, resolve
from nango_py.declare.schema import check_fragment, check_top, load_schema, wants_text
from nango_py.document import Document, pointer_to, wrap
from nango_py.errors import ConfigError
from nango_py.location import Problem
from nango_py.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nango_py.declare.build import Builder
    from nango_py.declare.merge import Merged
    from nango_py.model import Integration

__all__ = ["Declared", "Entry", "load", "read_declared", "read_entries"]

_DEFAULTS = (
    "http_request_timeout_seconds",
    "timeouts",
    "circuit_breaker",
    "response_limit",
    "rate_limit_shared",
    "log_level",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a file declares: the sound integrations, the problems of the broken ones, and all problems."""

    integrations: Mapping[str, Integration] = field(default_factory=dict)
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    folder: Path | None = None
    """Where the file lies, with Python actions beside it; None when the source was a mapping."""


def load(
    source: str | Path | Mapping[str, Any],
    *,
    blueprints: Sequence[str | Path] = (),
    environ: Mapping[str, str],
) -> Declared:
    """Return what *source*, a file or a mapping, declares; folders of *blueprints* are searched first.

    Raises:
        ConfigError: The source is no mapping of integrations, so that there is nothing to return.
    """
    document, folder = _read(source)
    entries = _entries(document, folder, blueprints, environ)
    top = (*_outside(document), *check_top(document))
    return Declared(
        integrations={entry.name: entry.integration for entry in entries if entry.integration},
        broken={entry.name: entry.errors for entry in entries if not entry.integration},
        problems=(*top, *(problem for entry in entries for problem in entry.problems)),
        folder=folder,
    )


def read_entries(path: Path, *, blueprints: Sequence[str | Path] = (), environ: Mapping[str, str]) -> list[Entry]:
    """Return the entries of the file at *path*, each with all that came of it on its way.

    Raises:
        ConfigError: It is no mapping of integrations.
    """
    return _entries(*_read(path), blueprints, environ)


def _entries(
    document: Document, folder: Path | None, blueprints: Sequence[str | Path], environ: Mapping[str, str]
) -> list[Entry]:
    if not isinstance(document.data, Mapping) or not isinstance(document.data.get("integrations"), Mapping):
        raise ConfigError([one for one in document.problems if not _is_empty(one)] or _not_integrations(document))
    folders = [Path(path) for path in blueprints] + ([folder / "blueprints"] if folder else [])
    catalogue = Catalogue(folders=tuple(folders))
    return [
        Entry(document, name, keys, catalogue, environ).load() for name, keys in document.data["integrations"].items()
    ]


def _read(source: str | Path | Mapping[str, Any]) -> tuple[Document, Path | None]:
    if isinstance(source, Mapping):
        return wrap(source), None
    path = Path(source)
    return read_declared(path), path.resolve().parent


def read_declared(path: Path) -> Document:
    """Return the document of a file of integrations.

    Raises:
        ConfigError: The file cannot be read.
    """
    try:
        return read_file(path)
    except OSError as error:
        document = wrap({}, str(path))
        message = f"the file cannot be read: {error.strerror or error}."
        hint = (
            "Go to the folder that holds it, or make one: nango-py init"
            if isinstance(error, FileNotFoundError)
            else ""
        )
        problem = Problem(location=document.locate(""), code="file.unreadable", message=message, hint=hint)
        raise ConfigError(problem) from None


def _not_integrations(document: Document) -> Problem:
    return Problem(
        location=document.locate("/integrations"),
        code="schema.integrations",
        message="a mapping under 'integrations:' is missing.",
        hint="Begin with: integrations: {close: {extends_blueprint: close:v0}}.",
    )


def _is_empty(problem: Problem) -> bool:
    return problem.code == "yaml.empty_value"


def _outside(document: Document) -> Iterable[Problem]:
    """Yield the document's own problems that belong to no integration."""
    return (problem for problem in document.problems if not problem.pointer.startswith("/integrations/"))


def _indentation(name: str) -> str:
    """Return what to do about an entry that is no mapping: mostly the indentation is not what it looks like."""
    if name in load_schema("integrations.schema.json")["$defs"]["integration"]["properties"]:
        return "It is a key of an integration: indent it further than the integration's name."
    return "Write its keys below it, indented further, such as: extends_blueprint: close:v0"


class Entry:
    """The way of one entry: expand, check, follow its blueprints, merge, check, build."""

    def __init__(
        self, document: Document, name: str, keys: Any, catalogue: Catalogue, environ: Mapping[str, str]
    ) -> None:
        self.document = document
        self.name = name
        self.keys = keys
        self.catalogue = catalogue
        self.environ = environ
        self.pointer = pointer_to("integrations", name)
        self.found: list[Problem] = []
        self.layers: tuple[Layer, ...] = ()
        self.merged: Merged | None = None
        self.integration: Integration | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what was found, each finding once."""
        return tuple(
            {(str(problem.location), problem.code, problem.message): problem for problem in self.found}.values()
        )

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Return those that keep it from being used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    def load(self) -> Entry:
        """Go the way to its end, or to the first step with an error, and return the entry."""
        below = self.pointer + "/"
        self.found += [p for p in self.document.problems if p.pointer == self.pointer or p.pointer.startswith(below)]
        if not isinstance(self.keys, Mapping):
            self.found = [problem for problem in self.found if not _is_empty(problem)]
            self._report("", "schema.type", f"{self.name!r} must be a mapping of keys.", _indentation(self.name))
            return self
        keys = expand(self.keys, self.environ, wants_text=wants_text, missing=self._missing)
        self.found += check_fragment(self.document, self.pointer, keys)
        chain = self._chain(keys)
        self.found += chain.problems
        if not self.errors:
            self._merge_and_build(keys, chain)
        return self

    def _chain(self, keys: Mapping[str, Any]) -> Chain:
        written = keys.get("extends_blueprint")
        if not isinstance(written, str):
            return Chain()
        return resolve(written, self.catalogue, self.document.locate(f"{self.pointer}/extends_blueprint"))

    def _merge_and_build(self, keys: Mapping[str, Any], chain: Chain) -> None:
        own = {key: value for key, value in keys.items() if key not in {"extends_blueprint", "comment"}}
        layer = Layer(
            label=self.document.source, document=self.document, pointer=self.pointer, data=own, is_integration=True
        )
        self.layers = (*self._defaults(), *chain.layers, layer)
        made = assemble(
            self.name,
            self.layers,
            location=self.document.locate_key(self.pointer),
            blueprints=tuple(chain.blueprints),
            environment=self._environment,
        )
        self.found += made.problems
        self.merged = made.merged
        if made.integration is not None and not self.errors:
            warnings = tuple(problem for problem in self.problems if problem.severity == "warning")
            self.integration = replace(made.integration, problems=warnings)

    def _environment(self, builder: Builder) -> dict[str, Secret]:
        """Return the environment variables that placeholders name."""
        environment = {}
        for variable, pointer in variables_in(builder):
            if value := self.environ.get(variable):
                environment[variable] = Secret(value)
            else:
                self._missing(variable, pointer)
        return environment

    def _defaults(self) -> tuple[Layer, ...]:
        defaults = self.document.data.get("defaults")
        if not isinstance(defaults, Mapping):
            return ()
        expanded = expand(defaults, self.environ, wants_text=wants_text, missing=self._missing)
        data = {key: expanded[key] for key in _DEFAULTS if key in expanded}
        return (Layer(label="defaults", document=self.document, pointer="/defaults", data=data, is_integration=True),)

    def _missing(self, variable: str, pointer: str) -> None:
        self._report(
            pointer, "environment.missing", f"the environment variable {variable} is not set.",
            "Set it before the integration is used.",
        )  # fmt: skip

    def _report(self, pointer: str, code: str, message: str, hint: str = "") -> None:
        at = self.pointer + pointer
        location = self.document.locate(at)
        self.found.append(Problem(location=location, code=code, message=message, hint=hint, pointer=at))
