"""Sign requests to AWS (Signature Version 4); botocore does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, unquote_plus

from nango_py.errors import InputError

if TYPE_CHECKING:
    from nango_py.http import URL, Request

__all__ = ["AwsKeys", "AwsSigner"]

_ENCODED_ONCE = frozenset({"s3", "s3-outposts", "s3-object-lambda"})
"""Services that sign the path as it is sent, and whose bodies need not be signed."""
_UNSIGNED_BODY = "UNSIGNED-PAYLOAD"
_HASH = "X-Amz-Content-SHA256"
_LEFT_OUT = frozenset({"accept", "accept-encoding", "authorization", "connection", "content-length", "user-agent"})
"""Headers that something on the way may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsKeys:
    """Hold an access key and, for a temporary one, its session token."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSigner:
    """Sign for one service and region; *states_hash* sends the body's hash along, as S3 demands."""

    keys: AwsKeys
    service: str
    region: str
    states_hash: bool = True

    def sign(self, request: Request, *, now: float, body: bytes | None) -> Request:
        """Return the request with its signature; a *body* of None is a stream, which only S3 takes unsigned.

        Raises:
            InputError: The body cannot be signed.
        """
        once = self.service in _ENCODED_ONCE
        if body is None and not once:
            raise InputError("AWS signs the body, so it cannot be a stream: give bytes, json or data.")
        request.url = _strict(request.url, path_too=once)
        request.headers.pop("Authorization", None)
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        request.headers["X-Amz-Date"] = stamp
        if self.keys.token:
            request.headers["X-Amz-Security-Token"] = self.keys.token
        if _HASH not in request.headers and self.states_hash:
            request.headers[_HASH] = _UNSIGNED_BODY if body is None else sha256(body).hexdigest()
        request.headers["Authorization"] = self._authorization(request, stamp, body)
        return request

    def _authorization(self, request: Request, stamp: str, body: bytes | None) -> str:
        # The steps of botocore's add_auth(), which reads the clock itself and logs the session token.
        from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415 - an optional dependency
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415

        kind = S3SigV4Auth if self.service in _ENCODED_ONCE else SigV4Auth
        auth: Any = kind(self.keys, self.service, self.region)
        headers = {name: text for name, text in request.headers.items() if name.lower() not in _LEFT_OUT}
        made = AWSRequest(request.method, str(request.url), headers=headers, data=body)
        made.context["timestamp"] = stamp
        to_sign = auth.string_to_sign(made, auth.canonical_request(made))
        names = auth.signed_headers(auth.headers_to_sign(made))
        signature = auth.signature(to_sign, made)
        return f"AWS4-HMAC-SHA256 Credential={auth.scope(made)}, SignedHeaders={names}, Signature={signature}"


def _strict(url: URL, *, path_too: bool) -> URL:
    """Return the URL encoded as AWS encodes it before it compares: all but unreserved characters (RFC 3986, 2.3)."""
    path, mark, query = url.raw_path.decode("ascii").partition("?")
    if path_too:
        path = "/".join(_encoded(unquote(part)) for part in path.split("/"))
    pairs = (pair.partition("=") for pair in query.split("&"))
    query = "&".join(
        _encoded(unquote_plus(name)) + equals + _encoded(unquote_plus(text)) for name, equals, text in pairs
    )
    return url.copy_with(raw_path=(path + mark + query).encode("ascii"))


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
