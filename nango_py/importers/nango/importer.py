"""Import a catalogue: convert its entries, keep those that load, write them and say what was lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nango_py.authoring.names import is_blueprint_name, one_line
from nango_py.authoring.new_file import replace_file, write_new
from nango_py.authoring.report import Imported, Report
from nango_py.declare import load
from nango_py.errors import UsageError
from nango_py.importers.nango.catalogue import BadAlias, read_catalogue, resolved
from nango_py.importers.nango.entry import Converted, convert
from nango_py.location import did_you_mean
from nango_py.yaml_writer import yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["import_catalogue"]

_NOT_HERE = frozenset({"auth.extra"})
"""Problems that another machine may not have: a package that is not installed on this one."""


def import_catalogue(path: Path, folder: Path, *, only: Sequence[str] = (), overwrite: bool = False) -> Report:
    """Write a blueprint into *folder* for each entry of the catalogue at *path*, or for *only* those that are named.

    A file that is there already and differs stays, unless *overwrite*. Only blueprints that load are written.

    Raises:
        UsageError: The catalogue cannot be read, the folder not be written, or no entry is called so.
        ConfigError: The catalogue is no mapping of providers.
    """
    catalogue = read_catalogue(path)
    for name in only:
        if name not in catalogue:
            raise UsageError(f"{path} has no provider {name!r}. {did_you_mean(name, catalogue)}".rstrip())
    names = [name for name in catalogue if not only or name in only]
    source = one_line(path.name)
    converted = {name: _converted(catalogue, name, source) for name in names}
    texts = {name: yaml_text(one.document) for name, one in converted.items() if one.document and not one.problem}
    problems = {name: one.problem for name, one in converted.items()} | _problems(texts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entries = [
            _written(name, converted[name], problems[name], texts.get(name), folder, overwrite=overwrite)
            for name in names
        ]
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.") from None
    return Report(source=source, entries=tuple(entries))


def _converted(catalogue: Mapping[str, object], name: str, source: str) -> Converted:
    if not is_blueprint_name(name):
        problem = "a blueprint's name is of up to 80 lower-case letters, digits and hyphens: it is that of a file."
        return Converted(document=None, problem=problem)
    try:
        return convert(name, resolved(catalogue, name), source=source)
    except BadAlias as error:
        return Converted(document=None, problem=f"{error}.")


def _problems(texts: Mapping[str, str]) -> dict[str, str]:
    """Return why a blueprint does not load, for those that do not."""
    with TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / f"{name}.yaml").write_text(text, encoding="utf-8")
        integrations = {name: {"extends_blueprint": f"{name}:v0"} for name in texts}
        declared = load({"integrations": integrations}, blueprints=[folder], environ={})
    found = {}
    for name, problems in declared.broken.items():
        errors = [one for one in problems if one.severity == "error" and one.code not in _NOT_HERE]
        if errors:
            found[name] = " ".join(f"{one.pointer}: {one.message}" for one in errors)
    return found


def _written(
    name: str, converted: Converted, problem: str, text: str | None, folder: Path, *, overwrite: bool
) -> Imported:
    done = Imported(name=name, problem=problem, findings=converted.findings)
    if problem or text is None:
        return done
    path = folder / f"{name}.yaml"
    try:
        write_new(path, text)
    except FileExistsError:
        if not (path.is_file() and path.read_bytes() == text.encode()):
            if not overwrite:
                return replace(done, problem=f"{path} is there already and differs: --overwrite replaces it.")
            replace_file(path, text)
    return replace(done, blueprint=path.name, cautions=converted.cautions)
