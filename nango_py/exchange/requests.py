"""Make requests that no httpx client stands above."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nango_py.exchange.timeouts import phases_of
from nango_py.http import Headers, QueryParams, Request, with_query

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
    usual = _usual(session.shape.headers, agent)
    if headers or content is not None:
        usual = usual.copy()
        usual.update(headers or {})
    body: dict[str, Any] = {} if json is None else {"json": json}
    if content is not None:
        # Last: a media type that says where its parts end is true of these bytes only.
        usual.update(content.headers)
        body = {"content": content.body}
        if not isinstance(content.body, bytes):
            # httpx leaves the headers of what is streamed to whoever streams it.
            usual["Host"] = url.netloc.decode("ascii")
            body = {"stream": content.body}
    return Request(
        method,
        with_query(url, [*own, *given]),
        headers=usual,
        extensions={"timeout": phases_of(session.integration)},
        **body,
    )


@lru_cache(maxsize=256)
def _usual(headers: tuple[tuple[str, str], ...], agent: str) -> Headers:
    """Return what the requests of an integration have in common; nobody changes it, requests copy it."""
    merged = Headers({"User-Agent": agent, "Accept-Encoding": "gzip, deflate"})
    merged.update(dict(headers))
    return merged
