"""What a Python action is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.connections.connection import ConnectionView

__all__ = ["Context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Give a Python action its tools.

    ``http`` is a client of the connection (an ``httpx.AsyncClient`` for an ``async`` action), which returns answers
    of every status. ``connection`` shows no credentials. ``log`` masks them.
    """

    http: Any = field(repr=False)
    connection: ConnectionView
    log: Any = field(repr=False)
    _paginate: Callable[..., Any] = field(repr=False)
    _run: Callable[..., Any] = field(repr=False)

    def paginate(self, path: str, **options: Any) -> Any:
        """Return an iterator over the items of a list, as ``nango.paginate`` does."""
        return self._paginate(path, **options)

    def run(self, action: str, input: Mapping[str, Any] | None = None) -> Any:  # noqa: A002 - DESIGN's word
        """Run another action of the same integration; awaited in an ``async`` action."""
        return self._run(action, input)
