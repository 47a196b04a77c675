"""Which declared values become part of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.declare.origins import host_of
from nango_py.template import Expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject
    from nango_py.template import Template

__all__ = ["host_names", "urls"]

Name = tuple[str, ...]


def urls(subject: Subject) -> Iterator[tuple[str, Template]]:
    """Yield each URL with a placeholder that credentials may be sent to, with its pointer."""
    for pointer, template in subject.templates:
        is_endpoint = pointer.startswith("/auth/") and pointer.endswith("_url")
        if pointer == "/requests/base_url" or is_endpoint:
            yield pointer, template


def host_names(subject: Subject) -> frozenset[tuple[str, str]]:
    """Return the section and name of every field that is part of a host."""
    credentials = {field.name for field in subject.integration.credentials}
    names = {name for _, template in urls(subject) for part in host_of(template.parts) for name in _names(part)}
    return frozenset(
        ("credentials", name[-1]) if len(name) == 1 and name[0] in credentials else (name[0], name[1])
        for name in names
        if len(name) > 1 or name[0] in credentials
    )


def _names(part: str | Expression) -> frozenset[Name]:
    return part.names if isinstance(part, Expression) else frozenset()
