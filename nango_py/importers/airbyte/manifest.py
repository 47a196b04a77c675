"""Read a manifest: references put in their place, and every key handed out once.

Source: the reference of the low-code CDK (docs.airbyte.com, "YAML reference"): ``$ref`` with overriding siblings, and
``$parameters`` that reach everything below them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.foreign import mapping
from nango_py.authoring.report import Finding
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.authoring.report import Outcome

__all__ = ["SAID", "Part", "expanded"]

_DEPTH: Final = 60
_NODES: Final = 200_000
_SECTIONS: Final = frozenset({"api_budget", "check", "spec", "streams"})
SAID: Final = ("$parameters", "$options")
"""The second is how manifests of 2022 spell the first."""


class _Expansion:
    """Put what references lead to in their place; what is too deep or too much is refused."""

    def __init__(self, data: Mapping[str, Any], source: str) -> None:
        self.data = data
        self.source = source
        self.followed: set[str] = set()
        self.nodes = 0

    def value(self, node: Any, depth: int, above: tuple[str, ...]) -> Any:
        self.nodes += 1
        if depth > _DEPTH or self.nodes > _NODES:
            raise UsageError(f"{self.source}: its references make more of it than can be read.")
        if isinstance(node, str) and node.startswith("#/") and self._leads_somewhere(node):
            return self._target(node, depth, above)
        if isinstance(node, list):
            return [self.value(one, depth + 1, above) for one in node]
        if not isinstance(node, Mapping):
            return node
        own = {name: self.value(one, depth + 1, above) for name, one in node.items() if name != "$ref"}
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return own
        return _laid_over(self._target(reference, depth, above), own)

    def _leads_somewhere(self, reference: str) -> bool:
        try:
            self._at(reference)
        except LookupError:
            return False
        return True

    def _target(self, reference: str, depth: int, above: tuple[str, ...]) -> Any:
        if reference in above:
            raise UsageError(f"{self.source}: {reference} refers to itself.")
        try:
            target = self._at(reference)
        except LookupError:
            raise UsageError(f"{self.source}: {reference} leads nowhere.") from None
        self.followed.add(reference.removeprefix("#"))
        return self.value(target, depth + 1, (*above, reference))

    def _at(self, reference: str) -> Any:
        node: Any = self.data
        for part in reference.removeprefix("#/").split("/"):
            node = node[int(part)] if isinstance(node, list) and part.isdecimal() else node[part]
        return node


def _laid_over(below: Any, own: dict[str, Any]) -> Any:
    if not isinstance(below, Mapping):
        return own or below
    made = {**below, **own}
    for name in SAID:
        if name in below and name in own:
            made[name] = {**mapping(below[name]), **mapping(own[name])}
    return made


def expanded(data: Mapping[str, Any], source: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the manifest without its definitions, and the place of each definition that nothing refers to.

    Raises:
        UsageError: A reference leads nowhere, to itself, or to more than can be read.
    """
    expansion = _Expansion(data, source)
    try:
        made = {name: expansion.value(one, 0, ()) for name, one in data.items() if name != "definitions"}
    except (LookupError, TypeError, ValueError):
        raise UsageError(f"{source}: a reference in it leads nowhere.") from None
    # Manifests of 2022 keep their schemas in a section of its own.
    sections = {"definitions", *(name for name in made if name not in _SECTIONS and _is_referred_to(name, expansion))}
    unused = (
        place for name in data if name in sections for place in _unreferenced(data[name], expansion, f"/{name}")
    )
    return {name: one for name, one in made.items() if name not in sections}, tuple(unused)


def _is_referred_to(name: str, expansion: _Expansion) -> bool:
    return any(one == f"/{name}" or one.startswith(f"/{name}/") for one in expansion.followed)


def _unreferenced(node: Any, expansion: _Expansion, at: str) -> Iterator[str]:
    if at in expansion.followed:
        return
    if isinstance(node, Mapping) and any(one.startswith(f"{at}/") for one in expansion.followed):
        for name, below in node.items():
            yield from _unreferenced(below, expansion, f"{at}/{name}")
    elif node:
        yield at[1:].replace("/", ".")


@dataclass(slots=True)
class Part:
    """A component of a manifest: its keys, each handed out once, with what stands above it as ``$parameters``."""

    keys: dict[str, Any]
    path: tuple[str, ...]
    findings: list[Finding]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    below: list[Part] = field(default_factory=list)
    kind: str = ""

    def __post_init__(self) -> None:
        """Take what says what the component is, and what it hands down."""
        self.kind = str(self.keys.pop("type", ""))
        for name in SAID:
            said = self.keys.pop(name, None)
            if isinstance(said, Mapping):
                self.parameters = {**self.parameters, **said}
        self.keys.pop("$comment", None)

    def __contains__(self, name: str) -> bool:
        """Tell whether a key is there, or handed down."""
        return name in self.keys or name in self.parameters

    def take(self, name: str) -> Any:
        """Return a key's value and forget it; one that is not there may be handed down."""
        return self.keys.pop(name) if name in self.keys else self.parameters.get(name)

    def text(self, name: str) -> str:
        """Return a key that is a text or a number as a text; an empty one without it."""
        value = self.take(name)
        if value is not None and not isinstance(value, str | int | float):
            self.note(name, "lost", "it is of a type that means nothing here")
            return ""
        return "" if value is None else str(value)

    def part(self, name: str) -> Part | None:
        """Return a component that stands below, also as the one item of a list; None without it."""
        value = self.take(name)
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.note(name, "lost", "it is of a type that means nothing here")
            return None
        return self._made(value, name)

    def parts(self, name: str) -> list[Part]:
        """Return a list of components."""
        value = self.take(name)
        if value is not None and not isinstance(value, list):
            self.note(name, "lost", "it is of a type that means nothing here")
        items = value if isinstance(value, list) else []
        return [self._made(one, f"{name}.{at}") for at, one in enumerate(items) if isinstance(one, Mapping)]

    def _made(self, value: Mapping[str, Any], name: str) -> Part:
        made = Part(dict(value), (*self.path, name), self.findings, self.parameters)
        self.below.append(made)
        return made

    def note(self, name: str, outcome: Outcome, reason: str) -> None:
        """Say what became of a key that was taken, or of the component itself where *name* is empty."""
        self.findings.append(Finding(key=".".join(filter(None, (*self.path, name))), outcome=outcome, reason=reason))

    def drop(self, outcome: Outcome, reason: str, *names: str) -> None:
        """Say why keys that may be there are not carried over."""
        for name in names:
            if name in self.keys:
                self.keys.pop(name)
                self.note(name, outcome, reason)

    def forget(self, outcome: Outcome, reason: str) -> None:
        """Say why the whole component is not carried over."""
        self.note("", outcome, reason)
        self.clear()

    def clear(self) -> None:
        """Forget every key, here and below: what became of them was said."""
        self.keys.clear()
        for one in self.below:
            one.clear()

    def rest(self) -> Iterator[str]:
        """Yield the place of every key that nobody has asked for, here and below."""
        for name in self.keys:
            yield ".".join((*self.path, name))
        for one in self.below:
            yield from one.rest()
