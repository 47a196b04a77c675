"""The one home of YAML: text becomes plain data that knows where every value stands.

YAML 1.2 core scalars (``no``, ``on`` and dates are text, ``010`` is ten), duplicate keys refused, no tags, no merge
keys; size, depth and aliases bounded. Nothing is raised: what is wrong becomes a :class:`Problem`.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from nango_py.document import MAX_DEPTH, Document, Mark, scalar
from nango_py.location import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

if yaml.__with_libyaml__:
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]
else:  # pragma: no cover - wheels of PyYAML carry libyaml; a build without it works, more slowly
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Parser(Reader, Scanner, Parser, Composer):  # type: ignore[no-redef]
        def __init__(self, stream: str) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)


__all__ = ["Span", "parse", "spans"]

MAX_CHARACTERS = 1_048_576
MAX_NODES = 100_000
MAX_PROBLEMS = 50
_PLAIN, _QUOTED, _COLLECTION = "plain", "quoted", "collection"


def parse(text: str, source: str, *, max_characters: int = MAX_CHARACTERS, max_nodes: int = MAX_NODES) -> Document:
    """Parse YAML *text* from *source* into a document; its ``data`` is None where nothing could be read."""
    if len(text) > max_characters:
        return _failed(source, 1, 1, "size", f"the file is larger than {max_characters:,} characters.")
    try:
        # Keys are nodes as well, and no values.
        node = _compose(text, max_nodes=2 * max_nodes)
    except _TooMany:
        return _failed(source, 1, 1, "size", f"more than {max_nodes:,} values.")
    except yaml.MarkedYAMLError as error:
        return _syntax_problem(error, text, source)
    except yaml.YAMLError as error:
        return _failed(source, 1, 1, "syntax", f"this is no YAML text: {_first_line(error)}.")
    except RecursionError:
        return _failed(source, 1, 1, "depth", f"the file is nested deeper than {MAX_DEPTH} levels.")
    if node is None:
        return _failed(source, 1, 1, "empty", "the file is empty.")
    walk = _Walk(source, max_nodes)
    try:
        data = walk.value(node, "", 0, _mark(node, node))
    except _TooMuch as stop:
        return Document(source=source, data=None, marks=walk.marks, problems=(*walk.problems, stop.problem))
    return Document(source=source, data=data, marks=walk.marks, problems=tuple(walk.problems))


class _TooMany(Exception):  # noqa: N818 - a signal, not an error
    """A text has more nodes than there is memory for."""


class _Loader(_Parser):
    """Compose nodes without judging scalars: the tag only tells how a node was written."""

    left = sys.maxsize
    """How many nodes more may be composed."""

    def resolve(self, kind: type, _value: Any, implicit: Any) -> str:
        self.left -= 1
        if self.left < 0:
            raise _TooMany
        if kind is not yaml.ScalarNode:
            return _COLLECTION
        return _PLAIN if implicit[0] else _QUOTED

    def descend_resolver(self, _parent: Any, _index: Any) -> None: ...

    def ascend_resolver(self) -> None: ...


def _compose(text: str, *, max_nodes: int = sys.maxsize) -> Any:
    loader = _Loader(text)
    loader.left = max_nodes
    try:
        return loader.get_single_node()
    finally:
        if hasattr(loader, "dispose"):
            loader.dispose()


class _TooMuch(Exception):  # noqa: N818 - a signal, not an error
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Walk:
    """Turn composed nodes into plain data, once."""

    def __init__(self, source: str, max_nodes: int) -> None:
        self.source = source
        self.max_nodes = max_nodes
        self.marks: dict[str, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def value(self, node: Any, pointer: str, depth: int, mark: Mark) -> Any:
        self.marks[pointer] = mark
        self.nodes += 1
        # An alias of an alias of an alias is small to parse and explodes here, where nodes are counted as walked.
        if self.nodes > self.max_nodes:
            message = f"more than {self.max_nodes:,} values, aliases expanded."
            raise _TooMuch(self._problem(mark, "size", message, pointer))
        if depth > MAX_DEPTH:
            raise _TooMuch(self._problem(mark, "depth", f"nested deeper than {MAX_DEPTH} levels.", pointer))
        if isinstance(node, yaml.MappingNode):
            self._check_tag(node, pointer, mark)
            return dict(self._members(node, pointer, depth))
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, pointer, mark)
            return [
                self.value(item, f"{pointer}/{index}", depth + 1, _mark(item, item))
                for index, item in enumerate(node.value)
            ]
        return self._scalar(node, pointer, mark)

    def _members(self, node: Any, pointer: str, depth: int) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            mark = _mark(key, value)
            if not isinstance(key, yaml.ScalarNode):
                self._report(mark, "key", "a key must be a plain text, not a list or a mapping.", pointer)
                continue
            name: str = key.value
            at = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name == "<<" and key.tag == _PLAIN:
                self._report(mark, "merge_key", "merge keys (<<) are not supported.", at, "Use extends_blueprint.")
                continue
            if name in seen:
                self._report(
                    mark, "duplicate_key", f"the key {name!r} stands twice; the first is in line {seen[name]}.", at
                )
                continue
            seen[name] = mark.key_line
            yield name, self.value(value, at, depth + 1, mark)

    def _scalar(self, node: Any, pointer: str, mark: Mark) -> Any:
        text: str = node.value
        if node.tag == _QUOTED:
            return text
        if node.tag != _PLAIN:
            self._check_tag(node, pointer, mark)
            return text
        if not text:
            self._report(
                mark,
                "empty_value",
                f"{_last(pointer)!r} has no value.",
                pointer,
                'Write null to delete an inherited value, "" for an empty text, or remove the key.',
            )
            return None
        return scalar(text)

    def _check_tag(self, node: Any, pointer: str, mark: Mark) -> None:
        if node.tag not in {_PLAIN, _QUOTED, _COLLECTION}:
            self._report(mark, "tag", f"YAML tags such as {node.tag!r} are not supported.", pointer)

    def _report(self, mark: Mark, code: str, message: str, pointer: str, hint: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(self._problem(mark, code, message, pointer, hint))

    def _problem(self, mark: Mark, code: str, message: str, pointer: str, hint: str = "") -> Problem:
        where = Location(source=self.source, line=mark.key_line, column=mark.key_column, pointer=pointer)
        return Problem(location=where, code=f"yaml.{code}", message=message, hint=hint, pointer=pointer)


def _mark(key: Any, value: Any) -> Mark:
    start, of_value = key.start_mark, value.start_mark
    return Mark(start.line + 1, start.column + 1, of_value.line + 1, of_value.column + 1)


def _last(pointer: str) -> str:
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~") or "the file"


def _failed(source: str, line: int, column: int, code: str, message: str, *, hint: str = "") -> Document:
    where = Location(source=source, line=line, column=column)
    problem = Problem(location=where, code=f"yaml.{code}", message=message, hint=hint)
    return Document(source=source, data=None, problems=(problem,))


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, source: str) -> Document:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    what = error.problem or error.context or "unreadable"
    hint = ""
    written = text.splitlines()[line] if line < text.count("\n") + 1 and text.splitlines()[line:] else ""
    if "${" in written and re.search(r"[{\[,]\s*([\w-]+:\s*)?[^'\"]*\$\{", written):
        hint = 'Inside { } or [ ] quote placeholders: "${...}".'
    if "\t" in written[: len(written) - len(written.lstrip())]:
        hint = "Indent with spaces: in YAML a tab is no indentation."
    return _failed(source, line + 1, column + 1, "syntax", f"YAML syntax: {what}.", hint=hint)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


class Span(NamedTuple):
    """Which characters of a text a member is: those of its key, if it has one, and those of its value."""

    key: tuple[int, int] | None
    value: tuple[int, int]
    is_flow: bool
    """Whether it is a list or mapping in brackets."""
    is_block: bool
    """Whether it is a list or mapping of indented lines, or a text of such."""


def spans(text: str) -> dict[str, Span]:
    """Return where each value of a sound YAML *text* stands, by JSON pointer; an alias is where its anchor is."""
    found: dict[str, Span] = {}
    _collect(_compose(text), None, "", found)
    return found


def _collect(node: Any, key: Any, pointer: str, found: dict[str, Span]) -> None:
    is_scalar = isinstance(node, yaml.ScalarNode)
    found[pointer] = Span(
        None if key is None else (key.start_mark.index, key.end_mark.index),
        (node.start_mark.index, node.end_mark.index),
        is_flow=not is_scalar and bool(node.flow_style),
        is_block=node.style in {"|", ">"} if is_scalar else not node.flow_style,
    )
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            _collect(value, name, f"{pointer}/{name.value.replace('~', '~0').replace('/', '~1')}", found)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _collect(item, None, f"{pointer}/{index}", found)
