"""Errors are copied and sent between processes without loss."""

from __future__ import annotations

import copy
import pickle

import pytest

from nango_py import Nango
from nango_py.errors import ConfigError, RateLimitedError, ReauthRequired


def config_error() -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        Nango.load({"integrations": 5})
    return caught.value


@pytest.mark.parametrize(
    "error",
    [config_error(), ReauthRequired("no", integration="it"), RateLimitedError("no", retry_after=2.0, action="a")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_a_copy_and_a_pickle(error: Exception) -> None:
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(error), str(error), vars(error)) == (type(again), str(again), vars(again))
