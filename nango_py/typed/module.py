"""A whole module: for each integration a class, sync and async, whose methods are its actions."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from nango_py.typed.method import method_of
from nango_py.typed.names import Names, class_name, snake_name
from nango_py.typed.style import STYLES
from nango_py.typed.text import TAB, docstring, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nango_py.actions.signature import Signature
    from nango_py.typed.method import Method

__all__ = ["is_written", "write_module"]

_ORIGIN = "Written by `nango-py types`. Change what is declared, not this file, and write it anew."
_HEAD = f'''\
"""Typed faces of {{names}}.

{_ORIGIN}
"""

# fmt: off
# ruff: noqa

from __future__ import annotations

'''
_IMPORTS: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = (
    (
        ("collections.abc", ("AsyncIterator", "Iterator", "Mapping")),
        ("typing", ("Any", "Literal", "Never", "NotRequired", "TypeAlias", "TypedDict", "Union")),
    ),
    (
        ("pydantic", ("BaseModel", "ConfigDict", "Field", "TypeAdapter")),
        ("typing_extensions", ("TypeAliasType",)),
    ),
    (
        ("nango_py", ("AsyncDownload", "Download")),
        ("nango_py.typed", ("OMITTED", "AsyncFace", "Face", "File", "Omitted")),
    ),
)
_METHODS_OF_A_FACE = ("with_options",)


def is_written(text: str) -> bool:
    """Tell whether a file may be written anew: it came from here, or is empty."""
    return not text.strip() or _ORIGIN in text


def write_module(faces: Mapping[str, Iterable[Signature]], models: str) -> str:
    """Return the text of a module with a face for each integration; the same declarations give the same text.

    *models* is how objects are written down: ``typeddict``, ``pydantic`` or ``msgspec``.
    """
    imported = (name for group in _IMPORTS for _, names in group for name in names)
    names = Names(*imported, "msgspec", *dir(builtins))
    classes = {name: (names.unique(class_name(name)), names.unique(f"Async{class_name(name)}")) for name in faces}
    parts: list[str] = []
    for name, signatures in faces.items():
        plain, beside_a_loop = classes[name]
        methods = list(_methods(signatures, names, plain, models))
        parts += [text for method in methods for text in method.definitions]
        parts += [_face(name, plain, methods, is_async=False), _face(name, beside_a_loop, methods, is_async=True)]
    body = "\n\n".join(parts)
    return f"{_HEAD.format(names=', '.join(faces) or 'nothing')}{_imports(body)}\n\n{body}"


def _methods(signatures: Iterable[Signature], names: Names, face: str, models: str) -> Iterator[Method]:
    own = Names(*_METHODS_OF_A_FACE)
    for signature in signatures:
        name = own.unique(snake_name(signature.name))
        stream = own.unique(f"stream_{name.rstrip('_')}") if signature.is_paginated else ""
        yield method_of(signature, name=name, stream_name=stream, names=names, face=face, style=STYLES[models])


def _face(integration: str, name: str, methods: list[Method], *, is_async: bool) -> str:
    lines = [f"class {name}({'AsyncFace' if is_async else 'Face'}):\n"]
    lines.append(docstring([f"The actions of {integration} for one user."], 1))
    lines.append(f"\n{TAB}_INTEGRATION = {quoted(integration)}\n")
    for method in methods:
        lines += ["\n", method.text(is_async=is_async)]
        if method.stream_name:
            lines += ["\n", method.stream(is_async=is_async)]
    return "".join(lines)


def _imports(body: str) -> str:
    """Return the imports that the body needs, in three blocks: standard library, others, ours."""
    used = set(_names_in(ast.parse(body)))
    blocks = []
    for number, group in enumerate(_IMPORTS):
        lines = ["import msgspec\n"] if number == 1 and "msgspec" in used else []
        for module, names in group:
            found = [name for name in names if name in used]
            lines += [f"from {module} import {', '.join(found)}\n"] if found else []
        blocks.append("".join(lines))
    return "\n".join(filter(None, blocks))


def _names_in(tree: ast.AST) -> Iterator[str]:
    """Yield the names that code uses, also those in types that are written as texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        quoted_types: list[ast.expr] = []
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias" and node.value:
            quoted_types = [node.value]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "TypeAliasType":
            quoted_types = node.args[1:]
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "TypedDict"
            and isinstance(node.args[1], ast.Dict)
        ):
            quoted_types = node.args[1].values
        for each in quoted_types:
            if isinstance(each, ast.Constant):
                yield from _names_in(ast.parse(str(each.value)))
