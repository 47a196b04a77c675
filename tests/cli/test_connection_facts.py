"""Facts of connections, for people."""

from __future__ import annotations

import pytest

from nango_py.cli.connection_facts import time_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "1970-01-01T00:00:00Z"), (1e300, "1e+300 s after 1970"), (-62135647200.0, "-6.21356e+10 s after 1970")],
)
def test_every_moment_has_a_text(seconds: float, text: str) -> None:
    assert text == time_text(seconds)
