"""What a rule is: it looks at one declaration and yields findings; it reads no file and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nango_py.document import pointer_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nango_py.declare.merge import Layer, Merged
    from nango_py.document import Document
    from nango_py.field import Field
    from nango_py.lint.mend import Edit
    from nango_py.model import Action, Integration
    from nango_py.template import Template

__all__ = ["DeclaredField", "Finding", "Kind", "Rule", "Subject"]

Kind: TypeAlias = Literal["blueprint", "integration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Say what is wrong at a JSON pointer below the declaration, "" being the declaration itself."""

    pointer: str
    message: str
    hint: str = ""
    """What to do, where the rule's own fix does not say it well enough."""
    at_key: bool = False
    is_written: bool = False
    """Whether it stands in what is written here though not in what comes of it, as a null that deletes."""
    edit: Edit | None = None
    """What would mend it, where that takes no judgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredField:
    """A field of ``credentials`` or ``connection_config`` that is declared, not just the scheme's own."""

    section: str
    keys: Mapping[str, Any]
    field: Field
    is_own: bool
    """Whether the auth scheme asks for it by itself."""

    def pointer(self, *below: str) -> str:
        """Return where the field stands, or a key of it."""
        return pointer_to(self.section, self.field.name, *below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One blueprint version or integration, sound: as it is written, and as it is with all that it extends."""

    name: str
    kind: Kind
    document: Document
    pointer: str
    """Where it stands in its document."""
    below: tuple[Layer, ...]
    """What it extends, the outermost ancestor first."""
    merged: Merged
    integration: Integration
    templates: tuple[tuple[str, Template], ...]
    """Every text with a placeholder, with its pointer."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the merged keys."""
        return self.merged.data

    @property
    def written(self) -> Mapping[str, Any]:
        """Return the keys that stand here, nulls included."""
        found: Any = self.document.data
        for part in self.pointer.split("/")[1:]:
            found = found[part.replace("~1", "/").replace("~0", "~")]
        keys: Mapping[str, Any] = found
        return keys

    def is_own(self, pointer: str) -> bool:
        """Tell whether what stands at *pointer* was written here, and not inherited."""
        found = self.merged.origin(pointer)
        return found is not None and found[0].document is self.document and found[0].pointer == self.pointer

    def actions(self) -> Iterator[tuple[str, Mapping[str, Any], Action]]:
        """Yield the name, the keys and the action of each."""
        for name, action in self.integration.actions.items():
            yield name, self.data["actions"][name], action

    def fields(self) -> Iterator[DeclaredField]:
        """Yield the declared fields."""
        own = {field.name for field in type(self.integration.auth).fields}
        for section in ("credentials", "connection_config"):
            by_name = {field.name: field for field in getattr(self.integration, section)}
            for name, keys in self.data.get(section, {}).items():
                if name in by_name:
                    is_own = section == "credentials" and name in own
                    yield DeclaredField(section=section, keys=keys, field=by_name[name], is_own=is_own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is looked for, and why."""

    id: str
    """Its name in reports, in ``allow(...)`` and as the ``code`` of its problems."""
    reason: str
    """Why it matters, as one sentence."""
    fix: str
    """What to do about a finding, as one sentence."""
    find: Callable[[Subject], Iterator[Finding]]
    severity: Literal["error", "warning"] = "warning"
    kinds: frozenset[Kind] = frozenset({"blueprint", "integration"})
    """What it looks at."""
    mends: bool = False
    """Whether some of its findings take no judgement to mend."""
