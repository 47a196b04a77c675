"""Where checks are made: the engine under test, connected to a simulated provider that keeps to the truth."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from nango_py.masking import Mask
from nango_py.testing.clock import ManualClock
from nango_py.testing.simulator import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nango_py.engine import Nango
    from nango_py.http import Client
    from nango_py.model import Integration
    from nango_py.testing.messages import Seen
    from nango_py.testing.simulator import Simulator

__all__ = ["PLACE", "USER", "Bench", "Failed", "Lab", "Skipped", "fail", "skip"]

PLACE = "conformance"
"""A path at which the simulated provider has an object."""
USER = "ann"
_SETTLED = 60
"""Seconds: a token that is younger is not renewed when it is refused."""
_LONG = 8
"""Shorter credentials could stand anywhere by chance."""


class Failed(Exception):  # noqa: N818 - the outcome of a check
    """A blueprint, or the engine with it, does not hold to what is checked."""


class Skipped(Exception):  # noqa: N818
    """There is nothing to check, for the reason given."""


def fail(message: str) -> NoReturn:
    """End a check badly."""
    raise Failed(message)


def skip(message: str) -> NoReturn:
    """End a check without a result."""
    raise Skipped(message)


@dataclass(slots=True, kw_only=True)
class Bench:
    """One connected account."""

    nango: Nango
    provider: Simulator
    clock: ManualClock

    def client(self, **options: Any) -> Client:
        """Return the account's client."""
        return self.nango.client("it", USER, **options)

    def get(self) -> int:
        """Ask for the object and return the status."""
        with self.client() as client:
            return client.get(PLACE).status_code

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every credential of the account and of the app that can be told from other text."""
        provider = self.provider
        app = [text for name, text in provider.keys.items() if name != "oauth_client_id"]
        own = [value for value in provider.credentials.values() if isinstance(value, str)]
        return tuple({text for text in (*app, *own, *provider.desk.texts) if len(text) >= _LONG})

    def is_bare(self, text: str) -> bool:
        """Tell whether no credential, in any form, stands in a text."""
        return not Mask(self.secrets).is_in(text)


@dataclass(slots=True, kw_only=True)
class Lab:
    """Connect accounts of the blueprint under test to a provider that behaves as *truth* declares."""

    tested: Integration
    truth: Integration
    engine: Callable[..., Nango]
    credentials: Mapping[str, Any] | None = field(default=None, repr=False)
    connection_config: Mapping[str, str] | None = None

    @contextmanager
    def connected(self, *, keys: Mapping[str, Any] | None = None, **options: Any) -> Iterator[Bench]:
        """Give a connected account; *options* are those of ``simulate``.

        Raises:
            Failed: Meanwhile a credential went to an address that is not the provider's.
        """
        clock = ManualClock()
        options = {"objects": {PLACE: {"id": 1}}, "enforce_limits": False, **options}
        provider = simulate(
            self.truth,
            clock=clock,
            credentials=self.credentials,
            connection_config=self.connection_config,
            **options,
        )
        source = {"integrations": {"it": {**_written(self.tested), **provider.keys, **(keys or {})}}}
        with self.engine(source, store="memory://", transport=provider.transport, clock=clock, environ={}) as nango:
            nango.register_connection("it", USER, provider.credentials, provider.connection_config)
            clock.advance(_SETTLED)
            bench = Bench(nango=nango, provider=provider, clock=clock)
            yield bench
        for stray in provider.strays:
            if not bench.is_bare(text_of(stray)):
                fail(f"credentials went to {stray.url.partition('?')[0]}, which is not the provider's origin.")


def _written(integration: Integration) -> dict[str, Any]:
    return {name: value for name, value in integration.declared.items() if name != "extends_blueprint"}


def text_of(seen: Seen) -> str:
    """Return all of a request as one text."""
    headers = "\n".join(f"{name}: {value}" for name, value in seen.headers.items())
    return f"{seen.method} {seen.url}\n{headers}\n\n{seen.content.decode('utf-8', 'replace')}"
