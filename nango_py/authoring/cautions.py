"""What to look at before credentials go where a description says."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cautions_of"]

_ORIGIN: Final = re.compile(r"(https?)://(\[[^\]]*\]|[^/:?#]*)")
_PRIVATE: Final = re.compile(r"(?:.*\.)?(?:localhost|local|internal|intranet|lan)\.?", re.IGNORECASE)


def cautions_of(base_url: str) -> Iterator[str]:
    """Yield what is odd about a base URL that somebody else wrote: it is in the clear, or in a private network."""
    found = _ORIGIN.match(base_url)
    if found is None or "$" in found[2]:
        return
    scheme, host = found[1], found[2]
    if _is_private(host):
        yield f"requests go to a private network: {host}"
    elif scheme == "http":
        yield f"requests, and credentials with them, go in the clear: http://{host}"


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return _PRIVATE.fullmatch(host) is not None
