"""What both engines share: integrations, connections, sessions; everything that does work is a flow of effects."""

from __future__ import annotations

import os
import platform
import random
from dataclasses import replace
from functools import cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, get_args

from nango_py.accounts import Accounts
from nango_py.actions.declarative import perform, stream
from nango_py.actions.inputs import check_input
from nango_py.actions.python import PythonAction, check_python_input
from nango_py.actions.registry import Registry
from nango_py.actions.scopes import check_scopes
from nango_py.actions.verification import verify
from nango_py.clock import Clock, SystemClock
from nango_py.connections.opening import open_store
from nango_py.connections.renewal import Hooks
from nango_py.declare.loader import load
from nango_py.errors import ConfigError, InputError, UnknownIntegration, UsageError
from nango_py.exchange.answers import Asker
from nango_py.exchange.execution import Execution
from nango_py.exchange.loops import bridge_to, sync_transport
from nango_py.exchange.options import check_walk_options
from nango_py.exchange.pages import Walk
from nango_py.exchange.plan import header_text
from nango_py.exchange.token_endpoint import TokenEndpoint
from nango_py.http import QueryParams
from nango_py.location import Problem, did_you_mean
from nango_py.policy.pagination import Pagination, check
from nango_py.sessions import Sessions
from nango_py.template import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from nango_py.actions.verification import CheckResult
    from nango_py.async_engine import AsyncNango
    from nango_py.connections.connection import ConnectionView
    from nango_py.connections.store import Store
    from nango_py.declare.loader import Declared
    from nango_py.effects import Flow
    from nango_py.engine import Nango
    from nango_py.events import OnEvent
    from nango_py.exchange.limit_views import Limit
    from nango_py.exchange.options import WalkOptions
    from nango_py.exchange.session import Session
    from nango_py.http import AsyncBaseTransport, BaseTransport
    from nango_py.model import Action, Integration

__all__ = ["Core", "PoolName", "core_of"]

PoolName = Literal["default", "fast"]
_POOLS: tuple[str, ...] = get_args(PoolName)


