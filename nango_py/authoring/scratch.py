"""Write a blueprint from nothing: of answers to a few questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.draft import VERSION, Draft
from nango_py.authoring.fields import fields_named, texts_in
from nango_py.authoring.names import is_blueprint_name
from nango_py.authoring.questions import auth_schema
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Answers", "check_name", "scratch"]

_AT: Final = f"/versions/{VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is known of an API; ``auth`` and ``pagination`` hold the keys of those sections."""

    name: str
    base_url: str
    auth: Mapping[str, Any]
    display_name: str = ""
    docs_url: str = ""
    verification_path: str = ""
    identity: str = ""
    pagination: Mapping[str, Any] = field(default_factory=dict)


def check_name(name: str) -> str:
    """Return *name* if a blueprint can have it.

    Raises:
        UsageError: It cannot.
    """
    if not is_blueprint_name(name):
        raise UsageError(
            f"{name[:80]!r} is no name for a blueprint: "
            "up to 80 lower-case letters, digits and hyphens, such as acme."
        )
    return name


def scratch(answers: Answers) -> Draft:
    """Return the blueprint that the answers make.

    Raises:
        UsageError: It does not load; the message names what is wrong.
    """
    draft = Draft(
        data={
            "name": check_name(answers.name),
            "display_name": answers.display_name or answers.name.replace("-", " ").title(),
            **({"docs_url": answers.docs_url} if answers.docs_url else {}),
            "versions": {VERSION: _version(answers)},
        },
        comments={_AT + pointer: text for pointer, text in _comments(answers)},
    )
    _, problems = draft.check()
    if problems:
        found = (f"{one.pointer.removeprefix(_AT)}: {one.message} {one.hint}".strip() for one in problems)
        raise UsageError("a blueprint of these answers does not load: " + " ".join(found))
    return draft


def _version(answers: Answers) -> dict[str, Any]:
    keys: dict[str, Any] = {"comment": "First version", "auth": dict(answers.auth)}
    written = [answers.base_url, *texts_in(answers.auth)]
    for section in ("credentials", "connection_config"):
        if fields := fields_named(written, section):
            keys[section] = fields
    keys["requests"] = {"base_url": answers.base_url, "headers": {"Accept": "application/json"}}
    if answers.pagination:
        keys["pagination"] = dict(answers.pagination)
    if answers.verification_path:
        request = {"method": "GET", "path": answers.verification_path.lstrip("/")}
        keys["verification"] = request | ({"identity": answers.identity} if answers.identity else {})
        keys["actions"] = {
            "me": {
                "description": "The account itself.",
                "input": {"type": "object", "additionalProperties": False},
                "request": request,
                "output": {"schema": {"type": "object"}},
            }
        }
    return keys


def _comments(answers: Answers) -> Iterator[tuple[str, str]]:
    mode = answers.auth["auth_mode"]
    more = [name for name in auth_schema(mode)["properties"] if name not in answers.auth]
    if more:
        yield "/auth", f"{mode} also knows: {', '.join(more)}."
    yield "/requests", "What every request has in common; ${connection_config...} may stand in the URL."
    yield "/pagination", "How lists are walked; an action with `paginate: true` uses it."
    yield "/verification", "The request that `nango-py connections check` sends: do the credentials work?"
    yield "/actions", "Named requests: what comes in, what is sent, what comes out."
