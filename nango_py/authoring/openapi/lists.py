"""Guess which operations are lists, and how their pages follow each other, by the names that APIs commonly use.

A guess is made here once, at authoring time, and written down as data with what it was made from; nothing is guessed
while requests are sent.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nango_py.authoring.foreign import mapping
from nango_py.authoring.openapi.schemas import schema_of
from nango_py.authoring.openapi.spec import is_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nango_py.authoring.openapi.spec import Operation, Parameter, Spec

__all__ = ["Guess", "asks_for_page", "guess_of", "items_in", "usual_of", "written_for"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CURSORS: Final = _words(
    "cursor after pagetoken nexttoken nextpagetoken startingafter startcursor continuationtoken pagecursor "
    "nextcursor marker paginationtoken bookmark searchafter afterid scrollid pageinfo continue"
)
_OFFSETS: Final = _words("offset skip start startat startindex pageoffset")
_PAGES: Final = _words("page pagenumber pagenum pageno pageindex currentpage")
_LIMITS: Final = _words(
    "limit perpage pagesize maxresults pagelimit maxpagesize itemsperpage resultsperpage numresults max count "
    "size first top take"
)
_ITEMS: Final = ("data", "items", "results", "records", "values", "value", "entries", "objects", "list", "content")
_NEXT_CURSORS: Final = _words(
    "nextcursor nextpagetoken nexttoken continuationtoken nextpagecursor endcursor nextmarker scrollid "
    "nextoffset lastid"
)
_NEXT_WITHIN: Final = _words("after next cursor")
"""Names of a cursor where they stand below one of the following."""
_ENVELOPES: Final = _words("cursors cursor paging pagination meta page pageinfo responsemetadata next pages")
_NEXT_LINKS: Final = _words("next nextlink nexturl nextpageurl nextpage odatanextlink nexthref")
_MORE: Final = _words("hasmore hasnextpage hasnext more moreavailable hasmoreitems")
_TOTALS: Final = _words("totalpages pagecount lastpage pages numpages")
_MOST: Final = 1000
_PER_ACTION: Final = ("cursor_", "link_", "has_more_", "total_pages_", "limit")
"""Keys that would also count for a list of another kind, so that it has to take them away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How a list is walked: keys of ``pagination``, the parameters that this settles, and what it was made from."""

    keys: Mapping[str, Any]
    items: str
    """The path of the items; an empty text means the whole answer."""
    settled: frozenset[str] = frozenset()
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A value in the schema of an answer: its path, its name in lower case without signs, its type."""

    path: str
    word: str
    above: str
    kind: str
    is_link: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """What there is to guess from."""

    params: Mapping[str, Parameter]
    seen: tuple[_Seen, ...]
    items: str
    headers: frozenset[str] = field(default_factory=frozenset)

    def param(self, words: Iterable[str]) -> Parameter | None:
        return next((one for name, one in self.params.items() if _word(name) in words), None)

    def value(self, words: Iterable[str], kinds: Iterable[str]) -> _Seen | None:
        return next((one for one in self.seen if one.word in words and one.kind in kinds), None)


def guess_of(spec: Spec, operation: Operation) -> Guess | None:
    """Return how the pages of an operation follow each other; None where it is no list, or nothing tells."""
    if operation.method != "get" or not is_json(operation.answer.media):
        return None
    schema = schema_of(spec, operation.answer.schema, "output")
    items = items_in(schema)
    if items is None:
        return None
    params = {one.name: one for one in operation.parameters if one.place == "query"}
    signs = _Signs(params=params, seen=tuple(_seen(schema)), items=items, headers=operation.answer.headers)
    found = _cursor(signs) or _link(signs) or _offset(signs) or _page(signs)
    if found is None:
        return None
    keys, settled, words = found
    size = _size(spec, signs.param(_LIMITS))
    if size:
        settled, words = (
            [*settled, size["limit_name_in_request"]],
            [*words, f"the parameter {size['limit_name_in_request']!r}"],
        )
    return Guess(keys={**keys, **size}, items=items, settled=frozenset(settled), signs=tuple(words))


def asks_for_page(operation: Operation) -> bool:
    """Tell whether a parameter asks for a certain page, whatever the answer says of the next one."""
    words = {_word(one.name) for one in operation.parameters if one.place == "query"}
    return bool(words & (_CURSORS | _OFFSETS | _PAGES))


_Found = tuple[dict[str, Any], list[str], list[str]]


def _cursor(signs: _Signs) -> _Found | None:
    param = signs.param(_CURSORS)
    if param is None:
        return None
    more = signs.value(_MORE, {"boolean"})
    keys: dict[str, Any] = {"type": "cursor", "cursor_name_in_request": param.name}
    words = [f"the parameter {param.name!r}"]
    within = (one for one in signs.seen if one.word in _NEXT_WITHIN and one.above in _ENVELOPES)
    answer = (
        signs.value(_NEXT_CURSORS, {"string", "integer"})
        or next((one for one in within if one.kind in {"string", "integer"} and not one.is_link), None)
        or signs.value({"next", "cursor"} if _word(param.name) == "cursor" else set(), {"string"})
    )
    if answer is not None:
        keys["cursor_path_in_response"] = answer.path
        words.append(f"{answer.path!r} in the answer")
    elif more is not None and signs.items and _word(param.name) in {"after", "startingafter", "afterid"}:
        keys["cursor_path_in_response"] = f"{signs.items}[-1].id"
        words.append(f"{more.path!r} in the answer, so that the last item's id leads on")
    else:
        return None
    return keys | ({"has_more_path_in_response": more.path} if more else {}), [param.name], words


