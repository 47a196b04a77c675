"""Origin binding: which URLs an integration's credentials may meet (RFC 6454)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.http import URL, is_same_origin

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_bound"]


def is_bound(url: URL, base: URL, allowed: Iterable[str]) -> bool:
    """Tell whether *url* belongs to the base URL's origin or to an allowed one; ``*.`` stands for one label."""
    return is_same_origin(url, base) or any(_matches(url, origin) for origin in allowed)


def _matches(url: URL, origin: str) -> bool:
    if "://*." not in origin:
        return is_same_origin(url, URL(origin))
    label, dot, rest = url.host.partition(".")
    return bool(label and dot) and is_same_origin(url.copy_with(host=rest), URL(origin.replace("://*.", "://")))
