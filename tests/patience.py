"""Time spans for tests of what ends by itself.

Whatever else has to happen within such a span happens on a machine that may stand still for a moment: where a short
span was over too early, a longer one counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SPANS = (0.2, 1.0, 5.0, 20.0)  # seconds

Result = TypeVar("Result")


def patiently(check: Callable[[float], Result]) -> Result:
    """Return what *check* returns for the first span with which it does not fail; fail as it does with the longest."""
    for span in SPANS[:-1]:
        try:
            return check(span)
        except (Exception, pytest.fail.Exception):
            continue
    return check(SPANS[-1])
