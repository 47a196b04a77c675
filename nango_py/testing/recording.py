"""The transports of cassettes: one passes requests on and keeps what comes, the other answers from what was kept."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from nango_py.errors import UsageError
from nango_py.exchange.sender import SENDER_EXTENSION
from nango_py.http import AsyncBaseTransport, BaseTransport, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.exchange.sender import Sender
    from nango_py.http import Request

__all__ = ["Passed", "RecordingTransport", "ReplayingTransport"]

Pairs = tuple[tuple[str, str], ...]
_BOUNDARY = re.compile(r'multipart/[^;]+;.*boundary="?([^";]+)')
_CODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One request and its answer, as they passed, secrets and all; for a request alone the answer is empty."""

    action: str | None
    method: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    request_headers: Pairs = field(repr=False)
    request_content: bytes = field(repr=False)
    status: int = 0
    answer_headers: Pairs = field(default=(), repr=False)
    answer_content: bytes = field(default=b"", repr=False)


class RecordingTransport(BaseTransport, AsyncBaseTransport):
    """Pass requests on to *inner*, or to the provider, and give each exchange to *keep*; bodies are read whole."""

    def __init__(
        self, keep: Callable[[Passed], None], inner: BaseTransport | AsyncBaseTransport | None = None
    ) -> None:
        self._keep = keep
        self._inner = inner
        self._pool: Any = None
        self._async_pool: Any = None

    def handle_request(self, request: Request) -> Response:
        """Return the answer, read."""
        content = request.read()
        answer = self._sync().handle_request(request)
        try:
            answer.read()
        finally:
            answer.close()  # also when whoever waited for it has gone
        return self._kept(request, content, answer)

    async def handle_async_request(self, request: Request) -> Response:
        """Return the answer, read."""
        from anyio import CancelScope  # noqa: PLC0415 - synchronous tests never need it

        content = await request.aread()
        answer = await self._asynchronous().handle_async_request(request)
        try:
            await answer.aread()
        finally:
            with CancelScope(shield=True):
                await answer.aclose()
        return self._kept(request, content, answer)

    def close(self) -> None:
        """Close the connections that were opened for threads."""
        if self._pool is not None:
            self._pool.close()

    async def aclose(self) -> None:
        """Close the connections that were opened for event loops."""
        if self._async_pool is not None:
            await self._async_pool.aclose()

    def _kept(self, request: Request, content: bytes, answer: Response) -> Response:
        headers = tuple(answer.headers.multi_items())
        self._keep(
            _passed(
                request, content, status=answer.status_code, answer_headers=headers, answer_content=answer.content
            )
        )
        # The body has been decoded, so that nobody may do it again.
        plain = [(name, value) for name, value in headers if name.lower() not in _CODED]
        return Response(answer.status_code, headers=plain, content=answer.content)

    def _sync(self) -> Any:
        if self._inner is not None:
            if not isinstance(self._inner, BaseTransport):
                raise UsageError("record(transport=) serves event loops only, and is asked by a thread.")
            return self._inner
        if self._pool is None:
            from nango_py.exchange.pool import Pool  # noqa: PLC0415 - replays need none

            self._pool = Pool()
        return self._pool

    def _asynchronous(self) -> Any:
        if self._inner is not None:
            if not isinstance(self._inner, AsyncBaseTransport):
                raise UsageError("record(transport=) serves threads only, and is asked by an event loop.")
            return self._inner
        if self._async_pool is None:
            from nango_py.exchange.pool import AsyncPool  # noqa: PLC0415

            self._async_pool = AsyncPool()
        return self._async_pool


class ReplayingTransport(BaseTransport, AsyncBaseTransport):
    """Answer with what *find* finds; nothing is sent."""

    def __init__(self, find: Callable[[Passed], Mapping[str, Any]]) -> None:
        self._find = find

    def handle_request(self, request: Request) -> Response:
        """Return the recorded answer."""
        return _answer(self._find(_passed(request, request.read())))

    async def handle_async_request(self, request: Request) -> Response:
        """Return the recorded answer."""
        return _answer(self._find(_passed(request, await request.aread())))


def _passed(request: Request, content: bytes, **answer: Any) -> Passed:
    sender: Sender | None = request.extensions.get(SENDER_EXTENSION)
    action = None if sender is None or sender.action is None else f"{sender.integration}/{sender.action}"
    headers = tuple(request.headers.multi_items())
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is not None:
        # It is drawn at random for each request, and what is drawn again has to match.
        headers = tuple((name, value.replace(boundary[1], "boundary")) for name, value in headers)
        content = content.replace(boundary[1].encode(), b"boundary")
    return Passed(
        action=action,
        method=request.method,
        url=str(request.url),
        secrets=() if sender is None else sender.secrets(),
        request_headers=headers,
        request_content=content,
        **answer,
    )


def _answer(recorded: Mapping[str, Any]) -> Response:
    if "base64" in recorded:
        content = b64decode(recorded["base64"])
    elif "json" in recorded:
        content = json.dumps(recorded["json"]).encode()
    elif "form" in recorded:
        content = urlencode(recorded["form"]).encode()
    else:
        content = str(recorded.get("text", "")).encode()
    return Response(recorded["status"], headers=recorded["headers"], content=content)
