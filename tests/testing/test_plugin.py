"""The pytest plugin, in test runs of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest  # noqa: TC002 - pytester needs the module at run time

pytest_plugins = "pytester"

WALK = """
from nango_py import Nango

def test_leads(nango_simulator, nango_clock):
    leads = [{"id": f"lead_{number}", "display_name": "Acme"} for number in range(120)]
    provider = nango_simulator("close:v0", lists={"lead": leads}, refusals=[1], retry_after=30)
    source = {"integrations": {"close": {"extends_blueprint": "close:v0"}}}
    with Nango.load(
        source, store="memory://", transport=provider.transport, clock=nango_clock, environ={}
    ) as nango:
        nango.register_connection("close", "ann", provider.credentials)
        assert 120 == len(nango.trigger_action("close", "list-leads", "ann"))
    assert [30] == nango_clock.slept
"""
TAPED = """
import httpx

def test_me(nango_cassette):
    client = httpx.Client(transport=nango_cassette.transport)
    assert {"id": 1} == client.get("URL" + "me", headers={"Authorization": "Bearer secret-token"}).json()
"""


def test_the_fixtures_work_together(pytester: pytest.Pytester):
    pytester.makepyfile(WALK)

    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_cassette_is_recorded_and_then_replayed(pytester: pytest.Pytester):
    from nango_py.declare import load
    from nango_py.testing import simulate

    keys = {"auth": {"auth_mode": "NONE"}, "requests": {"base_url": "https://api.example.com/"}}
    provider = simulate(
        load({"integrations": {"it": keys}}, environ={}).integrations["it"], objects={"me": {"id": 1}}
    )
    tape = pytester.path / "cassettes" / "test_taped" / "test_me.json"
    with provider.serve() as url:
        pytester.makepyfile(test_taped=TAPED.replace("URL", url))

        pytester.runpytest_subprocess().assert_outcomes(errors=1)
        pytester.runpytest_subprocess("--nango-record").assert_outcomes(passed=1)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)

    assert 1 == len(provider.seen)
    assert "secret-token" not in tape.read_text("utf-8")
    assert 1 == len(json.loads(tape.read_text("utf-8"))["exchanges"])


def test_a_test_that_fails_writes_no_cassette(pytester: pytest.Pytester):
    pytester.makepyfile("def test_it(nango_cassette):\n    assert False\n")

    pytester.runpytest_subprocess("--nango-record").assert_outcomes(failed=1)

    assert not (pytester.path / "cassettes").exists()


def test_the_tests_of_the_docs_pass(pytester: pytest.Pytester):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "test-your-integration.md").read_text("utf-8")
    blocks = dict(re.findall(r"```python\n# tests/(test_\w+)\.py\n(.*?)```", page, re.DOTALL))
    me = {"id": "user_1", "email": "ann@example.com"}
    tape = {"action": None, "method": "GET", "url": "https://api.close.com/api/v1/me/"}
    exchanges = [
        {"request": tape, "answer": {"status": 200, "headers": {"Content-Type": "application/json"}, "json": me}}
    ]
    path = pytester.path / "cassettes" / "test_real_close" / "test_who_am_i.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"nango_cassette": 1, "exchanges": exchanges}), encoding="utf-8")
    pytester.makepyfile(**blocks)

    assert {"test_leads", "test_real_close"} == set(blocks)
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_option_is_explained(pytester: pytest.Pytester):
    pytester.runpytest_subprocess("--help").stdout.fnmatch_lines(["*--nango-record*"])


def test_the_plugin_imports_nothing_heavy():
    program = "import sys, nango_py.testing.plugin; print([n for n in sys.modules if n.startswith(('httpx', 'yaml', 'jinja2', 'nango_py.'))])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "['nango_py.testing', 'nango_py.testing.plugin']" == done.stdout.strip()
