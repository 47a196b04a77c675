"""What an author can mistype about reactions, circuits, timeouts and the cap, and what becomes of sound ones."""

from __future__ import annotations

import textwrap

import pytest

from nango_py.declare import load
from nango_py.model import Timeouts
from nango_py.policy.breaker import CircuitBreaker
from nango_py.policy.reactions import Reaction
from nango_py.template import split

HEAD = """\
integrations:
  acme:
    auth: {auth_mode: NONE}
    requests: {base_url: "https://api.acme.test/"}
"""


def declared(tmp_path, text, **options):
    path = tmp_path / "integrations.yaml"
    path.write_text(HEAD + textwrap.indent(textwrap.dedent(text), "    "), "utf-8")
    return load(path, **{"environ": {}, **options})


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("retry: {reactions: [{reaction: retry}]}", "5:25", "needs a status, a path or a header"),
        ("retry: {reactions: [{status: ['403']}]}", "5:25", "'reaction'"),
        ("retry: {reactions: [{status: ['403'], reaction: repeat}]}", "5:", "retry"),
        ("retry: {reactions: [{status: ['4o3'], reaction: fail}]}", "5:35", "'4o3' is no status"),
        ("retry: {reactions: [{status: [403], reaction: fail}]}", "5:35", "text"),
        ("retry: {reactions: [{path: 'a[', reaction: fail}]}", "5:", "plain path"),
        ("retry: {reactions: [{path: a, header: b, reaction: fail}]}", "5:", "not at both"),
        ("retry: {reactions: [{path: a, value: 1, values: [2], reaction: fail}]}", "5:", "not both"),
        ("retry: {reactions: [{path: a, values: [], reaction: fail}]}", "5:", "values"),
        ("retry: {reactions: [{path: a, valu: 1, reaction: fail}]}", "5:", "Did you mean 'value'"),
        ("retry: {reactions: [{path: a, reaction: fail, message: '${bdoy.x}'}]}", "5:", "nobody provides ${bdoy.x}"),
        (
            "retry: {reactions: [{path: a, reaction: fail, message: '${input.x}'}]}",
            "5:",
            "nobody provides ${input.x}",
        ),
        ("retry: {reactions: [{path: a, reaction: fail, message: '${credentials.x}'}]}", "5:", "nobody provides"),
        ("retry: {reactions: [{path: a, reaction: fail, message: '${body.x'}]}", "5:", "not closed"),
        ("retry: {reactions: [null]}", "5:", "must be a mapping, not null"),
        ("retry: {reactions: [{status: null, path: a, reaction: fail}]}", "5:", "must be a list, not null"),
        ("retry: {reactions: [{path: a, values: [null], reaction: fail}]}", "5:", "not null"),
        ("retry: {error_code: [null]}", "5:", "must be a text, not null"),
        ("circuit_breaker: {failures: 0}", "5:33", "1"),
        ("circuit_breaker: {open_seconds: 0}", "5:", "0"),
        ("circuit_breaker: {failure: 3}", "5:", "Did you mean 'failures'"),
        ("circuit_breaker: 3", "5:", "true or false"),
        ("timeouts: {total: -1}", "5:", "0"),
        ("timeouts: {conect: 1}", "5:", "Did you mean 'connect'"),
        ("response_limit: 0", "5:", "1"),
        ("response_limit: 1.5", "5:", "whole number"),
    ],
)
def test_a_mistake_is_shown_with_its_place(tmp_path, text, place, words):
    found = declared(tmp_path, text).problems

    assert [problem for problem in found if words in str(problem)], found
    assert f"integrations.yaml:{place}" in str(found[0])


def test_what_is_declared_is_what_is_built(tmp_path):
    text = """\
    retry:
      auto: X-Wait
      reactions:
        - {status: ["403"], path: error.code, values: [quota, 7], reaction: rate_limited, x-why: because}
        - {header: X-Error, value: gone, reaction: ignore, message: "${body.error | upper}"}
    circuit_breaker: {failures: 3}
    timeouts: {connect: 5, total: 60}
    response_limit: 10000000
    """
    integration = declared(tmp_path, text).integrations["acme"]

    assert ("X-Wait",) == integration.retry.auto
    assert (
        Reaction(status=("403",), path="error.code", values=("quota", 7), reaction="rate_limited"),
        Reaction(header="X-Error", value="gone", reaction="ignore", message=split("${body.error | upper}")),
    ) == integration.retry.reactions
    assert CircuitBreaker(failures=3) == integration.circuit_breaker
    assert Timeouts(connect=5.0, total=60.0) == integration.timeouts
    assert 10_000_000 == integration.response_limit


def test_without_a_word_about_them_they_are_off(tmp_path):
    integration = declared(tmp_path, "").integrations["acme"]

    assert (None, None, Timeouts(), ()) == (
        integration.circuit_breaker,
        integration.response_limit,
        integration.timeouts,
        integration.retry.reactions,
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("true", CircuitBreaker()),
        ("false", None),
        ("null", None),
        ("{}", CircuitBreaker(failures=9, probes=2)),
        ("{probes: 3}", CircuitBreaker(failures=9, probes=3)),
    ],
)
def test_an_integration_changes_what_its_blueprint_declares(tmp_path, written, expected):
    folder = tmp_path / "blueprints"
    folder.mkdir()
    (folder / "base.yaml").write_text(
        "name: base\nversions:\n  v0:\n    circuit_breaker: {failures: 9, probes: 2}\n"
        "    timeouts: {connect: 5, read: 9}\n    response_limit: 500\n",
        "utf-8",
    )
    text = f"extends_blueprint: base:v0\ncircuit_breaker: {written}\ntimeouts: {{read: 7}}\nresponse_limit: null\n"
    loaded = declared(tmp_path, text, blueprints=[folder])

    assert () == loaded.problems
    integration = loaded.integrations["acme"]
    assert expected == integration.circuit_breaker
    assert Timeouts(connect=5.0, read=7.0) == integration.timeouts
    assert integration.response_limit is None


def test_numbers_can_come_from_the_environment(tmp_path):
    text = "timeouts: {total: '${ACME_TOTAL}'}\nresponse_limit: '${ACME_LIMIT}'\n"
    loaded = declared(tmp_path, text, environ={"ACME_TOTAL": "2.5", "ACME_LIMIT": "7"})

    assert () == loaded.problems
    assert (2.5, 7) == (loaded.integrations["acme"].timeouts.total, loaded.integrations["acme"].response_limit)


def test_defaults_hold_where_neither_blueprint_nor_integration_says_otherwise(tmp_path):
    text = "timeouts: {read: 7}\n"
    path = tmp_path / "integrations.yaml"
    body = HEAD + textwrap.indent(text, "    ")
    path.write_text("defaults: {circuit_breaker: true, response_limit: 500, timeouts: {read: 9, total: 60}}\n" + body)
    loaded = load(path, environ={})

    assert () == loaded.problems
    integration = loaded.integrations["acme"]
    assert (CircuitBreaker(), 500) == (integration.circuit_breaker, integration.response_limit)
    assert Timeouts(read=7.0, total=60.0) == integration.timeouts
