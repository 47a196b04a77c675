"""``explain`` shows each thing that a request is made of, and who set it."""

from __future__ import annotations

import textwrap

import pytest

from nango_py import Nango
from nango_py.exchange.explained import explain_request

DECLARED = """\
integrations:
  birds:
    auth: {auth_mode: NONE}
    requests: {base_url: "https://birds.test/"}
    retry: {idempotency_key: Idempotency-Key}
    pagination: {type: page, page_name_in_request: page, limit_name_in_request: size, limit: 50, response_path: items}
    actions:
      list:
        request: {path: birds}
        paginate: true
      search:
        request: {method: POST, path: birds, json: {}}
        paginate: {limit: 10}
      send:
        input: {type: object, properties: {file: {type: string, format: binary}}}
        request:
          method: POST
          path: files
          multipart: {note: hello, file: {file: "${input.file}", filename: a.txt}}
        idempotency_key: "${uuid()}"
        requires_scopes: [files.write]
        retry: {max_attempts: 9}
        timeouts: {read: 300}
        rate_limit: [{limit: 1, per: 60}]
      ask:
        request: {path: graphql, graphql: {query: "{ a }", variables: {id: "${metadata.id}"}}}
"""


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "integrations.yaml").write_text(textwrap.dedent(DECLARED))

    def of(action):
        with Nango.load(tmp_path / "integrations.yaml", store="memory://", environ={}) as nango:
            assert () == nango.problems
            found = explain_request(nango._core.integration("birds"), action, None)
        return {what: (value, where.rpartition("integrations.yaml:")[2]) for what, value, where in found}

    return of


def test_pagination_shows_what_the_first_page_asks_for(rows):
    shown = rows("list")
    assert {"pagination": "page", "page param page": "1", "page param size": "50"} == {
        name: value for name, (value, _) in shown.items() if name.startswith("pag")
    }
    assert ("page", "6:24") == shown["pagination"]


def test_pagination_of_an_action_shows_its_own_place(rows):
    shown = rows("search")
    assert ("10", "13:27") == shown["page json size"]


def test_parts_of_a_body_are_shown(rows):
    shown = rows("send")
    assert ("hello", "19:29") == shown["part note"]
    assert ("<input.file>", "19:49") == shown["part file file"]
    assert ("a.txt", "19:76") == shown["part file filename"]


def test_what_an_action_does_otherwise_is_shown(rows):
    shown = rows("send")
    assert ("<uuid()>", "20:26") == shown["header Idempotency-Key"]
    assert ("files.write", "21:27") == shown["requires_scopes.0"]
    assert ("9", "22:31") == shown["retry.max_attempts"]
    assert ("300", "23:26") == shown["timeouts.read"]
    assert ("60", "24:38") == shown["rate_limit.0.per"]


def test_graphql_is_shown(rows):
    shown = rows("ask")
    assert "POST" == shown["method"][0]
    assert ("{ a }", "<metadata.id>") == (shown["graphql query"][0], shown["graphql variable id"][0])
