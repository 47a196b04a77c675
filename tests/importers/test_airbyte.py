"""A manifest of a low-code connector becomes a blueprint, and whatever does not come along is named."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nango_py import Nango
from nango_py.errors import UsageError
from nango_py.importers.airbyte.importer import import_manifest, manifest_draft
from nango_py.importers.airbyte.language import filled, look_up, sole
from nango_py.yaml_text import parse
from nango_py.yaml_writer import yaml_text

MANIFEST: dict[str, Any] = {
    "version": "4.3.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["boards"]},
    "definitions": {
        "base": {
            "type": "HttpRequester",
            "url_base": "https://{{ config['tenant'] }}.desk.example/api",
            "http_method": "GET",
            "authenticator": {
                "type": "ApiKeyAuthenticator",
                "header": "X-Key",
                "api_token": "{{ config['api_key'] }}",
            },
            "error_handler": {
                "type": "DefaultErrorHandler",
                "max_retries": 7,
                "backoff_strategies": [{"type": "WaitTimeFromHeader", "header": "X-Wait"}],
                "response_filters": [
                    {"type": "HttpResponseFilter", "action": "IGNORE", "http_codes": [410]},
                    {
                        "type": "HttpResponseFilter",
                        "action": "FAIL",
                        "predicate": "{{ response.error.code == 'gone' }}",
                        "error_message": "Gone: {{ response.error.text }}",
                    },
                ],
            },
        },
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"$ref": "#/definitions/base", "path": "{{ parameters.path }}"},
            "record_selector": {
                "extractor": {"type": "DpathExtractor", "field_path": ["data", "{{ parameters['name'] }}"]}
            },
            "paginator": {
                "type": "DefaultPaginator",
                "pagination_strategy": {"type": "PageIncrement", "page_size": 2, "start_from_page": 1},
                "page_token_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "page",
                },
                "page_size_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "size",
                },
            },
        },
        "boards": {
            "type": "DeclarativeStream",
            "primary_key": "id",
            "$parameters": {"name": "boards", "path": "/boards"},
            "retriever": "#/definitions/retriever",
            "schema_loader": {
                "type": "InlineSchemaLoader",
                "schema": {"type": "object", "properties": {"id": {"type": "integer", "minimum": 1}}},
            },
        },
        "cards": {
            "type": "DeclarativeStream",
            "$parameters": {"name": "cards", "path": "boards/{{ stream_partition.board }}/cards"},
            "retriever": {
                "$ref": "#/definitions/retriever",
                "partition_router": {
                    "type": "SubstreamPartitionRouter",
                    "parent_stream_configs": [
                        {"parent_key": "id", "partition_field": "board", "stream": {"$ref": "#/definitions/boards"}}
                    ],
                },
            },
        },
    },
    "streams": ["#/definitions/boards", {"$ref": "#/definitions/cards"}],
    "spec": {
        "type": "Spec",
        "documentation_url": "https://docs.example/integrations/sources/desk",
        "connection_specification": {
            "type": "object",
            "required": ["api_key", "tenant"],
            "properties": {
                "api_key": {
                    "type": "string",
                    "title": "Key",
                    "description": "In <b>settings</b>.",
                    "airbyte_secret": True,
                },
                "tenant": {"type": "string", "title": "Tenant"},
                "start_date": {"type": "string"},
            },
        },
    },
}


@pytest.fixture
def imported(tmp_path):
    """Return what imports a manifest: the report, and the version that was written."""

    def work(manifest=MANIFEST, **options):
        path = tmp_path / "source_desk" / "manifest.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml_text(manifest), encoding="utf-8")
        report = import_manifest(path, tmp_path / "blueprints", **options)
        (entry,) = report.entries
        written = tmp_path / "blueprints" / f"{entry.name}.yaml"
        version = parse(written.read_text("utf-8"), "").data["versions"]["v0"] if entry.blueprint else None
        written.unlink(missing_ok=True)
        return {found.key: found for found in entry.findings}, version

    return work


def one_stream(**requester: Any) -> dict[str, Any]:
    """Return a manifest of one stream; keys that do not belong to the requester go to the retriever."""
    inner = {"type": "HttpRequester", "url_base": "https://desk.example", "path": "things"}
    retriever: dict[str, Any] = {
        "type": "SimpleRetriever",
        "requester": inner,
        "record_selector": {"extractor": {"field_path": ["items"]}},
    }
    for name, value in requester.items():
        (retriever if name in {"paginator", "record_selector", "partition_router"} else inner)[name] = value
    stream = {"type": "DeclarativeStream", "name": "things", "retriever": retriever}
    return {"type": "DeclarativeSource", "streams": [stream]}


def test_a_stream_lists_its_records_and_a_child_those_of_every_parent(tmp_path):
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml_text(MANIFEST), encoding="utf-8")
    import_manifest(path, tmp_path / "blueprints")
    seen = []

    def provider(request):
        seen.append(request)
        if request.url.path.endswith("cards"):
            board = request.url.path.split("/")[-2]
            return httpx.Response(200, json={"data": {"cards": [{"id": f"{board}-1"}]}})
        page = request.url.params.get("page")
        return httpx.Response(200, json={"data": {"boards": [{"id": 1}, {"id": 2}] if page == "1" else [{"id": 3}]}})

    declared = {"integrations": {"desk": {"extends_blueprint": "desk:v0"}}}
    with Nango.load(
        declared,
        blueprints=[tmp_path / "blueprints"],
        store="memory://",
        transport=httpx.MockTransport(provider),
        environ={},
    ) as nango:
        assert () == nango.problems
        nango.register_connection("desk", "user-1", {"api_key": "k"}, {"tenant": "acme"})
        assert [{"id": 1}, {"id": 2}, {"id": 3}] == nango.trigger_action("desk", "list-boards", "user-1")
        assert [{"id": "7-1"}] == nango.trigger_action("desk", "list-cards", "user-1", {"board": 7})
        assert [{"id": "1-1"}, {"id": "2-1"}, {"id": "3-1"}] == nango.trigger_action(
            "desk", "list-all-cards", "user-1"
        )
        assert nango.check_connection("desk", "user-1").ok
    assert "https://acme.desk.example/api/boards?size=2&page=1" == str(seen[0].url)
    assert "k" == seen[0].headers["X-Key"]


def test_fields_policies_and_verification_come_along(imported):
    found, version = imported()

    assert {"api_key": {"title": "Key", "description": "In settings."}} == version["credentials"]
    assert {"tenant": {"title": "Tenant", "format": "domain-label"}} == version["connection_config"]
    assert {
        "max_attempts": 8,
        "after": "X-Wait",
        "reactions": [
            {"status": ["410"], "reaction": "ignore"},
            {"path": "error.code", "value": "gone", "reaction": "fail", "message": "Gone: ${body.error.text}"},
        ],
    } == version["retry"]
    assert {"method": "GET", "path": "boards"} == version["verification"]
    assert {"type": "object", "properties": {"id": {"type": "integer"}}} == version["actions"]["list-boards"][
        "output"
    ]["schema"]
    key = "spec.connection_specification.properties.start_date"
    assert ("not_needed", "nothing that came along uses it") == (found[key].outcome, found[key].reason)


@pytest.mark.parametrize(
    ("authenticator", "expected"),
    [
        ({"type": "NoAuth"}, {"auth": {"auth_mode": "NONE"}}),
        ({"type": "BearerAuthenticator", "api_token": "{{ config['t'] }}"}, {"auth": {"auth_mode": "API_KEY"}}),
        (
            {"type": "ApiKeyAuthenticator", "header": "Authorization", "api_token": "Token {{ config.get('t') }}"},
            {"auth": {"auth_mode": "API_KEY", "value": "Token ${api_key}"}},
        ),
        (
            {
                "type": "ApiKeyAuthenticator",
                "api_token": "{{ config['t'] }}",
                "inject_into": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "key"},
            },
            {"auth": {"auth_mode": "API_KEY", "placement": "query", "name": "key"}},
        ),
        (
            {"type": "BasicHttpAuthenticator", "username": "{{ config.t }}", "password": "x"},
            {"auth": {"auth_mode": "BASIC"}, "credentials": {"password": {"default": "x"}}},
        ),
        (
            {
                "type": "OAuthAuthenticator",
                "token_refresh_endpoint": "https://desk.example/token",
                "client_id": "{{ config['client_id'] }}",
                "client_secret": "{{ config['client_secret'] }}",
                "refresh_token": "{{ config['refresh_token'] }}",
                "scopes": ["read"],
                "expires_in_name": "lifetime",
                "refresh_request_body": {"audience": "{{ config['area'] }}"},
                "refresh_token_updater": {"refresh_token_error_values": ["invalid_grant", "expired"]},
            },
            {
                "auth": {
                    "auth_mode": "OAUTH2",
                    "token_url": "https://desk.example/token",
                    "token_response": {"token_expiration": "lifetime"},
                    "default_scopes": ["read"],
                    "refresh_params": {"audience": "${connection_config.area}"},
                    "reauth_errors": ["expired"],
                },
                "connection_config": {"area": {"title": "Area"}},
            },
        ),
        (
            {
                "type": "OAuthAuthenticator",
                "grant_type": "client_credentials",
                "token_refresh_endpoint": "https://desk.example/token",
                "client_id": "{{ config['client_id'] }}",
                "client_secret": "{{ config['client_secret'] }}",
            },
            {"auth": {"auth_mode": "OAUTH2_CC", "token_url": "https://desk.example/token"}},
        ),
        (
            {
                "type": "SessionTokenAuthenticator",
                "login_requester": {
                    "type": "HttpRequester",
                    "url_base": "https://desk.example/",
                    "path": "/login",
                    "http_method": "POST",
                    "request_body_json": {"user": "{{ config['user'] }}"},
                },
                "session_token_path": ["session", "id"],
                "expiration_duration": "PT1H",
                "request_authentication": {
                    "type": "ApiKey",
                    "inject_into": {"inject_into": "header", "field_name": "X-Session"},
                },
            },
            {
                "auth": {
                    "auth_mode": "TWO_STEP",
                    "token_url": "https://desk.example/login",
                    "token_params": {"user": "${connection_config.user}"},
                    "body_format": "json",
                    "token_response": {"token": "session.id"},
                    "default_token_lifetime": 3600,
                    "placement": "none",
                },
                "connection_config": {"user": {"title": "User"}},
            },
        ),
    ],
)
def test_an_authenticator_becomes_an_auth_mode(imported, authenticator, expected):
    _, version = imported(one_stream(authenticator=authenticator))

    assert expected == {key: version[key] for key in ("auth", "credentials", "connection_config") if key in version}


def test_of_several_authenticators_the_first_with_a_counterpart_is_taken(imported):
    selective = {
        "type": "SelectiveAuthenticator",
        "authenticator_selection_path": ["how"],
        "authenticators": {
            "odd": {"type": "CustomAuthenticator", "class_name": "x.Y"},
            "key": {"type": "BearerAuthenticator", "api_token": "{{ config['t'] }}"},
        },
    }
    found, version = imported(one_stream(authenticator=selective))

    assert {"auth_mode": "API_KEY"} == version["auth"]
    reason = "accounts choose how they sign, and a blueprint signs one way: BearerAuthenticator"
    assert reason == found["streams.0.retriever.requester.authenticator.authenticators.odd"].reason


def test_where_access_is_granted_comes_along(imported):
    manifest = one_stream(
        authenticator={"type": "OAuthAuthenticator", "token_refresh_endpoint": "https://desk.example/refresh"}
    )
    consent = {
        "consent_url": "https://desk.example/authorize?{{ client_id_param }}",
        "access_token_url": "https://desk.example/token",
        "scopes": [{"scope": "read"}],
    }
    specification = {"oauth_connector_input_specification": consent}
    manifest["spec"] = {"type": "Spec", "advanced_auth": {"oauth_config_specification": specification}}

    assert {
        "auth_mode": "OAUTH2",
        "token_url": "https://desk.example/token",
        "authorization_url": "https://desk.example/authorize",
        "default_scopes": ["read"],
    } == imported(manifest)[1]["auth"]


def paginator(strategy, **more):
    token = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "at"}
    return {"type": "DefaultPaginator", "pagination_strategy": strategy, "page_token_option": token, **more}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            paginator({"type": "CursorPagination", "cursor_value": "{{ response.meta.next }}", "stop_condition": "{{ not response.meta.more }}"}),
            {"type": "cursor", "cursor_name_in_request": "at", "cursor_path_in_response": "meta.next", "has_more_path_in_response": "meta.more"},
        ),
        (
            paginator({"type": "CursorPagination", "cursor_value": "{{ last_record['id'] }}", "stop_condition": "{{ response['more'] is false }}"}),
            {"type": "cursor", "cursor_name_in_request": "at", "cursor_path_in_response": "items[-1].id", "has_more_path_in_response": "more"},
        ),
        (
            paginator({"type": "CursorPagination", "cursor_value": "{{ headers['X-Next'] }}"}),
            {"type": "cursor", "cursor_name_in_request": "at", "cursor_header_in_response": "X-Next"},
        ),
        (
            paginator(
                {"type": "CursorPagination", "cursor_value": "{{ headers['link']['next']['url'] }}", "stop_condition": "{{ 'next' not in headers['link'] }}"},
                page_token_option={"type": "RequestPath"},
            ),
            {"type": "link", "link_rel_in_response_header": "next"},
        ),
        (
            paginator({"type": "CursorPagination", "cursor_value": "{{ response['@odata.nextLink'] }}"}, page_token_option={"type": "RequestPath"}),
            {"type": "link", "link_path_in_response_body": '"@odata.nextLink"'},
        ),
        (
            paginator(
                {"type": "OffsetIncrement", "page_size": "50"},
                page_size_option={"inject_into": "request_parameter", "field_name": "size"},
            ),
            {"type": "offset", "offset_name_in_request": "at", "limit_name_in_request": "size", "limit": 50},
        ),
        (
            paginator({"type": "PageIncrement", "page_size": 10}),
            {"type": "page", "page_name_in_request": "at", "page_start_value": 0},
        ),
        (
            paginator({"type": "PageIncrement", "start_from_page": 1}, page_token_option={"inject_into": "body_json", "field_name": "p"}),
            {"type": "page", "page_name_in_request": "p", "in_body": True},
        ),
        (
            paginator(
                {"type": "CursorPagination", "cursor_value": "{{ headers['Next-Range'] }}", "page_size": 9},
                page_token_option={"inject_into": "header", "field_name": "Range"},
                page_size_option={"inject_into": "header", "field_name": "X-Size"},
            ),
            {
                "type": "cursor", "cursor_name_in_request": "Range", "cursor_header_in_response": "Next-Range",
                "in_header": True, "limit_name_in_request": "X-Size", "limit": 9,
            },
        ),
    ],
)  # fmt: skip
def test_a_paginator_becomes_pagination(imported, written, expected):
    found, version = imported(one_stream(paginator=written))

    assert expected == version["pagination"]
    assert (True, {"items": "items"}) == (
        version["actions"]["list-things"]["paginate"],
        version["actions"]["list-things"]["output"],
    )
    assert [] == [key for key, finding in found.items() if finding.outcome == "lost"]


@pytest.mark.parametrize(
    ("requester", "key", "reason"),
    [
        ({"authenticator": {"type": "JwtAuthenticator", "algorithm": "HS256"}}, "retriever.requester.authenticator", "JwtAuthenticator has no counterpart"),
        ({"paginator": paginator({"type": "CustomPaginationStrategy"})}, "retriever.paginator", "only the first page is fetched: CustomPaginationStrategy has no counterpart"),
        ({"paginator": paginator({"type": "CursorPagination", "cursor_value": "{{ response.a + 1 }}"})}, "retriever.paginator", "its cursor is computed"),
        ({"request_parameters": {"since": "{{ now_utc() }}"}}, "retriever.requester.request_parameters.since", "it is computed: now_utc()"),
        ({"url_base": "{% set x = 1 %}https://x"}, "", "no action: it is computed by statements"),
        ({"partition_router": {"type": "CustomPartitionRouter"}}, "", "no action: its partitions are made by CustomPartitionRouter"),
        ({"error_handler": {"type": "CustomErrorHandler"}}, "retriever.requester.error_handler", "CustomErrorHandler has no counterpart"),
        ({"record_selector": {"extractor": {"type": "CustomRecordExtractor"}}}, "retriever.record_selector.extractor", "the whole answer comes along"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_named_with_the_reason(imported, requester, key, reason):
    found, _ = imported(one_stream(**requester))

    finding = found[".".join(filter(None, ("streams.0", key)))]
    assert "lost" == finding.outcome
    assert reason in finding.reason


def test_what_no_rule_reads_of_a_field_or_a_schema_is_named(imported):
    manifest = copy.deepcopy(MANIFEST)
    specification = manifest["spec"]["connection_specification"]
    specification["properties"]["tenant"] |= {"pattern": "^[a-z]+$", "order": 1}
    specification["properties"]["odd"] = True
    specification["dependentRequired"] = {}
    found, _ = imported(manifest)

    at = "spec.connection_specification.properties"
    assert {
        f"{at}.tenant.pattern": "lost",
        f"{at}.tenant.order": "not_needed",
        f"{at}.odd": "lost",
        f"{at}.dependentRequired": "lost",
        "streams.0.schema_loader.schema": "changed",
    } == {
        key: one.outcome
        for key, one in found.items()
        if key.startswith((f"{at}.tenant", f"{at}.odd", f"{at}.dep", "streams.0.schema_loader"))
    }


def test_braces_that_are_left_as_text_are_named(imported):
    router = {"type": "ListPartitionRouter", "values": ["a", "{{ config['b'] }}"], "cursor_field": "kind"}
    handler = {"backoff_strategies": [{"type": "WaitTimeFromHeader", "header": "{% if x %}"}]}
    found, _ = imported(one_stream(partition_router=router, error_handler=handler))

    places = {"/actions/list-things/input/properties/kind/enum/1", "/retry/after"}
    assert places == {key for key, one in found.items() if "interpolation" in one.reason}


def test_braces_that_never_close_take_no_time():
    open_braces = "{{" * 100_000

    assert open_braces == filled(open_braces, {}, lambda found: found.root)
    assert sole(open_braces) is None
    assert look_up("a.get('b'" + " " * 100_000 + "c") is None


def test_callers_choose_among_listed_values_and_from_when(imported):
    option = {"inject_into": "request_parameter", "field_name": "kind"}
    manifest = one_stream(
        partition_router={
            "type": "ListPartitionRouter",
            "cursor_field": "k",
            "values": ["a", "b"],
            "request_option": option,
        },
        path="by/{{ stream_slice['k'] }}",
    )
    manifest["streams"][0]["incremental_sync"] = {
        "type": "DatetimeBasedCursor",
        "cursor_field": "at",
        "start_time_option": {"inject_into": "request_parameter", "field_name": "since"},
    }
    found, version = imported(manifest)
    action = version["actions"]["list-things"]

    assert {"k": {"type": "string", "enum": ["a", "b"]}, "since": {"type": ["string", "integer"]}} == action["input"][
        "properties"
    ]
    assert ["k"] == action["input"]["required"]
    assert {
        "method": "GET",
        "path": "by/${input.k}",
        "params": {"kind": "${input.k}", "since": "${input.since}"},
    } == action["request"]
    assert "changed" == found["streams.0.incremental_sync.start_time_option"].outcome
    assert "lost" == found["streams.0.incremental_sync"].outcome


def test_whole_urls_have_their_beginning_in_common(imported):
    manifest = one_stream(url_base=None, path=None, url="https://desk.example/api/v1/things")
    other = copy.deepcopy(manifest["streams"][0])
    other["name"] = "others"
    other["retriever"]["requester"]["url"] = "https://desk.example/api/v2/others/{{ config['area'] }}"
    elsewhere = copy.deepcopy(other)
    elsewhere["retriever"]["requester"]["url"] = "https://elsewhere.example/x"
    manifest["streams"] += [other, elsewhere]
    found, version = imported(manifest)

    assert "https://desk.example/api/" == version["requests"]["base_url"]
    assert ["v1/things", "v2/others/${connection_config.area}"] == [
        action["request"]["path"] for action in version["actions"].values()
    ]
    assert "no action: it has another host than most" == found["streams.2"].reason


def test_an_answer_that_is_ignored_holds_no_records(tmp_path):
    manifest = one_stream(
        paginator=paginator({"type": "PageIncrement", "start_from_page": 1}),
        record_selector={"extractor": {"field_path": []}},
        error_handler={"response_filters": [{"action": "IGNORE", "http_codes": [403]}]},
    )
    (tmp_path / "manifest.yaml").write_text(yaml_text(manifest), "utf-8")
    import_manifest(tmp_path / "manifest.yaml", tmp_path / "blueprints", name="desk")
    answers = [httpx.Response(200, json=[{"id": 1}]), httpx.Response(403, json={"error": "not yours"})]
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    declared = {"integrations": {"desk": {"extends_blueprint": "desk:v0"}}}
    with Nango.load(
        declared, blueprints=[tmp_path / "blueprints"], store="memory://", transport=transport, environ={}
    ) as nango:
        nango.register_connection("desk", "user-1", {})
        assert [{"id": 1}] == nango.trigger_action("desk", "list-things", "user-1")


def test_a_request_that_repeats_the_key_names_it_as_the_auth_mode_does(imported):
    key = "{{ config['token'] }}"
    manifest = one_stream(
        authenticator={"type": "BearerAuthenticator", "api_token": key}, request_parameters={"key": key}
    )
    _, version = imported(manifest)

    assert {"key": "${api_key}"} == version["actions"]["list-things"]["request"]["params"]
    assert "credentials" not in version


def test_budgets_and_waits_become_limits_and_policies(imported):
    manifest = one_stream(
        error_handler={
            "type": "CompositeErrorHandler",
            "error_handlers": [
                {"backoff_strategies": [{"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 30}]},
                {
                    "response_filters": [
                        {"action": "RATE_LIMITED", "http_codes": [403], "error_message_contains": "quota"}
                    ]
                },
                {"response_filters": [{"action": "RETRY", "predicate": "{{ 'busy' in response }}"}]},
            ],
        }
    )
    manifest["api_budget"] = {
        "type": "HTTPAPIBudget",
        "policies": [
            {"type": "MovingWindowCallRatePolicy", "rates": [{"limit": 10, "interval": "PT1M"}], "matchers": []},
            {
                "type": "FixedWindowCallRatePolicy",
                "period": "P1D",
                "call_limit": 1000,
                "matchers": [{"method": "GET"}],
            },
        ],
    }
    found, version = imported(manifest)

    assert {"base": 30, "cap": 30, "reactions": [{"path": "busy", "reaction": "retry"}]} == version["retry"]
    assert [{"limit": 10, "per": 60}, {"limit": 1000, "per": 86400}] == version["rate_limit"]
    assert "changed" == found["api_budget.policies.1.matchers.0"].outcome
    handler = "streams.0.retriever.requester.error_handler.error_handlers.1.response_filters.0"
    assert "nothing that is left says which answers it is about" == found[handler].reason


def mappings(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if isinstance(node, dict) else []
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, below in members:
        found += mappings(below, (*path, name))
    return found


DATA = {"properties", "$parameters", "schema", "authenticators", "stream"}
"""Mappings whose keys are anybody's, and the copy of a stream that only names it."""


