# ruff: noqa: T201 - expected == actual is the house style, and the counts are for a reader
"""Compare our token requests with recorded ones, where the recordings are at hand; every difference has a name.

The recordings are no part of the repository: NANGO_PY_SHARED_DATA names their folder.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from nango_py import http
from nango_py.auth import SCHEMES
from nango_py.auth.expiry import moment_of
from nango_py.auth.grant import Account, BadAnswer, Refused, TokenAnswer
from nango_py.auth.token_answer import pick
from nango_py.connections.connection import Connection
from nango_py.connections.freshness import judge
from nango_py.declare.schema import load_schema
from nango_py.errors import NangoError
from nango_py.expression import moment_functions
from nango_py.importers.nango.catalogue import resolved
from nango_py.importers.nango.entry import convert
from nango_py.json_schema import Schema
from nango_py.secret import Secret
from nango_py.template import TemplateError

NOW = datetime(2026, 3, 2, 14, 30, 55, 250_000, tzinfo=UTC).timestamp()
UUID = "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
UNCOMPARED = frozenset({"accept", "user-agent", "host", "content-length", "accept-encoding"})
SHORT = {"access_token": "tok", "expires_in": 60}
GRANTED = {"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": 3600}


def folder():
    named = os.environ.get("NANGO_PY_SHARED_DATA")
    folders = [Path(named)] if named else [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    return next((folder for folder in folders if (folder / "oracle-dev").is_dir()), None)


def recorded(name):
    found = folder()
    if found is None:
        pytest.skip("no recorded cases: set NANGO_PY_SHARED_DATA to the folder that holds oracle-dev/")
    return [json.loads(line) for line in (found / "oracle-dev" / name).read_text("utf-8").splitlines()]


@cache
def catalogue():
    path = folder() / "nango-providers.yaml"
    return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def report(capsys, name, cases, judge, why):
    """Print how many cases agreed and why the others differ; return those that differ for no known reason."""
    verdicts, unexplained = {}, []
    for case in cases:
        verdict, differences = verdict_of(case, judge, why)
        verdicts.setdefault(verdict, []).append(case["id"])
        if verdict == "unexplained":
            unexplained.append((case["id"], differences))
    with capsys.disabled():
        print(f"\n{name}: {len(cases)} cases, {len(verdicts.pop('agreed', ()))} agreed")
        for verdict, names in sorted(verdicts.items()):
            print(f"  {len(names):3} {verdict}: {', '.join(names)}")
    return unexplained


def verdict_of(case, judge, why):
    try:
        differences = judge(case)
    except (ValueError, TypeError, TemplateError, NangoError) as error:
        differences = {} if "error" in case.get("out", {}) else {"refused": str(error)}
    if not differences:
        return "agreed", None
    if "defect" in case and not case.get("defect_fields"):  # the whole case is one
        return f"defect {case['defect'][:3]}", differences
    return why(case, differences) or "unexplained", differences


def made(case, **account):
    """Return the scheme of a case's provider, and the account that is connected."""
    declared = case["in"].get("provider_config")
    entry = {**declared, "auth_mode": "OAUTH2_CC"} if declared else entry_of(case["provider"])
    return scheme_of(entry), account_of(case["in"], **account)


def entry_of(name):
    """Return an entry of the catalogue with all that it inherits."""
    return resolved(catalogue(), name)


def scheme_of(entry):
    """Return the scheme that an imported entry declares."""
    keys = auth_keys(entry)
    return SCHEMES[keys["auth_mode"]].declare(keys)


def auth_keys(entry):
    converted = convert("recorded", entry)
    if converted.document is None:
        raise ValueError(converted.problem)
    return converted.document["versions"]["v0"]["auth"]


def account_of(given, *, credentials=None, scopes=(), nonce="nonce"):
    secrets = {name: Secret(value) for name, value in (credentials or {}).items() if value}
    values = {
        **secrets,
        "credentials": secrets,
        "connection_config": given.get("connection_config", {}),
        "metadata": {},
        "oauth_client_id": given.get("client_id"),
        "oauth_client_secret": Secret(given.get("client_secret", "")),
        **moment_functions(NOW, lambda: UUID),
    }
    return Account(values=values, credentials=secrets, scopes=scopes, now=NOW, nonce=lambda: nonce)


