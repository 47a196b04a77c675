"""Broken texts, made from sound ones: whatever an author mistypes, only a ConfigError ever comes out.

As many as NANGO_PY_MUTATIONS says are made, of any blueprint and each time others: 5,000 for a release. Without it they
are a few hundred, always the same.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nango_py.declare import load
from nango_py.declare.catalogue import built_in_folder
from nango_py.errors import ConfigError
from nango_py.lint import fix_file, lint_file

INTEGRATIONS = """\
defaults: {http_request_timeout_seconds: 20, log_level: warning}
integrations:
  demo:
    extends_blueprint: demo:v1
    comment: Ours
    app_api_key: ${env.APP_KEY}
    http_request_timeout_seconds: 12.5
    requests:
      headers: {X-App: "${app_api_key}", X-Team: null}
      allowed_origins: [https://files.example.com]
    retry: {max_attempts: 3, error_code: ["429", "5xx"], in_body: {path: error.code, value: "busy for ([0-9]+)"}}
    circuit_breaker: {failures: 3}
    timeouts: {connect: 5, total: 60}
    response_limit: 10000000
  plain:
    auth: {auth_mode: API_KEY, placement: query, name: key}
    requests: {base_url: "https://plain.example.com/"}
    connection_config:
      region: {title: Region, enum: [eu, us], default: eu}
"""
BLUEPRINT = """\
name: demo
requires_nango_py: ">=0.1"
versions:
  v0:
    auth: {auth_mode: OAUTH2, token_url: "https://${connection_config.site}.example.com/token"}
    connection_config:
      site: {title: Site, pattern: "^[a-z]+$", suffix: .example.com}
    requests:
      base_url: https://${connection_config.site}.example.com/v0/
      headers: {X-Team: "${metadata.team}"}
    pagination:
      type: cursor
      cursor_name_in_request: after
      cursor_path_in_response: paging.next
      limit_name_in_request: limit
      limit: 50
    retry:
      reactions:
        - {status: ["403"], path: error.code, values: [quota], reaction: rate_limited, message: "${body.error | upper}"}
        - {header: X-Error, reaction: fail}
    verification: {path: me, status: [200], expect: {path: ok, value: true}, identity: user.email}
  v1:
    extends_blueprint: demo:v0
    actions:
      list-things:
        description: All things.
        input: {type: object, properties: {query: {type: string, pattern: "^.+$"}}}
        request: {path: "things/${input.query | lower}", params: {q: "${input.query}"}, json: {a: [1, null]}}
        paginate: {limit: 10}
        ok: {path: ok, value: true}
        output: {items: data, map: {id: "${item.id}"}, schema: {type: object, required: [id]}}
"""
CHOSEN = os.environ.get("NANGO_PY_MUTATIONS")
TEXTS = {"integrations.yaml": INTEGRATIONS, "blueprints/demo.yaml": BLUEPRINT}
ODD = (
    "null", "~", "[]", "{}", '""', "[[1], {a: b}]", "{a: {b: c}}", "3", "-1", "0", "1e999", "true", "no", "2026-11-24",
    "!!python/object:os.system x", "&a [*a]", "*a", "<<", "${", "${}", "${a.b.c}", "$${a}", '"${1 / 0}"', "${env.APP_KEY}",
    "'${x | nope}'", "\t", "\n", "\0", "\ufeff", "\ud7ff", "é", "#", ":", "- ", "? ", "---", "...", "%YAML 9.9", "| ",
    "(", "[", "*", "{1}", "99999999999999999999999", "v99999999999999999999", "../../etc/passwd", "demo:v1", "nope:v0",
    "patternProperties: {'(': 1}", "$ref: nowhere", "$ref: 'http://127.0.0.1:1/x'", "'$ref': '#/x'",
)  # fmt: skip
PIECE = re.compile(r"\w+|\s+|[^\w\s]")
VALUE = re.compile(r"(?<=: )[^\n,{}\[\]]+|(?<=: )\{[^\n]*\}|(?<=: )\[[^\n]*\]")


@st.composite
def mutated(draw):
    """Return both texts, one of them changed in one to three places."""
    texts = dict(TEXTS)
    name = draw(st.sampled_from(sorted(texts)))
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        texts[name] = change(draw, texts[name])
    return texts


def somewhere(draw, items):
    return draw(st.integers(0, max(0, len(items) - 1)))


def without_a_line(draw, text):
    lines = text.splitlines(keepends=True)
    at = somewhere(draw, lines)
    return "".join(lines[:at] + lines[at + 1 :])


def without_a_piece(draw, text):
    pieces = PIECE.findall(text)
    at = somewhere(draw, pieces)
    return "".join(pieces[:at] + pieces[at + 1 :])


def with_lines_swapped(draw, text):
    lines = text.splitlines(keepends=True)
    if lines:
        one, other = somewhere(draw, lines), somewhere(draw, lines)
        lines[one], lines[other] = lines[other], lines[one]
    return "".join(lines)


def with_another_type(draw, text):
    places = list(VALUE.finditer(text))
    if not places:
        return text
    place = places[somewhere(draw, places)]
    return text[: place.start()] + draw(st.sampled_from(ODD)) + text[place.end() :]


def cut_off(draw, text):
    return text[: somewhere(draw, text)]


def with_an_insertion(draw, text):
    at = somewhere(draw, text)
    return text[:at] + draw(st.sampled_from(ODD) | st.text(max_size=5)) + text[at:]


def many(examples):
    return settings(
        max_examples=int(CHOSEN or examples), deadline=None, database=None, derandomize=not CHOSEN,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


CHANGES = (
    without_a_line,
    without_a_piece,
    with_lines_swapped,
    with_another_type,
    with_another_type,
    cut_off,
    with_an_insertion,
)


def declared(texts):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="replace")
        return load(Path(folder, "integrations.yaml"), environ={"APP_KEY": "k"})


def test_the_texts_are_sound_before_they_are_changed():
    found = declared(TEXTS)

    assert ((), ["demo", "plain"]) == (found.problems, list(found.integrations))


@many(500)
@given(mutated())
def test_only_a_config_error_ever_comes_out(texts):
    with contextlib.suppress(ConfigError):
        found = declared(texts)
        assert all(problem.message and problem.code for problem in found.problems)
        assert set(found.broken).isdisjoint(found.integrations)


SOUND = ("close", "copper", "google-calendar", "jira", "twitter1", "xero", "zoho-crm", "zoom")
"""Blueprints of several modes: one that extends another, some with connection config, some with many actions."""


@cache
def sound_texts():
    """Return the texts of the blueprints, read once, by name."""
    built_in = {path.stem: path.read_text(encoding="utf-8") for path in sorted(built_in_folder().glob("*.yaml"))}
    return {"demo": BLUEPRINT, **{name: text for name, text in built_in.items() if CHOSEN or name in SOUND}}


@st.composite
def edited(draw):
    """Return a blueprint's name and its text, changed in one to three places."""
    name = draw(st.sampled_from(list(sound_texts())))
    text = sound_texts()[name]
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        text = change(draw, text)
    return name, text


@many(150)
@given(edited())
def test_an_edited_blueprint_is_sound_or_refused_by_a_line_of_its_own(blueprint):
    name, text = blueprint
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.yaml")
        path.write_text(text, encoding="utf-8", errors="replace")
        errors = [problem for problem in lint_file(path) if problem.severity == "error"]
        fix_file(path)
        mended = [problem for problem in lint_file(path) if problem.severity == "error"]
        loaded = load({"integrations": {"it": {"extends_blueprint": name}}}, blueprints=[folder], environ={})

    # A text that was cut off is refused where it ends, which may be behind its last line.
    last = len(text.splitlines()) + 1
    assert [] == [
        str(one) for one in errors if one.location.source != str(path) or not 1 <= one.location.line <= last
    ]
    assert {one.message for one in mended} <= {one.message for one in errors}
    assert errors or "it" in loaded.integrations
