"""Read built pages: what they link to, what they load, what a reader sees of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Page", "read"]

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}
LOADED_LINKS = {"stylesheet", "preload", "prefetch", "preconnect", "icon", "manifest", "modulepreload"}


@dataclass(kw_only=True)
class Page:
    path: Path
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    code: list[tuple[str, str]] = field(default_factory=list)
    """Each highlighted block: its language and text."""
    text: str = ""
    prose: str = ""
    """The text outside of code."""


class _Reader(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.page = Page(path=path)
        self.open: list[str] = []
        self.language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        if given.get(LOADED.get(tag, "")) is not None:
            self.page.loads.append(given[LOADED[tag]])
        if tag == "link" and LOADED_LINKS & set(given.get("rel", "").split()):
            self.page.loads.append(given["href"])
        if tag == "div" and given.get("class", "").startswith("language-"):
            self.language = given["class"].split()[0].removeprefix("language-")
        if tag == "pre" and self.language:
            self.page.code.append((self.language, ""))
        if tag in {"code", "pre", "script", "style", "svg"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        if tag == "pre":
            self.language = ""

    def handle_data(self, data: str) -> None:
        self.page.text += data
        if not self.open:
            self.page.prose += data
        elif self.language and "pre" in self.open:
            language, text = self.page.code[-1]
            self.page.code[-1] = (language, text + data)


def read(path: Path, *, whole: bool = False) -> Page:
    """Return what a built page holds: of its article, or also of what surrounds that on every page of its folder."""
    text = path.read_text("utf-8")
    article = text.find("<article"), text.find("</article>")
    reader = _Reader(path)
    reader.feed(text if whole or -1 in article else text[slice(*article)])
    return reader.page
