"""Count requests as a provider does, and refuse those beyond a declared limit."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Counter", "limits_of", "refusal_headers"]


@dataclass(slots=True, kw_only=True)
class Counter:
    """Let so many requests pass in any so many seconds, of each entry of ``rate_limit`` that says so."""

    entries: Sequence[Mapping[str, Any]]
    _passed: dict[int, deque[float]] = field(default_factory=dict, repr=False)

    def wait(self, method: str, path: str, now: float) -> float:
        """Return 0 and count the request, or the seconds until it may come again."""
        bound = [
            (number, entry)
            for number, entry in enumerate(self.entries)
            if entry.get("limit") and _counts(entry, method, path)
        ]
        waits = [self._wait(number, entry, now) for number, entry in bound]
        if any(waits):
            return max(waits)
        for number, _ in bound:
            self._passed[number].append(now)
        return 0

    def _wait(self, number: int, entry: Mapping[str, Any], now: float) -> float:
        passed = self._passed.setdefault(number, deque())
        while passed and passed[0] <= now - entry["per"]:
            passed.popleft()
        most = max(entry["limit"], entry.get("burst") or 0)
        return passed[0] + entry["per"] - now if len(passed) >= most else 0


def limits_of(declared: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the entries of the integration, and those of its actions, which count the requests of one action."""
    own = [
        {**entry, "paths": [f"{action['request'].get('method', 'GET')} {_pattern_of(action['request']['path'])}"]}
        for action in declared.get("actions", {}).values()
        if "request" in action
        for entry in action.get("rate_limit", ())
    ]
    return (*declared.get("rate_limit", ()), *own)


def _pattern_of(path: str) -> str:
    return re.sub(r"\$\{[^}]*\}", "*", path.partition("?")[0].strip("/"))


def _counts(entry: Mapping[str, Any], method: str, path: str) -> bool:
    patterns = entry.get("paths")
    if not patterns:
        return True
    return any(fnmatchcase(f"{method} {path}" if " " in pattern else path, pattern) for pattern in patterns)


def refusal_headers(retry: Mapping[str, Any], wait: float, now: float) -> dict[str, str]:
    """Return what a refusal says of the wait, in the headers that ``retry`` names, or else in the standard one."""
    headers: dict[str, str] = {}
    scale = 1000 if retry.get("unit") == "milliseconds" else 1
    for name in (*_names(retry.get("after")), *_names(retry.get("auto"))):
        headers[name] = f"{math.ceil(wait * (1 if name.lower() == 'retry-after' else scale))}"
    for name in _names(retry.get("at")):
        headers.setdefault(name, f"{math.ceil(now + wait)}")
    if not headers:
        headers["Retry-After"] = f"{wait:g}"
    remaining = retry.get("remaining")
    return {**headers, remaining: "0"} if remaining else headers


def _names(written: Any) -> list[str]:
    return [written] if isinstance(written, str) else list(written or ())
