"""Which actions an integration has: declared ones, and Python ones from three places."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nango_py import forks
from nango_py.actions.mark import marks_of, place_of
from nango_py.actions.python import PythonAction, from_file, from_function, from_module
from nango_py.errors import ConfigError, UnknownAction, UsageError
from nango_py.location import Location, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from importlib.metadata import EntryPoint
    from pathlib import Path

    from nango_py.model import Action, Integration

__all__ = ["GROUP", "Registry"]

GROUP = "nango_py.actions"
"""The group of entry points that name actions: ``<integration or blueprint>.<action>``."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A Python action that is not loaded yet, and where it was found."""

    name: str
    place: Location
    load: Callable[[], PythonAction] = field(repr=False)
    problem: Problem | None = None


class Registry:
    """Find actions: in the files beside ``integrations.yaml``, among those given, and in installed packages.

    It looks once; what changes afterwards is not seen.
    """

    def __init__(self, folder: Path | None, given: Iterable[object] = ()) -> None:
        self._folder = folder
        self._given = tuple(_given(given))
        self._lock = forks.Lock()
        self._found: dict[str, Mapping[str, tuple[_Found, ...]]] = {}
        self._loaded: dict[tuple[str, str], PythonAction] = {}
        self._packs: tuple[tuple[str, _Found], ...] | None = None

    def names(self, integration: Integration) -> list[str]:
        """Return the names of an integration's actions; nothing is loaded."""
        return sorted({*integration.actions, *self._of(integration)})

    def problems(self, integrations: Mapping[str, Integration]) -> tuple[Problem, ...]:
        """Return what is wrong with where actions were found; nothing is loaded."""
        wrong = [
            problem
            for integration in integrations.values()
            for name, found in self._of(integration).items()
            if (problem := _problem_of(integration, name, found)) is not None
        ]
        known = {name for integration in integrations.values() for name in _names_of(integration)}
        lost = [_lost(owner, found, known) for owner, found in self._given if owner not in known]
        return (*wrong, *lost)

    def get(self, integration: Integration, name: str) -> Action | PythonAction:
        """Return an action; a Python one is loaded when it is first asked for.

        Raises:
            UnknownAction: The integration has none of that name.
            ConfigError: It was found twice, or cannot be loaded.
        """
        found = self._of(integration).get(name)
        if found is None:
            declared = integration.actions.get(name)
            if declared is None:
                who = f"{integration.location}: integration {integration.name!r}"
                hint = did_you_mean(str(name), self.names(integration))
                raise UnknownAction(f"{who} has no action {name!r}. {hint}".rstrip())
            return declared
        problem = _problem_of(integration, name, found)
        if problem is not None:
            raise ConfigError(problem)
        with self._lock:
            loaded = self._loaded.get((integration.name, name))
            if loaded is None:
                loaded = self._loaded[integration.name, name] = found[0].load()
            return loaded

    def _of(self, integration: Integration) -> Mapping[str, tuple[_Found, ...]]:
        """Return the Python actions of an integration, by name."""
        known = self._found.get(integration.name)
        if known is None:
            with self._lock:
                if self._packs is None:
                    self._packs = tuple(_in_packs())
                owners = _names_of(integration)
                named = [found for owner, found in (*self._given, *self._packs) if owner in owners]
                known = {}
                for found in (*_in_folder(self._folder, integration.name), *named):
                    known[found.name] = (*known.get(found.name, ()), found)
                self._found[integration.name] = known
        return known


def _names_of(integration: Integration) -> set[str]:
    """Return what an integration goes by: its own name, and those of the blueprints that it extends."""
    keys = (used.key.rpartition("/")[2].partition(":")[0] for used in integration.blueprints)
    return {integration.name, *keys}


def _in_folder(folder: Path | None, integration: str) -> Iterator[_Found]:
    """Yield the actions in ``<integration>/<action>.py`` beside ``integrations.yaml``; none from anywhere else."""
    if folder is None or not (folder / integration).is_dir():
        return
    inside = folder.resolve() / integration
    for path in sorted((folder / integration).glob("*.py")):
        if not _NAME.fullmatch(path.stem):
            continue
        found = _Found(
            name=path.stem, place=Location(source=str(path), line=1, column=1), load=partial(from_file, path)
        )
        if not path.resolve().is_relative_to(inside):
            problem = Problem(
                location=found.place,
                code="action.outside",
                message=f"the file is a link that leads out of {integration}/.",
                hint="Copy the file, or give its function to Nango.load(actions=[...]).",
            )
            found = replace(found, problem=problem)
        yield found


def _given(values: Iterable[object]) -> Iterator[tuple[str, _Found]]:
    """Yield the actions among decorated functions, and in modules, with whose they are."""
    for value in values:
        functions = _functions_in(value) if isinstance(value, ModuleType) else (value,)
        marked = [(function, mark) for function in functions for mark in marks_of(function)]
        if not marked:
            name = getattr(value, "__name__", repr(value))
            raise UsageError(f"actions=: {name} holds no action. Decorate a function with @nango_py.action(...).")
        for function, mark in marked:
            place = place_of(function)
            load = partial(from_function, mark.name, function, mark, place)
            yield mark.integration, _Found(name=mark.name, place=place, load=load)


def _functions_in(module: ModuleType) -> tuple[Any, ...]:
    """Return a module's own functions that are actions, each once."""
    found = [value for value in vars(module).values() if marks_of(value) and value.__module__ == module.__name__]
    return tuple({id(value): value for value in found}.values())


def _in_packs() -> Iterator[tuple[str, _Found]]:
    """Yield the actions that installed packages name, with whose they are; no package is imported."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        owner, _, name = entry.name.rpartition(".")
        pack = "" if entry.dist is None else f"{entry.dist.name}: "
        place = Location(source=f"{pack}entry point {entry.name} = {entry.value}")
        if not owner or not _NAME.fullmatch(name):
            continue  # the packager's mistake; there is no integration to tell it of
        yield owner, _Found(name=name, place=place, load=partial(_from_entry, name, entry, place))


def _from_entry(name: str, entry: EntryPoint, place: Location) -> PythonAction:
    try:
        value = entry.load()
    except Exception as error:
        message = f"it cannot be loaded: {type(error).__name__}: {error}."
        raise ConfigError(Problem(location=place, code="action.python", message=message)) from error
    if isinstance(value, ModuleType):
        return from_module(name, value, place)
    marks = marks_of(value)
    return from_function(name, value, marks[-1] if marks else None, place)


def _problem_of(integration: Integration, name: str, found: tuple[_Found, ...]) -> Problem | None:
    declared = integration.actions.get(name)
    places = [*([] if declared is None else [declared.location]), *(one.place for one in found)]
    if len(places) == 1:
        return found[0].problem
    return Problem(
        location=places[0],
        code="action.twice",
        message=f"action {name!r} of {integration.name!r} is here and in {' and in '.join(map(str, places[1:]))}.",
        hint="Rename or remove one of them.",
    )


def _lost(owner: str, found: _Found, known: Iterable[str]) -> Problem:
    return Problem(
        location=found.place,
        code="action.unknown_integration",
        message=f"action {found.name!r} is for {owner!r}, and there is no such integration.",
        hint=did_you_mean(owner, known),
    )
