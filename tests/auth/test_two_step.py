"""TWO_STEP: logins of every form, their refreshes and refusals; rows T3 to T6, T9 and T10 of the cases."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nango_py.auth.grant import BadAnswer, Refused
from nango_py.auth.two_step import TwoStep
from tests.auth.grants import NOW, Answer, account, perform, sent

LOGIN = {
    "token_url": "https://${connection_config.domain}/login",
    "token_params": {"user": "${credentials.user}", "password": "${credentials.password}", "device": {"id": 7}},
}
SECRETS = {"user": "ann", "password": "p${x}&<>"}
CONFIG = {"domain": "api.example.com"}
REFRESH = {
    "refresh_url": "https://${connection_config.domain}/refresh",
    "refresh_token_params": {"token": "${refresh_token}"},
}


def scheme(**keys):
    return TwoStep.declare({**LOGIN, **keys})


def renewed(auth, *answers, credentials=None, **values):
    return perform(
        auth.renew(account({**SECRETS, **(credentials or {})}, **{"connection_config": CONFIG, **values})), *answers
    )


def one(auth, answer, **values):
    asked, obtained = renewed(auth, answer, **values)
    return sent(asked[0]), obtained.credentials


def json_token(**claims):
    parts = ({"alg": "none"}, claims)
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "s"])


# --- what is sent


def test_a_login_is_json_unless_declared_otherwise():
    request, credentials = one(scheme(), Answer({"access_token": "t"}))

    assert ("POST", "https://api.example.com/login") == (request.method, str(request.url))
    assert "application/json" == request.headers["Content-Type"]
    assert "application/json" == request.headers["Accept"]
    assert {"user": "ann", "password": "p${x}&<>", "device": {"id": 7}} == json.loads(request.content)
    assert ("t", NOW, None) == (credentials["access_token"], credentials["obtained_at"], credentials["expires_at"])


def test_a_login_may_be_a_form():
    params = {"user": "${credentials.user}", "scope": ["a", "b"], "password": "${credentials.password}"}
    request, _ = one(scheme(body_format="form", token_params=params), Answer({"access_token": "t"}))

    assert b"user=ann&scope=a&scope=b&password=p%24%7Bx%7D%26%3C%3E" == request.content


def test_a_login_may_be_xml_and_so_may_its_answer():
    document = b"<r><api><sessionid>t</sessionid><until>2026-03-02T15:30:55.250Z</until></api></r>"
    auth = scheme(
        body_format="xml",
        token_params={"login": {"$id": "1", "user": "${credentials.user}", "password": "${credentials.password}"}},
        token_response={"token": "r.api.sessionid", "token_expiration": "r.api.until"},
    )
    request, credentials = one(auth, Answer(document))

    assert b'<login id="1"><user>ann</user><password>p${x}&amp;&lt;&gt;</password></login>' == request.content
    assert "application/xml" == request.headers["Content-Type"]
    assert ("t", NOW + 3600) == (credentials["access_token"], credentials["expires_at"])


@pytest.mark.parametrize("keys", [{"body_format": "query"}, {"token_request_method": "GET"}])
def test_a_login_may_stand_in_the_query(keys):
    params = {"user": "${credentials.user}", "password": "${credentials.password}"}
    request, _ = one(scheme(token_params=params, **keys), Answer({"access_token": "t"}))

    assert b"" == request.content
    assert {"user": "ann", "password": "p${x}&<>"} == dict(request.url.params)


def test_headers_are_filled_and_those_said_are_not_doubled():
    headers = {
        "authorization": "Basic ${(credentials.user ~ ':' ~ credentials.password) | base64}",
        "accept": "text/plain",
        "x-none": "${credentials.none}",
    }
    request, _ = one(scheme(token_headers=headers), Answer({"access_token": "t"}))

    assert "Basic YW5uOnAke3h9Jjw+" == request.headers["Authorization"]
    assert ["text/plain"] == request.headers.get_list("Accept")
    assert "x-none" not in request.headers


@pytest.mark.parametrize("user", ["a\r\nX: y", "ü", "a\x00"])
def test_a_header_never_holds_a_line_break_or_what_is_not_ascii(user):
    auth = scheme(token_headers={"x": "${credentials.user}"})
    with pytest.raises(ValueError, match="header 'x' holds a character that a header cannot") as caught:
        renewed(auth, credentials={"user": user})
    assert user not in str(caught.value)


def test_a_soap_envelope_may_be_the_body():
    envelope = {"soap:Envelope": {"$xmlns:soap": "urn:e", "soap:Body": {"user": "${credentials.user}"}}}
    document = b'<s:Envelope xmlns:s="urn:e"><s:Body><session>t</session></s:Body></s:Envelope>'
    auth = scheme(body_format="xml", token_params=envelope, token_response={"token": "Envelope.Body.session"})
    request, credentials = one(auth, Answer(document))

    assert (
        b'<soap:Envelope xmlns:soap="urn:e"><soap:Body><user>ann</user></soap:Body></soap:Envelope>'
        == request.content
    )
    assert "t" == credentials["access_token"]


def test_a_client_proves_itself_only_where_that_is_declared():
    client = {"oauth_client_id": "id", "oauth_client_secret": "secret"}
    bare, _ = one(scheme(), Answer({"access_token": "t"}), **client)
    proven, _ = one(scheme(token_request_auth_method="basic"), Answer({"access_token": "t"}), **client)

    assert "client_id" not in json.loads(bare.content)
    assert "Basic aWQ6c2VjcmV0" == proven.headers["Authorization"]


# --- what is read


@pytest.mark.parametrize(
    ("keys", "data", "end"),
    [
        ({"token_response": {"token": "d.t"}}, {"d": {"t": "t"}}, None),
        ({"token_response": {"token": ""}}, b"t", None),
        ({"token_response": {"token": ""}}, "t", None),
        ({}, {"access_token": "t", "expires_in": "2h"}, NOW + 7200),
        ({"default_token_lifetime": 60}, {"access_token": "t"}, NOW + 60),
        ({"default_token_lifetime": 0}, {"access_token": "t"}, None),
        (
            {
                "token_response": {"token_expiration": "ms", "token_expiration_strategy": "expireIn"},
                "expires_in_unit": "milliseconds",
            },
            {"access_token": "t", "ms": 5000},
            NOW + 5,
        ),
    ],
)
def test_tokens_are_read_in_every_form(keys, data, end):
    _, credentials = one(scheme(**keys), Answer(data))

    assert ("t", end) == (credentials["access_token"], credentials["expires_at"])


def test_a_token_that_says_when_it_ends_is_believed():
    _, credentials = one(scheme(), Answer({"access_token": json_token(exp=NOW + 100)}))

    assert NOW + 100 == credentials["expires_at"]


@pytest.mark.parametrize(
    ("refresh", "end"),
    [
        (json_token(exp=NOW + 600), 600),
        (json_token(exp=NOW + 86_400), 3600),
        ("opaque", 3600),
        ("a.b.c", 3600),
        (json_token(sub="x"), 3600),
    ],
)
def test_a_refresh_token_that_ends_sooner_pulls_the_expiry(refresh, end):
    data = {"access_token": "t", "expires_in": 3600, "refresh_token": refresh}
    _, credentials = one(scheme(), Answer(data))

    assert NOW + end == credentials["expires_at"]


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("Set-Cookie", "B1SESSION=abc; Path=/; HttpOnly")], {"B1SESSION": "abc", "_cookies": "B1SESSION=abc"}),
        (
            [("set-cookie", "B1SESSION=abc; HttpOnly"), ("Set-Cookie", "ROUTEID=.n1; path=/"), ("X-Token", "h")],
            {"B1SESSION": "abc", "ROUTEID": ".n1", "_cookies": "B1SESSION=abc; ROUTEID=.n1", "x-token": "h"},
        ),
        ([("Set-Cookie", "gone=; Max-Age=0")], {}),
        ([], {}),
    ],
)
def test_headers_and_cookies_stand_in_what_is_kept(headers, found):
    auth = scheme(token_response={"token": "SessionId"}, token_response_headers=["set-cookie", "X-TOKEN"])
    _, credentials = one(auth, Answer({"SessionId": "t", "Version": 10}, headers=headers))

    assert {"Version": 10, **found} == credentials["raw"]


def test_a_cookie_or_header_may_be_the_token_of_an_empty_answer():
    auth = scheme(token_response={"token": "sid"}, token_response_headers=["set-cookie"])
    _, credentials = one(auth, Answer(b"", status=204, headers=[("Set-Cookie", "sid=t")]))

    assert "t" == credentials["access_token"]


@pytest.mark.parametrize(
    "data", [{"other": 1}, {"access_token": {"a": 1}}, {"access_token": ""}, b"<html>", b"", b"[1]"]
)
def test_an_answer_without_a_token_may_heal(data):
    with pytest.raises(BadAnswer):
        renewed(scheme(), Answer(data))


def test_xml_that_declares_entities_is_no_answer():
    document = b'<!DOCTYPE a [<!ENTITY t "t">]><a>&t;</a>'
    with pytest.raises(BadAnswer, match="not with JSON"):
        renewed(scheme(token_response={"token": "a"}), Answer(document, headers=[("Content-Type", "text/xml")]))


# --- several steps


def test_a_step_uses_the_answers_before_it():
    auth = scheme(
        additional_steps=[
            {
                "token_url": "https://api.example.com/exchange/${step1.id}",
                "token_params": {"code": "${step1.code}"},
                "token_headers": {"authorization": "Bearer ${step1.nested.token}"},
            },
            {
                "token_url": "https://api.example.com/last",
                "token_params": {"a": "${step1.code}", "b": "${step2.value}"},
                "token_request_method": "GET",
            },
        ],
        token_response_metadata=["account", "code"],
        body_format="form",
        token_params={"user": "${credentials.user}"},
    )
    asked, obtained = renewed(
        auth,
        Answer({"code": "code-abc", "id": "a/b", "nested": {"token": "n"}}),
        Answer({"value": 5}),
        Answer({"access_token": "t", "account": 17}),
    )
    requests = [sent(request) for request in asked]

    assert "https://api.example.com/exchange/a%2Fb" == str(requests[1].url)
    assert (b"code=code-abc", "Bearer n") == (requests[1].content, requests[1].headers["Authorization"])
    assert {"a": "code-abc", "b": "5"} == dict(requests[2].url.params)
    assert "t" == obtained.credentials["access_token"]
    assert {"account": "17", "code": "code-abc"} == obtained.connection_config


def test_a_step_may_have_a_format_of_its_own():
    steps = [{"token_url": "https://api.example.com/b", "token_params": {"a": 1}, "body_format": "form"}]
    asked, _ = renewed(scheme(additional_steps=steps), Answer({}), Answer({"access_token": "t"}))

    assert [b"application/json", b"application/x-www-form-urlencoded"] == [
        sent(request).headers["Content-Type"].encode() for request in asked
    ]


def test_a_step_may_go_where_an_answer_leads_and_that_is_said():
    steps = [{"token_url": "${step1.server}/token"}]
    asked, _ = renewed(
        scheme(additional_steps=steps), Answer({"server": "https://id.example.com"}), Answer({"access_token": "t"})
    )

    assert ["https://api.example.com/login", "https://id.example.com/token"] == [request.url for request in asked]
    assert [False, True] == [request.found for request in asked]


def test_the_endpoints_are_those_that_no_answer_names():
    steps = [{"token_url": "${step1.server}/token"}, {"token_url": "https://${connection_config.domain}/last"}]
    auth = scheme(additional_steps=steps, **REFRESH)

    assert {
        "https://${connection_config.domain}/login",
        "https://${connection_config.domain}/refresh",
        "https://${connection_config.domain}/last",
    } == {url.text for url in auth.urls()}


def test_an_answer_never_leads_from_https_to_http():
    steps = [{"token_url": "${step1.server}/token"}]
    with pytest.raises(BadAnswer, match="a URL that is not https"):
        renewed(scheme(additional_steps=steps), Answer({"server": "http://id.example.com"}))


@pytest.mark.parametrize("server", ["javascript:alert(1)", "https://user:x@evil.com", "", None, "https://a/?q#f"])
def test_an_answer_that_is_no_url_leads_nowhere(server):
    steps = [{"token_url": "${step1.server}/token"}]
    with pytest.raises(ValueError, match=r"\$\{step1.server\}"):
        renewed(scheme(additional_steps=steps), Answer({"server": server}))


# --- tokens that are made here


@pytest.mark.parametrize(
    ("protocol", "key", "algorithm"),
    [
        ("RSA", rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"),
        ("EC", ec.generate_private_key(ec.SECP256R1()), "ES256"),
    ],
)
def test_a_login_may_bear_a_token_signed_here(protocol, key, algorithm):
    jwt = pytest.importorskip("jwt")
    auth = scheme(
        body_format="form",
        token={"signing_key": "${credentials.key}", "payload": {"iss": "${credentials.user}"}},
        signature={"protocol": protocol},
        token_params={"assertion": "${token}"},
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    asked, _ = renewed(auth, Answer({"access_token": "t"}), credentials={"key": pem})
    claims = jwt.decode(
        asked[0].form["assertion"], key.public_key(), algorithms=[algorithm], options={"verify_exp": False}
    )

    assert {"iss": "ann", "iat": int(NOW), "exp": int(NOW) + 3600} == claims


def test_a_login_may_bear_an_assertion():
    jwt = pytest.importorskip("jwt")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    payload = {"sub": "${credentials.user}", "jti": "${uuid()}"}
    auth = scheme(
        assertion={
            "type": "jwt",
            "key": "${credentials.key}",
            "lifetimeInSeconds": 300,
            "header": {"alg": "PS256", "x5t#S256": "thumb"},
            "payload": payload,
        },
        token_params={"client_assertion": "${assertion}"},
    )
    asked, _ = renewed(auth, Answer({"access_token": "t"}), credentials={"key": pem})
    token = asked[0].json["client_assertion"]
    claims = jwt.decode(token, key.public_key(), algorithms=["PS256"], options={"verify_exp": False})

    assert {"alg": "PS256", "typ": "JWT", "x5t#S256": "thumb"} == jwt.get_unverified_header(token)
    assert ("ann", 300) == (claims["sub"], claims["exp"] - claims["iat"])


# --- refresh, refusal


def test_a_refresh_token_is_used_where_that_is_declared():
    asked, obtained = renewed(
        scheme(**REFRESH), Answer({"access_token": "t2", "refresh_token": "r2"}), credentials={"refresh_token": "r1"}
    )

    assert [("https://api.example.com/refresh", {"token": "r1"})] == [(item.url, item.json) for item in asked]
    assert ("t2", "r2") == (obtained.credentials["access_token"], obtained.credentials["refresh_token"])


def test_a_refresh_token_stays_unless_a_new_one_came():
    _, obtained = renewed(scheme(**REFRESH), Answer({"access_token": "t"}), credentials={"refresh_token": "r1"})

    assert "refresh_token" not in obtained.credentials


@pytest.mark.parametrize(
    ("keys", "url", "body"),
    [
        ({"refresh_url": "https://api.example.com/r"}, "https://api.example.com/r", {"refresh_token": "r1"}),
        ({"refresh_token_params": {"a": "${refresh_token}"}}, "https://api.example.com/login", {"a": "r1"}),
    ],
)
def test_either_the_url_or_the_parameters_of_a_refresh_are_enough(keys, url, body):
    asked, _ = renewed(scheme(**keys), Answer({"access_token": "t"}), credentials={"refresh_token": "r1"})

    assert [(url, body)] == [(request.url, request.json) for request in asked]


def test_a_refresh_has_headers_and_a_method_of_its_own():
    keys = {"refresh_token_headers": {"x-refresh": "${refresh_token}"}, "refresh_token_request_method": "GET"}
    asked, _ = renewed(
        scheme(**REFRESH, **keys, token_headers={"x-login": "1"}),
        Answer({"access_token": "t"}),
        credentials={"refresh_token": "r1"},
    )

    assert ("GET", (("token", "r1"),)) == (asked[0].method, asked[0].params)
    assert {"Accept": "application/json", "x-refresh": "r1"} == asked[0].headers


@pytest.mark.parametrize("keys", [{}, REFRESH])
def test_without_a_refresh_token_or_a_way_to_use_it_there_is_a_login(keys):
    held = {} if keys else {"refresh_token": "r1"}
    asked, _ = renewed(scheme(**keys), Answer({"access_token": "t"}), credentials=held)

    assert ["https://api.example.com/login"] == [request.url for request in asked]


@pytest.mark.parametrize(
    "refusal",
    [Answer({"error": "invalid_grant"}, status=400), Answer({"errcode": "M_UNKNOWN_TOKEN"}, status=401), Answer({})],
)
def test_a_refused_refresh_leads_to_a_login_and_the_dead_token_goes(refusal):
    asked, obtained = renewed(
        scheme(**REFRESH), refusal, Answer({"access_token": "t"}), credentials={"refresh_token": "r1"}
    )

    assert ["https://api.example.com/refresh", "https://api.example.com/login"] == [item.url for item in asked]
    assert obtained.credentials["refresh_token"] is None


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_at_a_refresh_leads_to_no_login(status):
    with pytest.raises(BadAnswer, match=f"was answered {status}"):
        renewed(scheme(**REFRESH), Answer({}, status=status), credentials={"refresh_token": "r1"})


@pytest.mark.parametrize(
    ("status", "is_final"), [(400, False), (401, True), (403, True), (404, False), (409, False), (422, False)]
)
def test_only_a_login_that_is_forbidden_is_final(status, is_final):
    with pytest.raises(Refused) as caught:
        renewed(scheme(), Answer({"errcode": "M_FORBIDDEN", "error": "Invalid"}, status=status))
    assert (is_final, status) == (caught.value.is_final, caught.value.status)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_at_a_login_may_heal(status):
    with pytest.raises(BadAnswer, match=f"was answered {status}"):
        renewed(scheme(), Answer(b"<html>", status=status))


def test_a_login_can_always_be_made_again():
    assert scheme().can_renew({})
    assert not scheme().is_complete(SECRETS)