@pytest.mark.parametrize(
    "place",
    [place for place in mappings(MANIFEST) if not DATA & {*place} and place != ("spec", "connection_specification")],
    ids=lambda place: ".".join(map(str, place)) or "manifest",
)
def test_a_key_that_nobody_knows_is_reported_wherever_it_stands(imported, place):
    manifest = copy.deepcopy(MANIFEST)
    node = manifest
    for part in place:
        node = node[part]
    node["made_up_key"] = {"it": 1}
    found, _ = imported(manifest)

    assert any("made_up_key" in key for key in found)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"streams": [{"$ref": "#/definitions/a"}], "definitions": {}}, "#/definitions/a leads nowhere"),
        ({"streams": ["#/definitions/a"], "definitions": {"a": {"$ref": "#/definitions/a"}}}, "refers to itself"),
        ({"paths": {}}, "no manifest of a declarative source"),
        (
            {"streams": ["#/definitions/a9"], "definitions": {"a0": {}, **{f"a{n + 1}": [f"#/definitions/a{n}"] * 8 for n in range(9)}}},
            "make more of it than can be read",
        ),
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_wrong_use(imported, manifest, message):
    with pytest.raises(UsageError, match=message):
        imported(manifest)


def test_a_blueprint_that_is_there_stays(tmp_path, imported):
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "mine.yaml").write_text("mine", "utf-8")

    with pytest.raises(UsageError, match="exists already"):
        imported(name="mine")


JUNK = st.sampled_from(
    [None, 7, "", "{{ x }}", "{% x %}", "#/definitions", "${input.x}", [], [1], {}, {"type": "Odd"}, True]
)


@settings(max_examples=60)
@given(st.data())
def test_a_manifest_with_junk_in_it_is_imported_or_refused_in_words(data):
    manifest = copy.deepcopy(MANIFEST)
    for _ in range(data.draw(st.integers(1, 3))):
        node: Any = manifest
        *above, last = data.draw(st.sampled_from([path for path in every(manifest) if path]))
        for part in above:
            node = node[part]
        node[last] = copy.deepcopy(data.draw(JUNK))
    entry, refusal = None, "manifest.yaml"
    try:
        _, entry = manifest_draft(manifest, "manifest.yaml", "desk")
    except UsageError as error:
        refusal = str(error)
    assert "manifest.yaml" in refusal
    assert entry is None or entry.ok or entry.problem


def every(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(inner for name, below in members for inner in every(below, (*path, name)))]
