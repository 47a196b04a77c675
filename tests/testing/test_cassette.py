"""Cassettes: what passed comes back without the provider, and no secret stays on the tape."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote_plus

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py import AsyncNango, Nango
from nango_py.masking import Mask
from nango_py.testing import CassetteError, ManualClock, record, replay, simulate
from nango_py.testing.redaction import Redactor

LEADS = [{"id": f"lead_{number}", "display_name": f"Lead {number}"} for number in range(150)]
CLOSE = {"extends_blueprint": "close:v0"}


def engine(transport, keys, provider):
    return Nango.load(
        {"integrations": {"it": {**keys, **provider.keys}}}, store="memory://", transport=transport,
        clock=provider.clock, environ={},
    )  # fmt: skip


def test_a_walk_is_recorded_and_replayed(tmp_path):
    path = tmp_path / "cassettes" / "leads.json"
    provider = simulate("close:v0", clock=ManualClock(), lists={"lead": LEADS}, refusals=[2])
    with record(path, transport=provider.transport) as cassette, engine(cassette.transport, CLOSE, provider) as nango:
        nango.register_connection("it", "ann", provider.credentials)
        recorded = nango.trigger_action("it", "list-leads", "ann", {"limit": 150})

    with replay(path) as cassette, engine(cassette.transport, CLOSE, provider) as nango:
        nango.register_connection("it", "bob", {"username": "api_key_of_bob"})
        replayed = nango.trigger_action("it", "list-leads", "bob", {"limit": 150})

    assert (150, recorded) == (len(recorded), replayed)
    assert [] == cassette.unused
    assert 3 == len(provider.seen)


def test_no_secret_stays_in_a_cassette(tmp_path):
    keys = {
        "auth": {
            "auth_mode": "OAUTH2",
            "token_url": "https://id.example.com/token",
            "authorization_method": "header",
        },
        "requests": {
            "base_url": "https://api.example.com/",
            "headers": {"X-Odd": "v1.${access_token}"},
            "params": {"k": "${app_api_key}"},
        },
    }
    from nango_py.declare import load

    integration = load({"integrations": {"it": keys}}, environ={}).integrations["it"]
    provider = simulate(integration, clock=ManualClock(), objects={"me": {"name": "Ann"}})
    path = tmp_path / "me.json"
    with record(path, transport=provider.transport) as cassette, engine(cassette.transport, keys, provider) as nango:
        nango.register_connection("it", "ann", provider.credentials)
        provider.clock.advance(3600)
        secret = nango.credentials("it", "ann")["access_token"].reveal()
        echo = {"you sent": f"v1.{secret}", "encoded": base64.b64encode(f"x:{secret}".encode()).decode()}
        provider.objects["me"]["echo"] = echo
        assert echo == nango.client("it", "ann").get("me").json()["echo"]
        fresh = nango.credentials("it", "ann")

    text = path.read_text("utf-8")
    secrets = [
        *(provider.credentials[name] for name in ("access_token", "refresh_token")),
        fresh["access_token"].reveal(),
        *provider.desk._refresh,
        provider.desk.client.secret,
        provider.app_api_key,
    ]
    assert not Mask(secrets).is_in(text)
    assert ["POST", "GET"] == [one["request"]["method"] for one in json.loads(text)["exchanges"]]


@pytest.mark.parametrize("name", ["X-Amz-Signature", "access_token", "sig"])
def test_no_secret_stays_in_a_link_that_nobody_followed(tmp_path, name):
    link = f"https://files.example.com/wren.png?a=1&{name}=s%2Bcret-1#x"
    said = {"Location": link, "Link": f"<https://api.example.com/?p=1>; rel=first, <{link}>; rel=next"}
    inner = httpx.MockTransport(
        lambda _: httpx.Response(200, headers=said, json={"files": [{"url": link}], "page": 1})
    )
    path = tmp_path / "links.json"

    with record(path, transport=inner) as cassette:
        httpx.Client(transport=cassette.transport).get("https://api.example.com/")

    text = path.read_text("utf-8")
    assert not Mask(["s+cret-1"]).is_in(text)
    assert (3, 3) == (text.count("/wren.png?a=1&"), text.count("=***#x"))


def test_no_secret_stays_in_a_list_of_them():
    body = {"backup_tokens": ["first-of-them", "second-of-them"], "names": ["wren"], "echo": "first-of-them"}
    redactor = Redactor()
    redactor.learn_body(body)
    assert {"backup_tokens": ["***", "***"], "names": ["wren"], "echo": "***"} == redactor.body(body)


def test_no_secret_stays_below_a_telling_name():
    body = {
        "token": {"value": "token-of-ann", "type": "bearer", "expires_at": "2026-01-01T00:00:00Z", "lifetime": 3600},
        "password": 123456,
        "said": ["your password is 123456"],
        "usage": {"total_tokens": 57},
        "access_token_expires_in": 3600,
    }
    redactor = Redactor()
    redactor.learn_body(body)
    assert {
        "token": {"value": "***", "type": "bearer", "expires_at": "2026-01-01T00:00:00Z", "lifetime": 3600},
        "password": 0,
        "said": ["your password is ***"],
        "usage": {"total_tokens": 57},
        "access_token_expires_in": 3600,
    } == redactor.body(body)


def test_no_secret_stays_in_xml():
    text = "<s:Envelope><s:sessionToken a=\"1\"> one&amp;two </s:sessionToken><login password='three-3'/><page>4444</page>"
    redactor = Redactor()
    redactor.learn_body(text)
    shown = redactor.text(text)
    assert (True, True, False) == tuple(word in shown for word in ("Token a=", "4444", "three-3"))
    assert [] == [word for word in ("one&amp;two", "three-3") if redactor.left_in(shown) or word in shown]


def test_a_cassette_is_not_written_while_a_secret_would_stay(tmp_path):
    content = b"\xff\xfe" + b"secret-of-the-account"
    inner = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    path = tmp_path / "odd.json"

    with pytest.raises(CassetteError, match="nothing was written"):
        with record(path, transport=inner, secrets=["secret-of-the-account"]) as cassette:
            httpx.Client(transport=cassette.transport).get("https://api.example.com/")

    assert not path.exists()


def test_a_request_that_was_not_recorded_names_the_nearest(tmp_path):
    path = tmp_path / "me.json"
    inner = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    with record(path, transport=inner) as cassette:
        client = httpx.Client(transport=cassette.transport)
        client.get("https://api.example.com/leads?limit=10")
        client.get("https://api.example.com/contacts")

    with replay(path) as cassette, pytest.raises(CassetteError) as error:
        httpx.Client(transport=cassette.transport).get("https://api.example.com/leads?limit=20")

    assert (
        f"{path}: GET https://api.example.com/leads?limit=20 (action none) is not in it. The nearest is GET "
        "https://api.example.com/leads?limit=10 (action none). Record it again if it is right."
    ) == str(error.value)


@pytest.mark.parametrize(
    ("method", "options"), [("POST", {}), ("GET", {"params": {"a": "2"}}), ("GET", {"json": {"b": 1}})]
)
def test_method_url_and_body_have_to_match(tmp_path, method, options):
    path = tmp_path / "me.json"
    with record(path, transport=httpx.MockTransport(lambda _: httpx.Response(200, json={}))) as cassette:
        httpx.Client(transport=cassette.transport).get("https://api.example.com/me")

    with replay(path) as cassette, pytest.raises(CassetteError):
        httpx.Client(transport=cassette.transport).request(method, "https://api.example.com/me", **options)


def test_the_action_has_to_match(tmp_path):
    path = tmp_path / "lead.json"
    provider = simulate("close:v0", clock=ManualClock(), lists={"lead": LEADS})
    with record(path, transport=provider.transport) as cassette, engine(cassette.transport, CLOSE, provider) as nango:
        nango.register_connection("it", "ann", provider.credentials)
        nango.trigger_action("it", "get-lead", "ann", {"id": "lead_1"})

    with replay(path) as cassette, engine(cassette.transport, CLOSE, provider) as nango:
        nango.register_connection("it", "ann", provider.credentials)
        with pytest.raises(CassetteError, match=r"\(action none\) is not in it.*\(action it/get-lead\)"):
            nango.client("it", "ann").get("lead/lead_1/")


def test_an_exchange_answers_once_unless_it_may_again(tmp_path):
    path = tmp_path / "me.json"
    with record(path, transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"n": 1}))) as cassette:
        httpx.Client(transport=cassette.transport).get("https://api.example.com/me")

    with replay(path, strict=False) as cassette:
        client = httpx.Client(transport=cassette.transport)
        assert [{"n": 1}] * 2 == [client.get("https://api.example.com/me").json() for _ in range(2)]
    with replay(path) as cassette:
        client = httpx.Client(transport=cassette.transport)
        client.get("https://api.example.com/me")
        with pytest.raises(CassetteError, match="was recorded once, and is asked for once more"):
            client.get("https://api.example.com/me")


def test_nothing_is_written_after_an_error(tmp_path):
    def fail():
        with record(tmp_path / "me.json", transport=inner) as cassette:
            httpx.Client(transport=cassette.transport).get("https://api.example.com/me")
            raise ZeroDivisionError

    inner = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    with pytest.raises(ZeroDivisionError):
        fail()

    assert [] == list(tmp_path.iterdir())


def test_an_upload_matches_though_its_boundary_is_drawn_anew(tmp_path):
    path = tmp_path / "upload.json"
    inner = httpx.MockTransport(lambda _: httpx.Response(201, json={"id": 1}))
    with record(path, transport=inner) as cassette:
        httpx.Client(transport=cassette.transport).post("https://api.example.com/files", files={"file": b"content"})

    with replay(path) as cassette:
        client = httpx.Client(transport=cassette.transport)
        assert {"id": 1} == client.post("https://api.example.com/files", files={"file": b"content"}).json()
        with pytest.raises(CassetteError):
            client.post("https://api.example.com/files", files={"file": b"other"})


def test_the_answer_to_a_grant_is_redacted_and_an_error_code_is_not(tmp_path):
    path = tmp_path / "grant.json"
    answers = iter([{"id_token": "id-of-the-account"}, {"code": "not_found", "next_page_token": "cursor-number-2"}])
    inner = httpx.MockTransport(lambda _: httpx.Response(200, json=next(answers)))
    with record(path, transport=inner) as cassette:
        client = httpx.Client(transport=cassette.transport)
        body = {"grant_type": "authorization_code", "code": "code-of-the-account"}
        client.post("https://id.example.com/token", json=body)
        client.get("https://api.example.com/me")

    text = path.read_text("utf-8")
    assert [False, False, True, True] == [
        word in text for word in ("id-of-the-account", "code-of-the-account", "not_found", "cursor-number-2")
    ]


def test_async_code_records_and_replays(tmp_path):
    path = tmp_path / "leads.json"
    provider = simulate("close:v0", clock=ManualClock(), lists={"lead": LEADS})

    async def leads(transport):
        async with AsyncNango.load(
            {"integrations": {"it": CLOSE}}, store="memory://", transport=transport, clock=provider.clock, environ={}
        ) as nango:
            await nango.register_connection("it", "ann", provider.credentials)
            return await nango.trigger_action("it", "list-leads", "ann")

    with record(path, transport=provider.transport) as cassette:
        recorded = anyio.run(leads, cassette.transport)
    with replay(path) as cassette:
        assert recorded == anyio.run(leads, cassette.transport)


def test_without_a_transport_the_provider_itself_is_recorded(tmp_path):
    path = tmp_path / "leads.json"
    provider = simulate("close:v0", clock=ManualClock(), lists={"lead": LEADS})
    with provider.serve() as url, record(path) as cassette:
        keys = {**CLOSE, **provider.keys_at(url)}
        with engine(cassette.transport, keys, provider) as nango:
            nango.register_connection("it", "ann", provider.credentials)
            nango.trigger_action("it", "get-lead", "ann", {"id": "lead_1"})

    assert [LEADS[1]] == [one["answer"]["json"] for one in json.loads(path.read_text("utf-8"))["exchanges"]]


def test_a_missing_or_foreign_file_is_said(tmp_path):
    (tmp_path / "other.json").write_text("[]", encoding="utf-8")

    for name, message in (("none.json", "there is no such cassette"), ("other.json", "this is no cassette")):
        with pytest.raises(CassetteError, match=message), replay(tmp_path / name):
            pass


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=8, max_size=40),
    before=st.text(st.characters(codec="ascii"), max_size=5),
    after=st.text(st.characters(codec="ascii"), max_size=5),
)
def test_no_encoding_hides_a_secret(secret, before, after):
    redactor = Redactor([secret])
    whole = (before + secret + after).encode()
    hidden = [
        before + secret + after,
        quote_plus(before + secret + after),
        json.dumps(before + secret + after),
        base64.b64encode(whole).decode(),
        base64.urlsafe_b64encode(whole).decode(),
        whole.hex(),
    ]

    assert [] == [text for text in hidden if not redactor.left_in(text) or redactor.left_in(redactor.text(text))]
