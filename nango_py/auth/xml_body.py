"""Write and read the XML of token requests as plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, SubElement, TreeBuilder, tostring
from xml.parsers import expat

from nango_py.template import to_text

__all__ = ["read_xml", "written_xml"]

_DEEPEST = 64
_NAME = re.compile(r"[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?")
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (section 2.2)."""


def written_xml(data: Mapping[str, Any]) -> bytes:
    """Return the document of *data*: a key is an element, ``$key`` an attribute, a list an element for each item.

    Raises:
        ValueError: There is not exactly one root, or a name or value that XML cannot hold.
    """
    if len(data) != 1:
        raise ValueError("an XML body needs exactly one outermost element")
    ((name, value),) = data.items()
    root = Element(_named(name))
    _fill(root, value)
    return tostring(root, encoding="unicode").encode()


def _fill(element: Element, value: Any) -> None:
    if not isinstance(value, Mapping):
        element.text = None if value is None else _text(element.tag, value)
        return
    for name, item in value.items():
        if name.startswith("$"):
            element.set(_named(name[1:]), _text(name, item))
            continue
        for one in item if isinstance(item, list | tuple) else (item,):
            _fill(SubElement(element, _named(name)), one)


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an XML element")
    return name


def _text(name: str, value: Any) -> str:
    text = to_text(value, name)
    if _UNFIT.search(text):
        raise ValueError(f"the value of {name!r} holds a character that XML cannot")
    return text


def read_xml(body: bytes) -> dict[str, Any]:
    """Return a document as data: texts, mappings, and lists where an element is repeated; attributes are left out.

    Raises:
        ValueError: It is not well-formed, nested too deeply, or declares a document type, which may hide entities.
    """
    builder, parser, depth = TreeBuilder(), expat.ParserCreate(), 0

    def start(name: str, _attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("the XML is nested too deeply")
        builder.start(name.rpartition(":")[2], {})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition(":")[2])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_declaration
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, UnicodeError):  # it may name an encoding that nobody knows
        raise ValueError("the XML is not well-formed") from None
    root = builder.close()
    return {root.tag: _data(root)}


def _refuse_declaration(*_declared: Any) -> NoReturn:
    raise ValueError("the XML declares a document type")


def _data(element: Element) -> Any:
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        value = _data(child)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found
