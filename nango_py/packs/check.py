"""Look at a pack as those who install it will meet it: its blueprints one by one, and its wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from nango_py.declare.catalogue import BUILT_IN, GROUP, RESERVED, Catalogue, is_module
from nango_py.declare.loosened import loosened
from nango_py.errors import UsageError
from nango_py.lint.run import findings_in_file
from nango_py.testing.suite import Check, conformance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Pack", "check_pack", "read_pack"]

_BUILD_SECONDS = 300
_TOLD = 2000
"""How much of a failed build's output is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack's project: its folder, its name, and the folder of its blueprints, in the project and in the wheel."""

    project: Path
    name: str
    blueprints: Path
    installed: str
    backend: str

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the blueprint files, in order."""
        return tuple(sorted(self.blueprints.glob("*.yaml")))


def read_pack(project: Path) -> Pack:
    """Return the pack whose ``pyproject.toml`` lies in the folder *project*.

    Raises:
        UsageError: There is none, or it is no pack's.
    """
    path = project / "pyproject.toml"
    try:
        declared = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{path} is no TOML: {error}.") from None
    entries = _table(declared, "project", "entry-points", GROUP)
    if len(entries) != 1:
        raise UsageError(f'{path} declares no pack: [project.entry-points."{GROUP}"] is to have one entry.')
    ((name, value),) = entries.items()
    if not is_module(value):
        raise UsageError(f"{path}: the entry point {name} = {value!r} is no folder written as a module.")
    installed = value.replace(".", "/")
    folders = [folder for folder in (project / installed, project / "src" / installed) if folder.is_dir()]
    if not folders:
        raise UsageError(f"{path}: the entry point {name} = {value!r} leads to no folder {installed}.")
    backend = str(_table(declared, "build-system").get("build-backend", "setuptools.build_meta"))
    return Pack(project=project, name=name, blueprints=folders[0], installed=installed, backend=backend)


def _table(declared: Any, *names: str) -> Mapping[str, Any]:
    """Return the table at *names*, empty where there is none."""
    for name in names:
        declared = declared.get(name) if isinstance(declared, dict) else None
    return declared if isinstance(declared, dict) else {}


def check_pack(pack: Pack) -> Iterator[Check]:
    """Yield what is found: of its names, of each blueprint, of each version's conduct, of its wheel."""
    yield _names(pack)
    catalogue = Catalogue(folders=(pack.blueprints,))
    for path in pack.files:
        found = list(findings_in_file(path, catalogue))
        errors = [finding.problem for finding in found if finding.problem.severity == "error"]
        warnings = [finding.problem for finding in found if finding.problem.severity != "error"]
        yield Check(id=f"check.{path.stem}", ok=not errors, message="\n".join(map(str, errors or warnings)))
        if not errors:
            document = catalogue.parsed[path]
            for version in (name for name in document.data["versions"] if not name.startswith("x-")):
                yield _network(f"{path.stem}:{version}", document.data["versions"][version])
                yield from _conduct(pack, f"{path.stem}:{version}")
    yield from _wheel(pack)


def _names(pack: Pack) -> Check:
    if pack.name in RESERVED:
        return Check(id="names", ok=False, message=f"a pack cannot be called {pack.name}: nobody would find it.")
    if not pack.files:
        return Check(id="names", ok=False, message=f"there is no blueprint (*.yaml) in {pack.blueprints}.")
    taken = {path.stem for path in pack.files} & set(Catalogue().names(BUILT_IN))
    message = f"built in already: {', '.join(sorted(taken))}. Whoever extends them would have to say which is meant."
    return Check(id="names", ok=not taken, message=message if taken else "")


def _network(key: str, keys: Mapping[str, Any]) -> Check:
    found = [name for name, _ in loosened(keys.get("network"))]
    message = (
        f"network.{', network.'.join(found)}: users decide that, and an integration that extends this is broken."
    )
    return Check(id=f"network.{key}", ok=not found, message=message if found else "")


def _conduct(pack: Pack, key: str) -> Iterator[Check]:
    try:
        found = conformance(key, blueprints=[pack.blueprints])
    except UsageError as error:
        yield Check(id=f"conformance.{key}", ok=None, message=str(error))
        return
    for check in found:
        yield Check(id=f"conformance.{key}.{check.id}", ok=check.ok, message=check.message)


def _wheel(pack: Pack) -> Iterator[Check]:
    with TemporaryDirectory() as folder:
        command = _build_command(pack, folder)
        if command is None:
            yield Check(id="wheel.build", ok=None, message="neither pip nor uv is here to build it.")
            return
        done = subprocess.run(  # noqa: S603 - the command is made here; what it builds is the author's own
            command, capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS
        )
        wheels = list(Path(folder).glob("*.whl"))
        yield Check(id="wheel.build", ok=bool(wheels), message="" if wheels else done.stderr.strip()[-_TOLD:])
        if wheels:
            with ZipFile(wheels[0]) as wheel:
                yield from _contents(pack, wheel)


def _build_command(pack: Pack, folder: str) -> list[str] | None:
    """Return what builds the wheel: with the backend that is here, or else one that pip or uv fetches."""
    is_here = find_spec(pack.backend.partition(".")[0]) is not None
    isolation = ["--no-build-isolation"] if is_here else []
    if find_spec("pip") is not None:
        options = ["--quiet", "--no-deps", "--disable-pip-version-check", "--wheel-dir", folder]
        return [sys.executable, "-m", "pip", "wheel", *options, *isolation, str(pack.project.resolve())]
    uv = shutil.which("uv")
    return [uv, "build", "--wheel", "--out-dir", folder, *isolation, str(pack.project.resolve())] if uv else None


def _contents(pack: Pack, wheel: ZipFile) -> Iterator[Check]:
    names = set(wheel.namelist())
    missing = [path.name for path in pack.files if f"{pack.installed}/{path.name}" not in names]
    message = f"not in it, below {pack.installed}/: {', '.join(missing)}. Declare them as package data."
    yield Check(id="wheel.files", ok=not missing, message=message if missing else "")
    declared = "".join(_text(wheel, name) for name in names if name.endswith(".dist-info/entry_points.txt"))
    is_there = f"[{GROUP}]" in declared and pack.name in declared
    yield Check(id="wheel.entry_point", ok=is_there, message="" if is_there else f"it has no entry point of {GROUP}.")


def _text(wheel: ZipFile, name: str) -> str:
    content: Any = wheel.read(name)
    return str(content, "utf-8")
