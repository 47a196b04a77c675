"""A key that is allowed where it stands, and that nothing reads because of what stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nango_py.document import pointer_to
from nango_py.lint.mend import RemoveMember
from nango_py.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nango_py.lint.rule import Subject

__all__ = ["RULE"]

Unread = tuple[tuple[str, ...], str]
"""Where a key stands, below what was looked at, and why nothing reads it."""

_OF_PAGES: Mapping[str, tuple[str, ...]] = {
    "cursor_": ("cursor",), "allow_repeated_cursor": ("cursor",), "link_": ("link",), "offset_": ("offset",),
    "page_": ("page",), "total_pages_": ("page",), "total_items_": ("offset", "page"),
}  # fmt: skip
"""How the pagination keys begin that some types alone read."""
_OF_LINKS = frozenset({"link_rel_in_response_header", "link_header_in_response", "link_path_in_response_body"})
"""What finds the link that a cursor is taken out of, too."""
_OF_BROWSER = (
    "authorization_params", "authorization_url_skip_encode", "authorization_url_skip_empty",
    "authorization_url_fragment", "authorization_url_replacements", "authorization_code_param_in_callback",
    "redirect_uri_metadata", "disable_pkce",
)  # fmt: skip
"""What is read only where an account is connected in a browser."""
_MEANT = frozenset({"expect", "identity", "items"})
"""Keys that somebody meant, so that what keeps them from being read is the likelier mistake."""


def _find(subject: Subject) -> Iterator[Finding]:
    for pointer, unread in _everything(subject):
        for path, why in unread:
            at = pointer + pointer_to(*path)
            edit = None if path[-1] in _MEANT else RemoveMember(at)
            yield Finding(pointer=at, message=f"nothing reads {path[-1]!r}: {why}.", at_key=True, edit=edit)


def _everything(subject: Subject) -> Iterator[tuple[str, Iterator[Unread]]]:
    data = subject.data
    pagination = data.get("pagination", {})
    yield "/auth", _auth(data["auth"])
    yield "/pagination", _pages(pagination, pagination)
    yield "/retry", _retry(data.get("retry", {}))
    for index, limit in enumerate(data.get("rate_limit", ())):
        yield f"/rate_limit/{index}/headers", _limit_headers(limit.get("headers", {}))
    yield "/verification", _verification(data.get("verification", {}))
    for one in subject.fields():
        yield one.pointer(), _field(one.keys, is_secret=one.field.secret)
    for name, keys, _ in subject.actions():
        at = pointer_to("actions", name)
        yield at, _action(keys)
        if isinstance(own := keys.get("paginate"), dict):
            yield f"{at}/paginate", _pages(own, {**pagination, **own})


def _auth(keys: Mapping[str, Any]) -> Iterator[Unread]:
    if keys.get("placement") == "none":
        yield from (((key,), "`placement` is none") for key in ("name", "value") if key in keys)
    if "authorization_method" in keys and "token_request_auth_method" in keys:
        yield ("authorization_method",), "`token_request_auth_method` says it"
    method = keys.get("token_request_auth_method", "")
    if "token_request_auth_algorithm" in keys and not method.endswith("_jwt"):
        yield ("token_request_auth_algorithm",), "no assertion is signed"
    if not keys.keys() & {"authorization_url", "server_url"}:
        yield from (((key,), "there is no `authorization_url`") for key in _OF_BROWSER if key in keys)
    if not keys.keys() & {"refresh_url", "refresh_token_params"}:
        why = "neither `refresh_url` nor `refresh_token_params` says how a token is renewed"
        yield from (((key,), why) for key in ("refresh_token_headers", "refresh_token_request_method") if key in keys)
    answer = keys.get("token_response", {})
    if "token_expiration_strategy" in answer and "token_expiration" not in answer:
        yield ("token_response", "token_expiration_strategy"), "there is no `token_expiration`"


def _pages(keys: Mapping[str, Any], merged: Mapping[str, Any]) -> Iterator[Unread]:
    kind = merged.get("type")
    for key, value in keys.items():
        readers = next((types for prefix, types in _OF_PAGES.items() if key.startswith(prefix)), (kind,))
        if merged.get("cursor_name_in_link") and key in _OF_LINKS:
            readers = ("link", "cursor")
        if merged.get("has_more_name_in_link") and key == "link_rel_in_response_header":
            readers = (kind,)
        if value is not None and kind not in readers:
            yield (key,), f"the pages are found by {kind}"


def _retry(keys: Mapping[str, Any]) -> Iterator[Unread]:
    if "unit" in keys and not keys.keys() & {"after", "auto"}:
        yield ("unit",), "neither `after` nor `auto` names a header that holds the time left"
    in_body = keys.get("in_body", {})
    if "unit" in in_body and in_body.get("strategy", "after") == "at":
        yield ("in_body", "unit"), "a moment has no unit"


def _limit_headers(keys: Mapping[str, Any]) -> Iterator[Unread]:
    if "unit" in keys and "reset" not in keys:
        yield ("unit",), "there is no `reset`"


def _verification(keys: Mapping[str, Any]) -> Iterator[Unread]:
    if keys.get("method") == "HEAD":
        yield from (((key,), "an answer to HEAD has no body") for key in ("expect", "identity") if key in keys)


def _field(keys: Mapping[str, Any], *, is_secret: bool) -> Iterator[Unread]:
    if is_secret:
        yield from (((key,), "a secret is taken as it was typed") for key in ("prefix", "suffix") if key in keys)
    if keys.get("optional") and keys.get("default"):
        yield ("optional",), "its default stands when it is left out"


def _action(keys: Mapping[str, Any]) -> Iterator[Unread]:
    request, output = keys.get("request", {}), keys.get("output", {})
    if keys.get("paginate") and "x-not-paged" in keys:
        yield ("x-not-paged",), "the action is paginated"
    lists = [request.get(key, {}) for key in ("params", "form", "multipart")]
    if "list_style" in request and not any(lists):
        yield ("request", "list_style"), "there is neither `params` nor `form` nor `multipart`"
    if keys.get("paginate") and "value" in output:
        yield ("output", "value"), "the output is the list of `items`"
    if not keys.get("paginate") and "items" in output:
        yield ("output", "items"), "the action is not paginated, and its output is `value`"


RULE = Rule(
    id="unread-key",
    reason="It looks as if it did something, and whoever wrote it believes so.",
    fix="Remove it, or what keeps it from being read.",
    find=_find,
    mends=True,
)
