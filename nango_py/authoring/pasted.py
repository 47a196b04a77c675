"""Tell a secret that somebody pasted into a file from a value that belongs there."""

from __future__ import annotations

import re
from typing import Any, Final

from nango_py.masking import is_harmless

__all__ = ["PASTED", "is_pasted"]

PASTED: Final = "it looks like a secret in plain text: it was not copied"
_BEARERS: Final = re.compile(r"(?:proxy-)?authorization|cookie", re.IGNORECASE)
_SECRETS: Final = re.compile(
    r"(?:(?:access|api|auth|dev|private|secret)[-_]?key|credential|jwt|passphrase|passwd|password|secret|signature|token)\Z",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(r"(?:signature|token)\Z", re.IGNORECASE)
_SHORTEST: Final = 4
"""Characters of a token or a signature that could be one: `v1` and `1` say something else of it."""
_WORDS: Final = re.compile(r"(?:[A-Za-z]+(?:[ _-][A-Za-z]+)*)?")
"""What no provider hands out as a key: `no-check` is a usual X-Atlassian-Token, `x` a usual password."""


def is_pasted(name: str, value: Any) -> bool:
    """Tell whether a template without placeholders looks like a secret, under a *name* such as Authorization."""
    if not isinstance(value, str) or "${" in value.replace("$${", ""):
        return False
    if _BEARERS.fullmatch(name):
        return not value.strip().isalpha() and value.strip() != ""
    if is_harmless(name) or (_MARKS.search(name) and len(value) < _SHORTEST):
        return False
    return bool(_SECRETS.search(name)) and not _WORDS.fullmatch(value)
