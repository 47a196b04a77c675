"""A simulated provider is as strict as the blueprint says, and the engine meets it like a real one."""

from __future__ import annotations

from contextlib import contextmanager

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nango_py import AsyncNango, AuthenticationError, Nango, ReauthRequired, ResponseError, UsageError
from nango_py.testing import Faults, ManualClock, simulate
from nango_py.testing.faults import FAULTS

LEADS = [{"id": f"lead_{number}", "display_name": f"Lead {number}"} for number in range(250)]
ITEMS = [{"id": number} for number in range(25)]
TOKENS = {
    "auth_mode": "OAUTH2",
    "authorization_url": "https://id.example.com/authorize",
    "token_url": "https://id.example.com/token",
}
CURSOR = {"cursor_name_in_request": "after", "cursor_path_in_response": "next.after"}
PAGINATIONS = {
    "cursor": {"type": "cursor", **CURSOR, "response_path": "items"},
    "cursor in a header": {
        "type": "cursor",
        "cursor_name_in_request": "after",
        "cursor_header_in_response": "X-Next",
        "limit_name_in_request": "size",
        "limit": 10,
    },
    "cursor in a link of the body": {
        "type": "cursor",
        "cursor_name_in_request": "after",
        "cursor_name_in_link": "from",
        "link_path_in_response_body": "next",
        "response_path": "items",
    },
    "cursor in the link header": {
        "type": "cursor",
        "cursor_name_in_request": "after",
        "cursor_name_in_link": "after",
        "link_rel_in_response_header": "next",
    },
    "cursor that is the last item": {
        "type": "cursor",
        "cursor_name_in_request": "after",
        "cursor_path_in_response": "data[-1].id",
        "has_more_path_in_response": "last == `false`",
        "response_path": "data",
    },
    "cursor that is the last of bare items": {
        "type": "cursor",
        "cursor_name_in_request": "after",
        "cursor_path_in_response": "[-1].id",
        "has_more_header_in_response": "X-Has-More",
    },
    "cursor of a graph": {
        "type": "cursor",
        "cursor_name_in_request": "after",
        "cursor_path_in_response": "things.edges[-1].cursor",
        "has_more_path_in_response": "things.pageInfo.hasNextPage",
        "response_path": "things.edges[].node",
    },
    "link among links": {
        "type": "link",
        "link_path_in_response_body": "links[?rel=='next'] | [0].href",
        "response_path": "items",
    },
    "link header": {"type": "link", "link_rel_in_response_header": "next"},
    "link header that is always there": {
        "type": "link",
        "link_rel_in_response_header": "next",
        "has_more_name_in_link": "results",
    },
    "bare link header": {"type": "link", "link_header_in_response": "X-Next-Page"},
    "link in the body": {"type": "link", "link_path_in_response_body": "@odata.nextLink", "response_path": "value"},
    "link below the base URL": {
        "type": "link",
        "link_path_in_response_body": "next",
        "link_relative_to": "base_url",
        "response_path": "value",
    },
    "offset": {"type": "offset", "offset_name_in_request": "skip", "limit_name_in_request": "top", "limit": 10},
    "offset in pages": {
        "type": "offset",
        "offset_name_in_request": "skip",
        "offset_calculation_method": "per-page",
        "limit_name_in_request": "top",
        "limit": 10,
    },
    "offset that says more": {
        "type": "offset",
        "offset_name_in_request": "skip",
        "has_more_path_in_response": "more",
        "response_path": "data",
    },
    "offset that says more in a header": {
        "type": "offset",
        "offset_name_in_request": "skip",
        "has_more_header_in_response": "X-Has-More",
    },
    "page": {"type": "page", "page_name_in_request": "page", "limit_name_in_request": "size", "limit": 10},
    "page of so many": {
        "type": "page",
        "page_name_in_request": "page",
        "total_pages_path_in_response": "meta.pages",
        "response_path": "data",
    },
    "page of so many in a header": {
        "type": "page",
        "page_name_in_request": "page",
        "total_pages_header_in_response": "X-Total-Pages",
    },
    "pages of so many items": {
        "type": "page",
        "page_name_in_request": "page",
        "total_items_path_in_response": "meta.total",
        "response_path": "data",
    },
    "offset of so many items in a header": {
        "type": "offset",
        "offset_name_in_request": "skip",
        "total_items_header_in_response": "X-Total-Count",
    },
    "cursor from header to header": {
        "type": "cursor",
        "cursor_name_in_request": "Range",
        "cursor_header_in_response": "Next-Range",
        "in_header": True,
    },
    "page in a header": {
        "type": "page",
        "page_name_in_request": "X-Page",
        "limit_name_in_request": "X-Per-Page",
        "limit": 10,
        "in_header": True,
    },
    "cursor in the body": {"type": "cursor", **CURSOR, "response_path": "items", "in_body": True},
}


