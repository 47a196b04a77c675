"""The transport of rare requests: a connection for each, and an end that is certain."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpcore

from nango_py.exchange.pool.failures import translated
from nango_py.exchange.pool.guard import Guard
from nango_py.exchange.pool.profile import DEADLINE_EXTENSION
from nango_py.exchange.pool.quiet import keep_secrets
from nango_py.exchange.pool.synchronous import KIT
from nango_py.exchange.pool.tls import Contexts
from nango_py.exchange.pool.wire import Dialler, Recorder, profile_of, to_core
from nango_py.http import BaseTransport, Request, Response, SyncByteStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.exchange.pool.guard import Resolve

__all__ = ["OneShot"]


class OneShot(BaseTransport):
    """Send each request over a connection of its own, which is closed with the answer; safe for threads.

    Profiles, proxies and errors are those of :class:`Pool`; *contexts* shares a pool's TLS contexts. *deadline* is in
    seconds and counts from the request to the last byte of its answer; a request can have an earlier one by the
    extension ``nango_deadline``. A server that answers byte by byte meets it, too: the operation that is under way
    then fails with its phase's timeout. Two things are not interrupted: looking a name up, after which nothing is
    sent any more, and a TLS record that trickles in through an ``https://`` proxy.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        deadline: float | None = None,
        contexts: Contexts | None = None,
        network_backend: httpcore.NetworkBackend | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._deadline = float("inf") if deadline is None else deadline
        # A host's addresses have to share what time there is, also where all of them may be connected to.
        self._backend = Guard(network_backend or httpcore.SyncBackend(), resolve, allow_private=True)
        self._dialler = Dialler(kit=KIT, contexts=contexts or Contexts(environ), environ=environ, resolve=resolve)
        keep_secrets()

    def handle_request(self, request: Request) -> Response:
        """Return the answer as soon as its head is there; raise httpx's errors."""
        try:
            with ExitStack() as closing:
                return self._answer(request, closing)
        except BaseException as error:
            failure = translated(error, request)
            if failure is None:
                raise
        raise failure

    def _answer(self, request: Request, closing: ExitStack) -> Response:
        recorder = Recorder(self._backend)
        recorder.ends_at = self._end_of(request)
        closing.callback(recorder.close)
        connection = self._dialler.dial(profile_of(request), request.url, recorder)
        closing.callback(connection.close)
        answer = connection.handle_request(to_core(request))
        body = _Body(answer.stream, request, closing.pop_all())
        return Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    def _end_of(self, request: Request) -> float:
        own: float = request.extensions.get(DEADLINE_EXTENSION, float("inf"))
        return min(own, time.monotonic() + self._deadline)


class _Body(SyncByteStream):
    def __init__(self, parts: Any, request: Request, closing: ExitStack) -> None:
        self._parts = parts
        self._request = request
        self._closing = closing

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._parts
        except BaseException as error:
            self.close()
            failure = translated(error, self._request)
            if failure is None:
                raise
        else:
            return
        raise failure

    def close(self) -> None:
        """Close the connection; closing it again changes nothing."""
        self._closing.close()
