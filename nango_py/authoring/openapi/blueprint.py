"""Make a blueprint of an OpenAPI description, and say what was left out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.cautions import cautions_of
from nango_py.authoring.draft import VERSION, Draft
from nango_py.authoring.fields import fields_named, texts_in
from nango_py.authoring.foreign import mapping
from nango_py.authoring.names import kebab, one_line
from nango_py.authoring.openapi.actions import made_of, pagination_of
from nango_py.authoring.openapi.inputs import Impossible
from nango_py.authoring.openapi.security import Signing, signing_of
from nango_py.authoring.openapi.servers import is_same_server, server_of
from nango_py.authoring.openapi.spec import METHODS
from nango_py.authoring.openapi.unheard import unheard
from nango_py.authoring.openapi.verification import verification_of
from nango_py.authoring.report import Finding, Imported, Report
from nango_py.document import pointer_to
from nango_py.errors import UsageError
from nango_py.location import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from nango_py.authoring.openapi.actions import Made
    from nango_py.authoring.openapi.servers import Server
    from nango_py.authoring.openapi.spec import Operation, Spec
    from nango_py.location import Problem
    from nango_py.model import Integration

__all__ = ["MAX_ACTIONS", "Choice", "Taken", "from_openapi"]

MAX_ACTIONS: Final = 50
_AT: Final = f"/versions/{VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which operations are wanted: those that are named, those with certain tags, or all of them."""

    only: Collection[str] = ()
    """Operations by ``operationId``, by their action's name, or as ``GET /path``."""
    tags: Collection[str] = ()
    most: int = MAX_ACTIONS
    """How many become actions."""

    def refusal(self, operation: Operation) -> str:
        """Return why an operation is not wanted; an empty text where it is."""
        if self.only:
            return "" if _names(operation) & {*self.only} else "it is none of those that --only names"
        if self.tags and not {*operation.tags} & {*self.tags}:
            return "it has no tag that --only-tags names"
        return "it is deprecated: --only takes it nevertheless" if operation.is_deprecated else ""

    def check(self, everything: Iterable[Operation], source: str) -> None:
        """Refuse names that no operation has.

        Raises:
            UsageError: One of them has none.
        """
        operations = tuple(everything)
        for option, given, known in (
            ("--only", self.only, {name for one in operations for name in _names(one)}),
            ("--only-tags", self.tags, {tag for one in operations for tag in one.tags}),
        ):
            for name in given:
                if name not in known:
                    raise UsageError(
                        f"{source}: {option} {name!r} is nothing there. {did_you_mean(name, known)}".strip()
                    )


def _names(operation: Operation) -> set[str]:
    return {operation.id, kebab(operation.id), operation.label}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A blueprint made of a description, with a report on what was left out."""

    draft: Draft
    integration: Integration
    report: Report
    operations: int
    actions: int


def from_openapi(
    spec: Spec,
    name: str,
    *,
    choice: Choice,
    base_url: str | None = None,
    auth: Mapping[str, Any] | None = None,
    facts: Mapping[str, str] | None = None,
) -> Taken:
    """Return the blueprint *name* that a description makes.

    What is known better takes the place of what is described: *base_url*, *auth*, and *facts*, outermost keys.

    Raises:
        UsageError: Nothing that loads can be made of it, or nothing in it is what *choice* names.
    """
    server = server_of(spec, base_url)
    everything = list(spec.operations())
    choice.check(everything, spec.source)
    signing = signing_of(spec, everything, server) if auth is None else Signing(auth=auth, satisfies_all=True)
    candidates = (one for one in everything if not (one.unread or _is_elsewhere(server, one)))
    verification = verification_of(spec, candidates, signing)
    work = _Work(spec=spec, server=server, signing=signing, verification=verification, findings=[])
    made = list(work.chosen(everything, choice))
    for key, reason in (*unheard(spec), *spec.astray.items()):
        work.leave(one_line(key), reason)
    for scheme, reason in signing.left_out:
        work.leave(f"security.{one_line(scheme, 80)}", reason)
    while True:
        draft = _draft(work, name, made, facts or {})
        integration, problems = draft.check()
        broken = {_action_of(problem) for problem in problems} - {""}
        if not broken:
            break
        # A name that no request can bear, an expression too long: one action must not stop the others.
        for one in [one for one in made if one.name in broken]:
            why = next(problem.message for problem in problems if _action_of(problem) == one.name)
            work.leave(one.operation.label, f"it makes no action that loads: {why}")
        made = [one for one in made if one.name not in broken]
    if integration is None:
        raise UsageError(f"{spec.source}: nothing that loads can be made of it: " + " ".join(map(_shown, problems)))
    cautions = tuple(cautions_of(server.base_url))
    entry = Imported(name=name, blueprint=name, findings=tuple(work.findings), cautions=cautions)
    return Taken(
        draft=draft,
        integration=integration,
        report=Report(source=one_line(spec.source), entries=(entry,)),
        operations=len(everything),
        actions=len(made),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What actions are made with, and what was left out so far."""

    spec: Spec
    server: Server
    signing: Signing
    verification: tuple[dict[str, Any], str] | None
    findings: list[Finding]

    def leave(self, key: str, reason: str) -> None:
        self.findings.append(Finding(key=key, outcome="lost", reason=reason))

    def chosen(self, everything: list[Operation], choice: Choice) -> Iterator[Made]:
        """Yield the actions of the operations that are wanted and can be sent."""
        taken: set[str] = set()
        for operation in everything:
            if reason := choice.refusal(operation) or self._unable(operation):
                self.leave(operation.label, reason)
            elif len(taken) >= choice.most:
                self.leave(operation.label, f"there are more than --max-actions {choice.most}")
            elif (made := self._made(operation, taken)) is not None:
                taken.add(made.name)
                yield made

    def _unable(self, operation: Operation) -> str:
        if operation.unread:
            return operation.unread
        if operation.method not in METHODS:
            return f"actions have no method {operation.method.upper()}"
        if not self.signing.accepts(operation):
            asked = " or ".join(" and ".join(sorted(one)) for one in operation.security or ())
            return f"it is signed another way: {one_line(asked)}"
        if _is_elsewhere(self.server, operation):
            return "it has a server of its own"
        return ""

    def _made(self, operation: Operation, taken: set[str]) -> Made | None:
        try:
            made = made_of(self.spec, operation, self.signing, taken)
        except Impossible as reason:
            self.leave(operation.label, str(reason))
            return None
        for name, why in made.left_out:
            self.leave(f"{operation.label} {one_line(name, 80)}", why)
        return made


