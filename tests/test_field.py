"""Declared fields: what is read of a given value, and what is refused, by name and never by value."""

from __future__ import annotations

import pytest

from nango_py.field import Field, FieldError, read_fields
from nango_py.secret import Secret

SUBDOMAIN = Field(name="subdomain", prefix="https://", suffix=".zendesk.com", format="domain-label")


@pytest.mark.parametrize(
    "pasted",
    [
        "acme",
        " acme\n",
        "acme.zendesk.com",
        "acme.ZenDesk.com/agent",
        "https://acme.zendesk.com",
        "HTTPS://acme.zendesk.com/",
        "http://acme.zendesk.com",
        "https://acme.zendesk.com/agent/tickets?x=1#y",
    ],
)
def test_a_pasted_address_becomes_what_was_asked_for(pasted):
    assert "acme" == SUBDOMAIN.read(pasted)


@pytest.mark.parametrize("pasted", ["acme.evil.example", "https://evil.example/acme.zendesk.com", "a/b", "a@b", "-a"])
def test_another_address_is_refused(pasted):
    with pytest.raises(FieldError, match="'subdomain' is no domain-label") as caught:
        SUBDOMAIN.read(pasted)

    assert pasted not in str(caught.value)


def test_a_prefix_without_a_scheme_is_taken_off():
    assert "123" == Field(name="account", prefix="acct_").read("ACCT_123")
    assert "123" == Field(name="account", prefix="acct_").read("123")


def test_a_url_keeps_its_path_where_no_host_is_asked_for():
    assert "acme.example.com/v2" == Field(name="site", prefix="https://").read("https://acme.example.com/v2")


def test_spaces_around_a_secret_belong_to_it():
    assert " pass word " == Field(name="password", secret=True).read(Secret(" pass word "))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (Field(name="region", enum=("eu", "us")), "mars-9", "'region' must be one of: eu, us."),
        (
            Field(name="key", secret=True, pattern="^k_", example="k_1"),
            "zzz-9",
            "'key' does not match the declared pattern, as in 'k_1'.",
        ),
        (Field(name="mail", format="email"), "zzz-9", "'mail' is no email."),
        (Field(name="mail", format="email"), "a@b..example", "'mail' is no email."),
        (Field(name="mail", format="email"), "a@" + "." * 7_000 + "@", "'mail' is no email."),
        (
            Field(name="mail", format="email"),
            "a@" + "b" * 65_536 + ".c",
            "'mail' has more than 65,536 characters, to which no pattern is put.",
        ),
        (
            Field(name="site", pattern="^(a+)+$"),
            "a" * 65_537,
            "'site' has more than 65,536 characters, to which no pattern is put.",
        ),
        (Field(name="id", format="uuid"), "zzz-9", "'id' is no uuid."),
        (Field(name="site", format="uri"), "zzz-9", "'site' is no uri."),
        (Field(name="key", secret=True), "zzz-9\r\nX: y", "'key' holds a control character, such as a line break."),
        (Field(name="key", title="API key"), "", "'key' is missing (API key)."),
        (Field(name="key"), ["zzz-9"], "'key' must be a text, not list."),
    ],
)
def test_a_misfit_is_named_and_never_quoted(field, value, said):
    with pytest.raises(FieldError) as caught:
        field.read(value)

    assert said == str(caught.value)
    assert "zzz-9" not in str(caught.value)


def test_defaults_and_optional_fields_need_no_value():
    fields = (
        Field(name="host", default="api.example.com"),
        Field(name="team", optional=True),
        Field(name="empty", default=""),
    )
    refused = []

    assert {"host": "api.example.com", "empty": ""} == read_fields(fields, {}, refused.append)
    assert [] == refused


PEM = "-----BEGIN PRIVATE KEY-----\nMIIE+/=\r\nabcd\n-----END PRIVATE KEY-----\n"


def test_a_key_in_pem_keeps_its_lines():
    assert PEM == Field(name="key", secret=True).read(PEM)


@pytest.mark.parametrize(
    "value",
    [f"{PEM}X-A: b", f"x\n{PEM}", PEM.replace("abcd", "a: b"), PEM.replace("END PRIVATE", "END PUBLIC"), "a\nb"],
)
def test_other_lines_are_refused(value):
    with pytest.raises(FieldError, match="'key' holds a control character"):
        Field(name="key", secret=True).read(value)
