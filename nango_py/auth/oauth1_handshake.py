"""The three legs of OAuth 1: temporary credentials, authorization, token credentials (RFC 5849 section 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from nango_py.auth.authorization_url import authorization_url
from nango_py.auth.grant import BadAnswer, Begun, Obtained, TokenRequest, read_answer
from nango_py.auth.oauth1_signature import Signer
from nango_py.auth.scheme import endpoint_of, revealed
from nango_py.template import render_tree, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.auth.grant import Account, Flow, Grant
    from nango_py.auth.oauth1 import OAuth1
    from nango_py.http import Request
    from nango_py.template import Template, Tree

__all__ = ["authorize", "exchange"]

_PAIR = ("oauth_token", "oauth_token_secret")


def authorize(scheme: OAuth1, account: Account, *, redirect_uri: str) -> Flow[Begun]:
    """Get temporary credentials, and return where they are authorized (sections 2.1 and 2.2).

    The protocol knows no state: the temporary token names the attempt.
    """
    endpoint_of(scheme.token_url, account.values, "token exchange")  # nobody should agree for nothing
    signer = replace(_signer(scheme, account, ("", "")), callback=redirect_uri)
    answer = yield _request(
        account,
        signer,
        scheme.request_url,
        scheme.request_http_method,
        scheme.request_params,
        purpose="request for temporary credentials",
    )
    data = read_answer(answer)
    token, secret = _pair(data)
    if str(data.get("oauth_callback_confirmed")).lower() != "true":
        # Without it the endpoint speaks the first version of OAuth, whose attempts can be taken over.
        raise BadAnswer("was answered without oauth_callback_confirmed=true", status=answer.status)
    params: dict[str, Any] = {"oauth_token": token}
    if account.scopes:
        params["scope"] = scheme.scope_separator.join(account.scopes)
    params |= render_tree(scheme.authorization_params, account.values) or {}
    url = authorization_url(endpoint_of(scheme.authorization_url, account.values, "authorization"), params)
    return Begun(url=url, kept={"oauth_token": token, "oauth_token_secret": secret}, state=token)


def exchange(scheme: OAuth1, account: Account, callback: Mapping[str, str], kept: Mapping[str, Any]) -> Grant:
    """Exchange the authorized temporary credentials for lasting ones (section 2.3)."""
    verifier = callback.get("oauth_verifier")
    if not verifier:
        raise BadAnswer("came back without 'oauth_verifier'", status=200)
    temporary = (revealed(kept, "oauth_token"), revealed(kept, "oauth_token_secret"))
    signer = replace(_signer(scheme, account, temporary), verifier=verifier)
    request = _request(
        account, signer, scheme.token_url, scheme.token_http_method, scheme.token_params, purpose="token exchange"
    )
    answer = yield replace(request, is_repeatable=False)
    data = read_answer(answer)
    token, secret = _pair(data)
    raw = {name: value for name, value in data.items() if name not in _PAIR}
    return Obtained(credentials={"oauth_token": token, "oauth_token_secret": secret, "raw": raw})


def _signer(scheme: OAuth1, account: Account, token: tuple[str, str]) -> Signer:
    client = (revealed(account.values, "oauth_client_id"), revealed(account.values, "oauth_client_secret"))
    return Signer(client=client, token=token, method=scheme.signature_method)


def _request(
    account: Account,
    signer: Signer,
    url: Template | None,
    method: Literal["GET", "POST"],
    params: Mapping[str, Tree],
    *,
    purpose: str,
) -> TokenRequest:
    given = {name: to_text(value, name) for name, value in (render_tree(params, account.values) or {}).items()}

    def sign(request: Request) -> Request:
        # A nonce of its own for a request that is sent again: else it is a replay (section 3.3).
        return signer.sign(request, now=account.now, nonce=account.nonce(), body=request.read() or None)

    made = TokenRequest(url=endpoint_of(url, account.values, purpose), method=method, sign=sign, purpose=purpose)
    if not given:
        return made
    return replace(made, params=tuple(given.items())) if method == "GET" else replace(made, form=given)


def _pair(data: Mapping[str, Any]) -> tuple[str, str]:
    token, secret = (data.get(name) for name in _PAIR)
    if not isinstance(token, str) or not isinstance(secret, str) or not token:
        raise BadAnswer("was answered without a token and its secret", status=200)
    return token, secret
