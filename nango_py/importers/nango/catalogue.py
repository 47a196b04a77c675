"""Read ``providers.yaml`` and put each entry over the one that it is an alias of, losing nothing of either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nango_py.authoring.foreign import read_foreign
from nango_py.authoring.kinds import expect
from nango_py.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BadAlias", "read_catalogue", "resolved"]


_HOPS = 16


class BadAlias(ValueError):  # noqa: N818 - it says what the alias is
    """An entry is an alias of nothing, or of itself."""


def read_catalogue(path: Path) -> Mapping[str, Any]:
    """Return the entries of the file at *path*, by name.

    Raises:
        UsageError: It cannot be read.
        ConfigError: It is no YAML mapping, or holds what a reader could take for something else.
    """
    document = read_foreign(path)
    expect("nango", document.data, path)
    if document.problems:
        raise ConfigError(document.problems)
    entries: Mapping[str, Any] = document.data
    return entries


def resolved(catalogue: Mapping[str, Any], name: str, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an entry with everything that it inherits: mappings merge at every depth, anything else replaces.

    Nango merges the outermost keys only, so that an alias with a `proxy` of its own loses all else that its base
    says there.

    Raises:
        BadAlias: It is an alias of nothing or of itself.
    """
    entry = catalogue[name]
    if not isinstance(entry, Mapping):
        raise BadAlias("the entry is no mapping of keys")
    base = entry.get("alias")
    if base is None:
        return dict(entry)
    if base in (*above, name):
        raise BadAlias(f"it is an alias of itself: {' > '.join((*above, name, str(base)))}")
    if not isinstance(base, str) or base not in catalogue:
        raise BadAlias(f"it is an alias of {base!r}, which is not there")
    if len(above) >= _HOPS:
        raise BadAlias(f"it is an alias of an alias, and so on, more than {_HOPS} times")
    return _merged(resolved(catalogue, base, (*above, name)), entry)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
