"""Connect accounts of real servers through nango_py, with a clock that the tests move."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_py.testing import ManualClock
from tests.servers.faces import face
from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from nango_py import Connection
    from tests.servers.faces import Face

__all__ = ["USER", "Accounts", "accounts", "declared", "post"]

USER = "ann"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """A Nango with the integration ``it``, whose accounts *authorize* connects: it plays the browser."""

    nango: Face
    clock: ManualClock
    authorize: Callable[[str], str]
    callback: str
    told: list[str] = field(default_factory=list)
    """The hooks that were called, by name."""

    def begin(self, **options: Any) -> Any:
        """Begin an attempt of ``ann``."""
        return self.nango.call("oauth.begin", "it", USER, redirect_uri=self.callback, **options)

    def finish(self, callback: str, begun: Any, **options: Any) -> Connection:
        """Finish an attempt in the browser that began it."""
        connection: Connection = self.nango.call("oauth.finish", callback, binding=begun.binding, **options)
        return connection

    def connect(self, **options: Any) -> Connection:
        """Connect ``ann``'s account."""
        begun = self.begin(**options)
        return self.finish(self.authorize(begun.url), begun)

    def held(self, name: str) -> str:
        """Return a credential as it is stored now."""
        value = self.connection().credentials[name]
        return str(value.reveal())

    def connection(self) -> Connection:
        """Return the connection as it is stored now."""
        connection: Connection = self.nango.call("get_connection", "it", USER)
        return connection

    def get(self, path: str) -> httpx.Response:
        """Ask the API as ``ann``."""
        return self.nango.send("it", USER, "GET", path)

    def token(self) -> str:
        """Return the access token that a vendor's SDK would get."""
        return str(self.nango.call("credentials", "it", USER)["access_token"].reveal())


@contextmanager
def accounts(
    backend: str,
    source: Mapping[str, Any],
    *,
    authorize: Callable[[str], str],
    callback: str,
    clock: ManualClock | None = None,
    **options: Any,
) -> Iterator[Accounts]:
    """Load *source*; the clock starts at the real time, which the servers go by."""
    clock, told = clock or ManualClock(time.time()), list[str]()
    hooks = {name: lambda _view, name=name: told.append(name) for name in ("on_renewed", "on_reauth_required")}
    with face(backend, source, {"clock": clock, **hooks, **options}) as nango:
        yield Accounts(nango=nango, clock=clock, authorize=authorize, callback=callback, told=told)


def declared(auth: Mapping[str, Any], base_url: str, **integration: Any) -> dict[str, Any]:
    """Return a document that declares the integration ``it``."""
    return {"integrations": {"it": {"auth": auth, "requests": {"base_url": base_url}, **integration}}}


def post(url: str, form: Mapping[str, str], *, auth: tuple[str, str] | None = None) -> httpx.Response:
    """Send a form behind the engine's back."""
    with browse(auth=auth) as client:
        return client.post(url, data=form)
