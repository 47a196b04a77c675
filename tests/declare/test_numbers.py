"""Numbers without end are no numbers: a lifetime of them would break every token."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nango_py import Nango
from nango_py.yaml_text import parse
from tests.servers.faces import KEYS


@pytest.mark.parametrize("text", ["1e999", "-1e999", ".inf", ".nan"])
def test_yaml_s_endless_numbers_are_text(text: str) -> None:
    assert {"a": text} == parse(f"a: {text}\n", "x.yaml").data


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan], ids=repr)
def test_an_endless_number_in_a_mapping_is_a_problem(number: float) -> None:
    auth: dict[str, Any] = {"auth_mode": "OAUTH2_CC", "token_url": "https://login.example.com/token"}
    source = {
        "integrations": {
            "it": {
                "auth": {**auth, "default_token_lifetime": number},
                "requests": {"base_url": "https://api.example.com"},
            }
        }
    }
    with Nango.load(source, store="memory://", environ={"NANGO_ENCRYPTION_KEYS": KEYS}) as nango:
        shown = [str(problem) for problem in nango.problems]

    assert any("default_token_lifetime" in text and "finite" in text for text in shown)
