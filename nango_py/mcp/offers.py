"""Which tools a server offers, and whose account each of them works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nango_py.core import core_of
from nango_py.errors import UnknownConnection, UsageError
from nango_py.tools.choice import choose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nango_py.async_engine import AsyncNango
    from nango_py.tools.tool import Tool

__all__ = ["Offer", "make_offers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tool and the user whose account it works with."""

    tool: Tool
    user_id: str


async def make_offers(
    nango: AsyncNango,
    *,
    user_id: str | None,
    connections: Mapping[str, str],
    actions: Sequence[str] | None,
    read_only: bool,
) -> tuple[Offer, ...]:
    """Return what is offered: actions of the *connections* (integration to user) and of those of *user_id*.

    Raises:
        UsageError: No account was chosen, or there is nothing to offer.
        UnknownConnection: A chosen connection is not there, or the user has none.
    """
    users = dict(connections)
    for integration, user in users.items():
        await nango.get_connection(integration, user)
    if user_id is not None:
        for view in await nango.get_connections_for_user_id(user_id):
            users.setdefault(view.integration, user_id)
    if not users and user_id is not None:
        raise UnknownConnection(
            f"user {user_id!r} has no connection. Make one: nango-py connections add, or nango-py connect."
        )
    if not users:
        raise UsageError("no account to work with: say --user, or --connection INTEGRATION=USER_ID.")
    tools = choose(core_of(nango), integrations=users, actions=actions, read_only=read_only)
    if not tools:
        raise UsageError(f"the chosen connections ({', '.join(users)}) have no such action to offer.")
    return tuple(Offer(tool=tool, user_id=users[tool.signature.integration]) for tool in tools)
