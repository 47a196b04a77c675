"""Actions of a few requests in a row, or of one for each item of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nango_py.actions.inputs import RESERVED, check_input
from nango_py.actions.output import shaped
from nango_py.actions.scopes import check_scopes
from nango_py.effects import Gather
from nango_py.errors import InputError, OutputError, RemoteError
from nango_py.events import StepDone
from nango_py.paths import compile_path
from nango_py.template import TemplateError, render_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.effects import Flow
    from nango_py.exchange.answers import Asker
    from nango_py.model import Action, Integration, Step

__all__ = ["Run", "Steps"]

Run = Callable[["Asker", "Action", Mapping[str, Any], str], "Flow[Any]"]
"""Run an action that is a step: with what sends its requests, its input, and who it is in messages."""


@dataclass(slots=True, kw_only=True)
class Steps:
    """One run of an action's steps; *given* is its input, checked. *run* reads a list to its end."""

    asker: Asker
    action: Action
    given: Mapping[str, Any]
    who: str
    run: Run

    def values(self) -> Flow[dict[str, Any]]:
        """Return what the first step sees.

        Raises:
            MissingScopes: The account has not granted what one of the requests needs; nothing is sent.
        """
        session = self.asker.session
        plan = yield from self.asker.open()
        needed = tuple(_scopes(self.action, session.integration))
        if needed:
            credentials = plan.connection.credentials
            check_scopes(needed, session.integration, session.user_id, credentials, action=self.action.name)
        functions = session.moment().functions() if self.action.calls else {}
        account = {name: plan.values[name] for name in ("connection_config", "metadata")}
        return {**account, **functions, "input": self.given, "steps": {}}

    def output(self, last: Run | None = None) -> Flow[Any]:
        """Return the output, or what *last* makes of the last step, given the inputs that lists take."""
        values = yield from self.values()
        value = None
        for step in self.action.steps:
            is_last = step is self.action.steps[-1]
            run = last if is_last and last is not None else self.run
            value = yield from self._done(step, values, run, self._reserved() if is_last else {})
            values["steps"][step.name] = value
        if self.action.paginate is not None:
            return value
        output = self.action.output
        found = compile_path(output.value).find(value) if output.value else value
        return shaped(output, values, self.asker)(found)

    def _reserved(self) -> dict[str, Any]:
        """Return what says how much of a list is wanted, where the action is one."""
        if self.action.paginate is None:
            return {}
        return {name: self.given[name] for name in RESERVED if name in self.given}

    def _done(self, step: Step, values: Mapping[str, Any], run: Run, reserved: Mapping[str, Any]) -> Flow[Any]:
        if step.for_each is None:
            is_wanted = self._is_wanted(step, values)
            value = (yield from self._once(step, values, run, reserved)) if is_wanted else None
        else:
            is_wanted = True
            value = yield from self._for_each(step, values, run)
        self.asker.tell(StepDone, step=step.name, is_skipped=not is_wanted)
        return value

    def _for_each(self, step: Step, values: Mapping[str, Any], run: Run) -> Flow[list[Any]]:
        items = self._filled(step, step.for_each, values)
        if items is None:
            return []
        if not isinstance(items, list):
            self.asker.fail(OutputError, f"step {step.name!r}: for_each is no list, but {type(items).__name__}.")
        flows = tuple(
            self._item(step, {**values, "item": item, "index": index}, run, len(items))
            for index, item in enumerate(items)
        )
        results: list[Any] = yield Gather(flows, step.concurrency)
        return results

    def _item(self, step: Step, values: Mapping[str, Any], run: Run, total: int) -> Flow[Any]:
        if not self._is_wanted(step, values):
            return None
        return (yield from self._once(step, values, run, {}, total))

    def _once(
        self, step: Step, values: Mapping[str, Any], run: Run, reserved: Mapping[str, Any], total: int | None = None
    ) -> Flow[Any]:
        index = values.get("index")
        place = f"step {step.name!r}" + ("" if index is None else f", item {index + 1} of {total}")
        try:
            return (yield from self._asked(step, values, run, reserved, place))
        except RemoteError as error:
            error.step, error.index = step.name, index
            raise

    def _asked(
        self, step: Step, values: Mapping[str, Any], run: Run, reserved: Mapping[str, Any], place: str
    ) -> Flow[Any]:
        index = values.get("index")
        suffix = step.name if index is None else f"{step.name}-{index}"
        headers = {name: f"{key}-{suffix}" for name, key in self.asker.headers.items()}
        if step.own is not None:
            asker = replace(self.asker, headers=headers, sees=values, place=f"{self.asker.place}, {place}")
            return (yield from run(asker, step.own, reserved, f"{self.who}, {place}"))
        other = self.asker.session.integration.actions[step.action or ""]
        execution = self.asker.execution and self.asker.execution.child(other.name)
        where = f" ({place} of action {self.action.name!r})"
        who = f"integration {self.asker.session.integration.name!r}, action {other.name!r}{where}"
        asker = replace(self.asker, headers=headers, sees={}, place=where, execution=execution)
        filled = {name: self._filled(step, branch, values) for name, branch in step.input.items()}
        kept = {name: value for name, value in filled.items() if value is not None or step.input[name] is None}
        flow = run(asker, other, {**check_input(other, kept, who=who), **reserved}, who)
        return (yield from flow if execution is None else execution.around(flow))

    def _is_wanted(self, step: Step, values: Mapping[str, Any]) -> bool:
        return step.when is None or bool(self._filled(step, step.when, values))

    def _filled(self, step: Step, tree: Any, values: Mapping[str, Any]) -> Any:
        try:
            return render_tree(tree, values)
        except TemplateError as error:
            raise InputError(f"{self.who}, step {step.name!r}: {error}") from None


def _scopes(action: Action, integration: Integration) -> Iterator[str | tuple[str, ...]]:
    """Yield what all requests of an action need."""
    yield from action.requires_scopes
    for step in action.steps:
        yield from _scopes(step.own or integration.actions[step.action or ""], integration)
