"""What MkDocs does here beside its own: pages made from data, the changelog, links that leave docs/, diagrams."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from blueprint_pages import index_of, pages_of
from diagrams import FENCE, drawn
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

__all__ = ["on_files", "on_page_markdown"]

ROOT = Path(__file__).parents[2]
HOW_TO, BLUEPRINTS = "how-to/", "blueprints/"
INDEX = f"{BLUEPRINTS}index.md"
# Who searches for a key wants its meaning before the blueprints that have it.
BOOSTS = {"reference.md": 4, "tutorial.md": 2, "how-to.md": 2, "how-to": 2, "blueprints": 0.5}
# What docs/ refers to outside of itself, for readers of the repository, and the page that the site has instead.
MOVED = (
    (re.compile(r"README\.md"), "index.md"),
    (re.compile(r"CHANGELOG\.md"), "changelog.md"),
    (re.compile(r"blueprints/([a-z0-9-]+)\.yaml"), r"blueprints/\1.md"),
    (re.compile(r"blueprints/?"), INDEX),
)
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?P<rest>#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are made from data, and put them and the how-tos into the navigation."""
    try:
        pages = pages_of(ROOT / config.extra["blueprints"])
    except ValueError as error:
        raise PluginError(f"the blueprints do not load:\n{error}") from error
    made = {page.path: page.markdown for page in pages}
    made[INDEX] = index_of(pages)
    made["changelog.md"] = (ROOT / "CHANGELOG.md").read_text("utf-8").replace("](docs/", "](")
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    how_tos = sorted(
        file.src_uri for file in files if file.src_uri.startswith(HOW_TO) and file.src_uri.endswith(".md")
    )
    listed = sorted(pages, key=lambda page: page.title.lower())
    sections = {HOW_TO: ["how-to.md", *how_tos], BLUEPRINTS: [INDEX, *(page.path for page in listed)]}
    config.nav = [
        {title: sections.get(entry, entry) if isinstance(entry, str) else entry for title, entry in item.items()}
        for item in config.nav or []
    ]
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the pictures of diagrams in their place, and lead links that leave docs/ to the pages of the same text."""
    del config, files
    page.meta.setdefault("search", {"boost": BOOSTS.get(page.file.src_uri.partition("/")[0], 1)})
    up = "../" * page.file.src_uri.count("/")
    markdown = LINK.sub(lambda link: _inside(link, up), markdown)
    try:
        return FENCE.sub(drawn, markdown)
    except FileNotFoundError as error:
        raise PluginError(f"{page.file.src_uri}: a diagram is not drawn: {error}") from error


def _inside(link: re.Match[str], up: str) -> str:
    outside = f"{up}../"
    if link["target"].startswith(outside):
        path = link["target"].removeprefix(outside)
        for pattern, page in MOVED:
            if found := pattern.fullmatch(path):
                return f"]({up}{found.expand(page)}{link['rest'] or ''})"
    return link[0]
