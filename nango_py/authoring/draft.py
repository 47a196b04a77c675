"""A blueprint on its way into a file: plain data, and comments beside its keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from nango_py.authoring.new_file import write_new
from nango_py.declare import load
from nango_py.declare.editor import modeline, write_schemas
from nango_py.errors import ConfigError, UsageError
from nango_py.yaml_text import MAX_CHARACTERS, parse
from nango_py.yaml_writer import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.location import Problem
    from nango_py.model import Integration

__all__ = ["VERSION", "Draft"]

VERSION = "v0"
_INTEGRATION = "drafted"
_WIDTH = 120
_MARKS = re.compile(r"(nango-py|yaml-language-server)\s*:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Hold a blueprint's keys, and comments by the JSON pointer of the key that each stands above."""

    data: Mapping[str, Any]
    comments: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The blueprint's name."""
        name: str = self.data["name"]
        return name

    def text(self) -> str:
        """Return the file's text."""
        written = yaml_text(dict(self.data))
        marks = parse(written, self.name, max_characters=len(written)).marks
        lines = written.splitlines()
        above: dict[int, list[str]] = {}
        for pointer, comment in self.comments.items():
            if (mark := marks.get(pointer)) is not None:
                above.setdefault(mark.key_line, []).extend(_comment(comment, " " * (mark.key_column - 1)))
        with_comments = [text for at, line in enumerate(lines, 1) for text in (*above.get(at, ()), line)]
        return "\n".join((*with_comments, ""))

    def check(self) -> tuple[Integration | None, tuple[Problem, ...]]:
        """Return the integration that the blueprint makes, if it is sound, and the problems of it.

        Raises:
            UsageError: It would be larger than a file may be.
        """
        text = self.text()
        if len(text) > MAX_CHARACTERS:
            raise UsageError(
                f"{self.name}.yaml would be larger than {MAX_CHARACTERS:,} characters: take fewer actions."
            )
        with TemporaryDirectory() as folder:
            (Path(folder) / f"{self.name}.yaml").write_text(text, encoding="utf-8")
            declared = load(
                {"integrations": {_INTEGRATION: {"extends_blueprint": f"{self.name}:{VERSION}"}}},
                blueprints=[folder],
                environ={},
            )
        errors = tuple(problem for problem in declared.problems if problem.severity == "error")
        return declared.integrations.get(_INTEGRATION), errors

    def integration(self) -> Integration:
        """Return the integration that the blueprint makes.

        Raises:
            ConfigError: It is not sound.
        """
        found, problems = self.check()
        if found is None:
            raise ConfigError(problems)
        return found

    def write(self, folder: Path, project: Path) -> Path:
        """Write the file into *folder*; one that is there already stays as it is.

        Its first line tells editors the schema, which is written beside the integrations of the *project*.

        Raises:
            UsageError: It cannot be written.
        """
        path = folder / f"{self.name}.yaml"
        text = f"{modeline('blueprint', path, project)}\n{self.text()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_schemas(project)
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be written: {error.strerror}.") from None
        try:
            write_new(path, text)
        except FileExistsError:
            raise UsageError(f"{path} exists already; it was left as it is.") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
        return path


def _comment(text: str, indent: str) -> Iterator[str]:
    for line in text.splitlines():
        # What a description says must be no word to the tools that read comments.
        harmless = _MARKS.sub(r"\1", line)
        readable = "".join(char if char.isprintable() else " " for char in harmless)
        yield from wrap(readable, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
