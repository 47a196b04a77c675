"""What may stand in `auth`: the placeholders of every mode where it has them, and URLs that secrets may meet."""

from __future__ import annotations

import pytest

from nango_py.declare import load


def problems(auth, **keys):
    """Return the problems of one integration, each with its pointer."""
    keys = {"requests": {"base_url": "https://api.example.com/"}, **keys}
    declared = load({"integrations": {"demo": {"auth": auth, **keys}}}, environ={})
    return [f"{problem.pointer}: {problem.message}" for problem in declared.problems]


def unknown(pointer, name):
    return [f"/auth/{pointer}: nobody provides ${{{name}}}."]


TWO_STEP = {"auth_mode": "TWO_STEP", "token_url": "https://api.example.com/login"}
MADE = {"token": {"signing_key": "${credentials.key}", "payload": {"iss": "${credentials.user}"}}}
HELD = {
    "credentials": {"user": {"title": "User"}, "key": {"secret": True}},
    "connection_config": {"domain": {"format": "hostname"}},
}
STEP = {"token_url": "https://api.example.com/${step1.id}", "token_params": {"a": "${step1.code}"}}

FINE = {
    "a login": {
        **TWO_STEP,
        "token_url": "https://${connection_config.domain}/login",
        "token_params": {"user": "${credentials.user}", "deep": {"er": ["${user}"]}, "client": "${oauth_client_id}"},
        "token_headers": {"x": "${(credentials.user ~ ':') | base64}", "y": "${now()}"},
        "refresh_token_params": {"r": "${refresh_token}", "a": "${access_token}"},
        "refresh_token_headers": {"r": "${refresh_token}"},
    },
    "steps": {
        **TWO_STEP,
        "additional_steps": [STEP, {**STEP, "token_headers": {"b": "${step2.nested.code} ${step1.code}"}}],
    },
    "a signed token": {**TWO_STEP, **MADE, "token_params": {"a": "${token}"}, "additional_steps": [STEP]},
    "an assertion": {
        **TWO_STEP,
        "assertion": {"key": "${credentials.key}", "payload": {"jti": "${uuid()}"}},
        "token_params": {"a": "${assertion}"},
    },
    "a made token": {"auth_mode": "JWT", **MADE, "value": "JWT ${access_token}"},
    "aws": {"auth_mode": "AWS_SIGV4", "service": "s3", "region": "${connection_config.domain}"},
    "netsuite": {"auth_mode": "TBA", "account_id": "${connection_config.domain}"},
    "wsse": {"auth_mode": "SIGNATURE"},
    "a github app": {"auth_mode": "APP", "token_url": "https://a.example.com/${connection_config.domain}/t"},
    "a code": {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://a.example.com/a",
        "token_url": "https://a.example.com/t",
        "token_params": {"c": "${code}"},
        "refresh_params": {"r": "${refresh_token}"},
    },
}


@pytest.mark.parametrize("auth", FINE.values(), ids=FINE)
def test_placeholders_of_a_mode_stand_where_it_has_them(auth):
    assert [] == problems(auth, **HELD)


ASTRAY = {
    "of a login": ({"token_params": {"deep": {"er": ["${usr}"]}}}, "token_params/deep/er/0", "usr"),
    "of its headers": ({"token_headers": {"x": "${credentials.usr}"}}, "token_headers/x", "credentials.usr"),
    "of its URL": ({"token_url": "https://a.example.com/${x}"}, "token_url", "x"),
    "of a refresh": ({"refresh_token_params": {"x": "${refreshtoken}"}}, "refresh_token_params/x", "refreshtoken"),
    "of connection config": (
        {"refresh_url": "https://a.example.com/${connection_config.x}"},
        "refresh_url",
        "connection_config.x",
    ),
    "of a step": (
        {"additional_steps": [{"token_url": "https://a.example.com/", "token_params": {"x": "${nobody}"}}]},
        "additional_steps/0/token_params/x",
        "nobody",
    ),
    "of a later step": (
        {"additional_steps": [{**STEP, "token_headers": {"x": "${step2.a}"}}, STEP]},
        "additional_steps/0/token_headers/x",
        "step2.a",
    ),
    "of a step before there is one": ({"token_params": {"x": "${step1.a}"}}, "token_params/x", "step1.a"),
    "of a token that is not made": ({"token_params": {"x": "${token}"}}, "token_params/x", "token"),
    "of an assertion that is not made": ({"token_params": {"x": "${assertion}"}}, "token_params/x", "assertion"),
    "of a code that no login has": ({"token_params": {"x": "${code}"}}, "token_params/x", "code"),
    "of a claim": (
        {"token": {"signing_key": "${credentials.key}", "payload": {"a": ["${usr}"]}}},
        "token/payload/a/0",
        "usr",
    ),
    "of a key": ({"token": {"signing_key": "${ky}"}}, "token/signing_key", "ky"),
    "of what is sent": ({"value": "Bearer ${acces_token}"}, "value", "acces_token"),
}


