"""One request of a login, as it is declared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from nango_py.address import endpoint_text
from nango_py.auth.grant import BadAnswer, TokenRequest
from nango_py.template import Template, Tree, render_tree, split, to_text, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BodyFormat", "LoginStep"]

BodyFormat = Literal["json", "form", "xml", "query"]
_STEP = "step"
_UNFIT = re.compile(r"[^\t\x20-\x7e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStep:
    """Say what is sent where; a GET sends its parameters in the query, whatever the format."""

    token_url: Template
    token_params: Mapping[str, Tree] = field(default_factory=dict)
    token_headers: Mapping[str, Tree] = field(default_factory=dict)
    token_request_method: Literal["POST", "GET"] = "POST"  # noqa: S105 - a method, no password
    body_format: BodyFormat | None = None

    @classmethod
    def declare(cls, keys: Mapping[str, Any]) -> Self:
        """Return the step that checked *keys* declare."""
        known = {key: tree(value) for key, value in keys.items() if not key.startswith("x-")}
        return cls(**{**known, "token_url": split(keys["token_url"])})

    @property
    def is_found(self) -> bool:
        """Whether an earlier answer has a say in where the request goes."""
        return any(name[0].startswith(_STEP) for name in self.token_url.names)

    def request(self, values: Mapping[str, Any], usual: BodyFormat, purpose: str, *, is_tls: bool) -> TokenRequest:
        """Return the request; its body has the *usual* format unless the step has its own.

        *is_tls* says that the login began with https, and so it must go on.

        Raises:
            ValueError: A placeholder has no value, or a value does not fit its place.
            BadAnswer: An earlier answer leads from https to http.
        """
        url = endpoint_text(self.token_url, values)
        if self.is_found and is_tls and not url.startswith("https:"):
            raise BadAnswer("was answered with a URL that is not https", status=200)
        data = render_tree(self.token_params, values) or {}
        way = "query" if self.token_request_method == "GET" else self.body_format or usual  # noqa: S105
        return TokenRequest(
            url=url,
            method=self.token_request_method,
            headers=_with_defaults(_headers(render_tree(self.token_headers, values) or {}), way),
            purpose=purpose,
            found=self.is_found,
            **_body(data, way),
        )


def _body(data: Mapping[str, Any], way: BodyFormat) -> dict[str, Any]:
    if way == "json":
        return {"json": data}
    if way == "xml":
        from nango_py.auth.xml_body import written_xml  # noqa: PLC0415 - rarely needed

        return {"content": written_xml(data)}
    if way == "form":
        return {"form": _texts(data)}
    texts = _texts(data)
    pairs = (
        (name, item) for name, value in texts.items() for item in (value if isinstance(value, list) else [value])
    )
    return {"params": tuple(pairs)}


def _texts(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [to_text(item, name) for item in value] if isinstance(value, list) else to_text(value, name)
        for name, value in data.items()
        if value is not None
    }


def _headers(data: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: to_text(value, f"header {name!r}") for name, value in data.items() if value is not None}
    for name, text in texts.items():
        if _UNFIT.search(text):
            raise ValueError(f"header {name!r} holds a character that a header cannot, such as a line break")
    return texts


def _with_defaults(headers: dict[str, str], way: BodyFormat) -> dict[str, str]:
    """Return *headers* with what none of them says, in whatever case."""
    said = {name.lower() for name in headers}
    usual = {"Accept": "application/xml" if way == "xml" else "application/json"}
    if way == "xml":
        usual["Content-Type"] = "application/xml"
    return {**{name: text for name, text in usual.items() if name.lower() not in said}, **headers}
