"""The one home of jinja2: placeholders ``${...}``.

The text between ``${`` and ``}`` is one Jinja *expression* in an immutable sandbox: no statements, no comments, no
attributes or methods, a closed list of filters, tests and functions; ``$${`` writes a literal ``${``. A plain dotted
name never reaches Jinja. Values are inserted once and never expanded again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nango_py.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Expression",
    "Scope",
    "Template",
    "TemplateError",
    "Tree",
    "frozen",
    "names_in",
    "plain_text",
    "render_tree",
    "split",
    "to_text",
    "tree",
]

MAX_EXPRESSION = 500
MAX_RESULT = 65_536

_DOTTED = re.compile(r"\s*([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)\s*")
_RESERVED = frozenset("and else false False if in is none None not or true True".split())  # noqa: SIM905 - words
_ESCAPED = "$${"
_OPENING = re.compile(r"\$\$\{|\$\{")

Path = tuple[str, ...]
Tree = Any
"""Plain data, frozen, whose texts with placeholders are :class:`Template`."""


class TemplateError(ValueError):
    """A placeholder cannot be parsed or filled; the message names it and never quotes a value."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Say which names a place may use.

    Each root name maps to None (a single value), to ``...`` (anything may stand below it) or to the set of members
    that are declared below it.
    """

    roots: Mapping[str, Any]

    def unknown(self, names: frozenset[Path]) -> Iterator[tuple[Path, list[str]]]:
        """Yield each name that is not declared, with the names that are declared beside it."""
        for name in sorted(names):
            below = self.roots.get(name[0], False)
            if below is False:
                yield name, [_shown(root, members) for root, members in self.roots.items()]
            elif len(name) == 1 or below is ...:
                continue
            elif below is None:
                yield name, [name[0]]
            elif name[1] not in below:
                yield name, [f"{name[0]}.{member}" for member in below]


def _shown(root: str, members: Any) -> str:
    return root if members is None else f"{root}.*"


@dataclass(frozen=True, slots=True)
class Expression:
    """Hold one parsed placeholder."""

    text: str
    names: frozenset[Path]
    path: Path | None
    """The dotted name, when the expression is nothing else."""

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return the value, revealed; None when it is null (absent, null or an empty text)."""
        found = self._found(values)
        if isinstance(found, str):
            if len(found) > MAX_RESULT:
                raise TemplateError(f"${{{self.text}}} gives more than {MAX_RESULT:,} characters.")
            return found or None
        return found

    def _found(self, values: Mapping[str, Any]) -> Any:
        if self.path is None:
            from nango_py.expression import evaluate  # noqa: PLC0415 - most programs need no Jinja

            return reveal(evaluate(self.text, self.names, values))
        found: Any = values
        for name in self.path:
            if found is None:
                return None
            if not isinstance(found, Mapping):
                raise TemplateError(f"${{{self.text}}}: there is nothing below {'.'.join(self.path[:-1])!r}.")
            found = found.get(name)
        return reveal(found)


@dataclass(frozen=True, slots=True)
class Template:
    """Hold a parsed text with placeholders."""

    text: str
    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[Path]:
        """Return the dotted names that the text looks up."""
        return frozenset().union(*(part.names for part in self.expressions))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Return the placeholders, in order."""
        return tuple(part for part in self.parts if isinstance(part, Expression))

    @property
    def is_plain(self) -> bool:
        """Tell whether the text holds no placeholder."""
        return len(self.parts) == 1 and isinstance(self.parts[0], str)  # texts side by side are one part

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return the value of a whole leaf, its type kept; None drops the leaf."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return self.parts[0].value(values)
        return self.render(values)

    def render(self, values: Mapping[str, Any], encode: Callable[[str], str] = str) -> str:
        """Return the text with every placeholder filled and passed through *encode*; a null one is an error."""
        return "".join(part if isinstance(part, str) else encode(_filled(part, values)) for part in self.parts)

    def shown(self, values: Mapping[str, Any], hidden: Callable[[Path], bool]) -> str:
        """Return the text for people: placeholders that look up a *hidden* name stay named, as ``<name>``."""
        return "".join(
            part if isinstance(part, str) else _shown_expression(part, values, hidden) for part in self.parts
        )


def _filled(expression: Expression, values: Mapping[str, Any]) -> str:
    value = expression.value(values)
    if value is None:
        raise TemplateError(f"${{{expression.text}}} has no value.")
    return to_text(value, f"${{{expression.text}}}")


def _shown_expression(expression: Expression, values: Mapping[str, Any], hidden: Callable[[Path], bool]) -> str:
    if any(hidden(name) for name in expression.names):
        return f"<{expression.text.strip()}>"
    try:
        value = expression.value(values)
        return f"<{expression.text.strip()}>" if value is None else to_text(value)
    except TemplateError:
        return f"<{expression.text.strip()}>"


def to_text(value: Any, what: str = "the value") -> str:
    """Return a single value as text (``true``, ``5``); lists and mappings have none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise TemplateError(f"{what} is {type(value).__name__}, not a single value.")


