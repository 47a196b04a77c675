"""A field that is a secret by its name, and would be shown while it is typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nango_py.lint.mend import AddMember
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

_SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|passphrase|passcode|secret|token|pat|api_?key|access_?key|private_?key|signing_?key|secret_?key|pin)$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
"""Where a word begins in a name such as `clientSecret`."""


def _find(subject: Subject) -> Iterator[Finding]:
    for one in subject.fields():
        name = one.field.name
        if (
            one.field.secret
            or not _SECRET.search(_HUMP.sub(r"_\1", name).lower())
            or "secret" in one.keys
            or one.field.default == ""
        ):
            continue
        if one.section == "credentials":
            message = f"{name!r} is a secret by its name, and is shown while it is typed."
            edit = AddMember(one.pointer(), "secret", value=True)
            yield Finding(pointer=one.pointer(), message=message, at_key=True, edit=edit)
        else:
            message = f"{name!r} is a secret by its name, and connection config is stored and shown in the clear."
            hint = "Declare it among the credentials."
            yield Finding(pointer=one.pointer(), message=message, hint=hint, at_key=True)


RULE = Rule(
    id="secret-not-marked",
    reason="What is not marked is asked for in the open, and may be read over a shoulder.",
    fix="Write `secret: true`, or `secret: false` where it is none.",
    find=_find,
    mends=True,
)
