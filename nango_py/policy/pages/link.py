"""Pages that give the next one's URL: in ``Link``, in a header of their own, or in the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urldefrag, urljoin, urlsplit

from nango_py.policy.pages.link_header import link_of
from nango_py.policy.pages.walk import Gap, Kind, Mark, Pagination, Step, broken_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.policy.pages.walk import PageAnswer

__all__ = ["LINK", "has_place", "link_in"]

_PORTS: Final = {"http": 80, "https": 443}


def _start(_pagination: Pagination) -> Mark | None:
    return None


def _name(_pagination: Pagination) -> str | None:
    return None


def _advance(step: Step) -> Mark | None:
    link = link_in(step)
    return None if link is None else _absolute(step, link)


def link_in(step: Step) -> str | None:
    """Return the link to the next page as it is written, None where an answer has none."""
    link = next((link for link in _links(step) if not _is_blank(link)), None)
    if link is not None and not isinstance(link, str):
        what = f"link_path_in_response_body holds a {type(link).__name__}, but a link is a text"
        raise broken_off(step.position, f"{what}. Let the path lead into it")
    return None if link is None else link.strip()


def has_place(pagination: Pagination) -> bool:
    """Tell whether anything says where the link to the next page stands."""
    return bool(
        pagination.link_rel_in_response_header
        or pagination.link_header_in_response
        or pagination.link_path_in_response_body
    )


def _links(step: Step) -> Iterator[object | None]:
    pagination, headers = step.pagination, step.answer.headers
    if pagination.link_rel_in_response_header:
        yield link_of(headers.get("Link", ""), pagination.link_rel_in_response_header)
    if pagination.link_header_in_response:
        yield headers.get(pagination.link_header_in_response)
    yield step.value(pagination.link_path_in_response_body)


def _is_blank(link: object | None) -> bool:
    return link is None or link is False or (isinstance(link, str) and not link.strip())


def _absolute(step: Step, link: str) -> str:
    try:
        url = urldefrag(urljoin(*_reference(step, link))).url
        is_web = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
        if is_web and _is_disguised(step.answer):
            url = _shown(step.answer, url)
    except ValueError:
        is_web = False
    if not is_web:
        raise broken_off(step.position, "the link to the next page is no http or https URL")
    if _is_disguised(step.answer) and step.answer.holds_secret(_beside(step.answer.base_url, url)):
        raise broken_off(step.position, "the link to the next page holds a secret outside of the base URL")
    return url


def _is_disguised(answer: PageAnswer) -> bool:
    """Tell whether the base URL holds a secret, in whose place people see a stand-in."""
    return answer.real_base_url not in ("", answer.base_url)


def _beside(base: str, url: str) -> str:
    """Return what *url* says that the shown base URL does not: a host may come from the environment, too."""
    return url.removeprefix(base).removeprefix(urljoin(base, "/"))


def _shown(answer: PageAnswer, url: str) -> str:
    """Return *url* with the base URL as people may see it: a position is kept, and the sender puts the secret in."""
    real, found = urlsplit(answer.real_base_url), urlsplit(url)
    if _origin(found) not in (_origin(real), _origin(urlsplit(answer.base_url))):
        return url
    base, path = real.path.rstrip("/").split("/"), found.path.split("/")
    if [unquote(part) for part in path[: len(base)]] != [unquote(part) for part in base]:
        return url
    return answer.base_url + "/".join(path[len(base) :]) + (f"?{found.query}" if found.query else "")


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)


def _reference(step: Step, link: str) -> tuple[str, str]:
    """Return what a link is relative to, and the link as RFC 3986 reads it there."""
    base = step.answer.base_url
    if step.pagination.link_relative_to == "request" or _is_whole(link) or link.startswith(("?", "#")):
        return step.answer.url, link
    paths = tuple(urlsplit(url).path for url in (base, step.answer.real_base_url or base))
    if f"{link.partition('?')[0]}/".startswith(paths):
        return base, link
    return base, f"./{link.lstrip('/')}"


def _is_whole(link: str) -> bool:
    """Tell whether a link names its host."""
    return link.startswith("//") or bool(urlsplit(link).scheme)


def _lacks(pagination: Pagination) -> tuple[Gap, ...]:
    if has_place(pagination):
        return ()
    message = (
        "link pagination needs the place of the next link: link_rel_in_response_header (of the Link header), "
        "link_header_in_response or link_path_in_response_body"
    )
    return (Gap(key="link_rel_in_response_header", message=message),)


LINK = Kind(start=_start, name=_name, advance=_advance, lacks=_lacks, word="link")
