"""``nango.lock``: which blueprint versions an ``integrations.yaml`` was written for, and what they declared.

It is JSON with one value a line, in canonical order, so that ``git diff nango.lock`` reads well. Every version that
an integration extends is pinned with its chain, the sources, the SHA-256 of its content, and the content itself: only
so can it be said what changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_py.declare.catalogue import Catalogue
from nango_py.declare.loader import read_declared
from nango_py.declare.merge import Layer, merge
from nango_py.declare.resolve import resolve
from nango_py.declare.schema import check_version
from nango_py.document import pointer_to, wrap
from nango_py.errors import ConfigError
from nango_py.location import Location, Problem
from nango_py.versions.change import LEVELS
from nango_py.versions.content import Content, content_of, digest
from nango_py.versions.diff import diff

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["LOCK_NAME", "Pin", "Use", "check_lock", "compared", "lock_text", "pin_of", "read_lock", "uses_of"]

LOCK_NAME = "nango.lock"
_ABOUT = "Written by nango-py lock; commit it. nango-py check compares it with the blueprints at hand."
_FORMAT = 1
_SEE = "See what changes: nango-py blueprints diff --locked. Then pin it: nango-py lock."


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An integration that extends a blueprint: where it says so, and what that declares today."""

    integration: str
    location: Location
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A blueprint version as it was locked."""

    key: str
    sources: Mapping[str, str]
    """Where each of its chain came from, by key: ``local``, ``builtin`` or a pack's name."""
    sha256: str
    data: Mapping[str, Any]

    def content(self, source: str) -> Content:
        """Return what it declared; *source* is the lock file's name."""
        at = pointer_to("blueprints", self.key, "content")
        return Content(
            key=self.key,
            data=self.data,
            locate=lambda pointer: Location(source=source, pointer=at + pointer),
        )


def pin_of(content: Content) -> Pin:
    """Return what pins a version as it is today."""
    sources = {used.key: used.label for used in reversed(content.blueprints)}
    return Pin(key=content.key, sources=sources, sha256=digest(content.data), data=content.data)


def uses_of(file: Path, blueprints: Sequence[str | Path] = (), *, strict: bool = False) -> Iterator[Use]:
    """Yield the integrations of *file* that extend a blueprint; one whose blueprint is broken is left out.

    Raises:
        ConfigError: The file cannot be read; or, where *strict*, a blueprint is broken.
    """
    document = read_declared(file)
    declared = document.data.get("integrations") if isinstance(document.data, Mapping) else None
    if not isinstance(declared, Mapping):
        raise ConfigError(document.problems or _problem(document.locate(""), "empty", "it declares no integrations."))
    catalogue = Catalogue(folders=(*map(Path, blueprints), file.resolve().parent / "blueprints"))
    for name, keys in declared.items():
        written = keys.get("extends_blueprint") if isinstance(keys, Mapping) else None
        if isinstance(written, str):
            location = document.locate(pointer_to("integrations", name, "extends_blueprint"))
            chain = resolve(written, catalogue, location)
            is_sound = chain.blueprints and not any(problem.severity == "error" for problem in chain.problems)
            if strict or is_sound:
                yield Use(integration=name, location=location, content=content_of(chain, written, location))


def lock_text(pins: Sequence[Pin]) -> str:
    """Return the text of a lock file."""
    blueprints = {
        pin.key: {"sources": dict(pin.sources), "sha256": pin.sha256, "content": pin.data}
        for pin in sorted(pins, key=lambda pin: pin.key)
    }
    document = {"about": _ABOUT, "format": _FORMAT, "blueprints": blueprints}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_lock(path: Path) -> Mapping[str, Pin]:
    """Return what a lock file pins, by key.

    Raises:
        ConfigError: It cannot be read, or what it holds is not what was written.
    """
    try:
        text = path.read_text("utf-8")
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(_unreadable(path, error)) from None
    if isinstance(document, Mapping) and document.get("format", _FORMAT) != _FORMAT:
        raise ConfigError(_broken(path, "/format", "it was written by another version of nango_py."))
    if not isinstance(document, Mapping) or not isinstance(entries := document.get("blueprints"), Mapping):
        raise ConfigError(_broken(path, "", "it holds no blueprints of a lock file."))
    return {key: _pin(path, key, entry) for key, entry in entries.items()}


