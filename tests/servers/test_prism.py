"""The ready-made actions of three providers against their OpenAPI files: Prism says what a valid request is, not we."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from nango_py import AuthenticationError, Nango, ResponseError
from nango_py.declare.catalogue import built_in_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.servers.prism import Prism

pytestmark = pytest.mark.server

PROVIDERS = ("asana", "github", "hubspot")
GRAPHQL = {("github", "list-discussions")}  # OpenAPI has no words for it


def declared(provider: str) -> Mapping[str, Any]:
    text = (built_in_folder() / f"{provider}.yaml").read_text(encoding="utf-8")
    actions: Mapping[str, Any] = yaml.safe_load(text)["versions"]["v0"]["actions"]
    return actions


def connected(prism: Prism, **differences: Any) -> Nango:
    integration = {
        "extends_blueprint": f"{prism.provider}:v0",
        "oauth_client_id": "i",
        "oauth_client_secret": "s",
        # GitHub's own media type is none of those that its file names.
        "requests": {"base_url": prism.base_url, "headers": {"Accept": "application/json"}},
        **differences,
    }
    nango = Nango.load({"integrations": {"it": integration}}, store="memory://", environ={})
    assert [] == [str(problem) for problem in nango.problems]
    nango.register_connection("it", "u", {"access_token": "t"})
    return nango


FAULTS = {
    "asana": (
        "create-task",
        {"request": {"json": {"data": {"due_on": "soon"}}}},
        "must have required property 'name'",
    ),
    "github": ("create-issue", {"request": {"json": {"name": "It breaks"}}}, "must have required property 'title'"),
    "hubspot": (
        "create-contact",
        {"request": {"json": {"email": "ann@example.com"}}},
        "must have required property 'properties'",
    ),
}
ACTIONS = [
    (provider, name) for provider in PROVIDERS for name in declared(provider) if (provider, name) not in GRAPHQL
]
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.mark.parametrize(("provider", "action"), ACTIONS)
def test_an_action_sends_a_valid_request_and_takes_the_documented_answer(
    provider: str, action: str, prism: Callable[[str], Prism]
) -> None:
    keys = declared(provider)[action]
    given = keys["example"].get("input", {})
    is_list = "paginate" in keys
    with connected(prism(provider)) as nango:
        # The example of a page may name a next one, at the provider's own address.
        output = nango.trigger_action("it", action, "u", {**given, "limit": 1} if is_list else given)

    assert len(output) == 1 if is_list else output is None or output


@every_provider
def test_a_seeded_fault_is_refused(provider: str, prism: Callable[[str], Prism]) -> None:
    action, fault, refusal = FAULTS[provider]
    given = declared(provider)[action]["example"]["input"]
    with connected(prism(provider), actions={action: fault}) as nango, pytest.raises(ResponseError) as caught:
        nango.trigger_action("it", action, "u", given)

    answer = caught.value.response
    assert 422 == answer.status_code
    assert refusal in answer.headers.get("sl-violations", answer.text)


@every_provider
def test_a_token_in_another_place_is_refused(provider: str, prism: Callable[[str], Prism]) -> None:
    action = FAULTS[provider][0]
    given = declared(provider)[action]["example"]["input"]
    server = prism(provider)
    elsewhere = {"base_url": server.base_url, "headers": {"Authorization": None, "X-Token": "${access_token}"}}
    with connected(server, requests=elsewhere) as nango, pytest.raises(AuthenticationError):
        nango.trigger_action("it", action, "u", given)
