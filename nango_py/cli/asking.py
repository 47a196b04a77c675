"""Ask on a terminal what no option gives, or say which options are missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from nango_py.cli.engine import pairs
from nango_py.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nango_py.authoring.questions import Key
    from nango_py.authoring.scratch import Answers

__all__ = ["answers", "auth_given"]

_NONE = "none"


def answers(name: str, given: Mapping[str, Any], *, asks: bool) -> Answers:
    """Return what is known of an API: what options have *given*, and, where it *asks*, what is answered.

    Raises:
        UsageError: Something that has to be known is not, or an option gives what does not exist.
    """
    from nango_py.authoring.questions import page_types
    from nango_py.authoring.scratch import Answers

    asker = _Asker(given=given, asks=asks)
    display_name = asker.text("display_name", "Provider's name", default=name.replace("-", " ").title())
    docs_url = asker.text("docs_url", "URL of its documentation")
    base_url = asker.text("base_url", "Base URL of its API, such as https://api.example.com/v1/", required=True)
    auth = _auth(asker)
    path = asker.text("verification_path", "Path of a GET that tells who one is, such as me")
    identity = asker.text("identity", "Where its answer names the account") if path else ""
    types = (_NONE, *page_types())
    kind = asker.text("pagination_type", "How lists are walked", default=_NONE, words=types)
    pagination = _pagination(asker, kind)
    if asker.missing:
        raise UsageError(f"there is no terminal to ask on: give {', '.join(asker.missing)}.")
    return Answers(
        name=name,
        base_url=base_url,
        auth=auth,
        display_name=display_name,
        docs_url=docs_url,
        verification_path=path,
        identity=identity,
        pagination=pagination,
    )


def auth_given(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the ``auth`` that options give, or None where they give none."""
    if given["auth_mode"] is None and not given["auth"]:
        return None
    asker = _Asker(given=given, asks=False)
    auth = _auth(asker)
    if asker.missing:
        raise UsageError(f"auth is not known: give {', '.join(asker.missing)}.")
    return auth


def _auth(asker: _Asker) -> dict[str, Any]:
    from nango_py.auth import SCHEMES
    from nango_py.auth.api_key import ApiKey
    from nango_py.authoring.questions import auth_keys, auth_schema, given_keys, mode_of

    word = asker.text(
        "auth_mode", "How requests are signed", default=ApiKey.mode, required=True, words=tuple(SCHEMES)
    )
    if not word:
        return {}
    mode = mode_of(word)
    return {"auth_mode": mode, **given_keys(asker.keys("auth", auth_keys(mode)), auth_schema(mode), "--auth")}


def _pagination(asker: _Asker, kind: str) -> dict[str, Any]:
    from nango_py.authoring.questions import given_keys, page_keys, page_schema, page_types

    if kind in {"", _NONE}:
        if asker.given["pagination"]:
            raise UsageError("--pagination gives keys of a type that --pagination-type does not name.")
        return {}
    if kind not in page_types():
        raise UsageError(f"--pagination-type is one of {', '.join(page_types())}, not {kind!r}.")
    return {"type": kind, **given_keys(asker.keys("pagination", page_keys(kind)), page_schema(), "--pagination")}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """Find each answer among the options, or ask for it, or note that it is missing."""

    given: Mapping[str, Any]
    asks: bool
    missing: list[str] = field(default_factory=list)

    def text(
        self, name: str, text: str, *, default: str = "", required: bool = False, words: Sequence[str] = ()
    ) -> str:
        """Return the answer to one question; an empty text where nothing is said."""
        given: str | None = self.given[name]
        if given or (given is not None and not required):
            return given
        if self.asks:
            return _asked(text, default, words, required=required, is_url=name.endswith("_url"))
        if required:
            self.missing.append(f"--{name.replace('_', '-')}")
        return ""

    def keys(self, name: str, wanted: Iterable[Key]) -> dict[str, str]:
        """Return the keys that an option gives as ``KEY=VALUE``, with what is answered of those *wanted*."""
        found = pairs(self.given[name], option=f"--{name}", form="KEY=VALUE")
        for key in wanted:
            if key.name in found:
                continue
            if self.asks:
                is_url = key.name.endswith("_url")
                said = _asked(key.text, key.default, key.words, required=key.required, is_url=is_url)
                found |= {key.name: said} if said and said != key.default else {}
            elif key.required:
                self.missing.append(f"--{name} {key.name}=...")
        return found


def _asked(text: str, default: str, words: Sequence[str], *, required: bool, is_url: bool) -> str:
    """Return what is answered on the terminal; what cannot be an answer is asked again."""
    return str(
        click.prompt(
            text,
            default=None if required and not default else default,
            show_default=bool(default),
            type=click.Choice(words, case_sensitive=False) if words else None,
            value_proc=_url if is_url else None,
        )
    ).strip()


def _url(answer: str) -> str:
    if answer and not answer.strip().startswith(("https://", "http://", "${")):
        raise click.BadParameter("a URL begins with https://, or with a placeholder that brings it.")
    return answer
