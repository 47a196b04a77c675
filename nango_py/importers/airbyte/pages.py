"""Paginators become pagination, record selectors become paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nango_py.importers.airbyte.language import Untranslatable, filled, look_up, sole

if TYPE_CHECKING:
    from nango_py.importers.airbyte.language import LookUp
    from nango_py.importers.airbyte.manifest import Part

__all__ = ["items_path", "pagination_of", "path_text"]

_PLAIN: Final = re.compile(r"[^.\[\]()|&*?\"'`\s]+")
_NOT: Final = re.compile(r"\{\{\s*not\s+(.+?)\s*\}\}")
_IS_FALSE: Final = re.compile(r"\{\{\s*(.+?)\s*(?:==|is)\s*(?:False|false)\s*\}\}")
_LINK: Final = ("link", "next", "url")
_HEADER: Final = "header"
_IN_BODY: Final = frozenset({"body_json", "body_data"})


def pagination_of(part: Part | None, items: str) -> dict[str, Any] | None:
    """Return the pagination of a paginator; None without one, or where it has no counterpart, which is noted."""
    if part is None:
        return None
    if part.kind == "NoPagination":
        return None
    strategy = part.part("pagination_strategy")
    if strategy is None or part.kind not in {"DefaultPaginator", ""}:
        part.forget("lost", f"{part.kind or 'a paginator'} has no counterpart: only the first page is fetched")
        return None
    token, size = part.part("page_token_option"), part.part("page_size_option")
    # Manifests of 2022 have it below the strategy.
    size = size or strategy.part("page_size_option")
    try:
        keys = _strategy(strategy, token, items)
        keys |= _size(strategy, size, part, in_header=keys.get("in_header", False))
    except Untranslatable as reason:
        part.forget("lost", f"only the first page is fetched: {reason}")
        return None
    return keys


def _strategy(strategy: Part, token: Part | None, items: str) -> dict[str, Any]:
    match strategy.kind:
        case "CursorPagination":
            return _cursor(strategy, token, items)
        case "OffsetIncrement":
            strategy.drop("not_needed", "the first request states its offset as well", "inject_on_first_request")
            return {"type": "offset", "offset_name_in_request": _name(token), **_body(token)}
        case "PageIncrement":
            is_stated = strategy.take("inject_on_first_request") is True
            start = strategy.take("start_from_page")
            first = start if isinstance(start, int) else 0
            if first == 0 and not is_stated:
                strategy.note("start_from_page", "changed", "the first request asks for page 0, and not for no page")
            keys = {"type": "page", "page_name_in_request": _name(token), **_body(token)}
            return keys | ({"page_start_value": first} if first != 1 else {})
        case kind:
            raise Untranslatable(f"{kind or 'a strategy without a type'} has no counterpart")


def _name(option: Part | None) -> str:
    """Return the parameter of a request option."""
    if option is None:
        raise Untranslatable("nothing says which parameter carries it")
    path = option.take("field_path")
    name = option.text("field_name") or ".".join(map(str, path if isinstance(path, list) else []))
    where = str(option.keys.get("inject_into"))
    if where not in {"request_parameter", _HEADER, *_IN_BODY} or not name:
        raise Untranslatable(f"it travels in {where!r}")
    return filled(name, option.parameters, _no_name)


def _body(option: Part | None) -> dict[str, Any]:
    where = option.text("inject_into") if option else ""
    if where == _HEADER:
        return {"in_header": True}
    return {"in_body": True} if where in _IN_BODY else {}


def _no_name(found: LookUp) -> str:
    raise Untranslatable(f"its name depends on {found.root}")


def _cursor(strategy: Part, token: Part | None, items: str) -> dict[str, Any]:
    found = sole(strategy.text("cursor_value"))
    if found is None:
        raise Untranslatable("its cursor is computed")
    if token is not None and token.kind == "RequestPath":
        keys = _link(found)
    else:
        keys = {"type": "cursor", "cursor_name_in_request": _name(token), **_body(token), **_answer(found, items)}
    return keys | _stop(strategy, found, keys)


def _link(found: LookUp) -> dict[str, Any]:
    if found.root == "headers" and tuple(part.lower() for part in found.path) == _LINK:
        return {"type": "link", "link_rel_in_response_header": "next"}
    if found.root == "headers" and len(found.path) == 1:
        return {"type": "link", "link_header_in_response": found.path[0]}
    if found.root == "response":
        return {"type": "link", "link_path_in_response_body": path_text(found.path)}
    raise Untranslatable(f"its link is taken from {found.root!r}")


def _answer(found: LookUp, items: str) -> dict[str, Any]:
    if found.root == "response" and found.path:
        return {"cursor_path_in_response": path_text(found.path)}
    if found.root == "headers" and len(found.path) == 1:
        return {"cursor_header_in_response": found.path[0]}
    if found.root == "last_record":
        return {"cursor_path_in_response": f"{items}[-1].{path_text(found.path)}"}
    raise Untranslatable(f"its cursor is taken from {found.root!r}")


def _stop(strategy: Part, cursor: LookUp, keys: dict[str, Any]) -> dict[str, Any]:
    """Return what ends the walk; that there is no cursor any more ends it by itself."""
    text = strategy.text("stop_condition")
    match = _NOT.fullmatch(text.strip()) or _IS_FALSE.fullmatch(text.strip())
    found = look_up(match[1]) if match else None
    is_cursor = found is not None and (found.root, found.path) == (cursor.root, cursor.path)
    if not text or is_cursor or ("link_rel_in_response_header" in keys and "link" in text):
        return {}
    if found is not None and found.root == "response" and found.path:
        return {"has_more_path_in_response": path_text(found.path)}
    strategy.note("stop_condition", "changed", "the walk ends where no cursor comes")
    return {}


def _size(strategy: Part, option: Part | None, part: Part, *, in_header: bool) -> dict[str, Any]:
    stated = strategy.take("page_size")
    stated = option.take("page_size") if stated is None and option is not None else stated
    size = int(stated) if isinstance(stated, int) or (isinstance(stated, str) and stated.isdecimal()) else None
    if stated is not None and size is None:
        strategy.note("page_size", "changed", "callers give `page_size`, and the provider's own counts without it")
    if option is None:
        return {}
    try:
        if (option.keys.get("inject_into") == _HEADER) is not in_header:
            raise Untranslatable("it travels elsewhere than the page")
        name = _name(option)
    except Untranslatable as reason:
        part.note("page_size_option", "lost", str(reason))
        option.keys.clear()
        return {}
    option.take("inject_into")
    return {"limit_name_in_request": name, **({"limit": size} if size else {})}


def items_path(field_path: Any, parameters: Any) -> str:
    """Return the path of a DpathExtractor's field path, as JMESPath where it has wildcards.

    Raises:
        Untranslatable: It depends on the account.
    """
    parts = field_path if isinstance(field_path, list) else [field_path]
    texts = [filled(str(part), parameters, _no_name) for part in parts if part is not None]
    if "*" not in texts:
        return path_text(tuple(texts))
    made = ""
    for text in texts:
        if text == "*":
            made += "[]" if made else "[*]"
        else:
            made += f".{_quoted(text)}" if made else _quoted(text)
    return made


def path_text(path: tuple[str, ...]) -> str:
    """Return a path of ours; names that plain paths have no way to write are quoted as JMESPath has them."""
    if all(_PLAIN.fullmatch(name) for name in path):
        return ".".join(path)
    return ".".join(_quoted(name) for name in path)


def _quoted(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*", name, flags=re.ASCII):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
