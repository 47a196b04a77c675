"""Compare our logins, made tokens and digests with recorded ones, where the recordings are at hand."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from xml.etree.ElementTree import canonicalize

import pytest

from nango_py.auth import SCHEMES
from nango_py.auth.expiry import moment_of
from nango_py.http import Request
from nango_py.secret import Secret
from tests.auth.grants import NOW, Answer, account, perform, sent
from tests.auth.test_recorded_cases import (
    differing,
    entry_of,
    recorded,
    report,
    scheme_of,
    seen,
    theirs_of,
    without_defects,
)

NINETY_YEARS = 90 * 365 * 86_400


def cases(kind):
    return [case for case in recorded("token-requests.jsonl") if case["kind"] == kind]


def renewed(case):
    given = case["in"]
    # Scanners of secrets are kept off the recorded keys by other guards than a PEM has.
    secrets = {name: text.replace("=====", "-----") for name, text in given["credentials"].items()}
    answers = [Answer(data.encode() if isinstance(data, str) else data) for data in given.get("responses", ())]
    holder = account(secrets, connection_config=given.get("connection_config", {}))
    return perform(scheme_of(entry_of(case["provider"])).renew(holder), *answers)


def comparable(request):
    """Return a seen request with XML in its canonical form."""
    body = request["body"]
    is_xml = isinstance(body, str) and body.startswith("<")
    return {**request, "body": canonicalize(body, strip_text=True)} if is_xml else request


def judge_login(case):
    asked, obtained = renewed(case)
    made = [sent(request) for request in asked]
    ours = [seen(one.method, str(one.url), one.headers, one.content.decode()) for one in made]
    theirs = [theirs_of(request) for request in case["out"]["requests"]]
    if len(ours) != len(theirs):
        return {"requests": (ours, theirs)}
    found: dict = {}
    for pair in zip(ours, theirs, strict=True):
        found |= differing(*(comparable(without_defects(each, case)) for each in pair))
    tokens = case["out"]["credentials"]
    expected = {"token": tokens["token"], "expires_at": moment_of(tokens["expires_at"])}
    held = obtained.credentials
    return found | differing({"token": held["access_token"], "expires_at": held["expires_at"]}, expected)


def why_login(case, differences):
    del case
    ours, theirs = differences.get("expires_at", (0.0, 0.0))
    if list(differences) == ["expires_at"] and ours is None and theirs - NOW > NINETY_YEARS:
        return "defect T04, 99 years where no lifetime is known"
    return None


def parts(token):
    return [json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in token.split(".")[:2]]


def test_logins_agree_or_differ_for_a_known_reason(capsys):
    assert [] == report(capsys, "logins", cases("two_step"), judge_login, why_login)


def test_made_tokens_agree():
    pytest.importorskip("jwt", reason="JWT needs the extra jwt")
    for case in cases("jwt"):
        _, obtained = renewed(case)
        header, payload = parts(obtained.credentials["access_token"])
        theirs = case["out"]["jwts"][0]

        assert (theirs["header"], theirs["payload"]) == (header, payload)
        # Theirs is to the millisecond, but a token says its end in whole seconds.
        assert int(moment_of(case["out"]["credentials"]["expires_at"])) == obtained.credentials["expires_at"]


def test_digests_agree():
    for case in cases("wsse"):
        given = case["in"]
        values = {"username": given["username"], "password": Secret(given["password"])}
        request = (
            SCHEMES[case["auth_mode"]]
            .declare({"signature": {"protocol": "WSSE"}})
            .sign(
                Request("GET", "https://api.example.com/"), values, now=NOW, nonce=given["frozen_nonce_hex"], body=b""
            )
        )

        assert case["out"]["credentials"]["token"] == request.headers["X-WSSE"]
