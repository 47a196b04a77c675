"""nango-py demo."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nango_py.cli.output import as_json as print_json
from nango_py.cli.output import json_option, table

if TYPE_CHECKING:
    from nango_py.declare.loader import Declared
    from nango_py.engine import Nango
    from nango_py.testing import Simulator

__all__ = ["command"]

_USER = "user-1"
_CREDENTIALS = {"username": "api_demo_4f9c2b7e", "password": ""}
_LEADS = [
    {"id": f"lead_{number:03}", "display_name": f"Lead {number}", "status_label": "New"} for number in range(250)
]
_REFUSED = 3
"""The request, counted from 1, that meets a 429: the second page of leads."""


@click.command("demo")
@click.option(
    "--file", "-f", default="integrations.yaml", show_default=True, metavar="PATH", help="The integrations."
)
@json_option
def command(file: str, *, as_json: bool) -> None:
    """Run the main job offline, against a Close-like provider on this machine."""
    import os

    import yaml

    from nango_py.declare import load
    from nango_py.engine import Nango
    from nango_py.testing import simulate

    began = time.perf_counter()
    path = Path(file)
    source: Any = path if path.exists() else {"integrations": {"close": {"extends_blueprint": "close:v0"}}}
    declared = load(source, environ=os.environ)
    if "close" not in declared.integrations:
        raise click.UsageError(
            f"{file} declares no sound integration 'close', which the demo is about. Run it in another folder."
        )
    integration = declared.integrations["close"]
    objects = {"me": {"id": "user_demo", "email": "demo@example.com", "first_name": "Demo", "last_name": "User"}}
    provider = simulate(
        integration, credentials=_CREDENTIALS, objects=objects, lists={"lead": _LEADS}, refusals=[_REFUSED]
    )
    with provider.serve() as url, tempfile.TemporaryDirectory() as folder:
        document = yaml.safe_load(path.read_text("utf-8")) if path.exists() else source
        document["integrations"]["close"].setdefault("requests", {})["base_url"] = url
        # The provider is on this machine: no proxy stands in between.
        environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environ["XDG_CONFIG_HOME"] = folder
        store = f"sqlite:///{Path(folder) / 'demo.db'}"
        with Nango.load(document, store=store, environ=environ) as nango:
            me, leads = _main_job(nango)
        _tell(declared, provider, me, leads, time.perf_counter() - began, is_json=as_json)


def _main_job(nango: Nango) -> tuple[Any, list[Any]]:
    nango.register_connection("close", _USER, _CREDENTIALS)
    with nango.client("close", _USER) as client:
        me = client.get("me/").raise_for_status().json()
    return me, nango.trigger_action("close", "list-leads", _USER, {"limit": 250})


def _tell(
    declared: Declared, provider: Simulator, me: Any, leads: list[Any], seconds: float, *, is_json: bool
) -> None:
    used = declared.integrations["close"].blueprints[-1]
    requests = [
        {
            "sent": f"{seen.method} {seen.path}",
            "query": "&".join(f"{name}={value}" for name, value in seen.query.items()),
            "authorization": "Basic ***" if seen.headers.get("authorization", "").startswith("Basic ") else "none",
            "answer": seen.status,
        }
        for seen in provider.seen
    ]
    summary = {"declared": f"close extends {used.key}", "from": used.source, "me": me["email"], "leads": len(leads)}
    if is_json:
        print_json({**summary, "requests": requests, "seconds": round(seconds, 2)})
        return
    click.echo(f"Declared: integration {summary['declared']} ({summary['from']})\n")
    table(("sent", "query", "authorization", "answer"), [row.values() for row in requests])
    waited = sum(row["answer"] == 429 for row in requests)  # noqa: PLR2004 - Too Many Requests
    click.echo(f"\nCame back: me/ is {summary['me']}; list-leads gave {summary['leads']} leads from 3 pages,")
    click.echo(f"through {waited} refusal (429), waited out as Retry-After said. {seconds:.1f} s in all, offline.")
