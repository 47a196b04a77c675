"""``AsyncNango``: declared integrations beside an event loop. It wires, it does not decide."""

from __future__ import annotations

import threading
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Self, Unpack

from nango_py import forks
from nango_py.actions.context import AsyncContext
from nango_py.actions.python import PythonAction, check_python_output
from nango_py.core import Core
from nango_py.errors import DeadlineError, UsageError
from nango_py.exchange.drivers import STORE_THREADS, AsyncDriver
from nango_py.exchange.transport import open_async_client
from nango_py.http import BaseTransport as SyncTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from nango_py.accounts import KeptAlive
    from nango_py.actions.verification import CheckResult
    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection, ConnectionView
    from nango_py.connections.store import Store
    from nango_py.core import PoolName
    from nango_py.engine import Nango
    from nango_py.events import OnEvent
    from nango_py.exchange.execution import Execution
    from nango_py.exchange.limit_views import Limit
    from nango_py.exchange.options import ClientOptions, WalkOptions
    from nango_py.exchange.pages import Page
    from nango_py.exchange.pool import AsyncPool
    from nango_py.http import AsyncBaseTransport, AsyncClient
    from nango_py.location import Problem
    from nango_py.oauth.face import AsyncOAuth
    from nango_py.secret import Secret
    from nango_py.tools.toolbox import AsyncTools, Format

__all__ = ["AsyncNango"]