def _is_elsewhere(server: Server, operation: Operation) -> bool:
    return bool(operation.servers) and not any(is_same_server(server, url) for url in operation.servers)


def _draft(work: _Work, name: str, made: list[Made], facts: Mapping[str, str]) -> Draft:
    info = mapping(work.spec.data.get("info"))
    docs = mapping(work.spec.data.get("externalDocs")).get("url")
    known = {"display_name": one_line(info.get("title"), 80), "docs_url": one_line(docs), **facts}
    version, comments = _version(work, made, one_line(str(info.get("version", "")), 80))
    return Draft(
        data={"name": name, **{key: text for key, text in known.items() if text}, "versions": {VERSION: version}},
        comments={_AT + pointer: comment for pointer, comment in comments.items() if comment},
    )


def _version(work: _Work, made: list[Made], stated: str) -> tuple[dict[str, Any], dict[str, str]]:
    signing, server = work.signing, work.server
    comments = {"/auth": signing.comment, "/requests/base_url": server.comment}
    keys: dict[str, Any] = {"comment": f"Made from its OpenAPI description{f', {stated}' if stated else ''}"}
    keys["auth"] = dict(signing.auth)
    written = [server.base_url, *texts_in(signing.auth)]
    if credentials := {**fields_named(written, "credentials"), **signing.credentials}:
        keys["credentials"] = credentials
    if config := {**fields_named(written, "connection_config"), **server.connection_config}:
        keys["connection_config"] = config
    keys["requests"] = {
        "base_url": server.base_url,
        "headers": {"Accept": "application/json", **signing.headers},
        **({"params": dict(signing.params)} if signing.params else {}),
    }
    pagination, comments["/pagination"] = pagination_of(made)
    if pagination is not None:
        keys["pagination"] = pagination
    if work.verification is not None:
        keys["verification"], label = work.verification
        comments["/verification"] = f"A guess from the path of {label}: it tells whether credentials work."
    if made:
        keys["actions"] = {one.name: one.written(pagination) for one in made}
    for one in made:
        comments[pointer_to("actions", one.name)] = one_line(one.operation.label)
        if isinstance(keys["actions"][one.name].get("paginate"), dict) and one.guess is not None:
            signs = ", ".join(one_line(sign, 80) for sign in one.guess.signs)
            comments[pointer_to("actions", one.name, "paginate")] = f"A guess: {signs}."
    return keys, comments


def _action_of(problem: Problem) -> str:
    """Return the name of the action that a problem is about, or an empty text."""
    parts = problem.pointer.split("/")
    at = parts.index("actions") + 1 if "actions" in parts else len(parts)
    return parts[at] if at < len(parts) else ""


def _shown(problem: Problem) -> str:
    return f"{problem.pointer}: {problem.message} {problem.hint}".strip()
