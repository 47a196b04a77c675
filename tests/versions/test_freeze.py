"""A released version may gain actions; what users build on stands still."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nango_py.versions.content import canonical, find
from nango_py.versions.freeze import broken, freeze, frozen_text
from nango_py.yaml_text import parse
from tests.versions.test_diff import BASE, GONE, edited

RELEASED = freeze(canonical(BASE))


def changed(path: str, value: Any) -> list[str]:
    return list(broken(RELEASED, canonical(edited(path, value))))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("actions/new", {"request": {"path": "new"}}),
        ("retry/max_attempts", 9),
        ("pagination", GONE),
        ("verification/path", "you"),
        ("actions/find/description", "Find."),
        ("actions/find/example", {"output": []}),
        ("actions/find/input/properties/query/description", "Which."),
        ("connection_config/region/title", "Region"),
        ("comment", "Reads better."),
    ],
)
def test_what_may_change(path, value):
    assert [] == changed(path, value)


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        ("auth/token_url", "https://acme.example/v2/token", "auth"),
        ("auth", GONE, "auth"),
        ("credentials", {"key": {}}, "credentials"),
        ("connection_config/region/default", "us", "connection_config"),
        ("requests/headers/Accept", "text/html", "requests"),
        ("actions/get", GONE, "actions.get"),
        ("actions/find/request/path", "search", "actions.find"),
        ("actions/find/input/properties/page", {"type": "integer"}, "actions.find"),
        ("actions/find/output/schema/properties/id/type", "integer", "actions.find"),
    ],
)
def test_what_may_not_change(path, value, part):
    assert [part] == changed(path, value)


def test_a_property_that_is_called_description_is_none_of_the_words():
    data = copy.deepcopy(BASE)
    data["actions"]["find"]["input"]["properties"]["description"] = {"type": "string"}
    before = freeze(canonical(data))
    data["actions"]["find"]["input"]["properties"]["description"] = {"type": "integer"}

    assert ["actions.find"] == list(broken(before, canonical(data)))


def test_a_freeze_file_is_read_as_it_was_written():
    frozen = {key: freeze(find(key).data) for key in ("close:v0", "zoho-crm:v0", "google-mail:v0")}

    assert frozen == parse(frozen_text(frozen), "frozen.yaml").data
    assert {} == parse(frozen_text({}), "frozen.yaml").data
