"""Fill the placeholders of URLs, each value fit for the place where it stands."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from nango_py.field import FORMATS
from nango_py.template import Expression, Template, TemplateError, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["base_part", "base_url_text", "endpoint_text", "placeholders_in_host", "segment"]

_OPEN_BASE = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")
_PORT = re.compile(r"[0-9]{1,5}")
_OPEN_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?(?:\?[^\s#]*)?")


def base_url_text(template: Template, values: Mapping[str, Any]) -> str:
    """Return the base URL, ending in a slash; a value in the host is a name, one in the path a segment.

    Raises:
        TemplateError: A value is missing or does not fit its place; the message names it.
    """
    text = ""
    for part in template.parts:
        text += part if isinstance(part, str) else base_part(part, text, values)
    if not _OPEN_BASE.fullmatch(text):
        raise TemplateError("it is no http or https URL with a host.")
    return text if text.endswith("/") else text + "/"


def base_part(expression: Expression, before: str, values: Mapping[str, Any]) -> str:
    """Return what stands for a placeholder behind the text *before*: an instance URL, a host name or a segment."""
    value = expression.value(values)
    named = f"${{{expression.text}}}"
    if value is None:
        raise TemplateError(f"{named} has no value.")
    text = to_text(value, named)
    if not before:  # the whole beginning of the URL, as an instance URL is
        if not _OPEN_BASE.fullmatch(text):
            raise TemplateError(f"{named} must be an http or https URL without user name, query or fragment.")
        return text.rstrip("/")
    if "/" in before.partition("://")[2]:
        return segment(text, named)
    if before.endswith(":"):
        if not _PORT.fullmatch(text):
            raise TemplateError(f"{named} stands where a port does and must be a number such as 8443.")
        return text
    if not FORMATS["hostname"].fullmatch(text):
        raise TemplateError(f"{named} stands in a host and must be a name such as acme or acme.example.com.")
    return text


def endpoint_text(template: Template, values: Mapping[str, Any]) -> str:
    """Return the URL of an endpoint: a value in the host is a name, one in the path a segment, one behind ? encoded.

    Raises:
        TemplateError: A value is missing or does not fit its place; the message names it.
    """
    text = ""
    for part in template.parts:
        text += part if isinstance(part, str) else _endpoint_part(part, text, values)
    if not _OPEN_URL.fullmatch(text):
        raise TemplateError("it is no http or https URL with a host.")
    return text


def _endpoint_part(expression: Expression, before: str, values: Mapping[str, Any]) -> str:
    if "?" not in before:
        return base_part(expression, before, values)
    value = expression.value(values)
    return "" if value is None else quote(to_text(value, f"${{{expression.text}}}"), safe="")


def segment(text: str, named: str) -> str:
    """Return *text* as one path segment; an empty one, ``.`` and ``..`` are refused, also after decoding."""
    if unquote(unquote(text)).strip() in {"", ".", ".."}:
        raise TemplateError(f"{named} must be one segment of a path, not empty, '.' or '..'.")
    return quote(text, safe="")


def placeholders_in_host(url: Template) -> Iterator[Expression]:
    """Yield the placeholders that stand before the path: they have a say in the origin."""
    before = ""
    for part in url.parts:
        if isinstance(part, str):
            before += part
        elif "/" in before.partition("://")[2]:
            return
        else:
            yield part
            # A placeholder at the very beginning brings the scheme along.
            before += "x" if before else "https://x"


def is_loopback(host: str | None) -> bool:
    """Tell whether a host is this machine (RFC 8252 section 7.3)."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
