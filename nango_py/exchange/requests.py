"""Make requests that no httpx client stands above."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from nango_py.exchange.timeouts import phases_of
from nango_py.http import ByteStream, Headers, QueryParams, Request, bare_request, with_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nango_py.exchange.contents import Content
    from nango_py.exchange.plan import Plan
    from nango_py.exchange.session import Session

__all__ = ["make_request"]


def make_request(
    session: Session,
    plan: Plan,
    *,
    method: str,
    path: str,
    agent: str,
    params: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    content: Content | None = None,
) -> Request:
    """Return a request of the connection, without its credentials.

    *params* take the place of the integration's own of the same name; *path* may be an absolute URL of an origin
    that may meet the credentials.

    Raises:
        ForeignOriginError: It is the URL of another origin.
    """
    url = session.resolve(path, plan)
    given = list(params)
    taken = {name for name, _ in given} | set(QueryParams(url.query)) if session.shape.params else set()
    own = [(name, value) for name, value in session.shape.params if name not in taken]
    url = with_query(url, [*own, *given])
    usual = _usual(url.netloc, None if session.shape.names_agent else agent, session.shape.headers)
    if headers or content is not None:
        usual = usual.copy()
        usual.update(headers or {})
    extensions = {"timeout": phases_of(session.integration)}
    if content is not None:
        # Last: a media type that says where its parts end is true of these bytes only.
        usual.update(content.headers)
        if isinstance(content.body, bytes):
            return Request(method, url, headers=usual, extensions=extensions, content=content.body)
        return Request(method, url, headers=usual, extensions=extensions, stream=content.body)
    if json is None and method not in _WITH_LENGTH:
        request = bare_request(method, url, headers=usual, stream=_NOTHING, extensions=extensions)
        request.read()
        return request
    return Request(method, url, headers=usual, extensions=extensions, json=json)


_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say how long their body is also where they have none."""
_NOTHING: Final = ByteStream(b"")


@lru_cache(maxsize=256)
def _usual(netloc: bytes, agent: str | None, headers: tuple[tuple[str, str], ...]) -> Headers:
    """Return what the requests of an integration have in common; nobody changes it, requests copy it."""
    named = [] if agent is None else [(b"User-Agent", agent.encode("ascii"))]
    merged = Headers([(b"Host", netloc), *named, (b"Accept-Encoding", b"gzip, deflate")])
    merged.update(dict(headers))
    return merged
