"""What generated modules stand on: an integration and a user, whose actions are methods."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from enum import Enum
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from nango_py.async_engine import AsyncNango
    from nango_py.engine import Nango
    from nango_py.events import OnEvent

__all__ = ["OMITTED", "AsyncFace", "Face", "File", "Omitted"]

File: TypeAlias = bytes | BinaryIO | PathLike[str]
"""A file to send; a plain text is never a path."""


class Omitted(Enum):
    """The type of :data:`OMITTED`."""

    OMITTED = "omitted"

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: Final = Omitted.OMITTED
"""An argument that is left out, where ``None`` would be a value."""


class _Base:
    _INTEGRATION: str

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._options: dict[str, Any] = {}

    def with_options(
        self,
        *,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        on_event: OnEvent | None = None,
    ) -> Self:
        """Return the same face, whose calls pass these options on to ``trigger_action``; *deadline* is in seconds."""
        other = copy.copy(self)
        vars(other)["_options"] = {"deadline": deadline, "idempotency_key": idempotency_key, "on_event": on_event}
        return other

    @property
    def _streaming(self) -> dict[str, Any]:
        return {name: value for name, value in self._options.items() if name != "idempotency_key"}


class Face(_Base):
    """The actions of one integration for one user."""

    def __init__(self, nango: Nango, user_id: str) -> None:
        super().__init__(user_id)
        self._nango = nango

    def _trigger(self, action: str, stated: Any, optional: Mapping[str, Any]) -> Any:
        given = _input(stated, optional)
        return self._nango.trigger_action(self._INTEGRATION, action, self._user_id, given, **self._options)

    def _stream(self, action: str, stated: Any, optional: Mapping[str, Any]) -> Iterator[Any]:
        given = _input(stated, optional)
        return self._nango.stream_action(self._INTEGRATION, action, self._user_id, given, **self._streaming)


class AsyncFace(_Base):
    """The actions of one integration for one user, beside an event loop."""

    def __init__(self, nango: AsyncNango, user_id: str) -> None:
        super().__init__(user_id)
        self._nango = nango

    async def _trigger(self, action: str, stated: Any, optional: Mapping[str, Any]) -> Any:
        given = _input(stated, optional)
        return await self._nango.trigger_action(self._INTEGRATION, action, self._user_id, given, **self._options)

    def _stream(self, action: str, stated: Any, optional: Mapping[str, Any]) -> AsyncIterator[Any]:
        given = _input(stated, optional)
        return self._nango.stream_action(self._INTEGRATION, action, self._user_id, given, **self._streaming)


def _input(stated: Any, optional: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input: what is OMITTED is left out, and None where None is no value."""
    whole = _plain({} if stated is None else stated)
    given = {name: value for name, value in whole.items() if value is not OMITTED}
    return given | {name: _plain(value) for name, value in optional.items() if value is not None}


def _plain(value: Any) -> Any:
    """Return what JSON Schema knows: tuples are lists, models of pydantic and msgspec are mappings."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True, exclude_unset=True)
    if hasattr(value, "__struct_fields__"):
        import msgspec  # noqa: PLC0415 - whoever has such a value has imported it

        return msgspec.to_builtins(value, builtin_types=(bytes,))
    return value
