"""The pytest plugin: fixtures for time, providers and cassettes; they import what they need when they are used."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.testing import Cassette, ManualClock, Simulator

__all__ = ["nango_cassette", "nango_clock", "nango_simulator", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--nango-record``."""
    group = parser.getgroup("nango_py")
    group.addoption(
        "--nango-record",
        action="store_true",
        help="Send the requests of tests that use nango_cassette to the providers, and record their answers.",
    )


@pytest.fixture
def nango_clock() -> ManualClock:
    """Return a clock that stands still until the test moves it, or sleeps by it."""
    from nango_py.testing import ManualClock  # noqa: PLC0415 - the plugin costs nothing where it is not used

    return ManualClock()


@pytest.fixture
def nango_simulator(nango_clock: ManualClock) -> Callable[..., Simulator]:
    """Return :func:`nango_py.testing.simulate`, on the test's own clock."""
    from nango_py.testing import simulate  # noqa: PLC0415

    return partial(simulate, clock=nango_clock)


@pytest.fixture
def nango_cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """Return the test's own cassette, ``cassettes/<file>/<test>.json`` beside it; a test that failed writes none."""
    from nango_py.testing import record, replay  # noqa: PLC0415

    name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    path = request.path.parent / "cassettes" / request.path.stem / f"{name}.json"
    if not request.config.getoption("--nango-record"):
        with replay(path) as cassette:
            yield cassette
        return
    failed = request.session.testsfailed
    with record(path) as cassette:
        yield cassette
        cassette.keeps = request.session.testsfailed == failed
