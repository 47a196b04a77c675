"""Where credentials would go is said before they do."""

from __future__ import annotations

import pytest

from nango_py.authoring.cautions import cautions_of
from nango_py.importers.airbyte.importer import manifest_draft
from nango_py.importers.nango.importer import import_catalogue
from tests.authoring.spec import described, taken

PRIVATE = "requests go to a private network: "
CLEAR = "requests, and credentials with them, go in the clear: "


@pytest.mark.parametrize(
    ("base_url", "caution"),
    [
        ("http://acme.example/v1/", f"{CLEAR}http://acme.example"),
        ("http://169.254.169.254/latest/", f"{PRIVATE}169.254.169.254"),
        ("https://10.0.0.1:8443/", f"{PRIVATE}10.0.0.1"),
        ("https://[::1]/", f"{PRIVATE}[::1]"),
        ("https://localhost:8080", f"{PRIVATE}localhost"),
        ("https://vault.corp.internal/", f"{PRIVATE}vault.corp.internal"),
    ],
)
def test_a_base_url_in_the_clear_or_in_a_private_network_is_named(base_url, caution):
    assert [caution] == list(cautions_of(base_url))


@pytest.mark.parametrize(
    "base_url", ["https://acme.example/", "https://${connection_config.host}/", "", "https://8.8.8.8/"]
)
def test_an_ordinary_base_url_is_not(base_url):
    assert [] == list(cautions_of(base_url))


def test_every_importer_says_so(tmp_path):
    url = "http://acme.example"
    providers = tmp_path / "providers.yaml"
    providers.write_text(f"acme: {{auth_mode: NONE, proxy: {{base_url: {url}}}}}", "utf-8")
    requester = {"url_base": url, "path": "things"}
    manifest = {"streams": [{"name": "things", "retriever": {"requester": requester}}]}

    catalogue = import_catalogue(providers, tmp_path / "to")
    reports = [catalogue.entries, taken(described({"GET /a": {}}, servers=[{"url": url}])).report.entries]
    entries = [*(entry for (entry,) in reports), manifest_draft(manifest, "manifest.yaml", "acme")[1]]
    assert [(f"{CLEAR}{url}",)] * 3 == [entry.cautions for entry in entries]
    assert f"  acme: mind that {CLEAR}{url}." in list(catalogue.summary())
    assert [f"{CLEAR}{url}"] == catalogue.document()["found"]["acme"]["cautions"]
