"""Import a catalogue of providers that do not exist: what is written, what is sent, and what is reported as lost."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from hashlib import sha1
from hmac import new as mac

import httpx
import pytest

from nango_py import Nango
from nango_py.authoring.report import Finding
from nango_py.authoring.scratch import check_name
from nango_py.cli import main
from nango_py.errors import ConfigError, UsageError
from nango_py.importers.nango.catalogue import BadAlias, resolved
from nango_py.importers.nango.entry import convert
from nango_py.importers.nango.importer import import_catalogue
from nango_py.testing import ManualClock
from nango_py.yaml_text import parse
from nango_py.yaml_writer import yaml_text
from tests.importers.catalogue import TEXT

CATALOGUE = parse(TEXT, "providers.yaml").data


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "providers.yaml"
    path.write_text(TEXT, "utf-8")
    return path


@pytest.fixture
def folder(file, tmp_path):
    import_catalogue(file, tmp_path / "blueprints")
    return tmp_path / "blueprints"


def version_of(entry, name="made"):
    return convert(name, entry).document["versions"]["v0"]


def sent(folder, name, credentials, config=None, **integration):
    """Return the request that a client of an imported blueprint sends, and one that checks the connection."""
    seen = []

    def receive(request):
        seen.append(request)
        return httpx.Response(200, json={})

    declared = {"integrations": {name: {"extends_blueprint": f"{name}:v0", **integration}}}
    world = {"transport": httpx.MockTransport(receive), "clock": ManualClock(1_700_000_000.0), "environ": {}}
    with Nango.load(declared, blueprints=[folder], store="memory://", **world) as nango:
        assert nango.problems == ()
        nango.register_connection(name, "u", credentials, config or {})
        with nango.client(name, "u") as client:
            client.get("/things?a=1")
        if nango._core.integration(name).verification:
            nango.check_connection(name, "u")
    return seen


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_an_api_key_is_sent_where_the_entry_puts_it_and_nowhere_else(folder):
    request, check = sent(folder, "acme", {"api_key": "ak_9"}, {"subdomain": "https://birds.acme.test"})

    assert ("birds.acme.test", "/api/things") == (request.url.host, request.url.path)
    assert ("ak_9", "2026-01-01") == (request.headers["x-acme-key"], request.headers["x-acme-version"])
    assert {"authorization", "x-acme-team"} & set(request.headers) == set()
    assert {"a", "trace"} == set(request.url.params)
    assert ("/api/v1/me", "birds") == (check.url.path, check.url.params["with"])


def test_an_alias_inherits_all_that_its_base_says_at_every_depth(folder):
    (request, _) = sent(folder, "acme-eu", {"api_key": "ak_9"}, {"subdomain": "birds", "team": "red"})
    written = parse((folder / "acme-eu.yaml").read_text("utf-8"), "x").data["versions"]["v0"]

    assert ("birds.acme-eu.test", "team red") == (request.url.host, request.headers["x-acme-team"])
    assert {"after": "x-acme-wait", "error_code": ["429", "5xx"]} == written["retry"]
    assert "Imported from Nango's providers.yaml, acme-eu, an alias of acme." == written["comment"]


def test_a_bearer_token_is_sent_beside_a_header_that_names_it_as_nango_does(folder):
    config = {"instance.url": "https://eu.bolt.test/v2", "app": "me"}
    (request,) = sent(folder, "bolt", {"access_token": "t"}, config, oauth_client_id="i", oauth_client_secret="s")

    assert "https://eu.bolt.test/v2/things?a=1" == str(request.url)
    assert ["Bearer t", "t", "me"] == [
        request.headers[name] for name in ("authorization", "x-bolt-token", "user-agent")
    ]


def test_a_login_puts_its_token_only_where_the_entry_names_it(folder):
    given = {"userName": "ann", "access_token": "t"}
    (request,) = sent(folder, "dune", given, {"server": "dune.test"})

    assert ("t", None) == (request.headers["x-session"], request.headers.get("authorization"))


def test_a_client_sends_what_the_entry_declares_and_the_scopes_of_its_connection(folder):
    given = {"client_id": "id", "client_secret": "secret"}
    token, request = sent_with_token(folder, "cork", given, {"oauth_scopes": "a,b"})

    assert {
        "client_id": "id",
        "client_secret": "secret",
        "scope": "a b",
        "audience": "https://api.cork.test",
    } == dict(httpx.QueryParams(token.content.decode()))
    assert "Bearer new" == request.headers["authorization"]


def sent_with_token(folder, name, credentials, config):
    seen = []

    def receive(request):
        request.read()
        seen.append(request)
        return httpx.Response(200, json={"access_token": "new", "sessionId": "new", "ttl": 60})

    declared = {"integrations": {name: {"extends_blueprint": f"{name}:v0"}}}
    with Nango.load(
        declared, blueprints=[folder], store="memory://", transport=httpx.MockTransport(receive), environ={}
    ) as nango:
        nango.register_connection(name, "u", credentials, config)
        with nango.client(name, "u") as client:
            client.get("/things")
    return seen


def test_an_empty_password_stands_in_the_middle_of_text(folder):
    login, request = sent_with_token(folder, "dune", {"userName": "ann"}, {"server": "dune.test"})

    assert f"Basic {b64encode(b'ann:').decode()}" == login.headers["authorization"]
    assert {"user": "ann"} == json.loads(login.content)
    assert "new" == request.headers["x-session"]


def test_a_header_signs_the_request_that_bears_it(folder):
    (request,) = sent(folder, "echo", {"username": "u", "password": "p"})

    assert mac(b"p", b"GET /things", sha1).hexdigest() == request.headers["x-sign"]
    assert "20231114" == request.headers["x-day"]


# --- what is written -------------------------------------------------------------------------------------------------


def test_the_file_of_a_provider_reads_like_one_of_ours(folder):
    assert """\
