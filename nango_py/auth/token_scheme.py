"""What every mode has in common that gets its tokens from an endpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.client_authentication import Method, authenticated
from nango_py.auth.expiry import Unit, leeway_of, stated_expiry
from nango_py.auth.grant import TokenRequest, read_answer
from nango_py.auth.scheme import AuthScheme, Place, Refuse, endpoint_of, revealed
from nango_py.auth.token_answer import DeadToken, TokenPaths, read_tokens
from nango_py.field import Field, read_fields
from nango_py.secret import Secret
from nango_py.template import Template, Tree, render_tree, split, to_text

if TYPE_CHECKING:
    from nango_py.auth.grant import Account, Flow, Obtained, TokenAnswer

__all__ = ["JWT_EXTRA", "TOKEN_FIELDS", "TokenScheme"]

_TIMES = ("expires_at", "expires_in")

JWT_EXTRA = "jwt:jwt"
TOKEN_FIELDS = (
    Field(name="access_token", title="Access token", secret=True, optional=True),
    Field(name="refresh_token", title="Refresh token", secret=True, optional=True),
    Field(name="token_type", title="Token type", optional=True),
    Field(name="scope", title="Granted scopes", optional=True),
)
"""What a token endpoint brings; a connection may be registered with tokens got elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScheme(AuthScheme):
    """Send an access token as ``Bearer`` and keep it fresh."""

    fields: ClassVar[tuple[Field, ...]] = TOKEN_FIELDS
    supplies: ClassVar[frozenset[str]] = frozenset({"raw"})
    templates: ClassVar[frozenset[str]] = frozenset({"token_url", "revocation_url", "value"})
    nested: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
        {"token_response": TokenPaths.declare, "dead_token": DeadToken.declare}
    )
    reads_jwt: ClassVar[bool] = False
    """Whether a token that says when it ends is believed where the answer does not say it."""

    token_url: Template | None = None
    token_params: Mapping[str, Tree] = field(default_factory=dict)
    token_headers: Mapping[str, Tree] = field(default_factory=dict)
    token_request_auth_method: Method | None = None
    token_request_auth_algorithm: str | None = None
    body_format: Literal["form", "json"] = "form"
    token_response: TokenPaths = field(default_factory=TokenPaths)
    alternate_access_token_response_path: str | None = None
    token_response_metadata: tuple[str, ...] = ()
    expires_in_unit: Unit = "seconds"
    default_token_lifetime: float | None = None
    token_expiration_buffer: float | None = None
    reauth_errors: tuple[str, ...] = ()
    dead_token: DeadToken | None = None
    scope_separator: str = " "
    default_scopes: tuple[str, ...] = ()
    revocation_url: Template | None = None
    refresh_token_idle_lifetime: float | None = None
    placement: Literal["header", "none"] = "header"
    value: Template | None = None

    # What a connection holds

    def accept(
        self, given: Mapping[str, Any], fields: tuple[Field, ...], refuse: Refuse, *, now: float
    ) -> dict[str, Any]:
        """Return the credentials to keep: a lifetime (``expires_in``) becomes a moment, ``raw`` stays as it came."""
        special = {*_TIMES, "raw", "obtained_at"}
        plain = {name: value for name, value in given.items() if name not in special}
        kept: dict[str, Any] = dict(read_fields(fields, plain, refuse))
        kept |= self._given_expiry(given, refuse, now)
        raw = given.get("raw")
        if isinstance(raw, Mapping):
            kept["raw"] = dict(raw)
        elif raw is not None:
            refuse(f"'raw' must be a mapping, not {type(raw).__name__}.")
        return kept

    def _given_expiry(self, given: Mapping[str, Any], refuse: Refuse, now: float) -> dict[str, float]:
        if not given.get("access_token"):
            return {}
        stated = {name: _shown(given.get(name)) for name in _TIMES}
        try:
            moment = stated_expiry(stated, now=now)
            if moment is not None and not math.isfinite(moment):
                raise ValueError("no moment")
        except (TypeError, ValueError, OverflowError):
            refuse("'expires_at' must be a time (epoch seconds, milliseconds or ISO 8601), 'expires_in' seconds.")
            return {}
        if moment is None and self.default_token_lifetime is not None:
            moment = now + self.default_token_lifetime
        return {} if moment is None else {"expires_at": moment, "obtained_at": now}

    def is_complete(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether there is an access token."""
        return bool(credentials.get("access_token"))

    def expires_at(self, credentials: Mapping[str, Any]) -> float | None:
        """Return when the access token stops working, where that is known."""
        moment = credentials.get("expires_at")
        return None if moment is None else float(moment)

    def leeway(self, credentials: Mapping[str, Any]) -> float:
        """Return the declared leeway or five minutes, and at most a tenth of the token's lifetime."""
        return leeway_of(credentials, self.token_expiration_buffer)

    def is_refused(self, body: Any) -> bool:
        """Tell whether the body of an answer bears the declared sign of a dead token."""
        return self.dead_token is not None and self.dead_token.matches(body)

    def extras(self) -> frozenset[str]:
        """Return the optional dependencies that what is declared needs."""
        asserts = self.token_request_auth_method in {"client_secret_jwt", "private_key_jwt"}
        return AuthScheme.extras(self) | ({JWT_EXTRA} if asserts else frozenset())

    @property
    def reads_refusals(self) -> bool:
        """Whether a sign of a dead token is declared."""
        return self.dead_token is not None

    @property
    def idle_lifetime(self) -> float | None:
        """Seconds after which a refresh token that is not used dies."""
        return self.refresh_token_idle_lifetime

    @property
    def picked(self) -> frozenset[str]:
        """The names of connection config that a token answer brings."""
        return frozenset(self.token_response_metadata)

    def place(self) -> Place | None:
        """Return the Authorization header, unless the blueprint places the token itself."""
        if self.placement == "none":
            return None
        return Place(where="header", name="Authorization", value=self.value or split("Bearer ${access_token}"))

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yield each declared path into an answer, with the pointer below ``auth`` where it stands."""
        for name in ("token", "refresh_token", "token_expiration", "scope"):
            yield f"token_response/{name}", getattr(self.token_response, name) or ""
        yield "alternate_access_token_response_path", self.alternate_access_token_response_path or ""
        for index, path in enumerate(self.token_response_metadata):
            yield f"token_response_metadata/{index}", path
        if self.dead_token is not None:
            yield "dead_token/path", self.dead_token.path

    # What is asked of the endpoints

    def urls(self) -> Iterator[Template]:
        """Yield the endpoints that the credentials meet."""
        for name in sorted(self.templates):
            url = getattr(self, name)
            if name.endswith("_url") and isinstance(url, Template):
                yield url

    @property
    def client_method(self) -> Method:
        """How the client proves itself to the token endpoint."""
        return self.token_request_auth_method or "post"

    def client_of(self, account: Account) -> tuple[str, str]:
        """Return the client's id and secret: the connection's own, or the integration's."""
        own = revealed(account.credentials, "client_id"), revealed(account.credentials, "client_secret")
        if own[0]:
            return own
        return revealed(account.values, "oauth_client_id"), revealed(account.values, "oauth_client_secret")

    def token_request(
        self,
        account: Account,
        url: Template | str | None,
        fields: Mapping[str, Any],
        *,
        params: Mapping[str, Tree] | None = None,
        purpose: str = "token request",
        prove: bool = True,
        found: bool = False,
    ) -> TokenRequest:
        """Return a request of *fields*, which declared *params* may replace, with the client's proof.

        What is null is not sent: a declared null takes a standard parameter away.
        """
        rendered = render_tree(params or {}, {**account.values, **fields}) or {}
        body = {name: value for name, value in {**fields, **rendered}.items() if value is not None}
        address = self.endpoint(url, account, purpose)
        headers = _accepting(self.rendered_headers(self.token_headers, account))
        if self.body_format == "json":
            request = TokenRequest(url=address, json=body, headers=headers, purpose=purpose, found=found)
        else:
            request = TokenRequest(url=address, form=_texts(body), headers=headers, purpose=purpose, found=found)
        return self.proven(account, request) if prove else request

    def proven(self, account: Account, request: TokenRequest) -> TokenRequest:
        """Return *request* with the client's proof."""
        client_id, client_secret = self.client_of(account)
        proven = authenticated(
            request,
            self.client_method,
            client_id=client_id,
            client_secret=client_secret,
            audience=request.url,
            now=account.now,
            nonce=account.nonce(),
            algorithm=self.token_request_auth_algorithm,
        )
        # A server remembers the assertions that it took (RFC 7523 section 3, item 7).
        return replace(proven, again=lambda: self.proven(account, request))

    def endpoint(self, url: Template | str | None, account: Account, purpose: str) -> str:
        """Return the URL of an endpoint.

        Raises:
            ValueError: It is not declared, or a placeholder in it has no value.
        """
        return endpoint_of(url, account.values, purpose)

    def rendered_headers(self, headers: Mapping[str, Tree], account: Account) -> dict[str, str]:
        """Return declared headers with their placeholders filled; one that is null is left out."""
        rendered = render_tree(headers, account.values) or {}
        return {name: to_text(value, f"header {name!r}") for name, value in rendered.items() if value is not None}

    def read(self, data: Mapping[str, Any], account: Account, *, scopes: str | None = None) -> Obtained:
        """Return the tokens that a granted answer holds; see :func:`read_tokens`."""
        return read_tokens(
            data,
            paths=self.token_response,
            base=self.alternate_access_token_response_path,
            unit=self.expires_in_unit,
            default_lifetime=self.default_token_lifetime,
            picked=self.token_response_metadata,
            old=account.credentials,
            scopes=scopes,
            now=account.now,
            reads_jwt=self.reads_jwt,
        )

    def granted(self, answer: TokenAnswer) -> Mapping[str, Any]:
        """Return what the endpoint granted; see :func:`read_answer`."""
        return read_answer(answer, final=frozenset({"invalid_grant", *self.reauth_errors}))

    def scope_text(self, account: Account) -> str | None:
        """Return the scopes to ask for: the integration's or the attempt's, then the defaults."""
        wanted = dict.fromkeys((*account.scopes, *self.default_scopes))
        return self.scope_separator.join(wanted) or None

    @property
    def revokes(self) -> bool:
        """Whether a revocation endpoint is declared."""
        return self.revocation_url is not None

    def revocation_endpoint(self, account: Account) -> tuple[Template | str | None, bool]:
        """Return where tokens are revoked, and whether an answer named it."""
        del account
        return self.revocation_url, False

    def revoke(self, account: Account) -> Flow[None]:
        """Revoke the refresh token, or the access token where there is none (RFC 7009 section 2.1)."""
        kind = "refresh_token" if account.credentials.get("refresh_token") else "access_token"
        token = revealed(account.credentials, kind)
        url, found = self.revocation_endpoint(account)
        if token and url is not None:
            fields = {"token": token, "token_type_hint": kind}
            answer = yield self.token_request(account, url, fields, purpose="revocation", found=found)
            if not 200 <= answer.status < 300:  # noqa: PLR2004 - 2xx; an unknown token is answered 200 too (2.2)
                self.granted(answer)


def _accepting(headers: dict[str, str]) -> dict[str, str]:
    said = {name.lower() for name in headers}
    return headers if "accept" in said else {"Accept": "application/json", **headers}


def _texts(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [to_text(item, name) for item in value] if isinstance(value, list | tuple) else to_text(value, name)
        for name, value in body.items()
    }


def _shown(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value
