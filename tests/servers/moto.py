"""Moto: AWS services that compute every Signature Version 4 anew, and refuse what does not match."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.servers.launch import browse, free_port, installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

__all__ = ["Moto", "serve"]

REGION, USER, ROLE, BUCKET = "us-east-1", "ann", "reader", "reports"
# The last ones must be percent-encoded, in the path and in what is signed.
KEYS = ("2026/01.txt", "2026/02.txt", "2026/03.txt", "odd/a b+c=d.txt", "odd/~x_(1).txt")
ACTIONS = ["s3:*", "sqs:*", "dynamodb:*", "sts:AssumeRole", "iam:GetUser"]

# Moto finds the service in the scope of a signature, even where it does not verify it.
SCOPE = f"AWS4-HMAC-SHA256 Credential=nobody/20260101/{REGION}/iam/aws4_request, SignedHeaders=host, Signature=none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moto:
    """An AWS account with a user, a role that this user may assume, and a bucket of objects."""

    url: str
    """Of every service: a signature's scope names the service (``s3``, ``sqs``, ``dynamodb``, ``sts``, ``iam``)."""
    region: str
    access_key: str
    secret_key: str
    role_arn: str
    """The role may list and read, but not write: ``s3:Get*``, ``s3:List*``, ``sqs:List*``."""
    bucket: str
    keys: tuple[str, ...]
    """Of the bucket's objects, in order; each object's text is its key."""


@contextmanager
def serve(folder: Path) -> Iterator[Moto]:
    """Run a Moto that verifies signatures and policies."""
    server, port = installed("moto", "bin", "moto_server"), free_port()
    url = f"http://127.0.0.1:{port}"
    with running([server, "-H", "127.0.0.1", "-p", str(port)], answers_at=f"{url}/moto-api/", folder=folder):
        with browse(url) as client:
            moto = _seed(client)
            # Up to here every call passed; from here on none does without a signature.
            client.post("/moto-api/reset-auth", content="0").raise_for_status()
        yield moto


def _seed(client: httpx.Client) -> Moto:
    arn = _iam(client, "CreateUser", "Arn", UserName=USER)
    _iam(client, "PutUserPolicy", None, UserName=USER, PolicyName="all", PolicyDocument=_policy(ACTIONS))
    trust = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    role = _iam(client, "CreateRole", "Arn", RoleName=ROLE, AssumeRolePolicyDocument=_document(trust))
    reading = _policy(["s3:Get*", "s3:List*", "sqs:List*"])
    _iam(client, "PutRolePolicy", None, RoleName=ROLE, PolicyName="read", PolicyDocument=reading)
    access_key, secret_key = _access_key(client)
    client.put(f"/{BUCKET}").raise_for_status()
    for key in KEYS:
        client.put(f"/{BUCKET}/{quote(key)}", content=key.encode()).raise_for_status()
    return Moto(
        url=str(client.base_url).rstrip("/"),
        region=REGION,
        access_key=access_key,
        secret_key=secret_key,
        role_arn=role,
        bucket=BUCKET,
        keys=KEYS,
    )


def _access_key(client: httpx.Client) -> tuple[str, str]:
    answer = _call(client, "CreateAccessKey", UserName=USER)
    return _element(answer, "AccessKeyId"), _element(answer, "SecretAccessKey")


def _iam(client: httpx.Client, action: str, wanted: str | None, **arguments: str) -> str:
    answer = _call(client, action, **arguments)
    return _element(answer, wanted) if wanted else ""


def _call(client: httpx.Client, action: str, **arguments: str) -> str:
    form = {"Action": action, "Version": "2010-05-08", **arguments}
    return client.post("/", data=form, headers={"Authorization": SCOPE}).raise_for_status().text


def _element(xml: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]+)</{name}>", xml)
    assert found, xml
    return unescape(found[1])


def _policy(actions: list[str]) -> str:
    return _document({"Effect": "Allow", "Action": actions, "Resource": "*"})


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
