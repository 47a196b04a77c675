"""TWO_STEP: a login that turns the user's secrets into a token, in one request or several."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.auth.grant import BadAnswer, Obtained, Refused
from nango_py.auth.login_answer import WHOLE, as_json, header_values
from nango_py.auth.login_step import BodyFormat, LoginStep
from nango_py.auth.made_token import MadeToken, TokenSignature, declared_assertion
from nango_py.auth.token_answer import pick
from nango_py.auth.token_scheme import JWT_EXTRA, TokenScheme
from nango_py.secret import Secret
from nango_py.template import Template, Tree, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nango_py.auth.grant import Account, Flow, Grant, TokenAnswer, TokenRequest

__all__ = ["TwoStep"]

_WRONG_SECRETS = frozenset({401, 403})
_TOO_MANY = 429
_TROUBLE = 500
_REFRESH_PARAMS = MappingProxyType({"refresh_token": split("${refresh_token}")})


def _steps(declared: Any) -> tuple[LoginStep, ...]:
    return tuple(LoginStep.declare(keys) for keys in declared)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStep(TokenScheme):
    """Send a token as ``Bearer`` that a login answered with.

    A connection's secrets are what the blueprint's ``credentials`` declare. The login is made again when its token
    expires, unless a refresh token came with it and ``refresh_url`` or ``refresh_token_params`` say how it is used; a
    refusal of that leads to a login. An answer of 401 or 403 to a login is final: the same secrets cannot succeed
    later. ``${step1...}`` is the answer to the login, ``${step2...}`` that to the first additional step, and
    ``${raw...}`` the last one; headers and cookies named in ``token_response_headers`` stand among its members. SAML
    assertions are not supported.
    """

    mode: ClassVar[str] = "TWO_STEP"
    templates: ClassVar[frozenset[str]] = frozenset({"token_url", "refresh_url", "revocation_url", "value"})
    filled: ClassVar[frozenset[str]] = frozenset({"additional_steps", "token", "assertion"})
    nested: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
        {
            **TokenScheme.nested,
            "additional_steps": _steps,
            "token": MadeToken.declare,
            "signature": TokenSignature.declare,
            "assertion": declared_assertion,
        }
    )
    reads_jwt: ClassVar[bool] = True

    token_url: Template
    body_format: BodyFormat = "json"  # type: ignore[assignment]
    token_request_method: Literal["POST", "GET"] = "POST"  # noqa: S105 - a method, no password
    token_response_headers: tuple[str, ...] = ()
    additional_steps: tuple[LoginStep, ...] = ()
    refresh_url: Template | None = None
    refresh_token_params: Mapping[str, Tree] = field(default_factory=dict)
    refresh_token_headers: Mapping[str, Tree] = field(default_factory=dict)
    refresh_token_request_method: Literal["POST", "GET"] = "POST"  # noqa: S105 - a method, no password
    token: MadeToken | None = None
    signature: TokenSignature = field(default_factory=TokenSignature)
    assertion: tuple[MadeToken, TokenSignature] | None = None

    def extras(self) -> frozenset[str]:
        """Return the optional dependencies that what is declared needs."""
        makes = self.token is not None or self.assertion is not None
        return TokenScheme.extras(self) | ({JWT_EXTRA} if makes else frozenset())

    def names_in(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the placeholder names that only the value at *path* below ``auth`` may use."""
        names: dict[str, Any] = {}
        if path[0] not in {"token", "assertion"}:
            names |= {name: None for name in ("token", "assertion") if getattr(self, name) is not None}
        if path[0] == "additional_steps":
            names |= {f"step{number}": ... for number in range(1, int(path[1]) + 2)}
        return names

    def urls(self) -> Iterator[Template]:
        """Yield the endpoints that the credentials meet, but for those that an answer leads to."""
        yield from TokenScheme.urls(self)
        yield from (step.token_url for step in self.additional_steps if not step.is_found)

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell that a login can be made at any time."""
        del credentials
        return True

    def proven(self, account: Account, request: TokenRequest) -> TokenRequest:
        """Return *request* with the client's proof, where a way to prove it is declared."""
        return request if self.token_request_auth_method is None else TokenScheme.proven(self, account, request)

    def renew(self, account: Account) -> Grant:
        """Use the refresh token where there is one and a way to use it, else log in."""
        if account.credentials.get("refresh_token") and (self.refresh_url or self.refresh_token_params):
            try:
                return (yield from self._refreshed(account))
            except Refused:
                pass  # the user's own secrets may still do
            except BadAnswer as answer:
                if answer.status >= _TROUBLE or answer.status == _TOO_MANY:
                    raise
        return (yield from self._logged_in(account))

    def _refreshed(self, account: Account) -> Grant:
        step = LoginStep(
            token_url=self.refresh_url or self.token_url,
            token_params=self.refresh_token_params or _REFRESH_PARAMS,
            token_headers=self.refresh_token_headers or self.token_headers,
            token_request_method=self.refresh_token_request_method,
        )
        data = yield from self._asked(step, account, {**account.values, **self._made(account)}, "renewal")
        return self._tokens(data, account)

    def _logged_in(self, account: Account) -> Grant:
        values = {**account.values, **self._made(account)}
        answers: list[Mapping[str, Any]] = []
        for number, step in enumerate((self._login(), *self.additional_steps), 1):
            data = yield from self._asked(step, account, values, "login" if number == 1 else f"login, step {number}")
            answers.insert(0, data)
            values[f"step{number}"] = data
        found = self._tokens(answers[0], account)
        config = {**pick(self.token_response_metadata, *answers), **found.connection_config}
        # A refresh token that this login did not bring belongs to an older session.
        return Obtained(credentials={"refresh_token": None, **found.credentials}, connection_config=config)

    def _login(self) -> LoginStep:
        return LoginStep(
            token_url=self.token_url,
            token_params=self.token_params,
            token_headers=self.token_headers,
            token_request_method=self.token_request_method,
        )

    def _asked(
        self, step: LoginStep, account: Account, values: Mapping[str, Any], purpose: str
    ) -> Flow[Mapping[str, Any]]:
        is_tls = self.endpoint(self.token_url, account, purpose).startswith("https:")
        request = step.request(values, self.body_format, purpose, is_tls=is_tls)
        answer = yield self.proven(account, request)
        is_xml = (step.body_format or self.body_format) == "xml"
        return {**header_values(answer, self.token_response_headers), **self._granted_login(answer, is_xml=is_xml)}

    def _granted_login(self, answer: TokenAnswer, *, is_xml: bool) -> Mapping[str, Any]:
        readable = as_json(
            answer,
            is_xml=is_xml,
            is_text=not self.token_response.token,
            may_be_empty=bool(self.token_response_headers),
        )
        try:
            return self.granted(readable)
        except Refused as refusal:
            is_final = refusal.is_final or answer.status in _WRONG_SECRETS
            raise Refused(refusal.code, refusal.description, status=answer.status, is_final=is_final) from None

    def _tokens(self, data: Mapping[str, Any], account: Account) -> Obtained:
        if self.token_response.token:
            return self.read(data, account)
        return replace(self, token_response=replace(self.token_response, token=WHOLE)).read(data, account)

    def _made(self, account: Account) -> dict[str, Secret]:
        """Return the tokens that the login is to bear, signed with the account's key."""
        made = {"token": None if self.token is None else (self.token, self.signature), "assertion": self.assertion}
        return {
            name: Secret(parts[0].made(parts[1], account.values, now=account.now)[0])
            for name, parts in made.items()
            if parts is not None
        }
