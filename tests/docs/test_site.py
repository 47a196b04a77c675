"""The documentation site: whole, linked, without other hosts, and true to the blueprints."""

from __future__ import annotations

import importlib.util
import re
import sys
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import yaml

from nango_py.auth import SCHEMES
from nango_py.declare import load
from nango_py.testing.accounts import made_up
from tests.docs.pages import Page, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

ROOT = Path(__file__).parents[2]
BLUEPRINTS = sorted((ROOT / "blueprints").glob("*.yaml"))
URL = "https://acme.example/"
MODES: dict[str, dict[str, Any]] = {
    "APP": {"token_url": URL},
    "AWS_SIGV4": {"service": "s3", "region": "eu-west-1"},
    "MCP_OAUTH2": {"server_url": URL},
    "JWT": {"token": {"signing_key": "${credentials.pin}"}},
    "OAUTH1": {"request_url": URL, "authorization_url": URL, "token_url": URL},
    "OAUTH2": {"authorization_url": URL, "token_url": URL},
    "OAUTH2_CC": {"token_url": URL},
    "TBA": {"account_id": "A1"},
    "TWO_STEP": {"token_url": URL, "token_params": {"pin": "${credentials.pin}"}},
}
TOKENS = {"access_token": "t", "token_type": "bearer", "oauth_token": "t", "oauth_token_secret": "s"}


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Page]:
    found: dict[str, Page] = {}
    folders: set[Path] = set()
    for path in sorted(site.rglob("*.html")):
        found[path.relative_to(site).as_posix()] = read(path, whole=path.parent not in folders)
        folders.add(path.parent)
    return found


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    lost = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            base = site if parts.path.startswith("/") else page.path.parent
            target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else page.path
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[key].ids if (key := _key(site, target)) in pages else set()
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors):
                lost.append(f"{name}: {link}")
    assert [] == lost


def _key(site: Path, target: Path) -> str:
    return target.relative_to(site).as_posix() if target.is_relative_to(site) else ""


def test_no_page_loads_anything_from_another_host(pages: dict[str, Page]) -> None:
    foreign = [f"{name}: {address}" for name, page in pages.items() for address in page.loads if "//" in address]
    assert [] == foreign
    assert 3 <= sum(len(page.loads) > 1 for page in pages.values())


def test_no_list_or_table_or_link_stays_raw_markdown(pages: dict[str, Page]) -> None:
    raw = re.compile(r"^(?:[-*] \w|\|.*\||```|#{2,} )|\]\(|\{#|\{\{", re.MULTILINE)
    found = [f"{name}: {match[0]!r}" for name, page in pages.items() for match in raw.finditer(page.prose)]
    assert [] == found


def test_lists_in_lists_stay_so(site: Path) -> None:
    reference = (site / "reference.html").read_text("utf-8")
    assert re.search(r"<code>NangoError</code>[^<]*<ul>\s*<li><code>ConfigError</code>", reference)


def test_the_list_of_how_tos_names_each() -> None:
    listed = (ROOT / "docs" / "how-to.md").read_text("utf-8")
    how_tos = [path.name for path in sorted((ROOT / "docs" / "how-to").glob("*.md"))]
    assert [] == [name for name in how_tos if f"](how-to/{name}" not in listed]


def test_every_page_of_docs_is_in_the_site(pages: dict[str, Page]) -> None:
    docs = ROOT / "docs"
    written = {path.relative_to(docs).with_suffix(".html").as_posix() for path in docs.rglob("*.md")}
    assert set() == written - pages.keys()
    assert {"index.html", "tutorial.html", "security.html", "changelog.html"} <= pages.keys()


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_blueprint_s_page_says_what_its_file_says(path: Path, pages: dict[str, Page]) -> None:
    document = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    page = pages[f"blueprints/{path.stem}.html"]
    said = " ".join(page.text.split())
    newest = max((name for name in document["versions"] if name.startswith("v")), key=lambda name: int(name[1:]))
    missing = [f"#{name}" for name in document["versions"][newest].get("actions", {}) if name not in page.ids]
    for version in document["versions"].values():
        facts = [*version.get("x-gotchas", ()), *version.get("connection_config", {}), version.get("comment", "")]
        facts += [
            version.get(part, {}).get(key, "") for part, key in (("verification", "path"), ("auth", "auth_mode"))
        ]
        facts += [source["url"] for source in version.get("x-sources", {}).values()]
        missing += [fact for fact in facts if " ".join(fact.split()) not in said]
    assert [] == missing


