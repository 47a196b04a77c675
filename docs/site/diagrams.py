"""Draw the diagrams of the docs: ``python docs/site/diagrams.py``, which needs npm and Chromium.

A diagram is written as Mermaid, which GitHub draws by itself. The site holds a picture of each, made once and kept in
``diagrams/`` under the fingerprint of its text: building the site needs neither npm nor a browser, a reader's browser
runs no Mermaid, and a diagram whose text has changed fails the build until it is drawn again.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["FENCE", "PICTURES", "drawn", "picture_of"]

MERMAID = "mermaid@11.12.0"
PICTURES = Path(__file__).parent / "diagrams"
DOCS = Path(__file__).parents[1]
FENCE = re.compile(r"^```mermaid\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
WIDTH = re.compile(r'viewBox="\S+ \S+ (\S+) ')
SMALLEST = 0.75
# Mermaid computes with colours, so it gets plain ones, which become the site's own: those know light and dark.
COLOURS = {
    "#fefe01": "--diagram-fill",
    "#fefe02": "--diagram-line",
    "#fefe03": "--diagram-text",
    "#fefe04": "--diagram-group",
    "#fefe05": "--diagram-page",
}
FILL, LINE, TEXT, GROUP, PAGE = COLOURS
SETTINGS = {
    "startOnLoad": False,
    "theme": "base",
    "deterministicIds": True,
    "fontFamily": "inherit",
    "htmlLabels": False,
    "flowchart": {"htmlLabels": False, "wrappingWidth": 300, "nodeSpacing": 30, "rankSpacing": 35},
    "sequence": {"actorMargin": 12, "width": 128, "mirrorActors": False, "diagramMarginX": 4, "wrap": True},
    "themeVariables": {
        "primaryColor": FILL,
        "primaryTextColor": TEXT,
        "primaryBorderColor": LINE,
        "lineColor": LINE,
        "textColor": TEXT,
        "titleColor": TEXT,
        "clusterBkg": GROUP,
        "clusterBorder": LINE,
        "edgeLabelBackground": PAGE,
        "actorBkg": FILL,
        "actorBorder": LINE,
        "actorTextColor": TEXT,
        "actorLineColor": LINE,
        "signalColor": LINE,
        "signalTextColor": TEXT,
        "noteBkgColor": GROUP,
        "noteBorderColor": LINE,
        "noteTextColor": TEXT,
    },
}
PAGE_OF = """<!doctype html><meta charset="utf-8"><body style="font-family: sans-serif">
<script src="mermaid.js"></script>
<script>mermaid.initialize({settings});
mermaid.render({name}, {text}).then(({{svg}}) => {{
  const out = document.createElement("textarea"); out.id = "out"; out.textContent = svg; document.body.append(out);
}});</script>"""
CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--allow-file-access-from-files", "--virtual-time-budget=10000", "--dump-dom")  # fmt: skip


def picture_of(text: str) -> Path:
    """Return where the picture of a diagram is kept."""
    return PICTURES / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.svg"


def drawn(match: re.Match[str]) -> str:
    """Return the HTML that takes the place of a diagram's text.

    Raises:
        FileNotFoundError: It was not drawn since its text changed.
    """
    picture = picture_of(match["text"])
    if not picture.is_file():
        raise FileNotFoundError(f"{picture}: run python docs/site/diagrams.py")
    svg = picture.read_text("utf-8").strip()
    # Smaller than that its words are no longer read; the figure scrolls instead.
    least = round(float(WIDTH.search(svg)[1]) * SMALLEST)
    svg = svg.replace('style="max-width', f'style="min-width: {least}px; max-width', 1)
    return f'<figure class="diagram" tabindex="0">{svg}</figure>'


def main() -> None:
    """Draw what has no picture yet, and drop the pictures of what is gone."""
    texts = [match["text"] for page in DOCS.rglob("*.md") for match in FENCE.finditer(page.read_text("utf-8"))]
    wanted = {picture_of(text): text for text in texts}
    for picture in set(PICTURES.glob("*.svg")) - wanted.keys():
        picture.unlink()
    missing = {picture: text for picture, text in wanted.items() if not picture.exists()}
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            _fetch(Path(folder))
            for picture, text in missing.items():
                picture.write_text(_draw(Path(folder), text) + "\n", "utf-8")
                print(f"drawn: {picture}")  # noqa: T201 - a command


def _fetch(folder: Path) -> None:
    subprocess.run(["npm", "pack", "--silent", MERMAID], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607
    (archive,) = folder.glob("*.tgz")
    script = "package/dist/mermaid.min.js"
    subprocess.run(["tar", "xzf", archive.name, script], cwd=folder, check=True)  # noqa: S603, S607
    (folder / script).rename(folder / "mermaid.js")


def _draw(folder: Path, text: str) -> str:
    page = folder / "page.html"
    name = f"diagram-{picture_of(text).stem}"
    page.write_text(
        PAGE_OF.format(settings=json.dumps(SETTINGS), name=json.dumps(name), text=json.dumps(text)), "utf-8"
    )
    command = ["chromium", *CHROMIUM, f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    found = re.search(r'<textarea id="out">(.*?)</textarea>', shown, re.DOTALL)
    if found is None:
        sys.exit(f"Mermaid could not draw:\n{text}")
    svg = html.unescape(found[1])
    for colour, variable in COLOURS.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg.replace("><", ">\n<")


if __name__ == "__main__":
    main()
