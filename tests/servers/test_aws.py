"""Moto, which computes every signature anew: keys, roles, objects with odd names, several services, wrong secrets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from nango_py.testing import ManualClock
from tests.servers.accounts import USER, Accounts, accounts, declared
from tests.servers.faces import BACKENDS

if TYPE_CHECKING:
    from tests.servers.moto import Moto

pytestmark = pytest.mark.server

FORM = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}


def signing(server: Moto, service: str = "s3", **auth: Any) -> dict[str, Any]:
    keys = {"auth_mode": "AWS_SIGV4", "service": service, "region": "${connection_config.region}", **auth}
    return declared(
        keys,
        f"{server.url}/",
        connection_config={"region": {"pattern": "^[a-z0-9-]+$"}},
        retry={"max_attempts": 1},
    )


def assuming(server: Moto) -> dict[str, Any]:
    return signing(server, role_arn=server.role_arn, sts_url=server.url)


def register(ours: Accounts, server: Moto, secret: str | None = None) -> None:
    keys = {"access_key_id": server.access_key, "secret_access_key": secret or server.secret_key}
    ours.nango.call("register_connection", "it", USER, keys, connection_config={"region": server.region})


def opened(backend: str, document: dict[str, Any]) -> Any:
    return accounts(backend, document, authorize=str, callback="", clock=ManualClock(time.time()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_objects_are_read_whatever_their_names(backend: str, moto: Moto) -> None:
    with opened(backend, signing(moto)) as ours:
        register(ours, moto)
        texts = [ours.get(f"{moto.bucket}/{quote(key)}").text for key in moto.keys]
        listed = ours.get(f"{moto.bucket}?list-type=2&prefix=odd/a b%2Bc&max-keys=5")

        assert list(moto.keys) == texts
        assert (200, True) == (listed.status_code, "odd/a b+c=d.txt" in listed.text)


@pytest.mark.parametrize("body", [b"hello", b"", iter([b"hel", b"lo"])], ids=["bytes", "nothing", "a stream"])
def test_objects_are_written(moto: Moto, body: Any) -> None:
    with opened("sync", signing(moto)) as ours:
        register(ours, moto)
        answer = ours.nango.send("it", USER, "PUT", f"{moto.bucket}/new.txt", content=body)

        assert 200 == answer.status_code


def test_other_services_take_their_signatures(moto: Moto) -> None:
    with opened("sync", signing(moto, "dynamodb")) as ours:
        register(ours, moto)
        answer = ours.nango.send("it", USER, "POST", "", content=b"{}", headers=FORM)

        assert {"TableNames": []} == answer.json()


def test_a_wrong_secret_is_refused(moto: Moto) -> None:
    with opened("sync", signing(moto)) as ours:
        register(ours, moto, "wrong")

        assert 403 == ours.get(f"{moto.bucket}/{quote(moto.keys[0])}").status_code


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_role_is_assumed_and_its_rights_are_what_count(backend: str, moto: Moto) -> None:
    with opened(backend, assuming(moto)) as ours:
        register(ours, moto)

        assert moto.keys[0] == ours.get(f"{moto.bucket}/{quote(moto.keys[0])}").text
        assert 403 == ours.nango.send("it", USER, "PUT", f"{moto.bucket}/x", content=b"x").status_code
        assert ["on_renewed"] == ours.told


def test_a_role_s_key_is_renewed_before_it_ends(moto: Moto) -> None:
    with opened("sync", assuming(moto)) as ours:
        register(ours, moto)
        ours.get(moto.bucket)
        first = ours.held("temporary_access_key_id")
        ours.clock.advance(3600 - 299)
        ours.get(moto.bucket)

        assert first != ours.held("temporary_access_key_id")
        assert 2 == len(ours.told)