class Core:
    """Hold what is declared and what is connected; each method that reaches out is a flow."""

    def __init__(
        self,
        source: str | Path | Mapping[str, Any],
        *,
        store: str | Store | None,
        blueprints: Sequence[str | Path],
        clock: Clock | None,
        environ: Mapping[str, str] | None,
        transport: BaseTransport | AsyncBaseTransport | None = None,
        pool: PoolName = "default",
        actions: Iterable[object] = (),
        on_renewed: Callable[[ConnectionView], None] | None = None,
        on_reauth_required: Callable[[ConnectionView], None] | None = None,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        self.fast = _is_fast(pool, transport)
        self.clock = clock or SystemClock()
        self.declared: Declared = load(source, blueprints=blueprints, environ=self.environ)
        self.registry = Registry(self.declared.folder, actions)
        self.random = random.random
        self.agent = _agent()
        self.bridge = bridge_to(transport)
        opened = open_store(store, self.environ)
        self.accounts = Accounts(
            integration=self.integration,
            store=opened,
            environ=self.environ,
            clock=self.clock,
            endpoint=TokenEndpoint(
                transport=cache(lambda: self.bridge or sync_transport(transport, self.environ)),
                clock=self.clock,
                agent=self.agent,
            ),
            hooks=Hooks(on_renewed=on_renewed, on_reauth_required=on_reauth_required),
        )
        self._sessions = Sessions(manager=self.accounts.manager, store=opened, clock=self.clock)

    # Declarations

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return every problem of what is declared."""
        return (*self.declared.problems, *self.registry.problems(self.declared.integrations))

    def integration(self, name: str) -> Integration:
        """Return an integration.

        Raises:
            UnknownIntegration: None of that name is declared.
            ConfigError: It is broken; the error bears its problems.
        """
        found = self.declared.integrations.get(name)
        if found is not None:
            return found
        if name in self.declared.broken:
            raise ConfigError(self.declared.broken[name])
        hint = did_you_mean(str(name), self.declared.integrations)
        raise UnknownIntegration(f"no integration {name!r} is declared. {hint}".rstrip())

    def action_names(self, integration: Integration) -> list[str]:
        """Return the names of an integration's actions, declared and Python; nothing is loaded."""
        return self.registry.names(integration)

    def action(self, integration: Integration, name: str) -> Action | PythonAction:
        """Return an action, declared or Python.

        Raises:
            UnknownAction: The integration has none of that name.
            ConfigError: It was found twice, or cannot be loaded.
        """
        return self.registry.get(integration, name)

    # Connections

    def delete(self, integration: str, user_id: str) -> Flow[None]:
        """Delete a connection, and what is remembered of its requests: the next one may be another account's."""
        try:
            yield from self.accounts.delete(integration, user_id)
        finally:
            self._sessions.forget(integration, user_id)

    # Requests

    def session(self, integration: str, user_id: str) -> Session:
        """Return the session of a connection; nothing is read yet."""
        return self._sessions.of(self.integration(integration), user_id)

    def limits(self, integration: str, user_id: str) -> Flow[tuple[Limit, ...]]:
        """Return what is left of each limit of a connection."""
        session = self.session(integration, user_id)
        yield from session.open()
        return (yield from session.limits.views())

    def asker(self, session: Session, execution: Execution | None = None) -> Asker:
        """Return what sends requests and reads their answers, for an action where one asks."""
        return Asker(session=session, clock=self.clock, random=self.random, execution=execution)

    def walk(
        self,
        integration: str,
        user_id: str,
        path: str,
        options: WalkOptions,
        execution: Execution | None = None,
    ) -> Walk:
        """Return the walk over a list of the provider's API.

        Raises:
            UsageError: There is no such option, or the list cannot be walked as it says.
        """
        check_walk_options(options)
        session = self.session(integration, user_id)
        walked = self._pagination(session.integration, options.get("pagination"))
        given = QueryParams(options.get("params"))
        return Walk(
            asker=self.asker(session, execution),
            pagination=walked,
            method=options.get("method", "GET").upper(),
            path=path,
            agent=self.agent,
            params=tuple(given.multi_items()),
            json=options.get("json"),
            limit=options.get("limit"),
            max_pages=options.get("max_pages"),
            page_size=_page_size_in(given, walked),
            position=options.get("position"),
        )

    def _pagination(self, integration: Integration, keys: Mapping[str, Any] | None) -> Pagination:
        if integration.pagination is None and not keys:
            raise UsageError(
                f"integration {integration.name!r} declares no pagination. Give pagination={{'type': ...}}, "
                "or declare it."
            )
        declared, given = integration.pagination, keys or {}
        try:
            pagination = Pagination(**given) if declared is None else replace(declared, **given)
        except TypeError:
            raise UsageError(f"pagination: unknown or missing key among {', '.join(sorted(keys or {}))}.") from None
        if gaps := check(pagination):
            raise UsageError("pagination: " + "; ".join(gap.message for gap in gaps) + ".")
        return pagination

    def check_connection(self, integration: str, user_id: str) -> Flow[CheckResult]:
        """Send the blueprint's verification request and tell what it says of the credentials."""
        session = self.session(integration, user_id)
        verification = session.integration.verification
        if verification is None:
            raise UsageError(
                f"integration {integration!r} declares no verification. "
                "Declare a request that works with good credentials only: verification: {method: GET, path: me}."
            )
        return (yield from verify(self.asker(session), verification, agent=self.agent))

    # Actions

    def execution(
        self, session: Session, action: str, *, deadline: float | None, on_event: OnEvent | None
    ) -> Execution:
        """Return a run of an action, not begun yet.

        Raises:
            UsageError: *on_event* is async.
        """
        if on_event is not None and iscoroutinefunction(on_event):
            raise UsageError(
                "on_event= is a plain function, called while the action runs. "
                "For a task of yours, put its events into a queue: on_event=queue.put_nowait."
            )
        return Execution(session=session, action=action, deadline=deadline, on_event=on_event)

    def opened(self, execution: Execution, action: PythonAction) -> Flow[ConnectionView]:
        """Return the connection as a Python action sees it, its credentials fit to be used.

        Raises:
            MissingScopes: Scopes that the action needs were not granted.
        """
        session = execution.session
        plan = yield from self.asker(session, execution).open()
        check_scopes(
            action.scopes, session.integration, session.user_id, plan.connection.credentials, action=action.name
        )
        view: ConnectionView = plan.connection.view()
        return view

    def declared_output(
        self, execution: Execution, action: Action, given: Any, idempotency_key: str | None
    ) -> Flow[Any]:
        """Return a declarative action's output."""
        return (yield from execution.around(self._output(execution, action, given, idempotency_key)))

    def _output(self, execution: Execution, action: Action, given: Any, idempotency_key: str | None) -> Flow[Any]:
        session = execution.session
        who = f"integration {session.integration.name!r}, action {action.name!r}"
        checked = check_input(action, given, who=who)
        asker = self.asker(session, execution)
        if idempotency_key is not None:
            asker = replace(asker, headers=self._idempotency(session.integration, action, idempotency_key, who))
        return (yield from perform(asker, action, checked, agent=self.agent, who=who))

    def _idempotency(self, integration: Integration, action: Action, key: str, who: str) -> Mapping[str, str]:
        own = None if action.overrides is None else action.overrides.retry
        name = (own or integration.retry).idempotency_key
        if name is None:
            raise UsageError(f"{who}: the integration declares no retry.idempotency_key, so a key would do nothing.")
        try:
            return {name: header_text(name, key)}
        except TemplateError as error:
            raise InputError(f"{who}: idempotency_key=: {error}") from None

    def action_pages(self, execution: Execution, action: Action, given: Any) -> Flow[None]:
        """Emit the pages of a paginated action; of another one, its output as one page."""
        yield from execution.around(self._pages(execution, action, given))

    def _pages(self, execution: Execution, action: Action, given: Any) -> Flow[None]:
        session = execution.session
        who = f"integration {session.integration.name!r}, action {action.name!r}"
        checked = check_input(action, given, who=who)
        asker = self.asker(session, execution)
        yield from stream(asker, action, checked, agent=self.agent, who=who)

    def check_python(self, integration: str, action: PythonAction, given: Any) -> dict[str, Any]:
        """Return a Python action's input, checked."""
        return check_python_input(action, given, f"integration {integration!r}, action {action.name!r}")

    def close(self) -> None:
        """Wait for renewals, tell the store what was counted, and close it."""
        self._sessions.close()
        self.accounts.close()


def core_of(nango: Nango | AsyncNango) -> Core:
    """Return what is behind an engine, for the package's other doors: command line, ASGI application, MCP server."""
    return nango._core  # noqa: SLF001 - the one place outside the engines


def _page_size_in(params: QueryParams, pagination: Pagination) -> int | None:
    """Return the page size that a caller asks for by the parameter itself: the caller comes last, and so wins."""
    text = params.get(pagination.limit_name_in_request or "", "")
    return int(text) if text.isascii() and text.isdigit() and int(text) else None


def _is_fast(pool: str, transport: object) -> bool:
    if pool not in _POOLS:
        hint = did_you_mean(str(pool), _POOLS)
        raise UsageError(f"pool={pool!r} is none of {', '.join(map(repr, _POOLS))}. {hint}".rstrip())
    if pool != _POOLS[0] and transport is not None:
        raise UsageError(f"transport= takes the place of every pool: leave out pool={pool!r}, or transport=.")
    return pool == "fast"


def _agent() -> str:
    from nango_py import __version__  # noqa: PLC0415

    return f"nango-py/{__version__} python/{platform.python_version()}"
