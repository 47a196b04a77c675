"""Store what cannot be had twice: a store that fails is tried again for a few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nango_py.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nango_py.clock import Clock

__all__ = ["persisted"]

_T = TypeVar("_T")
_PAUSES = (0.1, 0.4, 1.6)


def persisted(work: Callable[[], _T], clock: Clock) -> _T:
    """Return what *work* of the store returns, which may be done again though it succeeded.

    Raises:
        StoreError: The store fails each time.
    """
    for pause in _PAUSES:
        try:
            return work()
        except StoreError:
            clock.sleep(pause)
    return work()
