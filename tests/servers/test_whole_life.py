"""Create, read, update, list and delete, each as a declarative action, on servers that nobody here wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from nango_py import ActionError
from tests.servers.faces import BACKENDS, Face, face

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.servers.jupyterhub import JupyterHub
    from tests.servers.kinto import Kinto
    from tests.servers.localstripe import LocalStripe
    from tests.servers.redmine import Redmine

pytestmark = pytest.mark.server

GONE = [{"when": {"status": 404}, "name": "gone", "message": "Nothing is called ${input.id}."}]
ID = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
NAMED = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}, "required": ["name"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of things on a server: how it is declared, and who may work with it."""

    integration: Mapping[str, Any]
    credentials: Mapping[str, str]
    names: tuple[str, str]
    """The name of a thing, before and after it is updated."""
    takes_id: bool = True
    """Whether who creates a thing says what it is called."""


def actions(create: dict[str, Any], read: str, update: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    path = {"path": read}
    return {
        "create": {"input": NAMED, "request": {"method": "POST", **create}, "output": shape},
        "read": {"input": ID, "request": path, "output": shape, "on_error": GONE},
        "update": {"input": {**NAMED, "required": ["id", "name"]}, "request": {**path, **update}, "on_error": GONE},
        "delete": {"input": ID, "request": {"method": "DELETE", **path}, "on_error": GONE},
        # What an update answers differs: no body, a part, or the whole; what it did is read.
        "rename": {
            "input": {**NAMED, "required": ["id", "name"]},
            "steps": [
                {"name": "updated", "action": "update", "input": {"id": "${input.id}", "name": "${input.name}"}},
                {"name": "now", "action": "read", "input": {"id": "${input.id}"}},
            ],
        },
    }


def localstripe_kind(localstripe_to_write: LocalStripe) -> Kind:
    shape = {"map": {"id": "${item.id}", "name": "${item.name}"}}
    form = {"form": {"name": "${input.name}", "email": "ann@example.test"}}
    declared = actions(
        {"path": "customers", **form},
        "customers/${input.id}",
        {"method": "POST", "form": {"name": "${input.name}"}},
        shape,
    )
    return Kind(
        integration={
            "auth": {"auth_mode": "BASIC"},
            "credentials": {"password": {"default": ""}},
            "requests": {"base_url": f"{localstripe_to_write.url}/v1/"},
            "pagination": {
                "type": "cursor",
                "cursor_name_in_request": "starting_after",
                "cursor_path_in_response": "data[-1].id",
                "has_more_path_in_response": "has_more",
                "limit_name_in_request": "limit",
                "response_path": "data",
            },
            "actions": {**declared, "list": {"request": {"path": "customers"}, "paginate": True, "output": shape}},
        },
        credentials={"username": localstripe_to_write.key},
        names=("Ann & Bob = 100%", "Zoë <z@example.test>"),
        takes_id=False,
    )


def redmine_kind(redmine: Redmine) -> Kind:
    shape = {"value": "project", "map": {"id": "${item.identifier}", "name": "${item.name}"}}
    project = {"project": {"identifier": "${input.id}", "name": "${input.name}"}}
    declared = actions(
        {"path": "projects.json", "json": project},
        "projects/${input.id}.json",
        {"method": "PUT", "json": {"project": {"name": "${input.name}"}}},
        shape,
    )
    listed = {"map": shape["map"]}
    return Kind(
        integration={
            "auth": {"auth_mode": "API_KEY", "placement": "header", "name": "X-Redmine-API-Key"},
            "requests": {"base_url": f"{redmine.url}/"},
            "pagination": {
                "type": "offset",
                "offset_name_in_request": "offset",
                "limit_name_in_request": "limit",
                "response_path": "projects",
            },
            "actions": {
                **declared,
                "list": {"request": {"path": "projects.json"}, "paginate": True, "output": listed},
            },
        },
        credentials={"api_key": redmine.key},
        names=("First <name> & more", "Zweiter Name"),
    )


def kinto_kind(kinto: Kinto) -> Kind:
    records = f"buckets/{kinto.bucket}/collections/{kinto.collection}/records"
    shape = {"value": "data", "map": {"id": "${item.id}", "name": "${item.name}"}}
    data = {"data": {"id": "${input.id}", "name": "${input.name}"}}
    declared = actions(
        {"path": records, "json": data},
        records + "/${input.id}",
        {"method": "PATCH", "json": {"data": {"name": "${input.name}"}}},
        shape,
    )
    return Kind(
        integration={
            "auth": {"auth_mode": "BASIC"},
            "requests": {"base_url": f"{kinto.url}/v1/"},
            "pagination": {
                "type": "link",
                "link_header_in_response": "Next-Page",
                "limit_name_in_request": "_limit",
                "response_path": "data",
            },
            "actions": {
                **declared,
                "list": {"request": {"path": records}, "paginate": True, "output": {"map": shape["map"]}},
            },
        },
        credentials={"username": kinto.login, "password": kinto.password},
        names=("lead ${input.id}", "lead \N{SNOWMAN}"),
    )


def jupyterhub_kind(jupyterhub: JupyterHub) -> Kind:
    shape = {"map": {"id": "${item.name}", "name": "${item.properties.name}"}}
    write = {"method": "PUT", "path": "groups/${input.id}/properties", "json": {"name": "${input.name}"}}
    declared = actions({"path": "groups/${input.id}", "json": {}}, "groups/${input.id}", write, shape)
    # A group is made without properties: they are a request of their own.
    made = {"name": "made", "request": declared["create"]["request"]}
    create = {"input": NAMED, "steps": [made, {"name": "written", "request": write, "output": shape}]}
    return Kind(
        integration={
            "auth": {"auth_mode": "API_KEY"},
            "requests": {"base_url": f"{jupyterhub.api_url}/"},
            "pagination": {"type": "offset", "offset_name_in_request": "offset", "limit_name_in_request": "limit"},
            "actions": {
                **declared,
                "create": create,
                "list": {"request": {"path": "groups"}, "paginate": True, "output": shape},
            },
        },
        credentials={"api_key": jupyterhub.token},
        names=("Astronomers", "Stargazers \N{WHITE STAR}"),
    )


KINDS: dict[str, tuple[str, Callable[[Any], Kind]]] = {
    "localstripe": ("localstripe_to_write", localstripe_kind),
    "redmine": ("redmine", redmine_kind),
    "kinto": ("kinto", kinto_kind),
    "jupyterhub": ("jupyterhub", jupyterhub_kind),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", KINDS)
def test_a_thing_is_created_read_updated_listed_and_deleted(
    name: str, backend: str, request: pytest.FixtureRequest
) -> None:
    fixture, make = KINDS[name]
    kind = make(request.getfixturevalue(fixture))
    with face(backend, {"integrations": {"it": kind.integration}}) as nango:
        nango.call("register_connection", "it", "ann", kind.credentials)
        live(nango, kind)


def live(nango: Face, kind: Kind) -> None:
    def run(action: str, **given: str) -> Any:
        return nango.call("trigger_action", "it", action, "ann", given)

    before, after = kind.names
    given = {"id": f"made-{uuid4().hex[:12]}"} if kind.takes_id else {}
    made = run("create", **given, name=before)
    thing = {"id": made["id"]}
    assert {**thing, "name": before} == made == run("read", **thing)
    assert {**thing, "name": after} == run("rename", **thing, name=after)
    assert {**thing, "name": after} in nango.call("trigger_action", "it", "list", "ann", {"page_size": 3})
    run("delete", **thing)
    assert made["id"] not in {item["id"] for item in nango.collect("stream_action", "it", "list", "ann")}
    with pytest.raises(ActionError) as caught:
        run("update", **thing, name=before)
    assert ("gone", f"Nothing is called {made['id']}.") == (caught.value.name, str(caught.value).rpartition(": ")[2])


@pytest.mark.parametrize("backend", BACKENDS)
def test_many_records_are_made_and_swept_at_once(backend: str, kinto: Kinto) -> None:
    kind, collection = kinto_kind(kinto), f"sweep-{uuid4().hex[:8]}"
    records = f"buckets/{kinto.bucket}/collections/{collection}/records"
    write = {"method": "PUT", "path": records + "/record-${index}", "json": {"data": {"name": "${item}"}}}
    many = {
        "fill": {
            "input": {"type": "object", "properties": {"names": {"type": "array", "items": {"type": "string"}}}},
            "steps": [
                {
                    "name": "place",
                    "request": {"method": "PUT", "path": f"buckets/{kinto.bucket}/collections/{collection}"},
                },
                {"name": "made", "for_each": "${input.names}", "request": write, "output": {"value": "data.name"}},
            ],
        },
        "sweep": {
            "steps": [
                {"name": "all", "request": {"path": records}, "paginate": {"limit": 4}},
                {
                    "name": "gone",
                    "for_each": "${steps.all}",
                    "when": "${item.name != 'lead 3'}",
                    "request": {"method": "DELETE", "path": records + "/${item.id}"},
                    "output": {"value": "data.deleted"},
                },
                {"name": "left", "request": {"path": records}, "paginate": True},
            ]
        },
    }
    names = [f"lead {number}" for number in range(20)]
    with face(backend, {"integrations": {"it": {**kind.integration, "actions": many}}}) as nango:
        nango.call("register_connection", "it", "ann", kind.credentials)
        assert names == nango.call("trigger_action", "it", "fill", "ann", {"names": names})
        assert ["lead 3"] == [record["name"] for record in nango.call("trigger_action", "it", "sweep", "ann")]
