"""Keep what passes between a program and a provider in a file, and give it back later without the provider."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from nango_py.errors import UsageError
from nango_py.testing.recording import RecordingTransport, ReplayingTransport
from nango_py.testing.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nango_py.http import AsyncBaseTransport, BaseTransport
    from nango_py.testing.recording import Passed

__all__ = ["Cassette", "CassetteError", "record", "replay"]

_VERSION = 1
_KEPT_OF_REQUESTS = ("accept", "content-type")
_DROPPED_OF_ANSWERS = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "date"})


class CassetteError(UsageError):
    """A request is not in the cassette, or a cassette cannot be written or read."""


@dataclass(slots=True, kw_only=True)
class Cassette:
    """Exchanges in a file, made by :func:`record` or :func:`replay`; ``transport`` goes to the engine's ``load``.

    Each recorded exchange answers one request of the same action, method, URL and body, in the order of recording.
    """

    path: Path
    mode: Literal["record", "replay"]
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    strict: bool = True
    keeps: bool = True
    """Whether a recording is written when it ends."""
    transport: Any = None
    _used: set[int] = field(default_factory=set, repr=False)
    _redactor: Redactor = field(default_factory=Redactor, repr=False)
    _passed: list[Passed] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def keep(self, passed: Passed) -> None:
        """Remember an exchange; its secrets are learnt at once."""
        with self._lock:
            self._learn(passed)
            self._passed.append(passed)

    def find(self, passed: Passed) -> dict[str, Any]:
        """Return the recorded answer to a request.

        Raises:
            CassetteError: There is none, or each was given already.
        """
        with self._lock:
            self._learn(passed)
            wanted = _request_of(passed, self._redactor)
            matching = [number for number, one in enumerate(self.exchanges) if _matches(one["request"], wanted)]
            unused = [number for number in matching if number not in self._used]
            if not unused and (self.strict or not matching):
                raise CassetteError(self._complaint(wanted, len(matching)))
            number = (unused or matching[-1:])[0]
            self._used.add(number)
            found: dict[str, Any] = self.exchanges[number]["answer"]
            return found

    @property
    def unused(self) -> list[str]:
        """What was recorded and not asked for, one line each."""
        return [_line_of(one["request"]) for number, one in enumerate(self.exchanges) if number not in self._used]

    def save(self) -> None:
        """Write the file, its secrets taken out.

        Raises:
            CassetteError: A secret would be left in it, so that nothing was written.
        """
        with self._lock:
            exchanges = [
                {"request": _request_of(one, self._redactor), "answer": _answer_of(one, self._redactor)}
                for one in self._passed
            ]
            text = json.dumps({"nango_cassette": _VERSION, "exchanges": exchanges}, indent=2, ensure_ascii=False)
            if self._redactor.left_in(text):
                raise CassetteError(
                    f"{self.path}: nothing was written, for a secret would be left in it. "
                    "It stands in a form that cannot be taken out, such as a binary body."
                )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text + "\n", encoding="utf-8")

    def _learn(self, passed: Passed) -> None:
        redactor = self._redactor
        redactor.learn(passed.secrets)
        redactor.learn_headers((*passed.request_headers, *passed.answer_headers))
        redactor.learn_url(passed.url)
        for content, headers in (
            (passed.request_content, passed.request_headers),
            (passed.answer_content, passed.answer_headers),
        ):
            parsed = _parsed(content, headers)
            redactor.learn_body(content.decode("utf-8", "replace") if parsed is None else parsed)

    def _complaint(self, wanted: Mapping[str, Any], known: int) -> str:
        line = _line_of(wanted)
        if known:
            times = "once" if known == 1 else f"{known} times"
            return f"{self.path}: {line} was recorded {times}, and is asked for once more. Record it again."
        nearest = max(
            (one["request"] for one in self.exchanges),
            key=lambda request: SequenceMatcher(None, _line_of(request), line).ratio(),
            default=None,
        )
        if nearest is None:
            return f"{self.path}: {line} is not in it; the cassette is empty. Record it again."
        return (
            f"{self.path}: {line} is not in it. The nearest is {_line_of(nearest)}. Record it again if it is right."
        )


@contextmanager
def record(
    path: str | Path,
    *,
    transport: BaseTransport | AsyncBaseTransport | None = None,
    secrets: Iterable[str] = (),
) -> Iterator[Cassette]:
    """Keep every exchange that passes the cassette's ``transport``, and write them at the end, without secrets.

    Requests go on to *transport*, or else to the provider. *secrets* are texts to take out beside those that the
    engine knows and that headers, parameters and members give away by their names. Nothing is written after an error.
    """
    cassette = Cassette(path=Path(path), mode="record", _redactor=Redactor(secrets))
    cassette.transport = RecordingTransport(cassette.keep, transport)
    try:
        yield cassette
    finally:
        cassette.transport.close()
    if cassette.keeps:
        cassette.save()


@contextmanager
def replay(path: str | Path, *, strict: bool = True) -> Iterator[Cassette]:
    """Answer from a file; with *strict*, each recorded exchange once.

    Raises:
        CassetteError: The file is missing or is no cassette.
    """
    cassette = Cassette(path=Path(path), mode="replay", exchanges=_read(Path(path)), strict=strict)
    cassette.transport = ReplayingTransport(cassette.find)
    yield cassette


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CassetteError(f"{path}: there is no such cassette. Record it: pytest --nango-record.") from None
    except ValueError as error:
        raise CassetteError(f"{path}: this is no JSON: {error}.") from None
    if not isinstance(document, dict) or document.get("nango_cassette") != _VERSION:
        raise CassetteError(f"{path}: this is no cassette of version {_VERSION}.")
    exchanges: list[dict[str, Any]] = document["exchanges"]
    return exchanges


def _request_of(passed: Passed, redactor: Redactor) -> dict[str, Any]:
    headers = [(name, value) for name, value in passed.request_headers if name.lower() in _KEPT_OF_REQUESTS]
    return {
        "action": passed.action,
        "method": passed.method,
        "url": redactor.url(passed.url),
        "headers": redactor.headers(headers),
        **_content(passed.request_content, passed.request_headers, redactor),
    }


def _answer_of(passed: Passed, redactor: Redactor) -> dict[str, Any]:
    headers = [(name, value) for name, value in passed.answer_headers if name.lower() not in _DROPPED_OF_ANSWERS]
    return {
        "status": passed.status,
        "headers": redactor.headers(headers),
        **_content(passed.answer_content, passed.answer_headers, redactor),
    }


def _content(content: bytes, headers: Iterable[tuple[str, str]], redactor: Redactor) -> dict[str, Any]:
    if not content:
        return {}
    parsed = _parsed(content, headers)
    if parsed is not None:
        kind = "form" if _kind_of(headers) == "form" else "json"
        return {kind: redactor.body(parsed)}
    try:
        return {"text": redactor.text(content.decode())}
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}


def _parsed(content: bytes, headers: Iterable[tuple[str, str]]) -> Any:
    if _kind_of(headers) == "form":
        return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _kind_of(headers: Iterable[tuple[str, str]]) -> str:
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    return "form" if "x-www-form-urlencoded" in kind else "other"


def _matches(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(
        recorded.get(name) == wanted.get(name)
        for name in ("action", "method", "url", "json", "form", "text", "base64")
    )


def _line_of(request: Mapping[str, Any]) -> str:
    body = next((request[name] for name in ("json", "form", "text", "base64") if name in request), None)
    shown = "" if body is None else f" with {json.dumps(body, ensure_ascii=False)[:200]}"
    return f"{request['method']} {request['url']}{shown} (action {request['action'] or 'none'})"
