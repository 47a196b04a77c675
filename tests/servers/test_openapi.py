"""A blueprint made of the description that a server publishes of itself works against that server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from nango_py import Nango
from nango_py.authoring.foreign import read_foreign
from nango_py.authoring.openapi.blueprint import Choice, from_openapi
from nango_py.authoring.openapi.spec import Spec

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.kinto import Kinto

pytestmark = pytest.mark.server


def test_kintos_own_description_makes_actions_that_kinto_answers(kinto: Kinto, tmp_path: Path) -> None:
    path = tmp_path / "kinto.json"
    path.write_text(httpx.get(f"{kinto.url}/v1/__api__").text, encoding="utf-8")
    # Kinto's description names no security scheme.
    made = from_openapi(
        Spec(read_foreign(path).data, "kinto.json"), "kinto", choice=Choice(), auth={"auth_mode": "BASIC"}
    )
    (tmp_path / "kinto.yaml").write_text(made.draft.text(), encoding="utf-8")

    assert 40 <= made.actions
    declared = {"integrations": {"kinto": {"extends_blueprint": "kinto:v0"}}}
    with Nango.load(declared, blueprints=[tmp_path], store="memory://", environ={}) as nango:
        nango.register_connection("kinto", "user-1", {"username": kinto.login, "password": kinto.password})
        place = {"bucket_id": kinto.bucket, "collection_id": kinto.collection}
        records = nango.trigger_action("kinto", "get-records", "user-1", {**place, "sort": ["name"]})
        put = {**place, "id": "made-up-1", "body": {"data": {"name": "lead 99"}}}
        assert "lead 99" == nango.trigger_action("kinto", "update-record", "user-1", put)["data"]["name"]
        assert (
            "made-up-1"
            == nango.trigger_action("kinto", "delete-record", "user-1", {**place, "id": "made-up-1"})["data"]["id"]
        )
    assert [*kinto.names] == [one["name"] for one in records["data"]]
