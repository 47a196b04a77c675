"""Follow ``extends_blueprint``: from a written key to the layers that an integration is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_py.declare.catalogue import Reference
from nango_py.declare.merge import Layer
from nango_py.declare.requirement import unmet
from nango_py.declare.schema import check_blueprint
from nango_py.document import pointer_to
from nango_py.location import Problem, did_you_mean
from nango_py.model import UsedBlueprint

if TYPE_CHECKING:
    from nango_py.declare.catalogue import Catalogue, Found
    from nango_py.location import Location

__all__ = ["MAX_CHAIN", "Chain", "newest", "resolve"]

_VERSION = re.compile(r"v[0-9]+")
MAX_CHAIN = 20
"""Blueprints that may extend each other in a row."""


@dataclass(slots=True)
class Chain:
    """The blueprint layers below an integration, outermost ancestor first, and what was wrong on the way."""

    layers: list[Layer] = field(default_factory=list)
    blueprints: list[UsedBlueprint] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def newest(versions: Mapping[str, Any]) -> str | None:
    """Return the newest of the version names, in natural order (v10 is newer than v9)."""
    return max(filter(_VERSION.fullmatch, versions), key=_number, default=None)


def _number(name: str) -> tuple[int, str]:
    """Return what orders as the number of a version does, however many digits it has."""
    digits = name[1:].lstrip("0")
    return len(digits), digits


def resolve(written: str, catalogue: Catalogue, location: Location, *, pinned: bool = True) -> Chain:
    """Return the chain of blueprints that begins with the *written* key; *location* is where it stands."""
    chain = Chain()
    _follow(chain, written, catalogue, location, ())
    if chain.blueprints and pinned and ":" not in written and not chain.problems:
        key = chain.blueprints[-1].key
        chain.problems.append(
            _problem(
                location,
                "blueprint.unpinned",
                f"{written!r} means the newest version, today {key}.",
                f"Pin it: {key}.",
                severity="warning",
            )
        )
    return chain


def _follow(chain: Chain, written: str, catalogue: Catalogue, location: Location, ancestors: tuple[str, ...]) -> None:
    reference = Reference.read(written)
    if reference is None:
        return  # the schema has said so
    found = _find(chain, reference, catalogue, location)
    if found is None:
        return
    version = _version(chain, reference, found, location)
    if version is None:
        return
    key = f"{reference.name}:{version}"
    if found.source.label != "local" and reference.pack:
        key = f"{reference.pack}/{key}"
    if key in ancestors:
        chain.problems.append(
            _problem(location, "blueprint.cycle", f"blueprints extend each other: {' -> '.join((*ancestors, key))}.")
        )
        return
    if len(ancestors) == MAX_CHAIN:
        message = f"more than {MAX_CHAIN} blueprints extend each other: {ancestors[0]} -> ... -> {key}."
        chain.problems.append(_problem(location, "blueprint.chain", message))
        return
    _add(chain, found, version, key, catalogue=catalogue, ancestors=(*ancestors, key))


def _add(
    chain: Chain, found: Found, version: str, key: str, *, catalogue: Catalogue, ancestors: tuple[str, ...]
) -> None:
    document = found.document
    data = document.data["versions"][version]
    pointer = pointer_to("versions", version)
    chain.problems += check_blueprint(document, version)
    parent = data.get("extends_blueprint") if isinstance(data, Mapping) else None
    if isinstance(parent, str):
        at = document.locate(f"{pointer}/extends_blueprint")
        _follow(chain, parent, catalogue, at, ancestors)
    if isinstance(data, Mapping):
        own = {name: value for name, value in data.items() if name not in {"extends_blueprint", "comment"}}
        chain.layers.append(Layer(label=f"blueprint {key}", document=document, pointer=pointer, data=own))
    chain.blueprints.append(UsedBlueprint(key=key, source=document.source, label=found.source.label))


def _find(chain: Chain, reference: Reference, catalogue: Catalogue, location: Location) -> Found | None:
    try:
        found = catalogue.find(reference)
    except OSError as error:
        chain.problems.append(
            _problem(location, "blueprint.unreadable", f"blueprint {reference} cannot be read: {error.strerror}.")
        )
        return None
    if found is None:
        hint = did_you_mean(reference.name, catalogue.names(reference.pack))
        chain.problems.append(
            _problem(location, "blueprint.unknown", f"there is no blueprint {str(reference)!r}.", hint)
        )
        return None
    chain.problems += found.document.problems
    if found.rivals and reference.pack is None:
        hint = f"Write {found.source.label}/{reference} or {found.rivals[0]}/{reference}."
        message = f"blueprint {reference.name!r} is in {found.source.label} and in pack {found.rivals[0]}."
        chain.problems.append(_problem(location, "blueprint.ambiguous", message, hint))
    return _usable(chain, found)


def _usable(chain: Chain, found: Found) -> Found | None:
    """Return the file unless it cannot be followed further; its problems were or are noted."""
    document = found.document
    if not isinstance(document.data, Mapping):
        if not document.problems:
            chain.problems += check_blueprint(document, "")
        return None
    needed = document.data.get("requires_nango_py")
    if isinstance(needed, str) and (message := unmet(needed)):
        chain.problems.append(_problem(document.locate("/requires_nango_py"), "blueprint.requires", message))
        return None
    if document.data.get("name", found.path.stem) != found.path.stem:
        message = f"the file is named {found.path.name}, but its blueprint {document.data['name']!r}."
        chain.problems.append(_problem(document.locate("/name"), "blueprint.name", message, "Make them equal."))
    return found


def _version(chain: Chain, reference: Reference, found: Found, location: Location) -> str | None:
    versions = found.document.data.get("versions")
    if not isinstance(versions, Mapping) or newest(versions) is None:
        chain.problems += check_blueprint(found.document, "")
        return None
    version = reference.version or newest(versions)
    if version not in versions:
        known = [f"{reference.name}:{name}" for name in versions]
        hint = did_you_mean(f"{reference.name}:{version}", known)
        message = f"blueprint {reference.name!r} has no version {version!r}."
        chain.problems.append(_problem(location, "blueprint.version", message, hint))
        return None
    return version


def _problem(location: Location, code: str, message: str, hint: str = "", *, severity: Any = "error") -> Problem:
    return Problem(
        location=location, code=code, message=message, hint=hint, pointer=location.pointer, severity=severity
    )