@pytest.mark.parametrize(("keys", "pointer", "name"), ASTRAY.values(), ids=ASTRAY)
def test_a_placeholder_that_nobody_fills_is_a_problem(keys, pointer, name):
    assert unknown(pointer, name) == problems({**TWO_STEP, **keys}, **HELD)


@pytest.mark.parametrize("key", ["authorization_params", "authorization_url"])
def test_there_are_no_credentials_before_a_connection(key):
    text = "https://a.example.com/${access_token}"
    oauth = {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://a.example.com/",
        "token_url": "https://a.example.com/",
    }
    auth = {**oauth, key: {"a": text} if key.endswith("params") else text}

    assert unknown(f"{key}/a" if key.endswith("params") else key, "access_token") == problems(auth)


def test_a_placeholder_that_cannot_be_read_is_a_problem_at_any_depth():
    auth = {**TWO_STEP, "additional_steps": [{**STEP, "token_params": {"x": "${a b}"}}]}

    assert [
        "/auth/additional_steps/0/token_params/x: ${a b} cannot be read: it is more than one expression."
    ] == problems(auth, **HELD)


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("${a b}", "${a b} cannot be read: it is more than one expression."),
        ("${usr}", "nobody provides ${usr}."),
    ],
)
def test_a_token_that_is_made_here_is_checked_as_well(claim, said):
    made = {**MADE["token"], "payload": {"iss": claim}}
    (problem,) = problems({"auth_mode": "JWT", "token": made}, **HELD)

    assert f"/auth/token/payload/iss: {said}" == problem


def test_a_null_takes_a_standard_parameter_away():
    auth = {
        "auth_mode": "OAUTH2_CC",
        "token_url": "https://a.example.com/token",
        "token_params": {"grant_type": None, "audience": "a"},
    }
    declared = load(
        {"integrations": {"acme": {"auth": auth, "requests": {"base_url": "https://a.test/"}}}}, environ={}
    )

    assert {"grant_type": None, "audience": "a"} == dict(declared.integrations["acme"].auth.token_params)


@pytest.mark.parametrize("name", ["companyId", "ACCOUNT", "accounts-server", "team.id"])
def test_connection_config_may_have_the_names_that_a_provider_gives(name):
    requests = {"base_url": "https://a.example.com/", "headers": {"x": f"${{connection_config['{name}']}}"}}

    assert [] == problems(TWO_STEP, **{**HELD, "connection_config": {name: {"title": "X"}}}, requests=requests)


def test_what_a_token_answer_brings_may_stand_in_requests():
    auth = {**TWO_STEP, "token_response_metadata": ["instance_url", "team.id"]}
    requests = {
        "base_url": "${connection_config.instance_url}/v1/",
        "headers": {"x": "${connection_config['team.id']}"},
    }

    assert [] == problems(auth, requests=requests)
    assert ["/requests/base_url: nobody provides ${connection_config.instance_url}."] == problems(
        TWO_STEP, requests={"base_url": "${connection_config.instance_url}/v1/"}
    )


@pytest.mark.parametrize(
    ("keys", "pointer"),
    [
        ({"token_response": {"tokn": "a"}}, "/auth/token_response/tokn"),
        ({"additional_steps": [{**STEP, "token_parms": {}}]}, "/auth/additional_steps/0/token_parms"),
        ({"token": {"signing_key": "a", "claims": {}}}, "/auth/token/claims"),
        ({"assertion": {"key": "a", "type": "saml"}}, "/auth/assertion/type"),
        ({"body_format": "yaml"}, "/auth/body_format"),
    ],
)
def test_a_nested_key_or_word_that_nobody_reads_is_a_problem(keys, pointer):
    found = problems({**TWO_STEP, **keys}, **HELD)

    assert 1 == len(found)
    assert found[0].startswith((f"{pointer}: ", f"{pointer.rpartition('/')[0]}: "))


