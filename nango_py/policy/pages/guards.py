"""Keep a walk from going round in circles."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nango_py.policy.pages.walk import broken_off

if TYPE_CHECKING:
    from nango_py.policy.pages.walk import Mark, Position, Step

__all__ = ["guard_empty", "guard_items", "guard_mark", "guard_repeats"]

MOST_EMPTY: Final = 10
MOST_ALIKE: Final = 10
REMEMBERED: Final = 32


def guard_empty(step: Step) -> Position:
    """Return the next page's position, or refuse one more empty page."""
    empties = 0 if step.count else step.position.empties + 1
    if empties > MOST_EMPTY:
        what = f"{empties} pages in a row were empty, and each said that there are more"
        raise broken_off(step.position, f"{what}. Narrow the request, or check response_path")
    return replace(step.position, number=step.position.number + 1, empties=empties)


def guard_mark(step: Step, position: Position, *, mark: Mark, word: str) -> Position:
    """Return the position with the mark remembered, or refuse a mark that came before."""
    digest = _digest(str(mark))
    if digest in position.seen or digest == position.anchor or (word == "link" and str(mark) == step.answer.url):
        what = f"the {word} to the next page came before, so that the walk would never end"
        raise broken_off(step.position, f"{what}. Check the pagination of the blueprint against the provider's page")
    # The anchor moves at powers of two (Brent): a circle of any size comes back to it.
    anchor = digest if position.number & (position.number - 1) == 0 else position.anchor
    return replace(position, seen=(*position.seen, digest)[-REMEMBERED:], anchor=anchor)


def guard_items(step: Step, position: Position) -> Position:
    """Return the position with the page remembered, or refuse the same items as on the page before."""
    if not step.count:
        return position
    digest = _digest(json.dumps(step.answer.items, default=str))
    if digest == position.last:
        what = (
            "the items are those of the page before, so the provider seems not to know the parameter that asks for it"
        )
        raise broken_off(step.position, f"{what}. Check the names in the pagination of the blueprint")
    return replace(position, last=digest)


def guard_repeats(step: Step, position: Position) -> Position:
    """Return the position with the page remembered, or refuse one more page of the same items under a new mark.

    Short pages of poor items may well be alike, so that a few of them pass; first and last item stand for a page.
    """
    items = step.answer.items
    if not items:
        return position
    digest = _digest(json.dumps((len(items), items[0], items[-1]), default=str))
    repeats = position.repeats + 1 if digest == position.last else 0
    if repeats >= MOST_ALIKE:
        what = (
            f"{repeats + 1} pages in a row held the same items, so the provider seems not to know the cursor or link"
        )
        raise broken_off(step.position, f"{what}. Check the names in the pagination of the blueprint")
    return replace(position, last=digest, repeats=repeats)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
