"""AWS_SIGV4 against the published test suite, and the roles of STS."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from nango_py.auth.aws_signature import AwsKeys, AwsSigner
from nango_py.auth.aws_sigv4 import AwsSigV4
from nango_py.auth.grant import BadAnswer, Refused
from nango_py.errors import InputError
from nango_py.http import Request
from nango_py.secret import Secret
from nango_py.template import TemplateError
from tests.auth.grants import NOW, Answer, account, perform, sent

pytest.importorskip("botocore", reason="AWS_SIGV4 needs the extra aws")

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest

EXAMPLE = AwsKeys(access_key="AKIDEXAMPLE", secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp()
KEYS = {"access_key_id": Secret("AKIDEXAMPLE"), "secret_access_key": Secret("secret")}
ROLE = {"role_arn": "arn:aws:iam::123456789012:role/R", "external_id": "${connection_config.external_id}"}
STS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIATEMP</AccessKeyId><SecretAccessKey>temporary</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2026-03-02T15:30:55Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
DENIED = "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>no</Message></Error></ErrorResponse>"


def scheme(**keys):
    return AwsSigV4.declare({"service": "dynamodb", "region": "${connection_config.region}", **keys})


def signed(
    method="GET", url="https://dynamodb.eu-west-1.amazonaws.com/", *, values=None, headers=None, body=b"", **keys
):
    request = Request(method, url, headers=headers, content=body)
    given = {**KEYS, "connection_config": {"region": "eu-west-1"}, **(values or {})}
    return scheme(**keys).sign(request, given, now=NOW, nonce="", body=body)


@pytest.mark.parametrize(
    ("method", "query", "headers", "signature"),
    [
        # aws-sig-v4-test-suite: get-vanilla, post-vanilla, get-vanilla-query-order-key-case
        ("GET", "", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "", {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "?Param2=value2&Param1=value1",
            {},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
)
def test_signatures_are_those_of_the_published_test_suite(method, query, headers, signature):
    request = Request(method, f"https://example.amazonaws.com/{query}", headers=headers)
    signer = AwsSigner(keys=EXAMPLE, service="service", region="us-east-1", states_hash=False)

    assert (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}"
    ) == signer.sign(request, now=THEN, body=b"").headers["Authorization"]


def test_the_hash_of_the_body_the_time_and_the_session_token_are_signed():
    request = signed(
        "POST",
        body=b"{}",
        headers={"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"},
        values={"session_token": Secret("session")},
    )

    assert sha256(b"{}").hexdigest() == request.headers["X-Amz-Content-SHA256"]
    assert "20260302T143055Z" == request.headers["X-Amz-Date"]
    assert "session" == request.headers["X-Amz-Security-Token"]
    assert (
        "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-target,"
        in request.headers["Authorization"]
    )
    assert "/20260302/eu-west-1/dynamodb/aws4_request" in request.headers["Authorization"]


@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_what_is_sent_is_what_botocore_signs(service):
    url = f"https://{service}.eu-west-1.amazonaws.com/b/a key+1/ü?q=a b&z=x/y&a=1+2&flag"
    request = signed("PUT", url, service=service, body=b"hello")
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(EXAMPLE, service, "eu-west-1")
    auth.credentials = AwsKeys(access_key="AKIDEXAMPLE", secret_key="secret")
    headers = {name: request.headers[name] for name in ("Host", "X-Amz-Date", "X-Amz-Content-SHA256")}
    seen = AWSRequest("PUT", str(request.url), headers=headers, data=b"hello")
    seen.context["timestamp"] = request.headers["X-Amz-Date"]
    signature = auth.signature(auth.string_to_sign(seen, auth.canonical_request(seen)), seen)

    assert request.headers["Authorization"].endswith(f"Signature={signature}")
    assert b"q=a%20b&z=x%2Fy&a=1%202&flag" == request.url.query


def test_s3_signs_its_path_as_it_is_sent_and_others_encode_it_once_more():
    s3 = signed("GET", "https://s3.eu-west-1.amazonaws.com/b/a+b%2Fc", service="s3")
    other = signed("GET", "https://x.eu-west-1.amazonaws.com/b/a%20b")

    assert b"/b/a%2Bb%2Fc" == s3.url.raw_path
    assert b"/b/a%20b" == other.url.raw_path


def test_s3_takes_a_stream_unsigned():
    assert "UNSIGNED-PAYLOAD" == signed("PUT", service="s3", body=None).headers["X-Amz-Content-SHA256"]


def test_other_services_take_no_stream():
    with pytest.raises(InputError, match="AWS signs the body, so it cannot be a stream"):
        signed("PUT", body=None)


@pytest.mark.parametrize("region", ["eu west", "eu-west-1/", "EU", "a" * 65, "eu-west-1\n", "x.evil.com"])
def test_a_region_that_is_none_is_refused(region):
    with pytest.raises(TemplateError, match=r"auth\.region must be of a-z, 0-9 and '-'") as caught:
        signed(values={"connection_config": {"region": region}})
    assert region not in str(caught.value)


def test_without_an_access_key_there_is_an_error_that_says_so():
    with pytest.raises(TemplateError, match="there is no access key"):
        signed(values={"access_key_id": None})


def test_nothing_is_signed_where_nothing_is_placed():
    assert "Authorization" not in signed(placement="none").headers


def assumed(answer, *, credentials=None, **keys):
    holder = account(
        credentials if credentials is not None else {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"},
        connection_config={"region": "eu-west-1", "external_id": "ours"},
        oauth_client_id=Secret("AKIAOURS"),
        oauth_client_secret=Secret("our secret"),
    )
    return perform(scheme(**ROLE, **keys).renew(holder), answer)


def test_a_role_is_assumed_with_a_signed_request():
    asked, _ = assumed(Answer(STS.encode()))
    request = sent(asked[0])

    assert "https://sts.eu-west-1.amazonaws.com/" == str(request.url)
    assert {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": "arn:aws:iam::123456789012:role/R",
        "RoleSessionName": "nango_py",
        "DurationSeconds": "3600",
        "ExternalId": "ours",
    } == asked[0].form
    assert "Credential=AKIDEXAMPLE/20260302/eu-west-1/sts/aws4_request" in request.headers["Authorization"]
    assert sha256(request.content).hexdigest() == request.headers["X-Amz-Content-SHA256"]


def test_the_integration_s_own_key_assumes_the_role_where_a_connection_has_none():
    asked, _ = assumed(Answer(STS.encode()), credentials={})

    assert "Credential=AKIAOURS/" in sent(asked[0]).headers["Authorization"]


def test_sts_may_be_elsewhere():
    asked, _ = assumed(Answer(STS.encode()), sts_url="https://sts.example.com/${connection_config.region}")

    assert "https://sts.example.com/eu-west-1" == asked[0].url


def test_requests_are_signed_with_the_role_s_key_until_it_expires():
    _, obtained = assumed(Answer(STS.encode()))
    held = {**KEYS, **obtained.credentials}
    role = scheme(**ROLE)
    request = signed(values={**held, "credentials": held}, **ROLE)

    assert "Credential=ASIATEMP/" in request.headers["Authorization"]
    assert "session" == request.headers["X-Amz-Security-Token"]
    assert role.is_complete(held)
    assert not role.is_complete(KEYS)
    assert role.can_renew(KEYS)
    assert datetime(2026, 3, 2, 15, 30, 55, tzinfo=UTC).timestamp() == role.expires_at(held)
    assert 300.0 == role.leeway(held)


def test_a_key_without_a_role_neither_expires_nor_is_renewed():
    assert scheme().is_complete(KEYS)
    assert not scheme().can_renew(KEYS)
    assert scheme().expires_at(KEYS) is None


def test_sts_may_answer_with_json():
    keys = {"AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "C", "Expiration": 1_772_465_455.0}
    data = {"AssumeRoleResponse": {"AssumeRoleResult": {"Credentials": keys}}}
    _, obtained = assumed(Answer(data))

    assert ("A", 1_772_465_455.0) == (
        obtained.credentials["temporary_access_key_id"],
        obtained.credentials["expires_at"],
    )


@pytest.mark.parametrize(("code", "is_final"), [("AccessDenied", False), ("InvalidClientTokenId", True)])
def test_a_refusal_names_its_code(code, is_final):
    with pytest.raises(Refused) as caught:
        assumed(Answer(DENIED.format(code).encode(), status=403))
    assert (code, "no", 403, is_final) == (
        caught.value.code,
        caught.value.description,
        caught.value.status,
        caught.value.is_final,
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b"<html>busy", status=503), "was answered 503"),
        (Answer(DENIED.format("Throttling").encode(), status=400), "was answered 400"),
        (Answer(STS.replace("SessionToken", "Other").encode()), "was answered without the key of the role"),
        (Answer(STS.replace("2026-03-02T15:30:55Z", "soon").encode()), "was answered without the key of the role"),
        (Answer(b"<!DOCTYPE a><a/>"), "was answered without the key of the role"),
        (Answer(b""), "was answered without the key of the role"),
    ],
)
def test_an_answer_without_keys_may_heal(answer, message):
    with pytest.raises(BadAnswer, match=message):
        assumed(answer)
