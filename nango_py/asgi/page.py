"""Answers: one plain page without script, and redirects; the same strict headers on all of them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

__all__ = ["Answer", "Link", "page", "redirect"]

_CSS = """
:root{color-scheme:light dark;--ink:#1c2024;--paper:#f4f5f7;--card:#fff;--edge:#d9dde3;--link:#0b57d0}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14171b;--card:#1d2127;--edge:#353b44;--link:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.25rem;background:var(--paper);color:var(--ink);
font:1.0625rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:30rem;padding:2rem;background:var(--card);border:1px solid var(--edge);border-radius:.75rem;
overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}
p,dl{margin:.75rem 0 0}
dt{font-weight:600}
dd{margin:0 0 .5rem}
a{color:var(--link);display:inline-block;padding:.5rem 0}
"""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()}'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
_HEADERS = (
    ("content-security-policy", _POLICY),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
)
_URL = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Lead somewhere else."""

    url: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def having(self, name: str, value: str) -> Answer:
        """Return the answer with one more header."""
        return Answer(status=self.status, headers=(*self.headers, (name, value)), body=self.body)

    async def send(self, send: Callable[[dict[str, Any]], Awaitable[None]], *, bodiless: bool) -> None:
        """Send it to the server; *bodiless* answers a HEAD."""
        body = b"" if bodiless else self.body.encode()
        length = () if bodiless else (("content-length", str(len(body))),)
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in (*_HEADERS, *self.headers, *length)
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def page(
    status: int, title: str, text: str, *, facts: Iterable[tuple[str, str]] = (), link: Link | None = None
) -> Answer:
    """Return a page; whatever it shows is escaped here."""
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p role="status">{escape(text)}</p>',
        f"<dl>{listed}</dl>" if listed else "",
        f'<p><a href="{escape(link.url)}">{escape(link.text)}</a></p>' if link else "",
    ]
    body = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n"
        f"<body>\n<main>\n{chr(10).join(part for part in parts if part)}\n</main>\n</body>\n</html>\n"
    )
    return Answer(status=status, headers=(("content-type", "text/html; charset=utf-8"),), body=body)


def redirect(url: str) -> Answer:
    """Send the browser on, with a GET."""
    return Answer(status=303, headers=(("location", quote(url, safe=_URL)),))
