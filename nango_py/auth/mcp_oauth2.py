"""MCP_OAUTH2: a bearer token for an MCP server, whose authorization server is found out and joined on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nango_py.address import placeholders_in_host
from nango_py.auth.grant import Begun, Refused, read_answer
from nango_py.auth.mcp_client import METHODS, Client, register, static_client
from nango_py.auth.mcp_discovery import AuthorizationServer, Resource, discover_resource, discover_server, is_safe
from nango_py.auth.oauth2 import OAuth2
from nango_py.auth.scheme import revealed
from nango_py.auth.token_scheme import TOKEN_FIELDS, TokenScheme
from nango_py.field import Field
from nango_py.template import Template, Tree, render_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.auth.grant import Account, Flow, Grant, TokenRequest

__all__ = ["McpOAuth2"]

_KNOWN = (
    Field(name="client_id", title="Client ID", optional=True),
    Field(name="client_secret", title="Client secret", secret=True, optional=True),
    Field(name="token_endpoint_auth_method", title="Client authentication", optional=True),
    Field(name="token_url", title="Token endpoint", format="uri", optional=True),
    Field(name="revocation_url", title="Revocation endpoint", format="uri", optional=True),
    Field(name="resource", title="Resource", format="uri", optional=True),
    Field(name="issuer", title="Issuer", format="uri", optional=True),
)
_ACCOUNT = frozenset({"connection_config", "credentials", "metadata"})
_LOST_CLIENT = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True, slots=True, kw_only=True)
class McpOAuth2(OAuth2):
    """Send an access token for an MCP server as ``Bearer``.

    The server at ``server_url`` says who grants access to it (RFC 9728), that one says where (RFC 8414), and a client
    is registered there (RFC 7591) unless the integration has one. What was found and registered stays with the
    connection, so that a renewal asks nobody but the token endpoint. Declared endpoints are used as they are. Tokens
    are asked for with the server as ``resource`` (RFC 8707).
    """

    mode: ClassVar[str] = "MCP_OAUTH2"
    wants_client: ClassVar[bool] = False
    fields: ClassVar[tuple[Field, ...]] = (*TOKEN_FIELDS, *_KNOWN)
    templates: ClassVar[frozenset[str]] = OAuth2.templates | {
        "server_url",
        "registration_url",
        "client_id_metadata_url",
    }

    server_url: Template
    registration_url: Template | None = None
    registration_params: Mapping[str, Tree] = field(default_factory=dict)
    client_registration: Literal["auto", "static", "cimd", "dynamic"] = "auto"
    client_id_metadata_url: Template | None = None

    # Before the browser leaves

    def begin(self, account: Account, *, redirect_uri: str, state: str) -> Flow[Begun]:
        """Find the authorization server, become its client, and return where access is granted."""
        resource, server = yield from self._discovered(account)
        account = replace(account, scopes=account.scopes or resource.scopes)
        client = yield from self._client(account, server, redirect_uri)
        verifier = None if self.disable_pkce else account.nonce()
        url = self.authorization_address(
            account,
            redirect_uri=redirect_uri,
            state=state,
            verifier=verifier,
            endpoint=server.authorization_url,
            more={"client_id": client.client_id, "resource": resource.identifier},
        )
        kept = {
            **client.kept(),
            "code_verifier": verifier,
            "scope": self.scope_text(account),
            "resource": resource.identifier,
            "issuer": server.issuer or None,
            "token_url": None if self.token_url else server.token_url,
            "revocation_url": None if self.revocation_url else server.revocation_url,
            "names_itself": server.names_itself or None,
        }
        return Begun(url=url, kept={name: value for name, value in kept.items() if value is not None})

    def _discovered(self, account: Account) -> Flow[tuple[Resource, AuthorizationServer]]:
        address = self._safe_endpoint("server_url", account)
        names = ("authorization_url", "token_url", "registration_url", "revocation_url")
        declared: dict[str, Any] = {
            name: self._safe_endpoint(name, account) for name in names if getattr(self, name) is not None
        }
        if {"authorization_url", "token_url"} <= set(declared) and self._knows_client(account, declared):
            resource = Resource(identifier=address, issuer=self.issuer or "")
            return resource, AuthorizationServer(issuer=resource.issuer, auth_methods=tuple(METHODS), **declared)
        resource = yield from discover_resource(address)
        server = yield from discover_server(resource.issuer, found=resource.is_found)
        if self.issuer is not None and self.issuer.rstrip("/") != server.issuer.rstrip("/"):
            raise Refused("invalid_issuer", "another server than the declared issuer grants access", status=400)
        return resource, replace(server, **declared)

    def _safe_endpoint(self, name: str, account: Account) -> str:
        url = self.endpoint(getattr(self, name), account, name)
        if not is_safe(url):
            raise ValueError(f"{name} must be an https URL")
        return url

    def _knows_client(self, account: Account, declared: Mapping[str, str]) -> bool:
        """Tell whether one can become a client of the server without asking it how."""
        is_declared = "registration_url" in declared or self.client_registration == "cimd"
        return is_declared or self._is_static(account)

    def _is_static(self, account: Account) -> bool:
        return self.client_registration == "static" or (
            self.client_registration == "auto" and bool(self.client_of(account)[0])
        )

    def _client(self, account: Account, server: AuthorizationServer, redirect_uri: str) -> Flow[Client]:
        if self._is_static(account):
            client_id, secret = self.client_of(account)
            if not client_id:
                raise ValueError("client_registration is static, and there is no oauth_client_id")
            if secret and self._trusts_the_account():
                raise ValueError(
                    "whoever connects an account names the server, which would be told the client's secret: "
                    "declare auth.issuer"
                )
            return static_client(client_id, secret, server.auth_methods)
        if self._uses_document(server):
            return Client(client_id=self._safe_endpoint("client_id_metadata_url", account))
        if server.registration_url is None:
            raise ValueError(
                "the authorization server registers no clients by itself: "
                "register one there and set oauth_client_id, or declare client_id_metadata_url"
            )
        return (
            yield from register(
                server.registration_url,
                redirect_uri=redirect_uri,
                supported=server.auth_methods,
                scope=self.scope_text(account),
                params=render_tree(self.registration_params, account.values) or {},
                found=self.registration_url is None,
            )
        )

    def _trusts_the_account(self) -> bool:
        """Tell whether the account alone decides where the client proves itself."""
        if self.issuer is not None or (self.authorization_url is not None and self.token_url is not None):
            return False
        return any(name[0] in _ACCOUNT for part in placeholders_in_host(self.server_url) for name in part.names)

    def _uses_document(self, server: AuthorizationServer) -> bool:
        if self.client_registration == "cimd":
            return True
        is_free = self.client_registration == "auto" and self.client_id_metadata_url is not None
        return is_free and server.takes_metadata_url

    # With a code, and later

    def finish(
        self, account: Account, callback: Mapping[str, str], kept: Mapping[str, Any], *, redirect_uri: str
    ) -> Grant:
        """Exchange the code, for the resource and at the endpoint that the attempt found."""
        if kept.get("names_itself") and not callback.get("iss"):
            raise Refused("invalid_issuer", "the callback does not say which server sent it", status=400)
        known = {one.name: text for one in _KNOWN if (text := revealed(kept, one.name))}
        account = replace(account, credentials={**account.credentials, **known})
        obtained = yield from OAuth2.finish(self, account, callback, kept, redirect_uri=redirect_uri)
        return replace(obtained, credentials={**known, **obtained.credentials})

    def code_request(self, account: Account, kept: Mapping[str, Any], fields: Mapping[str, Any]) -> TokenRequest:
        """Return the request that exchanges a code."""
        del kept
        request = self._request(account, fields, self.token_params, "code exchange")
        return replace(request, is_repeatable=False)

    def issuer_of(self, account: Account, kept: Mapping[str, Any]) -> str | None:
        """Return the issuer that was found, or the declared one."""
        del account
        return self.issuer or revealed(kept, "issuer") or None

    def can_renew(self, credentials: Mapping[str, Any]) -> bool:
        """Tell whether there is a refresh token and somewhere to send it."""
        has_endpoint = (self.refresh_url or self.token_url) is not None or bool(credentials.get("token_url"))
        return bool(credentials.get("refresh_token")) and has_endpoint

    def renew(self, account: Account) -> Grant:
        """Use the refresh token; a server that has forgotten its client has forgotten the token too."""
        fields = {"grant_type": "refresh_token", "refresh_token": revealed(account.credentials, "refresh_token")}
        answer = yield self._request(account, fields, self.refresh_params, "renewal", url=self.refresh_url)
        lost = _LOST_CLIENT if account.credentials.get("client_id") else frozenset()
        final = frozenset({"invalid_grant", *self.reauth_errors, *lost})
        return self.read(read_answer(answer, final=final), account)

    def _request(
        self,
        account: Account,
        fields: Mapping[str, Any],
        params: Mapping[str, Tree],
        purpose: str,
        *,
        url: Template | None = None,
    ) -> TokenRequest:
        declared = url or self.token_url
        return self.token_request(
            account,
            declared or revealed(account.credentials, "token_url") or None,
            {**fields, "resource": revealed(account.credentials, "resource") or None},
            params=params,
            purpose=purpose,
            found=declared is None,
        )

    def proven(self, account: Account, request: TokenRequest) -> TokenRequest:
        """Return *request* with the proof that the client was registered with."""
        method = METHODS.get(revealed(account.credentials, "token_endpoint_auth_method"), self.client_method)
        bound = replace(self, token_request_auth_method=self.token_request_auth_method or method)
        return TokenScheme.proven(bound, account, request)

    @property
    def revokes(self) -> bool:
        """Whether there may be a revocation endpoint: the connection knows."""
        return True

    def revocation_endpoint(self, account: Account) -> tuple[Template | str | None, bool]:
        """Return where tokens are revoked, where that is declared or was found."""
        if self.revocation_url is not None:
            return self.revocation_url, False
        return revealed(account.credentials, "revocation_url") or None, True