def words(text):
    return tuple(word.strip() for word in text.split(",") if word.strip())


# --- what is compared ------------------------------------------------------------------------------------------------


def sent(request):
    """Return a token request as the endpoint meets it."""
    body = {"json": request.json} if request.json is not None else {"content": request.content}
    if request.form is not None:
        body = {"data": dict(request.form)}
    made = http.Request(
        request.method, http.with_query(http.URL(request.url), request.params), headers=dict(request.headers), **body
    )
    made = request.sign(made) if request.sign is not None else made
    return seen(made.method, str(made.url), made.headers, made.content.decode())


def theirs_of(request):
    """Return a recorded request in the same form."""
    url = request["url"]
    if request.get("params"):
        url = str(http.URL(url).copy_merge_params(request["params"]))
    kind = "json" if "json" in request else "form"
    made = {"json": request["json"]} if "json" in request else {"data": request.get("form")}
    content = request.get("body")
    if content is None and request.get(kind) is not None:
        content = http.Request("POST", "https://x.test", **made).content.decode()
    return seen(request["method"], url, request["headers"], content or "")


def seen(method, url, headers, content):
    parts = urlsplit(url)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    kept = {name.lower(): value for name, value in headers.items() if name.lower() not in UNCOMPARED}
    kind = kept.pop("content-type", "").partition(";")[0]
    return {
        "method": method,
        "url": f"{parts.scheme}://{parts.netloc.lower()}{parts.path or '/'}",
        "query": query,
        "headers": kept,
        "type": kind if content else "",
        "body": body_of(content),
    }


def body_of(content):
    try:
        return json.loads(content)
    except ValueError:
        return dict(parse_qsl(content, keep_blank_values=True)) if "=" in content and "<" not in content else content


def without_defects(request, case):
    """Leave out what a recorded case marks as a defect, on either side."""
    for path in case.get("defect_fields", ()):
        _, _, *rest = path.split(".")
        if rest[:1] == ["url"]:
            request = {**request, "url": "", "query": []}
        elif rest and isinstance(request["body"], dict) and rest[0] in {"form", "json"}:
            body = {name: value for name, value in request["body"].items() if rest[1:] and name != rest[1]}
            request = {**request, "body": body}
        elif rest[:1] == ["body"]:
            request = {**request, "body": ""}
        elif rest == ["headers", "content-type"]:
            request = {**request, "type": ""}
        elif rest[:1] == ["headers"]:
            headers = {name: value for name, value in request["headers"].items() if rest[1:] and name != rest[1]}
            request = {**request, "headers": headers}
    return request


def differing(ours, theirs):
    return {name: (ours[name], theirs.get(name)) for name in ours if ours[name] != theirs.get(name)}


def differing_requests(case, requests):
    theirs = [without_defects(theirs_of(request), case) for request in case["out"]["requests"]]
    ours = [without_defects(request, case) for request in requests]
    if len(ours) != len(theirs):
        return {"requests": (ours, theirs)}
    found = [differing(*pair) for pair in zip(ours, theirs, strict=True)]
    return next((difference for difference in found if difference), {})


def talk(grant, *answers):
    """Return the requests of a grant, and what it ends with; the last answer is given again and again."""
    requests, left = [], list(answers)
    try:
        request = next(grant)
        while True:
            requests.append(sent(request))
            request = grant.send(answered(left.pop(0) if len(left) > 1 else left[0]))
    except StopIteration as end:
        return requests, end.value
    except (Refused, BadAnswer) as error:
        return requests, error


def answered(answer):
    status = answer.get("#status", 200) if isinstance(answer, dict) else 200
    body = answer if isinstance(answer, str) else json.dumps(answer)
    return TokenAnswer(status=status, headers=http.Headers(), body=body.encode())


# --- the whole catalogue ---------------------------------------------------------------------------------------------

NOT_SAID = {
    "certn-partner": "its alias changes the auth_mode and says no token_url",
    "github-app-oauth": "CUSTOM: two auth modes in one connection",
    "linear-mcp": "an MCP server without a base_url, so without a server_url",
    "private-api-generic": "each integration has a base URL of its own",
    "sap-success-factors": "SAML assertions",
}
"""The entries whose `auth` is not complete when they are imported, and why."""


