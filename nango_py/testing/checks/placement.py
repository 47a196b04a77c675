"""Whether the credentials stand where the provider reads them, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nango_py.http import QueryParams
from nango_py.testing.checks.bench import PLACE, USER, Lab, fail, skip, text_of
from nango_py.testing.simulator import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.testing.messages import Seen

__all__ = ["checks"]


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks of where credentials are placed."""
    yield "auth.let_in", lambda: _is_let_in(lab)
    yield "auth.others_refused", lambda: _others_are_refused(lab)
    yield "auth.nowhere_else", lambda: _nowhere_else(lab)


def _is_let_in(lab: Lab) -> None:
    with lab.connected() as bench:
        for method in ("GET", "POST"):
            with bench.client() as client:
                answer = client.request(method, PLACE, params={"q": "a b"}, json={} if method == "POST" else None)
            if len(bench.provider.seen) == 0:
                fail(f"a {method} did not reach {bench.provider.base_url}.")
            if answer.json() != {"id": 1}:
                fail(f"a {method} with the account's credentials was refused: {answer.text[:200]}")
        if len(bench.provider.seen) != 2:  # noqa: PLR2004 - the two requests
            fail("the provider saw more requests than were made: the first ones were refused.")


def _others_are_refused(lab: Lab) -> None:
    with lab.connected() as bench:
        others = simulate(lab.truth, clock=bench.clock, seed=1).credentials
        if not others or others == bench.provider.credentials:
            skip("there are no credentials to be wrong.")
        try:
            bench.nango.update_connection_credentials("it", USER, others)
            bench.clock.advance(60)
            with bench.client(follow_redirects=False) as client:
                answer = client.get(PLACE)
        except Exception:  # a login or a renewal with wrong credentials may be refused, too
            return
        if answer.is_success and answer.json() == {"id": 1}:
            fail("other credentials were let in.")


def _nowhere_else(lab: Lab) -> None:
    with lab.connected() as bench:
        bench.get()
        for seen in bench.provider.seen:
            rest = _without_places(seen, bench.provider.door.spots)
            if not bench.is_bare(text_of(rest)):
                fail(f"credentials stand in {_where(rest, bench.is_bare)}, where the provider does not ask for them.")


def _without_places(seen: Seen, spots: tuple[object, ...]) -> Seen:
    headers = {getattr(spot, "name", "").lower() for spot in spots if getattr(spot, "where", "") == "header"}
    params = {getattr(spot, "name", "") for spot in spots if getattr(spot, "where", "") == "query"}
    kept = {name: value for name, value in seen.headers.items() if name not in headers}
    query = QueryParams([pair for pair in seen.query.items() if pair[0] not in params])
    return replace(seen, headers=kept, url=f"{seen.url.partition('?')[0]}?{query}")


def _where(seen: Seen, is_bare: Callable[[str], bool]) -> str:
    bad = [f"the header {name}" for name, value in seen.headers.items() if not is_bare(value)]
    return " and ".join(bad) or ("the body" if is_bare(seen.url) else "the URL")
