"""Declared fields: what a connection must hold, and how a given value is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from nango_py.location import did_you_mean
from nango_py.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["FORMATS", "Field", "FieldError", "read_fields"]

_PEM = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]{1,40})-----[A-Za-z0-9+/=\s]+-----END \1-----\s*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HALF = re.compile("[\ud800-\udfff]")
_LONGEST = 65_536
"""Characters of a value that a pattern is tried on: the time that takes may grow much faster than the value."""
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
FORMATS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "domain-label": re.compile(_LABEL),
        "hostname": re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*"),
        "email": re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+"),
        "uri": re.compile(r"https?://[^\s/?#@]+(?:[/?#]\S*)?"),
        "uuid": re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    }
)
"""What each declared format matches, as a whole."""


class FieldError(ValueError):
    """A value does not fit its declaration; the message names the field and never quotes the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Declare one value of a connection.

    ``prefix`` and ``suffix`` are taken off a pasted value, whatever their case, so that ``https://acme.example.com``
    becomes ``acme``; where a host is asked for, so is the path behind it.
    """

    name: str
    title: str = ""
    description: str = ""
    secret: bool = False
    optional: bool = False
    default: str | None = None
    pattern: str | None = None
    format: Literal["domain-label", "hostname", "email", "uri", "uuid"] | None = None
    enum: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""
    example: str = ""

    @property
    def required(self) -> bool:
        """Tell whether a value must be given."""
        return not self.optional and self.default is None

    def read(self, value: Any) -> str | None:
        """Return the value to keep: normalised, checked, or the default; None when an optional one is absent.

        Raises:
            FieldError: The value is missing or does not fit.
        """
        text = self._text(value)
        if not text:
            if self.required:
                raise FieldError(f"{self.name!r} is missing{f' ({self.title})' if self.title else ''}.")
            return self.default
        # A key in PEM has lines; into a header it cannot get, those are checked again.
        if _CONTROL.search(text) and not _PEM.fullmatch(text):
            raise FieldError(f"{self.name!r} holds a control character, such as a line break.")
        if _HALF.search(text):
            raise FieldError(f"{self.name!r} holds half a surrogate pair, which nothing can be sent as.")
        if self.enum and text not in self.enum:
            raise FieldError(f"{self.name!r} must be one of: {', '.join(self.enum)}.")
        if len(text) > _LONGEST and (self.pattern or self.format):
            raise FieldError(f"{self.name!r} has more than {_LONGEST:,} characters, to which no pattern is put.")
        if self.pattern and not re.search(self.pattern, text):
            raise FieldError(f"{self.name!r} does not match the declared pattern{self._example()}.")
        if self.format and not FORMATS[self.format].fullmatch(text):
            raise FieldError(f"{self.name!r} is no {self.format}{self._example()}.")
        return text

    def _text(self, value: Any) -> str:
        if isinstance(value, Secret):
            value = value.reveal()
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise FieldError(f"{self.name!r} must be a text, not {type(value).__name__}.")
        text = str(value)
        # A space around a password may belong to it; around anything else it came with the pasting.
        return text if self.secret else self._bare(text.strip())

    def _bare(self, text: str) -> str:
        """Return what people mean when they paste more than they were asked for."""
        short = _without_prefix(text, self.prefix) if self.prefix else text
        host = re.split(r"[/?#]", short, maxsplit=1)[0]
        is_address = short != text or bool(self.suffix and host.lower().endswith(self.suffix.lower()))
        # An address bar ends a host with a slash; what comes after that is somebody's, unless a name is wanted.
        is_bare = self.format in {"domain-label", "hostname"} or short == f"{host}/"
        text = host if is_address and is_bare else short
        if self.suffix and text.lower().endswith(self.suffix.lower()):
            text = text[: -len(self.suffix)]
        return text

    def _example(self) -> str:
        return f", as in {self.example!r}" if self.example else ""


def _without_prefix(text: str, prefix: str) -> str:
    scheme, mark, rest = prefix.partition("://")
    # An address bar leaves the scheme out, and people write http for https.
    forms = (prefix, f"http://{rest}", rest) if mark and scheme == "https" else (prefix,)
    for form in forms:
        if form and text.lower().startswith(form.lower()):
            return text[len(form) :]
    return text


def read_fields(fields: Iterable[Field], given: Mapping[str, Any], refuse: Callable[[str], None]) -> dict[str, str]:
    """Return the values that *given* holds for the *fields*; every misfit goes to *refuse*, all of them at once."""
    declared = {field.name: field for field in fields}
    for name in given:
        if name not in declared:
            refuse(f"{name!r} is not declared. {did_you_mean(str(name), declared)}".rstrip())
    values = {}
    for name, field in declared.items():
        try:
            value = field.read(given.get(name))
        except FieldError as error:
            refuse(str(error))
        else:
            if value is not None:
                values[name] = value
    return values
