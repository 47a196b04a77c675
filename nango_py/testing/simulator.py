"""A provider that keeps what a blueprint declares: its auth, its limits, its pagination; in memory or on a socket."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nango_py.clock import SystemClock
from nango_py.errors import ConfigError
from nango_py.model import Integration
from nango_py.template import split
from nango_py.testing.accounts import made_up, made_up_text
from nango_py.testing.bodies import put
from nango_py.testing.doors import Door, door_of, placeholders_in
from nango_py.testing.faults import Faults
from nango_py.testing.limits import Counter, limits_of, refusal_headers
from nango_py.testing.lists import page_of, pagination_for
from nango_py.testing.logins import desk_of
from nango_py.testing.loopback import serve
from nango_py.testing.messages import Answered, Asked, Seen, json_body
from nango_py.testing.tokens import Client
from nango_py.testing.transport import SimulatedTransport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nango_py.clock import Clock
    from nango_py.testing.faults import Fault
    from nango_py.testing.tokens import TokenDesk

__all__ = ["Simulator", "declared_by", "simulate"]

_TOKENS = "simulated-oauth/token"
_REVOCATIONS = "simulated-oauth/revoke"


@dataclass(slots=True, kw_only=True)
class Simulator:
    """Answer for a provider; made by :func:`simulate`.

    ``credentials``, ``connection_config`` and ``keys`` are what a connection and its integration need to be let in;
    ``transport`` goes to ``Nango.load`` or ``AsyncNango.load``. ``seen`` has every request below the base URL,
    ``strays`` those that went anywhere else, ``desk`` the tokens.
    """

    integration: Integration
    credentials: Mapping[str, Any] = field(repr=False)
    connection_config: Mapping[str, str]
    objects: Mapping[str, Any]
    lists: Mapping[str, Sequence[Any]]
    desk: TokenDesk
    clock: Clock
    faults: Faults
    counter: Counter
    door: Door
    base_url: str
    app_api_key: str = field(repr=False)
    refusals: frozenset[int] = frozenset()
    retry_after: float = 1
    page_size: int = 100
    required_scopes: Mapping[str, str] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    strays: list[Seen] = field(default_factory=list)
    _next: deque[Answered] = field(default_factory=deque, repr=False)
    _bases: list[str] = field(default_factory=list, repr=False)
    _authorized: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    # What a program needs to be let in

    @property
    def transport(self) -> SimulatedTransport:
        """Return the provider as an httpx transport, sync and async."""
        return SimulatedTransport(self.answer, self.clock, self.faults.slow_seconds)

    @property
    def keys(self) -> dict[str, Any]:
        """Return the keys that an integration needs beside its blueprint: the app as the provider knows it."""
        keys: dict[str, Any] = {}
        if self.integration.auth.wants_client or "token_request_auth_method" in self.integration.declared["auth"]:
            keys |= {"oauth_client_id": self.desk.client.id, "oauth_client_secret": self.desk.client.secret}
        return {**keys, "app_api_key": self.app_api_key}

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve on a free port of 127.0.0.1; give the base URL."""
        with serve(self.answer, self.faults.slow_seconds) as url:
            self._bases.insert(0, url)
            try:
                yield url
            finally:
                self._bases.remove(url)

    def keys_at(self, url: str) -> dict[str, Any]:
        """Return the keys that lead an integration to the provider served at *url*."""
        declared = self.integration.declared["auth"]
        places = {"token_url": _TOKENS, "refresh_url": _TOKENS, "revocation_url": _REVOCATIONS}
        auth = {name: url + path for name, path in places.items() if name in declared}
        auth |= self.desk.keys_at(url)
        network = {"allow_private": True}  # a pack's blueprint may not lead here by itself
        return {**self.keys, "requests": {"base_url": url}, "network": network, **({"auth": auth} if auth else {})}

    # What a test asks of the provider

    @property
    def let_in(self) -> int:
        """How many requests bore the right credentials."""
        return self._authorized

    @property
    def can_renew(self) -> bool:
        """Whether the account's credentials get a new token from the desk."""
        auth = self.integration.declared["auth"]
        has_desk = "token_url" in auth or "refresh_url" in auth
        return self.desk.logs_in or (has_desk and bool({"refresh_token", "client_id"} & set(self.credentials)))

    def answer_next(self, body: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer one more of the coming authorized requests with *body*; of a 204, with nothing."""
        empty = Answered(status=status, headers=headers or {})
        self._next.append(empty if status == 204 else json_body(status, body, headers))  # noqa: PLR2004

    def push(self, answered: Answered) -> None:
        """Give one more of the coming authorized requests this answer."""
        self._next.append(answered)

    def forget_answers(self) -> None:
        """Take back the answers that nobody asked for."""
        self._next.clear()

    # What comes in

    def answer(self, asked: Asked) -> Answered:
        """Answer a request and remember it; the desk keeps books of its own."""
        with self._lock:
            at_desk = self._at_desk(asked)
            if at_desk is not None:
                return at_desk
            place = self._place(asked)
            answered = json_body(200, {"provider": "another"}) if place is None else self._answer(asked, place)
            seen = Seen(
                method=asked.method, path=urlsplit(asked.url).path, query=asked.query, headers=asked.headers,
                status=0 if answered.mishap == "reset" else answered.status, url=asked.url, content=asked.content,
            )  # fmt: skip
            (self.strays if place is None else self.seen).append(seen)
        return answered

    def _place(self, asked: Asked) -> str | None:
        """Return the path below the base URL, or None where it is another's address."""
        for base in (*self._bases, self.base_url):
            if f"{asked.address}/".startswith(base):
                return asked.address[len(base) :].strip("/")
        return None

    def _at_desk(self, asked: Asked) -> Answered | None:
        """Return the answer of the desk for tokens, where it was asked."""
        found = self._endpoints().get(asked.address)
        if found == "token":
            return self.desk.answer(asked, self.clock.now())
        return self.desk.revoke(asked) if found == "revocation" else None

    def _endpoints(self) -> dict[str, str]:
        kinds = {"token_url": "token", "refresh_url": "token", "revocation_url": "revocation"}
        auth = self.integration.declared["auth"]
        found = {
            split(auth[name]).render(self.door.values).partition("?")[0]: kind
            for name, kind in kinds.items()
            if isinstance(auth.get(name), str)
        }
        found |= dict.fromkeys(self.desk.addresses(tuple(self._bases)), "token")
        for base in self._bases:
            found |= {base + _TOKENS: "token", base + _REVOCATIONS: "revocation"}
        return found

    def _answer(self, asked: Asked, place: str) -> Answered:
        now = self.clock.now()
        why = self.door.refusal(asked, now)
        if why is not None:
            return self._refused(why)
        if missing := self._missing_scope(asked, place, now):
            told = f'Bearer error="insufficient_scope", scope="{missing}"'  # RFC 6750 section 3.1
            return json_body(403, {"error": "insufficient_scope"}, {"WWW-Authenticate": told})
        self._authorized += 1
        is_refused = self._authorized in self.refusals
        wait = self.retry_after if is_refused else self.counter.wait(asked.method, place, now)
        if wait:
            retry = self.integration.declared.get("retry", {})
            return json_body(429, {"error": "Too many requests."}, refusal_headers(retry, wait, now))
        fault = self.faults.of(self._authorized)
        return self._resource(asked, place) if fault is None else self._faulty(fault, asked, place)

    def _refused(self, why: str) -> Answered:
        """Refuse credentials by the sign that the blueprint declares, or else by a 401."""
        body: dict[str, Any] = {"error": why}
        sign = self.integration.declared["auth"].get("dead_token")
        reactions = self.integration.declared.get("retry", {}).get("reactions", ())
        renewing = (one for one in reactions if one["reaction"] == "renew_then_retry" and "path" in one)
        reaction: Mapping[str, Any] | None = next(renewing, None)
        if sign is not None:
            put(body, sign["path"], sign["values"][0])
            return json_body(200, body)
        if reaction is not None:
            put(body, reaction["path"], reaction.get("value", (reaction.get("values") or [True])[0]))
            return json_body(200, body)
        return json_body(401, body, {"WWW-Authenticate": 'Bearer error="invalid_token"'})

    def _missing_scope(self, asked: Asked, place: str, now: float) -> str | None:
        scope, token = self.required_scopes.get(place), self.door.token(asked, now)
        if scope is None or token is None or token.scopes is None or scope in token.scopes:
            return None
        return scope

    def _faulty(self, fault: Fault, asked: Asked, place: str) -> Answered:
        if fault == "unavailable":
            return json_body(503, {"error": "Try again later."})
        if fault == "refused_without_headers":
            return json_body(429, {"error": "Too many requests."})
        if fault == "error_in_success":
            return json_body(200, {"ok": False, "error": "internal_error"})
        if fault == "expired_token":
            self.desk.expire(self.door.token_text(asked))
            return self._refused("the access token has ended")
        whole = self._resource(asked, place)
        return Answered(status=whole.status, headers=whole.headers, content=whole.content, mishap=fault)

    def _resource(self, asked: Asked, place: str) -> Answered:
        if self._next:
            return self._next.popleft()
        if place in self.objects:
            return json_body(200, self.objects[place])
        if place in self.lists:
            keys = pagination_for(self.integration.declared, asked.method, place)
            if keys is not None:
                return page_of(keys, self.lists[place], asked, usual_size=self.page_size, place=place)
            return json_body(200, list(self.lists[place]))
        above, _, name = place.rpartition("/")
        for item in self.lists.get(above, ()):
            if isinstance(item, dict) and str(item.get("id")) == name:
                return json_body(200, item)
        return json_body(404, {"error": "There is nothing here."})


def declared_by(
    source: str | Path | Integration | Mapping[str, Any], blueprints: Sequence[str | Path] = ()
) -> Integration:
    """Return the integration that a blueprint makes.

    *source* is its key (``close:v0``), its file, the keys of an integration, or one; without a version it is the
    newest.

    Raises:
        UsageError: There is no such blueprint or file.
        ConfigError: The blueprint is broken.
    """
    # An integration at hand needs no loading.
    from nango_py.declare import load  # noqa: PLC0415
    from nango_py.declare.catalogue import read_written  # noqa: PLC0415
    from nango_py.versions.content import find  # noqa: PLC0415

    if isinstance(source, Integration):
        return source
    folders, keys = tuple(blueprints), source
    if not isinstance(keys, Mapping):
        key, beside = read_written(str(source))
        folders, keys = (*beside, *folders), {"extends_blueprint": key}
    declared = load({"integrations": {"simulated": keys}}, blueprints=folders, environ={})
    if "simulated" not in declared.integrations:
        if keys is not source:
            find(str(source), folders)  # tells whoever named it that there is none
        raise ConfigError(declared.broken["simulated"])
    return declared.integrations["simulated"]


def simulate(
    source: str | Path | Integration | Mapping[str, Any],
    *,
    credentials: Mapping[str, Any] | None = None,
    connection_config: Mapping[str, str] | None = None,
    objects: Mapping[str, Any] | None = None,
    lists: Mapping[str, Sequence[Any]] | None = None,
    clock: Clock | None = None,
    faults: Faults | None = None,
    refusals: Sequence[int] = (),
    retry_after: float = 1,
    page_size: int = 100,
    token_lifetime: float | None = 3600,
    rotates: bool = True,
    scopes: Sequence[str] | None = None,
    required_scopes: Mapping[str, str] | None = None,
    enforce_limits: bool = True,
    blueprints: Sequence[str | Path] = (),
    seed: int = 0,
) -> Simulator:
    """Return a provider that keeps what a blueprint declares.

    *source* is the blueprint's key or its file, or the keys of an integration. *objects* and *lists* are its data by
    path, without a slash at either end; the items of a list that have an ``id`` are found below it. *credentials* and
    *connection_config* are made up without them. *refusals* are numbers of authorized requests, from 1, that meet a
    429 with a wait of *retry_after* seconds. Access tokens live for *token_lifetime* seconds of *clock* (None: for
    ever), and have *scopes* (None: all); *required_scopes* are by path.

    Raises:
        ConfigError: The blueprint is broken.
        UsageError: It declares something that cannot be simulated.
    """
    integration = declared_by(source, blueprints)
    clock = clock or SystemClock()
    client = Client(id=made_up_text("client_id", seed), secret=made_up_text("client_secret", seed))
    values: dict[str, Any] = {}
    desk = desk_of(
        integration,
        values,
        client=client,
        seed=seed,
        lifetime=token_lifetime,
        rotates=rotates,
        scopes=None if scopes is None else frozenset(scopes),
    )
    given = _credentials(integration, desk, clock.now(), seed) if credentials is None else dict(credentials)
    if "client_id" in given:
        desk.accounts[given["client_id"]] = given["client_secret"]
    every = [item.name for item in integration.connection_config]
    config = {**made_up(integration.connection_config, seed, every), **(connection_config or {})}
    app_api_key = made_up_text("app_api_key", seed)
    values |= {
        **given,
        "credentials": given,
        "connection_config": config,
        "metadata": {},
        "app_api_key": app_api_key,
        "oauth_client_id": client.id,
        "oauth_client_secret": client.secret,
    }
    return Simulator(
        integration=integration,
        credentials=given,
        connection_config=config,
        objects=objects or {},
        lists=lists or {},
        desk=desk,
        clock=clock,
        faults=faults or Faults(),
        counter=Counter(entries=limits_of(integration.declared) if enforce_limits else ()),
        door=door_of(integration, values, desk),
        base_url=split(integration.declared["requests"]["base_url"]).render(values).rstrip("/") + "/",
        app_api_key=app_api_key,
        refusals=frozenset(refusals),
        retry_after=retry_after,
        page_size=page_size,
        required_scopes=required_scopes or {},
    )


def _credentials(integration: Integration, desk: TokenDesk, now: float, seed: int) -> dict[str, Any]:
    """Return what an account's connection is registered with: tokens are issued, all else is made up."""
    requests = integration.declared["requests"]
    placed = placeholders_in((requests.get("headers"), requests.get("params")))
    found = made_up(integration.credentials, seed, placed, varies=True)
    names = {item.name for item in integration.credentials}
    if "client_id" in names:
        found |= {name: made_up_text(f"account_{name}", seed) for name in ("client_id", "client_secret")}
        return found
    if "access_token" in names and not desk.logs_in:
        issued = desk.issue(now)
        found |= {name: issued[name] for name in ("access_token", "refresh_token", "expires_in") if name in issued}
    return found
