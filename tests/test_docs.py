"""The README and docs/ are run: their files written, their Python executed, their YAML loaded, all offline."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from opentelemetry import trace
from opentelemetry.util._once import Once

from nango_py import Nango
from nango_py.cli import main
from nango_py.cli.types import command as types
from nango_py.declare import load

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(
    r"(?P<mark><!-- not run: .+? -->\n+)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"# (?P<path>[\w/-]+\.(?:ya?ml|py))\n")
OFFLINE = (
    "nango-py blueprints diff ",
    "nango-py check blueprints",
    "nango-py blueprints new ",
    "nango-py blueprints pack ",
    "nango-py import ",
    "nango-py lock",
    "nango-py schema ",
)
CLOSE = {"integrations": {"close": {"extends_blueprint": "close:v0"}}}
ACME = {"ACME_CLIENT_ID": "id", "ACME_CLIENT_SECRET": "s3cr3t"}
LEADS = [{"id": f"lead_{number}", "display_name": f"Lead {number}"} for number in range(130)]
ORDERS = {None: {"orders": [{"id": 1}, {"id": 2}], "next": "b"}, "b": {"orders": [{"id": 3}], "next": None}}


def test_there_are_blocks_to_run() -> None:
    languages = [block["language"] for page in PAGES for block in FENCE.finditer(page.read_text("utf-8"))]
    assert languages.count("python") >= 8
    assert languages.count("yaml") >= 7


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_works(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("CLOSE_API_KEY", "api_of_a_reader")
    # A page may set the tracer provider, which a process can do once.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    offline: dict[str, Any] = {
        "transport": httpx.MockTransport(provider),
        "environ": {"XDG_CONFIG_HOME": str(tmp_path), **ACME},
        "store": f"sqlite:///{tmp_path / 'docs.db'}",
    }
    with Nango.load(CLOSE, **offline) as nango:
        nango.register_connection("close", "user-1", {"username": "api_of_a_reader", "password": ""})
    scope: dict[str, Any] = {"__name__": "docs", "offline": offline}
    printed = ""
    for block in FENCE.finditer(page.read_text("utf-8")):
        if block["mark"] is not None:
            continue
        if block["language"] == "text" and printed:
            assert printed.strip() == block["text"].strip()
        work(page, block, scope)
        out = capsys.readouterr().out
        printed = out if block["language"] == "sh" else ""


def work(page: Path, block: re.Match[str], scope: dict[str, Any]) -> None:
    text, file = block["text"], FILE.match(block["text"])
    if file is not None:
        path = Path(file["path"])
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, "utf-8")
    if block["language"] == "yaml":
        assert [] == problems(text, file["path"] if file else "")
    elif block["language"] == "sh":
        for line in text.splitlines():
            if line.startswith("nango-py types "):
                types.main(shlex.split(line)[2:], standalone_mode=False)
            elif line.startswith(OFFLINE):
                with pytest.raises(SystemExit) as ended:
                    main(shlex.split(line)[1:])
                assert ended.value.code in {None, 0, 1}, line
    elif block["language"] == "python" and file is None:
        line = page.read_text("utf-8").count("\n", 0, block.start("text"))
        # The reader's engine meets the provider; this one the fake below. Nothing else is changed.
        offline = text.replace('load("integrations.yaml"', 'load("integrations.yaml", **offline')
        exec(compile("\n" * line + offline, str(page), "exec", dont_inherit=True), scope)


def problems(text: str, path: str) -> list[str]:
    """Return what is wrong with integrations, with a blueprint, or with a fragment of either."""
    document = yaml.safe_load(text)
    source: Any = Path(path)
    if path.startswith("blueprints/"):
        versions = {f"{document['name']}-{name}": f"{document['name']}:{name}" for name in document["versions"]}
        source = {"integrations": {name: {"extends_blueprint": key} for name, key in versions.items()}}
    elif "integrations" in document:
        source = source if path else document
    else:
        source = {"integrations": {"close": {"extends_blueprint": "close:v0", **document}}}
    return [str(problem) for problem in load(source, blueprints=["blueprints"], environ=ACME).problems]


def provider(request: httpx.Request) -> httpx.Response:
    """Answer as Close does, and as the Acme of the README."""
    query = request.url.params
    if request.url.host == "accounts.acme.example":
        assert b"code=the-code" in request.content
        return httpx.Response(200, json={"access_token": "t0k3n", "token_type": "bearer", "expires_in": 3600})
    if request.url.host == "api.acme.example":
        assert "k_123" == request.headers["X-Api-Key"]
        return httpx.Response(200, json=ORDERS[query.get("after")])
    assert request.headers["Authorization"].startswith("Basic ")
    if request.method == "POST":
        return httpx.Response(200, json={"id": "lead_new", **json.loads(request.content)})
    if request.url.path == "/api/v1/me/":
        return httpx.Response(200, json={"id": "user_1", "email": "me@example.com"})
    if request.url.path == "/api/v1/lead/":
        start, size = int(query.get("_skip", 0)), int(query.get("_limit", 100))
        found = LEADS[start : start + size]
        return httpx.Response(200, json={"data": found, "has_more": start + size < len(LEADS)})
    return httpx.Response(404, json={"error": "not found"})


def test_the_links_between_pages_lead_somewhere() -> None:
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    assert [] == [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()]


def test_the_demo_output_in_the_readme_is_the_demos(tmp_path: Path) -> None:
    code = "from nango_py.cli import main; main()"
    command = [sys.executable, "-c", code, "demo"]
    environ = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    shown = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    table = [line.rstrip() for line in shown.splitlines() if line.startswith(("sent", "GET", "Came back"))]
    readme = [line.rstrip() for line in (ROOT / "README.md").read_text("utf-8").splitlines()]
    assert 7 == len(table)
    assert [] == [line for line in table if line not in readme]


def test_the_reference_is_what_its_generator_writes() -> None:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.reference() == generate.PAGE.read_text("utf-8"), "Run: python docs/generate.py"
