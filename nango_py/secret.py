"""A value that does not show itself."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["Secret"]


class Secret:
    """Hold a secret text that only :meth:`reveal` gives out.

    ``repr`` is ``Secret(***)``; ``str``, formatting, pickling and copying to JSON raise ``TypeError``, so that a
    secret can reach a log line, an exception or a file only where somebody wrote ``reveal()``.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(("nango_py.Secret", self._text))

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> NoReturn:
        raise TypeError("a Secret is not text; call reveal() where its value is needed")

    def __format__(self, _spec: str) -> NoReturn:
        raise TypeError("a Secret cannot be formatted; call reveal() where its value is needed")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")

    def __setattr__(self, _name: str, _value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")
