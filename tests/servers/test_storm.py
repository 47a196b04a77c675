# ruff: noqa: T201 - the figures of a long run are for a reader
"""Many processes, threads and tasks, one connection, refresh tokens that work once: nobody gets a dead token.

``NANGO_PY_STORM_SECONDS`` makes it longer.
"""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from nango_py import Nango, ReauthRequired
from tests.connections.conftest import postgres_database, postgres_server, postgres_url  # noqa: F401 - fixtures
from tests.servers import oidc_provider
from tests.servers.launch import MissingServerError

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

SECONDS = float(os.environ.get("NANGO_PY_STORM_SECONDS", "10"))
LIFETIME = 2
RENEWALS = 3
"""As many as a storm has to live through, however slow the machine is."""
KILLS = 5
PROCESSES = 8
KEYS = base64.b64encode(bytes(range(32))).decode()
WORKER = Path(__file__).with_name("storm_worker.py")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/storm.db"
    return request.getfixturevalue("postgres_database")


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    try:
        with oidc_provider.serve(tmp_path_factory.mktemp("storm"), lifetime=LIFETIME) as server:
            yield server
    except MissingServerError as missing:
        if os.environ.get("NANGO_PY_REQUIRE_SERVERS") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


class Storm:
    def __init__(self, provider, store_url, **settings):
        self.provider = provider
        self.declared = {
            "integrations": {
                "it": {
                    "oauth_client_id": "client_secret_basic",
                    "oauth_client_secret": provider.secret,
                    "oauth_scopes": ["openid", "offline_access"],
                    "auth": {
                        "auth_mode": "OAUTH2",
                        "authorization_url": provider.authorization_url,
                        "authorization_params": {"prompt": "consent"},
                        "authorization_method": "header",
                        "token_url": provider.token_url,
                    },
                    "requests": {"base_url": provider.url},
                }
            }
        }
        self.settings = {
            "declared": self.declared,
            "store": store_url,
            "environ": {"NANGO_ENCRYPTION_KEYS": KEYS},
            "cancels": False,
            **settings,
        }
        self.nango = Nango.load(self.declared, store=store_url, environ=self.settings["environ"])

    def connect(self):
        request = self.nango.oauth.begin("it", "ann", redirect_uri=oidc_provider.CALLBACK)
        self.nango.oauth.finish(self.provider.authorize(request.url), binding=request.binding)
        return self

    def start(self, kind):
        return subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps({**self.settings, "kind": kind})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def renewals(self, since):
        return self._moments("grant.success", since)

    def refusals(self, since):
        return self._moments("grant.error", since)

    def _moments(self, event, since):
        found = self.provider.events(event, grant_type="refresh_token")
        return [one.at for one in found if one.at >= since]


@contextmanager
def storm(provider, store_url, **settings):
    made = Storm(provider, store_url, **settings)
    try:
        yield made.connect()
    finally:
        made.nango.close()


def wait_for(worker):
    """Wait until a worker's requests begin: on a busy machine its imports take longer than a storm."""
    assert "ready\n" == worker.stdout.readline(), worker.communicate()[1]
    return worker


def end(worker):
    worker.stdin.close()
    worker.stdin = None  # else communicate() would flush what is closed


def outcome(worker):
    output, errors = worker.communicate()
    assert 0 == worker.returncode, errors
    return json.loads(output)


def kind_of(number):
    return "threads" if number % 2 else "tasks"


def test_a_storm_renews_once_an_expiry(provider, store_url, capsys):
    with storm(provider, store_url) as weather:
        workers = [weather.start(kind_of(number)) for number in range(PROCESSES)]
        for worker in workers:
            wait_for(worker)
        began = time.time()
        while time.time() < began + SECONDS or len(weather.renewals(began)) < RENEWALS:
            time.sleep(0.1)  # the provider's own clock has to pass
        for worker in workers:
            end(worker)
        outcomes = [outcome(worker) for worker in workers]

        seen = sum((Counter(one["seen"]) for one in outcomes), Counter())
        moments = weather.renewals(began)
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        with capsys.disabled():
            print(
                f"\nstorm on {store_url.partition(':')[0]}: {seen.total()} requests, {dict(seen)}, "
                f"{len(moments)} renewals in {time.time() - began:.0f} s, shortest gap {min(gaps):.2f} s, "
                f"median {1000 * sorted(one['median'] for one in outcomes)[PROCESSES // 2]:.0f} ms, "
                f"longest {1000 * max(one['longest'] for one in outcomes):.0f} ms"
            )
        assert {"ok"} == set(seen)
        assert [] == weather.refusals(began)
        # A token of two seconds counts as expired 1.8 after it was asked for. The provider's journal sees a request
        # later than it was sent, so on a busy machine two may stand close together; there cannot be more of them.
        assert len(moments) <= (time.time() - began) / (0.9 * LIFETIME) + 1


def test_a_storm_survives_kills_and_cancellations(provider, store_url, capsys):
    with storm(provider, store_url, cancels=True, lease=3.0) as weather:
        chance, ends_at = random.Random(7), time.time() + SECONDS
        running, seen, kills, reconnects = {}, Counter(), 0, 0
        while time.time() < ends_at or kills < KILLS:
            for number in range(PROCESSES // 2):
                if number not in running:
                    running[number] = weather.start(kind_of(number))
            time.sleep(chance.uniform(0.3, 1.2))
            victim = wait_for(running.pop(chance.choice(sorted(running))))
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
            kills += 1
            if "reauth_required" == weather.nango.get_connection("it", "ann").status:
                weather.connect()
                reconnects += 1
        for worker in running.values():
            end(wait_for(worker))
            seen += Counter(outcome(worker)["seen"])

        with capsys.disabled():
            print(f"\nkills on {store_url.partition(':')[0]}: {kills} kills, {reconnects} reconnected, {dict(seen)}")
        assert set(seen) <= {"ok", "cancelled", "ReauthRequired"}
        assert seen["ok"]


def test_a_holder_that_dies_before_asking_costs_its_lease(provider, store_url):
    with storm(provider, store_url, lease=1.0) as weather:
        time.sleep(LIFETIME)  # the provider's own clock has to pass
        victim = weather.start("die_before_asking")
        victim.communicate()

        assert -signal.SIGKILL == victim.returncode
        assert weather.nango.credentials("it", "ann")


def test_a_token_that_died_with_its_process_asks_for_a_new_grant(provider, store_url):
    with storm(provider, store_url, lease=1.0) as weather:
        time.sleep(LIFETIME)
        victim = weather.start("die_before_storing")
        victim.communicate()

        assert -signal.SIGKILL == victim.returncode
        with pytest.raises(ReauthRequired):
            weather.nango.credentials("it", "ann")
        assert "reauth_required" == weather.nango.get_connection("it", "ann").status
        weather.connect()
        assert weather.nango.credentials("it", "ann")
