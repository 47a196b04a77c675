"""``Nango``: declared integrations for threads. It wires, it does not decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self, Unpack

from nango_py import forks
from nango_py.actions.context import Context
from nango_py.actions.python import PythonAction, check_python_output
from nango_py.core import Core
from nango_py.errors import UsageError
from nango_py.exchange.drivers import Driver
from nango_py.exchange.transport import open_client
from nango_py.http import AsyncBaseTransport as AsyncTransport
from nango_py.python_runs import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nango_py.accounts import KeptAlive
    from nango_py.actions.verification import CheckResult
    from nango_py.clock import Clock
    from nango_py.connections.connection import Connection, ConnectionView
    from nango_py.connections.store import Store
    from nango_py.core import PoolName
    from nango_py.events import OnEvent
    from nango_py.exchange.execution import Execution
    from nango_py.exchange.limit_views import Limit
    from nango_py.exchange.options import ClientOptions, WalkOptions
    from nango_py.exchange.pages import Page
    from nango_py.exchange.pool import Pool
    from nango_py.http import BaseTransport, Client
    from nango_py.location import Problem
    from nango_py.oauth.face import OAuth
    from nango_py.secret import Secret
    from nango_py.tools.toolbox import Format, Tools

__all__ = ["Nango"]


class Nango:
    """Declared integrations, ready to use from threads; see :meth:`load`."""

    def __init__(self, core: Core, transport: BaseTransport | None) -> None:
        self._core = core
        self._given = transport
        self._pool: Pool | None = None
        self._driver_made: Driver | None = None
        self._lock = forks.Lock()
        self._loop: Background | None = None

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
        actions: Iterable[object] = (),
        on_renewed: Callable[[ConnectionView], None] | None = None,
        on_reauth_required: Callable[[ConnectionView], None] | None = None,
    ) -> Self:
        """Return an engine for what *source*, a file or a mapping, declares.

        *store* is a URL (``sqlite:///x.db``, ``postgresql://...``, ``memory://``) or a store; ``NANGO_STORE`` or
        ``.nango/connections.db`` without it. *blueprints* are extra folders, searched first. *transport* takes the
        place of the pool, *clock* that of the system's, *environ* that of ``os.environ``. *pool* is ``"default"`` or
        ``"fast"``, which does the same in less time. *actions* are functions that ``@nango_py.action`` decorates, or
        modules of them. *on_renewed* and *on_reauth_required* are called with a
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

    def client(self, integration: str, user_id: str, **options: Unpack[ClientOptions]) -> Client:
        """Return a genuine ``httpx.Client`` whose requests the engine signs, retries and logs.

        *options* are httpx's own: headers, params, cookies, timeout, event_hooks, follow_redirects, max_redirects,
        default_encoding.

        Raises:
            UsageError: Another option was given; the message names the YAML key instead.
            UnknownConnection, ReauthRequired: No request could be sent.
        """
        session = self._core.session(integration, user_id)
        return open_client(session, self._driver, self._core.random, agent=self._core.agent, options=options)

    def pages(self, integration: str, user_id: str, path: str, **options: Unpack[WalkOptions]) -> Iterator[Page]:
        """Yield the pages of a list of the provider's API.

        *options*: method, params, json, pagination (keys that differ), limit (items in all), max_pages, and position
        (a :attr:`Page.position` to resume after).

        Raises:
            UsageError: Another option was given, or nothing says how the list is paged.
        """
        return self._driver.iterate(self._core.walk(integration, user_id, path, options).pages())

    def paginate(self, integration: str, user_id: str, path: str, **options: Unpack[WalkOptions]) -> Iterator[Any]:
        """Yield the items of a list of the provider's API, one page in memory; options as for :meth:`pages`."""
        return _items(self.pages(integration, user_id, path, **options))

    def trigger_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - DESIGN's word
        *,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        on_event: OnEvent | None = None,
    ) -> Any:
        """Run an action and return its output; *deadline* is in seconds.

        *idempotency_key* goes into the header that the integration's retry policy names; a Python action finds it in
        its context. *on_event* is told what happens meanwhile (:mod:`nango_py.events`), in the thread in which it
        happens; it is a plain function that does not block, and what it raises is logged.

        Raises:
            UnknownAction, InputError: Nothing was sent.
            RemoteError: The provider refused, failed, or answered with something else than promised.
        """
        session = self._core.session(integration, user_id)
        execution = self._core.execution(session, action, deadline=deadline, on_event=on_event)
        return self._run(execution, input, idempotency_key)

    def stream_action(
        self,
        integration: str,
        action: str,
        user_id: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
        *,
        deadline: float | None = None,
        on_event: OnEvent | None = None,
    ) -> Iterator[Any]:
        """Yield the items of an action's output, one page in memory; without a ``limit`` input, all of them."""
        session = self._core.session(integration, user_id)
        execution = self._core.execution(session, action, deadline=deadline, on_event=on_event)
        found = self._core.action(session.integration, action)
        if isinstance(found, PythonAction):
            output = self._run_python(execution, found, input, None)
            yield from output if isinstance(output, list | tuple) else (output,)
            return
        for items in self._driver.iterate(self._core.action_pages(execution, found, input)):
            yield from items

    def tools(
        self,
        *,
        format: Format = "openai",  # noqa: A002 - what every vendor's documentation calls it
        integrations: Collection[str] | None = None,
        actions: Collection[str] | None = None,
        user_id: str | None = None,
        read_only: bool = False,
    ) -> Tools:
        """Return actions as tools for a model, in the *format* of its vendor: a list that also runs what it calls.

        *integrations* and *actions* (``"list-leads"``, or ``"close/list-leads"``) choose; all without them. With
        *user_id* only the integrations that the user is connected to, whose account then is worked with; a model
        cannot choose it. With *read_only* only actions that are known to change nothing.

        Raises:
            UnknownIntegration, UnknownAction: One that was chosen is not there.
        """
        from nango_py.tools.toolbox import Tools, chosen, of_connected  # noqa: PLC0415 - most programs have no model

        views = () if user_id is None else self._driver.run(self._core.accounts.views(user_id=user_id))
        found = chosen(self._core, format, integrations=integrations, actions=actions, read_only=read_only)
        if user_id is not None:
            found = of_connected(found, views)
        return Tools(self, found, format, user_id)

    def close(self) -> None:
        """Close the pool and the store; clients are useless afterwards."""
        self._let_go()
        self._core.close()

    def _let_go(self) -> None:
        """Close the loop and the pool, and leave what other engines share."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()
        if self._pool is not None:
            self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _run(self, execution: Execution, given: Any, idempotency_key: str | None) -> Any:
        found = self._core.action(execution.session.integration, execution.action)
        if isinstance(found, PythonAction):
            return self._run_python(execution, found, given, idempotency_key)
        return self._driver.run(self._core.declared_output(execution, found, given, idempotency_key))

    def _run_python(self, execution: Execution, action: PythonAction, given: Any, idempotency_key: str | None) -> Any:
        name = execution.session.integration.name
        with execution.running():
            checked = self._core.check_python(name, action, given)
            view = self._driver.run(self._core.opened(execution, action))
            if action.is_async:
                output = self._background().run(
                    lambda nango: nango._call_python(execution, action, checked, view, idempotency_key)  # noqa: SLF001
                )
            else:
                output = self._call_python(execution, action, checked, view, idempotency_key)
            return check_python_output(name, action, output)

    def _call_python(
        self,
        execution: Execution,
        action: PythonAction,
        checked: dict[str, Any],
        view: ConnectionView,
        idempotency_key: str | None,
    ) -> Any:
        core, session = self._core, execution.session
        with open_client(
            session, self._driver, core.random, agent=core.agent, options={}, execution=execution
        ) as http:
            context = Context(
                http=http,
                connection=view,
                idempotency_key=idempotency_key,
                _execution=execution,
                _paginate=partial(self._paginate, execution),
                _run=lambda other, more, key: self._run(execution.child(other), more, key),
            )
            return action.run(context, checked)

    def _paginate(self, execution: Execution, path: str, **options: Unpack[WalkOptions]) -> Iterator[Any]:
        session = execution.session
        walk = self._core.walk(session.integration.name, session.user_id, path, options, execution)
        return _items(self._driver.iterate(walk.pages()))

    def _background(self) -> Background:
        with self._lock:
            if self._loop is None:
                from nango_py.async_engine import AsyncNango  # noqa: PLC0415 - it makes engines of this kind, too

                given: object = self._given
                if given is not None and not isinstance(given, AsyncTransport):
                    raise UsageError("the given transport= serves threads only, and this action is async.")
                self._loop = Background(AsyncNango(self._core, given, threads=self))
            return self._loop

    @property
    def _driver(self) -> Driver:
        if self._driver_made is None:
            with self._lock:
                transport = self._own_pool() if self._given is None else self._given
                self._driver_made = Driver(transport=transport, clock=self._core.clock)
        return self._driver_made

    def _own_pool(self) -> Pool:
        if self._pool is None:
            from nango_py.exchange.pool import Pool  # noqa: PLC0415 - a program that never sends has none

            self._pool = Pool(environ=self._core.environ, clock=self._core.clock, fast=self._core.fast)
        return self._pool


def _items(pages: Iterator[Page]) -> Iterator[Any]:
    for page in pages:
        yield from page.items
