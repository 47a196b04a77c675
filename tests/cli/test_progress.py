"""The line that shows how far a long run got."""

from __future__ import annotations

import io
import os
import sys

import pytest

from nango_py.cli.progress import Line
from nango_py.events import PageRead, Progress, Started, Waiting

COMMON = {
    "execution_id": "1",
    "parent_id": None,
    "integration": "a",
    "action": "list",
    "user_id": "u",
    "elapsed": 0.0,
}


class Watch:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def drawn(watch):
    """Return what is on the terminal after some events, each at its second."""

    def draw(*timed, width=80):
        stream = io.StringIO()
        watch.now = 0.0
        line = Line(stream, width=width, now=watch)
        line.hear(Started(**COMMON))
        for second, kind, facts in timed:
            watch.now = second
            line.hear(kind(**{**COMMON, **facts}))
        shown = stream.getvalue().split("\r\x1b[K")[1:]
        line.clear()
        assert stream.getvalue().endswith("\r\x1b[K") == bool(shown)
        return shown

    return draw


def page(number):
    return {"number": number, "items": 100, "total": 100 * number}


def test_a_short_run_shows_nothing(drawn):
    assert [] == drawn((0.5, PageRead, page(1)), (0.9, PageRead, page(2)))


def test_pages_are_counted(drawn):
    assert ["list: 100 items in 1 page", "list: 200 items in 2 pages"] == drawn(
        (1.0, PageRead, page(1)), (2.0, PageRead, page(2))
    )


def test_it_is_drawn_ten_times_a_second_at_most(drawn):
    shown = drawn(*((1 + number / 100, PageRead, page(number + 1)) for number in range(100)))

    assert 9 <= len(shown) <= 10


def test_a_wait_is_drawn_at_once_and_is_over_with_the_next_event(drawn):
    assert [
        "list: 100 items in 1 page",
        "list: 100 items in 1 page, waiting 12 s for its turn",
        "list: 200 items in 2 pages",
    ] == drawn(
        (1.0, PageRead, page(1)),
        (1.01, Waiting, {"reason": "rate_limit", "seconds": 12.2}),
        (13.0, PageRead, page(2)),
    )


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"done": 10, "total": 40, "message": "leads"}, "list: [#####---------------] 25% leads"),
        ({"done": 50, "total": 40, "message": ""}, "list: [####################] 100%"),
        ({"done": 7, "total": None, "message": "leads"}, "list: 7 leads"),
        ({"done": 7, "total": None, "message": "a\x1b[2Jb\nc"}, "list: 7 a [2Jb c"),
    ],
)
def test_progress_is_a_bar_where_the_total_is_known(drawn, facts, text):
    assert [text] == drawn((2.0, Progress, facts))


def test_a_narrow_terminal_gets_one_line_still(drawn):
    assert ["list: 100 items in "] == drawn((1.0, PageRead, page(1)), width=20)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_run_shows_progress_on_a_terminal_and_only_there(run, tmp_path):
    import subprocess

    (tmp_path / "integrations.yaml").write_text(
        'integrations: {birds: {auth: {auth_mode: NONE}, requests: {base_url: "https://birds.test/"}}}'
    )
    (tmp_path / "birds").mkdir()
    (tmp_path / "birds" / "sing.py").write_text(
        "from nango_py.cli import progress\n"
        "progress.QUIET = progress.PAUSE = 0.0\n"  # a busy machine may have drawn the line a moment ago
        "def run(ctx, input):\n    ctx.progress(1, 2, 'half')\n    return 'la'\n"
    )
    run("connections", "add", "birds", "u", "--credentials", "-", stdin="{}")
    assert ('"la"\n', "") == (run("run", "birds", "sing", "u").stdout, run("run", "birds", "sing", "u").stderr)

    ours, theirs = os.openpty()
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-c", "from nango_py.cli import main; main()", "run", "birds", "sing", "u"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert '"la"\n' == done.stdout
    assert "sing: [##########----------] 50% half" in shown
    assert shown.endswith("\r\x1b[K")
