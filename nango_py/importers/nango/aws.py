"""Entries whose headers hold a signature of Amazon's, which our scheme makes: it knows the whole request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nango_py.importers.nango.language import Ref, Untranslatable, translate
from nango_py.importers.nango.tables import Mode

__all__ = ["signed_by_amazon"]

_CALL = re.compile(r"\$\{awsSigV4\((.*)\)\}", re.DOTALL)
_CREDENTIAL = re.compile(r"\$\{credentials\.(\w+)\}")
_FEWEST = 4


def signed_by_amazon(entry: Mapping[str, Any]) -> Mode | None:
    """Return the mode of an entry whose `proxy.headers` call ``awsSigV4(key, secret, region, service[, host])``."""
    proxy = entry.get("proxy")
    headers = proxy.get("headers") if isinstance(proxy, Mapping) else None
    for name, value in (headers if isinstance(headers, Mapping) else {}).items():
        found = _CALL.fullmatch(value) if isinstance(value, str) else None
        if found and name.lower() == "authorization":
            return _mode([argument.strip() for argument in found[1].split(",")])
    return None


def _mode(arguments: list[str]) -> Mode | None:
    keys = [_CREDENTIAL.fullmatch(argument) for argument in arguments[:2]]
    if len(arguments) < _FEWEST or keys[0] is None or keys[1] is None:
        return None
    try:
        region, service = (translate(argument, _config) for argument in arguments[2:_FEWEST])
    except Untranslatable:
        return None
    return Mode(
        name="AWS_SIGV4",
        auth={"service": service, "region": region},
        renamed={keys[0][1]: "access_key_id", keys[1][1]: "secret_access_key"},
        own_headers=frozenset({"authorization", "x-amz-date"}),
    )


def _config(dotted: str) -> Ref:
    root, _, name = dotted.partition(".")
    if root != "connectionConfig" or not name.isidentifier():
        raise Untranslatable(f"${{{dotted}}}")
    return Ref(text=f"connection_config.{name}")
