"""Hand out the keys of an entry, each once: what no rule asks for is found in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_py.authoring.report import Finding

if TYPE_CHECKING:
    from nango_py.authoring.report import Outcome

__all__ = ["Keys", "keys_of"]


@dataclass(frozen=True, slots=True)
class Keys:
    """Hold the keys of one mapping that no rule has asked for yet."""

    _left: dict[str, Any]
    _path: tuple[str, ...]
    _findings: list[Finding]
    _below: list[Keys] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        """Tell whether nobody has asked for a key that is there."""
        return name in self._left

    def __iter__(self) -> Iterator[str]:
        """Yield the keys that nobody has asked for yet."""
        return iter(tuple(self._left))

    def take(self, name: str) -> Any:
        """Return a key's value and forget it; None where it is not there, or taken already."""
        return self._left.pop(name, None)

    def give_back(self, name: str, value: Any) -> None:
        """Leave a key to another rule after all."""
        self._left[name] = value

    def text(self, name: str) -> str | None:
        """Return a key that is a text; of another type it is left to be found."""
        return self.take(name) if isinstance(self._left.get(name), str) else None

    def flag(self, name: str) -> bool:
        """Return a key that is true or false, false where it is not there."""
        return bool(self.take(name)) if isinstance(self._left.get(name), bool) else False

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a key that is a list of texts; of another type it is left to be found."""
        value = self._left.get(name)
        return (
            tuple(self.take(name)) if isinstance(value, list) and all(isinstance(one, str) for one in value) else ()
        )

    def below(self, name: str) -> Keys:
        """Return the keys of a mapping; what is left in it is found, too. What is no mapping is left itself."""
        value = self._left.get(name)
        inner = Keys(dict(self.take(name)) if isinstance(value, Mapping) else {}, (*self._path, name), self._findings)
        self._below.append(inner)
        return inner

    def only(self, name: str) -> Keys:
        """Return one of the keys alone, as a mapping of its own; what is left in it is found, too."""
        inner = Keys({name: self.take(name)} if name in self._left else {}, self._path, self._findings)
        self._below.append(inner)
        return inner

    def drop(self, name: str, outcome: Outcome, reason: str) -> None:
        """Say why a key that may be there is not carried over."""
        if name in self._left:
            self.take(name)
            self.note(name, outcome, reason)

    def note(self, name: str, outcome: Outcome, reason: str) -> None:
        """Say what became of a key that was taken; *name* may have dots."""
        self._findings.append(Finding(key=".".join((*self._path, name)), outcome=outcome, reason=reason))

    def rest(self) -> Iterator[str]:
        """Yield the place of every key that nobody has asked for, here and below."""
        for name in self._left:
            yield ".".join((*self._path, name))
        for inner in self._below:
            yield from inner.rest()


def keys_of(entry: Mapping[str, Any]) -> tuple[Keys, list[Finding]]:
    """Return the keys of an entry, and the list that their findings come to."""
    findings: list[Finding] = []
    return Keys({str(name): value for name, value in entry.items()}, (), findings), findings
