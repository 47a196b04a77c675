"""Read the answer to a login, whatever its form: JSON, XML, plain text, headers and cookies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nango_py.auth.grant import TokenAnswer

__all__ = ["WHOLE", "as_json", "header_values"]

WHOLE = "access_token"
"""What the token is called of an answer that is nothing else."""
_COOKIES = "set-cookie"
_REFUSED = 400


def as_json(answer: TokenAnswer, *, is_xml: bool, is_text: bool, may_be_empty: bool) -> TokenAnswer:
    """Return the answer with its body as a JSON object, where there is a way to see it as one."""
    text = answer.body.decode("utf-8", "replace").strip()
    if text.startswith("<") and (is_xml or "xml" in answer.headers.get("Content-Type", "").lower()):
        return _with_body(answer, _xml(answer.body))
    if answer.status < _REFUSED and is_text and text and not text.startswith(("{", "<")):
        return _with_body(answer, {WHOLE: _plain(text)})
    if answer.status < _REFUSED and may_be_empty and not text:
        return _with_body(answer, {})
    return answer


def _with_body(answer: TokenAnswer, data: Any) -> TokenAnswer:
    return answer if data is None else replace(answer, body=json.dumps(data).encode())


def _xml(body: bytes) -> Any:
    from nango_py.auth.xml_body import read_xml  # noqa: PLC0415 - rarely needed

    try:
        return read_xml(body)
    except ValueError:
        return None


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def header_values(answer: TokenAnswer, names: tuple[str, ...]) -> dict[str, str]:
    """Return what the named headers hold: under their names in lower case, each cookie under its own.

    ``_cookies`` is the value of a ``Cookie`` header that sends them all.
    """
    found: dict[str, str] = {}
    for name in names:
        texts = answer.headers.get_list(name)
        if name.lower() == _COOKIES:
            cookies = dict(_cookie(text) for text in texts)
            kept = {cookie: value for cookie, value in cookies.items() if cookie and value}
            joined = "; ".join(f"{cookie}={value}" for cookie, value in kept.items())
            found |= {**kept, "_cookies": joined} if joined else {}
        elif texts:
            found[name.lower()] = texts[0]
    return found


def _cookie(text: str) -> tuple[str, str]:
    name, _, value = text.partition(";")[0].partition("=")
    return name.strip(), value.strip()