def blueprint(**keys):
    """Return an integration that needs no file."""
    return {"auth": {"auth_mode": "NONE"}, "requests": {"base_url": "https://api.example.com/v1/"}, **keys}


@contextmanager
def connected(keys, provider, transport=None, **options):
    with Nango.load(
        {"integrations": {"it": {**keys, **provider.keys}}},
        store="memory://",
        transport=transport or provider.transport,
        clock=provider.clock,
        environ={},
        **options,
    ) as nango:
        nango.register_connection("it", "ann", provider.credentials, provider.connection_config)
        yield nango


def test_a_built_in_blueprint_is_simulated_by_its_key():
    provider = simulate("close:v0", clock=ManualClock(), lists={"lead": LEADS})

    with connected({"extends_blueprint": "close:v0"}, provider) as nango:
        leads = nango.trigger_action("it", "list-leads", "ann", {"limit": 250})
        lead = nango.trigger_action("it", "get-lead", "ann", {"id": "lead_7"})

    assert [f"Lead {number}" for number in range(250)] == [lead["name"] for lead in leads]
    assert LEADS[7] == lead
    assert ["/api/v1/lead/"] * 3 + ["/api/v1/lead/lead_7/"] == [seen.path for seen in provider.seen]


def test_other_credentials_are_refused():
    provider = simulate("close:v0", clock=ManualClock(), objects={"me": {}})

    with connected({"extends_blueprint": "close:v0"}, provider) as nango:
        nango.update_connection_credentials("it", "ann", {"username": "another"})
        assert 401 == nango.client("it", "ann").get("me/").status_code


@pytest.mark.parametrize("name", PAGINATIONS)
def test_every_kind_of_pagination_is_walked_to_its_end(name):
    keys = blueprint(pagination=PAGINATIONS[name])
    provider = simulate(keys, clock=ManualClock(), lists={"things": ITEMS}, page_size=10)

    with connected(keys, provider) as nango:
        method = "POST" if PAGINATIONS[name].get("in_body") else "GET"
        assert ITEMS == list(nango.paginate("it", "ann", "things", method=method))
    assert 3 == len(provider.seen)


@settings(max_examples=40)
@given(name=st.sampled_from(sorted(PAGINATIONS)), count=st.integers(0, 45), size=st.integers(1, 12))
def test_lists_and_pages_of_any_size_are_walked_whole(name, count, size):
    keys = blueprint(pagination=PAGINATIONS[name])
    items = [{"id": number} for number in range(count)]
    provider = simulate(keys, clock=ManualClock(), lists={"things": items}, page_size=size)

    with connected(keys, provider) as nango:
        method = "POST" if PAGINATIONS[name].get("in_body") else "GET"
        assert items == list(nango.paginate("it", "ann", "things", method=method))


def test_the_lists_of_steps_are_paged_as_each_step_says():
    def step(path, name, **more):
        paginate = {"type": "link", "link_path_in_response_body": f"{name}.next"}
        return {
            "name": name,
            "request": {"path": path},
            "paginate": paginate,
            "output": {"items": f"{name}.all"},
            **more,
        }

    owners = step("owners", "owners")
    things = step("owners/${item.id}/things", "things", for_each="${steps.owners}")
    keys = blueprint(actions={"list-all": {"steps": [owners, things]}})
    lists = {"owners": ITEMS[:2], "owners/0/things": ITEMS, "owners/1/things": ITEMS[:3]}
    provider = simulate(keys, clock=ManualClock(), lists=lists, page_size=10)

    with connected(keys, provider) as nango:
        assert [ITEMS, ITEMS[:3]] == nango.trigger_action("it", "list-all", "ann")


