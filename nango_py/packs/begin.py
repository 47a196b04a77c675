"""The files of a new pack."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from nango_py.declare.catalogue import GROUP, RESERVED, Catalogue
from nango_py.declare.editor import modeline, write_schemas
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["begin_pack", "pack_files"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_TEXTS = Path(__file__).parent / "new"


class _Text(Template):
    """A text with ``@{...}`` for what differs: braces and ``${...}`` are YAML's and the blueprint's own."""

    delimiter = "@"


def begin_pack(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the files of a new pack into *folder*, which is made, and return their paths.

    Raises:
        UsageError: The name does not do, or the folder is there and not empty.
        OSError: They cannot be written.
    """
    if name in RESERVED:
        raise UsageError(f"{name!r} is no name for a pack: it stands for blueprints that are no pack's.")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a pack: lower case, digits and single hyphens, as in acme-blueprints."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty; it was left as it is.")
    written = []
    for path, text in pack_files(name).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8", newline="\n")
        written.append(target)
    write_schemas(folder)
    return tuple(written)


def pack_files(name: str) -> Mapping[str, str]:
    """Return the texts of a new pack's files, by path."""
    module, blueprint = name.replace("-", "_"), _blueprint_name(name)
    file = Path(module, "blueprints", f"{blueprint}.yaml")
    words = {
        "name": name,
        "module": module,
        "blueprint": blueprint,
        "function": blueprint.replace("-", "_"),
        "title": blueprint.replace("-", " ").title(),
        "group": GROUP,
        "version": version("nango-py"),
        "modeline": modeline("blueprint", file, Path()),
    }
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{module}/__init__.py": "__init__.py",
        file.as_posix(): "blueprint.yaml",
        "tests/test_blueprints.py": "test_blueprints.py",
    }
    return {path: _Text((_TEXTS / f"{kind}.in").read_text("utf-8")).substitute(words) for path, kind in files.items()}


def _blueprint_name(name: str) -> str:
    bare = name.removesuffix("-blueprints")
    return f"{bare}-example" if bare in Catalogue().names() else bare
