"""The provider's desk where tokens are got by a login: it reads what each request of it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from nango_py.auth.two_step import TwoStep
from nango_py.errors import UsageError
from nango_py.template import names_in, render_tree, split, to_text, tree
from nango_py.testing.messages import Answered, json_body
from nango_py.testing.tokens import TokenDesk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.model import Integration
    from nango_py.testing.messages import Asked

__all__ = ["LoginDesk", "desk_of"]

_LOGINS = "simulated-login/"
"""Where logins are served on a socket, below its base URL."""
_TELLING = frozenset({"now", "uuid"})
"""Names whose value nobody can foresee."""
_PROOF = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One request of a login: its number, from 1 on, and what is declared of it."""

    number: int
    keys: Mapping[str, Any]
    usual: str

    @property
    def way(self) -> str:
        """How its parameters are sent."""
        is_get = self.keys.get("token_request_method") == "GET"
        return "query" if is_get else self.keys.get("body_format", self.usual)

    @property
    def named(self) -> set[str]:
        """The answers that say where it goes."""
        return {name[0] for name in names_in(split(self.keys["token_url"])) if name[0].startswith("step")}

    @property
    def in_url(self) -> set[str]:
        """What its URL says in a query of its own."""
        return {name for name, _ in parse_qsl(urlsplit(self.keys["token_url"]).query, keep_blank_values=True)}


