"""One connection as the run wing sees it: what its requests share, and how each one is signed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain
from operator import is_
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nango_py.auth.scheme import put
from nango_py.errors import ForeignOriginError, UsageError
from nango_py.exchange.origin import is_bound
from nango_py.exchange.plan import Plan, Shape, header_text, make_plan, pairs_of, secret_texts, swap_base
from nango_py.exchange.pool.profile import PROFILE_EXTENSION, ClientCertificate, Profile
from nango_py.exchange.private_networks import is_hop, may_be_private, remember_asked
from nango_py.exchange.request_parts import parts_of
from nango_py.exchange.timeouts import with_total
from nango_py.http import URL, bare_request, with_query
from nango_py.log import emit
from nango_py.masking import Mask
from nango_py.template import TemplateError, render_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.clock import Clock
    from nango_py.effects import Flow
    from nango_py.exchange.breakers import Breakers
    from nango_py.exchange.limiter import Limits
    from nango_py.http import Request, Response
    from nango_py.model import Integration
    from nango_py.template import Template

__all__ = ["Moment", "Session", "profile_of"]

_UNAUTHORIZED = 401
_REMEMBERED = 16
"""So many versions of a connection have their secrets masked. Refused tokens are renewed ten seconds apart at least:
no exchange outlives them all."""
_KNOWN_EXTENSIONS = ("timeout", "sni_hostname", "target")
"""What a caller may ask of the pool; `trace` is left out: it would see the signed request."""


class Moment:
    """What stays fixed for one exchange: the time of its beginning and its UUID."""

    __slots__ = ("_uuid", "now")

    def __init__(self, now: float) -> None:
        self.now = now
        self._uuid: str | None = None

    @property
    def uuid(self) -> str:
        """Return the UUID, made when it is first asked for."""
        if self._uuid is None:
            self._uuid = str(uuid4())
        return self._uuid

    def functions(self) -> Mapping[str, Any]:
        """Return the functions that placeholders may call."""
        from nango_py.expression import moment_functions  # noqa: PLC0415 - most requests need no Jinja

        return moment_functions(self.now, lambda: self.uuid)


def profile_of(integration: Integration, url: Template | None = None) -> Profile:
    """Return what an integration's requests to *url* ask of the pool; to its base URL without it."""
    network = integration.network
    certificate = network.client_certificate
    return Profile(
        verify=network.verify,
        client_certificate=None if certificate is None else ClientCertificate(certificate=certificate),
        proxy=network.proxy,
        allow_private=may_be_private(integration, url or integration.requests.base_url),
        http2=network.http2,
    )


