# ruff: noqa: T201 - the counts are for a reader
"""The rules find the known faults of Nango's catalogue once it is imported, where a copy of it is at hand.

A census of that catalogue (21 August 2026) counted 78 faults. Each is found by a rule, named in the report of what was
lost, or gone because it is none here; this test says which.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from nango_py.declare.catalogue import Catalogue
from nango_py.lint import lint_file
from nango_py.yaml_text import parse
from tests.auth.test_recorded_cases import folder
from tests.importers.test_nango_recorded import imported

BY_RULE = {
    "pattern-rejects-own": {
        "adoxx-cc", "aws-scim", "azure-devops", "crisp", "elevio", "freshsales", "google-service-account",
        "greenhouse-assessment", "mindbody", "open-hands", "pennylane-company-api", "shopworks", "snowflake-jwt",
        "thrivecart-api-key", "twenty-crm-self-hosted", "veeva-vault-oauth",
    },
    "pattern-unanchored": {
        "bitdefender", "cisco-duo-admin", "elevio", "freepik", "freshsales", "gamma", "incident-io", "lemlist",
        "malwarebytes", "ocean-io", "xai",
    },
    "foreign-header": {"aws-iam", "aws-inspector2", "aws-multi-service"},
    "wait-header": {"affinity", "affinity-v2", "rocketreach", "store-leads"},
}  # fmt: skip
"""The slashes of Google's expression, and the hosts that are anybody's choice, are counted below."""
IN_REPORT = {
    ("airtable", "auth"), ("asana", "auth"), ("attio", "auth"), ("aws", "auth"),
    ("bing-webmasters", "refresh_token_params"), ("bullhorn", "refresh_token_response_metadata"),
    ("freshteam", "credentials.apiKey.pattern"), ("sentry-oauth", "installation"), ("squareup", "decode_url"),
    ("whoop", "proxy.paginate.type"),
}  # fmt: skip
"""Keys that nothing reads, an expression that is none, and pages that cannot be walked."""
READ_HERE = {"bing-webmasters": "refresh_url", "dropbox-sign": "refresh_url", "trustpilot": "refresh_url"}


@cache
def findings():
    """Return the blueprints that each rule finds something in, as often as it does."""
    where = Path(imported()[0].name)
    catalogue, found = Catalogue(folders=(where,)), defaultdict(list)
    for path in sorted(where.glob("*.yaml")):
        for problem in lint_file(path, catalogue):
            found[problem.severity if problem.severity == "error" else problem.code].append(path.stem)
    return found


def version_of(name):
    path = Path(imported()[0].name) / f"{name}.yaml"
    return parse(path.read_text("utf-8"), path.name).data["versions"]["v0"]


def test_what_was_imported_passes_the_check():
    assert [] == findings()["error"]


@pytest.mark.parametrize("rule", BY_RULE)
def test_rule_finds_the_faults_that_are_known(rule):
    assert BY_RULE[rule] == set(findings()[rule])


def test_findings_are_counted(capsys):
    with capsys.disabled():
        print("\nimported: " + ", ".join(f"{code} {len(names)}" for code, names in sorted(findings().items())))

    assert {"google", "google-docs"} <= set(findings()["pattern-slashes"])
    assert 25 == len(findings()["host-open"])
    assert 13 == len(findings()["pattern-unanchored"])


def test_what_nothing_reads_stands_in_the_report():
    assert {(one.name, found.key) for one in imported()[1].entries for found in one.findings} >= IN_REPORT


def test_what_is_read_here_is_no_fault():
    assert [] == [name for name, key in READ_HERE.items() if key not in version_of(name)["auth"]]


def lost_there():
    """Yield the aliases that write a `proxy` of their own and so lose a section of their base's, with the section."""
    theirs = parse(
        (folder() / "nango-providers.yaml").read_text("utf-8"), "theirs", max_characters=2**24, max_nodes=2**20
    )
    for name, entry in theirs.data.items():
        base = theirs.data.get(entry.get("alias"), {}).get("proxy", {})
        for section in ("retry", "paginate") if "proxy" in entry else ():
            if section in base and section not in entry["proxy"]:
                yield name, {"paginate": "pagination"}.get(section, section)


def test_an_alias_keeps_the_sections_of_its_base():
    imported()

    assert len(list(lost_there())) >= 20
    assert [] == [(name, section) for name, section in lost_there() if section not in version_of(name)]
