"""Whether tokens are renewed in time, once, and with the refresh token that came last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nango_py.errors import AuthenticationError
from nango_py.testing.checks.bench import Bench, Lab, fail, skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["checks"]

_OK = 200
_LIFETIME = 3600
_SOON = 60
_AT_ONCE = 8


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks of renewal."""
    yield "renewal.in_time", lambda: _in_time(lab)
    yield "renewal.when_refused", lambda: _when_refused(lab)
    yield "renewal.rotation", lambda: _rotation(lab)
    yield "renewal.once", lambda: _once(lab)
    yield "renewal.withdrawn", lambda: _withdrawn(lab)


@contextmanager
def _renewing(lab: Lab, *, rotates: bool = True) -> Iterator[Bench]:
    with lab.connected(token_lifetime=_LIFETIME, rotates=rotates) as bench:
        if not bench.provider.can_renew:
            skip("these credentials are not renewed.")
        # A client's first token is got by a request of its own.
        bench.get()
        yield bench


def _in_time(lab: Lab) -> None:
    with _renewing(lab) as bench:
        granted, seen = bench.provider.desk.granted, len(bench.provider.seen)
        bench.clock.advance(_LIFETIME)
        status = bench.get()
        if bench.provider.desk.granted != granted + 1:
            fail(f"an ended token was renewed {bench.provider.desk.granted - granted} times: {_why(bench)}")
        if status != _OK or len(bench.provider.seen) != seen + 1:
            fail("a token that had ended was sent, or the renewed one was refused.")
        bench.clock.advance(_SOON)
        bench.get()
        if bench.provider.desk.granted != granted + 1:
            fail("a token that had most of its time left was renewed.")


def _when_refused(lab: Lab) -> None:
    with _renewing(lab) as bench:
        granted = bench.provider.desk.granted
        bench.clock.advance(60)
        bench.provider.desk.expire()
        status = bench.get()
        if status != _OK or bench.provider.desk.granted != granted + 1:
            fail(f"a token that ended before its time was not renewed and the request repeated: {_why(bench)}")


def _rotation(lab: Lab) -> None:
    for rotates in (True, False):
        with _renewing(lab, rotates=rotates) as bench:
            granted = bench.provider.desk.granted
            for _ in range(3):
                bench.clock.advance(_LIFETIME)
                if bench.get() != _OK:
                    fail("a renewed token was refused.")
            if bench.provider.desk.refused or bench.provider.desk.granted != granted + 3:
                fail(f"three renewals in a row went wrong: {_why(bench)}")


def _once(lab: Lab) -> None:
    with _renewing(lab) as bench:
        granted = bench.provider.desk.granted
        bench.clock.advance(_LIFETIME)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            statuses = list(threads.map(lambda _: bench.get(), range(_AT_ONCE)))
        if bench.provider.desk.granted != granted + 1 or statuses != [_OK] * _AT_ONCE:
            fail(f"{_AT_ONCE} requests at once made {bench.provider.desk.granted - granted} renewals.")


def _withdrawn(lab: Lab) -> None:
    with _renewing(lab) as bench:
        if "refresh_token" not in bench.provider.credentials:
            skip("there is no grant to withdraw.")
        bench.provider.desk.revoke_grants()
        bench.clock.advance(_LIFETIME)
        for _ in range(2):
            try:
                status = bench.get()
            except AuthenticationError:
                continue
            fail(f"after the grant was withdrawn a request was sent nevertheless, and answered {status}.")
        if len(bench.provider.desk.refused) != 1:
            fail(f"a withdrawn grant was tried {len(bench.provider.desk.refused)} times.")


def _why(bench: Bench) -> str:
    return "; ".join(bench.provider.desk.refused) or "the token endpoint refused nothing."
