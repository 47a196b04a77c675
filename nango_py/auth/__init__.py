"""How credentials are held and placed: one auth mode a file."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from nango_py.auth.api_key import ApiKey
from nango_py.auth.app import App
from nango_py.auth.aws_sigv4 import AwsSigV4
from nango_py.auth.basic import Basic
from nango_py.auth.jwt import JsonWebToken
from nango_py.auth.mcp_oauth2 import McpOAuth2
from nango_py.auth.none import NoAuth
from nango_py.auth.oauth1 import OAuth1
from nango_py.auth.oauth2 import OAuth2
from nango_py.auth.oauth2_cc import ClientCredentials
from nango_py.auth.scheme import AuthScheme
from nango_py.auth.signature import UsernameToken
from nango_py.auth.tba import TokenBased
from nango_py.auth.two_step import TwoStep

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCHEMES", "SPELLINGS", "AuthScheme"]

SCHEMES: Mapping[str, type[AuthScheme]] = MappingProxyType(
    {
        scheme.mode: scheme
        for scheme in (
            NoAuth,
            Basic,
            ApiKey,
            OAuth2,
            ClientCredentials,
            McpOAuth2,
            OAuth1,
            TwoStep,
            JsonWebToken,
            App,
            AwsSigV4,
            TokenBased,
            UsernameToken,
        )
    }
)
"""Every auth mode."""

SPELLINGS: Mapping[str, str] = MappingProxyType({"USERNAME_PASSWORD": Basic.mode})
"""Other words for a mode: that of 2022."""
