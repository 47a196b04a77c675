# ruff: noqa: T201 - the counts are for a reader
"""Compare what imported blueprints send with what Nango's own code sends, where recordings of it are at hand.

The recordings are no part of the repository: NANGO_PY_SHARED_DATA names their folder. Every difference has a name.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from nango_py import Nango
from nango_py.address import endpoint_text
from nango_py.errors import NangoError
from nango_py.exchange.request_parts import parts_of
from nango_py.expression import moment_functions
from nango_py.importers.nango.catalogue import resolved
from nango_py.importers.nango.importer import import_catalogue
from nango_py.importers.nango.language import Ref, Untranslatable, translate, translate_url
from nango_py.template import split
from nango_py.testing import ManualClock
from nango_py.yaml_text import parse
from tests.auth.test_recorded_cases import catalogue, folder, recorded, report

NOW_TEXT = "2026-03-02T14:30:55.250+00:00"
NOW = datetime.fromisoformat(NOW_TEXT).timestamp()
UUID = "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
ANY_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
JWT = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")
NONCE = re.compile(r'\b(oauth_nonce|oauth_signature|PasswordDigest|Nonce)="[^"]*"')
OURS = {"user-agent", "accept", "accept-encoding", "connection", "host", "content-length", "content-type"}
"""Headers that httpx sends by itself; theirs are recorded before their client adds its own."""
META = folder() / "oracle-dev" / "meta.json" if folder() else Path()
PEM = json.loads(META.read_text("utf-8"))["test_keys"]["rsa_pkcs8"].replace("=====", "-----") if folder() else ""
PEM_NAME = re.compile("private_?key", re.IGNORECASE)
NAMES = {"apiKey": "api_key", "token": "access_token", "session_id": "access_token", "sessionId": "access_token"}
"""Where theirs keeps a credential under another name than ours."""


@cache
def imported():
    """Return the folder of blueprints, and the report, of the whole catalogue."""
    if folder() is None:
        pytest.skip("no recorded cases: set NANGO_PY_SHARED_DATA to the folder that holds oracle-dev/")
    kept = TemporaryDirectory()
    found = import_catalogue(folder() / "nango-providers.yaml", Path(kept.name))
    return kept, found


@cache
def blueprint_of(name):
    """Return the version of a blueprint as it was written; None where there is none."""
    path = Path(imported()[0].name) / f"{name}.yaml"
    return parse(path.read_text("utf-8"), path.name).data["versions"]["v0"] if path.exists() else None


def test_nearly_every_entry_gives_a_blueprint_that_builds_a_client(capsys):
    report = imported()[1]
    cases = [
        {"id": entry.name, "provider": entry.name, "auth_mode": mode_of(entry.name), "in": ANYBODY}
        for entry in report.entries
    ]
    world = World(cases)
    built = [case["id"] for case in cases if blueprint_of(case["id"]) and builds(world, case)]
    with capsys.disabled():
        print(f"\nentries: {len(cases)}, with a blueprint that builds a client: {len(built)}")
        for entry in report.failed:
            print(f"  {entry.name}: {entry.problem}")

    assert [] == [entry.name for entry in report.entries if entry.ok and entry.name not in {*built, *OTHER_KEYS}]
    assert len(built) >= 0.95 * len(cases)
    assert all(entry.problem for entry in report.failed)


OTHER_KEYS = {"apple-app-store", "ghost-admin"}
"""Their accounts hold keys of other kinds than the one at hand: on an elliptic curve, and hexadecimal behind a colon."""
ANYBODY = {"integration": {"oauth_client_id": "id", "oauth_client_secret": "secret"}}


def mode_of(name):
    blueprint = blueprint_of(name)
    return blueprint and blueprint["auth"]["auth_mode"]


def builds(world, case):
    """Tell whether a client can be opened with some account or other."""
    integration = world.nango._core.integration(key_of(case))
    for text in ("acme" * 10, f"https://{'acme' * 10}.test"):
        config = {
            field.name: field.enum[0] if field.enum else "443" if field.name == "port" else text
            for field in integration.connection_config
        }
        given = {field.name: PEM if PEM_NAME.search(field.name) else text for field in integration.credentials}
        given["expires_at"] = "2036-01-01T00:00:00Z"
        if "access_token" not in given:
            del given["expires_at"]
        try:
            world.nango.register_connection(integration.name, text, given, config)
            with world.nango.client(integration.name, text) as client:
                return str(client.base_url).startswith("http")
        except NangoError:
            continue
    return False


# --- how a case is put to us -----------------------------------------------------------------------------------------


def integration_of(case, blueprint):
    """Return the integration of a case: its blueprint, with the client and what only the case knows.

    Nango checks fields in the browser alone, so the recorded values fit no format and some are missing.
    """
    keys = {"extends_blueprint": f"{case['provider']}:v0", "retry": {"max_attempts": 1}}
    for section, any_pattern in (("credentials", None), ("connection_config", ".")):
        loose = {"format": None, "pattern": any_pattern, "optional": True}
        keys[section] = dict.fromkeys(blueprint.get(section, ()), loose)
    for name in ("oauth_client_id", "oauth_client_secret"):
        if text := case["in"]["integration"].get(name):
            keys[name] = text
    if override := case["in"].get("request", {}).get("base_url_override"):
        keys["requests"] = {"allowed_origins": ["{0.scheme}://{0.netloc}".format(urlsplit(override))]}
    if case["auth_mode"] == "AWS_SIGV4":
        keys["auth"] = {"role_arn": None}  # the recorded key is the one that assuming the role has given
    return keys


class World:
    """Hold one engine with an integration for each case, and what it sent last."""

    def __init__(self, cases):
        self.sent = []
        declared = {
            key_of(case): integration_of(case, blueprint)
            for case in cases
            if (blueprint := blueprint_of(case["provider"])) is not None
        }
        self.nango = Nango.load(
            {"integrations": declared},
            blueprints=[imported()[0].name],
            transport=httpx.MockTransport(self.receive),
            clock=ManualClock(NOW),
            store="memory://",
            environ={},
        )

    def receive(self, request):
        request.read()
        self.sent.append(request)
        return httpx.Response(200, json={})

    def connect(self, case):
        """Register the account of a case, by the fields that its blueprint declares."""
        name = key_of(case)
        declared = self.nango._core.integration(name)
        fields = {field.name for field in declared.connection_config}
        config = {key: value for key, value in case["in"]["connection_config"].items() if key in fields}
        fields = {field.name for field in declared.credentials}
        fields |= {"raw", "expires_at"} if "access_token" in fields else set()
        theirs = case["in"]["credentials"]
        theirs = {**theirs, **(theirs.get("config_override") or {})}
        given = {ours_of(key, fields): guarded(value) for key, value in theirs.items()}
        held = {key: value for key, value in given.items() if key in fields and value not in ("", None)}
        self.nango.register_connection(name, "user", held, config)
        return name


def key_of(case):
    return re.sub(r"[^a-z0-9]+", "-", case["id"].lower()).strip("-")


def ours_of(name, fields):
    if name in fields:
        return name
    for rename in (NAMES, {"username": "access_key_id", "password": "secret_access_key"}):
        if rename.get(name) in fields:
            return rename[name]
    return name


def guarded(value):
    """Return a PEM with its own guards: scanners of secrets are kept off the recorded keys by other ones.

    Where only the pattern of one was imitated, a real key stands in.
    """
    if isinstance(value, str) and re.match("[=-]{5}BEGIN PRIVATE KEY", value):
        real = value.replace("=====", "-----")
        return real if "\n" in value else PEM
    return value


# --- what is compared ------------------------------------------------------------------------------------------------


def seen(request):
    parts = urlsplit(str(request.url))
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {
        "method": request.method,
        "url": f"{parts.scheme}://{parts.netloc.lower()}{parts.path or '/'}",
        "query": sorted(parse_qsl(parts.query, keep_blank_values=True)),
        "headers": {name: steady(value) for name, value in headers.items()},
        "body": body_of(request.content.decode()),
    }


def theirs_of(out, data=None):
    parts = urlsplit(out["url"])
    return {
        "method": out["method"],
        "url": f"{parts.scheme}://{parts.netloc.lower()}{parts.path or '/'}",
        "query": sorted(parse_qsl(parts.query, keep_blank_values=True)),
        "headers": {name: steady(value) for name, value in out["headers"].items()},
        "body": body_of(out.get("body", data)),
    }


def steady(value):
    """Return a header without what differs in every run: UUIDs, nonces and what is made of them."""
    value = NONCE.sub(r'\1="..."', ANY_UUID.sub(UUID, value))
    return "OAuth " + ", ".join(sorted(value[6:].split(", "))) if value.startswith("OAuth ") else value


def body_of(content):
    if not isinstance(content, str):
        return "" if content is None else content
    try:
        return json.loads(content)
    except ValueError:
        return content


def differing(ours, theirs, left_out=()):
    """Return what differs of two requests, without what is *left_out*: paths such as headers.authorization."""
    found = {
        key: (ours[key], theirs[key])
        for key in ("method", "url", "query", "body")
        if ours[key] != theirs[key]
        and not {key, "url"} & set(left_out) - ({"url"} if key in {"method", "body"} else set())
    }
    skipped = {path.partition(".")[2].partition(".")[0] for path in left_out if path.startswith("headers")}
    if "headers" in left_out:
        return found
    for name in sorted({*ours["headers"], *theirs["headers"]} - skipped):
        mine, other = ours["headers"].get(name), theirs["headers"].get(name)
        if mine != other and not (other is None and name in OURS):
            found[f"headers.{name}"] = (mine, other)
    return found


# --- requests --------------------------------------------------------------------------------------------------------


def judge_request(world):
    def judge(case):
        given = case["in"]["request"]
        name = world.connect(case)
        with world.nango.client(name, "user") as client:
            client.request(given["method"], path_of(given), **options_of(given))
        ours = with_token(seen(world.sent.pop()), case)
        return differing(ours, theirs_of(case["out"], given.get("data")), case.get("defect_fields", ()))

    return judge


def with_token(ours, case):
    """Return our request with the recorded token in place of one that we made ourselves."""
    if case["auth_mode"] != "JWT":
        return ours
    token = case["in"]["credentials"]["token"]
    return {**ours, "headers": {key: JWT.sub(token, value) for key, value in ours["headers"].items()}}


def path_of(given):
    endpoint, params = given["endpoint"], given.get("params")
    if params:
        # httpx lets params take the place of a query that is there.
        query = params if isinstance(params, str) else str(httpx.QueryParams(params))
        endpoint = f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"
    return f"{given['base_url_override'].rstrip('/')}{endpoint}" if "base_url_override" in given else endpoint


def options_of(given):
    data = given.get("data")
    body = {} if data is None else {"content": data} if isinstance(data, str) else {"json": data}
    return {"headers": given.get("headers"), **body}


def why_request(case, differences):
    if "defect" in case and "refused" in differences:
        return f"defect {case['defect'][:3]}"
    if blueprint_of(case["provider"]) is None:
        return "there is no blueprint, which the report says"
    return next((why for why, explains in WHYS.items() if explains(case, differences)), None)


SIGNATURES = {"cisco-duo-admin": "authorization", "streamline-ai": "signature", "avanan": "x-av-sig"}
WHYS = {
    "a caller's parameter or User-Agent wins over the blueprint's": lambda case, found: (
        case["variant"] in {"edge", "get-override"} and set(found) <= {"query", "headers.user-agent"}
    ),
    "proxy.body: values put into every body": lambda case, found: (
        list(found) == ["body"] and case["out"].get("body") is not None
    ),
    "a signature of Amazon's, made by our scheme, which signs more headers": lambda case, found: (
        case["auth_mode"] == "BASIC" and "headers.x-amz-content-sha256" in found
    ),
    "content-type is there before the signature, not after it": lambda case, found: (
        case["auth_mode"] == "AWS_SIGV4"
        and set(found) == {"headers.authorization"}
        and "data" in case["in"]["request"]
    ),
    "a plus in a path is sent as %2B before it is signed": lambda case, found: (
        case["auth_mode"] == "AWS_SIGV4" and "+" in case["in"]["request"]["endpoint"]
    ),
    "the session of BILL, whose headers Nango's code knows": lambda case, found: (
        case["auth_mode"] == "BILL" and {"headers.sessionid", "headers.devkey"} >= set(found)
    ),
    "a base URL of one connection alone": lambda case, found: "base_url" in case["in"]["connection_config"],
    "a signature over a body that JavaScript wrote as [object Object], or over what only it calls the endpoint": lambda case, found: (
        f"headers.{SIGNATURES.get(case['provider'])}" in found
    ),
}
"""Why requests differ on purpose, and what tells such a case."""


def test_requests_agree_or_differ_for_a_known_reason(capsys):
    cases = recorded("proxy-requests.jsonl")

    assert [] == report(capsys, "requests", cases, judge_request(World(cases)), why_request)


# --- verification ----------------------------------------------------------------------------------------------------


def judge_verification(world):
    def judge(case):
        name = world.connect(case)
        world.nango.check_connection(name, "user")
        theirs = case["out"]["requests_when_all_fail"]
        skipped = [re.sub(r"^requests\.(0|\*)\.?", "", path) for path in case.get("defect_fields", ())]
        found = differing(with_token(seen(world.sent.pop()), case), theirs_of(theirs[0]), skipped)
        return found if len(theirs) == 1 else {**found, "requests": (1, len(theirs))}

    return judge


def why_verification(case, differences):
    if "requests" in differences:
        return "one path is tried, not several in turn"
    return why_request({"variant": "verify", **case}, differences)


def test_verifications_agree_or_differ_for_a_known_reason(capsys):
    cases = recorded("verification-requests.jsonl")

    assert [] == report(capsys, "verifications", cases, judge_verification(World(cases)), why_verification)


# --- the language ----------------------------------------------------------------------------------------------------


def words_of(context):
    """Return what finds our names for theirs, of which anything may be missing."""

    def words(dotted):
        root, *path = dotted.split(".")
        if not path:
            return Ref(text=ours_word(root), may_be="empty")
        whole = ".".join(path)
        flat = {f"{root}.{whole}", whole} & set(context)  # what a callback or a token answer brings is kept so
        root = {"connectionConfig": "connection_config"}.get(root, root)
        steps = [f"[{whole!r}]"] if flat else [step_of(name) for name in path]
        return Ref(text=root + "".join(steps), may_be="empty")

    return words


def step_of(name):
    return f".{name}" if name.isidentifier() else f"[{int(name)}]" if name.isdigit() else f"[{name!r}]"


def ours_word(name):
    if not name.isidentifier():
        raise Untranslatable(f"the name {name!r}")
    return name


def judge_template(case):
    template, place = case["template"], case["fn"]
    context = {name: guarded_within(value) for name, value in case["context"].items()}
    moment = datetime.fromisoformat(case.get("now") or context.get("now") or NOW_TEXT).timestamp()
    values = {
        **{name.replace("connectionConfig", "connection_config"): value for name, value in context.items()},
        **moment_functions(moment, lambda: context.get("random", UUID)),
    }
    if place == "makeUrl":
        values["connection_config"] = context
    if flat := {
        name.partition(".")[2]: value for name, value in context.items() if name.startswith("connectionConfig.")
    }:
        values["connection_config"] = flat
    theirs = case["out"].get("value")
    try:
        filled = FILLED[place](template, values, words_of(context))
    except Untranslatable:
        if theirs is not None and "${" in theirs:
            return {}  # neither knows what it means: theirs leaves it as it stands, ours says so when it is imported
        raise
    if place in URLS and theirs is not None:
        filled, theirs = filled.rstrip("/"), theirs.rstrip("/")
    return {} if filled == theirs else {"value": (filled, theirs)}


def guarded_within(value):
    return {name: guarded(one) for name, one in value.items()} if isinstance(value, dict) else guarded(value)


def fill_text(template, values, words):
    return split(translate(template, words, alternatives=False, keeps_empty=True)).render(values)


def fill_choice(template, values, words):
    return split(translate(template, words, keeps_empty=True)).render(values)


def fill_query(method, values, words):
    """Return the form of a query that signatures are made of."""
    request = httpx.Request(method, f"https://x.test/?{values['query']}")
    return parts_of(request, b"")["query"]


def fill_url(template, values, words):
    return endpoint_text(split(translate_url(template, words)), values)


FILLED = {
    "interpolateString": fill_text,
    "interpolateStringFromObject": fill_choice,
    "interpolateIfNeeded": fill_choice,
    "makeUrl": fill_url,
    "proxyBaseUrl": fill_url,
    "buildCanonicalParams": fill_query,
}
URLS = {"makeUrl", "proxyBaseUrl"}


def why_template(case, differences):
    return next((why for mark, why in TEMPLATES.items() if mark in case["template"]), None)


TEMPLATES = {
    "awsSigV4(": "a signature of Amazon's is made by our scheme, which knows the whole request",
    "${a-b}": "names at the root are identifiers",
    "base64()": "a function of nothing gives nothing",
    ":month:": "a moment that is months away",
    "${a} ||": "an empty alternative gives nothing, and 0 counts as no value in a choice",
}


def test_templates_agree_or_differ_for_a_known_reason(capsys):
    cases = [case for case in recorded("interpolation.jsonl") if not case["fn"].startswith("interpolateObject")]

    assert [] == report(capsys, "templates", cases, judge_template, why_template)


# --- the catalogue ---------------------------------------------------------------------------------------------------


def judge_entry(case):
    entry = resolved(catalogue(), case["id"])
    proxy = entry.get("proxy") or {}
    ours = {
        "auth_mode": entry["auth_mode"],
        "keys": sorted(set(entry) - {"alias"}),
        "has_base_url": "base_url" in proxy,
    }
    theirs = {name: case[name] for name in ours}
    found = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
    lost = set(case.get("lost_proxy_keys", ()))
    if set(proxy) != set(case["proxy_keys"]) | lost:
        found["proxy_keys"] = (sorted(proxy), case["proxy_keys"])
    return found


def test_entries_are_resolved_like_nangos_and_lose_nothing(capsys):
    cases = recorded("catalogue.jsonl")

    assert [] == report(capsys, "entries", cases, judge_entry, lambda case, differences: None)
