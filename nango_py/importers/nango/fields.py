"""What Nango's Connect form asks for, as our declared fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nango_py.authoring.pasted import PASTED, is_pasted
from nango_py.field import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.importers.keys import Keys

__all__ = ["read_fields"]

_TEXTS = {"title": "title", "prefix": "prefix", "suffix": "suffix", "default_value": "default", "example": "example"}
_ORDER = ("title", "description", "secret", "optional", "default", "pattern", "format", "enum", "prefix", "suffix",
          "example")  # fmt: skip
_BY_HAND = "filled in by Nango's own code; here whoever connects the account gives it"
_SECRET = re.compile(r"(secret|password|passwd|private_?key|api_?key|token|jwt|assertion|pat|pin)$", re.IGNORECASE)
_LAST = 1_000_000


def read_fields(
    keys: Keys,
    *,
    page: str | None,
    secrets: bool = False,
    brought: frozenset[str] = frozenset(),
    named: frozenset[str] = frozenset(),
) -> dict[str, dict[str, Any]]:
    """Return the fields of one section, in the order in which people are asked; *page* is what they are led to.

    *secrets* says whether what sounds like a secret is one: theirs are marked in one of five. *brought* are the names
    that a token answer or a callback brings, *named* those that requests name.
    """
    found = []
    for name in keys:
        field = keys.below(name)
        order = field.take("order")
        made = _field(field, page, is_secret=secrets and _SECRET.search(name) is not None)
        if name in brought:
            field.take("automated")
            made["optional"] = True
        elif field.flag("automated"):
            field.note("automated", "changed", _BY_HAND)
            if name not in named:
                made["optional"] = True
        found.append((order if isinstance(order, int) else _LAST, name, _in_order(made)))
    # Sorting keeps fields of the same order as they were written.
    return {name: field for _, name, field in sorted(found, key=lambda one: one[0])}


def _in_order(field: Mapping[str, Any]) -> dict[str, Any]:
    return {key: field[key] for key in _ORDER if key in field}


def _field(keys: Keys, page: str | None, *, is_secret: bool) -> dict[str, Any]:
    field: dict[str, Any] = {}
    for theirs, ours in _TEXTS.items():
        text = keys.text(theirs)
        if text or (text == "" and ours == "default"):
            field[ours] = text
    if description := _described(keys.text("description"), page, keys.text("doc_section")):
        field["description"] = description
    if keys.flag("secret") or is_secret:
        field["secret"] = True
        if is_pasted("secret", field.get("default")):
            del field["default"]
            keys.note("default_value", "lost", PASTED)
    if keys.flag("optional"):
        field["optional"] = True
    if keys.flag("hidden"):
        keys.note("hidden", "not_needed", "nobody has to fill it in")
        field |= {} if "default" in field else {"optional": True}
    field |= _form(keys)
    if keys.text("type") not in {None, "string"}:
        keys.note("type", "lost", "values of connections are texts")
    keys.drop("warnings", "not_needed", "a note of Nango's form beside a choice")
    keys.drop("visible_when", "not_needed", "when Nango's form shows the field")
    return field


def _described(text: str | None, page: str | None, section: str | None) -> str:
    """Return what is said of a field, with the place where people find its value."""
    said = (text or "").strip()
    if not (page and section):
        return said
    ended = said if not said or said.endswith((".", "!", "?", ":")) else f"{said}."
    return f"{ended} See {page}{section}".strip()


def _form(keys: Keys) -> dict[str, Any]:
    """Return what a value must look like."""
    form: dict[str, Any] = {}
    if (pattern := keys.text("pattern")) is not None:
        try:
            re.compile(pattern)
            form["pattern"] = pattern
        except (re.error, OverflowError, RecursionError):
            keys.note("pattern", "lost", "it is no regular expression")
    if (name := keys.text("format")) is not None:
        if name in FORMATS:
            form["format"] = name
        else:
            keys.note("format", "lost", f"there is no format {name!r}")
    if values := keys.texts("enum"):
        form["enum"] = list(values)
    return form
