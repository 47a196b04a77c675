"""What a client is told while an action runs."""

from __future__ import annotations

import anyio
import anyio.lowlevel

from nango_py.events import Progress
from nango_py.mcp.progress import relayed

FACTS = {
    "execution_id": "e",
    "parent_id": None,
    "integration": "acme",
    "action": "it",
    "user_id": "u",
    "elapsed": 0.0,
}


def done(number):
    return Progress(**FACTS, done=number, total=None, message="")


def test_a_client_that_hears_no_more_stops_no_action():
    told = []

    async def report(number, _total, _message):
        told.append(number)
        raise anyio.BrokenResourceError

    async def main():
        async with relayed(report) as heard:
            for number in (1, 2, 3):
                heard(done(number))
                await anyio.lowlevel.checkpoint()
            return "output"

    assert "output" == anyio.run(main)
    assert [1] == told
