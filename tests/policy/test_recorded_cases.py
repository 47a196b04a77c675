# ruff: noqa: T201 - expected == actual is the house style, and the counts are for a reader
"""Compare our decisions with recorded ones, where the recordings are at hand; every difference has a name.

The recordings are no part of the repository: NANGO_PY_SHARED_DATA names their folder.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from nango_py import http
from nango_py.errors import NangoError
from nango_py.policy.outcome import Outcome
from nango_py.policy.pagination import PageAnswer, Pagination, check, first, following, items_of, set_members
from nango_py.policy.retry import InBody, RetryPolicy, Stop, Wait, decide

NOW = datetime(2026, 3, 2, 14, 30, 55, 250_000, tzinfo=UTC).timestamp()
# Backoff differs on purpose, so only stated waits are compared; the recordings round moments up by up to a second.
ROUNDING = 1.0
ERRORS = {
    "ECONNRESET": "network",
    "ECONNABORTED": "timeout",
    "ETIMEDOUT": "timeout",
    "ECONNREFUSED": "connect",
    "EHOSTUNREACH": "connect",
    "EAI_AGAIN": "connect",
    "ENOTFOUND": "connect",
    "UND_ERR_SOCKET": "network",
}


def recorded(name):
    folder = _folder()
    if folder is None:
        pytest.skip("no recorded cases: set NANGO_PY_SHARED_DATA to the folder that holds oracle-dev/")
    return [json.loads(line) for line in (folder / "oracle-dev" / name).read_text("utf-8").splitlines()]


def _folder():
    named = os.environ.get("NANGO_PY_SHARED_DATA")
    folders = [Path(named)] if named else [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    return next((folder for folder in folders if (folder / "oracle-dev").is_dir()), None)


def report(capsys, name, verdicts):
    counts = Counter(verdict for _, verdict, _ in verdicts)
    with capsys.disabled():
        print(f"\n{name}: {len(verdicts)} cases, {counts['agreed']} agreed")
        for verdict, count in sorted(counts.items()):
            if verdict != "agreed":
                print(f"  {count:3} {verdict}: {', '.join(case for case, other, _ in verdicts if other == verdict)}")
    return [(case, detail) for case, verdict, detail in verdicts if verdict == "unexplained"]


# --- retry -----------------------------------------------------------------------------------------------------------


def policy_of(declared):
    declared = dict(declared or {})
    in_body = declared.pop("in_body", None)
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in declared.items()}
    return RetryPolicy(
        **lists, in_body=InBody(**in_body) if in_body else None, max_attempts=20, max_wait=1e9, deadline=1e9
    )


def outcome_of(case):
    code = case.get("network_code")
    return Outcome(
        method=case.get("method", "GET"),
        status=case.get("status"),
        headers=http.Headers(case.get("headers", {})),
        body=case.get("body"),
        error=None if code is None else ERRORS.get(code, "unknown"),
    )


def judge_retry(case):
    ours = decide(
        policy_of(case["in"]["provider_retry"]),
        attempt=case["in"]["attempt"] + 1,
        elapsed=0.0,
        outcome=outcome_of(case["in"]),
        now=NOW,
        random=lambda: 1.0,
    )
    theirs = case["out"]
    if agrees(ours, theirs):
        return "agreed"
    return explained(case, ours)


def agrees(ours, theirs):
    if isinstance(ours, Stop):
        return not theirs["retry"]
    if not theirs["retry"]:
        return False
    stated = theirs.get("wait_ms")
    if stated is None:
        return ours.reason == theirs["reason"] or (ours.reason, theirs["reason"]) == (
            "network_error",
            "network_error",
        )
    return ours.reason == theirs["reason"] and abs(ours.seconds - stated / 1000) <= ROUNDING


def explained(case, ours):
    given, headers = case["in"], case["in"].get("headers", {})
    if "defect" in case:
        return f"defect {case['defect'][:3]}"
    if "call" in given:
        return "settings of one call replace the policy"
    if given.get("network_code") == "ENOTFOUND":
        return "a name that is not found is a connection error"
    if isinstance(ours, Wait) and ours.reason == "retry_after" and "retry-after" in headers:
        return "Retry-After is read without being declared"
    if given.get("status") == 408 or (given.get("status") == 425 and given["provider_retry"] is None):
        return "408 and 425 are retried"
    if given.get("status", 0) > 504 and isinstance(ours, Stop):
        return "statuses above 504 are not retried"
    return "unexplained"


def test_retry_decisions_agree_or_differ_for_a_known_reason(capsys):
    cases = [case for case in recorded("retry-decisions.jsonl") if case["id"].startswith("retry:")]
    verdicts = [(case["id"], judge_retry(case), case) for case in cases]

    assert [] == report(capsys, "retry decisions", verdicts)


def test_call_sequences_agree_or_differ_for_a_known_reason(capsys):
    cases = [case for case in recorded("retry-decisions.jsonl") if case["id"].startswith("sequence:")]
    verdicts = [(case["id"], judge_sequence(case), case) for case in cases]

    assert [] == report(capsys, "call sequences", verdicts)


def judge_sequence(case):
    if "defect" in case:
        return f"defect {case['defect'][:3]}"
    calls = count_calls(case["in"])
    if calls == case["out"]["http_calls"]:
        return "agreed"
    if any(answer.get("network") == "ENOTFOUND" for answer in case["in"]["responses"]):
        return "a name that is not found is a connection error"
    return "unexplained"


def count_calls(given):
    policy = policy_of(given["provider_retry"])
    for attempt in range(1, given["retries"] + 2):
        answer = given["responses"][min(attempt, len(given["responses"])) - 1]
        if answer.get("status", 500) < 400:
            return attempt
        code = "other" if answer.get("kind") == "other" else answer.get("network")
        outcome = outcome_of({"method": given["method"], **answer, "network_code": code})
        decision = decide(policy, attempt=attempt, elapsed=0.0, outcome=outcome, now=NOW, random=lambda: 1.0)
        if isinstance(decision, Stop):
            return attempt
    return given["retries"] + 1


# --- pagination ------------------------------------------------------------------------------------------------------


def judge_pages(case):
    if "defect" in case and "defect_fields" not in case:
        return f"defect {case['defect'][:3]}"
    declared = {**(case["in"]["provider_paginate"] or {}), **case["in"]["call"].get("paginate", {})}
    if not declared:
        return "agreed" if "error" in case["out"] else "unexplained"
    requests, pages, error = walk(Pagination(**declared), case)
    if "error" in case["out"]:
        return "agreed" if error else "unexplained"
    theirs = [(comparable(request["url"]), request.get("body")) for request in case["out"]["requests"]]
    if not error and requests == theirs and pages == case["out"]["pages"]:
        return "agreed"
    return explained_pages(case, error)


def explained_pages(case, error):
    if "defect" in case:
        return f"defect {case['defect'][:3]}"
    if "not a list" in error:
        return "an object that stands for a page is refused: response_path has to be declared"
    if case["out"].get("stopped_by_oracle") and "page before" in error:
        return "a page that repeats its items ends the walk"
    if "came before" in error:
        return "a repeated link or cursor ends the walk"
    return "unexplained"


def comparable(url):
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, parts.path, tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))


def walk(pagination, case):
    given = case["in"]
    method, requests, pages = given["call"].get("method", "GET"), [], []
    gaps = check(pagination)
    if gaps:
        return requests, pages, gaps[0].message
    turn = first(pagination, method=method)
    try:
        while turn is not None and len(requests) < 8:
            url, body = asked_for(turn, case)
            requests.append((comparable(url), body))
            answer = given["responses"][min(len(requests), len(given["responses"])) - 1]
            items = items_of(pagination, answer["data"])
            pages += [list(items)] if items else []
            headers = http.Headers(answer.get("headers", {}))
            page = PageAnswer(url=url, headers=headers, body=answer["data"])
            turn = following(pagination, turn.position, page)
    except NangoError as error:
        return requests, pages, str(error)
    return requests, pages, ""


def asked_for(turn, case):
    call = case["in"]["call"]
    base = case["out"]["requests"][0]["url"].split("?")[0] if case["out"]["requests"] else "https://api.test/"
    url = turn.url or str(http.URL(base).copy_merge_params({**call.get("params", {}), **dict(turn.params)}))
    body = call.get("data") if not turn.body else set_members(call.get("data"), turn.body)
    return url, body


def test_pages_agree_or_differ_for_a_known_reason(capsys):
    cases = recorded("pagination.jsonl")
    verdicts = [(case["id"], judge_pages(case), case) for case in cases]

    assert [] == report(capsys, "pagination", verdicts)
