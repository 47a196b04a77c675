"""The caller's data stays where it is put: it is neither a path, a host, a header, a query, nor a template."""

from __future__ import annotations

import email
import email.policy
import json
from urllib.parse import parse_qsl

import pytest

from nango_py import InputError
from tests.actions.declared import Sent, load, run

ANY = {"type": "object", "properties": {"a": {}, "b": {}, "file": {"type": "string", "format": "binary"}}}
TEMPLATES = ["${env.HOME}", "${7*7}", "{{7*7}}", "$${a}", "${credentials.token}", "{% for x in y %}", "${input.b}"]


def sent_by(request, given):
    sent = Sent()
    run({"input": ANY, "request": {"method": "POST", **request}}, given, sent)
    return sent.request


def refused(request, given):
    sent = Sent()
    with pytest.raises(InputError):
        run({"input": ANY, "request": {"method": "POST", **request}}, given, sent)
    return sent.requests


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("../admin", b"/v1/birds/..%2Fadmin/x"),
        ("a/b", b"/v1/birds/a%2Fb/x"),
        ("a?admin=1", b"/v1/birds/a%3Fadmin%3D1/x"),
        ("a#frag", b"/v1/birds/a%23frag/x"),
        ("https://evil.test/", b"/v1/birds/https%3A%2F%2Fevil.test%2F/x"),
        ("@evil.test", b"/v1/birds/%40evil.test/x"),
        ("a\r\nHost: evil", b"/v1/birds/a%0D%0AHost%3A%20evil/x"),
        ("\\..\\a", b"/v1/birds/%5C..%5Ca/x"),
        (";x=1", b"/v1/birds/%3Bx%3D1/x"),
    ],
)
def test_path_value_is_one_segment(value, raw):
    url = sent_by({"path": "birds/${input.a}/x"}, {"a": value}).url
    assert ("birds.test", raw) == (url.host, url.raw_path)


@pytest.mark.parametrize("value", ["..", ".", "%2e%2e", "", None, ["a"], {"a": 1}, b"a"], ids=repr)
def test_path_value_that_is_no_segment_is_refused(value):
    assert [] == refused({"path": "birds/${input.a}/x"}, {"a": value})


@pytest.mark.parametrize("path", ["${input.a}", "${input.a}/x"])
@pytest.mark.parametrize("value", ["https://evil.test/", "//evil.test", "http:evil.test"])
def test_path_value_at_the_beginning_is_no_other_host(path, value):
    assert "birds.test" == sent_by({"path": path}, {"a": value}).url.host


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\x00", "ü"], ids=ascii)
def test_header_value_with_a_line_break_is_refused(value):
    assert [] == refused({"path": "x", "headers": {"X-A": "${input.a}"}}, {"a": value})


@pytest.mark.parametrize("value", ["1&admin=1", "1#x", "a=b", "%26", "a+b", "a\r\nb", "ü"], ids=ascii)
@pytest.mark.parametrize("place", ["params", "form"])
def test_query_and_form_values_stay_values(place, value):
    request = sent_by({"path": "x", place: {"a": "${input.a}"}}, {"a": value})
    text = request.url.query.decode() if place == "params" else request.content.decode()
    assert [("a", value)] == parse_qsl(text)


def test_graphql_variable_is_no_part_of_the_document():
    value = '1) { admin } #"'
    body = json.loads(
        sent_by({"path": "x", "graphql": {"query": "{ a }", "variables": {"a": "${input.a}"}}}, {"a": value}).content
    )
    assert {"query": "{ a }", "variables": {"a": value}} == body


@pytest.mark.parametrize(
    "name", ['a"; filename="evil', "a\r\nContent-Type: text/html", 'a"\r\n\r\nevil', "a\\"], ids=ascii
)
def test_multipart_filename_stays_inside_its_quotes(name):
    part = {"file": "${input.file}", "filename": "${input.a}"}
    request = sent_by({"path": "x", "multipart": {"upload": part}}, {"file": b"wren", "a": name})
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    (found,) = email.message_from_bytes(head + request.content, policy=email.policy.HTTP).iter_parts()
    assert ("upload", b"wren") == (
        found.get_param("name", header="Content-Disposition"),
        found.get_payload(decode=True),
    )
    assert ["content-disposition", "content-type"] == sorted(key.lower() for key in found.keys())  # noqa: SIM118
    assert "evil" != found.get_filename()


def test_multipart_text_is_no_other_part():
    value = '--x\r\nContent-Disposition: form-data; name="admin"\r\n\r\n1'
    request = sent_by({"path": "x", "multipart": {"a": "${input.a}"}}, {"a": value})
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    (found,) = email.message_from_bytes(head + request.content, policy=email.policy.HTTP).iter_parts()
    assert value.encode() == found.get_payload(decode=True)


@pytest.mark.parametrize(
    "request_keys",
    [
        {"multipart": {"a": {"file": "${input.file}", "content_type": "${input.a}"}}},
        {"raw": {"content": "${input.file}", "content_type": "${input.a}"}},
    ],
    ids=["multipart", "raw"],
)
def test_media_type_with_a_line_break_is_refused(request_keys):
    given = {"file": b"wren", "a": "text/plain\r\nX-Admin: 1"}
    assert [] == refused({"path": "x", **request_keys}, given)


@pytest.mark.parametrize("text", TEMPLATES)
def test_template_text_in_the_callers_data_is_text(text):
    keys = {
        "path": "x/${input.a}", "params": {"a": "${input.a}"}, "headers": {"X-A": "${input.a}"},
        "json": {"a": "${input.a}", "b": "<${input.a}>", "deep": "${input.b}"},
    }  # fmt: skip
    request = sent_by(keys, {"a": text, "b": {"c": [text]}})
    body = {"a": text, "b": f"<{text}>", "deep": {"c": [text]}}
    assert (text, text, body) == (request.url.params["a"], request.headers["X-A"], json.loads(request.content))


def test_keys_of_the_callers_data_are_no_templates():
    body = sent_by({"path": "x", "json": {"a": "${input.a}"}}, {"a": {"${7*7}": 1}}).content
    assert {"a": {"${7*7}": 1}} == json.loads(body)


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "\u0142"])
def test_idempotency_key_that_no_header_can_hold_is_refused(key):
    with load({"request": {"method": "POST", "path": "x"}}, Sent(), retry={"idempotency_key": "Key"}) as nango:
        with pytest.raises(InputError, match="action 'act': idempotency_key=: header 'Key' holds"):
            nango.trigger_action("birds", "act", "u", idempotency_key=key)


def test_input_that_is_nested_too_deeply_is_refused():
    deep = []
    for _ in range(5000):
        deep = [deep]
    action = {"input": {"type": "object"}, "request": {"method": "POST", "path": "x", "json": "${input}"}}
    with pytest.raises(InputError, match="nested too deeply"):
        run(action, {"deep": deep})
