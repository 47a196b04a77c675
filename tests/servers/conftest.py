"""Third-party servers for the tests of this folder: each starts once a session, when a test first asks for it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import pytest

from tests.servers import chromium as chromium_server
from tests.servers import django_oauth_toolkit as django_oauth_toolkit_server
from tests.servers import docker_registry as docker_registry_server
from tests.servers import json_server as json_server_server
from tests.servers import jupyterhub as jupyterhub_server
from tests.servers import kinto as kinto_server
from tests.servers import localstripe as localstripe_server
from tests.servers import mitmproxy as mitmproxy_server
from tests.servers import moto as moto_server
from tests.servers import nginx as nginx_server
from tests.servers import oauth1_authlib as oauth1_authlib_server
from tests.servers import oidc_provider as oidc_provider_server
from tests.servers import prism as prism_server
from tests.servers import redmine as redmine_server
from tests.servers import roundup as roundup_server
from tests.servers import synapse as synapse_server
from tests.servers import verdaccio as verdaccio_server
from tests.servers import yaml_language_server as yaml_language_server_server
from tests.servers.launch import MissingServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Server = TypeVar("Server")

    class Start(Protocol):
        """What the fixture ``start`` gives: ``start(oidc_provider.serve, lifetime=2)``."""

        def __call__(self, serve: Callable[..., AbstractContextManager[Server]], **settings: Any) -> Server: ...


@pytest.fixture(scope="session")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[localstripe_server.LocalStripe]:
    yield from _started(localstripe_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redmine_server.Redmine]:
    yield from _started(redmine_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def roundup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[roundup_server.Roundup]:
    yield from _started(roundup_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def kinto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kinto_server.Kinto]:
    yield from _started(kinto_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker_registry_server.DockerRegistry]:
    yield from _started(docker_registry_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def json_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[json_server_server.JsonServer]:
    yield from _started(json_server_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium_server.Chromium]:
    yield from _started(chromium_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def oidc_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oidc_provider_server.OidcProvider]:
    yield from _started(oidc_provider_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def django_oauth_toolkit(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[django_oauth_toolkit_server.DjangoOAuthToolkit]:
    yield from _started(django_oauth_toolkit_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def oauth1_authlib(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oauth1_authlib_server.OAuth1]:
    yield from _started(oauth1_authlib_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def jupyterhub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[jupyterhub_server.JupyterHub]:
    yield from _started(jupyterhub_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[synapse_server.Synapse]:
    yield from _started(synapse_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[moto_server.Moto]:
    yield from _started(moto_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[nginx_server.Nginx]:
    yield from _started(nginx_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def verdaccio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[verdaccio_server.Verdaccio]:
    yield from _started(verdaccio_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def yaml_language_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[yaml_language_server_server.Editor]:
    yield from _started(yaml_language_server_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def localstripe_to_write(tmp_path_factory: pytest.TempPathFactory) -> Iterator[localstripe_server.LocalStripe]:
    """Another localstripe: one that tests leave customers in."""
    yield from _started(localstripe_server.serve, tmp_path_factory)


@pytest.fixture(scope="session")
def mitmproxy(
    localstripe_to_write: localstripe_server.LocalStripe, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[mitmproxy_server.Mitmproxy]:
    """A proxy before the localstripe to write to."""
    yield from _started(partial(mitmproxy_server.serve, upstream=localstripe_to_write.url), tmp_path_factory)


@pytest.fixture(scope="session")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], prism_server.Prism]]:
    """Start a Prism for each provider that a test asks for."""
    with ExitStack() as stack:

        @cache
        def started(provider: str) -> prism_server.Prism:
            return _entered(stack, partial(prism_server.serve, provider=provider), tmp_path_factory)

        yield started


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start servers with settings of a test's own; they end with the test."""
    with ExitStack() as stack:

        def start(serve: Callable[..., AbstractContextManager[Server]], **settings: Any) -> Server:
            return _entered(stack, partial(serve, **settings), tmp_path_factory)

        yield start


def _started(
    serve: Callable[[Path], AbstractContextManager[Server]], folders: pytest.TempPathFactory
) -> Iterator[Server]:
    with ExitStack() as stack:
        yield _entered(stack, serve, folders)


def _entered(
    stack: ExitStack, serve: Callable[[Path], AbstractContextManager[Server]], folders: pytest.TempPathFactory
) -> Server:
    try:
        return stack.enter_context(serve(folders.mktemp("server")))
    except MissingServerError as missing:
        _leave_out(str(missing))


def _leave_out(reason: str) -> NoReturn:
    """Skip the test; in CI, where every server is to be had, fail it."""
    if os.environ.get("NANGO_PY_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
