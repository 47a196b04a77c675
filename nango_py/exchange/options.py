"""What callers may choose for a client, a walk and a run of an action, and what to say of anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from nango_py.errors import UsageError
from nango_py.location import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nango_py.events import OnEvent

__all__ = ["ClientOptions", "RunOptions", "WalkOptions", "check_client_options", "check_walk_options"]


class ClientOptions(TypedDict, total=False):
    """The options of ``httpx.Client`` that the engine leaves to its callers; what they mean is httpx's."""

    cookies: Any
    default_encoding: str | Callable[[bytes], str]
    event_hooks: Mapping[str, Sequence[Callable[..., Any]]]
    follow_redirects: bool
    headers: Any
    max_redirects: int
    params: Any
    timeout: Any


class WalkOptions(TypedDict, total=False):
    """How a list is walked, where it differs from what is declared."""

    method: str
    params: Any
    json: Any
    pagination: Mapping[str, Any] | None
    """Keys that differ from the declared ones."""
    limit: int | None
    """Items in all."""
    max_pages: int | None
    position: str | None
    """A :attr:`Page.position` to resume after."""


class RunOptions(TypedDict, total=False):
    """How an action is run, as ``trigger_action`` has it."""

    deadline: float | None
    """Seconds."""
    idempotency_key: str | None
    on_event: OnEvent | None


_OF_CLIENT: Final = frozenset(ClientOptions.__annotations__)
_OF_WALK: Final = frozenset(WalkOptions.__annotations__)
_INSTEAD: Final = {
    "auth": "credentials come from the connection; declare `auth`",
    "base_url": "declare `requests.base_url`",
    "cert": "declare `network.client_certificate`",
    "http2": "declare `network.http2`",
    "limits": "connections are shared by all clients",
    "mounts": "it would bypass the engine",
    "proxy": "declare `network.proxy`",
    "transport": "give it to Nango.load",
    "trust_env": "declare `network.proxy`; SSL_CERT_FILE is honoured",
    "verify": "declare `network.verify`",
}


def check_client_options(given: Iterable[str]) -> None:
    """Refuse names of options that would bypass the engine, or that there are none of.

    Raises:
        UsageError: It says what to do instead.
    """
    for name in given:
        if name not in _OF_CLIENT:
            instead = _INSTEAD.get(name) or did_you_mean(name, _OF_CLIENT)
            raise UsageError(f"client(): {name!r} is not accepted here: {instead}.")


def check_walk_options(given: Iterable[str]) -> None:
    """Refuse names of options that there are none of.

    Raises:
        UsageError: It says which there are.
    """
    for name in given:
        if name not in _OF_WALK:
            hint = did_you_mean(name, _OF_WALK) or f"There are {', '.join(sorted(_OF_WALK))}."
            raise UsageError(f"pages(), paginate(): {name!r} is not accepted here. {hint}")
