"""Whether credentials stay out of everything that people and files get to see."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from nango_py.errors import NangoError
from nango_py.http import HTTPError
from nango_py.testing.checks.bench import PLACE, USER, Bench, Lab, fail
from nango_py.testing.messages import json_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["checks"]

_WALK = {"type": "link", "link_rel_in_response_header": "next", "response_path": ""}
_MANY = 12
"""Answers: more than there are attempts."""


def checks(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks of redaction."""
    yield "redaction.log", lambda: _log(lab)
    yield "redaction.client", lambda: _client(lab)
    yield "redaction.errors", lambda: _errors(lab)
    yield "redaction.connection", lambda: _connection(lab)


def _log(lab: Lab) -> None:
    heard = _Heard()
    loggers = [logging.getLogger(name) for name in ("nango_py", "httpx", "httpcore")]
    before = [one.level for one in loggers]
    for one in loggers:
        one.addHandler(heard)
        one.setLevel(logging.DEBUG)
    try:
        with lab.connected(keys={"log_level": "debug"}) as bench:
            for status in (200, 400, 503):
                bench.provider.answer_next(_echo(bench), status=status)
                bench.get()
            bench.provider.desk.expire()
            bench.clock.advance(3600)
            bench.get()
            _check(bench, "\n".join(heard.lines), "a log line")
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.removeHandler(heard)
            one.setLevel(level)


def _client(lab: Lab) -> None:
    with lab.connected() as bench, bench.client() as client:
        answer = client.get(PLACE)
        shown = (client, client.headers, client.base_url, client.params, answer, answer.request, answer.url)
        _check(bench, "\n".join(f"{one!r} {one}" for one in shown), "what a client shows")
        _check(bench, "\n".join(f"{name}: {value}" for name, value in answer.request.headers.items()), "a request")


def _errors(lab: Lab) -> None:
    for status in (400, 401, 403, 404, 500):
        with lab.connected() as bench:
            if status == 401 and bench.provider.can_renew:  # noqa: PLR2004
                continue  # what is echoed would be the tokens of before the renewal, which nobody knows any more
            for _ in range(_MANY):
                bench.provider.push(json_body(status, _echo(bench)))
            try:
                list(bench.nango.paginate("it", USER, PLACE, pagination=_WALK))
            except (NangoError, HTTPError) as error:
                _check(bench, f"{error!r} {error} {error.__cause__!r} {error.__context__!r}", "an error")


def _connection(lab: Lab) -> None:
    with lab.connected() as bench:
        nango = bench.nango
        shown = (
            nango.get_connection("it", USER),
            nango.get_connections_for_user_id(USER),
            nango.get_connections_for_integration("it"),
            nango.problems,
            nango,
        )
        _check(bench, "\n".join(map(repr, shown)), "a connection")


def _echo(bench: Bench) -> dict[str, str]:
    """Return what a careless provider answers: the credentials that it was sent."""
    return {"message": f"not for {' '.join(bench.secrets)}"}


def _check(bench: Bench, text: str, what: str) -> None:
    if not bench.is_bare(text):
        fail(f"{what} holds credentials.")


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
