"""What the placeholders of one entry may name, and what we call it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_py.importers.nango.language import Ref, Untranslatable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Names"]

_SINGLE = {
    "accessToken": "access_token",
    "access_token": "access_token",
    "apiKey": "api_key",
    "clientId": "oauth_client_id",
    "clientSecret": "oauth_client_secret",
    "password": "password",
    "refresh_token": "refresh_token",
    "token": "token",
    "assertion": "assertion",
    "username": "username",
}
_ANYWHERE = frozenset({"assertion", "oauth_client_id", "oauth_client_secret", "refresh_token", "token"})
"""Names that do not hang on the scheme, or that the place decides on."""
_REQUEST = {
    "method": "request.method",
    "host": "request.host",
    "path": "request.path",
    "params": "request.query",
    "bodyCanonicalParams": "request.body",
    "endpoint": "request.path",
}
"""What headers may name of the request that bears them."""
_TOKENS = {"token": "access_token", "access_token": "access_token", "refresh_token": "refresh_token"}
"""What Nango keeps among the credentials of a mode that obtains tokens."""
_PARTS = {"id": 0, "secret": 1}
"""What Nango's code makes of a key `id:secret`."""
_STEP = re.compile(r"step[1-9][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Find our names for theirs."""

    config: Mapping[str, Mapping[str, Any]]
    """The declared fields of `connection_config`."""
    picked: frozenset[str]
    """What a token answer or a callback brings into it."""
    credentials: Mapping[str, Mapping[str, Any]]
    """The declared fields of `credentials`, by their own names."""
    renamed: Mapping[str, str]
    """What a credential is called here, where it is called otherwise."""
    provided: frozenset[str]
    """What the auth scheme itself keeps and supplies, by our names."""
    signs_assertion: bool
    names_request: bool = False
    """Whether it is headers that are translated, which may name parts of the request."""
    reads_headers: bool
    """Whether headers and cookies of a login's answer are kept with it."""

    def __call__(self, dotted: str) -> Ref:
        """Return our name for a dotted one.

        Raises:
            Untranslatable: Nobody provides it.
        """
        root, _, below = dotted.partition(".")
        if not below:
            return self._single(dotted)
        if root == "connectionConfig":
            return self._of_config(below)
        if root == "credentials":
            return self._credential(below)
        if root == "assertionOption":
            return Ref(text=_member("credentials", below))
        if _STEP.fullmatch(root):
            return Ref(text=root + "".join(_step(name) for name in below.split(".")), may_be="empty")
        raise Untranslatable(f"${{{dotted}}}, which nobody provides")

    def _single(self, name: str) -> Ref:
        if name in _REQUEST and self.names_request:
            return Ref(text=_REQUEST[name], may_be="empty")
        ours = _SINGLE.get(name)
        if ours is None or not (ours in _ANYWHERE or ours in self.provided):
            raise Untranslatable(f"${{{name}}}, which nobody provides")
        return Ref(text=ours, may_be="empty" if name == "password" else "filled")

    def _of_config(self, name: str) -> Ref:
        text = _member("connection_config", name)
        if name in self.picked:
            return Ref(text=text, may_be="absent")
        field = self.config.get(name, {})
        has_path = any("/" in value for value in (*field.get("enum", ()), field.get("default", "")))
        return Ref(text=text, may_be=_may_be(field), has_path=has_path and "enum" in field)

    def _credential(self, below: str) -> Ref:
        name, _, inner = below.partition(".")
        if name == "raw" and inner:
            return Ref(text="raw" + "".join(_step(part) for part in inner.split(".")), may_be="absent")
        if name == "assertion" and self.signs_assertion:
            return Ref(text="assertion")
        if name in _TOKENS and _TOKENS[name] in self.provided and not self.credentials.get(name):
            return Ref(text=_TOKENS[name])
        if self.reads_headers and name not in self.credentials:
            return Ref(text=f"raw{_step(name)}", may_be="absent")
        if inner in _PARTS:
            return Ref(text=f"({_member('credentials', name)} | split(':'))[{_PARTS[inner]}]")
        if inner:
            raise Untranslatable(f"${{credentials.{below}}}, a part of a credential")
        own = self.renamed.get(name)
        return Ref(text=own or _member("credentials", name), may_be=_may_be(self.credentials.get(name, {})))


def _may_be(keys: Mapping[str, Any]) -> Any:
    if keys.get("default") == "":
        return "empty"
    return "absent" if keys.get("optional") and "default" not in keys else "filled"


def _member(root: str, name: str) -> str:
    return root + _step(name)


def _step(name: str) -> str:
    return f".{name}" if name.isidentifier() else "['{}']".format(name.replace("\\", "\\\\").replace("'", "\\'"))
