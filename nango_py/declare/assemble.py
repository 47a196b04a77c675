"""Make one integration of the layers that declare it: merge, check, build."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nango_py.declare.build import Builder
from nango_py.declare.merge import merge
from nango_py.declare.origins import check_origins
from nango_py.declare.placeholders import check_names, check_syntax
from nango_py.declare.schema import check_complete

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.declare.merge import Layer, Merged
    from nango_py.location import Location, Problem
    from nango_py.model import Integration, UsedBlueprint
    from nango_py.secret import Secret

__all__ = ["Assembled", "assemble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """What layers make together: their merged keys, what is wrong with them, and the integration if nothing is."""

    merged: Merged
    problems: tuple[Problem, ...]
    integration: Integration | None


def assemble(
    name: str,
    layers: tuple[Layer, ...],
    *,
    location: Location,
    blueprints: tuple[UsedBlueprint, ...] = (),
    environment: Callable[[Builder], Mapping[str, Secret]] = lambda _: {},
) -> Assembled:
    """Return what the *layers*, the last one on top, declare under a *name*; *location* is where that stands.

    *environment* returns the values of the variables that placeholders name.
    """
    made = _made(name, layers, location, blueprints, environment)
    foreign = [problem for problem in made.problems if _is_foreign(problem, layers[-1])]
    if not foreign:
        return made
    alone = _made(name, layers[:-1], location, blueprints, environment)
    blamed = [
        _blame(problem, location) if problem in foreign and problem not in alone.problems else problem
        for problem in made.problems
    ]
    return replace(made, problems=tuple(blamed))


def _is_foreign(problem: Problem, own: Layer) -> bool:
    return problem.severity == "error" and problem.location.source != own.document.source


def _blame(problem: Problem, location: Location) -> Problem:
    """Return a problem of another file, sound by itself, as one of the place that refines it."""
    message = f"what is changed here leaves {problem.location} broken: {problem.message}"
    return replace(problem, location=location, message=message)


def _made(
    name: str,
    layers: tuple[Layer, ...],
    location: Location,
    blueprints: tuple[UsedBlueprint, ...],
    environment: Callable[[Builder], Mapping[str, Secret]],
) -> Assembled:
    merged = merge(layers)
    problems = list(check_complete(merged, location))
    integration = None
    if not _is_broken(problems):
        builder = Builder(name, merged, location)
        check_syntax(builder)
        if not builder.problems:
            integration = builder.build(blueprints, environment(builder))
            check_names(builder, integration)
            check_origins(builder, integration)
        problems += builder.problems
    sound = None if _is_broken(problems) else integration
    return Assembled(merged=merged, problems=tuple(problems), integration=sound)


def _is_broken(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)
