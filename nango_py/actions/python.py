"""Actions that are Python: ``<integration>/<action>.py`` beside ``integrations.yaml``."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from nango_py.errors import ConfigError, InputError, OutputError
from nango_py.json_schema import Schema
from nango_py.location import Location, Problem
from nango_py.model import Annotations

if TYPE_CHECKING:
    from pathlib import Path

    from nango_py.model import Integration

__all__ = [
    "PythonAction",
    "check_python_input",
    "check_python_output",
    "check_twice",
    "find_python_actions",
    "load_python_action",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonAction:
    """A loaded Python action."""

    name: str
    path: Path
    run: Callable[..., Any] = field(repr=False)
    is_async: bool
    description: str = ""
    input: Schema | None = None
    output: Schema | None = None
    scopes: tuple[str, ...] = ()
    annotations: Annotations = field(default_factory=Annotations)


def find_python_actions(folder: Path | None, integration: str) -> Mapping[str, Path]:
    """Return the files of an integration's Python actions, by action name; nothing is loaded."""
    if folder is None or not (folder / integration).is_dir():
        return {}
    files = sorted((folder / integration).glob("*.py"))
    return {path.stem: path for path in files if _NAME.fullmatch(path.stem)}


def check_twice(integration: Integration, files: Mapping[str, Path]) -> tuple[Problem, ...]:
    """Return a problem for each action that is both declared and a Python file."""
    return tuple(
        Problem(
            location=integration.actions[name].location,
            code="action.twice",
            message=f"action {name!r} is declared here and in {path.parent.name}/{path.name}.",
            hint="Rename or remove one of them.",
        )
        for name, path in files.items()
        if name in integration.actions
    )


def load_python_action(path: Path) -> PythonAction:
    """Return the action in a file, loaded by its path and never put on ``sys.path``.

    Raises:
        ConfigError: The file cannot be loaded, or defines no ``run(ctx, input)``.
    """
    module = _module(path)
    run = getattr(module, "run", None)
    if not callable(run):
        raise ConfigError(_problem(path, "it defines no function run(ctx, input)."))
    return PythonAction(
        name=path.stem,
        path=path,
        run=run,
        is_async=iscoroutinefunction(run),
        description=str(getattr(module, "DESCRIPTION", run.__doc__ or "")).strip(),
        input=_schema(path, getattr(module, "INPUT", None), "INPUT"),
        output=_schema(path, getattr(module, "OUTPUT", None), "OUTPUT"),
        scopes=tuple(getattr(module, "SCOPES", ())),
        annotations=_annotations(path, getattr(module, "ANNOTATIONS", {})),
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


def _module(path: Path) -> Any:
    name = f"nango_py_actions.{path.parent.name}.{path.stem}".replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(_problem(path, "it cannot be loaded as Python."))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        message = f"it cannot be loaded: {type(error).__name__}: {error}."
        raise ConfigError(_problem(path, message, line or 1)) from error
    return module


def _schema(path: Path, document: Any, name: str) -> Schema | None:
    if document is None:
        return None
    schema = Schema(document)
    flaws = list(schema.flaws()) if isinstance(document, Mapping) else ["it is no mapping"]
    if flaws:
        raise ConfigError(_problem(path, f"{name} is no JSON Schema: {flaws[0]}."))
    return schema


def _annotations(path: Path, written: Any) -> Annotations:
    try:
        return Annotations(**written)
    except TypeError:
        known = ", ".join(known.name for known in fields(Annotations))
        raise ConfigError(_problem(path, f"ANNOTATIONS is a mapping of some of {known}.")) from None


def _problem(path: Path, message: str, line: int = 1) -> Problem:
    return Problem(location=Location(source=str(path), line=line, column=1), code="action.python", message=message)
