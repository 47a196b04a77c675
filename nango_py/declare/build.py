"""Make a frozen :class:`Integration` of merged keys that the schema has passed."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from nango_py.auth import SCHEMES, SPELLINGS
from nango_py.declare.action_requests import filled_in, overrides_of, request_of, timeouts_of
from nango_py.declare.loosened import check_loosened
from nango_py.declare.patterns import patterns_in
from nango_py.declare.policies import circuit_breaker_of, named_errors_of, rate_limits_of, retry_of
from nango_py.declare.steps import check_kind, filled_between, linked, steps_of
from nango_py.document import pointer_to
from nango_py.field import Field
from nango_py.json_schema import Schema
from nango_py.location import Problem
from nango_py.model import (
    Action,
    Annotations,
    Example,
    Integration,
    Network,
    Output,
    Requests,
    Sign,
    Verification,
)
from nango_py.paths import compile_path
from nango_py.policy.pagination import Pagination, check
from nango_py.secret import Secret
from nango_py.template import names_in, split, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.auth import AuthScheme
    from nango_py.declare.merge import Merged
    from nango_py.location import Location
    from nango_py.model import UsedBlueprint

__all__ = ["Builder"]

_CALLED = frozenset({"now", "uuid"})
_FILLED = frozenset({"headers", "json", "params"})
"""What of a verification may hold placeholders, beside its path."""


class Builder:
    """Build one integration; what does not fit goes to *report*, as the pointer, the message and a hint."""

    def __init__(self, name: str, merged: Merged, location: Location) -> None:
        self.name = name
        self.merged = merged
        self.location = location
        self.problems: list[Problem] = []

    def build(self, blueprints: tuple[UsedBlueprint, ...], environment: Mapping[str, Secret]) -> Integration:
        """Return the integration; it is only sound when no problem was reported."""
        data = self.merged.data
        auth = self._auth(data["auth"])
        for section in ("credentials", "connection_config"):
            self._patterns(data.get(section), f"/{section}")
        for name, field in _known(data.get("connection_config")).items():
            if field.get("secret"):
                self.report(
                    pointer_to("connection_config", name), "connection_config.secret",
                    "connection config is stored and shown in the clear.",
                    f"Declare {name!r} among the credentials.", severity="warning",
                )  # fmt: skip
        pagination = self._pagination(data.get("pagination"), "/pagination")
        check_loosened(self, blueprints)
        return Integration(
            name=self.name,
            location=self.location,
            auth=auth,
            requests=self._requests(data["requests"]),
            blueprints=blueprints,
            credentials=_fields(data.get("credentials"), auth.fields),
            connection_config=_fields(data.get("connection_config"), ()),
            retry=retry_of(self, data.get("retry")),
            rate_limit=rate_limits_of(self, data.get("rate_limit", ())),
            rate_limit_shared=data.get("rate_limit_shared", False),
            pagination=pagination,
            verification=self._verification(data.get("verification")),
            network=self._network(_known(data.get("network"))),
            timeouts=timeouts_of(data.get("timeouts")),
            circuit_breaker=circuit_breaker_of(self, data.get("circuit_breaker", False)),
            response_limit=data.get("response_limit"),
            actions=linked(
                self,
                {
                    name: self._declared_action(name, keys, pagination)
                    for name, keys in _known(data.get("actions")).items()
                },
            ),
            oauth_client_id=_secret(data.get("oauth_client_id")),
            oauth_client_secret=_secret(data.get("oauth_client_secret")),
            oauth_scopes=tuple(data.get("oauth_scopes", ())),
            app_api_key=_secret(data.get("app_api_key")),
            http_request_timeout_seconds=float(data.get("http_request_timeout_seconds", 100)),
            log_level=data.get("log_level", "info"),
            environment=environment,
            declared=data,
            provenance=dict(self.merged.provenance()),
        )

    def report(
        self,
        pointer: str,
        code: str,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add a problem that stands at *pointer* of the merged keys."""
        location = self.merged.locate(pointer, key=key) or self.location
        self.problems.append(
            Problem(location=location, code=code, message=message, hint=hint, pointer=pointer, severity=severity)
        )

    def attempt(self, pointer: str, make: Callable[[], Any], code: str = "value") -> Any:
        """Return what *make* makes, or report its ValueError at *pointer* and return None."""
        try:
            return make()
        except ValueError as error:
            self.report(pointer, code, f"{error}".rstrip(".") + ".")
            return None

    def _auth(self, keys: Mapping[str, Any]) -> AuthScheme:
        mode = SPELLINGS.get(keys["auth_mode"], keys["auth_mode"])
        scheme = SCHEMES[mode].declare(keys)
        for needed in sorted(scheme.extras()):
            module, _, extra = needed.partition(":")
            self._need(module, extra, "/auth/auth_mode", "auth.extra", f"auth_mode {mode}, as it is declared here,")
        for pointer, path in scheme.paths():
            self._path(path, f"/auth/{pointer}")
        return scheme

    def _network(self, keys: Mapping[str, Any]) -> Network:
        network = Network(**keys)
        if network.http2:
            self._need("h2", "http2", "/network/http2", "network.extra", "network.http2")
        return network

    def _need(self, module: str, extra: str, pointer: str, code: str, what: str) -> None:
        if find_spec(module) is None:
            self.report(
                pointer, code, f"{what} needs the package {module}.", f"Install it: pip install 'nango-py[{extra}]'."
            )

    def _requests(self, keys: Mapping[str, Any]) -> Requests:
        return Requests(
            base_url=split(keys["base_url"]),
            headers=tree(keys.get("headers", {})),
            params=tree(keys.get("params", {})),
            allowed_origins=tuple(keys.get("allowed_origins", ())),
            cookies=keys.get("cookies", False),
        )

    def _pagination(self, keys: Mapping[str, Any] | None, pointer: str) -> Pagination | None:
        if keys is None:
            return None
        pagination = Pagination(**_known(keys))
        for gap in check(pagination):
            self.report(f"{pointer}/{gap.key}", "pagination.incomplete", f"{gap.message}.")
        return pagination

    def _verification(self, keys: Mapping[str, Any] | None) -> Verification | None:
        if keys is None:
            return None
        known = _known(keys)
        self._path(known.get("identity"), "/verification/identity")
        return Verification(
            path=split(known.pop("path")),
            status=tuple(known.pop("status", ())),
            expect=self._sign(known.pop("expect", None), "/verification/expect"),
            **{name: tree(value) if name in _FILLED else value for name, value in known.items()},
        )

    def _sign(self, keys: Mapping[str, Any] | None, pointer: str) -> Sign | None:
        if keys is None:
            return None
        for name in ("path", "message"):
            self._path(keys.get(name), f"{pointer}/{name}")
        return Sign(**_known(keys))

    def _path(self, text: str | None, pointer: str) -> None:
        if text is not None:
            self.attempt(pointer, lambda: compile_path(text), "path")

    def _declared_action(self, name: str, keys: Mapping[str, Any], default: Pagination | None) -> Action:
        pointer = pointer_to("actions", name)
        check_kind(self, keys, pointer)
        action = self._action(name, keys, pointer, default)
        if "steps" not in keys:
            return action

        def make(name: str, keys: Mapping[str, Any], at: str) -> Action:
            own = self._action(name, keys, at, default)
            return replace(own, input=action.input, on_error=(*own.on_error, *action.on_error))

        steps = steps_of(self, name, keys["steps"], make)
        return replace(action, steps=steps, calls=action.calls or bool(_called(*filled_between(steps))))

    def _action(self, name: str, keys: Mapping[str, Any], pointer: str, default: Pagination | None) -> Action:
        request = request_of(self, keys["request"], f"{pointer}/request") if "request" in keys else None
        key = self._idempotency_key(keys, pointer)
        output = self._output(keys.get("output", {}), f"{pointer}/output")
        self._check_download(keys, pointer)
        return Action(
            name=name,
            location=self.merged.locate(pointer, key=True) or self.location,
            description=keys.get("description", ""),
            input=self._schema(keys.get("input"), f"{pointer}/input", takes_files=True),
            request=request,
            paginate=self._paginate(keys.get("paginate", False), default, f"{pointer}/paginate"),
            output=output,
            ok=self._sign(keys.get("ok"), f"{pointer}/ok"),
            on_error=named_errors_of(self, keys.get("on_error", ()), f"{pointer}/on_error"),
            requires_scopes=tuple(tuple(s) if isinstance(s, list) else s for s in keys.get("requires_scopes", ())),
            idempotency_key=key,
            overrides=overrides_of(self, name, keys, pointer),
            annotations=Annotations(**_known(keys.get("annotations"))),
            example=_example(keys.get("example")),
            calls=bool(_called(*(() if request is None else filled_in(request)), key, output.map)),
        )

    def _idempotency_key(self, keys: Mapping[str, Any], pointer: str) -> Any:
        if "idempotency_key" not in keys:
            return None
        retry = {**self.merged.data.get("retry", {}), **keys.get("retry", {})}
        if retry.get("idempotency_key") is None:
            self.report(
                f"{pointer}/idempotency_key", "idempotency_key", "no header is named that it could stand in.",
                "Declare the header: `retry: {idempotency_key: Idempotency-Key}`.",
            )  # fmt: skip
        if keys.get("paginate"):
            self.report(
                f"{pointer}/idempotency_key",
                "idempotency_key",
                "each page is a request of its own, and no repetition.",
            )
        return tree(keys["idempotency_key"])

    def _check_download(self, keys: Mapping[str, Any], pointer: str) -> None:
        output = keys.get("output", {})
        if not output.get("download"):
            return
        besides = [f"output/{key}" for key in ("items", "value", "map", "flatten", "schema") if output.get(key)]
        for key in [*besides, *(key for key in ("ok", "paginate") if keys.get(key))]:
            self.report(
                f"{pointer}/{key}", "output.download", "a download is bytes as they come: nobody looks into them.",
                key=True,
            )  # fmt: skip

    def _paginate(self, written: Any, default: Pagination | None, pointer: str) -> Pagination | None:
        if written is False:
            return None
        if written is True and default is None:
            self.report(
                pointer, "pagination.missing", "there is no pagination to walk by.",
                "Declare the integration's `pagination`, or write its keys here.",
            )  # fmt: skip
        if written is True:
            return default
        if default is None:
            if "type" not in written:
                self.report(pointer, "pagination.incomplete", "pagination needs its 'type'.")
                return None
            return self._pagination(written, pointer)
        pagination = replace(default, **_known(written))
        for gap in check(pagination):
            self.report(f"{pointer}/{gap.key}", "pagination.incomplete", f"{gap.message}.")
        return pagination

    def _output(self, keys: Mapping[str, Any], pointer: str) -> Output:
        for name in ("items", "value"):
            self._path(keys.get(name), f"{pointer}/{name}")
        return Output(
            items=keys.get("items"),
            value=keys.get("value"),
            map=tree(keys["map"]) if "map" in keys else None,
            flatten=keys.get("flatten", False),
            download=keys.get("download", False),
            schema=self._schema(keys.get("schema"), f"{pointer}/schema"),
        )

    def _schema(self, document: Any, pointer: str, *, takes_files: bool = False) -> Schema | None:
        if document is None:
            return None
        schema = Schema(document, takes_files=takes_files)
        for flaw in schema.flaws():
            self.report(pointer, "schema.flaw", f"this is no JSON Schema: {flaw}")
        self._patterns(document, pointer)
        return schema

    def _patterns(self, declared: Any, pointer: str) -> None:
        for at, pattern in patterns_in(declared, pointer):
            try:
                re.compile(pattern)
            except (re.error, OverflowError, RecursionError) as error:
                self.report(at, "pattern", f"this is no regular expression: {error}.")


def _known(keys: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (keys or {}).items() if not key.startswith("x-")}


def _example(keys: Mapping[str, Any] | None) -> Example | None:
    if keys is None:
        return None
    known = _known(keys)
    return Example(**{**known, "answers": tuple(known.get("answers", ()))})


def _called(*trees: Any) -> frozenset[str]:
    return frozenset(name[0] for name in names_in(trees)) & _CALLED


def _secret(value: Any) -> Secret | None:
    return None if value is None else Secret(str(value))


def _fields(declared: Mapping[str, Any] | None, own: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return a scheme's *own* fields as the declared ones refine them, and then the declared ones that are new.

    A declared field must be given unless it says otherwise: a scheme's own default is for who says nothing.
    """
    by_name = {field.name: field for field in own}
    for name, keys in _known(declared).items():
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in _known(keys).items()
        }
        by_name[name] = (
            replace(by_name[name], **{"default": None, **known}) if name in by_name else Field(name=name, **known)
        )
    return tuple(by_name.values())