def judge_entry(entry):
    keys = auth_keys(entry)
    mode = keys.pop("auth_mode")
    found = [str(violation) for violation in Schema(load_schema(f"auth/{mode.lower()}.schema.json")).violations(keys)]
    SCHEMES[mode].declare(keys)
    return {"schema": found} if found else {}


def why_entry(case, _differences):
    return NOT_SAID.get(case["id"])


def test_every_entry_of_the_catalogue_can_be_said_in_our_keys(capsys):
    recorded("catalogue.jsonl")
    entries = [{"id": name, **entry_of(name)} for name in catalogue()]

    assert [] == report(capsys, "auth sections", entries, judge_entry, why_entry)


# --- oauth2-urls -----------------------------------------------------------------------------------------------------


def judge_authorization(case):
    given = case["in"]
    scheme, account = made(case, scopes=words(given["scopes"]), nonce=given["code_verifier"])
    _, begun = talk(scheme.begin(account, redirect_uri=given["redirect_uri"], state=given["state"]))
    ours, theirs = address(begun.url), address(case["out"]["url"])
    if "params.scope" in case.get("defect_fields", ()):
        for one in (ours, theirs):
            one["query"].pop("scope", None)
    return differing(ours, theirs)


def address(url):
    parts = urlsplit(url)
    base, _, fragment = parts.fragment.partition("?")
    return {
        "url": f"{parts.scheme}://{parts.netloc.lower()}{parts.path or '/'}",
        "query": {**parameters(parts.query), **parameters(fragment)},
        "fragment": base,
    }


def parameters(query):
    return dict(parse_qsl(query, keep_blank_values=True))


def judge_exchange(case):
    given = case["in"]
    if case["kind"] == "token":
        scheme, account = made(case)
        callback = {scheme.authorization_code_param_in_callback: given["code"]}
        kept = {} if scheme.disable_pkce else {"code_verifier": given["code_verifier"]}
        grant = scheme.finish(account, callback, kept, redirect_uri=given["redirect_uri"])
    else:
        scheme, account = made(case, credentials={name: given[name] for name in ("access_token", "refresh_token")})
        grant = scheme.renew(account)
    requests, _ = talk(grant, GRANTED)
    return differing_requests(case, requests)


def why_oauth2(case, differences):
    if case.get("path") == "provider-client":
        return "code that Nango has for this one provider"
    ours, theirs = differences.get("query", ({}, {}))
    if list(differences) == ["query"] and without_scope(ours) == without_scope(theirs):
        if not theirs["scope"]:
            return "an empty scope is not sent"
        if ours["scope"].startswith(theirs["scope"]) and "default_scopes" in entry_of(case["provider"]):
            return "default_scopes are asked for beside the integration's scopes"
    return None


def without_scope(query):
    return {name: value for name, value in query.items() if name != "scope"}


def test_authorization_urls_agree_or_differ_for_a_known_reason(capsys):
    cases = [case for case in recorded("oauth2-urls.jsonl") if case["kind"] == "authorize"]

    assert [] == report(capsys, "authorization URLs", cases, judge_authorization, why_oauth2)


@pytest.mark.parametrize("kind", ["token", "refresh"])
@pytest.mark.parametrize("path", ["generic", "provider-client"])
def test_token_requests_of_oauth_2_agree_or_differ_for_a_known_reason(capsys, kind, path):
    cases = [case for case in recorded("oauth2-urls.jsonl") if (case["kind"], case.get("path")) == (kind, path)]

    assert [] == report(capsys, f"{kind} requests, {path}", cases, judge_exchange, why_oauth2)


# --- client credentials ----------------------------------------------------------------------------------------------


def judge_client_credentials(case):
    given = case["in"]
    client = {name: given[name] for name in ("client_id", "client_secret")}
    scheme, account = made(case, credentials=client, scopes=words(given["connection_config"].get("oauth_scopes", "")))
    answer = {"error": "bad", "#status": 400} if "error" in case["out"] else given.get("token_response", SHORT)
    requests, end = talk(scheme.renew(account), answer)
    return differing_requests(case, requests) | differing_tokens(case, end)


