"""An option that there is none of is refused where it is given, not where it would be used."""

from __future__ import annotations

import httpx
import pytest

from nango_py import AsyncNango, Nango, UsageError

SOURCE = {
    "integrations": {
        "acme": {
            "auth": {"auth_mode": "NONE"},
            "requests": {"base_url": "https://api.acme.test/"},
            "pagination": {"type": "page", "page_name_in_request": "page"},
        }
    }
}


@pytest.fixture(params=[Nango, AsyncNango])
def nango(request):
    return request.param.load(SOURCE, store="memory://", environ={}, transport=httpx.MockTransport(lambda _: None))


@pytest.mark.parametrize("name", ["pages", "paginate"])
def test_a_misspelt_option_of_a_walk(nango, name):
    with pytest.raises(UsageError, match=r"'limt' is not accepted here\. Did you mean 'limit'\?"):
        getattr(nango, name)("acme", "u", "things", limt=3)


@pytest.mark.parametrize("name", ["pages", "paginate"])
def test_an_unknown_option_of_a_walk(nango, name):
    with pytest.raises(UsageError, match=r"'colour' is not accepted here\. .*json, limit, max_pages, method"):
        getattr(nango, name)("acme", "u", "things", colour="red")


def test_an_option_of_a_client_that_would_bypass_the_engine(nango):
    with pytest.raises(UsageError, match=r"'verify' is not accepted here: declare `network\.verify`"):
        nango.client("acme", "u", verify=False)
