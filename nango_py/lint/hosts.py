"""Which declared values become part of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.template import Expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject
    from nango_py.template import Template

__all__ = ["host_names", "urls", "whole_host"]

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
    names = {name for _, template in urls(subject) for part in _host(template) for name in _names(part)}
    return frozenset(
        ("credentials", name[-1]) if len(name) == 1 and name[0] in credentials else (name[0], name[1])
        for name in names
        if len(name) > 1 or name[0] in credentials
    )


def whole_host(template: Template) -> Expression | None:
    """Return the placeholder that is the host of a URL from its beginning to its registered name, where one is."""
    host = list(_host(template))
    if len(host) == 1 and isinstance(host[0], Expression):
        return host[0]
    # A port behind it leaves the name free; a text before or behind it, such as `.example.com`, does not.
    if len(host) == 2 and isinstance(host[0], Expression) and str(host[1]).startswith(":"):  # noqa: PLR2004 - a pair
        return host[0]
    return None


def _host(template: Template) -> Iterator[str | Expression]:
    """Yield the parts of a URL between its scheme and its path."""
    is_first = True
    for part in template.parts:
        if isinstance(part, Expression):
            yield part
        else:
            text = part.partition("://")[2] if is_first and "://" in part else part
            host, slash, _ = text.partition("/")
            if host:
                yield host
            if slash:
                return
        is_first = False


def _names(part: str | Expression) -> frozenset[Name]:
    return part.names if isinstance(part, Expression) else frozenset()
