"""Who sends a request: for transports that are given to the engine and keep what passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SENDER_EXTENSION", "Sender"]

SENDER_EXTENSION: Final = "nango_sender"
"""The extension of a signed request that holds its :class:`Sender`."""


class Sender:
    """The integration and the action that a request belongs to, and how to get the secrets not to be kept of it."""

    __slots__ = ("action", "integration", "secrets")

    def __init__(self, integration: str, action: str | None, secrets: Callable[[], tuple[str, ...]]) -> None:
        self.integration = integration
        self.action = action
        self.secrets = secrets

    def __repr__(self) -> str:
        return f"Sender(integration={self.integration!r}, action={self.action!r})"