class AsyncNango:
    """Declared integrations, ready to use beside an event loop; the names are those of :class:`Nango`."""

    def __init__(self, core: Core, transport: AsyncBaseTransport | None, *, threads: Nango | None = None) -> None:
        """Serve a loop; *threads* is the engine whose loop it is, and does what is not async."""
        self._core = core
        self._threads = threads
        self._given = transport
        self._pool: AsyncPool | None = None
        self._driver_made: AsyncDriver | None = None
        self._lock = forks.Lock()
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
        actions: Iterable[object] = (),
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
                actions=actions,
                on_renewed=on_renewed,
                on_reauth_required=on_reauth_required,
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

    def client(self, integration: str, user_id: str, **options: Unpack[ClientOptions]) -> AsyncClient:
        """Return a genuine ``httpx.AsyncClient``; an unknown connection shows when it is entered or first used."""
        session = self._core.session(integration, user_id)
        return open_async_client(session, self._driver, self._core.random, agent=self._core.agent, options=options)

    def pages(
        self, integration: str, user_id: str, path: str, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[Page, None]:
        """Yield the pages of a list of the provider's API; options as for :meth:`Nango.pages`."""
        return self._driver.iterate(self._core.walk(integration, user_id, path, options).pages())

    def paginate(
        self, integration: str, user_id: str, path: str, **options: Unpack[WalkOptions]
    ) -> AsyncGenerator[Any, None]:
        """Yield the items of a list of the provider's API, one page in memory."""
        return _items(self.pages(integration, user_id, path, **options))

    async def trigger_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
        *,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        on_event: OnEvent | None = None,
    ) -> Any:
        """Run an action and return its output; as :meth:`Nango.trigger_action`, whose plain *on_event* it takes."""
        session = self._core.session(integration, user_id)
        execution = self._core.execution(session, action, deadline=deadline, on_event=on_event)
        return await self._run(execution, input, idempotency_key)

    async def stream_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
        *,
        deadline: float | None = None,
        on_event: OnEvent | None = None,
    ) -> AsyncIterator[Any]:
        """Yield the items of an action's output, one page in memory."""
        session = self._core.session(integration, user_id)
        execution = self._core.execution(session, action, deadline=deadline, on_event=on_event)
        found = self._core.action(session.integration, action)
        if isinstance(found, PythonAction):
            output = await self._run_python(execution, found, input, None)
            for item in output if isinstance(output, list | tuple) else (output,):
                yield item
            return
        async for items in self._driver.iterate(self._core.action_pages(execution, found, input)):
            for item in items:
                yield item

    async def tools(
        self,
        *,
        format: Format = "openai",  # noqa: A002 - what every vendor's documentation calls it
        integrations: Collection[str] | None = None,
        actions: Collection[str] | None = None,
        user_id: str | None = None,
        read_only: bool = False,
    ) -> AsyncTools:
        """Return actions as tools for a model; as :meth:`Nango.tools`."""
        from nango_py.tools.toolbox import AsyncTools, chosen, of_connected  # noqa: PLC0415 - most programs have no model

        views = () if user_id is None else await self._driver.run(self._core.accounts.views(user_id=user_id))
        found = chosen(self._core, format, integrations=integrations, actions=actions, read_only=read_only)
        if user_id is not None:
            found = of_connected(found, views)
        return AsyncTools(self, found, format, user_id)

    async def close(self) -> None:
        """Close this loop's connections and the store."""
        from anyio import CancelScope  # noqa: PLC0415
        from anyio.to_thread import run_sync  # noqa: PLC0415

        with CancelScope(shield=True):
            await self._close_pool()
            if self._threads is not None:
                await run_sync(self._threads._let_go)  # noqa: SLF001
            # In a thread: a renewal that is waited for may need this loop.
            await run_sync(self._core.close)

    async def _close_pool(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def _run(self, execution: Execution, given: Any, idempotency_key: str | None) -> Any:
        found = self._core.action(execution.session.integration, execution.action)
        if isinstance(found, PythonAction):
            return await self._run_python(execution, found, given, idempotency_key)
        return await self._driver.run(self._core.declared_output(execution, found, given, idempotency_key))

    async def _run_python(
        self, execution: Execution, action: PythonAction, given: Any, idempotency_key: str | None
    ) -> Any:
        name = execution.session.integration.name
        with execution.running():
            checked = self._core.check_python(name, action, given)
            view = await self._driver.run(self._core.opened(execution, action))
            call = self._call_python if action.is_async else self._call_in_thread
            return check_python_output(name, action, await call(execution, action, checked, view, idempotency_key))

    async def _call_in_thread(
        self,
        execution: Execution,
        action: PythonAction,
        checked: dict[str, Any],
        view: ConnectionView,
        idempotency_key: str | None,
    ) -> Any:
        from anyio.to_thread import run_sync  # noqa: PLC0415

        nango = self._in_threads()
        work = partial(nango._call_python, execution, action, checked, view, idempotency_key)  # noqa: SLF001
        try:
            return await run_sync(work, abandon_on_cancel=True)
        except BaseException:
            execution.stop()  # a thread cannot be cancelled, but it gets no further than to its next request
            raise

    def _in_threads(self) -> Nango:
        """Return the engine that runs actions which are not async, with a pool and a loop of its own."""
        with self._lock:
            if self._threads is None:
                from nango_py.engine import Nango  # noqa: PLC0415 - it makes engines of this kind, too

                given: object = self._given
                if given is not None and not isinstance(given, SyncTransport):
                    raise UsageError("the given transport= serves event loops only, and this action is not async.")
                self._threads = Nango(self._core, given)
            return self._threads

    async def _call_python(
        self,
        execution: Execution,
        action: PythonAction,
        checked: dict[str, Any],
        view: ConnectionView,
        idempotency_key: str | None,
    ) -> Any:
        from anyio import move_on_after  # noqa: PLC0415

        core, session = self._core, execution.session
        async with open_async_client(
            session, self._driver, core.random, agent=core.agent, options={}, execution=execution
        ) as http:
            context = AsyncContext(
                http=http,
                connection=view,
                idempotency_key=idempotency_key,
                _execution=execution,
                _paginate=partial(self._paginate, execution),
                _run=lambda other, more, key: self._run(execution.child(other), more, key),
            )
            output = None
            with move_on_after(execution.time_left()) as scope:
                output = await action.run(context, checked)
            if scope.cancelled_caught:
                execution.fail(DeadlineError, "the time given by deadline= is over.")
            return output

    def _paginate(self, execution: Execution, path: str, **options: Unpack[WalkOptions]) -> AsyncGenerator[Any, None]:
        session = execution.session
        walk = self._core.walk(session.integration.name, session.user_id, path, options, execution)
        return _items(self._driver.iterate(walk.pages()))

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
                self._driver_made = AsyncDriver(
                    transport=self._own_pool() if self._given is None else self._given,
                    clock=self._core.clock,
                    limiter=self._limiter,
                    bridge=self._core.bridge,
                )
        return self._driver_made

    def _own_pool(self) -> AsyncPool:
        if self._pool is None:
            from nango_py.exchange.pool import AsyncPool  # noqa: PLC0415 - a program that never sends has none

            self._pool = AsyncPool(environ=self._core.environ, clock=self._core.clock, fast=self._core.fast)
        return self._pool


async def _items(pages: AsyncGenerator[Page, None]) -> AsyncGenerator[Any, None]:
    async with aclosing(pages):
        async for page in pages:
            for item in page.items:
                yield item