name: acme
display_name: Acme
docs_url: https://docs.acme.test
maintainer: imported from Nango
categories:
  - crm
versions:
  v0:
    comment: Imported from Nango's providers.yaml, acme.
    auth:
      auth_mode: API_KEY
    credentials:
      api_key:
        title: Key
        description: See https://docs.acme.test/connect#key
        secret: true
        pattern: ^ak_
        example: ak_1
    connection_config:
      subdomain:
        title: Domain
        pattern: ^[a-z]+$
        prefix: https://
        suffix: .acme.test
      team:
        title: Team
        optional: true
      apiVersion:
        title: Version
        optional: true
    requests:
      base_url: https://${connection_config.subdomain}.acme.test/api
      headers:
        x-acme-key: ${api_key}
        x-acme-version: ${connection_config.apiVersion or '2026-01-01'}
        x-acme-team: ${'team ' ~ connection_config.team if connection_config.team else none}
      params:
        trace: ${uuid()}
    retry:
      after: x-acme-wait
      error_code:
        - "429"
        - 5xx
    pagination:
      type: cursor
      cursor_name_in_request: after
      cursor_path_in_response: meta.next
      limit_name_in_request: limit
      response_path: data
    verification:
      method: GET
      path: v1/me
      params:
        with: ${connection_config.subdomain}
