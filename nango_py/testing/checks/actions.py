"""Whether each action does what its example shows."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from nango_py.testing.checks.bench import USER, Lab, fail, skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.model import Action

__all__ = ["checks"]

_NO_CONTENT = 204


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield a check for each declared action."""
    for name, action in lab.tested.actions.items():
        yield f"action.{name}", partial(_run, lab, action)


def _run(lab: Lab, action: Action) -> None:
    example = action.example
    if example is None:
        skip("it has no example.")
    answers = example.answers or (example.answer,)
    with lab.connected() as bench:
        for answer in answers:
            bench.provider.answer_next(answer, status=_NO_CONTENT if answer is None else 200)
        output = bench.nango.trigger_action("it", action.name, USER, example.input)
        sent = [(seen.method, seen.path, seen.status) for seen in bench.provider.seen]
        if len(sent) != len(answers):
            fail(f"{len(sent)} requests were sent, but the example has {len(answers)} answers.")
        if output != example.output:
            fail(f"it gave {json.dumps(output, default=str)[:500]}, not the example's output.")
