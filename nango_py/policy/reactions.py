"""What a blueprint says that an answer means, where its status alone does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nango_py.paths import compile_path
from nango_py.policy.status_rule import matching_rule
from nango_py.template import TemplateError, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nango_py.policy.outcome import Outcome
    from nango_py.template import Template

__all__ = ["Reaction", "When", "Word", "needs_body", "reaction_to", "said"]

Word = Literal["retry", "fail", "ignore", "rate_limited", "renew_then_retry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The signs by which answers are known, all of which have to be there; a ValueError says what cannot work.

    The signs: a ``status`` rule names its status, something stands at ``path`` of its JSON body, it has the
    ``header``. What stands there is ``value``, or one of ``values``, where they are declared; a header's text is
    compared with a value's.
    """

    status: tuple[str, ...] = ()
    path: str | None = None
    header: str | None = None
    value: Any = None
    values: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if not (self.status or self.path or self.header):
            raise ValueError("it needs a status, a path or a header by which answers are known")
        if self.path and self.header:
            raise ValueError("it looks at a path or at a header, not at both")
        if self.value is not None and self.values:
            raise ValueError("it has a value or values, not both")
        if self.accepted and not (self.path or self.header):
            raise ValueError("a value needs the path or the header at which it stands")
        compile_path(self.path or "")

    @property
    def accepted(self) -> tuple[Any, ...]:
        """Return the values of which one has to be there; none where any will do."""
        return self.values if self.value is None else (self.value,)

    def may_meet(self, status: int) -> bool:
        """Tell whether the status alone does not rule the answer out."""
        return not self.status or matching_rule(self.status, status) is not None

    def matches(self, outcome: Outcome) -> bool:
        """Tell whether the answer bears every sign."""
        if outcome.status is None or not self.may_meet(outcome.status):
            return False
        if self.path is not None:
            return self._is_accepted(compile_path(self.path).find(outcome.body))
        return self.header is None or self._names(outcome.headers.get(self.header))

    def _is_accepted(self, found: object) -> bool:
        return found is not None and (not self.accepted or any(_same(found, value) for value in self.accepted))

    def _names(self, text: str | None) -> bool:
        return text is not None and (not self.accepted or text.strip() in map(to_text, self.accepted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(When):
    """What to do about an answer that bears every declared sign."""

    reaction: Word
    message: Template | None = None
    """The text of the error, over ``body`` and ``status``."""


def said(message: Template | None, values: Mapping[str, Any]) -> str | None:
    """Return the text of an error; None without a message, or where the answer lacks what it quotes."""
    if message is None:
        return None
    try:
        return message.render(values)
    except TemplateError:
        return None


def reaction_to(reactions: Iterable[Reaction], outcome: Outcome) -> Reaction | None:
    """Return the first reaction whose signs the answer bears."""
    return next((reaction for reaction in reactions if reaction.matches(outcome)), None)


def needs_body(reactions: Iterable[When], status: int) -> bool:
    """Tell whether an answer of that status has to be read before one can be chosen."""
    return any(each.path is not None and each.may_meet(status) for each in reactions)


def _same(found: object, value: object) -> bool:
    # In JSON true is not 1, but 1 is 1.0.
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    return found == value
