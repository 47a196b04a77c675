"""Where requests go, how accounts are let in, and how the provider is dealt with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nango_py.auth import SPELLINGS
from nango_py.versions.change import ABSENT, Finding, differing, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["compare_auth", "compare_behaviour", "compare_requests", "mode_of"]

_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*://)?[^/?#]*", re.IGNORECASE)
_NEW_AND_SAFE = frozenset({"/auth/revocation_url", "/auth/refresh_token_idle_lifetime"})
_TRY = "Try it with a connected account."
_BEHAVIOUR = {
    "circuit_breaker": "An origin that fails is left alone otherwise.",
    "network": "The provider is reached otherwise.",
    "pagination": "Lists are walked otherwise.",
    "rate_limit": "Requests wait otherwise.",
    "response_limit": "Answers of another size are refused.",
    "retry": "Requests are tried again otherwise.",
    "timeouts": "Requests end at another time.",
    "verification": "nango.check_connection asks something else.",
}
_NEEDED = {
    "pagination": "nango.paginate and nango.pages raise a UsageError.",
    "verification": "nango.check_connection raises a UsageError.",
}


def mode_of(data: Mapping[str, Any]) -> str:
    """Return the auth mode that a version declares, by its one name; an empty text for none."""
    mode: str = data.get("auth", {}).get("auth_mode", "")
    return SPELLINGS.get(mode, mode)


def compare_auth(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how the ``auth`` of two versions differs; they stand below their other keys."""
    was, now = mode_of(before), mode_of(after)
    if was != now:
        reason = "Accounts have to be connected again."
        yield Finding("BREAKING", "/auth/auth_mode", f"{was or 'nothing'} became {now or 'nothing'}.", reason)
        return
    for pointer, old, new in differing(before.get("auth", {}), after.get("auth", {}), "/auth"):
        if pointer != "/auth/auth_mode":
            yield _auth(pointer, old, new)


def _auth(pointer: str, old: Any, new: Any) -> Finding:
    if pointer.endswith("_url") and isinstance(old, str) and isinstance(new, str) and _origin(old) != _origin(new):
        return Finding("BREAKING", pointer, told(old, new), "Credentials go to another host.")
    if old is ABSENT and pointer in _NEW_AND_SAFE:
        return Finding("SAFE", pointer, told(old, new))
    if pointer == "/auth/default_scopes":
        return Finding("RISKY", pointer, told(old, new), "Accounts that are connected have not granted the new ones.")
    return Finding("RISKY", pointer, told(old, new), f"Accounts are let in otherwise. {_TRY}")


def compare_requests(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how the ``requests`` of two versions differ."""
    for pointer, old, new in differing(before.get("requests", {}), after.get("requests", {}), "/requests"):
        if pointer == "/requests/base_url":
            yield _base_url(pointer, old, new)
        elif pointer == "/requests/allowed_origins":
            yield from _origins(pointer, _listed(old), _listed(new))
        else:
            yield Finding("RISKY", pointer, told(old, new), f"Every request is sent otherwise. {_TRY}")


def _base_url(pointer: str, old: Any, new: Any) -> Finding:
    if isinstance(old, str) and isinstance(new, str) and _origin(old) == _origin(new):
        reason = "The paths that your code writes lead elsewhere."
        # A base URL gets its slash where it lacks one.
        return Finding("RISKY" if _slashed(old) == _slashed(new) else "BREAKING", pointer, told(old, new), reason)
    return Finding("BREAKING", pointer, told(old, new), "Requests and credentials go to another host.")


def _origins(pointer: str, was: list[str], now: list[str]) -> Iterator[Finding]:
    if gone := [origin for origin in was if origin not in now]:
        yield Finding("BREAKING", pointer, f"{', '.join(gone)} is gone.", "Requests there carry no credentials.")
    if come := [origin for origin in now if origin not in was]:
        yield Finding("RISKY", pointer, f"{', '.join(come)} is new.", "Credentials may go there, too.")


def compare_behaviour(section: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how a *section* differs that says how a provider is dealt with."""
    was, now, at = before.get(section, ABSENT), after.get(section, ABSENT), f"/{section}"
    if section in _NEEDED and (was is ABSENT) != (now is ABSENT):
        if now is ABSENT:
            yield Finding("BREAKING", at, "removed.", _NEEDED[section])
        else:
            yield Finding("SAFE", at, "new.")
        return
    reason = _BEHAVIOUR.get(section, "")
    for pointer, old, new in differing(was, now, at) if (was, now) != (ABSENT, ABSENT) else ():
        yield Finding("RISKY", pointer, told(old, new), reason)


def _origin(url: str) -> str:
    match = _ORIGIN.match(re.sub(r"\$\{[^}]*\}", lambda held: held[0].replace("/", "\0"), url))
    return match[0].lower() if match else ""


def _slashed(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else []
