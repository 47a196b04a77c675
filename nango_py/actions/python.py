"""Actions that are Python: one function each, with what is known of it."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature
from typing import TYPE_CHECKING, Any

from nango_py.declare.patterns import patterns_in
from nango_py.errors import ConfigError, InputError, OutputError
from nango_py.json_schema import Schema
from nango_py.location import Location, Problem
from nango_py.model import Annotations

if TYPE_CHECKING:
    from pathlib import Path

    from nango_py.actions.mark import Mark

__all__ = [
    "PythonAction",
    "check_python_input",
    "check_python_output",
    "from_file",
    "from_function",
    "from_module",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonAction:
    """A loaded Python action."""

    name: str
    location: Location
    run: Callable[..., Any] = field(repr=False)
    is_async: bool
    description: str = ""
    input: Schema | None = None
    output: Schema | None = None
    scopes: tuple[str | tuple[str, ...], ...] = ()
    """What must be granted; of scopes in a tuple of their own, one."""
    annotations: Annotations = field(default_factory=Annotations)


def from_file(path: Path) -> PythonAction:
    """Return the action in a file, loaded by its path and never put on ``sys.path``.

    Raises:
        ConfigError: The file cannot be loaded, or defines no ``run(ctx, input)``.
    """
    location = Location(source=str(path), line=1, column=1)
    return from_module(path.stem, _loaded(path, location), location)


def from_module(name: str, module: Any, location: Location) -> PythonAction:
    """Return the action in a module: its ``run(ctx, input)``, and what its constants say.

    Raises:
        ConfigError: It has no ``run(ctx, input)``, or a constant is not what it should be.
    """
    run = getattr(module, "run", None)
    return _made(
        name,
        run,
        location,
        description=getattr(module, "DESCRIPTION", None),
        input=("INPUT", getattr(module, "INPUT", None)),
        output=("OUTPUT", getattr(module, "OUTPUT", None)),
        scopes=getattr(module, "SCOPES", ()),
        annotations=("ANNOTATIONS", getattr(module, "ANNOTATIONS", {})),
    )


def from_function(name: str, run: Any, mark: Mark | None, location: Location) -> PythonAction:
    """Return the action that a function is, with what ``@nango_py.action`` said of it.

    Raises:
        ConfigError: It does not take ``(ctx, input)``, or what was said is not what it should be.
    """
    if mark is None:
        return _made(name, run, location)
    return _made(
        name,
        run,
        location,
        description=mark.description,
        input=("input=", mark.input),
        output=("output=", mark.output),
        scopes=mark.scopes,
        annotations=("annotations=", mark.annotations),
    )


def check_python_input(action: PythonAction, given: Any, who: str) -> dict[str, Any]:
    """Return a Python action's input.

    Raises:
        InputError: It does not fit its INPUT schema.
    """
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"{who}: the input must be a mapping, not {type(given).__name__}.")
    values = dict(given or {})
    found = [] if action.input is None else [str(violation) for violation in action.input.violations(values)]
    if found:
        raise InputError(f"{who}: the input does not fit: " + " ".join(found))
    return values


def check_python_output(integration: str, action: PythonAction, output: Any) -> Any:
    """Return a Python action's output.

    Raises:
        OutputError: It does not keep the OUTPUT schema.
    """
    found = [] if action.output is None else [str(violation) for violation in action.output.violations(output)]
    if found:
        raise OutputError(
            f"integration {integration!r}, action {action.name!r}: the output does not keep its OUTPUT schema: "
            + " ".join(found[:5]),
            integration=integration,
            action=action.name,
        )
    return output


def _made(
    name: str,
    run: Any,
    location: Location,
    *,
    description: Any = None,
    input: tuple[str, Any] = ("", None),  # noqa: A002 - DESIGN's word
    output: tuple[str, Any] = ("", None),
    scopes: Any = (),
    annotations: tuple[str, Any] = ("", {}),
) -> PythonAction:
    if not callable(run) or not _takes_two(run):
        raise _problem(location, "it defines no function run(ctx, input).")
    if isgeneratorfunction(run) or isasyncgenfunction(run):
        raise _problem(location, "an action returns its output, and does not yield: return a list.")
    return PythonAction(
        name=name,
        location=location,
        run=run,
        is_async=iscoroutinefunction(run),
        description=str(run.__doc__ or "" if description is None else description).strip(),
        input=_schema(location, *input),
        output=_schema(location, *output),
        scopes=_scopes(location, scopes),
        annotations=_annotations(location, *annotations),
    )


def _takes_two(run: Callable[..., Any]) -> bool:
    try:
        signature(run).bind(None, None)
    except TypeError:
        return False
    except ValueError:
        return True  # nothing is known of what is written in C
    return True


class _Loader(SourceFileLoader):
    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Offer nothing to know compiled code by: it is kept by whole seconds, and may be older than its source."""
        raise OSError(path)


def _loaded(path: Path, location: Location) -> Any:
    # Under a name that no import leads to; dataclasses look their module up by it.
    name = f"nango_py_action_{sha256(str(path).encode()).hexdigest()[:16]}"
    loader = _Loader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        raise AssertionError("a loader of files has a spec")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = error.lineno if isinstance(error, SyntaxError) else None
        place = Location(source=location.source, line=line or 1, column=1)
        raise _problem(place, f"it cannot be loaded: {type(error).__name__}: {error}.") from error
    return module


def _schema(location: Location, name: str, document: Any) -> Schema | None:
    if document is None:
        return None
    schema = Schema(document, takes_files=name == "INPUT")
    flaws = list(schema.flaws()) if isinstance(document, Mapping) else ["it is no mapping"]
    if flaws:
        raise _problem(location, f"{name} is no JSON Schema: {flaws[0]}.")
    for pointer, pattern in patterns_in(document, ""):
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise _problem(location, f"{name} has no regular expression at {pointer}: {error}.") from None
    return schema


def _scopes(location: Location, written: Any) -> tuple[str | tuple[str, ...], ...]:
    """Return the scopes, of which a list within the list is one of those that will do."""
    if isinstance(written, list | tuple):
        found = tuple(tuple(scope) if isinstance(scope, list | tuple) else scope for scope in written)
        if all(isinstance(scope, str) for one in found for scope in (one if isinstance(one, tuple) else (one,))):
            return found
    raise _problem(location, "SCOPES is a list of texts.")


def _annotations(location: Location, name: str, written: Any) -> Annotations:
    try:
        return Annotations(**written)
    except TypeError:
        known = ", ".join(known.name for known in fields(Annotations))
        raise _problem(location, f"{name} is a mapping of some of {known}.") from None


def _problem(location: Location, message: str) -> ConfigError:
    return ConfigError(Problem(location=location, code="action.python", message=message))
