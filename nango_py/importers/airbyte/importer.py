"""Import a manifest: one blueprint with an action for each stream, and a report on what did not come along."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from os.path import commonprefix
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.cautions import cautions_of
from nango_py.authoring.draft import VERSION, Draft
from nango_py.authoring.foreign import mapping, read_foreign
from nango_py.authoring.kinds import expect
from nango_py.authoring.names import is_blueprint_name, kebab, one_line, unused
from nango_py.authoring.pasted import PASTED
from nango_py.authoring.report import Finding, Imported, Report
from nango_py.errors import UsageError
from nango_py.importers.airbyte.auth import granted_by, signed_by
from nango_py.importers.airbyte.fields import Fields
from nango_py.importers.airbyte.language import Untranslatable
from nango_py.importers.airbyte.manifest import Part, expanded
from nango_py.importers.airbyte.retries import rate_limits_of
from nango_py.importers.airbyte.streams import stream_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nango_py.importers.airbyte.auth import Signed
    from nango_py.importers.airbyte.streams import Stream

__all__ = ["import_manifest", "manifest_draft"]

_AT: Final = f"/versions/{VERSION}"
_FIELDS: Final = "spec.connection_specification.properties"
_IGNORED: Final = "[]"
"""The path of a list that is the whole answer, and of nothing where an answer that is ignored is no list."""
_NOT_HERE: Final = frozenset({"auth.extra"})
"""Problems that another machine may not have."""


def import_manifest(path: Path, folder: Path, *, name: str | None = None) -> Report:
    """Write a blueprint into *folder* for the manifest at *path*; a file that is there already stays as it is.

    Without a *name* it is that of the connector's documentation, or else of the folder that the manifest lies in.

    Raises:
        UsageError: The manifest cannot be read, or is none, or the blueprint cannot be written.
        ConfigError: It is no YAML that is read here.
    """
    data = read_foreign(path).data
    expect("airbyte", data, path)
    name = name or _name(data, path)
    if not is_blueprint_name(name):
        raise UsageError(f"{path}: neither its documentation nor its folder gives the blueprint a name: give --name.")
    draft, entry = manifest_draft(data, str(path), name)
    if entry.ok:
        draft.write(folder, folder.parent)
    return Report(source=one_line(path.name), entries=(entry,))


def manifest_draft(data: Mapping[str, Any], source: str, name: str) -> tuple[Draft, Imported]:
    """Return the blueprint *name* of a manifest, and what became of its keys.

    Raises:
        UsageError: It is no manifest, or its references lead nowhere.
    """
    if not isinstance(data.get("streams"), list):
        raise UsageError(f"{source} is no manifest of a declarative source: it has no list of streams.")
    work = _Work(data, source)
    draft = work.draft(name)
    _, problems = draft.check()
    found = (f"{one.pointer.removeprefix(_AT)}: {one.message}" for one in problems if one.code not in _NOT_HERE)
    problem = " ".join(found) if work.streams else "none of its streams became an action."
    written = None if problem else f"{name}.yaml"
    return draft, Imported(
        name=name,
        blueprint=written,
        problem=problem,
        findings=tuple(work.findings),
        cautions=tuple(cautions_of(work.base_url)),
    )


def _name(data: Mapping[str, Any], path: Path) -> str:
    specification = data.get("spec")
    url = specification.get("documentation_url") if isinstance(specification, dict) else None
    last = url.rstrip("/").rpartition("/")[2] if isinstance(url, str) and "/sources/" in url else ""
    folder = path.resolve().parent.name
    return kebab(last) or kebab(re.sub(r"^source[-_]", "", folder)) or kebab(path.stem)


class _Work:
    """Turn one manifest, and keep what became of each of its keys."""

    def __init__(self, data: Mapping[str, Any], source: str) -> None:
        made, unused_definitions = expanded(data, source)
        self.findings: list[Finding] = []
        self.root = Part(made, (), self.findings)
        self._outermost()
        specification = self.root.part("spec")
        self.specification = specification.take("connection_specification") if specification else None
        self.consent = specification.part("advanced_auth") if specification else None
        self.docs = specification.text("documentation_url") if specification else ""
        self.fields = Fields.read(self.specification)
        self.rate_limit = rate_limits_of(self.root.part("api_budget"))
        self.streams: list[Stream] = []
        self.base_url = ""
        signer = _Signer(_usual_signer(made), self.fields)
        self._convert(signer)
        self.signed = granted_by(self.consent, signer.signed)
        self.findings += [
            Finding(key=key, outcome="not_needed", reason="nothing refers to it") for key in unused_definitions
        ]

    def _outermost(self) -> None:
        self.root.drop(
            "not_needed", "it is about the connector, not about the API", "version", "metadata", "description"
        )
        self.root.drop("not_needed", "`concurrency` of a rate limit does that", "concurrency_level")
        self.root.drop("not_needed", "nothing is stored", "stream_groups", "max_concurrent_async_job_count")
        self.root.drop("lost", "streams that are found out at run time are not known here", "dynamic_streams")

    def _convert(self, signer: _Signer) -> None:
        converted = []
        for part in self.root.parts("streams"):
            try:
                converted.append((part, stream_of(part, self.fields, signer.takes)))
            except Untranslatable as reason:
                part.forget("lost", f"no action: {reason}")
        origins = Counter(_origin(stream.base_url) for _, stream in converted)
        origin = origins.most_common(1)[0][0] if origins else ""
        near = [stream.base_url for _, stream in converted if _origin(stream.base_url) == origin]
        self.base_url = commonprefix(near).rpartition("/")[0] + "/"  # noqa: RUF071 - it is cut at a slash
        for part, stream in converted:
            if _origin(stream.base_url) != origin:
                part.note("", "lost", "no action: it has another host than most")
                continue
            request = stream.action["request"]
            request["path"] = f"{stream.base_url.removeprefix(self.base_url)}{request['path']}"
            stream.name = unused(stream.name, {one.name for one in self.streams})
            self.streams.append(stream)

    def draft(self, name: str) -> Draft:
        """Return the blueprint."""
        keys: dict[str, Any] = {
            "comment": "Made from a manifest of a low-code connector",
            "auth": dict(self.signed.auth),
        }
        actions = self._actions()
        check = self.root.part("check")
        verification = self._verification(check)
        base = self.base_url if self.streams else "https://nowhere.invalid/"
        sections = self.fields.sections([base, *map(str, self.signed.auth.values())])
        credentials = {**sections.get("credentials", {}), **self.signed.credentials}
        keys |= {"credentials": credentials} if credentials else {}
        keys |= {"connection_config": sections["connection_config"]} if "connection_config" in sections else {}
        keys["requests"] = {
            "base_url": base,
            "headers": {"Accept": "application/json", **self.signed.headers},
            **({"params": dict(self.signed.params)} if self.signed.params else {}),
        }
        retry, pagination = self._usual("retry"), self._usual("pagination")
        for section, value in (
            ("retry", retry),
            ("rate_limit", self.rate_limit),
            ("pagination", pagination),
            ("verification", verification),
        ):
            keys |= {section: value} if value else {}
        if self.streams:
            keys["actions"] = actions
        self._leave_fields()
        self.findings += [
            Finding(key=key, outcome="lost", reason="no rule knows this key") for key in self.root.rest()
        ]
        self.findings += [
            Finding(key=place, outcome="lost", reason="an interpolation that nothing fills: it stands there as text")
            for place in _unfilled(keys, "")
        ]
        docs = {"docs_url": one_line(self.docs)} if self.docs else {}
        return Draft(
            data={"name": name, "display_name": name.replace("-", " ").title(), **docs, "versions": {VERSION: keys}},
        )

    def _usual(self, section: str) -> dict[str, Any]:
        """Return what most streams have in a section."""
        found: list[dict[str, Any]] = [value for one in self.streams if (value := getattr(one, section))]
        if not found:
            return {}
        most = Counter(map(repr, found)).most_common(1)[0][0]
        return next(value for value in found if repr(value) == most)

    def _actions(self) -> dict[str, Any]:
        retry, pagination = self._usual("retry"), self._usual("pagination")
        actions: dict[str, Any] = {}
        for stream in self.streams:
            keys = dict(stream.action)
            output = keys.pop("output", {})
            items = stream.items or _IGNORED * any(
                one["reaction"] == "ignore" for one in stream.retry.get("reactions", ())
            )
            if stream.pagination is not None:
                keys["paginate"] = _different(stream.pagination, pagination) or True
                output = {**({"items": items} if items else {}), **output}
            else:
                output = _of_one_page(items, output)
            if own := _different(stream.retry, retry):
                keys["retry"] = own
            actions[f"list-{stream.name}"] = {**keys, **({"output": output} if output else {})}
        for stream in self.streams:
            if (whole := self._of_every_parent(stream)) is not None:
                actions[unused(f"list-all-{stream.name}", actions)] = whole
            elif "input." in stream.action["request"]["path"]:
                reason = "callers say whose records they want: no action walks all of them"
                self.findings.append(Finding(key=f"streams.{stream.name}", outcome="changed", reason=reason))
        return actions

    def _of_every_parent(self, stream: Stream) -> dict[str, Any] | None:
        """Return the action that walks the parents and lists what each of them has."""
        parent = stream.parent
        above = next((one for one in self.streams if parent is not None and one.name == parent.stream), None)
        if parent is None or above is None or not above.asks_for_nothing or re.search(r"[^\w.]", parent.key):
            return None
        if len(stream.action["input"].get("required", ())) > 1:
            return None
        each = f"of every one of {above.name.replace('-', ' ')}"
        return {
            "description": f"{stream.action['description'].rstrip('.')}, {each}.",
            "input": {"type": "object", "additionalProperties": False},
            "steps": [
                {"name": "parents", "action": f"list-{above.name}"},
                {
                    "name": "records",
                    "for_each": "${steps.parents}",
                    "action": f"list-{stream.name}",
                    "input": {parent.input: f"${{item.{parent.key}}}"},
                },
            ],
            "output": {"value": "[]"},
        }

    def _verification(self, check: Part | None) -> dict[str, Any]:
        """Return the request of the first stream that the manifest checks, if it can be sent by itself."""
        names = check.take("stream_names") if check else None
        if check is not None:
            check.drop(
                "lost", "it has no counterpart", "dynamic_streams_check_configs", "config_overrides", "stream_name"
            )
        by_name = {one.name: one for one in self.streams}
        for name in names if isinstance(names, list) else ():
            stream = by_name.get(kebab(str(name)))
            if stream is None or not stream.asks_for_nothing:
                continue
            request = stream.action["request"]
            if request["method"] in {"GET", "POST"} and "form" not in request and "${input" not in repr(request):
                return {
                    key: request[key] for key in ("method", "path", "params", "headers", "json") if key in request
                }
        return {}

    def _leave_fields(self) -> None:
        self.findings += [
            Finding(
                key=f"{_FIELDS}.{name}",
                outcome="not_needed",
                reason="nothing that came along uses it",
            )
            for name in self.fields.unused()
        ]
        self.findings += [
            Finding(key=f"{'.'.join((_FIELDS, *path))}.default", outcome="lost", reason=PASTED)
            for path in self.fields.pasted
        ]
        self.findings += [
            Finding(key=f"{_FIELDS}.{place}", outcome=outcome, reason=reason)
            for place, outcome, reason in sorted(self.fields.unread())
        ]


@dataclass(slots=True)
class _Signer:
    """Take the authenticator of each stream; that of most streams signs the blueprint's requests."""

    usual: str
    fields: Fields
    signed: Signed = field(init=False)
    is_found: bool = False

    def __post_init__(self) -> None:
        """Begin with requests that nothing signs."""
        self.signed = signed_by(None, self.fields)

    def takes(self, authenticator: Part | None) -> bool:
        """Tell whether an authenticator is that of most streams."""
        is_usual = _compared(authenticator) == self.usual
        if is_usual and not self.is_found:
            self.signed, self.is_found = signed_by(authenticator, self.fields), True
        elif authenticator is not None:
            authenticator.clear()
        return is_usual