def reveal(value: Any) -> Any:
    """Return *value* with every secret in it revealed and an empty text as None."""
    if isinstance(value, Secret):
        return value.reveal() or None
    if isinstance(value, str):
        return value or None
    if isinstance(value, Mapping):
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(item) for item in value]
    return value


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    return value if isinstance(value, str) else reveal(value)


def plain_text(text: str) -> bool:
    """Tell whether *text* holds neither a placeholder nor an escaped one."""
    return "${" not in text


@lru_cache(maxsize=4096)
def split(text: str) -> Template:
    """Parse *text* into a template.

    Raises:
        TemplateError: A placeholder is not closed, too long, or no expression of the language.
    """
    parts: list[str | Expression] = []
    literal, at = "", 0
    while found := _OPENING.search(text, at):
        literal += text[at : found.start()]
        if found[0] == _ESCAPED:
            literal, at = literal + "${", found.end()
            continue
        end = _closing(text, found.end())
        parts += (
            [literal, _expression(text[found.end() : end])] if literal else [_expression(text[found.end() : end])]
        )
        literal, at = "", end + 1
    literal += text[at:]
    return Template(text, (*parts, literal) if literal or not parts else tuple(parts))


def _closing(text: str, start: int) -> int:
    """Return where the brace that closes the placeholder stands; braces and quotes inside it are balanced."""
    depth, quote, at = 1, "", start
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise TemplateError(f"the placeholder {text[start - 2 : start + 30]!r} is not closed with '}}'.")


def _expression(text: str) -> Expression:
    if len(text) > MAX_EXPRESSION:
        raise TemplateError(f"a placeholder has more than {MAX_EXPRESSION} characters.")
    if (dotted := _DOTTED.fullmatch(text)) and dotted[1] not in _RESERVED:
        path = (dotted[1], *dotted[2].split(".")[1:])
        return Expression(text.strip(), frozenset({path}), path)
    from nango_py.expression import names_of  # noqa: PLC0415 - most programs need no Jinja

    return Expression(text.strip(), names_of(text), None)


def tree(data: Any) -> Tree:
    """Return *data* with its texts parsed: mappings become read-only, lists become tuples."""
    if isinstance(data, str):
        return data if plain_text(data) else split(data)
    if isinstance(data, Mapping):
        return MappingProxyType({key: tree(value) for key, value in data.items()})
    if isinstance(data, list | tuple):
        return tuple(tree(item) for item in data)
    return data


def frozen(data: Any) -> Any:
    """Return *data* as it is, with read-only mappings and tuples: a text in it is no template, whatever it holds."""
    if isinstance(data, Mapping):
        return MappingProxyType({key: frozen(value) for key, value in data.items()})
    if isinstance(data, list | tuple):
        return tuple(frozen(item) for item in data)
    return data


def names_in(branch: Tree) -> frozenset[Path]:
    """Return the dotted names that a tree looks up."""
    if isinstance(branch, Template):
        return branch.names
    if isinstance(branch, Mapping):
        branch = tuple(branch.values())
    if isinstance(branch, tuple):
        return frozenset().union(*(names_in(item) for item in branch))
    return frozenset()


def render_tree(branch: Tree, values: Mapping[str, Any]) -> Any:
    """Return plain data with every placeholder filled.

    A leaf whose placeholder is null is dropped, and so is a mapping or list that this leaves empty; a written null
    stays. None is returned when the whole tree was dropped.
    """
    rendered = _rendered(branch, values)
    return None if rendered is _DROPPED else rendered


_DROPPED: Any = object()


def _rendered(branch: Tree, values: Mapping[str, Any]) -> Any:
    if isinstance(branch, Template):
        value = branch.value(values)
        return _DROPPED if value is None else value
    if isinstance(branch, Mapping):
        members = {key: _rendered(item, values) for key, item in branch.items()}
        kept = {key: item for key, item in members.items() if item is not _DROPPED}
        return kept if kept or not branch else _DROPPED
    if isinstance(branch, tuple):
        items = [item for item in (_rendered(item, values) for item in branch) if item is not _DROPPED]
        return items if items or not branch else _DROPPED
    return branch
