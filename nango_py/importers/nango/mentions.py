"""Which names the placeholders of an entry mention, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["config_named", "config_replaceable", "credentials_named"]

_CONFIG = re.compile(r"\$\{[^{}]*?connectionConfig\.([^\s{}|,()]+)")
_CREDENTIAL = re.compile(r"\$\{[^{}]*?credentials\.(\w+)")
_FORMS = frozenset({"connection_config", "credentials", "integration_config"})
"""What people are asked for: no placeholder of these is filled."""


def config_named(entry: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of connection config that are mentioned."""
    return frozenset(name for text in _texts(entry) for name in _CONFIG.findall(text))


def config_replaceable(entry: Mapping[str, Any]) -> frozenset[str]:
    """Return those of them that another text stands in for where they have no value."""
    return frozenset(name for text in _texts(entry) for name in _CONFIG.findall(text.rpartition("||")[0]))


def credentials_named(entry: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of credentials that are mentioned."""
    return frozenset(name for text in _texts(entry) for name in _CREDENTIAL.findall(text))


def _texts(entry: Mapping[str, Any]) -> Iterator[str]:
    for key, value in entry.items():
        if key not in _FORMS:
            yield from _within(value)


def _within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _within(inner)
