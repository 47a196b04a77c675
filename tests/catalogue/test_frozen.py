"""The versions of the built-in catalogue that were released stand still, from 1.0 on."""

from __future__ import annotations

from nango_py.declare.catalogue import built_in_folder
from nango_py.versions.freeze import frozen_text
from tests.catalogue import freeze


def test_what_is_frozen_has_not_changed():
    assert [] == freeze.changed(freeze.read())


def test_before_1_0_nothing_is_frozen_and_from_then_on_every_version():
    frozen = freeze.read()

    assert (freeze.grown(frozen, built_in_folder()) if freeze.is_released() else {}) == frozen, "Run: make freeze"


def test_a_catalogue_is_frozen_whole_and_what_changes_is_named(tmp_path):
    (tmp_path / "close.yaml").write_bytes((built_in_folder() / "close.yaml").read_bytes())
    (tmp_path / "lever.yaml").write_bytes((built_in_folder() / "lever.yaml").read_bytes())
    frozen = freeze.grown({}, tmp_path)
    (tmp_path / "frozen.yaml").write_text(frozen_text(frozen), "utf-8")
    kept = freeze.read(tmp_path / "frozen.yaml")
    kept["close:v0"]["actions"]["me"] = kept["close:v0"]["auth"] = "0" * 32

    assert frozen.keys() == {"close:v0", "lever:v0"}
    assert [] == freeze.changed(frozen)
    assert ["close:v0 auth", "close:v0 actions.me"] == freeze.changed(kept)


def test_versions_are_frozen_from_1_0_on():
    assert [False, False, True, True] == [freeze.is_released(one) for one in ("0.1.0", "0.99", "1.0.0", "12.1")]
