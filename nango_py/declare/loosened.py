"""What a pack's blueprint leaves to the user: how safe the way to a provider is, and which files serve for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.declare.build import Builder
    from nango_py.model import UsedBlueprint

__all__ = ["check_loosened", "loosened"]

_SAFE: Mapping[str, bool | None] = {"allow_private": False, "client_certificate": None, "proxy": None, "verify": True}
"""What of ``network`` guards the user, with the one value that gives nothing away."""


def check_loosened(builder: Builder, blueprints: tuple[UsedBlueprint, ...]) -> None:
    """Report what of ``network`` a pack decides for the user; what is written over it is the user's own."""
    packs = {used.source: used.label for used in blueprints if used.is_from_pack}
    if not packs:
        return
    for name, value in loosened(builder.merged.data.get("network")):
        pointer = pointer_to("network", name)
        origin = builder.merged.origin(pointer)
        if origin is not None and (pack := packs.get(origin[0].document.source)) is not None:
            builder.report(
                pointer, "network.pack", f"pack {pack} may not decide this for you.",
                f"Where you want it, write `network: {{{name}: {value}}}` in the integration.",
            )  # fmt: skip


def loosened(network: Any) -> Iterator[tuple[str, str]]:
    """Yield the keys of a ``network`` that let more in or out than without them, and their values as YAML."""
    for name, value in network.items() if isinstance(network, Mapping) else ():
        if name in _SAFE and value is not None and value is not _SAFE[name]:
            yield name, str(value).lower() if isinstance(value, bool) else "..."
