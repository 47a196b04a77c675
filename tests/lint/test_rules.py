"""Each rule finds what it is for, in its line, and nothing else: the lines of the corpus say which, behind ``#!``."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from nango_py.declare.catalogue import Catalogue
from nango_py.declare.loader import read_entries
from nango_py.lint import ALL_RULES, lint_file, lint_integrations
from nango_py.lint.run import findings_in_file

CORPUS = Path(__file__).parent / "corpus"
MARK = re.compile(r"#! ([a-z-]+)$")
UNEXPLAINED = [(5, "allow-unexplained")]
"""A mark behind such a comment would be its reason."""


def marked(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [(number, mark[1]) for number, line in enumerate(lines, start=1) for mark in [MARK.search(line)] if mark]
    return found or UNEXPLAINED


def findings(path):
    return [(problem.location.line, problem.code) for problem in lint_file(path)]


@pytest.mark.parametrize("rule", [rule.id for rule in ALL_RULES])
def test_rule_finds_what_it_is_for_and_nothing_else(rule):
    path = CORPUS / f"{rule}.yaml"

    assert rule in {found for _, found in marked(path)}
    assert marked(path) == findings(path)


def test_the_findings_of_the_corpus_are_counted_by_rule():
    found = Counter(code for path in CORPUS.glob("*.yaml") for _, code in findings(path))

    assert {
        "action-untyped": 3,
        "allow-unexplained": 1,
        "allow-unused": 2,
        "default-outside-enum": 3,
        "foreign-header": 1,
        "host-open": 4,
        "list-not-paged": 2,
        "pagination-contradiction": 2,
        "parent-unpinned": 1,
        "pattern-rejects-own": 4,
        "pattern-slashes": 2,
        "pattern-slow": 4,
        "pattern-unanchored": 4,
        "secret-not-marked": 3,
        "section-lost": 3,
        "sources-missing": 2,
        "unreachable-alternative": 4,
        "unread-key": 21,
        "unused-field": 2,
        "url-not-https": 2,
        "verification-missing": 1,
        "wait-header": 6,
    } == dict(found)


def test_what_loading_finds_is_among_the_findings_once(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(
        "name: acme\nversions:\n  v0:\n    auth: {auth_mode: API_KEY}\n"
        '    credentials: {api_key: {pattern: "[", example: x}}\n'
        '    requests: {base_url: "https://${connection_config.site}.example.com/"}\n'
        "    verification: {path: me}\n    pagination: {type: cursor, cursor_name_in_request: after}\n"
        "  v1:\n    extends_blueprint: acme:v0\n    pagintion: {}\n"
    )

    assert [(5, "pattern"), (6, "placeholder.unknown"), (8, "pagination.incomplete"), (11, "schema.unknown_key")] == [
        (line, code) for line, code in findings(path)
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Acme.yaml", "name: acme\n", [(1, "blueprint.name")]),
        ("acme.yml", "name: acme\n", [(1, "blueprint.name")]),
        ("acme.yaml", "name: acme\n", [(1, "schema.required")]),
        ("acme.yaml", "name: acme\nversions: {}\n", [(2, "schema.minProperties")]),
        ("acme.yaml", "name: acme\nversions: {latest: {}}\n", [(2, "schema.unknown_key")]),
        ("acme.yaml", "a: [\n", [(2, "yaml.syntax")]),
        ("acme.yaml", "- a\n", [(1, "schema.type")]),
    ],
)
def test_a_file_that_is_no_blueprint_is_said_to_be_none(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    assert expected == findings(path)


def test_what_a_broken_integration_declares_is_left_to_its_errors(tmp_path):
    path = tmp_path / "integrations.yaml"
    path.write_text(
        "integrations:\n  broken: {auth: {auth_mode: NOPE}, requests: {base_url: 'http://x.example/'}}\n"
        "  sound: {auth: {auth_mode: NONE}, requests: {base_url: 'http://x.example/'}}\n"
        "# nango-py: allow(url-not-https) Nothing stands below.\n"
    )
    found = lint_integrations(path, read_entries(path, environ={}))

    assert [(3, "url-not-https"), (4, "allow-unused")] == [(one.location.line, one.code) for one in found]


def test_what_only_looks_like_an_action_is_none(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(
        "name: acme\nmaintainer: nango_py\nversions:\n  v0:\n    x-sources: {a: {url: https://x.example/}}\n"
        "    auth: {auth_mode: NONE}\n    requests: {base_url: https://x.example/}\n    verification: {path: me}\n"
        "    actions:\n      x-list: {request: {path: a, list_style: comma}, paginate: {limit: 3}, retry: {at: retry-after}}\n"
    )
    assert [] == findings(path)


def test_a_name_with_a_hump_is_read_as_words(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(
        "name: acme\nversions:\n  v0:\n    auth: {auth_mode: TWO_STEP, token_url: https://x.example/}\n"
        "    credentials: {clientSecret: {title: Secret}}\n"
        '    requests: {base_url: "https://x.example/", headers: {x: "${clientSecret}"}}\n    verification: {path: me}\n'
    )
    assert [(5, "secret-not-marked")] == findings(path)


def test_every_rule_has_a_reason_and_a_fix():
    assert [] == [rule.id for rule in ALL_RULES if not (rule.reason.endswith(".") and rule.fix.endswith("."))]
    assert len(ALL_RULES) == len({rule.id for rule in ALL_RULES})


def test_a_rule_says_whether_its_findings_can_be_mended():
    catalogue = Catalogue(folders=(CORPUS,))
    found = [one for path in sorted(CORPUS.glob("*.yaml")) for one in findings_in_file(path, catalogue)]

    assert {one.problem.code for one in found if one.edit} == {rule.id for rule in ALL_RULES if rule.mends}


def test_every_rule_is_a_module_of_its_own_and_registered():
    import nango_py.lint.rules as package

    modules = {path.stem.replace("_", "-") for path in Path(package.__file__).parent.glob("*.py")} - {"--init--"}
    assert modules == {rule.id for rule in package.RULES}
