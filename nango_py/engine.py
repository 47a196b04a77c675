"""``Nango`` and ``AsyncNango``: they wire, they do not decide."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from nango_py.actions.context import Context
from nango_py.actions.python import PythonAction, check_python_output
from nango_py.connections.renewal import Hooks
from nango_py.core import Core
from nango_py.errors import UsageError
from nango_py.exchange.drivers import STORE_THREADS, AsyncDriver, Driver
from nango_py.exchange.transport import open_async_client, open_client
from nango_py.http import AsyncBaseTransport as AsyncTransport
from nango_py.http import BaseTransport as SyncTransport
from nango_py.log import logger

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nango_py.accounts import KeptAlive
    from nango_py.actions.verification import CheckResult
    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection, ConnectionView
    from nango_py.connections.store import Store
    from nango_py.core import PoolName
    from nango_py.exchange.limit_views import Limit
    from nango_py.exchange.pages import Page
    from nango_py.exchange.session import Session
    from nango_py.http import AsyncBaseTransport, AsyncClient, BaseTransport, Client
    from nango_py.location import Problem
    from nango_py.oauth.face import AsyncOAuth, OAuth
    from nango_py.secret import Secret

__all__ = ["AsyncNango", "Nango"]


class Nango:
    """Declared integrations, ready to use from threads; see :meth:`load`."""

    def __init__(self, core: Core, transport: BaseTransport | None) -> None:
        self._core = core
        self._pool = transport
        self._owns_pool = transport is None
        self._driver_made: Driver | None = None
        self._lock = threading.Lock()
        self._loop: _Background | None = None

    @classmethod
    def load(
        cls,
        source: str | Path | Mapping[str, Any] = "integrations.yaml",
        *,
        store: str | Store | None = None,
        blueprints: Sequence[str | Path] = (),
        transport: BaseTransport | None = None,
        pool: PoolName = "default",
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
        on_renewed: Callable[[ConnectionView], None] | None = None,
        on_reauth_required: Callable[[ConnectionView], None] | None = None,
    ) -> Self:
        """Return an engine for what *source*, a file or a mapping, declares.

        *store* is a URL (``sqlite:///x.db``, ``postgresql://...``, ``memory://``) or a store; ``NANGO_STORE`` or
        ``.nango/connections.db`` without it. *blueprints* are extra folders, searched first. *transport* takes the
        place of the pool, *clock* that of the system's, *environ* that of ``os.environ``. *pool* is ``"default"`` or
        ``"fast"``, which does the same in less time. *on_renewed* and *on_reauth_required* are called with a
        connection's view, from a worker thread, after it was stored.

        Raises:
            ConfigError: The source is no mapping of integrations. Other problems are in ``problems``, and raise when
                the integration that has them is used.
        """
        return cls(
            Core(
                source,
                store=store,
                blueprints=blueprints,
                clock=clock,
                environ=environ,
                transport=transport,
                pool=pool,
                hooks=Hooks(on_renewed=on_renewed, on_reauth_required=on_reauth_required),
            ),
            transport,
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return everything that is wrong, or worth a warning, in what is declared."""
        return self._core.problems

    @property
    def integrations(self) -> tuple[str, ...]:
        """Return the names of the declared integrations, broken ones included."""
        return (*self._core.declared.integrations, *self._core.declared.broken)

    def register_connection(
        self,
        integration: str,
        user_id: str,
        credentials: Mapping[str, Any],
        connection_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Store a new connection of a user's account.

        Raises:
            CredentialsError: The credentials or the config do not fit what is declared.
            DuplicateConnection: The user has a connection of that integration already.
        """
        return self._driver.run(
            self._core.accounts.register(integration, user_id, credentials, connection_config, metadata)
        )

    def get_connection(self, integration: str, user_id: str) -> Connection:
        """Return a connection as it is stored now.

        Raises:
            UnknownConnection: There is none.
        """
        return self._driver.run(self._core.accounts.get(integration, user_id))

    def delete_connection(self, integration: str, user_id: str) -> None:
        """Delete a connection.

        Raises:
            UnknownConnection: There is none.
        """
        self._driver.run(self._core.delete(integration, user_id))

    def update_connection_credentials(self, integration: str, user_id: str, new: Mapping[str, Any]) -> ConnectionView:
        """Replace a connection's credentials, whole."""
        return self._driver.run(self._core.accounts.update_credentials(integration, user_id, new))

    def update_connection_config(self, integration: str, user_id: str, new: Mapping[str, Any]) -> ConnectionView:
        """Replace a connection's config, whole."""
        return self._driver.run(self._core.accounts.update_config(integration, user_id, new))

    def update_metadata(self, integration: str, user_id: str, new: Mapping[str, Any]) -> ConnectionView:
        """Replace a connection's metadata, whole."""
        return self._driver.run(self._core.accounts.update_metadata(integration, user_id, new))

    def get_connections_for_user_id(self, user_id: str) -> list[ConnectionView]:
        """Return a user's connections, without credentials."""
        return self._driver.run(self._core.accounts.views(user_id=user_id))

    def get_connections_for_integration(self, integration: str) -> list[ConnectionView]:
        """Return an integration's connections, without credentials."""
        return self._driver.run(self._core.accounts.views(integration=integration))

    def check_connection(self, integration: str, user_id: str) -> CheckResult:
        """Ask the provider, by the blueprint's verification request, whether the credentials work."""
        return self._driver.run(self._core.check_connection(integration, user_id))

    def credentials(self, integration: str, user_id: str) -> Mapping[str, Secret]:
        """Return a connection's credentials, for a vendor's SDK.

        Raises:
            ReauthRequired: They cannot be used any more.
        """
        return self._driver.run(self._core.accounts.credentials(integration, user_id))

    @property
    def oauth(self) -> OAuth:
        """Return what connects accounts: ``begin`` and ``finish``, and the same for other devices."""
        from nango_py.oauth.face import OAuth  # noqa: PLC0415 - most programs connect nobody

        return OAuth(self._core, lambda: self._driver)

    def keep_alive(self) -> KeptAlive:
        """Renew every connection whose refresh token would die of idleness; call it once a day, say.

        Only integrations that declare ``auth.refresh_token_idle_lifetime`` are looked at.
        """
        return self._driver.run(self._core.accounts.keep_alive(self._core.declared.integrations))

    def limits(self, integration: str, user_id: str) -> tuple[Limit, ...]:
        """Return what is left of each of a connection's rate limits, and when it is whole again.

        Declared limits come as this process counts them, others as the provider's answers told of them.

        Raises:
            UnknownConnection: There is none.
        """
        return self._driver.run(self._core.limits(integration, user_id))

    def client(self, integration: str, user_id: str, **options: Any) -> Client:
        """Return a genuine ``httpx.Client`` whose requests the engine signs, retries and logs.

        *options* are httpx's own: headers, params, cookies, timeout, event_hooks, follow_redirects, max_redirects,
        default_encoding.

        Raises:
            UsageError: Another option was given; the message names the YAML key instead.
            UnknownConnection, ReauthRequired: No request could be sent.
        """
        self._core.check_options(options)
        session = self._core.session(integration, user_id)
        return open_client(session, self._driver, self._core.random, agent=self._core.agent, options=options)

    def pages(self, integration: str, user_id: str, path: str, **options: Any) -> Iterator[Page]:
        """Yield the pages of a list of the provider's API.

        *options*: method, params, json, pagination (keys that differ), limit (items in all), max_pages, and position
        (a :attr:`Page.position` to resume after).
        """
        yield from self._driver.iterate(self._core.walk(integration, user_id, path, **options).pages())

    def paginate(self, integration: str, user_id: str, path: str, **options: Any) -> Iterator[Any]:
        """Yield the items of a list of the provider's API, one page in memory; options as for :meth:`pages`."""
        for page in self.pages(integration, user_id, path, **options):
            yield from page.items

    def trigger_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - DESIGN's word
        *,
        deadline: float | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Run an action and return its output; *deadline* is in seconds.

        *idempotency_key* goes into the header that the integration's retry policy names.

        Raises:
            UnknownAction, InputError: Nothing was sent.
            RemoteError: The provider refused, failed, or answered with something else than promised.
        """
        session = self._core.session(integration, user_id)
        found = self._core.action(session.integration, action)
        if isinstance(found, PythonAction):
            return self._run_python(session, found, input)
        return self._driver.run(
            self._core.declared_output(session, found, input, deadline=deadline, idempotency_key=idempotency_key)
        )

    def stream_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
        *,
        deadline: float | None = None,
    ) -> Iterator[Any]:
        """Yield the items of an action's output, one page in memory; without a ``limit`` input, all of them."""
        session = self._core.session(integration, user_id)
        found = self._core.action(session.integration, action)
        if isinstance(found, PythonAction):
            output = self._run_python(session, found, input)
            yield from output if isinstance(output, list | tuple) else (output,)
            return
        for items in self._driver.iterate(self._core.action_pages(session, found, input, deadline)):
            yield from items

    def close(self) -> None:
        """Close the pool and the store; clients are useless afterwards."""
        with self._lock:
            if self._loop is not None:
                self._loop.close()
                self._loop = None
            if self._owns_pool and self._pool is not None:
                self._pool.close()
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _run_python(self, session: Session, action: PythonAction, given: Any) -> Any:
        name, user = session.integration.name, session.user_id
        checked = self._core.check_python(name, action, given)
        view = self._driver.run(self._core.accounts.manager.fresh(session.integration, user)).view()
        if action.is_async:
            output = self._background().run(lambda nango: nango._call_python(session, action, checked, view))  # noqa: SLF001
            return check_python_output(name, action, output)
        with self.client(name, user) as http:
            context = Context(
                http=http,
                connection=view,
                log=_action_log(session, action),
                _paginate=partial(self.paginate, name, user),
                _run=lambda other, more=None: self.trigger_action(name, other, user, more),
            )
            return check_python_output(name, action, action.run(context, checked))

    def _background(self) -> _Background:
        with self._lock:
            if self._loop is None:
                self._loop = _Background(self._core, self._async_transport())
            return self._loop

    def _async_transport(self) -> AsyncBaseTransport | None:
        """Return the caller's own transport for async actions, which must serve a loop as well."""
        given: object = None if self._owns_pool else self._pool
        if given is not None and not isinstance(given, AsyncTransport):
            raise UsageError("the given transport= serves threads only, and this action is async.")
        return given

    @property
    def _driver(self) -> Driver:
        if self._driver_made is None:
            with self._lock:
                if self._pool is None:
                    from nango_py.exchange.pool import Pool  # noqa: PLC0415 - a program that never sends has none

                    self._pool = Pool(environ=self._core.environ, clock=self._core.clock, fast=self._core.fast)
                self._driver_made = Driver(transport=self._pool, clock=self._core.clock)
        return self._driver_made


class AsyncNango:
    """Declared integrations, ready to use beside an event loop; the names are those of :class:`Nango`."""

    def __init__(self, core: Core, transport: AsyncBaseTransport | None) -> None:
        self._core = core
        self._pool = transport
        self._owns_pool = transport is None
        self._driver_made: AsyncDriver | None = None
        self._lock = threading.Lock()
        self._limiters = threading.local()

    @classmethod
    def load(
        cls,
        source: str | Path | Mapping[str, Any] = "integrations.yaml",
        *,
        store: str | Store | None = None,
        blueprints: Sequence[str | Path] = (),
        transport: AsyncBaseTransport | None = None,
        pool: PoolName = "default",
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
        on_renewed: Callable[[ConnectionView], None] | None = None,
        on_reauth_required: Callable[[ConnectionView], None] | None = None,
    ) -> Self:
        """Return an engine for what *source* declares; a plain call, as :meth:`Nango.load`."""
        return cls(
            Core(
                source,
                store=store,
                blueprints=blueprints,
                clock=clock,
                environ=environ,
                transport=transport,
                pool=pool,
                hooks=Hooks(on_renewed=on_renewed, on_reauth_required=on_reauth_required),
            ),
            transport,
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return everything that is wrong, or worth a warning, in what is declared."""
        return self._core.problems

    @property
    def integrations(self) -> tuple[str, ...]:
        """Return the names of the declared integrations, broken ones included."""
        return (*self._core.declared.integrations, *self._core.declared.broken)

    async def register_connection(
        self,
        integration: str,
        user_id: str,
        credentials: Mapping[str, Any],
        connection_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Store a new connection of a user's account."""
        flow = self._core.accounts.register(integration, user_id, credentials, connection_config, metadata)
        return await self._driver.run(flow)

    async def get_connection(self, integration: str, user_id: str) -> Connection:
        """Return a connection as it is stored now."""
        return await self._driver.run(self._core.accounts.get(integration, user_id))

    async def delete_connection(self, integration: str, user_id: str) -> None:
        """Delete a connection."""
        await self._driver.run(self._core.delete(integration, user_id))

    async def update_connection_credentials(
        self, integration: str, user_id: str, new: Mapping[str, Any]
    ) -> ConnectionView:
        """Replace a connection's credentials, whole."""
        return await self._driver.run(self._core.accounts.update_credentials(integration, user_id, new))

    async def update_connection_config(
        self, integration: str, user_id: str, new: Mapping[str, Any]
    ) -> ConnectionView:
        """Replace a connection's config, whole."""
        return await self._driver.run(self._core.accounts.update_config(integration, user_id, new))

    async def update_metadata(self, integration: str, user_id: str, new: Mapping[str, Any]) -> ConnectionView:
        """Replace a connection's metadata, whole."""
        return await self._driver.run(self._core.accounts.update_metadata(integration, user_id, new))

    async def get_connections_for_user_id(self, user_id: str) -> list[ConnectionView]:
        """Return a user's connections, without credentials."""
        return await self._driver.run(self._core.accounts.views(user_id=user_id))

    async def get_connections_for_integration(self, integration: str) -> list[ConnectionView]:
        """Return an integration's connections, without credentials."""
        return await self._driver.run(self._core.accounts.views(integration=integration))

    async def check_connection(self, integration: str, user_id: str) -> CheckResult:
        """Ask the provider, by the blueprint's verification request, whether the credentials work."""
        return await self._driver.run(self._core.check_connection(integration, user_id))

    async def credentials(self, integration: str, user_id: str) -> Mapping[str, Secret]:
        """Return a connection's credentials, for a vendor's SDK."""
        return await self._driver.run(self._core.accounts.credentials(integration, user_id))

    @property
    def oauth(self) -> AsyncOAuth:
        """Return what connects accounts: ``begin`` and ``finish``, and the same for other devices."""
        from nango_py.oauth.face import AsyncOAuth  # noqa: PLC0415

        return AsyncOAuth(self._core, lambda: self._driver)

    async def keep_alive(self) -> KeptAlive:
        """Renew every connection whose refresh token would die of idleness; call it once a day, say."""
        return await self._driver.run(self._core.accounts.keep_alive(self._core.declared.integrations))

    async def limits(self, integration: str, user_id: str) -> tuple[Limit, ...]:
        """Return what is left of each of a connection's rate limits; as :meth:`Nango.limits`."""
        return await self._driver.run(self._core.limits(integration, user_id))

    def client(self, integration: str, user_id: str, **options: Any) -> AsyncClient:
        """Return a genuine ``httpx.AsyncClient``; an unknown connection shows when it is entered or first used."""
        self._core.check_options(options)
        session = self._core.session(integration, user_id)
        return open_async_client(session, self._driver, self._core.random, agent=self._core.agent, options=options)

    async def pages(self, integration: str, user_id: str, path: str, **options: Any) -> AsyncIterator[Page]:
        """Yield the pages of a list of the provider's API; options as for :meth:`Nango.pages`."""
        async for page in self._driver.iterate(self._core.walk(integration, user_id, path, **options).pages()):
            yield page

    async def paginate(self, integration: str, user_id: str, path: str, **options: Any) -> AsyncIterator[Any]:
        """Yield the items of a list of the provider's API, one page in memory."""
        async for page in self.pages(integration, user_id, path, **options):
            for item in page.items:
                yield item

    async def trigger_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
        *,
        deadline: float | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Run an action and return its output."""
        session = self._core.session(integration, user_id)
        found = self._core.action(session.integration, action)
        if isinstance(found, PythonAction):
            return await self._run_python(session, found, input)
        return await self._driver.run(
            self._core.declared_output(session, found, input, deadline=deadline, idempotency_key=idempotency_key)
        )

    async def stream_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
        *,
        deadline: float | None = None,
    ) -> AsyncIterator[Any]:
        """Yield the items of an action's output, one page in memory."""
        session = self._core.session(integration, user_id)
        found = self._core.action(session.integration, action)
        if isinstance(found, PythonAction):
            output = await self._run_python(session, found, input)
            for item in output if isinstance(output, list | tuple) else (output,):
                yield item
            return
        async for items in self._driver.iterate(self._core.action_pages(session, found, input, deadline)):
            for item in items:
                yield item

    async def close(self) -> None:
        """Close this loop's connections and the store."""
        from anyio import CancelScope  # noqa: PLC0415
        from anyio.to_thread import run_sync  # noqa: PLC0415

        with CancelScope(shield=True):
            if self._owns_pool and self._pool is not None:
                await self._pool.aclose()
            # In a thread: a renewal that is waited for may need this loop.
            await run_sync(self._core.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def _run_python(self, session: Session, action: PythonAction, given: Any) -> Any:
        name = session.integration.name
        checked = self._core.check_python(name, action, given)
        connection = await self._driver.run(self._core.accounts.manager.fresh(session.integration, session.user_id))
        if action.is_async:
            return check_python_output(
                name, action, await self._call_python(session, action, checked, connection.view())
            )
        from anyio.to_thread import run_sync  # noqa: PLC0415

        own: object = None if self._owns_pool else self._pool
        if own is not None and not isinstance(own, SyncTransport):
            raise UsageError("the given transport= serves event loops only, and this action is not async.")

        def work() -> Any:
            nango = Nango(self._core, own)
            try:
                return nango._run_python(session, action, checked)  # noqa: SLF001
            finally:
                if nango._owns_pool and nango._pool is not None:  # noqa: SLF001 - the store stays open: it is this engine's
                    nango._pool.close()  # noqa: SLF001

        return await run_sync(work)

    async def _call_python(
        self, session: Session, action: PythonAction, checked: dict[str, Any], view: ConnectionView
    ) -> Any:
        name, user = session.integration.name, session.user_id
        async with self.client(name, user) as http:
            context = Context(
                http=http,
                connection=view,
                log=_action_log(session, action),
                _paginate=partial(self.paginate, name, user),
                _run=lambda other, more=None: self.trigger_action(name, other, user, more),
            )
            return await action.run(context, checked)

    def _limiter(self) -> Any:
        from anyio import CapacityLimiter  # noqa: PLC0415
        from anyio.lowlevel import current_token  # noqa: PLC0415

        token = current_token()
        if getattr(self._limiters, "token", None) is not token:
            self._limiters.token, self._limiters.limiter = token, CapacityLimiter(STORE_THREADS)
        return self._limiters.limiter

    @property
    def _driver(self) -> AsyncDriver:
        if self._driver_made is None:
            with self._lock:
                if self._pool is None:
                    from nango_py.exchange.pool import AsyncPool  # noqa: PLC0415

                    self._pool = AsyncPool(environ=self._core.environ, clock=self._core.clock, fast=self._core.fast)
                self._driver_made = AsyncDriver(
                    transport=self._pool, clock=self._core.clock, limiter=self._limiter, bridge=self._core.bridge
                )
        return self._driver_made


class _Background:
    """One event loop in a thread of its own, for ``async`` Python actions under :class:`Nango`."""

    def __init__(self, core: Core, transport: AsyncBaseTransport | None) -> None:
        import asyncio  # noqa: PLC0415 - only async actions need it

        self._asyncio = asyncio
        self._loop: AbstractEventLoop = asyncio.new_event_loop()
        self._nango = AsyncNango(core, transport)
        self._thread = threading.Thread(target=self._loop.run_forever, name="nango_py-actions", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[AsyncNango], Awaitable[Any]]) -> Any:
        """Return the value of *work*, done in the loop."""
        if threading.current_thread() is self._thread:
            raise UsageError("an async action cannot wait for another one synchronously: await ctx.run(...).")

        async def main() -> Any:
            return await work(self._nango)

        return self._asyncio.run_coroutine_threadsafe(main(), self._loop).result()

    def close(self) -> None:
        """Stop the loop and close its connections."""

        async def last() -> None:
            if self._nango._owns_pool and self._nango._pool is not None:  # noqa: SLF001
                await self._nango._pool.aclose()  # noqa: SLF001

        self._asyncio.run_coroutine_threadsafe(last(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _action_log(session: Session, action: PythonAction) -> Any:
    return logger(
        session.secrets,
        level=session.integration.log_level,
        integration=session.integration.name,
        action=action.name,
        user_id=session.user_id,
    )
