"""Moto: what is signed when requests are odd or sent again, and what becomes of a key that assumes a role."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from nango_py.errors import AuthenticationError, ReauthRequired
from tests.servers.accounts import USER, Accounts, accounts, declared
from tests.servers.faces import BACKENDS
from tests.servers.lossy import Lossy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.moto import Moto

pytestmark = pytest.mark.server

ODD = (
    "sp ace/plus+per%cent.txt",
    "semi;colon=&amp?mark#hash",
    "uml\u00e4ut/\u2603",
    "dots/../..x",
    "a//b",
    "~tilde!*'()",
)


@contextmanager
def opened(
    backend: str, server: Moto, *, keys: dict[str, str] | None = None, attempts: int = 1, **auth: Any
) -> Iterator[Accounts]:
    options = {"transport": auth.pop("transport")} if "transport" in auth else {}
    mode = {"auth_mode": "AWS_SIGV4", "service": "s3", "region": server.region, **auth}
    document = declared(mode, f"{server.url}/", retry={"max_attempts": attempts})
    own = {"access_key_id": server.access_key, "secret_access_key": server.secret_key, **(keys or {})}
    with accounts(backend, document, authorize=str, callback="", **options) as made:
        made.nango.call("register_connection", "it", USER, own)
        yield made


@pytest.mark.parametrize("name", ODD)
def test_an_object_with_an_odd_name_is_written_and_read(moto: Moto, name: str) -> None:
    path = f"{moto.bucket}/{quote(name, safe='')}"
    with opened("sync", moto) as ours:
        written = ours.nango.send("it", USER, "PUT", path, content=name.encode())
        read = ours.get(path)
        ours.nango.send("it", USER, "DELETE", path)

        assert (200, name) == (written.status_code, read.text)


@pytest.mark.parametrize(
    "query", ["list-type=2&prefix=odd/", "prefix=a%20b%2Bc&list-type=2", "list-type=2&prefix=&delimiter=%2F", "acl"]
)
def test_a_query_is_signed_in_any_order(moto: Moto, query: str) -> None:
    with opened("sync", moto) as ours:
        assert 200 == ours.get(f"{moto.bucket}?{query}").status_code


def test_a_request_that_is_sent_again_is_signed_again(moto: Moto) -> None:
    transport = Lossy(f"/{moto.bucket}/{quote(moto.keys[0])}", losses=2)
    with opened("sync", moto, attempts=3, transport=transport) as ours:
        answer = ours.get(f"{moto.bucket}/{quote(moto.keys[0])}")

        assert moto.keys[0] == answer.text
        assert 3 == len(answer.extensions["nango_attempts"])
    transport.close()


# Roles


def assuming(server: Moto, **auth: Any) -> dict[str, Any]:
    return {"role_arn": server.role_arn, "sts_url": server.url, **auth}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_secret_assumes_no_role_and_may_be_put_right(backend: str, moto: Moto) -> None:
    wrong = {"secret_access_key": "wrong-8d00d4f1"}
    with opened(backend, moto, keys=wrong, **assuming(moto)) as ours:
        with pytest.raises(AuthenticationError, match="SignatureDoesNotMatch") as caught:
            ours.get(moto.bucket)
        assert not isinstance(caught.value, ReauthRequired)
        assert "wrong-8d00d4f1" not in str(caught.value)

        right = {"access_key_id": moto.access_key, "secret_access_key": moto.secret_key}
        ours.nango.call("update_connection_credentials", "it", USER, right)
        assert 200 == ours.get(moto.bucket).status_code


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_key_that_does_not_exist_needs_the_user(backend: str, moto: Moto) -> None:
    with opened(backend, moto, keys={"access_key_id": "AKIAUNKNOWN000000000"}, **assuming(moto)) as ours:
        for _ in range(2):
            with pytest.raises(ReauthRequired):
                ours.get(moto.bucket)

        assert ("reauth_required", ["on_reauth_required"]) == (ours.connection().status, ours.told)


def test_a_lost_answer_of_sts_is_asked_for_again(moto: Moto) -> None:
    transport = Lossy("/", losses=1)
    with opened("sync", moto, transport=transport, **assuming(moto)) as ours:
        assert 200 == ours.get(moto.bucket).status_code
        assert 0 == transport.losses
    transport.close()


def test_a_role_s_key_is_kept_until_it_is_due(moto: Moto) -> None:
    with opened("sync", moto, **assuming(moto)) as ours:
        ours.get(moto.bucket)
        first = ours.held("temporary_access_key_id")
        ours.clock.advance(3600 - 310)
        ours.get(moto.bucket)

        assert first == ours.held("temporary_access_key_id")
        assert ["on_renewed"] == ours.told
