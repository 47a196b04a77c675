"""Jinja, fenced in: the expressions that are more than a dotted name."""

from __future__ import annotations

import base64 as b64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, NoReturn
from urllib.parse import quote

from jinja2 import StrictUndefined, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.compiler import CodeGenerator
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nango_py.pem import ed25519_signature, public_key_fingerprint
from nango_py.template import MAX_RESULT, TemplateError, reveal, to_text

__all__ = ["FUNCTIONS", "Function", "alternatives", "evaluate", "moment_functions", "names_of"]

_MAX_EXPONENT = 64
_MAX_FORMAT = 64
_MAX_SHIFT = 315_360_000
_EPOCH = re.compile(r"((?:[^%]|%[^s])*?)%s")
_FORMAT = re.compile(r"(?:[^%]|%[A-Za-z%])*")
FUNCTIONS = frozenset({"now", "uuid"})
"""Names that a placeholder may call."""


class Function:
    """Mark a callable that a placeholder may call."""

    __slots__ = ("call",)

    def __init__(self, call: Any) -> None:
        self.call = call

    def __call__(self, *args: Any) -> Any:
        """Return what the function gives."""
        return self.call(*args)


def moment_functions(now: float, uuid: Callable[[], str]) -> dict[str, Function]:
    """Return the functions of one exchange: its time, in seconds since the epoch, and its UUID stay fixed."""
    return {"now": Function(partial(_formatted, now)), "uuid": Function(uuid)}


def _formatted(now: float, pattern: Any = None, seconds: Any = 0) -> str:
    """Return the moment *seconds* after *now*: by a strftime *pattern*, whose ``%s`` is the epoch's seconds."""
    if not _number(seconds) or abs(seconds) > _MAX_SHIFT:
        raise TemplateError("now(pattern, seconds) takes a number of seconds, ten years at most.")
    moment = datetime.fromtimestamp(now + seconds, UTC)
    if pattern is None:
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # A width between % and the letter makes some C libraries allocate as much as it says.
    if not isinstance(pattern, str) or len(pattern) > _MAX_FORMAT or not _FORMAT.fullmatch(pattern):
        raise TemplateError("now(...) takes a strftime format of plain %-letters.")
    # %s is an extension that few C libraries know, and that reads the moment in local time.
    return moment.strftime(_EPOCH.sub(rf"\g<1>{int(now + seconds)}", pattern))


