"""An API whose requests travel in the clear."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nango_py.declare.origins import filled
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


def _find(subject: Subject) -> Iterator[Finding]:
    literal = filled(subject.integration.requests.base_url.parts)
    origins = subject.integration.requests.allowed_origins
    for pointer, url in (
        ("/requests/base_url", literal),
        *((f"/requests/allowed_origins/{index}", origin) for index, origin in enumerate(origins)),
    ):
        if url.startswith("http://") and urlsplit(url.replace("*.", "")).hostname not in _HERE:
            yield Finding(pointer=pointer, message="credentials would travel in the clear.")


RULE = Rule(
    id="url-not-https",
    reason="Whoever carries the request reads the credentials in it.",
    fix="Write https; http is for servers on this machine.",
    find=_find,
)
