"""Whether credentials stay with the provider's origin."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nango_py.errors import ForeignOriginError, PaginationError
from nango_py.testing.checks.bench import PLACE, USER, Lab, fail, skip, text_of
from nango_py.testing.lists import page_of
from nango_py.testing.messages import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.testing.checks.bench import Bench

__all__ = ["checks"]

_ELSEWHERE = "https://elsewhere.example.net/"
_LOCAL = ("127.0.0.1", "localhost", "::1")


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks of origin binding."""
    yield "origin.encrypted", lambda: _is_encrypted(lab)
    yield "origin.same_as_provider", lambda: _is_the_providers(lab)
    yield "origin.elsewhere", lambda: _elsewhere(lab)
    yield "origin.redirect", lambda: _redirect(lab)
    yield "origin.next_page", lambda: _next_page(lab)


def _is_encrypted(lab: Lab) -> None:
    declared = lab.tested.declared
    urls = {"requests.base_url": declared["requests"]["base_url"]}
    urls |= {f"auth.{name}": url for name, url in declared["auth"].items() if name.endswith("_url")}
    for number, origin in enumerate(declared["requests"].get("allowed_origins", ())):
        urls[f"requests.allowed_origins[{number}]"] = origin
    for where, url in urls.items():
        is_plain = isinstance(url, str) and url.startswith("http:")
        if is_plain and urlsplit(url).hostname not in _LOCAL:
            fail(f"{where} is not encrypted: {url}")


def _is_the_providers(lab: Lab) -> None:
    """Compare what may meet the credentials: who widens that, or moves it, has to say so in both places."""
    for name in ("base_url", "allowed_origins"):
        tested, truth = (one.declared["requests"].get(name) for one in (lab.tested, lab.truth))
        if tested != truth:
            fail(f"requests.{name} is {tested!r}, but the provider's is {truth!r}.")
    for name in {*lab.tested.declared["auth"], *lab.truth.declared["auth"]}:
        tested, truth = (one.declared["auth"].get(name) for one in (lab.tested, lab.truth))
        if name.endswith("_url") and tested != truth:
            fail(f"auth.{name} is {tested!r}, but the provider's is {truth!r}.")


def _elsewhere(lab: Lab) -> None:
    with lab.connected() as bench:
        bench.get()
        for url in _lookalikes(bench.provider.base_url):
            with bench.client() as client:
                client.get(url)
        _check_bare(bench)


def _lookalikes(base_url: str) -> tuple[str, ...]:
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    return (
        _ELSEWHERE,
        f"https://{host}.example.net/",
        f"https://{host}:8443/",
        f"http://{host}:80/" if parts.scheme == "https" else f"https://{host}/",
        f"https://sub.{host}/",
    )


def _redirect(lab: Lab) -> None:
    with lab.connected() as bench:
        bench.provider.answer_next({}, status=302, headers={"Location": f"{_ELSEWHERE}moved"})
        with bench.client(follow_redirects=True) as client:
            client.get(PLACE)
        if not bench.provider.strays:
            skip("the redirect was not followed.")
        _check_bare(bench)


def _check_bare(bench: Bench) -> None:
    for stray in bench.provider.strays:
        if not bench.is_bare(text_of(stray)):
            fail(f"credentials went to {stray.url.partition('?')[0]}.")


def _next_page(lab: Lab) -> None:
    keys = lab.truth.declared.get("pagination") or {}
    if keys.get("type") != "link":
        skip("no answer leads to the next page.")
    with lab.connected() as bench:
        elsewhere = Asked(method="GET", url=f"{_ELSEWHERE}list", headers={})
        bench.provider.push(page_of({**keys, "limit": 1}, [1, 2], elsewhere, usual_size=1))
        try:
            list(bench.nango.paginate("it", USER, "list"))
        except (ForeignOriginError, PaginationError):
            pass
        else:
            fail("a link to another origin was followed.")
        if bench.provider.strays:
            fail("a link to another origin was followed before it was refused.")
