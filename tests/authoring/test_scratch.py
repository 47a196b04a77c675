"""A few answers make a blueprint that loads at once."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from nango_py.auth import SCHEMES
from nango_py.authoring.draft import Draft
from nango_py.authoring.questions import (
    auth_keys,
    auth_schema,
    given_keys,
    mode_of,
    page_keys,
    page_schema,
    page_types,
)
from nango_py.authoring.scratch import Answers, scratch
from nango_py.cli.asking import answers
from nango_py.errors import UsageError

OPTIONS = {
    "display_name": None, "docs_url": None, "base_url": None, "auth_mode": None, "auth": (),
    "verification_path": None, "identity": None, "pagination_type": None, "pagination": (),
}  # fmt: skip


def drafted(**more):
    keys = {"name": "acme", "base_url": "https://acme.example/", "auth": {"auth_mode": "NONE"}, **more}
    return scratch(Answers(**keys))


@pytest.mark.parametrize("mode", sorted(SCHEMES))
def test_every_mode_loads_with_the_keys_that_it_asks_for(mode):
    wanted = {key.name: f"https://acme.example/{key.name}" for key in auth_keys(mode) if key.required}
    draft = drafted(auth={"auth_mode": mode, **given_keys(wanted, auth_schema(mode), "--auth")})

    assert mode == draft.integration().auth.mode
    assert f"# {mode} also knows: " in draft.text() or mode == "NONE"


@pytest.mark.parametrize("kind", page_types())
def test_every_type_of_pagination_loads_with_the_keys_that_it_asks_for(kind):
    pairs = {key.name: "50" if key.name == "limit" else "next" for key in page_keys(kind)}
    pagination = drafted(pagination={"type": kind, **given_keys(pairs, page_schema(), "--pagination")}).integration()

    assert (kind, 50) == (pagination.pagination.type, pagination.pagination.limit)


def test_what_placeholders_name_is_declared():
    key = "${credentials.private_key}"
    made = drafted(
        base_url="https://${connection_config.tenant}.acme.example/${connection_config.area}/",
        auth={"auth_mode": "JWT", "token": {"signing_key": key, "payload": {"sub": "${connection_config.tenant}"}}},
    ).data["versions"]["v0"]

    assert {"private_key": {"title": "Private key", "secret": True}} == made["credentials"]
    assert {
        "tenant": {"title": "Tenant", "format": "domain-label"},
        "area": {"title": "Area"},
    } == made["connection_config"]


def test_the_verification_is_an_action_to_begin_with():
    integration = drafted(verification_path="/me", identity="email").integration()

    assert ("me", "email") == (integration.verification.path.text, integration.verification.identity)
    assert "me" == integration.actions["me"].request.path.text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"name": "Acme Inc"}, "'Acme Inc' is no name for a blueprint"),
        ({"base_url": "acme.example"}, "does not load: /requests/base_url: base_url must be an http"),
        ({"base_url": "https://a.example/${env.X}"}, "nobody provides"),
        ({"pagination": {"type": "cursor"}}, "/pagination/cursor_name_in_request"),
    ],
)
def test_answers_that_do_not_fit_are_refused_in_words(more, message):
    with pytest.raises(UsageError, match=message):
        drafted(**more)


def test_a_blueprint_that_no_file_can_hold_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match=r"acme\.yaml would be larger than 1,048,576 characters: take fewer actions"):
        Draft(data={"name": "acme", "x-text": "a" * 1_100_000}).check()


def test_a_key_or_mode_that_does_not_exist_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'oaut2' is no auth mode\. Did you mean 'OAUTH2'\?"):
        mode_of("oaut2")
    with pytest.raises(UsageError, match=r"--auth has no key 'token_ulr'\. Did you mean 'token_url'\?"):
        given_keys({"token_ulr": "x"}, auth_schema("OAUTH2"), "--auth")
    with pytest.raises(UsageError, match="a value where that stands"):
        given_keys({"token_params.a": "x", "token_params.a.b": "y"}, auth_schema("TWO_STEP"), "--auth")


def test_texts_become_what_the_schema_wants():
    pairs = {"default_scopes": "a, b", "disable_pkce": "true", "default_token_lifetime": "60", "scope_separator": ","}

    assert {
        "default_scopes": ["a", "b"],
        "disable_pkce": True,
        "default_token_lifetime": 60,
        "scope_separator": ",",
    } == given_keys(pairs, auth_schema("OAUTH2"), "--auth")


def test_on_a_terminal_only_what_no_option_gives_is_asked():
    typed = (
        "",  # the name that is offered
        "https://acme.example/docs",
        "acme.example",  # asked again
        "https://acme.example/v1/",
        "oauth2",
        "",  # the header
        "https://acme.example/authorize",
        "https://acme.example/token",
        "me",
        "email",
        "cursor",
        "next",
        "limit",
        "100",
        "data",
    )
    given = {**OPTIONS, "pagination": ("cursor_name_in_request=after",)}
    with CliRunner().isolation(input="\n".join((*typed, ""))):
        found = answers("acme-crm", given, asks=True)

    assert (
        Answers(
            name="acme-crm",
            base_url="https://acme.example/v1/",
            auth={
                "auth_mode": "OAUTH2",
                "authorization_url": "https://acme.example/authorize",
                "token_url": "https://acme.example/token",
            },
            display_name="Acme Crm",
            docs_url="https://acme.example/docs",
            verification_path="me",
            identity="email",
            pagination={
                "type": "cursor",
                "cursor_name_in_request": "after",
                "cursor_path_in_response": "next",
                "limit_name_in_request": "limit",
                "limit": 100,
                "response_path": "data",
            },
        )
        == found
    )


def test_without_a_terminal_every_missing_option_is_named_at_once():
    with pytest.raises(UsageError) as raised:
        answers("acme", {**OPTIONS, "auth_mode": "tba", "pagination_type": "page"}, asks=False)

    assert (
        "there is no terminal to ask on: give --base-url, --auth account_id=..., "
        "--pagination page_name_in_request=...."
    ) == str(raised.value)