@pytest.mark.parametrize(
    ("keys", "pointer"),
    [
        ({"token_response": {"token": "a[b"}}, "token_response/token"),
        ({"token_response": {"token_expiration": "a ||"}}, "token_response/token_expiration"),
        ({"alternate_access_token_response_path": "a.("}, "alternate_access_token_response_path"),
        ({"token_response_metadata": ["ok", "a[?"]}, "token_response_metadata/1"),
        ({"dead_token": {"path": "[", "values": ["x"]}}, "dead_token/path"),
    ],
)
def test_a_path_that_cannot_be_read_is_a_problem(keys, pointer):
    found = problems({**TWO_STEP, **keys})

    assert [f"/auth/{pointer}"] == [problem.partition(": ")[0] for problem in found]


CLEAR = "credentials must not travel in the clear."


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "localhost", "localhost:1"])
def test_an_endpoint_on_this_machine_may_be_http(host):
    assert [] == problems({**TWO_STEP, "token_url": f"http://{host}/login"})


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/login",
        "http://${connection_config.domain}/login",
        "http://127.0.0.1.example.com/",
    ],
)
@pytest.mark.parametrize("key", ["token_url", "refresh_url", "revocation_url"])
def test_another_endpoint_must_be_https(key, url):
    assert [f"/auth/{key}: {CLEAR}"] == problems({**TWO_STEP, key: url}, **HELD)


def test_the_endpoint_of_a_step_must_be_https_too():
    auth = {**TWO_STEP, "additional_steps": [{**STEP, "token_url": "http://api.example.com/"}]}

    assert [f"/auth/additional_steps/0/token_url: {CLEAR}"] == problems(auth)


@pytest.mark.parametrize(
    "url",
    [
        "https://${connection_config.domain}/login",
        "${connection_config.domain}/login",
        "https://login.${connection_config.domain}/",
        "https://${connection_config.team}${connection_config.domain}",
        "https://${connection_config.team}.${connection_config.domain}:8443/login",
        "https://${connection_config.domain}:${connection_config.team}/login",
    ],
)
@pytest.mark.parametrize(
    ("field", "is_loose"),
    [
        ({}, True),
        ({"format": "hostname"}, False),
        ({"format": "uri"}, False),
        ({"pattern": r"^[a-z.]+\.example\.com$"}, False),
        ({"enum": ["a.example.com"]}, False),
    ],
)
def test_a_host_that_is_anybody_s_choice_must_be_declared(url, field, is_loose):
    found = problems({**TWO_STEP, "token_url": url}, connection_config={"domain": field, "team": {}})
    message = "/auth/token_url: whoever connects an account may name any host as ${connection_config.domain}."

    assert ([message] if is_loose else []) == found


@pytest.mark.parametrize(
    "url",
    [
        "login.example.com/token",
        "htps://login.example.com/token",
        "//login.example.com/token",
        "https:/login.example.com/token",
        "ftp://login.example.com/token",
        " https://login.example.com/token",
        "HTTPS://login.example.com/token",
    ],
)
def test_an_endpoint_that_is_no_url_is_one_problem(url):
    assert ["/auth/token_url: this is no http or https URL with a host."] == problems({**TWO_STEP, "token_url": url})


def test_a_part_of_a_host_may_be_free():
    for url in (
        "https://${connection_config.domain}.example.com/login",
        "https://example.com:${connection_config.domain}/",
    ):
        assert [] == problems({**TWO_STEP, "token_url": url}, connection_config={"domain": {}})


def test_a_text_that_holds_no_placeholders_is_taken_as_it_is():
    declared = {
        "auth": {"auth_mode": "OAUTH2", "token_url": "https://x.example/t", "scope_separator": "${"},
        "requests": {"base_url": "https://x.example/"},
        "verification": {"path": "me", "identity": "${"},
    }
    integration = load({"integrations": {"it": declared}}, environ={}).integrations["it"]

    assert ("${", "${") == (integration.auth.scope_separator, integration.verification.identity)


@pytest.mark.parametrize(("keys", "is_required"), [({}, False), ({"title": "Token"}, True), ({"default": ""}, False)])
def test_a_declared_password_must_be_given_unless_it_has_a_default(keys, is_required):
    credentials = {"password": keys} if keys else {}
    declared = {
        "auth": {"auth_mode": "BASIC"},
        "requests": {"base_url": "https://x.example/"},
        "credentials": credentials,
    }
    (password,) = [
        field
        for field in load({"integrations": {"it": declared}}, environ={}).integrations["it"].credentials
        if field.name == "password"
    ]

    assert (is_required, True) == (password.required, password.secret)
