"""Tell what a file is that was given to the command for another kind of file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from nango_py.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Kind", "expect"]

Kind = Literal["openapi", "airbyte", "nango", "integrations", "blueprint"]

_TOLD: Final[Mapping[Kind, tuple[str, str]]] = {
    "openapi": ("an OpenAPI description", "nango-py blueprints new NAME --from-openapi {}"),
    "airbyte": ("a manifest of a low-code Airbyte connector", "nango-py import airbyte {} --to blueprints"),
    "nango": ("Nango's providers.yaml", "nango-py import nango {} --to blueprints"),
    "integrations": ("integrations of nango_py", "nango-py check --file {}"),
    "blueprint": ("a blueprint of nango_py already", "nango-py check {}"),
}
"""What each kind is, and the command that takes it."""
_OF_PROVIDER: Final = frozenset({"alias", "auth_mode", "proxy"})


def expect(kind: Kind, data: Mapping[str, Any], path: Path) -> None:
    """Refuse the document *data* of *path* where it is clearly of another kind.

    Raises:
        UsageError: It is; the message names the command that takes it.
    """
    found = _kind_of(data)
    if found is not None and found != kind:
        what, command = _TOLD[found]
        raise UsageError(f"{path} seems to be {what}. That goes to: {command.format(shlex.quote(str(path)))}")


def _kind_of(data: Mapping[str, Any]) -> Kind | None:
    # A catalogue may have a provider of any name, but its value is always a mapping with some of its own keys.
    if isinstance(data.get("openapi", data.get("swagger")), str | int | float):
        return "openapi"
    if data.get("type") == "DeclarativeSource" or isinstance(data.get("streams"), list):
        return "airbyte"
    if isinstance(data.get("versions"), Mapping) and isinstance(data.get("name"), str):
        return "blueprint"
    integrations = data.get("integrations")
    if isinstance(integrations, Mapping) and not _OF_PROVIDER & integrations.keys():
        return "integrations"
    is_catalogue = any(isinstance(one, Mapping) and _OF_PROVIDER & one.keys() for one in data.values())
    return "nango" if is_catalogue else None