""" == (folder / "acme.yaml").read_text("utf-8")


def test_the_same_catalogue_gives_the_same_files(file, folder, tmp_path):
    import_catalogue(file, tmp_path / "again")

    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == {
        path.name: path.read_text("utf-8") for path in (tmp_path / "again").iterdir()
    }


def test_links_without_a_host_lead_behind_the_base_url():
    paginate = {"type": "link", "link_path_in_response_body": "next"}
    entry = {"auth_mode": "NONE", "proxy": {"base_url": "https://api.acme.test/v2", "paginate": paginate}}

    assert {**paginate, "link_relative_to": "base_url"} == version_of(entry)["pagination"]


def test_a_host_that_gets_secrets_is_given_a_format():
    assert "hostname" == version_of(resolved(CATALOGUE, "dune"))["connection_config"]["server"]["format"]


def test_a_host_of_a_list_may_bring_a_path_along():
    field = {"type": "string", "enum": ["eu.acme.test/b2b", "us.acme.test/b2b"]}
    proxy = {"base_url": "https://${connectionConfig.place}/v1"}
    made = version_of({"auth_mode": "NONE", "proxy": proxy, "connection_config": {"place": field}})

    assert "${'https://' ~ connection_config.place}/v1" == made["requests"]["base_url"]


def test_what_another_alternative_stands_in_for_need_not_be_given():
    assert version_of(resolved(CATALOGUE, "bolt"))["connection_config"]["host"]["optional"]


def test_keys_that_are_written_otherwise_here_are_translated():
    auth = version_of(resolved(CATALOGUE, "bolt"))["auth"]

    assert (7200, ["scope"], ["read"], "header") == tuple(
        auth[key]
        for key in ("default_token_lifetime", "authorization_url_skip_encode", "default_scopes", "placement")
    )


def test_a_client_that_proves_itself_as_a_user_logs_in():
    made = version_of({**CATALOGUE["cork"], "token_request_auth_method": "custom", "token_params": {}})

    assert ("TWO_STEP", "form") == (made["auth"]["auth_mode"], made["auth"]["body_format"])
    assert {"username", "password"} == set(made["auth"]["token_params"])
    assert {"client_id", "client_secret"} == set(made["credentials"])


def test_a_header_with_a_signature_of_amazons_becomes_the_scheme_that_makes_it():
    call = "${awsSigV4(${credentials.username}, ${credentials.password}, ${connectionConfig.region}, iam)}"
    headers = {"authorization": call, "x-amz-date": "${now:X}", "accept": "text/xml"}
    made = version_of({**CATALOGUE["echo"], "proxy": {"base_url": "https://iam.amazonaws.com", "headers": headers}})

    assert {"auth_mode": "AWS_SIGV4", "service": "iam", "region": "${connection_config.region}"} == made["auth"]
    assert {"access_key_id", "secret_access_key"} == set(made["credentials"])
    assert {"accept": "text/xml"} == made["requests"]["headers"]


@pytest.mark.parametrize("mode", ["MCP_OAUTH2", "MCP_OAUTH2_GENERIC"])
def test_an_mcp_server_is_where_its_requests_go(mode):
    url = "${connectionConfig.mcp_server_url}"
    made = version_of({"auth_mode": mode, "proxy": {"base_url": url}})

    assert "${connection_config.mcp_server_url}" == made["auth"]["server_url"] == made["requests"]["base_url"]
    assert "uri" == made["connection_config"]["mcp_server_url"]["format"]


# --- what is reported ------------------------------------------------------------------------------------------------


def test_entries_without_a_blueprint_are_named_with_the_reason(file, tmp_path):
    report = import_catalogue(file, tmp_path / "blueprints")

    assert {
        "fjord": "CUSTOM is code that Nango has for this provider: two auth modes in one connection.",
        "gale": "it is an alias of 'nobody', which is not there.",
        "hill": "it is an alias of itself: hill > hill.",
        "iris": "there is no base_url that can be said.",
    } == {entry.name: entry.problem for entry in report.failed}
    assert {"acme", "acme-eu", "bolt", "cork", "dune", "echo"} == {
        path.stem for path in (tmp_path / "blueprints").iterdir()
    }


def test_what_is_not_carried_over_is_reported_with_its_reason():
    found = {finding.key: finding.outcome for finding in convert("bolt", CATALOGUE["bolt"]).findings}

    assert {
        "authorization_url_skip_encode.base_url": "not_needed",
        "connection_config.app.automated": "changed",
        "connection_config.host": "changed",
        "post_connection_script": "lost",
    } == found


def test_a_provider_that_nango_has_code_for_is_named():
    coded, plain = ({found.key for found in convert(name, CATALOGUE["bolt"]).findings} for name in ("heygen", "bolt"))

    assert {"token_url"} == coded - plain


def test_fields_that_nobody_fills_in_are_reported():
    asked = {
        "client_certificate": {"type": "string", "title": "Certificate"},
        "kept": {"type": "string", "hidden": True, "default_value": "x"},
        "free": {"type": "string", "hidden": True},
    }
    entry = {**CATALOGUE["cork"], "require_client_certificate": True, "credentials": asked}
    converted = convert("cork", entry)
    found = {finding.key: finding.outcome for finding in converted.findings}

    assert {
        "credentials.client_certificate": "lost",
        "require_client_certificate": "lost",
        "credentials.kept.hidden": "not_needed",
        "credentials.free.hidden": "not_needed",
    } == found
    assert {"kept": {"default": "x"}, "free": {"optional": True}} == version_of(entry)["credentials"]


PLACES = (
    (), ("proxy",), ("proxy", "retry"), ("proxy", "retry", "in_body"), ("proxy", "paginate"), ("proxy", "verification"),
    ("credentials", "apiKey"), ("connection_config", "team"), ("token_response",), ("signature",),
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=".".join)
@pytest.mark.parametrize("value", [1, "text", ["a"], {"b": {"c": 1}}], ids=["number", "text", "list", "mapping"])
def test_a_key_that_no_rule_knows_lands_in_the_report(place, value):
    entry = json.loads(json.dumps({**CATALOGUE["acme"], "token_response": {"token": "t"}, "signature": {}}))
    entry["auth_mode"] = "TWO_STEP" if place in {("token_response",), ("signature",)} else "API_KEY"
    entry["token_url"] = "https://acme.test/token"
    around = entry
    for name in place:
        around = around.setdefault(name, {})
    around["made_up"] = value

    key = ".".join((*place, "made_up"))
    assert (
        Finding(key=key, outcome="lost", reason="no rule of the importer knows this key")
        in convert("x", entry).findings
    )


def test_every_key_of_an_entry_is_carried_or_reported():
    """Take each key away in turn: the blueprint changes, or the report does."""
    for name in ("acme", "bolt", "cork", "dune", "echo"):
        entry = resolved(CATALOGUE, name)
        whole = written(name, entry)
        for path in paths_in(entry):
            assert written(name, without(entry, path)) != whole or path in CARRIES_NOTHING, (name, path)


def written(name, entry):
    converted = convert(name, entry)
    return json.dumps(converted.document), converted.problem, converted.findings


CARRIES_NOTHING = {("connection_config", name, "type") for name in ("apiVersion", "team", "subdomain", "host", "app")}
CARRIES_NOTHING |= {("connection_config", name, "type") for name in ("audience", "oauth_scopes", "server")}
CARRIES_NOTHING |= {("credentials", name, "type") for name in ("apiKey", "userName", "password", "username")}
CARRIES_NOTHING |= {
    ("connection_config", "apiVersion", "order"),  # both come last without it, too
    ("connection_config", "team", "order"),
    ("connection_config", "apiVersion", "optional"),  # an alternative stands in for it
    ("connection_config", "audience", "optional"),
    ("proxy", "verification", "method"),  # GET is the usual one
}


def paths_in(entry, above=()):
    for key, value in entry.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from paths_in(value, (*above, key))


def without(entry, path):
    copy = json.loads(json.dumps(entry))
    around = copy
    for name in path[:-1]:
        around = around[name]
    del around[path[-1]]
    return copy


def test_an_entry_of_any_shape_gives_a_blueprint_or_a_reason():
    """Put odd values in random places: nothing is raised, whatever somebody's copy holds."""
    chance = random.Random(6)
    for _ in range(1500):
        name = chance.choice(["acme", "bolt", "cork", "dune", "echo"])
        entry = json.loads(json.dumps(resolved(CATALOGUE, name)))
        for path in chance.sample(list(paths_in(entry)), 2):
            around = entry
            for step in path[:-1]:
                around = around.get(step) if isinstance(around, dict) else None
            if isinstance(around, dict):
                around[path[-1]] = chance.choice(
                    [None, 7, True, "", "${", "${x", "||", "${a}||", [], [1], {}, {"": 1}]
                )
        converted = convert(name, entry)
        assert converted.document is not None or converted.problem