class _Generator(CodeGenerator):
    """Let the environment put texts in a row: Jinja's own ``~`` writes None where there is no value."""

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.in_a_row((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Fenced(ImmutableSandboxedEnvironment):
    """Look up mapping members and list items, never attributes or methods."""

    intercepted_binops = frozenset({"*", "**", "%"})
    code_generator_class = _Generator

    def in_a_row(self, parts: tuple[Any, ...]) -> str:
        """Return what ``~`` makes of its sides."""
        if any(part is None for part in parts):
            raise TemplateError("one side of '~' has no value; where it may be empty, write [...] | join.")
        return "".join(to_text(part, "a side of '~'") for part in parts)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return _member(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return _member(obj, argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, Function)

    def call_binop(self, _context: Any, operator: str, left: Any, right: Any) -> Any:
        return _BOUNDED[operator](left, right)


def _member(container: Any, key: Any) -> Any:
    if container is None:
        return None
    if isinstance(container, Mapping):
        return _null_if_empty(container.get(key))
    if isinstance(container, list | tuple | str) and isinstance(key, int | slice):
        try:
            return _null_if_empty(container[key])
        except IndexError:
            return None
    raise TemplateError(f"there is no {key!r} to look up in {type(container).__name__}.")


def _null_if_empty(value: Any) -> Any:
    return reveal(value) if not isinstance(value, Mapping | list | tuple) else value


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, str | list) or isinstance(right, str | list):
        sequence, count = (left, right) if isinstance(left, str | list) else (right, left)
        if not isinstance(count, int) or len(sequence) * count > MAX_RESULT:
            raise TemplateError("'*' would give more than 64 KiB.")
    elif max(_bits(left), _bits(right)) > MAX_RESULT:
        raise TemplateError("'*' of numbers this large is refused.")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if not _number(left) or not _number(right) or abs(right) > _MAX_EXPONENT or _bits(left) > _MAX_EXPONENT:
        raise TemplateError(f"'**' takes numbers and exponents up to {_MAX_EXPONENT}.")
    return left**right


def _remainder(left: Any, right: Any) -> Any:
    if not _number(left) or not _number(right):
        raise TemplateError("'%' takes numbers only.")
    return left % right


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 0


_BOUNDED = {"*": _times, "**": _power, "%": _remainder}


def _bytes(value: Any) -> bytes:
    return to_text("" if value is None else value).encode()


def _hmac_hex(algorithm: str) -> Any:
    return lambda value, key: hmac.new(_bytes(key), _bytes(value), algorithm).hexdigest()


def _base64(value: Any) -> str:
    return b64.b64encode(_bytes(value)).decode()


def _sha256_base64(value: Any) -> str:
    return b64.b64encode(hashlib.sha256(_bytes(value)).digest()).decode()


def _fingerprint(value: Any) -> str:
    try:
        return public_key_fingerprint(to_text(value))
    except ValueError as error:
        raise TemplateError(f"{error}.") from None


def _ed25519(value: Any, key: Any) -> str:
    try:
        return ed25519_signature(to_text(value), to_text("" if key is None else key))
    except ValueError as error:
        raise TemplateError(f"{error}.") from None


def _join(values: Any, separator: str = "") -> str:
    if not isinstance(values, list | tuple):
        raise TemplateError("join takes a list.")
    return separator.join(to_text(value) for value in values if value is not None)


def _replace(value: Any, old: str, new: str) -> str:
    text = to_text(value)
    if not old or len(text) + text.count(old) * len(new) > MAX_RESULT:
        raise TemplateError("replace would give more than 64 KiB.")
    return text.replace(old, new)


def _whole(value: Any, default: int = 0) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _decimal(value: Any, default: float = 0.0) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return default


_FILTERS = {
    "base64": _base64,
    "default": lambda value, other="": other if value is None else value,
    "ed25519_sign": _ed25519,
    "first": lambda value: _member(value, 0),
    "float": _decimal,
    "hmac_sha1_hex": _hmac_hex("sha1"),
    "hmac_sha256_hex": _hmac_hex("sha256"),
    "int": _whole,
    "join": _join,
    "last": lambda value: _member(value, -1),
    "length": lambda value: 0 if value is None else len(value),
    "lower": lambda value: to_text(value).lower(),
    "public_key_fingerprint": _fingerprint,
    "replace": _replace,
    "round": lambda value, digits=0: round(value, digits),
    "sha256_base64": _sha256_base64,
    "sha256_hex": lambda value: hashlib.sha256(_bytes(value)).hexdigest(),
    "string": to_text,
    "tojson": lambda value: json.dumps(reveal(value), separators=(",", ":"), ensure_ascii=False),
    "split": lambda value, separator: to_text(value).split(separator),
    "trim": lambda value: to_text(value).strip(),
    "upper": lambda value: to_text(value).upper(),
    "urlencode": lambda value: quote(to_text(value), safe=""),
}
_TESTS = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: value is not None,
    "mapping": lambda value: isinstance(value, Mapping),
    "none": lambda value: value is None,
    "number": lambda value: _number(value) and not isinstance(value, bool),
    "sequence": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
}


def _nullable(function: Any) -> Any:
    """Let null pass through a filter that has no use for it, so that ``(a | lower) or b`` falls through."""
    return lambda value, *args: None if value is None else function(value, *args)


_NULL_IS_A_VALUE = frozenset({"default", "length"})


def _environment() -> _Fenced:
    # The optimiser folds constants at compile time: '%0999999999d' % 1 held the compiler for 12 s.
    environment = _Fenced(undefined=StrictUndefined, autoescape=False, optimized=False, cache_size=0)
    environment.globals.clear()
    environment.filters = {
        name: function if name in _NULL_IS_A_VALUE else _nullable(function) for name, function in _FILTERS.items()
    }
    environment.tests = dict(_TESTS)
    return environment


_ENVIRONMENT = _environment()


@lru_cache(maxsize=1024)
def names_of(text: str) -> frozenset[tuple[str, ...]]:
    """Return the dotted names that the expression looks up.

    Raises:
        TemplateError: It is no expression of the language, or uses an unknown filter, test or function.
    """
    tree = _parsed(text)
    # find_all looks below its node only, and most filters and calls are the outermost node.
    for node in (tree, *tree.find_all((nodes.Filter, nodes.Test, nodes.Call))):
        _check_known(node, text)
    return frozenset(_names(tree))


def alternatives(text: str) -> Iterator[tuple[tuple[str, ...] | None, str]]:
    """Yield what has to be null before a later part of ``a or b`` or ``a | default(b)`` counts, and that part.

    The first is a dotted name, or None for a constant that is never null; anything else is left out.
    """
    tree = _parsed(text)
    for node in (tree, *tree.find_all((nodes.Or, nodes.Filter))):
        if isinstance(node, nodes.Or):
            yield from ((first, _shown(node.right)) for first in _decisive(node.left))
        elif isinstance(node, nodes.Filter) and node.name == "default" and node.node is not None and node.args:
            yield from ((first, _shown(node.args[0])) for first in _decisive(node.node))


def _decisive(node: nodes.Node) -> Iterator[tuple[str, ...] | None]:
    if isinstance(node, nodes.Or):
        yield from _decisive(node.left)
        yield from _decisive(node.right)
    elif (path := _dotted(node)) is not None:
        yield path
    elif isinstance(node, nodes.Const) and node.value:
        yield None


def _shown(node: nodes.Node) -> str:
    path = _dotted(node)
    return repr(node.value) if isinstance(node, nodes.Const) else ".".join(path) if path else "what follows"


def _parsed(text: str) -> nodes.Expr:
    try:
        parser = Parser(_ENVIRONMENT, text, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            _refuse(text, "it is more than one expression")
    except (JinjaError, RecursionError) as error:
        _refuse(text, str(error) or type(error).__name__)
    return tree


def _check_known(node: Any, text: str) -> None:
    if isinstance(node, nodes.Call):
        if not (isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS):
            _refuse(text, f"only {' and '.join(sorted(FUNCTIONS))} can be called")
    elif isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        _refuse(text, f"there is no filter {node.name!r}; known: {', '.join(_FILTERS)}")
    elif isinstance(node, nodes.Test) and node.name not in _TESTS:
        _refuse(text, f"there is no test {node.name!r}; known: {', '.join(_TESTS)}")


def _refuse(text: str, why: str) -> NoReturn:
    raise TemplateError(f"${{{text}}} cannot be read: {why}.")


def _names(node: nodes.Node) -> Any:
    if (path := _dotted(node)) is not None:
        yield path
        return
    for child in node.iter_child_nodes():
        yield from _names(child)


def _dotted(node: nodes.Node) -> tuple[str, ...] | None:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        below = _dotted(node.node)
        return None if below is None else (*below, node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        below = _dotted(node.node)
        return None if below is None else (*below, str(node.arg.value))
    return None


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Any:
    return _ENVIRONMENT.compile_expression(text, undefined_to_none=False)


def evaluate(text: str, names: frozenset[tuple[str, ...]], values: Mapping[str, Any]) -> Any:
    """Return the value of an expression; every declared name that is absent is None.

    Raises:
        TemplateError: The expression cannot be worked out with these values.
    """
    roots = {name[0]: _null_if_empty(values.get(name[0])) for name in names}
    try:
        return _compiled(text)(**roots)
    except TemplateError as error:
        raise TemplateError(f"${{{text}}}: {error}") from None
    except (JinjaError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
        # The cause is cut off: its text may quote a value.
        raise TemplateError(f"${{{text}}} cannot be worked out ({type(error).__name__}).") from None
