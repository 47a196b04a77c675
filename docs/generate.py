"""Write docs/reference.md from the schemas, the auth modes and the errors: ``python docs/generate.py``."""

from __future__ import annotations

import json
from dataclasses import fields
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_py import errors, events
from nango_py.auth import SCHEMES, SPELLINGS
from nango_py.declare.schema import load_schema
from nango_py.lint import ALL_RULES
from nango_py.log import EVENTS, FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.auth import AuthScheme

__all__ = ["PAGE", "reference"]

PAGE = Path(__file__).parent / "reference.md"
_HEAD = """\
# Reference

<!-- Written by docs/generate.py from the schemas and docstrings; change those instead. -->

Every key of `integrations.yaml` and of blueprints, the auth modes, and the errors. Keys in **bold** are required once
a blueprint and an integration are merged. Unknown keys are problems; keys that begin with `x-` are ignored.
"""
_UNPROVEN = "*Unproven:* requests are signed with tokens that you bring; no flow obtains or renews one yet.\n"
_RULES = """\
What `nango-py check` looks for beside the schemas ([how to check your blueprints](how-to/check-your-blueprints.md)).
Where it says *mended*, `--fix` does what can be done without a decision.
"""
_EVENTS = """\
What `on_event` is told ([how to watch runs](how-to/watch-runs.md)). Each also has `execution_id`, `parent_id`,
`integration`, `action`, `user_id` and `elapsed`, the seconds since its execution began.
"""
_LINES = """\
The lines of the logger `nango_py`. What happened is the `event`; of the other fields a line has those that apply.
"""
_DEFS = (
    "version",
    "field",
    "requests",
    "retry",
    "reaction",
    "rate_limit",
    "limit_headers",
    "pagination",
    "verification",
    "network",
    "timeouts",
    "circuit_breaker",
    "action",
    "step",
    "named_error",
    "when",
    "request",
    "file_part",
    "raw",
    "graphql",
    "output",
    "annotations",
    "example",
)


def reference() -> str:
    """Return the text of the page."""
    integrations, blueprint = load_schema("integrations.schema.json"), load_schema("blueprint.schema.json")
    parts = [_HEAD, "## integrations.yaml\n", *_tables("top level", integrations)]
    for name in ("integration", "defaults"):
        parts += _tables(name, integrations["$defs"][name])
    parts += ["## Blueprints\n", *_tables("the file", blueprint)]
    for name in _DEFS:
        parts += _tables(name, blueprint["$defs"][name])
    parts += ["## Auth modes\n", *(part for mode, scheme in SCHEMES.items() for part in _mode(mode, scheme))]
    parts += ["## Rules of check\n", _RULES, "\n".join(_rules()) + "\n"]
    parts += ["## Events\n", _EVENTS, "\n".join(_events()) + "\n"]
    parts += ["## Log lines\n", _LINES, _pairs("field", FIELDS), _pairs("event", EVENTS)]
    parts += ["## Errors\n", "\n".join(_tree(errors.NangoError)) + "\n"]
    return "\n".join(parts)


def _tables(title: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {title}\n"
    if "description" in schema:
        yield f"{schema['description']}\n"
    yield "\n".join(["| key | type | default | |", "|---|---|---|---|", *_rows(schema)]) + "\n"


def _rows(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    required = schema.get("required", ())
    for name, key in schema["properties"].items():
        shown = f"`{above}{name}`"
        shown = f"**{shown}**" if name in required else shown
        default = f"`{json.dumps(key['default'])}`" if "default" in key else ""
        cells = (shown, _type(key), default, key.get("description", ""))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        # What an action's own pagination may say stands in the table of pagination.
        if "properties" in key and name != "paginate":
            yield from _rows(key, f"{above}{name}.")


def _type(key: dict[str, Any]) -> str:
    if "$ref" in key:
        name = key["$ref"].rsplit("/", 1)[-1]
        return "see [auth modes](#auth-modes)" if name == "auth" else f"[{name}](#{name})"
    if "enum" in key:
        return ", ".join(f"`{value}`" for value in key["enum"])
    kinds = key.get("type", "any")
    kind = kinds if isinstance(kinds, str) else " or ".join(kinds)
    inner = key.get("items", key.get("additionalProperties"))
    return f"{kind} of {_type(inner)}" if isinstance(inner, dict) and isinstance(kinds, str) else kind


def _mode(mode: str, scheme: type[AuthScheme]) -> Iterator[str]:
    yield f"### {mode}\n"
    yield f"{getdoc(scheme)}\n".replace("``", "`")
    also = [other for other, meant in SPELLINGS.items() if meant == mode]
    if also:
        yield f"Also written {', '.join(f'`{other}`' for other in also)}.\n"
    if scheme.extra:
        yield f"Needs `pip install 'nango-py[{scheme.extra.split(':')[1]}]'`.\n"
    if mode.startswith("OAUTH"):
        yield _UNPROVEN
    fields = ", ".join(f"`{field.name}`{'' if field.required else ' (optional)'}" for field in scheme.fields)
    yield f"A connection holds: {fields or 'nothing'}.\n"
    schema = load_schema(f"auth/{mode.lower()}.schema.json")
    yield "\n".join(["| key of `auth` | type | default | |", "|---|---|---|---|", *_rows(schema)]) + "\n"


def _rules() -> Iterator[str]:
    yield from ("| rule | severity | why | what to do |", "|---|---|---|---|")
    for rule in ALL_RULES:
        mended = " *mended*" if rule.mends else ""
        cells = (f"`{rule.id}`", rule.severity, rule.reason, rule.fix + mended)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _events() -> Iterator[str]:
    common = {field.name for field in fields(events.Event)}
    for kind in vars(events).values():
        if getattr(kind, "__module__", "") == events.__name__ and kind is not events.Event:
            own = [field.name for field in fields(kind) if field.name not in common]
            text = " ".join((getdoc(kind) or "").split()).replace("``", "`")
            yield f"- `{kind.__name__}({', '.join(own)})`: {text}"


def _pairs(heading: str, meanings: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in meanings.items()]
    return "\n".join([f"| {heading} | |", "|---|---|", *rows]) + "\n"


def _tree(error: type[Exception], depth: int = 0) -> Iterator[str]:
    text = " ".join((getdoc(error) or "").split()).replace("``", "`")
    yield f"{'    ' * depth}- `{error.__name__}`: {text}"
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child, depth + 1)


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
