"""The house rules that a reader of one module cannot see: layers, lazy imports, one home for each thing."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nango_py
from nango_py.auth import SCHEMES, SPELLINGS
from nango_py.field import Field
from nango_py.model import (
    ActionRequest,
    Annotations,
    Example,
    FilePart,
    GraphQL,
    Network,
    Output,
    Raw,
    Requests,
    Timeouts,
    Verification,
)
from nango_py.policy.breaker import CircuitBreaker
from nango_py.policy.limit_headers import LimitHeaders
from nango_py.policy.named_errors import NamedError
from nango_py.policy.pagination import Pagination
from nango_py.policy.rate_limit_rule import RateLimit
from nango_py.policy.reactions import Reaction, When
from nango_py.policy.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(nango_py.__file__).parent
SCHEMAS = PACKAGE / "schemas"
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = (
    {"errors", "secret", "location", "clock", "forks"},
    {
        "http",
        "document",
        "yaml_text",
        "yaml_writer",
        "template",
        "expression",
        "log",
        "masking",
        "field",
        "json_schema",
        "effects",
        "events",
        "tracing",
        "paths",
        "address",
        "pem",
        "files",
        "quick_check",
    },
    {"auth", "policy"},
    {"model"},
    {"declare", "connections", "exchange"},
    {"actions", "authoring", "lint", "versions"},
    {"importers"},
    {"accounts", "core", "sessions", "oauth", "engine", "async_engine", "python_runs", "tools"},
    {"asgi", "cli", "mcp", "packs", "testing", "typed"},
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
HEAVY = ("httpx", "yaml", "jinja2", "jsonschema", "structlog")


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(nodes: list[ast.stmt], *, nested: bool) -> Iterator[tuple[str, int]]:
    """Yield each part of the package that statements import when they run, and the line."""
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(node.orelse, nested=nested)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not nested:
            continue
        elif isinstance(node, ast.ImportFrom | ast.Import):
            yield from ((name, node.lineno) for name in imported(node))
        else:
            for block in ("body", "orelse", "finalbody", "handlers"):
                yield from imports(getattr(node, block, []), nested=nested)


def imported(node: ast.ImportFrom | ast.Import) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("nango_py."))
    elif node.module == "nango_py":
        yield from (alias.name for alias in node.names if alias.name in LAYER)
    elif (node.module or "").startswith("nango_py."):
        yield str(node.module).split(".")[1]


def test_every_module_belongs_to_a_layer():
    assert set(LAYER) == {part_of(path) for path in MODULES} - {"__init__", "__main__"}


def test_no_import_is_relative():
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert [] == found


def test_imports_point_down():
    upward = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for path in MODULES
        if (own := part_of(path)) in LAYER
        for name, line in imports(ast.parse(path.read_text(encoding="utf-8")).body, nested=False)
        if name != own and LAYER[name] > LAYER[own]
    ]
    assert [] == upward


def test_no_part_needs_one_that_needs_it():
    needs = {part_of(path): set() for path in MODULES}
    for path in MODULES:
        names = imports(ast.parse(path.read_text(encoding="utf-8")).body, nested=False)
        needs[part_of(path)] |= {name for name, _ in names if name in LAYER} - {part_of(path)}
    TopologicalSorter(needs).prepare()  # raises CycleError, which says who


@pytest.mark.parametrize(("wing", "other"), [("declare", "exchange"), ("exchange", "declare")])
def test_the_wings_never_import_each_other(wing, other):
    crossing = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted((PACKAGE / wing).rglob("*.py"))
        for name, line in imports(ast.parse(path.read_text(encoding="utf-8")).body, nested=True)
        if name == other
    ]
    assert [] == crossing


def test_importing_the_package_imports_nothing_heavy_and_opens_no_file_of_ours():
    program = """
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import nango_py
print(json.dumps([sorted(sys.modules), opened]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules, opened = json.loads(done.stdout)
    ours = {Path(name).name.split(".")[0] for name in opened if Path(name).is_relative_to(PACKAGE)}

    assert [] == [name for name in HEAVY if name in modules]
    assert ["nango_py"] == [name for name in modules if name.split(".")[0] == "nango_py"]
    assert ours <= {"__init__"}


def test_the_name_of_an_auth_mode_stands_in_its_own_file_only():
    word = re.compile("|".join(rf"\b{name}\b" for name in {*SCHEMES, *SPELLINGS}))
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in MODULES
        if part_of(path) not in {"auth", "importers"}  # another tool's format has names of its own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and word.search(node.value)
    ]
    assert [] == found


def schema_keys(name: str) -> set[str]:
    schema = json.loads((SCHEMAS / "blueprint.schema.json").read_text(encoding="utf-8"))
    return set(schema["$defs"][name]["properties"])


def field_names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


@pytest.mark.parametrize(
    ("definition", "kind", "beside"),
    [
        ("retry", RetryPolicy, set()),
        ("reaction", Reaction, set()),
        ("named_error", NamedError, set()),
        ("when", When, set()),
        ("pagination", Pagination, set()),
        ("field", Field, {"name"}),
        ("network", Network, set()),
        ("rate_limit", RateLimit, set()),
        ("limit_headers", LimitHeaders, set()),
        ("timeouts", Timeouts, set()),
        ("circuit_breaker", CircuitBreaker, set()),
        ("requests", Requests, set()),
        ("output", Output, set()),
        ("request", ActionRequest, set()),
        ("file_part", FilePart, set()),
        ("raw", Raw, set()),
        ("graphql", GraphQL, set()),
        ("annotations", Annotations, set()),
        ("example", Example, set()),
        ("verification", Verification, set()),
    ],
)
def test_the_keys_of_a_schema_are_the_fields_of_its_dataclass(definition, kind, beside):
    assert field_names(kind) - beside == schema_keys(definition)


@pytest.mark.parametrize("mode", sorted(SCHEMES))
def test_the_keys_of_an_auth_schema_are_the_fields_of_its_scheme(mode):
    schema = json.loads((SCHEMAS / "auth" / f"{mode.lower()}.schema.json").read_text(encoding="utf-8"))
    assert field_names(SCHEMES[mode]) == set(schema["properties"]) - {"auth_mode"}


def test_every_auth_mode_has_a_schema_and_every_schema_a_mode():
    assert {mode.lower() for mode in SCHEMES} == {
        path.name.removesuffix(".schema.json") for path in (SCHEMAS / "auth").iterdir()
    }


def test_the_public_names_are_those_with_a_home():
    assert sorted(nango_py.__all__) == sorted([*nango_py._HOMES, "__version__"])


@pytest.mark.parametrize("name", sorted(nango_py.__all__))
def test_every_public_name_can_be_imported(name):
    assert getattr(nango_py, name) is not None
