"""Whether each action does what its example shows, and sends what it sends to the provider, who lets it in."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from nango_py.errors import RemoteError
from nango_py.exchange.download import Download
from nango_py.testing.checks.bench import USER, Lab, fail, skip
from nango_py.testing.messages import Answered
from nango_py.testing.samples import sample_of
from nango_py.tools.arguments import with_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nango_py.model import Action, Example
    from nango_py.testing.checks.bench import Bench

__all__ = ["checks"]

_NO_CONTENT = 204


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks of each declared action."""
    for name, action in lab.tested.actions.items():
        yield f"action.{name}.request", partial(_request, lab, action)
        yield f"action.{name}.example", partial(_example, lab, action)


def _request(lab: Lab, action: Action) -> None:
    """Send what the action makes of an input; what the provider answers does not matter."""
    given = sample_of(action.input) if action.example is None else _given(action, action.example)
    if given is None:
        skip("it has no example, and no input that its schema admits could be made up.")
    with lab.connected() as bench:
        # Nothing was made ready that could please the action.
        with suppress(RemoteError):
            _read(bench.nango.trigger_action("it", action.name, USER, given))
        if not bench.provider.seen:
            fail(f"nothing was sent to {bench.provider.base_url}.")
        if not bench.provider.let_in:
            fail("its request was refused: the credentials were not where they belong.")


def _example(lab: Lab, action: Action) -> None:
    example = action.example
    if example is None:
        skip("it has no example.")
    answers = example.answers or (example.answer,)
    with lab.connected() as bench:
        for answer in answers[:-1]:
            _answer(bench, answer)
        _answer(bench, answers[-1], is_file=action.output.download)
        output = _read(bench.nango.trigger_action("it", action.name, USER, _given(action, example)))
        if len(bench.provider.seen) != len(answers):
            fail(f"{len(bench.provider.seen)} requests were sent, but the example has {len(answers)} answers.")
        if output != example.output:
            fail(f"it gave {json.dumps(output, default=str)[:500]}, not the example's output.")


def _given(action: Action, example: Example) -> dict[str, Any]:
    """Return the example's input; files in it are base64, as everywhere in JSON."""
    given = dict(example.input)
    if action.input is None or not action.input.has_files:
        return given
    return with_bytes(action.input.document, given, who=f"action {action.name!r}, example")


def _answer(bench: Bench, answer: Any, *, is_file: bool = False) -> None:
    if is_file:
        bench.provider.push(Answered(status=200, content=b64decode(answer)))
    else:
        bench.provider.answer_next(answer, status=_NO_CONTENT if answer is None else 200)


def _read(output: Any) -> Any:
    """Return an output as JSON has it: a download is its base64 text."""
    if not isinstance(output, Download):
        return output
    with output:
        return b64encode(output.read()).decode()