# --- files and the command -------------------------------------------------------------------------------------------


def test_a_file_that_is_there_and_differs_stays(file, folder):
    (folder / "acme.yaml").write_text("mine", "utf-8")
    report = import_catalogue(file, folder, only=["acme", "cork"])

    assert ["acme"] == [entry.name for entry in report.failed]
    assert "mine" == (folder / "acme.yaml").read_text("utf-8")
    assert () == import_catalogue(file, folder, only=["acme"], overwrite=True).failed
    assert "mine" != (folder / "acme.yaml").read_text("utf-8")


def test_a_provider_that_is_not_there_is_wrong_use(file, tmp_path):
    with pytest.raises(UsageError, match=r"no provider 'acm'\. Did you mean 'acme'"):
        import_catalogue(file, tmp_path, only=["acm"])


@pytest.mark.parametrize(
    ("text", "error"), [("[a]", UsageError), ("a: {", ConfigError), ("a: 1\na: 2\n", ConfigError)]
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path, text, error):
    path = tmp_path / "providers.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(error):
        import_catalogue(path, tmp_path / "to")


def test_a_name_that_is_no_name_of_a_file_writes_none(tmp_path):
    path = tmp_path / "providers.yaml"
    path.write_text('../acme: {auth_mode: NONE, proxy: {base_url: "https://acme.test"}}', "utf-8")
    (entry,) = import_catalogue(path, tmp_path / "to").entries

    assert "a blueprint's name is of up to 80 lower-case letters" in entry.problem
    assert {"providers.yaml", "to"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["con", "lpt1", "a" * 81, "Acme", "../acme", "a\n", "-a"])