def _compared(authenticator: Part | None) -> str:
    return repr(authenticator and (authenticator.kind, authenticator.keys))


def _usual_signer(manifest: Mapping[str, Any]) -> str:
    """Return how most streams are signed, in a form that can be compared."""
    streams = manifest["streams"] if isinstance(manifest["streams"], list) else []
    signers = []
    for one in streams:
        requester = mapping(mapping(mapping(one).get("retriever")).get("requester"))
        written = requester.get("authenticator")
        part = Part(dict(written), (), []) if isinstance(written, dict) else None
        signers.append(_compared(part))
    return Counter(signers).most_common(1)[0][0] if signers else ""


def _unfilled(value: Any, place: str) -> Iterator[str]:
    """Yield the places in a blueprint where a manifest's braces are left, but for what people read."""
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            yield place
    elif isinstance(value, dict):
        for name, one in value.items():
            if name not in {"title", "description"}:
                yield from _unfilled(name, f"{place}/{name}")
                yield from _unfilled(one, f"{place}/{name}")
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _unfilled(one, f"{place}/{at}")


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _different(own: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of *own* that differ from the *usual* ones, with null for those that it has not."""
    if not own:
        return {}
    changed = {name: value for name, value in own.items() if usual.get(name) != value}
    return changed | {name: None for name in usual if name not in own}


def _of_one_page(items: str, output: dict[str, Any]) -> dict[str, Any]:
    """Return the output of a list that is one answer, whose schema is that of its items."""
    made = {"value": items} if items else {}
    schema = output.get("schema")
    return made | ({"schema": {"type": "array", "items": schema}} if schema else {})
