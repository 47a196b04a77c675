"""What has to be alike for two requests to share a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nango_py.secret import Secret

__all__ = ["DEADLINE_EXTENSION", "DEFAULT", "PROFILE_EXTENSION", "ClientCertificate", "Profile"]

PROFILE_EXTENSION = "nango_profile"
"""The request extension that holds the request's profile."""
DEADLINE_EXTENSION = "nango_deadline"
"""The request extension that holds the moment, of ``time.monotonic()``, by which the request must be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """Name the PEM files of a certificate that the client shows in the TLS handshake.

    ``key`` is None where ``certificate`` holds the private key as well.
    """

    certificate: str
    key: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Say how an origin is reached; requests of equal profiles share connections.

    ``verify`` is True (the environment's authorities, or certifi's), False, or the path of a PEM file or folder.
    ``proxy`` is a URL, None for what the environment says, or an empty text for none at all; it may hold credentials
    and is therefore not shown. Without ``allow_private`` only public addresses are connected to; a proxy, which
    resolves names itself, is not held to that. ``http2`` offers HTTP/2 to https origins, which may decline.
    ``max_connections`` counts per origin. ``keepalive_seconds`` is how long an idle connection is kept: long enough
    for the pauses between the calls of a job, shorter than the idle limits of the balancers in front of most APIs.
    """

    verify: bool | str = True
    client_certificate: ClientCertificate | None = None
    proxy: str | None = field(default=None, repr=False)
    allow_private: bool = True
    http2: bool = False
    max_connections: int = 100
    keepalive_seconds: float = 15.0


DEFAULT = Profile()
