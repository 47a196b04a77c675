"""Build the steps of an action, and check what they refer to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.location import did_you_mean
from nango_py.model import Output, Step
from nango_py.template import split, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from nango_py.declare.build import Builder
    from nango_py.model import Action

__all__ = ["check_kind", "filled_between", "linked", "steps_of"]

_OF_REQUESTS = ("paginate", "ok", "idempotency_key", "retry", "rate_limit", "timeouts")
_OF_REFERENCES = (*_OF_REQUESTS, "output", "on_error", "requires_scopes")


def check_kind(builder: Builder, keys: Mapping[str, Any], pointer: str) -> None:
    """Report an action that is neither a request nor steps, and keys that only requests have."""
    if ("request" in keys) == ("steps" in keys):
        what = "an action has a request or steps, not both." if "steps" in keys else "it lacks 'request' or 'steps'."
        builder.report(pointer, "action.kind", what, key=True)
    if "steps" in keys:
        _refuse(builder, keys, pointer, _OF_REQUESTS)
        _refuse(builder, keys.get("output", {}), f"{pointer}/output", ("items", "download"))


def steps_of(
    builder: Builder,
    name: str,
    entries: Sequence[Mapping[str, Any]],
    make: Callable[[str, Mapping[str, Any], str], Action],
) -> tuple[Step, ...]:
    """Return the steps of the action *name*; *make* builds the action that one of them is."""
    pointer = pointer_to("actions", name) + "/steps"
    made: list[Step] = []
    for index, keys in enumerate(entries):
        at = f"{pointer}/{index}"
        _check_step(builder, keys, at, [step.name for step in made])
        made.append(
            Step(
                name=keys["name"],
                location=builder.merged.locate(at) or builder.location,
                own=make(f"{name}/{keys['name']}", keys, at) if "request" in keys else None,
                action=keys.get("action"),
                input=tree(keys.get("input", {})),
                for_each=split(keys["for_each"]) if "for_each" in keys else None,
                when=split(keys["when"]) if "when" in keys else None,
                concurrency=keys.get("concurrency", Step.__dataclass_fields__["concurrency"].default),
            )
        )
    return tuple(made)


def filled_between(steps: Iterable[Step]) -> Iterator[Any]:
    """Yield everything of steps, beside their own requests, that may hold placeholders."""
    for step in steps:
        yield from (step.input, step.for_each, step.when)


def _check_step(builder: Builder, keys: Mapping[str, Any], pointer: str, before: list[str]) -> None:
    if keys["name"] in before:
        builder.report(f"{pointer}/name", "step.twice", f"an earlier step is called {keys['name']!r}, too.")
    if ("request" in keys) == ("action" in keys):
        builder.report(pointer, "step.kind", "a step has a request, or the name of another action: one of the two.")
    if "action" in keys:
        _refuse(builder, keys, pointer, _OF_REFERENCES)
    elif "input" in keys:
        builder.report(
            f"{pointer}/input", "step.input", "only a step that is another action has an input.",
            "Its own request sees the action's as `${input...}`.", key=True,
        )  # fmt: skip
    if "concurrency" in keys and "for_each" not in keys:
        builder.report(f"{pointer}/concurrency", "step.concurrency", "there is no for_each.", "Remove it.", key=True)


def _refuse(builder: Builder, keys: Mapping[str, Any], pointer: str, names: tuple[str, ...]) -> None:
    for name in names:
        if name in keys:
            builder.report(
                f"{pointer}/{name}", "action.steps", "it is about one request, and none stands here.",
                "Write it beside the request that it is about.", key=True,
            )  # fmt: skip


def linked(builder: Builder, actions: Mapping[str, Action]) -> dict[str, Action]:
    """Return the actions, each that ends with a list as the list that it is; report references that lead nowhere."""
    for action in actions.values():
        for index, step in enumerate(action.steps):
            pointer = f"{pointer_to('actions', action.name)}/steps/{index}"
            if step.action is not None and step.action not in actions:
                hint = did_you_mean(step.action, actions) or "A Python action cannot be a step; run it by ctx.run."
                builder.report(f"{pointer}/action", "step.unknown", f"no action {step.action!r} is declared.", hint)
    if builder.problems:
        return dict(actions)
    for name, chain in _cycles(actions):
        shown = " -> ".join(chain)
        location = f"{pointer_to('actions', name)}/steps"
        builder.report(location, "step.cycle", f"these actions are steps of each other: {shown}.")
    if builder.problems:
        return dict(actions)
    _check_downloads(builder, actions)
    return {name: _as_list(action, actions) for name, action in actions.items()}


def _cycles(actions: Mapping[str, Action]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each action that is a step of itself, with the way there."""
    for name in actions:
        way = _way(name, name, actions, set())
        if way is not None:
            yield name, (name, *way)


def _way(start: str, goal: str, actions: Mapping[str, Action], seen: set[str]) -> tuple[str, ...] | None:
    for step in actions[start].steps:
        if step.action == goal:
            return (goal,)
        if step.action is not None and step.action not in seen:
            seen.add(step.action)
            rest = _way(step.action, goal, actions, seen)
            if rest is not None:
                return (step.action, *rest)
    return None


def _check_downloads(builder: Builder, actions: Mapping[str, Action]) -> None:
    for action in actions.values():
        for index, step in enumerate(action.steps):
            is_end = step is action.steps[-1] and step.for_each is None
            if not is_end and _downloads(_of(step, actions), actions):
                builder.report(
                    f"{pointer_to('actions', action.name)}/steps/{index}", "step.download",
                    "no later step could read a download.", "Make it the last one.",
                )  # fmt: skip


def _downloads(action: Action, actions: Mapping[str, Action]) -> bool:
    return action.output.download or (bool(action.steps) and _downloads(_of(action.steps[-1], actions), actions))


def _as_list(action: Action, actions: Mapping[str, Action]) -> Action:
    """Return an action whose last step is a paginated one, and whose output is nothing else, as paginated."""
    if not action.steps or action.output != Output():
        return action
    last = action.steps[-1]
    ends = _as_list(_of(last, actions), actions)
    if ends.output.download:
        return replace(action, output=ends.output)
    if last.for_each is not None or last.when is not None or ends.paginate is None:
        return action
    return replace(action, paginate=ends.paginate, output=ends.output)


def _of(step: Step, actions: Mapping[str, Action]) -> Action:
    return step.own or actions[step.action or ""]
