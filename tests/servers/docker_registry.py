"""Docker's registry: HTTP Basic, and RFC 8288 links whose targets are relative."""

from __future__ import annotations

import hashlib
import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.launch import browse, free_port, program, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

__all__ = ["DockerRegistry", "serve"]

LOGIN, PASSWORD = "ann", "registry-4f1c9a"
REPOSITORIES = ("alpha/api", "alpha/web", "beta", "delta", "gamma/worker")
SETTINGS = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{folder}/storage"}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: registry, path: "{folder}/htpasswd"}}}}
"""
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRegistry:
    """A registry with one account and a few repositories, each with the tag ``v1``."""

    url: str
    login: str
    password: str
    repositories: tuple[str, ...]
    """Sorted by name, as the catalogue answers them."""


@contextmanager
def serve(folder: Path) -> Iterator[DockerRegistry]:
    """Run the registry, with five repositories."""
    registry, htpasswd, port = program("docker-registry"), program("htpasswd"), free_port()
    url = f"http://127.0.0.1:{port}"
    (folder / "htpasswd").write_text(_account(htpasswd))
    settings = folder / "registry.yaml"
    settings.write_text(SETTINGS.format(folder=folder, port=port))
    with running([registry, "serve", str(settings)], answers_at=f"{url}/v2/", folder=folder):
        with browse(url, auth=(LOGIN, PASSWORD)) as client:
            for repository in REPOSITORIES:
                _push(client, repository)
        yield DockerRegistry(url=url, login=LOGIN, password=PASSWORD, repositories=REPOSITORIES)


def _account(htpasswd: str) -> str:
    command = [htpasswd, "-B", "-n", "-i", LOGIN]
    return subprocess.run(command, input=PASSWORD, capture_output=True, text=True, check=True).stdout


def _push(client: httpx.Client, repository: str) -> None:
    """Push an image of one configuration and one layer."""
    layers = [_blob(client, repository, b"layer")]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _blob(client, repository, b"{}"),
        "layers": layers,
    }
    headers = {"Content-Type": MANIFEST_TYPE}
    content = json.dumps(manifest)
    client.put(f"/v2/{repository}/manifests/v1", content=content, headers=headers).raise_for_status()


def _blob(client: httpx.Client, repository: str, content: bytes) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    begun = client.post(f"/v2/{repository}/blobs/uploads/").raise_for_status()
    target = begun.request.url.join(begun.headers["Location"]).copy_merge_params({"digest": digest})
    client.put(target, content=content, headers={"Content-Type": "application/octet-stream"}).raise_for_status()
    return {"mediaType": "application/octet-stream", "size": len(content), "digest": digest}
