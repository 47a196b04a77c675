"""Which actions become tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.actions.signature import signature_of
from nango_py.errors import UnknownAction, UsageError
from nango_py.location import did_you_mean
from nango_py.tools.names import tool_names
from nango_py.tools.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from nango_py.core import Core

__all__ = ["choose"]


def choose(
    core: Core, *, integrations: Iterable[str] | None, actions: Collection[str] | None, read_only: bool
) -> tuple[Tool, ...]:
    """Return the tools of the chosen *actions* (all without a word) of the chosen *integrations* (all that work).

    An action is chosen as ``list-leads``, in whichever integration it is, or as ``close/list-leads``. With
    *read_only*, only those that are known to change nothing.

    Raises:
        UnknownIntegration, ConfigError: A chosen integration is not there, or broken.
        UnknownAction: No chosen integration has a chosen action.
        UsageError: A chosen action would let its input reach a header of the credentials.
    """
    every = core.declared.integrations
    names = tool_names((name, action) for name in every for action in core.action_names(every[name]))
    found = [core.integration(name) for name in (every if integrations is None else dict.fromkeys(integrations))]
    pairs = {(one.name, action): one for one in found for action in core.action_names(one)}
    _check(actions or (), pairs)
    tools = []
    for (name, action), integration in pairs.items():
        is_named = actions is not None and not {action, f"{name}/{action}"}.isdisjoint(actions)
        if actions is not None and not is_named:
            continue
        signature = signature_of(integration, core.action(integration, action))
        if signature.protected:
            if is_named:
                raise UsageError(
                    f"integration {name!r}, action {action!r} is no tool: its input reaches the header "
                    f"{signature.protected[0]!r}, which is not for a model to set."
                )
            continue
        if not read_only or signature.annotations.read_only:
            tools.append(Tool(name=names[name, action], signature=signature))
    return tuple(tools)


def _check(actions: Collection[str], pairs: Iterable[tuple[str, str]]) -> None:
    if isinstance(actions, str):
        raise UsageError("actions= is a list of names.")
    known = {action for _, action in pairs} | {f"{name}/{action}" for name, action in pairs}
    for action in actions:
        if action not in known:
            hint = did_you_mean(action, known)
            raise UnknownAction(f"no chosen integration has the action {action!r}. {hint}".rstrip())