@dataclass(slots=True, kw_only=True)
class LoginDesk(TokenDesk):
    """Let an account log in by the declared requests, in their order, and use a refresh token where that is declared.

    ``values`` are what the account's placeholders stand for. What a later request says of an earlier answer is made
    up in that answer, and has to come back.
    """

    logs_in: ClassVar[bool] = True

    values: dict[str, Any] = field(default_factory=dict, repr=False)
    wanted: frozenset[tuple[str, ...]] = frozenset()
    """What the integration's requests say of the last answer, as paths below ``raw``."""
    sessions: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """The last answers, by the access tokens in them."""
    _done: int = 0

    def addresses(self, bases: tuple[str, ...]) -> Iterator[str]:
        """Yield the addresses of the login and of the renewal, without their queries."""
        for step in (*self._steps(), *self._refreshes()):
            yield from self._addresses(step, bases)

    def keys_at(self, url: str) -> dict[str, Any]:
        """Return the keys of ``auth`` that lead a login to the provider served at *url*."""
        first, *more = self._steps()
        keys: dict[str, Any] = {"token_url": url + _path_of(first)}
        if more:
            keys["additional_steps"] = [{**step.keys, "token_url": url + _path_of(step)} for step in more]
        if "refresh_url" in self.keys:
            keys["refresh_url"] = f"{url}{_LOGINS}0"
        return keys

    def answer(self, asked: Asked, now: float) -> Answered:
        """Answer a request of a login, or one that uses a refresh token."""
        if "token_request_auth_method" in self.keys and self._authenticated(asked, _sent(asked) or {}) is None:
            return self._refuse("invalid_client", "the client's proof is wrong, twofold or missing", status=401)
        for step in self._refreshes():
            for text in (*self._refresh, *self._used):
                if self._misfit(step, asked, {**self.values, "refresh_token": text}) is None:
                    return self._renewed({"refresh_token": text}, now)
        steps = self._steps()
        # Of requests to one address the one that is due comes first.
        due = sorted(steps, key=lambda step: step.number != self._done + 1)
        misfits = [(step, self._misfit(step, asked, self.values)) for step in due]
        found = next((step for step, misfit in misfits if misfit is None), None)
        if found is None or found.number > self._done + 1:
            self._done = 0
            return self._refuse("invalid_login", misfits[0][1] or "the login begins elsewhere", status=401)
        self._done = found.number
        if found.number < len(steps):
            return self._went_on(found)
        self._done = 0
        return self._logged_in(now)

    def _went_on(self, step: _Step) -> Answered:
        """Answer with what later requests say of this answer."""
        name = f"step{step.number}"
        answer: dict[str, Any] = {}
        for later in self._steps()[step.number :]:
            for where in ("token_url", "token_params", "token_headers"):
                for path in sorted(names_in(tree(later.keys.get(where)))):
                    if path[0] == name:
                        _put(answer, path[1:], self._made_up(path, is_url=_begins_with(later.keys[where], path)))
        self.values[name] = answer
        return json_body(200, answer)

    def _logged_in(self, now: float) -> Answered:
        issued = self.issue(now)
        if self.keys.get("token_response", {}).get("token") == "":
            self.granted += 1
            return json_body(200, issued["access_token"])
        answered = self._granted(issued, without=() if self._refreshes() else ("refresh_token",))
        body = json.loads(answered.content)
        for path in sorted(self.wanted):
            _put(body, path, self._text("raw"))
        self.sessions[issued["access_token"]] = body
        return json_body(200, body)

    def _made_up(self, path: tuple[str, ...], *, is_url: bool) -> str:
        text = self._text(path[0])
        return f"{_origin_of(split(self.keys['token_url']).render(self.values))}/{text}" if is_url else text

    def _steps(self) -> tuple[_Step, ...]:
        usual = str(self.keys.get("body_format", "json"))
        declared = (self.keys, *self.keys.get("additional_steps", ()))
        # The login's own format is the usual one.
        return tuple(_Step(number=number, keys=keys, usual=usual) for number, keys in enumerate(declared, 1))

    def _refreshes(self) -> tuple[_Step, ...]:
        if not (self.keys.get("refresh_url") or self.keys.get("refresh_token_params")):
            return ()
        keys = {
            "token_url": self.keys.get("refresh_url", self.keys["token_url"]),
            "token_params": self.keys.get("refresh_token_params", {"refresh_token": "${refresh_token}"}),
            "token_headers": self.keys.get("refresh_token_headers", self.keys.get("token_headers", {})),
            "token_request_method": self.keys.get("refresh_token_request_method", "POST"),
        }
        return (_Step(number=0, keys=keys, usual=str(self.keys.get("body_format", "json"))),)

    def _addresses(self, step: _Step, bases: tuple[str, ...]) -> Iterator[str]:
        if step.named <= self.values.keys():
            yield split(step.keys["token_url"]).render(self.values).partition("?")[0]
        yield from (base + _path_of(step) for base in bases)

    def _misfit(self, step: _Step, asked: Asked, values: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a request for a step, None where nothing is."""
        return next(self._misfits(step, asked, values), None)

    def _misfits(self, step: _Step, asked: Asked, values: Mapping[str, Any]) -> Iterator[str]:
        what = "the renewal" if step.number == 0 else f"request {step.number} of the login"
        if not asked.address.endswith(_path_of(step)) and asked.address not in self._addresses(step, ()):
            yield f"{what} goes to another address"
        if asked.method != step.keys.get("token_request_method", "POST"):
            yield f"{what} is no {asked.method}"
        for name, text in step.keys.get("token_headers", {}).items():
            if not _is_said(tree(text), asked.headers.get(name.lower()), values):
                yield f"the header {name} of {what} is wrong or missing"
        given = _sent(asked, step.way)
        if given is None:
            yield f"the body of {what} is no {step.way}"
            return
        declared = step.keys.get("token_params", {})
        is_text = step.way != "json"
        for name, value in declared.items():
            if not _is_said(tree(value), given.get(name), values, is_text=is_text):
                yield f"{name} in {what} is wrong or missing"
        proof = _PROOF if "token_request_auth_method" in self.keys else frozenset()
        for name in sorted(given.keys() - declared.keys() - proof - step.in_url):
            yield f"{name} in {what} was not asked for"


def desk_of(integration: Integration, values: dict[str, Any], **options: Any) -> TokenDesk:
    """Return the desk where an integration gets its tokens; *options* are the desk's.

    *values* are what the account's placeholders stand for, when the first request comes.

    Raises:
        UsageError: They are got by a login that nothing here can check.
    """
    keys = integration.declared["auth"]
    if not isinstance(integration.auth, TwoStep):
        return TokenDesk(keys=keys, **options)
    steps = (keys, *keys.get("additional_steps", ()))
    if keys.keys() & {"token", "assertion"} or any(step.get("body_format") == "xml" for step in steps):
        raise UsageError(
            "simulate() cannot check a login that is signed, or written in XML. "
            "Test against the provider's sandbox, or record it once: nango_py.testing.record."
        )
    requests = integration.declared.get("requests", {})
    names = names_in(tree([requests.get("headers", {}), requests.get("params", {})]))
    wanted = frozenset(name[1:] for name in names if name[0] == "raw" and len(name) > 1)
    return LoginDesk(keys=keys, values=values, wanted=wanted, **options)


def _path_of(step: _Step) -> str:
    return f"{_LOGINS}{step.number}"


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _begins_with(written: Any, path: tuple[str, ...]) -> bool:
    """Tell whether a URL is what an answer says, from its scheme on."""
    return isinstance(written, str) and written.replace(" ", "").startswith("${" + ".".join(path))


def _sent(asked: Asked, way: str | None = None) -> dict[str, Any] | None:
    if way is None:
        return asked.json if isinstance(asked.json, dict) else asked.form
    if way == "json":
        return asked.json if isinstance(asked.json, dict) else None
    pairs = parse_qsl(
        urlsplit(asked.url).query if way == "query" else asked.content.decode("utf-8", "replace"),
        keep_blank_values=True,
    )
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        texts.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in texts.items()}


def _is_said(declared: Any, given: Any, values: Mapping[str, Any], *, is_text: bool = True) -> bool:
    """Tell whether what was sent is what is declared, with its placeholders filled."""
    if {name[0] for name in names_in(declared)} & _TELLING:
        return given is not None
    wanted = render_tree(declared, values)
    if wanted is None or not is_text:
        return bool(given == wanted)
    if isinstance(wanted, list | tuple):
        texts = [to_text(item, "an item") for item in wanted]
        return given in (texts, texts[0] if len(texts) == 1 else None)
    return bool(given == to_text(wanted, "the value"))


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *above, last = path or ("value",)
    for name in above:
        body = body.setdefault(name, {})
    body.setdefault(last, value)