@dataclass(slots=True, kw_only=True)
class Session:
    """Sign the requests of one connection.

    *fresh* reads the connection, as new as it has to be; *renewed* is given one whose credentials were refused and
    brings it with others, or None. Both are told how many seconds there are.
    """

    integration: Integration
    user_id: str
    shape: Shape
    profile: Profile
    clock: Clock
    fresh: Callable[[float | None], Flow[Any]] = field(repr=False)
    renewed: Callable[[Any, float | None], Flow[Any]] = field(repr=False)
    limits: Limits = field(repr=False)
    breakers: Breakers = field(repr=False)
    cookies: Any = field(default=None, repr=False)
    _plan: Plan | None = field(default=None, repr=False)
    _signers: list[Any] = field(default_factory=list, repr=False)
    """The connections of the last plans: an answer may quote credentials that were replaced meanwhile."""
    _mask: tuple[tuple[Any, ...], Mask] | None = field(default=None, repr=False)
    _once: tuple[Plan, dict[tuple[str, str], Any]] | None = field(default=None, repr=False)
    """What was rendered of the plan already."""

    def open(self, seconds: float | None = None) -> Flow[Plan]:
        """Return the plan of the connection as it is now; a renewal is waited for no longer than *seconds*.

        Raises:
            UnknownConnection, ReauthRequired, CredentialsError, StoreError: No request can be sent.
            TimeoutError: A renewal takes longer than *seconds*.
        """
        connection = yield from self.fresh(seconds)
        if self._plan is None or connection is not self._plan.connection:
            self._remember(connection)
            self._plan = make_plan(self.integration, connection, self.shape)
        return self._plan

    def renew(self, plan: Plan, seconds: float | None = None) -> Flow[bool]:
        """Tell whether there are other credentials than those of *plan*, which the provider refused.

        Raises:
            NangoError: There are none, since a renewal failed.
        """
        return (yield from self.renewed(plan.connection, seconds)) is not None

    def is_refusal(self, answer: Response, body: Any) -> bool:
        """Tell whether an answer means that its token is dead."""
        return answer.status_code == _UNAUTHORIZED or self.integration.auth.is_refused(body)

    def is_bound(self, url: URL, plan: Plan) -> bool:
        """Tell whether credentials may meet *url*."""
        return is_bound(url, plan.base, self.integration.requests.allowed_origins)

    def is_own(self, request: Request) -> bool:
        """Tell whether the caller put other credentials on *request*, in the place of the connection's."""
        if not self.shape.places:
            return False
        place = self.shape.place
        if place is not None:
            return _is_taken(request, place.where, place.name)
        return "Authorization" in request.headers and self.integration.auth.uses_header("Authorization")

    @property
    def shown_base_url(self) -> URL:
        """Return the base URL as people may see it; a stand-in where it depends on a connection not read yet."""
        if self._plan is None or self.shape.is_fixed:
            return self.shape.shown_base
        return URL(self._plan.shown_base_url)

    def moment(self) -> Moment:
        """Return the fixed things of a new exchange."""
        return Moment(self.clock.now())

    def sign(self, request: Request, plan: Plan, moment: Moment, body: bytes | None) -> Request:
        """Return a copy of *request* that bears the connection's credentials, if its origin may meet them."""
        url = swap_base(request.url, plan.shown_base_url, plan.base_url)
        copy = self._copy(request, url)
        if not self.is_bound(url, plan):
            self.log("warning", "request.sent_bare", host=url.host, reason="foreign_origin")
            if is_hop(request) and not self.integration.network.allow_private:
                copy.extensions[PROFILE_EXTENSION] = replace(self.profile, allow_private=False)
            return copy
        try:
            self._place_late(copy, plan, moment, body)
            return self._signed(copy, plan, body)
        except UnicodeError:
            reason = "the credentials hold a character that their place in a request cannot."
        except TemplateError as error:
            reason = str(error)
        # Here, where no error that bears the whole value is its context.
        raise UsageError(f"integration {self.integration.name!r}: {reason}")

    def resolve(self, path: str, plan: Plan) -> URL:
        """Return the URL of a path below the base URL, or an absolute URL of an origin that may meet credentials.

        It is the URL that people may see: what is a credential in the base URL is put in by :meth:`sign`.
        """
        if path.startswith(("http://", "https://")):
            url = URL(path)
            if not self.is_bound(swap_base(url, plan.shown_base_url, plan.base_url), plan):
                raise ForeignOriginError(
                    f"integration {self.integration.name!r}: {url.host} is not the origin of its base_url. "
                    "Add it to requests.allowed_origins if it may get the credentials.",
                    integration=self.integration.name,
                )
            return url
        text = plan.shown_base_url + path.lstrip("/")
        # Of connections with base URLs of their own there may be many, and some base URLs hold credentials.
        return _parsed(text) if self.shape.is_fixed else URL(text)

    def secrets(self) -> tuple[str, ...]:
        """Return the secret texts that must not be shown: the connection's own, and those before its renewals."""
        texts = (secret_texts(self.integration, connection) for connection in tuple(self._signers))
        return tuple(dict.fromkeys(chain.from_iterable(texts)))

    def masked(self, text: str, most: int | None = None) -> str:
        """Return *text* with the connection's secrets masked, the first *most* characters of it."""
        return self.mask().text(text, most)

    def holds_secret(self, text: str) -> bool:
        """Tell whether there is any of the connection's secrets in *text*."""
        return self.mask().is_in(text)

    def mask(self) -> Mask:
        """Return the mask of the secrets, which is made once for the connections that it is of."""
        signers, known = tuple(self._signers), self._mask
        if known is None or len(known[0]) != len(signers) or not all(map(is_, known[0], signers)):
            texts = chain.from_iterable(secret_texts(self.integration, one) for one in signers)
            known = self._mask = (signers, Mask(texts))  # one assignment: other threads use the session, too
        return known[1]

    def log(self, level: str, event: str, **fields: Any) -> None:
        """Log a line about the connection."""
        least = self.integration.log_level
        context = {"integration": self.integration.name, "user_id": self.user_id}
        emit(level, event, secrets=self.mask, least=least, **context, **fields)

    def _remember(self, connection: Any) -> None:
        held = (connection.credentials, connection.connection_config)
        if all(held != (one.credentials, one.connection_config) for one in tuple(self._signers)):
            # Two operations that no other thread can halve: a lock would be held by every request.
            self._signers.append(connection)
            del self._signers[:-_REMEMBERED]

    def _copy(self, request: Request, url: URL) -> Request:
        extensions = {name: request.extensions[name] for name in _KNOWN_EXTENSIONS if name in request.extensions}
        if self.integration.timeouts.total and "timeout" in extensions:
            extensions["timeout"] = with_total(self.integration, extensions["timeout"])
        extensions[PROFILE_EXTENSION] = self.profile
        remember_asked(request)
        copy = bare_request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=extensions
        )
        if url is not request.url:
            copy.headers["Host"] = url.netloc.decode("ascii")
        return copy

    def _place_late(self, copy: Request, plan: Plan, moment: Moment, body: bytes | None) -> None:
        if not (self.shape.late_headers or self.shape.late_params):
            return
        # What does not tell the time is the same for every request of the plan, and rendered once.
        values = plan.values
        if self.shape.is_timed:
            values = {**values, **moment.functions(), "request": parts_of(copy, body)}
        once = {} if self.shape.is_timed else self._rendered(plan)
        for name, tree in self.shape.late_headers:
            if name not in copy.headers:
                text = _known(once, ("header", name), partial(_header, name, tree, values))
                if text is not None:
                    copy.headers[name] = text
        if self.shape.late_params:
            present = copy.url.params
            pairs = [
                pair
                for name, tree in self.shape.late_params
                if name not in present
                for pair in _known(once, ("param", name), partial(_pairs, name, tree, values))
            ]
            copy.url = with_query(copy.url, pairs)

    def _rendered(self, plan: Plan) -> dict[tuple[str, str], Any]:
        known = self._once
        if known is None or known[0] is not plan:
            known = self._once = (plan, {})  # one assignment: other threads use the session, too
        return known[1]

    def _signed(self, copy: Request, plan: Plan, body: bytes | None) -> Request:
        if not self.shape.places or self.is_own(copy):
            return copy
        auth, place = self.integration.auth, self.shape.place
        if place is None:
            return auth.sign(copy, plan.values, now=self.clock.now(), nonce=uuid4().hex, body=body)
        text = _known(self._rendered(plan), ("credentials", ""), partial(place.value.render, plan.values))
        return put(copy, place, text)


def _known(once: dict[tuple[str, str], Any], key: tuple[str, str], make: Callable[[], Any]) -> Any:
    if key not in once:
        once[key] = make()
    return once[key]


def _header(name: str, tree: Any, values: Mapping[str, Any]) -> str | None:
    value = render_tree(tree, values)
    return None if value is None else header_text(name, value)


def _pairs(name: str, tree: Any, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(pairs_of(name, render_tree(tree, values)))


@lru_cache(maxsize=512)
def _parsed(text: str) -> URL:
    return URL(text)


def _is_taken(copy: Request, where: str, name: str) -> bool:
    return name in (copy.url.params if where == "query" else copy.headers)