def test_the_list_of_blueprints_has_each_once_and_counts_them(pages: dict[str, Page]) -> None:
    page = pages["blueprints/index.html"]
    names = [path.stem for path in BLUEPRINTS]
    article = page.path.read_text("utf-8").partition("<article")[2].partition("</article>")[0]
    listed = re.findall(r'<td><a href="([a-z0-9-]+)\.html">', article)
    assert sorted(names) == sorted(listed)
    assert f"{len(names)} blueprints come with the package" in page.text


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_the_code_on_a_blueprint_s_page_runs(
    path: Path, pages: dict[str, Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = pages[f"blueprints/{path.stem}.html"]
    environ: dict[str, str] = {}
    ran = 0
    for language, text in page.code:
        if language == "yaml" and "integrations:" in text:
            (tmp_path / "integrations.yaml").write_text(text, "utf-8")
            environ = _environ(text, path.stem, monkeypatch)
        elif language == "python":
            _run(text, environ, path.stem)
            ran += 1
    assert ran >= 1


def _environ(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    environ = dict.fromkeys(re.findall(r"\$\{([A-Z0-9_]+)\}", text), "made-up")
    declared = load(Path("integrations.yaml"), environ=environ)
    assert () == declared.problems
    integration = declared.integrations[name]
    prefix = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    names = [field.name for field in integration.credentials]
    for field, value in made_up(integration.credentials, seed=1, named=names).items():
        monkeypatch.setenv(f"{prefix}_{field.upper()}", value)
    return environ


def _run(text: str, environ: Mapping[str, str], name: str) -> None:
    """Run what connects an account; what uses it is run by the suite of each action's example."""
    if "trigger_action" in text or "check_connection" in text or "..." in text.rpartition("\n")[2]:
        compile(text, name, "exec")
        return
    offline: dict[str, Any] = {"transport": httpx.MockTransport(_tokens), "environ": environ, "store": "memory://"}
    exec(text.replace('load("integrations.yaml"', 'load("integrations.yaml", **offline'), {"offline": offline})


def _tokens(request: httpx.Request) -> httpx.Response:
    if "oauth_callback" in request.headers.get("Authorization", ""):
        return httpx.Response(200, text="oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true")
    return httpx.Response(200, json=TOKENS)


def test_every_diagram_has_a_picture_of_its_text_and_no_other_is_kept() -> None:
    diagrams = module("diagrams")
    texts = [
        match["text"]
        for path in (ROOT / "docs").rglob("*.md")
        for match in diagrams.FENCE.finditer(path.read_text("utf-8"))
    ]
    assert len(texts) >= 3
    assert {diagrams.picture_of(text) for text in texts} == set(diagrams.PICTURES.glob("*.svg"))


def test_blueprints_that_do_not_load_have_no_pages(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text("name: acme\nversions: {v0: {auht: {}}}\n", "utf-8")
    with pytest.raises(ValueError, match="unknown key 'auht'"):
        module("blueprint_pages").pages_of(tmp_path)
    (tmp_path / "acme.yaml").write_text("name: acme\nversions: {v0: [}\n", "utf-8")
    with pytest.raises(ValueError, match=r"acme\.yaml:2"):
        module("blueprint_pages").pages_of(tmp_path)


@pytest.mark.parametrize("mode", SCHEMES)
def test_every_auth_mode_has_a_page_that_says_how_an_account_comes_in(mode: str, tmp_path: Path) -> None:
    version = {
        "auth": {"auth_mode": mode, **MODES.get(mode, {})},
        "credentials": {"pin": {"title": "The PIN", "secret": True}},
        "requests": {"base_url": URL},
    }
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump({"name": "acme", "versions": {"v0": version}}), "utf-8")
    (page,) = module("blueprint_pages").pages_of(tmp_path)
    is_sign_in = SCHEMES[mode].connects
    assert is_sign_in == ("nango-py connect acme user-1" in page.markdown)
    assert is_sign_in != ("nango-py connections add acme user-1" in page.markdown)
    assert is_sign_in != ('"pin": os.environ["ACME_PIN"]' in page.markdown)


def test_what_a_blueprint_says_is_text_on_its_page(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> | *x* ](y) `z`"
    version = {
        "comment": hostile,
        "auth": {"auth_mode": "API_KEY"},
        "credentials": {"api_key": {"title": hostile, "description": hostile}},
        "requests": {"base_url": "https://api.acme.example/"},
        "actions": {"me": {"description": hostile, "request": {"path": "me"}}},
        "x-gotchas": [hostile],
    }
    document = {"name": "acme", "display_name": hostile, "versions": {"v0": version}}
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(document), "utf-8")
    (page,) = module("blueprint_pages").pages_of(tmp_path)
    body = page.markdown.partition("\n---\n")[2]
    assert "<script" not in body
    assert body.count(escape(hostile, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) >= 5


def module(name: str) -> ModuleType:
    """Import a script that stands beside its pages."""
    spec = importlib.util.spec_from_file_location(f"docs_site_{name}", ROOT / "docs" / "site" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found