def _pin(path: Path, key: str, entry: Any) -> Pin:
    at = pointer_to("blueprints", key)
    sources = entry.get("sources") if isinstance(entry, Mapping) else None
    content = entry.get("content") if isinstance(entry, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(sources, Mapping):
        raise ConfigError(_broken(path, at, f"the entry of {key} lacks its sources or its content."))
    if digest(content) != entry.get("sha256"):
        raise ConfigError(_broken(path, at, f"the content of {key} is not what its sha256 says."))
    # Keys that another version of nango_py knows can be told of; what has another shape cannot be compared.
    document = wrap(content, str(path))
    for problem in check_version(document, "", content):
        if problem.code != "schema.unknown_key":
            raise ConfigError(_broken(path, f"{at}/content{problem.pointer}", problem.message))
    layer = Layer(label=LOCK_NAME, document=document, pointer="", data=content)
    return Pin(key=key, sources=sources, sha256=entry["sha256"], data=merge((layer,)).data)


def _unreadable(path: Path, error: Exception) -> Problem:
    if not isinstance(error, json.JSONDecodeError):
        return _broken(path, "", "it cannot be read as a lock file.")
    is_merge = "<<<<<<<" in error.doc
    message = "it holds the marks of a merge that is not settled." if is_merge else f"it is no JSON: {error.msg}."
    return _broken(path, "", message, line=error.lineno, column=error.colno)


def compared(pins: Mapping[str, Pin], uses: Iterable[Use]) -> Iterator[tuple[Pin, Content]]:
    """Yield each pin with the version that is at hand in its place: the same, or another one of the same name."""
    now = {use.content.key: use.content for use in uses}
    by_name = {_name(key): content for key, content in now.items() if key not in pins}
    for key, pin in sorted(pins.items()):
        content = now.get(key) or by_name.get(_name(key))
        if content is not None:
            yield pin, content


def check_lock(file: Path, blueprints: Sequence[str | Path] = ()) -> tuple[Problem, ...]:
    """Return where the blueprints that *file* uses differ from the lock beside it; nothing where there is no lock."""
    path = file.with_name(LOCK_NAME)
    if not path.exists():
        return ()
    try:
        pins = read_lock(path)
        uses = list(uses_of(file, blueprints))
    except ConfigError as error:
        return error.problems
    used = {use.content.key for use in uses}
    unused = (
        _problem(
            Location(source=str(path), pointer=pointer_to("blueprints", key)),
            "unused",
            f"no integration uses {key!r}.",
            "Take it out: nango-py lock.",
            severity="warning",
        )
        for key in pins
        if key not in used
    )
    return (*(problem for use in uses for problem in _drift(use, pins, str(path))), *unused)


def _drift(use: Use, pins: Mapping[str, Pin], source: str) -> Iterator[Problem]:
    now = pin_of(use.content)
    pin = pins.get(now.key)
    if pin is None:
        yield _problem(use.location, "missing", f"{source} does not pin {now.key!r}.", _SEE)
        return
    if now.sources != pin.sources:
        moved = f"it comes from {_listed(now.sources)}, and was locked from {_listed(pin.sources)}."
        yield _problem(use.location, "source", f"blueprint {now.key!r}: {moved}", "If that is right: nango-py lock.")
    if now.sha256 != pin.sha256:
        changes = diff(pin.content(source), use.content)
        counts = [(sum(change.level == level for change in changes), level) for level in LEVELS]
        what = ", ".join(f"{count} {level}" for count, level in counts if count) or "nothing for users"
        yield _problem(use.location, "drifted", f"blueprint {now.key!r} is not what {source} holds: {what}.", _SEE)


def _name(key: str) -> str:
    return key.rpartition("/")[2].partition(":")[0]


def _listed(sources: Mapping[str, str]) -> str:
    return ", ".join(f"{key} ({label})" for key, label in sources.items())


def _broken(path: Path, pointer: str, message: str, *, line: int = 0, column: int = 0) -> Problem:
    location = Location(source=str(path), pointer=pointer, line=line, column=column)
    return _problem(location, "broken", message, "Take it from version control, or write it anew: nango-py lock.")


def _problem(location: Location, code: str, message: str, hint: str = "", *, severity: Any = "error") -> Problem:
    return Problem(
        location=location,
        code=f"lock.{code}",
        message=message,
        hint=hint,
        pointer=location.pointer,
        severity=severity,
    )