def differing_tokens(case, end):
    if "error" in case["out"]:
        return {} if isinstance(end, Refused | BadAnswer) else {"error": (end, case["out"]["error"])}
    if isinstance(end, Exception):
        return {"error": (str(end), case["out"]["credentials"])}
    theirs, ours = case["out"]["credentials"], end.credentials
    stated = theirs.get("expires_at")
    expected = {"token": theirs["token"], "expires_at": None if stated is None else moment_of(stated)}
    return differing({"token": ours["access_token"], "expires_at": ours["expires_at"]}, expected)


def why_client_credentials(case, differences):
    declared = entry_of(case["provider"]) if case["provider"] else case["in"]["provider_config"]
    if list(differences) == ["body"] and "scope" in declared.get("token_params", {}):
        return "a declared parameter wins over the standard one"
    return None


def test_client_credentials_agree_or_differ_for_a_known_reason(capsys):
    cases = [case for case in recorded("token-requests.jsonl") if case["kind"] == "client_credentials"]

    assert [] == report(capsys, "client credentials", cases, judge_client_credentials, why_client_credentials)


# --- token answers ---------------------------------------------------------------------------------------------------


def judge_token(case):
    return TOKEN_JUDGES[case["kind"]](case)


def judge_moment(case):
    try:
        ours = moment_of(plain(case["in"].get("value")), now=NOW)
    except ValueError:
        ours = None
    return differing({"expires_at": ours}, {"expires_at": moment(case["out"]["expires_at"])})


def judge_tokens(case):
    given = case["in"]
    entry = {**(given.get("template") or {}), "auth_mode": given["mode"], "token_url": "https://t.test/"}
    _, end = talk(scheme_of(entry).renew(account_of({})), given["raw"])
    if isinstance(end, Exception) or "error" in case["out"]:
        return {} if isinstance(end, Exception) and "error" in case["out"] else {"error": (end, case["out"])}
    theirs = {name: case["out"].get(name) for name in ("refresh_token", "expires_at")}
    ours = {name: end.credentials.get(name) for name in ("access_token", "refresh_token", "expires_at")}
    token = case["out"].get("access_token") or case["out"].get("token")
    return differing(ours, {**theirs, "access_token": token, "expires_at": moment(theirs["expires_at"])})


def moment(text):
    try:
        return None if text in {None, "Invalid Date"} else moment_of(text)
    except ValueError:
        return text  # a year with five digits


def plain(value):
    """Return what stands for a date as its text."""
    return value.get("$date", value) if isinstance(value, dict) else value


def judge_metadata(case):
    ours = pick(tuple(case["in"]["fields"]), case["in"]["response"])
    return differing({"metadata": ours}, case["out"])


def judge_given_expiry(case):
    stated = plain(case["in"]["credentials"].get("expires_at"))
    scheme = SCHEMES["OAUTH2"]()
    kept = scheme.accept({"access_token": "a", "expires_at": stated}, scheme.fields, pytest.fail, now=NOW)
    return differing({"expires_at": scheme.expires_at(kept)}, {"expires_at": moment(case["out"]["expires_at"])})


def judge_expired(case):
    scheme = SCHEMES["OAUTH2"](token_expiration_buffer=case["in"]["margin_seconds"])
    credentials = {"access_token": "a", "expires_at": moment(case["in"]["expires_at"])}
    connection = Connection(
        id="c",
        integration="i",
        user_id="u",
        credentials=credentials,
        connection_config={},
        metadata={},
        created_at=NOW,
        updated_at=NOW,
        version=1,
    )
    return differing({"expired": judge(scheme, connection, NOW) != "fresh"}, case["out"])


TOKEN_JUDGES = {
    "parseTokenExpirationDate": judge_moment,
    "parseRawCredentials": judge_tokens,
    "getConnectionMetadata": judge_metadata,
    "getExpiresAtFromCredentials": judge_given_expiry,
    "isTokenExpired": judge_expired,
}


def why_token(case, _differences):
    given = case["in"]
    if case["kind"] == "isTokenExpired" and moment(given["expires_at"]) - given["margin_seconds"] == NOW:
        return "a token is expired at the moment of its end, not only after it"
    return None


def test_token_answers_agree_or_differ_for_a_known_reason(capsys):
    cases = recorded("token-parsing.jsonl")

    assert [] == report(capsys, "token answers", cases, judge_token, why_token)
