"""Make up what a simulated provider's account holder would bring: credentials, and where the account lives."""

from __future__ import annotations

import random
import re
import string
from typing import TYPE_CHECKING, Any

from nango_py.errors import UsageError
from nango_py.field import FORMATS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nango_py.field import Field

__all__ = ["made_up", "made_up_text"]

_OF_FORMAT = {
    "domain-label": "acme",
    "hostname": "acme.example.com",
    "email": "ann@example.com",
    "uri": "https://acme.example.com/",
    "uuid": "7f7b5e7e-8e0b-4c39-9d2f-5a4d5b0c2a11",
}


def made_up_text(name: str, seed: int) -> str:
    """Return a text that looks like a secret and stands nowhere else."""
    return f"{name.replace('_', '-')}-{random.Random(f'{seed}:{name}').getrandbits(80):020x}"  # noqa: S311 - a test's


def made_up(
    fields: Iterable[Field], seed: int, named: Collection[str] = (), *, varies: bool = False
) -> dict[str, Any]:
    """Return a value for each field that has to be given, or is among the *named* ones.

    Examples and what fits a format are the same for every *seed*, unless the values are to vary.

    Raises:
        UsageError: A field declares a pattern, and nothing that fits it.
    """
    return {
        field.name: _value(field, seed, varies=varies)
        for field in fields
        if field.required or field.default is not None or field.name in named
    }


def _value(field: Field, seed: int, *, varies: bool) -> str:
    text = made_up_text(field.name, seed)
    candidates = (
        *field.enum[:1],
        *([field.default] if field.default else []),
        *([field.example] if field.example and not field.secret else []),
        *([_OF_FORMAT[field.format]] if field.format else []),
        text,
        re.sub(r"[^A-Za-z0-9]", "", text),
        re.sub(r"\D", "", text),
        *([field.example] if field.example else []),
    )
    if varies and seed:
        others = field.enum[1:] if field.enum else (other for one in candidates for other in _others(one, seed))
        candidates = (*others, *candidates)
    for candidate in candidates:
        if _fits(field, candidate):
            return candidate
    raise UsageError(f"simulate(): nothing made up fits the pattern of {field.name!r}: give it, or an example.")


def _others(text: str, seed: int) -> Iterator[str]:
    """Yield texts of the same form: another letter or digit in place of one, from the first on."""
    for alphabet in ("0123456789", "abcdef", string.ascii_lowercase, string.ascii_uppercase):
        for at, sign in enumerate(text):
            if sign in alphabet:
                other = alphabet[(alphabet.index(sign) + seed) % len(alphabet)]
                yield f"{text[:at]}{other}{text[at + 1 :]}"


def _fits(field: Field, text: str) -> bool:
    if field.pattern and not re.search(field.pattern, text):
        return False
    if field.format and not FORMATS[field.format].fullmatch(text):
        return False
    return not field.enum or text in field.enum
