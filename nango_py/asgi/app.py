"""``connect_app``: begin at ``/connect/<integration>``, end at ``/callback``, say at a clean address how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.asgi.calls import called, live
from nango_py.asgi.cookie import cleared, cookie_name, kept
from nango_py.asgi.outcome import FAILURES, reason_of
from nango_py.asgi.page import Answer, Link, page, redirect
from nango_py.asgi.request import Request, address_in, address_of, query_of
from nango_py.core import core_of
from nango_py.errors import (
    CallbackError,
    CredentialsError,
    NangoError,
    StoreError,
    UnknownIntegration,
    UsageError,
)
from nango_py.log import emit
from nango_py.oauth.callback import read_callback, state_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from nango_py.asgi.request import Address
    from nango_py.async_engine import AsyncNango
    from nango_py.connections.connection import Connection, ConnectionView
    from nango_py.engine import Nango

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Identify = Callable[[Scope], str | None] | Callable[[Scope], Awaitable[str | None]]
    OnConnected = Callable[[ConnectionView], None] | Callable[[ConnectionView], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["connect_app"]


def connect_app(
    nango: AsyncNango | Nango,
    *,
    identify: Identify,
    base_url: str | None = None,
    return_to: str | None = None,
    on_connected: OnConnected | None = None,
) -> App:
    """Return an ASGI app at whose ``/connect/<integration>`` a user of yours connects an account.

    *identify* gets the ASGI scope and returns the id of whoever is signed in, or None; a plain one runs in a worker
    thread. *base_url* is where browsers find the app, ``https://app.example.com/nango``: state it, for what a request
    says of its own address is its sender's word. ``<base_url>/callback`` is the redirect URI to register.
    *return_to*, a page of yours, takes the place of the app's own result page; pages that say what failed lead to it.
    *on_connected* is called with a connection's view after it was stored.

    Raises:
        UsageError: *base_url* is no https address, nor one of loopback.
    """
    return _ConnectApp(
        nango,
        identify=identify,
        address=None if base_url is None else address_in(base_url),
        return_to=return_to,
        on_connected=on_connected,
    )


class _ConnectApp:
    def __init__(
        self,
        nango: AsyncNango | Nango,
        *,
        identify: Identify,
        address: Address | None,
        return_to: str | None,
        on_connected: OnConnected | None,
    ) -> None:
        self._nango = nango
        self._identify = identify
        self._address = address
        self._return_to = return_to
        self._on_connected = on_connected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            answer = await self._answer(scope)
            await answer.send(send, bodiless=scope["method"] == "HEAD")
        elif scope["type"] == "lifespan":
            await live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope) -> Answer:
        request = Request.of(scope)
        if not request.route:
            return self._nowhere()
        if request.method not in {"GET", "HEAD"}:
            return page(405, "This page can only be read", "Go back and begin again.").having("allow", "GET, HEAD")
        if request.method == "HEAD":
            return Answer(status=200)  # whoever only probes a link begins nothing and uses nothing up
        pages = {"connect": self._begun, "callback": self._finished, "connected": self._connected}
        try:
            return await pages.get(request.route, self._failed)(request, scope)
        except UnknownIntegration:
            return self._nowhere()
        except NangoError as error:
            _tell(error, integration=request.what)
            return self._failure("trouble")

    # Pages

    async def _begun(self, request: Request, scope: Scope) -> Answer:
        """Send the browser to the provider, and leave the attempt's binding with it."""
        if (user := await self._user(scope)) is None:
            return self._failure("signed-out")
        try:
            config = self._config(request)
            if request.is_from_elsewhere:
                return _question(request, config, self._address or address_of(request, scope))
            address = self._address or address_of(request, scope)
            begun = await called(
                self._nango.oauth.begin,
                request.what,
                user,
                redirect_uri=address.redirect_uri,
                connection_config=config or None,
            )
        except CredentialsError as error:
            return page(400, "Something is missing", _told(error, request.what), link=self._back)
        return redirect(begun.url).having("set-cookie", kept(begun.state, begun.binding, address))

    async def _finished(self, request: Request, scope: Scope) -> Answer:
        """Finish the attempt, and leave the address that bears the code, unless it can be finished there later."""
        address = self._address or address_of(request, scope)
        state, binding = _attempt_in(request, address)
        try:
            answer = redirect(await self._outcome(request, scope, address, binding))
        except StoreError as error:
            # Still at this address, and with its cookie: loading it again finishes what the store did not take.
            _tell(error)
            return self._failure("unstored")
        return answer.having("set-cookie", cleared(state, address)) if binding else answer

    async def _outcome(self, request: Request, scope: Scope, address: Address, binding: str) -> str:
        """Return the address of the page that says what came of it."""
        try:
            user = await self._user(scope)
            if user is None:
                return f"{address.path}/failed/signed-out"
            if not binding:
                # Not even looked up: a browser that began nothing must not use up what another one began.
                return f"{address.path}/failed/callback"
            connection: Connection = await called(
                self._nango.oauth.finish, f"?{request.query}", binding=binding, user_id=user
            )
        except StoreError:
            raise
        except NangoError as error:
            _tell(error)
            return f"{address.path}/failed/{reason_of(error)}"
        await self._hear(connection)
        return self._return_to or f"{address.path}/connected/{connection.integration}"

    async def _connected(self, request: Request, scope: Scope) -> Answer:
        """Say that an account is connected, if it is: anybody can write a link to this page."""
        if (user := await self._user(scope)) is None:
            return self._failure("signed-out")
        views = await called(self._nango.get_connections_for_user_id, user)
        if not any(view.integration == request.what and view.status == "active" for view in views):
            return self._nowhere()
        text = f"Your account at {request.what} is connected. You can close this page."
        return page(200, "Connected", text, link=self._back)

    async def _failed(self, request: Request, _scope: Scope) -> Answer:
        return self._failure(request.what) if request.what in FAILURES else self._nowhere()

    def _failure(self, reason: str) -> Answer:
        status, title, text = FAILURES[reason]
        return page(status, title, text, link=self._back)

    def _nowhere(self) -> Answer:
        return page(404, "There is no such page", "Nothing can be connected at this address.", link=self._back)

    @property
    def _back(self) -> Link | None:
        return Link(url=self._return_to, text="Go back") if self._return_to else None

    # What the pages stand on

    async def _user(self, scope: Scope) -> str | None:
        user = await called(self._identify, scope)
        if user is None or user == "":
            return None
        if not isinstance(user, str):
            raise UsageError(f"connect_app: identify must return the user's id as a text, not {type(user).__name__}.")
        return user

    def _config(self, request: Request) -> dict[str, str]:
        """Return the query, which may hold the integration's connection config and nothing else.

        A secret field is none for an address, which browsers and logs remember.
        """
        found = core_of(self._nango).integration(request.what)
        if not found.auth.connects:
            raise UnknownIntegration(f"integration {found.name!r}: its accounts are not connected in a browser.")
        public = {field.name for field in found.connection_config if not field.secret}
        try:
            given = query_of(request)
        except ValueError:
            raise CredentialsError("the address cannot be read.") from None
        if beside := sorted(given.keys() - public):
            raise CredentialsError(f"the address must not say {', '.join(map(repr, beside))}.")
        return given

    async def _hear(self, connection: Connection) -> None:
        if self._on_connected is None:
            return
        try:
            await called(self._on_connected, connection.view())
        except Exception as error:
            # The program's own mistake does not undo what was just stored.
            emit(
                "error", "hook.failed", secrets=tuple, error=type(error).__name__,
                integration=connection.integration, user_id=connection.user_id,
            )  # fmt: skip


def _tell(error: NangoError, **fields: str) -> None:
    emit("warning", "connect.failed", secrets=tuple, error=type(error).__name__, reason=str(error), **fields)


def _attempt_in(request: Request, address: Address) -> tuple[str, str]:
    """Return the state of a callback, and the binding that this browser keeps for it; empty without one."""
    try:
        state = state_of(read_callback(f"?{request.query}"))
    except CallbackError:
        return "", ""
    return state, request.cookies.get(cookie_name(state, address), "")


def _told(error: CredentialsError, integration: str) -> str:
    """Return the message without the part that speaks to the program's author."""
    return f"To connect {integration}: " + str(error).removeprefix(
        f"integration {integration!r}: connection_config: "
    )


def _question(request: Request, config: Mapping[str, str], address: Address) -> Answer:
    """Ask the user: a page of another site may not connect an account by itself.

    It might have signed the browser in at the provider as somebody else, whose account would be planted.
    """
    query = f"?{request.query}" if request.query else ""
    link = Link(url=f"{address.path}/connect/{request.what}{query}", text=f"Connect {request.what}")
    text = "Another site sent you here. Go on only if you want to connect an account of yours."
    return page(200, f"Connect {request.what}?", text, facts=config.items(), link=link)
