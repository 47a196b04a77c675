"""The engine below a real httpx client: every request of the client becomes an exchange."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self
from weakref import ref

from nango_py.exchange.conversation import converse
from nango_py.exchange.options import check_client_options
from nango_py.exchange.response_limit import ACCEPTED_CODINGS
from nango_py.exchange.timeouts import timeout_of
from nango_py.http import (
    AsyncBaseTransport,
    AsyncClient,
    BaseTransport,
    Client,
    Headers,
    QueryParams,
    Request,
    Response,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from weakref import ReferenceType

    from nango_py.exchange.drivers import AsyncDriver, Driver
    from nango_py.exchange.execution import Execution
    from nango_py.exchange.options import ClientOptions
    from nango_py.exchange.session import Session

__all__ = ["AsyncEngineTransport", "EngineTransport", "open_async_client", "open_client"]


class EngineTransport(BaseTransport):
    """Carry a client's requests through the engine; closing it leaves the shared pool open."""

    def __init__(
        self, session: Session, driver: Driver, random: Callable[[], float], execution: Execution | None = None
    ) -> None:
        self._session = session
        self._driver = driver
        self._random = random
        self._execution = execution

    def handle_request(self, request: Request) -> Response:
        """Return the exchange's last answer."""
        return self._driver.run(
            converse(request, self._session, clock=self._driver.clock, random=self._random, execution=self._execution)
        )


class AsyncEngineTransport(AsyncBaseTransport):
    """Carry an async client's requests through the engine; closing it leaves the shared pool open."""

    def __init__(
        self, session: Session, driver: AsyncDriver, random: Callable[[], float], execution: Execution | None = None
    ) -> None:
        self._session = session
        self._driver = driver
        self._random = random
        self._execution = execution
        self._client: ReferenceType[AsyncClient] | None = None

    def serve(self, client: AsyncClient) -> None:
        """Remember whose transport this is, to show it its base URL once the connection is read."""
        self._client = ref(client)

    async def __aenter__(self) -> Self:
        await self._driver.run(self._session.open())
        client = self._client() if self._client else None
        if client is not None:
            client.base_url = self._session.shown_base_url
        return self

    async def handle_async_request(self, request: Request) -> Response:
        """Return the exchange's last answer."""
        return await self._driver.run(
            converse(request, self._session, clock=self._driver.clock, random=self._random, execution=self._execution)
        )


def open_client(
    session: Session,
    driver: Driver,
    random: Callable[[], float],
    *,
    agent: str,
    options: ClientOptions,
    execution: Execution | None = None,
) -> Client:
    """Return a genuine client for the connection; all that *execution* sends by it is its own.

    Raises:
        UsageError: An option would bypass the engine.
        UnknownConnection, ReauthRequired, CredentialsError, StoreError: No request could be sent.
    """
    check_client_options(options)
    driver.run(session.open())
    transport = EngineTransport(session, driver, random, execution)
    client = Client(transport=transport, **_client_options(session, agent, options))
    _leave_to_transport(client.headers, session, options)
    return client


def open_async_client(
    session: Session,
    driver: AsyncDriver,
    random: Callable[[], float],
    *,
    agent: str,
    options: ClientOptions,
    execution: Execution | None = None,
) -> AsyncClient:
    """Return a genuine async client; what is wrong with the connection shows when it is entered or first used."""
    check_client_options(options)
    transport = AsyncEngineTransport(session, driver, random, execution)
    client = AsyncClient(transport=transport, **_client_options(session, agent, options))
    _leave_to_transport(client.headers, session, options)
    transport.serve(client)
    return client


def _leave_to_transport(headers: Headers, session: Session, options: ClientOptions) -> None:
    """Take away what clients send without being told where the blueprint puts that header in below them."""
    given = Headers(options.get("headers"))
    for name, _ in session.shape.late_headers:
        if name in headers and name not in given:
            del headers[name]


def _client_options(session: Session, agent: str, options: ClientOptions) -> dict[str, Any]:
    shape = session.shape
    headers = _usual(shape.headers, agent, is_limited=session.integration.response_limit is not None)
    if "headers" in options:
        headers = headers.copy()
        headers.update(options["headers"])
    params = options.get("params")
    if shape.params:
        params = QueryParams(list(shape.params)).merge(params)
    cookies = options.get("cookies") if session.cookies is None else session.cookies
    return {
        "timeout": timeout_of(session.integration),
        **options,
        "base_url": session.shown_base_url,
        "headers": headers,
        "params": params,
        "cookies": cookies,
        # The environment's proxies are the pool's business, .netrc is nobody's.
        "trust_env": False,
    }


@lru_cache(maxsize=256)
def _usual(declared: tuple[tuple[str, str], ...], agent: str, *, is_limited: bool) -> Headers:
    """Return the headers of every client of an integration; nobody changes them, clients copy them."""
    headers = Headers({"User-Agent": agent})
    if is_limited:
        headers["Accept-Encoding"] = ACCEPTED_CODINGS
    headers.update(dict(declared))
    return headers
