"""How credentials are held and placed: one auth mode a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from nango_py.auth.scheme import AuthScheme

__all__ = ["SCHEMES", "SPELLINGS", "AuthScheme"]

_HOMES = {
    "NONE": "none:NoAuth",
    "BASIC": "basic:Basic",
    "API_KEY": "api_key:ApiKey",
    "OAUTH2": "oauth2:OAuth2",
    "OAUTH2_CC": "oauth2_cc:ClientCredentials",
    "MCP_OAUTH2": "mcp_oauth2:McpOAuth2",
    "OAUTH1": "oauth1:OAuth1",
    "TWO_STEP": "two_step:TwoStep",
    "JWT": "jwt:JsonWebToken",
    "APP": "app:App",
    "AWS_SIGV4": "aws_sigv4:AwsSigV4",
    "TBA": "tba:TokenBased",
    "SIGNATURE": "signature:UsernameToken",
}


class _Schemes(Mapping[str, type[AuthScheme]]):
    """Import a mode when it is first asked for: a program pays for those that it declares."""

    def __getitem__(self, mode: str) -> type[AuthScheme]:
        module, _, name = _HOMES[mode].partition(":")
        scheme: type[AuthScheme] = getattr(import_module(f"nango_py.auth.{module}"), name)
        return scheme

    def __contains__(self, mode: object) -> bool:
        return mode in _HOMES

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


SCHEMES: Mapping[str, type[AuthScheme]] = _Schemes()
"""Every auth mode."""

SPELLINGS: Mapping[str, str] = MappingProxyType({"USERNAME_PASSWORD": "BASIC"})
"""Other words for a mode: that of 2022."""
