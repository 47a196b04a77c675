"""What a blueprint says about trying again."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nango_py.paths import compile_path
from nango_py.policy.reactions import needs_body

if TYPE_CHECKING:
    from nango_py.paths import Path
    from nango_py.policy.reactions import Reaction
    from nango_py.policy.stated_wait import Strategy, Unit

__all__ = ["InBody", "RetryPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InBody:
    """Where an answer's JSON body states the wait; a ValueError says what cannot work.

    ``value`` is a regular expression whose one group holds the wait, within the text at ``path``. Without it the
    value at ``path`` is the wait, a number or a text. Slashes around the expression are taken off. ``unit`` is that
    of a bare number that is time left.
    """

    path: str
    value: str | None = None
    strategy: Strategy = "after"
    unit: Unit = "seconds"

    def __post_init__(self) -> None:
        compile_path(self.path)
        _check_strategy(self.strategy)
        _check_unit(self.unit)
        _check_groups(_compiled(self.value))

    @property
    def compiled_path(self) -> Path:
        """Return the compiled ``path``."""
        return compile_path(self.path)

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """Return the compiled ``value``."""
        return _compiled(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When and how often a request is tried again; all times are seconds, and a ValueError says what cannot work.

    ``error_code`` replaces the default statuses: ``"429"``, ``"5xx"`` or ``"500-502"``. ``at`` and ``after`` name
    headers that hold a moment, or the time left; ``auto`` tells which by the value. ``unit`` is that of a bare number
    that is time left. ``remaining`` names the header that reads 0 when no request is left. ``not_processed`` lists
    statuses by which the provider promises that it did nothing, so that any method may be repeated.
    ``idempotency_key`` names the header whose presence makes any method repeatable.
    """

    max_attempts: int = 4
    base: float = 0.5
    cap: float = 30.0
    max_wait: float = 60.0
    deadline: float = 120.0
    error_code: tuple[str, ...] | None = None
    after: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    auto: tuple[str, ...] = ()
    unit: Unit = "seconds"
    remaining: str | None = None
    in_body: InBody | None = None
    idempotency_key: str | None = None
    not_processed: tuple[str, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    """What answers mean whose status alone does not tell; the first that fits counts, before everything else."""

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts is {self.max_attempts}, but there is at least one attempt")
        for name in ("base", "cap", "max_wait", "deadline"):
            _check_seconds(name, getattr(self, name))
        _check_unit(self.unit)

    @property
    def judges_success(self) -> bool:
        """Whether an answer of a good status can be a failure nevertheless."""
        return bool(self.reactions) or self.finds_waits_in_success

    @property
    def finds_waits_in_success(self) -> bool:
        """Whether a good status with a wait in its body is a failure."""
        # Without an expression, what stands there may be a field of any resource.
        return self.in_body is not None and self.in_body.value is not None

    def needs_body(self, status: int) -> bool:
        """Tell whether an answer of that status has to be read before it can be judged."""
        return self.in_body is not None or (bool(self.reactions) and needs_body(self.reactions, status))


@lru_cache(maxsize=256)
def _compiled(value: str | None) -> re.Pattern[str] | None:
    if value is None:
        return None
    bare = re.fullmatch(r"/(.+)/", value, re.DOTALL)
    try:
        return re.compile(bare[1] if bare else value)
    except re.error as error:
        raise ValueError(f"value is no regular expression: {error}") from error


def _check_seconds(name: str, seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{name} is {seconds}, but it has to be a number of seconds, 0 or more")


def _check_strategy(strategy: str) -> None:
    if strategy not in ("after", "at", "auto"):
        raise ValueError(f"strategy is {strategy!r}, but it has to be 'after' (time left), 'at' (a moment) or 'auto'")


def _check_unit(unit: str) -> None:
    if unit not in ("seconds", "milliseconds"):
        raise ValueError(f"unit is {unit!r}, but it has to be 'seconds' or 'milliseconds'")


def _check_groups(pattern: re.Pattern[str] | None) -> None:
    if pattern is not None and pattern.groups != 1:
        raise ValueError(
            f"value has {pattern.groups} groups, but exactly one ( ) has to mark the wait: {pattern.pattern!r}"
        )
