"""One entry of ``rate_limit``: a bucket, a cap on concurrency, or the headers that speak of a limit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from nango_py.policy.rate_limit import Bucket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.policy.limit_headers import LimitHeaders

__all__ = ["RateLimit", "matches"]

Scope = Literal["integration", "connection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """What one entry declares; a ValueError says what cannot work.

    ``paths`` are the requests that it counts, all of them without it: patterns below the base URL such as
    ``search/*``, or ``POST search/*``. ``cost`` says by the same patterns how many a request counts for: the first
    that fits, else 1. ``headers`` name those that speak of a limit; ``learn`` is False where none is to be believed.
    """

    name: str | None = None
    limit: int | None = None
    per: float | None = None
    scope: Scope = "connection"
    burst: int | None = None
    paths: tuple[str, ...] = ()
    cost: Mapping[str, int] = field(default_factory=dict)
    concurrency: int | None = None
    headers: LimitHeaders | None = None
    learn: bool = True

    def __post_init__(self) -> None:
        if (self.limit is None) != (self.per is None):
            raise ValueError("limit and per belong together: so many requests in so many seconds")
        if self.limit is None and self.concurrency is None and self.headers is None and self.learn:
            raise ValueError("an entry needs limit and per, or concurrency, or headers, or learn: false")
        if self.limit is None and (self.burst is not None or self.cost):
            raise ValueError("burst and cost say more about limit and per, which are missing")
        if (self.headers is not None or not self.learn) and (self.paths or self.limit or self.concurrency):
            raise ValueError("headers and learn say what every answer teaches: they need an entry of their own")
        if self.bucket is not None:
            most = self.bucket.at_once
            dear = next((pattern for pattern, cost in self.cost.items() if cost > most), None)
            if dear is not None:
                raise ValueError(f"cost of {dear!r} is more than may ever come at once ({most})")

    @property
    def bucket(self) -> Bucket | None:
        """Return the bucket, where the entry declares one."""
        if self.limit is None or self.per is None:
            return None
        return Bucket(limit=self.limit, per=float(self.per), scope=self.scope, burst=self.burst)

    def cost_of(self, method: str, path: str) -> int:
        """Return how many a request counts for."""
        return next((cost for pattern, cost in self.cost.items() if matches(pattern, method, path)), 1)


def matches(pattern: str, method: str, path: str) -> bool:
    """Tell whether a pattern, with or without a method before it, fits a request; ``path`` has no slash in front."""
    wanted, expression = _compiled(pattern)
    return wanted in ("", method) and expression.match(path) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[str, re.Pattern[str]]:
    method, _, rest = pattern.rpartition(" ")
    return method.upper(), re.compile(translate(rest.lstrip("/")))