def _link(signs: _Signs) -> _Found | None:
    pages = [one.name for one in (signs.param(_PAGES), signs.param(_CURSORS), signs.param(_OFFSETS)) if one]
    if "link" in signs.headers:
        return {"type": "link", "link_rel_in_response_header": "next"}, pages, ["the answer's header 'Link'"]
    answer = next((one for one in signs.seen if one.kind == "string" and _leads_on(one)), None)
    if answer is None:
        return None
    keys = {"type": "link", "link_path_in_response_body": answer.path}
    return keys, pages, [f"{answer.path!r} in the answer"]


def _leads_on(seen: _Seen) -> bool:
    """Tell whether a text looks like the next page's URL; a bare `next_page` may as well be its number."""
    if seen.word == "href":
        return seen.above == "next"
    is_sure = seen.is_link or seen.above in {"links", "paging"} or seen.word != "nextpage"
    return seen.word in _NEXT_LINKS and is_sure


def _offset(signs: _Signs) -> _Found | None:
    param = signs.param(_OFFSETS)
    if param is None:
        return None
    keys: dict[str, Any] = {"type": "offset", "offset_name_in_request": param.name}
    if _stated(param, "default", "minimum") == 1:
        keys["offset_start_value"] = 1
    if (more := signs.value(_MORE, {"boolean"})) is not None:
        keys["has_more_path_in_response"] = more.path
    return keys, [param.name], [f"the parameter {param.name!r}"]


def _page(signs: _Signs) -> _Found | None:
    param = signs.param(_PAGES)
    if param is None or mapping(param.schema).get("type") == "object":
        return None
    keys: dict[str, Any] = {"type": "page", "page_name_in_request": param.name}
    if _stated(param, "default", "minimum") == 0:
        keys["page_start_value"] = 0
    if (total := signs.value(_TOTALS, {"integer"})) is not None:
        keys["total_pages_path_in_response"] = total.path
    elif (more := signs.value(_MORE, {"boolean"})) is not None:
        keys["has_more_path_in_response"] = more.path
    return keys, [param.name], [f"the parameter {param.name!r}"]


def _size(spec: Spec, param: Parameter | None) -> dict[str, Any]:
    if param is None:
        return {}
    schema = mapping(spec.follow(param.schema))
    sizes = [size for name in ("maximum", "default") if type(size := schema.get(name)) is int and 1 <= size <= _MOST]
    return {"limit_name_in_request": param.name, **({"limit": sizes[0]} if sizes else {})}


def _stated(param: Parameter, *names: str) -> Any:
    schema = mapping(param.schema)
    return next((schema[name] for name in names if name in schema), None)


# The answer


def items_in(schema: Mapping[str, Any]) -> str | None:
    """Return the path of the list in an answer, an empty one where the answer is the list; None without any."""
    if schema.get("type") == "array":
        return ""
    properties = mapping(schema.get("properties"))
    lists = [name for name, member in properties.items() if _is_list(member)]
    for name in _ITEMS:
        if name in lists:
            return _path("", name)
    objects = [name for name in lists if mapping(properties[name].get("items")).get("type", "object") == "object"]
    if len(objects) == 1:
        return _path("", objects[0])
    inner = mapping(properties.get("data"))
    below = items_in(inner) if _is_object(inner) else None
    return f"data.{below}" if below else None


def _is_list(member: Mapping[str, Any]) -> bool:
    kinds = member.get("type", ())
    return "array" in ([kinds] if isinstance(kinds, str) else kinds)


def _is_object(member: Mapping[str, Any]) -> bool:
    return bool(mapping(member.get("properties")))


def _seen(schema: Mapping[str, Any], before: str = "", above: str = "", depth: int = 0) -> Iterator[_Seen]:
    for name, member in mapping(schema.get("properties")).items():
        kinds = member.get("type", ())
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        path = _path(before, name)
        if path is None:
            continue
        for kind in kinds:
            if kind in {"string", "integer", "boolean"}:
                is_link = member.get("format") == "uri" or _word(name).endswith(("url", "link", "href"))
                yield _Seen(path=path, word=_word(name), above=above, kind=kind, is_link=is_link)
        if _is_object(member) and depth < 2:  # noqa: PLR2004 - a cursor in an item's own objects is none of the list
            yield from _seen(member, f"{path}.", _word(name), depth + 1)


def _path(before: str, name: str) -> str | None:
    """Return a path to a member; None where plain paths have no way to write it."""
    return None if re.search(r"[\[\]()|&*?\"'`\s]", name) or not name else f"{before}{name}"


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


# What most lists have in common


def usual_of(guesses: Iterable[Guess]) -> dict[str, Any] | None:
    """Return the pagination that most lists agree on, with where most of those have their items."""
    found = list(guesses)
    if not found:
        return None
    keys = Counter(tuple(sorted(one.keys.items())) for one in found).most_common(1)[0][0]
    items = Counter(one.items for one in found if tuple(sorted(one.keys.items())) == keys).most_common(1)[0][0]
    order = next(one.keys for one in found if tuple(sorted(one.keys.items())) == keys)
    return {**order, **({"response_path": items} if items else {})}


def written_for(guess: Guess, usual: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return an action's ``paginate`` and ``output`` where the blueprint's pagination is *usual*."""
    output = {} if guess.items == usual.get("response_path", "") else {"items": guess.items or "@"}
    own = {name: value for name, value in guess.keys.items() if usual.get(name) != value}
    own |= {name: None for name in usual if name not in guess.keys and name.startswith(_PER_ACTION)}
    return own or True, output
