"""Measure what a large catalogue costs: ``python -m benchmarks.catalogue``, or ``python -m benchmarks loading``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nango_py import Nango
from nango_py.lint import lint_file

FILES, USED = 1000, 30
API_KEY = """\
name: {name}
display_name: Provider {name}
docs_url: https://docs.{name}.example.com/
versions:
  v0:
    auth: {{auth_mode: API_KEY, placement: header, name: X-Api-Key}}
    credentials:
      api_key: {{title: API key, description: "Settings, API.", pattern: "^[a-z0-9]{{32}}$"}}
    connection_config:
      region: {{title: Region, enum: [eu, us], default: eu}}
    requests:
      base_url: "https://${{connection_config.region}}.{name}.example.com/v1/"
      headers: {{Accept: application/json}}
    retry: {{after: Retry-After, error_code: ["429", "5xx"]}}
    rate_limit: [{{limit: 100, per: 60}}]
    pagination: {{type: cursor, cursor_name_in_request: cursor, cursor_path_in_response: next, response_path: items}}
    verification: {{path: me, identity: email}}
    actions:
      list-things:
        description: Things, newest first.
        input: {{type: object, properties: {{query: {{type: string}}}}, additionalProperties: false}}
        request: {{path: things, params: {{query: "${{input.query}}"}}}}
        paginate: true
        output:
          map: {{id: "${{item.id}}", name: "${{item.name or item.title}}"}}
          schema: {{type: object, required: [id], properties: {{id: {{type: string}}, name: {{type: string}}}}}}
"""
OAUTH2 = """\
name: {name}
display_name: Provider {name}
docs_url: https://docs.{name}.example.com/
versions:
  v0:
    auth:
      auth_mode: OAUTH2
      authorization_url: "https://${{connection_config.site}}.example.com/authorize"
      token_url: "https://${{connection_config.site}}.example.com/token"
      authorization_params: {{access_type: offline}}
      default_scopes: [read, write]
    connection_config:
      site: {{title: Site, format: domain-label, suffix: .example.com}}
    requests: {{base_url: "https://${{connection_config.site}}.example.com/v1/"}}
    retry: {{auto: X-RateLimit-Reset, remaining: X-RateLimit-Remaining}}
    pagination: {{type: link, link_rel_in_response_header: next, limit_name_in_request: per_page, limit: 100}}
    verification: {{path: me}}
"""
BASIC = """\
name: {name}
display_name: Provider {name}
docs_url: https://docs.{name}.example.com/
versions:
  v0:
    auth: {{auth_mode: BASIC}}
    credentials:
      username: {{title: API key, secret: true}}
      password: {{title: Leave empty, default: ""}}
    requests: {{base_url: "https://api.{name}.example.com/"}}
    pagination: {{type: offset, offset_name_in_request: skip, limit_name_in_request: limit, limit: 50}}
    verification: {{path: me}}
  v1:
    extends_blueprint: {name}:v0
    requests: {{base_url: "https://api.{name}.example.com/v1/"}}
"""
KINDS = (API_KEY, OAUTH2, BASIC)


def fill(folder):
    """Write the files: blueprints of three kinds, in turns."""
    for number in range(FILES):
        name = f"p{number}"
        Path(folder, f"{name}.yaml").write_text(KINDS[number % len(KINDS)].format(name=name), encoding="utf-8")


def loaded(folder):
    """Return the milliseconds in which integrations of the first files are loaded."""
    declared = {"integrations": {f"p{n}": {"extends_blueprint": f"p{n}:v0"} for n in range(USED)}}
    began = time.perf_counter()
    nango = Nango.load(declared, blueprints=[folder], store="memory://", environ={})
    assert not nango.problems
    return (time.perf_counter() - began) * 1000


def command(folder, *words):
    """Return the seconds that a command takes as a program of its own, imports included."""
    began = time.perf_counter()
    program = [sys.executable, "-c", "from nango_py.cli import main; main()", *words]
    subprocess.run(program, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measured():
    """Yield what was measured, how much, and its budget."""
    with tempfile.TemporaryDirectory() as folder:
        blueprints = Path(folder, "blueprints")
        blueprints.mkdir()
        fill(blueprints)
        assert not [problem for kind in range(len(KINDS)) for problem in lint_file(blueprints / f"p{kind}.yaml")]
        loaded(blueprints)
        yield "load 30 of 1,000 blueprints (ms)", statistics.median(loaded(blueprints) for _ in range(5)), "<= 100"
        yield "check 1,000 blueprints (s)", command(folder, "check", "blueprints"), "<= 10"
        listed = statistics.median(command(folder, "blueprints", "list") for _ in range(5)) * 1000
        yield "blueprints list of 1,000 (ms)", listed, "<= 300"


if __name__ == "__main__":
    for what, amount, budget in measured():
        print(f"{what:44} {amount:9.2f}  {budget}", flush=True)
