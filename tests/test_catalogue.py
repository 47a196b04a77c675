"""The built-in catalogue: every blueprint loads, says where it knows its facts from and can be verified."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from nango_py.declare import Declared, load
from nango_py.declare.catalogue import BUILT_IN, Catalogue, built_in_folder
from nango_py.lint import lint_file

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(built_in_folder().glob("*.yaml"))
WITHOUT_VERIFICATION = {
    "google": "a base for the Google APIs: it declares the sign-in, and no API to ask",
}

MAIN_FACTS = ("auth", "base_url", "rate_limit", "pagination", "verification")

# Where everybody publishes: the name behind the host says who it was.
SHELVES = {"github.com", "raw.githubusercontent.com", "pypi.org", "www.npmjs.com", "app.unpkg.com"}

# Names under which providers publish that are not those of their blueprints.
KNOWN_AS = {
    "activecampaign": "ac-mcp-server",
    "azure-devops": "microsoft",
    "bitbucket": "atlassian",
    "campaign-monitor": "createsend",
    "dropbox-sign": "hellosign",
    "fly-io": "superfly",
    "github": "octokit",
    "greenhouse-harvest": "grnhse",
    "greenhouse-ingestion": "grnhse",
    "mailchimp": "eepurl.com",
    "ms-teams": "microsoft",
    "onedrive": "microsoft",
    "outlook": "microsoft",
    "quickbooks": "intuit",
    "razorpay": "curlec.com",
    "sharepoint": "microsoft",
    "statuspage": "atlassian.com",
    "twilio-segment": "segment",
    "twitter1": "xdevplatform",
}

# Few, so that a reader finds what there is: the first one of a file is where the site lists it.
CATEGORIES = {
    "accounting",
    "ai",
    "analytics",
    "ats",
    "banking",
    "calendar",
    "communication",
    "crm",
    "developer-tools",
    "e-commerce",
    "e-signature",
    "email",
    "hr",
    "marketing",
    "payments",
    "productivity",
    "project-management",
    "shipping",
    "storage",
    "support",
    "surveys",
}


def versions(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["versions"]


KEYS = [(path, version) for path in FILES for version in versions(path)]
every_version = pytest.mark.parametrize(("path", "version"), KEYS, ids=[f"{path.stem}:{v}" for path, v in KEYS])


def sources_of(keys: dict) -> dict[str, dict]:
    """Every source of a version: those of its facts, and those of its actions."""
    actions = keys.get("actions", {})
    return keys["x-sources"] | {
        f"{name}.{fact}": source for name, action in actions.items() for fact, source in action["x-sources"].items()
    }


def domain(url: str) -> str:
    host = urlsplit(re.sub(r"\$\{[^}]*\}", "x", url)).hostname or ""
    return ".".join(host.split(".")[-2:])


def publisher(url: str) -> str:
    """The owner of a repository, the path of a package, or else the host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host not in SHELVES:
        return host
    return parts.path.split("/")[1] if "github" in host else parts.path


def is_the_providers_own(url: str, document: dict, keys: dict) -> bool:
    """Whether a page is under the provider's domain or name. A package named after it passes, whoever made it."""
    homes = {domain(document["docs_url"]), domain(keys.get("requests", {}).get("base_url", ""))}
    if urlsplit(url).hostname not in SHELVES and domain(url) in homes:
        return True
    name = document["name"]
    names = {plain(one) for one in (name, name.split("-")[0], KNOWN_AS.get(name, name))}
    by = plain(publisher(url))
    return any(one == by or (len(one) > 3 and one in by) for one in names)


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@cache
def loaded(path: Path, version: str) -> Declared:
    return load({"integrations": {"it": {"extends_blueprint": f"{path.stem}:{version}"}}}, environ={})


def test_the_catalogue_lists_its_files():
    assert {path.stem for path in FILES} == set(Catalogue().names(BUILT_IN))


@every_version
def test_a_blueprint_loads_without_a_problem(path, version):
    assert [] == [str(problem) for problem in loaded(path, version).problems]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_blueprint_file_passes_every_rule(path):
    assert [] == [f"{problem} [{problem.code}]" for problem in lint_file(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_blueprint_file_says_whose_it_is_and_what_for(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert path.stem == document["name"]
    assert all(document[key] for key in ("display_name", "maintainer", "docs_url"))
    assert document["docs_url"].startswith("https://")
    assert [] == [name for name in document.get("categories", ()) if name not in CATEGORIES]


@every_version
def test_a_blueprint_states_its_sources(path, version):
    sources = versions(path)[version]["x-sources"]

    assert sources
    assert all(source["url"].startswith("https://") and source["read"] for source in sources.values())


@every_version
def test_a_blueprint_dates_the_pages_that_its_main_facts_were_read_from(path, version):
    keys = versions(path)[version]
    facts = set(MAIN_FACTS) - ({"verification"} - keys.keys())
    dated = {fact for fact, source in keys["x-sources"].items() if isinstance(source["read"], date)}

    assert set() == facts - dated


@every_version
def test_a_blueprint_says_which_of_its_main_facts_somebody_else_tells(path, version):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    keys = document["versions"][version]
    told = {fact: keys["x-sources"][fact] for fact in MAIN_FACTS if fact in keys["x-sources"]}

    assert {} == {
        fact: source["url"]
        for fact, source in told.items()
        if not is_the_providers_own(source["url"], document, keys)
        and not re.match(r"not .+'s own\b", source.get("note", ""))
    }


@every_version
def test_a_blueprint_takes_nothing_from_memory(path, version):
    sources = sources_of(versions(path)[version])

    assert {} == {
        fact: source["read"]
        for fact, source in sources.items()
        if not re.match(r"20\d\d-\d\d-\d\d", str(source["read"]))
    }


@every_version
def test_a_blueprint_takes_nothing_from_other_catalogues_of_connectors(path, version):
    sources = sources_of(versions(path)[version])

    assert {} == {
        fact: source["url"]
        for fact, source in sources.items()
        if re.search(r"airbyte|n8n|nango", source["url"].lower())
    }


@every_version
def test_a_blueprint_can_be_verified_or_is_a_known_exception(path, version):
    integration = loaded(path, version).integrations["it"]

    assert (path.stem not in WITHOUT_VERIFICATION) == (integration.verification is not None)


@every_version
def test_every_action_is_described_and_typed(path, version):
    actions = loaded(path, version).integrations["it"].actions.values()

    assert [] == [
        action.name for action in actions if not (action.description and action.input and action.output.schema)
    ]


@every_version
def test_every_action_states_its_sources(path, version):
    actions = versions(path)[version].get("actions", {})

    assert [] == [name for name, keys in actions.items() if not keys.get("x-sources")]
