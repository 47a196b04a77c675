"""Nango and AsyncNango behind the same few calls, so that one test proves both."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from anyio.from_thread import start_blocking_portal

from nango_py import AsyncNango, Nango

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    import httpx
    from anyio.from_thread import BlockingPortal

    from nango_py import AsyncDownload

__all__ = ["BACKENDS", "Face", "face"]

SOURCE = Path(__file__).parent / "integrations.yaml"
KEYS = base64.b64encode(bytes(range(32))).decode()
BACKENDS = ("sync", "asyncio", "trio")


class Face(Protocol):
    """What the tests ask of a Nango: everything is over when a call returns."""

    def call(self, method: str, /, *args: Any, **options: Any) -> Any:
        """Call a method that answers once, such as ``trigger_action`` or ``oauth.begin``."""

    def collect(self, method: str, /, *args: Any, **options: Any) -> list[Any]:
        """Call a method that answers item by item, such as ``paginate``, to its end."""

    def send(self, integration: str, user_id: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request through ``client`` and read the answer."""

    def save(self, integration: str, action: str, user_id: str, given: Mapping[str, Any], path: Path) -> Path:
        """Run an action that gives a download, and save that."""


@contextmanager
def face(
    backend: str, source: Path | Mapping[str, Any] = SOURCE, options: Mapping[str, Any] | None = None, **environ: str
) -> Iterator[Face]:
    """Load the integrations of the real-server tests, or others, with an empty store in memory.

    *options* are those of ``load``: a clock, hooks.
    """
    environ["NANGO_ENCRYPTION_KEYS"] = KEYS
    load = {"source": source, "store": "memory://", "environ": environ, **(options or {})}
    with _sync(load) if backend == "sync" else _async(backend, load) as opened:
        yield opened


@contextmanager
def _sync(load: dict[str, Any]) -> Iterator[Face]:
    with Nango.load(**load) as nango:
        assert _faults(nango) == []
        yield _Sync(nango)


@contextmanager
def _async(backend: str, load: dict[str, Any]) -> Iterator[Face]:
    with start_blocking_portal(backend) as portal:
        nango = AsyncNango.load(**load)
        assert _faults(nango) == []
        with portal.wrap_async_context_manager(nango):
            yield _Async(nango, portal)


def _faults(nango: Nango | AsyncNango) -> list[str]:
    """Only the server under test runs: the addresses of the others are missing."""
    return [str(problem) for problem in nango.problems if problem.code != "environment.missing"]


class _Sync:
    def __init__(self, nango: Nango) -> None:
        self._nango = nango

    def call(self, method: str, /, *args: Any, **options: Any) -> Any:
        return attrgetter(method)(self._nango)(*args, **options)

    def collect(self, method: str, /, *args: Any, **options: Any) -> list[Any]:
        return list(getattr(self._nango, method)(*args, **options))

    def send(self, integration: str, user_id: str, method: str, path: str, **options: Any) -> httpx.Response:
        with self._nango.client(integration, user_id) as client:
            return client.request(method, path, **options)

    def save(self, integration: str, action: str, user_id: str, given: Mapping[str, Any], path: Path) -> Path:
        saved: Path = self._nango.trigger_action(integration, action, user_id, given).save(path)
        return saved


class _Async:
    def __init__(self, nango: AsyncNango, portal: BlockingPortal) -> None:
        self._nango = nango
        self._portal = portal

    def call(self, method: str, /, *args: Any, **options: Any) -> Any:
        return self._portal.call(partial(attrgetter(method)(self._nango), *args, **options))

    def collect(self, method: str, /, *args: Any, **options: Any) -> list[Any]:
        return self._portal.call(_collected, partial(getattr(self._nango, method), *args, **options))

    def send(self, integration: str, user_id: str, method: str, path: str, **options: Any) -> httpx.Response:
        open_client = partial(self._nango.client, integration, user_id)
        answer: httpx.Response = self._portal.call(self._sent, open_client, method, path, options)
        return answer

    async def _sent(
        self, open_client: Callable[[], httpx.AsyncClient], method: str, path: str, options: dict[str, Any]
    ) -> httpx.Response:
        async with open_client() as client:
            return await client.request(method, path, **options)

    def save(self, integration: str, action: str, user_id: str, given: Mapping[str, Any], path: Path) -> Path:
        return self._portal.call(
            self._saved, partial(self._nango.trigger_action, integration, action, user_id, given), path
        )

    async def _saved(self, trigger: Callable[[], Awaitable[AsyncDownload]], path: Path) -> Path:
        return await (await trigger()).save(path)


async def _collected(begin: Callable[[], AsyncIterator[Any]]) -> list[Any]:
    return [item async for item in begin()]