def test_a_cursor_takes_the_place_of_a_header_that_asks_for_the_first_page():
    keys = blueprint(
        pagination=PAGINATIONS["cursor from header to header"],
        actions={"list-things": {"request": {"path": "things", "headers": {"range": "id .."}}, "paginate": True}},
    )
    provider = simulate(keys, clock=ManualClock(), lists={"things": ITEMS}, page_size=10)

    with connected(keys, provider) as nango:
        assert ITEMS == nango.trigger_action("it", "list-things", "ann")
        assert 400 == nango.client("it", "ann").get("things", headers={"Range": "id 7.."}).status_code
    assert "id .." == provider.seen[0].headers["range"]


def test_items_without_the_cursor_that_they_should_bear_are_refused():
    keys = blueprint(pagination={**PAGINATIONS["cursor that is the last of bare items"]})
    provider = simulate(keys, clock=ManualClock(), lists={"things": [{"name": "a"}, {"name": "b"}]}, page_size=1)

    with (
        connected(keys, provider) as nango,
        pytest.raises(UsageError, match="the items lack what cursor_path_in_response finds"),
    ):
        list(nango.paginate("it", "ann", "things"))


def test_a_cursor_that_was_never_given_out_is_refused():
    keys = blueprint(pagination=PAGINATIONS["cursor"])
    provider = simulate(keys, clock=ManualClock(), lists={"things": ITEMS})

    with connected(keys, provider) as nango:
        assert 400 == nango.client("it", "ann").get("things", params={"after": "10"}).status_code


def test_a_refusal_states_its_wait_in_the_declared_header():
    keys = blueprint(retry={"at": "X-Reset"})
    provider = simulate(keys, clock=ManualClock(), objects={"me": {}}, refusals=[1], retry_after=7)

    with connected(keys, provider) as nango:
        assert 200 == nango.client("it", "ann").get("me").status_code

    assert [7] == provider.clock.slept


@pytest.mark.parametrize(
    "retry", [{"after": "X-Wait"}, {"after": "X-Wait-Ms", "unit": "milliseconds"}, {"auto": "X-Reset"}]
)
def test_a_refusal_states_its_wait_in_the_declared_unit(retry):
    keys = blueprint(retry=retry)
    provider = simulate(keys, clock=ManualClock(), objects={"me": {}}, refusals=[1], retry_after=7)

    with connected(keys, provider) as nango:
        assert 200 == nango.client("it", "ann").get("me").status_code

    assert [7] == provider.clock.slept


def test_a_declared_limit_is_kept():
    keys = blueprint(rate_limit=[{"limit": 2, "per": 10}], retry={"after": "X-Wait"})
    provider = simulate(keys, clock=ManualClock(), objects={"me": {}})
    unlimited = blueprint(retry={"max_attempts": 1})

    with connected(unlimited, provider) as nango:
        client = nango.client("it", "ann")
        answers = [client.get("me") for _ in range(3)]
        assert [200, 200, 429] == [answer.status_code for answer in answers]
        assert "10" == answers[-1].headers["X-Wait"]
        provider.clock.advance(10)
        assert 200 == client.get("me").status_code


def test_a_limit_of_an_action_is_kept_for_its_path():
    action = {"request": {"path": "leads/${input.id}"}, "rate_limit": [{"limit": 1, "per": 10}]}
    keys = blueprint(actions={"get-lead": action})
    provider = simulate(keys, clock=ManualClock(), lists={"leads": ITEMS})

    with connected(blueprint(retry={"max_attempts": 1}), provider) as nango:
        client = nango.client("it", "ann")
        paths = ("leads/1", "leads/2", "leads", "leads")
        assert [200, 429, 200, 200] == [client.get(path).status_code for path in paths]


