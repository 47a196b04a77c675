"""A host that is wholly the choice of whoever connects an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_py.declare.origins import is_bound, open_end
from nango_py.document import pointer_to
from nango_py.lint.hosts import urls
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Finding]:
    declared = {
        (section, field.name): field
        for section in ("credentials", "connection_config")
        for field in getattr(subject.integration, section)
    }
    seen = set()
    for pointer, template in urls(subject):
        host = open_end(template.parts)
        for name in sorted(host.names) if host is not None else ():
            key = (name[0], name[1]) if len(name) > 1 else ("credentials", name[0])
            field = declared.get(key)
            if field is None or key in seen or is_bound(field):
                continue
            seen.add(key)
            shown = "${" + ".".join(name) + "}"
            message = f"{shown} ends the host, and may be any text."
            at = pointer_to(*key) if key[1] in subject.data.get(key[0], {}) else pointer
            yield Finding(pointer=at, message=message, at_key=at != pointer)


RULE = Rule(
    id="host-open",
    reason="Credentials are sent to the host that a stranger typed, whatever it is.",
    fix="Say what it may be: `enum`, a `pattern`, `format: hostname`, or better a fixed ending in the URL.",
    find=_find,
)
