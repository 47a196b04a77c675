"""Find blueprint files: beside ``integrations.yaml``, built in, or in an installed pack."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.document import Document

__all__ = [
    "BUILT_IN",
    "RESERVED",
    "Catalogue",
    "Found",
    "Reference",
    "Source",
    "built_in_folder",
    "is_module",
    "read_file",
    "read_written",
    "shown",
]

BUILT_IN, LOCAL = "builtin", "local"
RESERVED = frozenset({BUILT_IN, LOCAL})
"""Labels that no pack may take: what it says would count as the user's own."""
GROUP = "nango_py.blueprints"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_REFERENCE = re.compile(r"(?:([a-z0-9][a-z0-9-]*)/)?([a-z0-9][a-z0-9-]*)(?::(v[0-9]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A written blueprint key: ``name``, ``name:version`` or ``pack/name:version``."""

    pack: str | None
    name: str
    version: str | None

    @classmethod
    def read(cls, text: str) -> Reference | None:
        """Return the reference that *text* is, or None."""
        match = _REFERENCE.fullmatch(text)
        return match and cls(pack=match[1], name=match[2], version=match[3])

    def __str__(self) -> str:
        pack = f"{self.pack}/" if self.pack else ""
        return f"{pack}{self.name}" + (f":{self.version}" if self.version else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A folder of blueprint files, and where it belongs: ``local``, ``builtin`` or a pack's name."""

    label: str
    folder: Path

    def file(self, name: str) -> Path | None:
        """Return the file of the blueprint *name*, if it is here."""
        path = self.folder / f"{name}.yaml"
        return path if path.is_file() else None

    def names(self) -> Iterator[str]:
        """Yield the names of the blueprints that are here, in order."""
        if self.folder.is_dir():
            yield from sorted(path.stem for path in self.folder.glob("*.yaml") if _NAME.fullmatch(path.stem))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A blueprint file: parsed, with the source that it came from and the packs that repeat its name."""

    source: Source
    path: Path
    document: Document
    rivals: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """Search *folders* first, then the built-in catalogue, then packs; only what is asked for is parsed."""

    folders: tuple[Path, ...] = ()
    parsed: dict[Path, Document] = field(default_factory=dict)
    """The files that were asked for, or that somebody has in another form than the disk."""

    def sources(self) -> tuple[Source, ...]:
        """Return where blueprints come from, first hit first."""
        local = tuple(Source(label=LOCAL, folder=folder) for folder in self.folders)
        return (*local, Source(label=BUILT_IN, folder=built_in_folder()), *_packs())

    def find(self, reference: Reference) -> Found | None:
        """Return the file that *reference* means, or None."""
        hits = [(source, path) for source in self.sources() if (path := source.file(reference.name))]
        if reference.pack is not None:
            hits = [(source, path) for source, path in hits if source.label == reference.pack][:1]
        if not hits:
            return None
        source, path = hits[0]
        rivals = tuple(other.label for other, _ in hits[1:] if other.label not in RESERVED)
        return Found(source=source, path=path, document=self._document(path), rivals=rivals)

    def names(self, pack: str | None = None) -> tuple[str, ...]:
        """Return the name of every blueprint, or of those of one *pack*."""
        sources = [source for source in self.sources() if pack in {None, source.label}]
        return tuple(sorted({name for source in sources for name in source.names()}))

    def _document(self, path: Path) -> Document:
        if path not in self.parsed:
            self.parsed[path] = read_file(path)
        return self.parsed[path]


def read_written(written: str) -> tuple[str, tuple[Path, ...]]:
    """Return the blueprint key that somebody wrote, and the folder to look in first where they wrote a file.

    They write ``close:v0``, ``blueprints/close.yaml:v0``, or either without a version.

    Raises:
        UsageError: There is no such file, or it cannot be a blueprint's.
    """
    name, colon, version = written.rpartition(":")
    if Path(written).suffix in {".yaml", ".yml"} or not colon:
        name, colon, version = written, "", ""  # a folder may have a colon in its name, as a drive has
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"}:
        return written, ()
    if not path.is_file():
        raise UsageError(f"there is no file {path}. The blueprints at hand are named by: nango-py blueprints list")
    if path.suffix != ".yaml":
        raise UsageError(f"{path}: the name of a blueprint file ends in .yaml.")
    return f"{path.stem}{colon and f':{version}'}", (path.parent,)


def read_file(path: Path) -> Document:
    """Return the document of a file; one that is no UTF-8 text has a problem.

    Raises:
        OSError: It cannot be read.
    """
    from nango_py.yaml_text import parse  # noqa: PLC0415 - 20 ms that a program without files does not pay

    source = shown(path)
    try:
        return parse(path.read_text(encoding="utf-8"), source)
    except UnicodeDecodeError:
        return parse("\0", source)


def shown(path: Path) -> str:
    """Return how reports name a file: from where the program runs, if it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def built_in_folder() -> Path:
    """Return the folder of the built-in catalogue: inside the package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "blueprints"
    return shipped if shipped.is_dir() else package.parent / "blueprints"


@lru_cache(maxsize=1)
def _packs() -> tuple[Source, ...]:
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return tuple(
        Source(label=entry.name, folder=_folder(entry))
        for entry in entries
        if entry.dist is not None and entry.name not in RESERVED and is_module(entry.value)
    )


def is_module(value: object) -> bool:
    """Tell whether an entry point's value is a folder, written as a module: such a one lies inside its package."""
    return isinstance(value, str) and _MODULE.fullmatch(value) is not None


def _folder(entry: EntryPoint) -> Path:
    """Return where a pack's blueprints lie. It is data: the distribution locates it, its code is never imported."""
    package, _, rest = entry.value.partition(".")
    folder = Path(str(entry.dist and entry.dist.locate_file(package)))
    if not folder.is_dir() and (spec := find_spec(package)) and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations)))  # installed to be edited: it lies elsewhere
    return folder / rest.replace(".", "/")