def test_a_name_that_no_file_can_have_anywhere_is_refused_in_words(tmp_path, name):
    path = tmp_path / "providers.yaml"
    path.write_text(yaml_text({name: {"auth_mode": "NONE", "proxy": {"base_url": "https://a.test"}}}), "utf-8")
    (entry,) = import_catalogue(path, tmp_path / "to").entries

    assert "a blueprint's name is of up to 80 lower-case letters" in entry.problem
    with pytest.raises(UsageError, match="no name for a blueprint"):
        check_name(name)


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_a_link_leads_to_and_what_is_no_text_is_never_written_over(file, tmp_path, overwrite):
    to, outside = tmp_path / "to", tmp_path / "outside.yaml"
    to.mkdir()
    (to / "acme.yaml").symlink_to(outside)
    (to / "bolt.yaml").write_bytes(b"\xff")
    report = import_catalogue(file, to, only=["acme", "bolt"], overwrite=overwrite)

    assert not outside.exists()
    assert [overwrite, overwrite] == [entry.ok for entry in report.entries]
    assert overwrite is not (to / "acme.yaml").is_symlink()
    assert (b"\xff" == (to / "bolt.yaml").read_bytes()) is not overwrite


def test_an_entry_that_is_no_mapping_is_named(tmp_path):
    path = tmp_path / "providers.yaml"
    path.write_text("a: 1\n", "utf-8")

    assert ["the entry is no mapping of keys."] == [
        e.problem for e in import_catalogue(path, tmp_path / "to").entries
    ]


def test_an_alias_of_an_alias_inherits_from_both():
    catalogue = {"a": {"x": {"y": 1, "z": 1}}, "b": {"alias": "a", "x": {"y": 2}}, "c": {"alias": "b", "w": 3}}

    assert {"alias": "b", "x": {"y": 2, "z": 1}, "w": 3} == resolved(catalogue, "c")
    with pytest.raises(BadAlias, match="a > b > a"):
        resolved({"a": {"alias": "b"}, "b": {"alias": "a"}}, "a")
    with pytest.raises(BadAlias, match="more than 16 times"):
        resolved({f"a{at}": {"alias": f"a{at + 1}"} for at in range(2000)}, "a0")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the command in the test's folder; return its exit code and the lines that it printed."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        return ended.value.code or 0, capsys.readouterr().out.splitlines()

    return command


def test_the_command_writes_files_and_a_report_and_says_what_was_lost(call, file, tmp_path):
    code, lines = call(
        "import", "nango", str(file), "--to", "made", "--only", "acme,bolt", "--only", "cork", "--report", "r.json"
    )

    assert (0, "3 of 3 entries imported.") == (code, lines[0])
    assert "     1 a script: TypeScript that runs in Nango's server" in lines
    assert {"acme.yaml", "bolt.yaml", "cork.yaml"} == {path.name for path in (tmp_path / "made").iterdir()}
    assert 3 == json.loads((tmp_path / "r.json").read_text("utf-8"))["imported"]
    assert 0 == call("check", "made")[0]


def test_the_command_prints_the_report_for_machines(call, file):
    code, lines = call("import", "nango", str(file), "--to", "made", "--only", "bolt", "--json")

    assert 0 == code
    assert {"lost": 1, "changed": 2, "not_needed": 1} == json.loads("\n".join(lines))["keys"]


def test_the_command_fails_where_an_entry_gave_no_blueprint(call, file):
    assert 1 == call("import", "nango", str(file), "--to", "made")[0]


def test_a_host_that_ends_with_a_value_says_what_it_may_be():
    entry = {
        "display_name": "Dune",
        "auth_mode": "OAUTH2",
        "authorization_url": "https://accounts.dune.${connectionConfig.extension}/oauth/auth",
        "token_url": "https://accounts.dune.${connectionConfig.extension}/oauth/token",
        "proxy": {"base_url": "https://api.dune.${connectionConfig.extension}"},
        "docs": "https://dune.example/docs",
    }

    assert r"^[a-z]{2,3}(\.[a-z]{2})?$" == version_of(entry)["connection_config"]["extension"]["pattern"]