def test_an_access_token_ends_and_its_refresh_token_is_used_once():
    keys = blueprint(auth=TOKENS)
    provider = simulate(keys, clock=ManualClock(), objects={"me": {}})

    with connected(keys, provider) as nango:
        client = nango.client("it", "ann")
        for _ in range(3):
            assert 200 == client.get("me").status_code
            provider.clock.advance(3600)

    assert (2, []) == (provider.desk.granted, provider.desk.refused)
    assert 3 == len({seen.headers["authorization"] for seen in provider.seen})


def test_a_refresh_token_that_comes_twice_ends_its_family():
    keys = blueprint(auth=TOKENS)
    provider = simulate(keys, clock=ManualClock(), objects={"me": {}})

    with connected(keys, provider) as nango:
        provider.clock.advance(3600)
        assert 200 == nango.client("it", "ann").get("me").status_code
        nango.update_connection_credentials("it", "ann", provider.credentials)
        provider.clock.advance(7200)
        with pytest.raises(ReauthRequired):
            nango.client("it", "ann").get("me")

    assert ["invalid_grant: the refresh token was used before; all of its family ended"] == provider.desk.refused


def test_an_account_is_connected_by_a_code_with_its_verifier():
    keys = blueprint(auth=TOKENS)
    provider = simulate(keys, clock=ManualClock(), objects={"me": {"id": 1}})
    back = "https://app.example.com/callback"

    with connected(keys, provider) as nango:
        begun = nango.oauth.begin("it", "bob", redirect_uri=back)
        nango.oauth.finish(provider.desk.approve(begun.url), binding=begun.binding)
        assert {"id": 1} == nango.client("it", "bob").get("me").json()

        begun = nango.oauth.begin("it", "eve", redirect_uri=back)
        tampered = begun.url.replace("code_challenge=", "code_challenge=x")
        with pytest.raises(AuthenticationError):
            nango.oauth.finish(provider.desk.approve(tampered), binding=begun.binding)


def test_a_client_gets_its_own_token():
    keys = blueprint(auth={"auth_mode": "OAUTH2_CC", "token_url": "https://id.example.com/token"})
    provider = simulate(keys, clock=ManualClock(), objects={"me": {}})

    with connected(keys, provider) as nango:
        assert 200 == nango.client("it", "ann").get("me").status_code

    assert 1 == provider.desk.granted


def test_the_clients_proof_must_come_in_the_declared_way():
    keys = blueprint(auth={**TOKENS, "authorization_method": "header"})
    provider = simulate(keys, clock=ManualClock(), objects={"me": {}})

    with connected(blueprint(auth=TOKENS), provider) as nango:
        provider.clock.advance(3600)
        with pytest.raises(AuthenticationError):
            nango.client("it", "ann").get("me")

    assert ["invalid_client: the client's proof is wrong, twofold or missing"] == provider.desk.refused


def test_a_scope_that_was_not_granted_is_missed():
    keys = blueprint(auth=TOKENS)
    provider = simulate(
        keys, clock=ManualClock(), objects={"me": {}, "all": {}}, scopes=["read"],
        required_scopes={"me": "read", "all": "admin"},
    )  # fmt: skip

    with connected(keys, provider) as nango:
        client = nango.client("it", "ann")
        assert [200, 403] == [client.get(path).status_code for path in ("me", "all")]


def test_a_signature_is_checked():
    provider = simulate("twitter1:v0", clock=ManualClock(), objects={"2/users/me": {"data": {"id": "1"}}})
    keys = {"extends_blueprint": "twitter1:v0"}

    with connected(keys, provider) as nango:
        client = nango.client("it", "ann")
        good = client.get("2/users/me", params={"a b": "c&d"}).status_code
        nango.update_connection_credentials("it", "ann", {**provider.credentials, "oauth_token_secret": "other"})
        provider.clock.advance(10)

        assert [200, 401] == [good, client.get("2/users/me").status_code]


def test_what_nobody_can_check_is_said():
    keys = blueprint(auth={"auth_mode": "AWS_SIGV4", "service": "s3", "region": "us-east-1"})

    with pytest.raises(Exception, match="cannot check what auth_mode AWS_SIGV4 signs"):
        simulate(keys)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "error_in_success"])
