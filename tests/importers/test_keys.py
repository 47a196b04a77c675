from __future__ import annotations

from nango_py.authoring.report import Finding
from nango_py.importers.keys import keys_of


def test_a_key_is_handed_out_once():
    keys, _ = keys_of({"a": 1})

    assert [1, None] == [keys.take("a"), keys.take("a")]
    assert [] == list(keys.rest())


def test_what_nobody_asks_for_is_found_at_every_depth():
    keys, _ = keys_of({"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": 4})
    inner = keys.below("a")
    inner.below("b").take("c")

    assert ["f", "a.e", "a.b.d"] == list(keys.rest())


def test_a_key_of_another_type_than_asked_for_is_left_to_be_found():
    keys, _ = keys_of({"text": 1, "flag": "yes", "texts": ["a", 1], "below": "no mapping"})

    assert (None, False, ()) == (keys.text("text"), keys.flag("flag"), keys.texts("texts"))
    assert [] == list(keys.below("below"))
    assert ["text", "flag", "texts", "below"] == list(keys.rest())


def test_a_dropped_key_is_noted_if_it_is_there():
    keys, findings = keys_of({"a": {"b": 1}})
    inner = keys.below("a")
    inner.drop("b", "lost", "why")
    inner.drop("c", "lost", "why")

    assert [Finding(key="a.b", outcome="lost", reason="why")] == findings
    assert [] == list(keys.rest())
