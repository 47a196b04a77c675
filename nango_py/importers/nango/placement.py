"""Whether the scheme puts the credentials on requests, as Nango's code does beside what an entry declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.auth import SCHEMES
from nango_py.template import names_in, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.importers.nango.tables import Mode

__all__ = ["placement_of"]

_COOKIES = ("raw", "_cookies")


def placement_of(mode: Mode, requests: Mapping[str, Any], credentials: frozenset[str]) -> str | None:
    """Return the `placement` to declare; None where what the engine does without a word is what Nango does.

    The engine leaves it to `requests` as soon as they name a credential, or set the Authorization header.
    """
    scheme = SCHEMES[mode.name]
    if "placement" not in scheme.__dataclass_fields__ or mode.signs_itself:
        return None
    own = {field.name for field in scheme.fields} | scheme.supplies | credentials | {"credentials"}
    headers = requests.get("headers", {})
    named = names_in(tree({key: requests.get(key) for key in ("base_url", "headers", "params")}))
    sets = any(name.lower() == "authorization" for name in headers)
    by_engine = not (sets or any(name[0] in own for name in named))
    by_nango = not sets and (mode.always_places or (mode.places_unless_named and not _names_token(headers)))
    if by_engine == by_nango:
        return None
    return "header" if by_nango else "none"


def _names_token(headers: Mapping[str, Any]) -> bool:
    return any(name[0] == "access_token" or name == _COOKIES for name in names_in(tree(headers)))
