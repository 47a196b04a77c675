"""What programs call: the same names, plain under Nango, awaited under AsyncNango."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.oauth.flows import Flows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nango_py.connections.connection import Connection
    from nango_py.core import Core
    from nango_py.exchange.drivers import AsyncDriver, Driver
    from nango_py.oauth.attempt import AuthorizationRequest, DeviceAuthorization

__all__ = ["AsyncOAuth", "OAuth"]


class OAuth:
    """Connect accounts in two steps that any web framework can call."""

    def __init__(self, core: Core, driver: Callable[[], Driver]) -> None:
        self._flows = Flows(core)
        self._driver = driver

    def begin(
        self,
        integration: str,
        user_id: str,
        *,
        redirect_uri: str,
        scopes: Sequence[str] | None = None,
        connection_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> AuthorizationRequest:
        """Return where to send the user's browser.

        Keep its ``binding`` in that browser's session. *scopes* take the place of the integration's; without
        *connection_config*, that of an existing connection is used. The attempt lives for ten minutes.

        Raises:
            UsageError: Accounts of the integration are not connected in a browser.
            CredentialsError: The config does not fit what is declared; what the sign-in brings itself may be absent.
        """
        return self._driver().run(
            self._flows.begin(
                integration,
                user_id,
                redirect_uri=redirect_uri,
                scopes=scopes,
                connection_config=connection_config,
                metadata=metadata,
            )
        )

    def finish(self, callback_url: str, *, binding: str, user_id: str | None = None) -> Connection:
        """Return the connection that a callback makes, new or in place of the old one.

        *user_id* is who is signed in now, when the program can tell: nobody else's attempt is finished.

        Raises:
            CallbackError: It belongs to no attempt of this browser, or of this user, that is going on.
            AuthenticationError: Access was not granted, or the code was refused.
            ResponseError, UnreachableError: The token endpoint failed, or did not bring what is declared to come.
            StoreError: What came could not be stored. It is kept for ten minutes: call it again, in this process.
        """
        return self._driver().run(self._flows.finish(callback_url, binding=binding, user_id=user_id))

    def begin_device(
        self,
        integration: str,
        user_id: str,
        *,
        scopes: Sequence[str] | None = None,
        connection_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> DeviceAuthorization:
        """Return the code that the user types on another device (RFC 8628).

        Raises:
            UsageError: The blueprint declares no such endpoint.
        """
        return self._driver().run(
            self._flows.begin_device(
                integration, user_id, scopes=scopes, connection_config=connection_config, metadata=metadata
            )
        )

    def finish_device(self, device: DeviceAuthorization) -> Connection:
        """Wait until the code was entered, and return the connection.

        Raises:
            AuthenticationError: Access was not granted, or not in time.
            StoreError: What came could not be stored. It is kept for ten minutes: call it again, in this process.
        """
        return self._driver().run(self._flows.finish_device(device))


class AsyncOAuth:
    """Connect accounts in two steps that any web framework can call; the names are those of :class:`OAuth`."""

    def __init__(self, core: Core, driver: Callable[[], AsyncDriver]) -> None:
        self._flows = Flows(core)
        self._driver = driver

    async def begin(
        self,
        integration: str,
        user_id: str,
        *,
        redirect_uri: str,
        scopes: Sequence[str] | None = None,
        connection_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> AuthorizationRequest:
        """Return where to send the user's browser."""
        return await self._driver().run(
            self._flows.begin(
                integration,
                user_id,
                redirect_uri=redirect_uri,
                scopes=scopes,
                connection_config=connection_config,
                metadata=metadata,
            )
        )

    async def finish(self, callback_url: str, *, binding: str, user_id: str | None = None) -> Connection:
        """Return the connection that a callback makes, new or in place of the old one."""
        return await self._driver().run(self._flows.finish(callback_url, binding=binding, user_id=user_id))

    async def begin_device(
        self,
        integration: str,
        user_id: str,
        *,
        scopes: Sequence[str] | None = None,
        connection_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> DeviceAuthorization:
        """Return the code that the user types on another device (RFC 8628)."""
        return await self._driver().run(
            self._flows.begin_device(
                integration, user_id, scopes=scopes, connection_config=connection_config, metadata=metadata
            )
        )

    async def finish_device(self, device: DeviceAuthorization) -> Connection:
        """Wait until the code was entered, and return the connection."""
        return await self._driver().run(self._flows.finish_device(device))
