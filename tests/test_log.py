"""What is logged holds no secret, in whatever form it comes."""

from __future__ import annotations

import ast
import json
import logging
import re
import threading
from contextvars import copy_context
from pathlib import Path
from typing import get_args
from urllib.parse import quote

import pytest

import nango_py
from nango_py.exchange.breakers import Change
from nango_py.log import EVENTS, FIELDS, LONGEST_VALUE, Masked, emit, logger, with_fields

SECRET = "s3cr&t/ key=+ü"


def secrets():
    return [SECRET]


def test_a_line_that_says_a_secret_encoded_is_masked():
    said = {"event": f"sent {quote(SECRET, safe='')}", "why": json.dumps({"key": SECRET})}

    assert {"event": "sent ***", "why": '{"key": "***"}'} == Masked(secrets)(None, "info", said)


def test_values_are_masked_at_every_depth():
    event = {"event": f"sent {SECRET}", "url": {"q": [SECRET, 1, None, True]}, "error": ValueError(SECRET)}

    assert {"event": "sent ***", "url": {"q": ["***", 1, None, True]}, "error": "***"} == Masked(secrets)(
        None, "info", event
    )


def test_a_long_value_is_cut_and_says_so():
    line = Masked(secrets)(None, "info", {"event": "read", "body": "a" * (LONGEST_VALUE - 3) + SECRET})

    assert {"event": "read", "body": "a" * (LONGEST_VALUE - 3) + "***... (11 more characters)"} == line


def test_a_traceback_is_logged_to_its_end():
    text = "a" * LONGEST_VALUE + "ValueError"

    assert {"event": "e", "exception": text} == Masked(secrets)(None, "error", {"event": "e", "exception": text})


@pytest.mark.parametrize(
    "key",
    ["Authorization", "api_key", "X-Api-Key", "apikey", "Cookie", "password", "client_secret", "access_token"],
)
def test_a_value_under_a_telling_key_is_masked_unseen(key):
    assert {key: "***", "in": {key: "***"}} == Masked(list)(None, "info", {key: "whatever", "in": {key: 5}})


def test_an_absent_secret_may_be_seen_to_be_absent():
    assert {"token": None, "has_token": True} == Masked(list)(None, "info", {"token": None, "has_token": True})


def test_a_line_goes_to_our_own_logger_masked(caplog):
    with caplog.at_level(logging.DEBUG, logger="nango_py"):
        logger(secrets, integration="demo").warning("refused", why=f"bad {SECRET}")

    assert [("nango_py", logging.WARNING, "event='refused' integration='demo' why='bad ***' level='warning'")] == [
        (name, level, message) for name, level, message in caplog.record_tuples
    ]


def test_a_traceback_is_masked(caplog):
    with caplog.at_level(logging.DEBUG, logger="nango_py"):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logger(secrets).error("failed", exc_info=True)

    assert "ValueError: ***" in caplog.text
    assert SECRET not in caplog.text


def test_lines_below_the_level_are_dropped(caplog):
    with caplog.at_level(logging.DEBUG, logger="nango_py"):
        quiet = logger(list, level="warning")
        quiet.info("small")
        quiet.error("big")
        emit("info", "small", secrets=list, least="warning")
        emit("error", "bigger", secrets=list, least="warning")

    assert ["ERROR", "ERROR"] == [record.levelname for record in caplog.records]


def test_nothing_is_asked_for_when_nobody_listens():
    def asked():
        raise AssertionError

    logging.getLogger("nango_py").setLevel(logging.CRITICAL)
    try:
        emit("info", "unheard", secrets=asked)
    finally:
        logging.getLogger("nango_py").setLevel(logging.NOTSET)


PACKAGE = Path(nango_py.__file__).parent
LINES = {"emit", "emit_event", "log", "_log", "_tell"}


def lines():
    """Yield each place of the package that logs: file and line, its event, and the fields that it names."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "log.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            texts = [ast.unparse(part).strip("'") for part in node.args[:2]]
            events = [text for text in texts if re.fullmatch(r"f?'?[a-z_]+\.[a-z_{}]+", text)]
            if name in LINES and events:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", events[0], {word.arg for word in node.keywords}


def test_every_line_of_the_engine_has_documented_fields_only():
    found = list(lines())

    assert 12 < len(found)
    unknown = [(place, fields - {*FIELDS, "exc_info", "secrets", "least", None}) for place, _, fields in found]
    assert [] == [(place, fields) for place, fields in unknown if fields]


def test_every_line_about_a_connection_says_whose_it_is():
    bare = [
        (place, event)
        for place, event, fields in lines()
        if "secrets" in fields and not {"integration", "user_id"} <= fields and None not in fields
    ]
    # What concerns the process is nobody's.
    assert ["pool.default"] == [event for _, event in bare]


def test_the_documented_events_are_those_that_the_engine_logs():
    logged = {event.removeprefix("f'") for _, event, _ in lines()}
    circuit = {f"circuit.{change}" for change in get_args(Change)}

    assert set(EVENTS) == (logged - {"circuit.{change}"}) | circuit


def test_fields_that_are_bound_go_to_the_lines_of_threads_that_copy_the_context(caplog):
    def work():
        emit("info", "bird.seen", secrets=tuple, user_id="u")

    with caplog.at_level(logging.INFO, logger="nango_py"):
        with with_fields(execution_id="1", user_id="other"):
            thread = threading.Thread(target=copy_context().run, args=(work,))
        thread.start()
        thread.join()
        work()

    assert [
        "event='bird.seen' execution_id='1' user_id='u' level='info'",
        "event='bird.seen' user_id='u' level='info'",
    ] == [record.getMessage() for record in caplog.records]
