"""Connect to checked addresses only: what was checked is connected to, no name is looked up twice."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import anyio
import httpcore

from nango_py.exchange.pool.addresses import is_public

__all__ = ["AsyncGuard", "AsyncResolve", "Guard", "PrivateAddress", "Resolve"]

Resolve = Callable[[str, int], Iterable[str]]
"""Return the addresses of a host for a port; raise OSError where there are none."""
AsyncResolve = Callable[[str, int], Awaitable[Iterable[str]]]

_PATIENCE = 5.0
"""Seconds for an address that has another one behind it: one that never answers must not use up all the time."""
# getaddrinfo encodes names by IDNA, which refuses a label that is too long.
_NO_NAME = (OSError, UnicodeError)


class PrivateAddress(httpcore.ConnectError):
    """The host has no public address; nothing was sent."""


class Guard(httpcore.NetworkBackend):
    """Connect through *backend* to the public addresses of a host, in their order, or, with *allow_private*, to all.

    The connect timeout counts for all addresses together; only the system's look-up cannot be interrupted.

    Raises:
        PrivateAddress: The host has addresses, and none is public.
    """

    def __init__(
        self, backend: httpcore.NetworkBackend, resolve: Resolve | None = None, *, allow_private: bool = False
    ) -> None:
        self._backend = backend
        self._resolve = resolve or _system
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to the first address that takes one."""
        ends_at = None if timeout is None else time.monotonic() + timeout
        found = self._look_up(host, port)
        for address, others in _admitted(host, found, allow_private=self._allow_private):
            try:
                seconds = _share(ends_at, others)
                return self._backend.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not others:
                    raise
        raise httpcore.ConnectError("the host has no address")

    def _look_up(self, host: str, port: int) -> Iterable[str]:
        try:
            return self._resolve(host, port)
        except _NO_NAME as error:
            raise httpcore.ConnectError(str(error)) from error


class AsyncGuard(httpcore.AsyncNetworkBackend):
    """Do what Guard does, on an event loop; here the timeout ends the look-up, too."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, resolve: AsyncResolve | None = None) -> None:
        self._backend = backend
        self._resolve = resolve or _async_system

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the first address that takes one."""
        ends_at = None if timeout is None else time.monotonic() + timeout
        found = await self._look_up(host, port, timeout)
        for address, others in _admitted(host, found):
            try:
                seconds = _share(ends_at, others)
                return await self._backend.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not others:
                    raise
        raise httpcore.ConnectError("the host has no address")

    async def _look_up(self, host: str, port: int, seconds: float | None) -> Iterable[str]:
        try:
            with anyio.fail_after(seconds):
                return await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the host's name was not found in time") from error
        except _NO_NAME as error:
            raise httpcore.ConnectError(str(error)) from error


def _system(host: str, port: int) -> Iterable[str]:
    """Return the addresses as the system finds them, those of oddly written literals (``0x7f.1``) included."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


async def _async_system(host: str, port: int) -> Iterable[str]:
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def _admitted(host: str, found: Iterable[str], *, allow_private: bool = False) -> Iterator[tuple[str, int]]:
    """Yield each address that may be connected to, and how many come after it."""
    every = list(dict.fromkeys(found))
    admitted = every if allow_private else [address for address in every if is_public(address)]
    if every and not admitted:
        # The address itself is not told: whoever chose the host may be the one who reads this.
        raise PrivateAddress(
            f"{host} resolves to a private address, and not only the integration has a say in where it goes "
            "(an account, an answer or a pack has); "
            "if it is meant to be in a private network, write network.allow_private: true in the integration"
        )
    for index, address in enumerate(admitted, start=1):
        yield address, len(admitted) - index


def _share(ends_at: float | None, others: int) -> float | None:
    """Return the seconds for one address: the last one gets all that are left."""
    if ends_at is None:
        return _PATIENCE if others else None
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore.ConnectTimeout("the time to connect is over")
    return min(_PATIENCE, left / (others + 1)) if others else left