def test_the_engine_survives_a_fault_in_the_middle_of_a_walk(fault):
    keys = blueprint(auth=TOKENS, pagination=PAGINATIONS["cursor"])
    provider = simulate(
        keys, clock=ManualClock(), lists={"things": ITEMS}, page_size=10,
        faults=Faults(at={2: fault}, slow_seconds=200),
    )  # fmt: skip

    with connected(keys, provider) as nango:
        provider.clock.advance(60)  # a younger token is not renewed, however it is refused
        assert ITEMS == list(nango.paginate("it", "ann", "things"))
    assert 4 == len(provider.seen)


def test_an_error_in_a_good_answer_is_seen_where_the_action_knows_its_sign():
    action = {"request": {"path": "me"}, "ok": {"path": "ok", "value": True, "message": "error"}}
    keys = blueprint(actions={"me": action})
    provider = simulate(keys, clock=ManualClock(), faults=Faults(at={1: "error_in_success"}))

    with connected(keys, provider) as nango, pytest.raises(ResponseError, match="internal_error"):
        nango.trigger_action("it", "me", "ann")


def test_seeded_faults_are_the_same_every_time():
    faults, again = (Faults(share=0.3, burst=3, seed=7) for _ in range(2))
    found = [faults.of(number) for number in range(1, 200)]

    assert found == [again.of(number) for number in range(1, 200)]
    assert found != [Faults(share=0.3, burst=3, seed=8).of(number) for number in range(1, 200)]
    assert {"reset", "unavailable", "truncated", "refused_without_headers", None} == set(found)


def test_a_walk_survives_a_provider_that_often_fails():
    keys = blueprint(pagination=PAGINATIONS["offset"], retry={"max_attempts": 10})
    provider = simulate(keys, clock=ManualClock(), lists={"things": ITEMS}, faults=Faults(share=0.4, seed=3))

    with connected(keys, provider) as nango:
        assert ITEMS == list(nango.paginate("it", "ann", "things"))
    assert len(provider.seen) > 3


@pytest.mark.parametrize("fault", ["reset", "truncated", "unavailable"])
def test_the_loopback_server_is_the_same_provider(fault):
    keys = blueprint(auth=TOKENS, pagination=PAGINATIONS["link header"])
    provider = simulate(
        keys, clock=ManualClock(), lists={"things": ITEMS}, page_size=10, faults=Faults(at={2: fault})
    )

    with provider.serve() as url:
        served = {**keys, **provider.keys_at(url), "auth": {**TOKENS, **provider.keys_at(url)["auth"]}}
        source = {"integrations": {"it": served}}
        with Nango.load(source, store="memory://", clock=provider.clock, environ={}) as nango:
            nango.register_connection("it", "ann", provider.credentials)
            found = list(nango.paginate("it", "ann", "things"))
            provider.clock.advance(60)
            provider.desk.expire()
            again = list(nango.paginate("it", "ann", "things", limit=1))

    assert (ITEMS, ITEMS[:1]) == (found, again)


def test_async_code_meets_the_same_provider():
    provider = simulate("close:v0", clock=ManualClock(), lists={"lead": LEADS}, refusals=[2])

    async def main():
        keys = {"extends_blueprint": "close:v0", **provider.keys}
        async with AsyncNango.load(
            {"integrations": {"it": keys}}, store="memory://", transport=provider.transport, clock=provider.clock,
            environ={},
        ) as nango:  # fmt: skip
            await nango.register_connection("it", "ann", provider.credentials)
            return [lead["id"] async for lead in nango.paginate("it", "ann", "lead/")]

    assert [lead["id"] for lead in LEADS] == anyio.run(main)
    assert [1] == provider.clock.slept


def test_what_goes_elsewhere_is_a_stray():
    provider = simulate("close:v0", clock=ManualClock())

    with connected({"extends_blueprint": "close:v0"}, provider) as nango:
        nango.client("it", "ann").get("https://api.close.com.example.com/api/v1/me/")

    assert ([], ["https://api.close.com.example.com/api/v1/me/"]) == (
        provider.seen,
        [stray.url for stray in provider.strays],
    )


def test_the_public_names_are_those_with_a_home():
    from nango_py import testing

    assert sorted(testing.__all__) == sorted(testing._HOMES)
    assert [] == [name for name in testing.__all__ if getattr(testing, name).__name__ != name]
