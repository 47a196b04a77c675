"""What a pack's blueprint may not decide for those who install it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nango_py import Nango
from nango_py.declare import catalogue
from nango_py.errors import ConfigError, UnreachableError, UsageError
from nango_py.packs.begin import begin_pack
from nango_py.packs.check import check_pack, read_pack
from nango_py.testing import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLUEPRINT = """\
name: acme
versions:
  v0:
    auth: {{auth_mode: API_KEY}}
    credentials: {{api_key: {{}}}}
    requests: {{base_url: "{base_url}", headers: {{Authorization: "Bearer ${{api_key}}"}}}}
    retry: {{max_attempts: 1}}
    network: {network}
    actions:
      me: {{request: {{path: me}}, output: {{value: name}}}}
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Put a pack where Python finds packages."""

    def put(
        network: str = "{}",
        *,
        base_url: str = "https://api.example.com/",
        name: str = "acme-pack",
        folder: str = "acme_pack.blueprints",
    ) -> None:
        blueprints = tmp_path / "acme_pack" / "blueprints"
        blueprints.mkdir(parents=True)
        (blueprints / "acme.yaml").write_text(BLUEPRINT.format(network=network, base_url=base_url), "utf-8")
        catalogue._packs.cache_clear()
        facts = tmp_path / "acme_pack-1.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pack\nVersion: 1\n", "utf-8")
        entry = f"[{catalogue.GROUP}]\n{name} = {folder}\n"
        (facts / "entry_points.txt").write_text(entry, "utf-8")

    monkeypatch.syspath_prepend(str(tmp_path))
    yield put
    catalogue._packs.cache_clear()


def load(**keys: object) -> Nango:
    source = {"integrations": {"it": {"extends_blueprint": "acme:v0", **keys}}}
    nango = Nango.load(source, store="memory://", environ={})
    if not nango.problems:
        nango.register_connection("it", "u", {"api_key": "k"})
    return nango


@pytest.mark.parametrize(
    ("network", "hint"),
    [
        ("{allow_private: true}", "network: {allow_private: true}"),
        ("{verify: false}", "network: {verify: false}"),
        ("{verify: /etc/ssl/evil.pem}", "network: {verify: ...}"),
        ('{proxy: "http://evil.example.com:80"}', "network: {proxy: ...}"),
        ("{client_certificate: /etc/ssl/private/ours.pem}", "network: {client_certificate: ...}"),
    ],
)
def test_a_pack_may_not_make_the_way_to_a_provider_less_safe(install, network, hint):
    install(network)
    with load() as nango:
        with pytest.raises(ConfigError) as refused, nango.client("it", "u"):
            pass

        assert ["network.pack"] == [problem.code for problem in nango.problems]
        assert "acme.yaml:8:" in str(refused.value)
        assert "pack acme-pack may not decide this for you" in str(refused.value)
        assert hint in str(refused.value)


@pytest.mark.parametrize(
    ("network", "own"),
    [
        ("{allow_private: false, verify: true, x-why: words}", {}),
        ("{allow_private: true, verify: false}", {"network": {"allow_private": True, "verify": False}}),
        ("{verify: false}", {"network": {"verify": None}}),
        ("{allow_private: true}", {"network": None}),
    ],
)
def test_what_is_safe_or_the_users_own_word_stands(install, network, own):
    install(network)
    with load(**own) as nango:
        assert () == nango.problems


def test_a_pack_does_not_lead_into_private_networks_unless_the_user_says_so(install):
    with simulate("close:v0").serve() as url:
        install(base_url=url)
        with (
            load() as nango,
            pytest.raises(UnreachableError, match=r"network\.allow_private: true in the integration"),
        ):
            nango.trigger_action("it", "me", "u")
        # Our own word for it: what answers is the provider, who knows no such account.
        with load(network={"allow_private": True}) as nango, nango.client("it", "u") as client:
            assert 401 == client.get("me").status_code


def test_a_pack_is_served_on_this_machine_by_simulate(install):
    install()
    provider = simulate("acme:v0")
    with provider.serve() as url:
        keys = provider.keys_at(url)
        with load(**keys) as nango:
            assert () == nango.problems
            with nango.client("it", "u") as client:
                assert 401 == client.get("me").status_code


@pytest.mark.parametrize("name", ["local", "builtin"])
def test_a_pack_does_not_count_as_our_own_by_its_name(install, name, tmp_path):
    install("{allow_private: true}", name=name)
    with load() as nango:
        assert ["blueprint.unknown"] == [problem.code for problem in nango.problems]

    with pytest.raises(UsageError, match="is no name for a pack"):
        begin_pack(name, tmp_path / "new")


def test_a_pack_holds_no_folder_outside_of_itself(install, tmp_path):
    install(folder=f"acme_pack.{tmp_path / 'acme_pack' / 'blueprints'}")
    with load() as nango:
        assert ["blueprint.unknown"] == [problem.code for problem in nango.problems]


def test_the_test_of_a_pack_tells_what_its_users_would_meet(tmp_path):
    begin_pack("acme-blueprints", tmp_path)
    (tmp_path / "acme_blueprints" / "blueprints" / "acme.yaml").write_text(
        BLUEPRINT.format(network="{verify: false, http2: false}", base_url="https://api.example.com/"), "utf-8"
    )
    found = {check.id: check.message for check in check_pack(read_pack(tmp_path)) if check.ok is False}

    assert "network.verify: users decide that" in found["network.acme:v0"]
