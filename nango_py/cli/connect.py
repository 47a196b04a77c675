"""nango-py connect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from nango_py.cli.engine import engine_options, load, pairs
from nango_py.cli.output import json_option
from nango_py.core import core_of
from nango_py.errors import AuthenticationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nango_py.cli.loopback import Address
    from nango_py.connections.connection import Connection
    from nango_py.engine import Nango

__all__ = ["command"]

_SECONDS = 300.0
_MOST_SECONDS = 600.0
"""An attempt lives no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Whose account is connected, and how."""

    integration: str
    user_id: str
    scopes: tuple[str, ...] | None
    config: Mapping[str, str] | None
    opens_browser: bool
    is_pasted: bool
    redirect_uri: str | None
    port: int
    seconds: float | None

    @property
    def attempt(self) -> dict[str, Any]:
        """What the engine is told of the attempt."""
        return {"scopes": self.scopes, "connection_config": self.config}


@click.command("connect")
@click.argument("integration")
@click.argument("user_id")
@click.option("--scopes", metavar="A,B", help="Ask for these scopes, not for the integration's.")
@click.option("--config", multiple=True, metavar="NAME=VALUE", help="A value of the connection config.")
@click.option("--no-browser", is_flag=True, help="Only print the address; you open it.")
@click.option("--paste", is_flag=True, help="The browser is on another machine: read the callback's URL from here.")
@click.option("--port", type=click.IntRange(1, 65535), help="Listen on this port of 127.0.0.1, not on any free one.")
@click.option(
    "--redirect-uri",
    metavar="URL",
    help="The exact redirect URI that is registered. One on this machine is listened on; for others, see --paste.",
)
@click.option("--device", is_flag=True, help="Show a code to be typed on any other device.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, _MOST_SECONDS, min_open=True),
    metavar="SECONDS",
    help=f"How long to wait: {_SECONDS:.0f}, or as long as a device's code lives. Not with --paste.",
)
@engine_options
@json_option
def command(
    integration: str,
    user_id: str,
    scopes: str | None,
    config: tuple[str, ...],
    port: int | None,
    redirect_uri: str | None,
    timeout: float | None,
    file: str,
    store: str | None,
    blueprints: tuple[str, ...],
    *,
    no_browser: bool,
    paste: bool,
    device: bool,
    as_json: bool,
) -> None:
    """Connect the account of USER_ID in a browser, or by a code on another device.

    Who is connected already is connected anew. The connection is printed, everything else goes to stderr.
    """
    from nango_py.cli.connection_facts import facts_of, show, token_facts
    from nango_py.cli.secrets import read_config

    _check_together(port=port, redirect_uri=redirect_uri, device=device, paste=paste)
    wanted = _Wanted(
        integration=integration,
        user_id=user_id,
        scopes=None if scopes is None else tuple(filter(None, map(str.strip, scopes.split(",")))),
        config=pairs(config) if config else None,
        opens_browser=not (no_browser or paste),
        is_pasted=paste,
        redirect_uri=redirect_uri,
        port=port or 0,
        seconds=timeout,
    )
    with load(file, store, blueprints) as nango:
        core = core_of(nango)
        found = core.integration(integration)
        auth = found.auth
        if not auth.connects:
            raise UsageError(
                f"integration {integration!r}: its accounts are not connected in a browser. "
                f"Use nango-py connections add {integration} {user_id}."
            )
        if core.accounts.manager.vault.version(integration, user_id) is None:
            wanted = replace(wanted, config=read_config(found, wanted.config or {}, comes_later=auth.picked))
        # A scheme that finds its endpoint later declares neither.
        has_device_only = auth.has_device_flow and getattr(auth, "authorization_url", None) is None
        connection = (_on_device if device or has_device_only else _in_browser)(nango, wanted)
        show({**facts_of(connection.view()), **token_facts(auth, connection)}, as_json=as_json)


def _check_together(*, port: int | None, redirect_uri: str | None, device: bool, paste: bool) -> None:
    if port is not None and redirect_uri is not None:
        raise click.UsageError("--redirect-uri has a port already: leave --port out.")
    if device and (paste or port is not None or redirect_uri is not None):
        raise click.UsageError("--device has no callback: leave --paste, --port and --redirect-uri out.")


def _in_browser(nango: Nango, wanted: _Wanted) -> Connection:
    from nango_py.cli.loopback import Address

    address = Address(port=wanted.port) if wanted.redirect_uri is None else Address.of(wanted.redirect_uri)
    if wanted.is_pasted or address is None:
        return _pasted(nango, wanted, address)
    return _caught(nango, wanted, address)


def _caught(nango: Nango, wanted: _Wanted, address: Address) -> Connection:
    from nango_py.cli.loopback import Loopback

    with Loopback(address) as loopback:  # before the browser: nobody else may hold the port that it comes back to
        begun = nango.oauth.begin(
            wanted.integration, wanted.user_id, redirect_uri=loopback.redirect_uri, **wanted.attempt
        )
        loopback.serve(_belongs_to(begun.state))
        _send_to(begun.url, opens_browser=wanted.opens_browser)
        _tell(f"Waiting for the browser at {loopback.redirect_uri} (Ctrl-C ends). Is it elsewhere? Use --paste.")
        seconds = wanted.seconds or _SECONDS
        callback = loopback.wait(seconds, core_of(nango).clock.monotonic)
    if callback is None:
        raise AuthenticationError(
            f"integration {wanted.integration!r}, user {wanted.user_id!r}: no answer came within {seconds:g} s. "
            f"If the provider showed an error about the redirect URI, register {loopback.redirect_uri} with it, or "
            "name the registered one by --redirect-uri or --port. --timeout gives more time, and --paste helps when "
            "the browser is on another machine.",
            integration=wanted.integration,
        )
    return nango.oauth.finish(callback, binding=begun.binding)


def _pasted(nango: Nango, wanted: _Wanted, address: Address | None) -> Connection:
    if wanted.seconds is not None:
        raise click.UsageError("--timeout is not for addresses that are pasted: those have ten minutes.")
    uri = wanted.redirect_uri or _free_uri(address)
    begun = nango.oauth.begin(wanted.integration, wanted.user_id, redirect_uri=uri, **wanted.attempt)
    _send_to(begun.url, opens_browser=wanted.opens_browser)
    _tell(
        f"Your browser will end at {uri}; it does not matter if no page is there.\n"
        "Paste the whole address that it shows then:"
    )
    belongs = _belongs_to(begun.state)
    while (line := _line()) is not None:
        callback = line.strip().strip("'\"<>")
        if belongs(callback):
            return nango.oauth.finish(callback, binding=begun.binding)
        if callback:
            _tell("That is not the address that this sign-in ends at. Paste the one with 'state=' in it:")
    raise UsageError("no callback URL of this sign-in was pasted.")


def _free_uri(address: Address | None) -> str:
    """Return a redirect URI of this machine; a port that is free here is seldom in use where the browser is."""
    from nango_py.cli.loopback import Address, Loopback

    with Loopback(address or Address()) as probe:
        return probe.redirect_uri


def _on_device(nango: Nango, wanted: _Wanted) -> Connection:
    device = nango.oauth.begin_device(wanted.integration, wanted.user_id, **wanted.attempt)
    if wanted.seconds is not None:
        ends_at = core_of(nango).clock.now() + wanted.seconds
        device = replace(device, expires_at=min(device.expires_at, ends_at))
    _tell(f"Open {device.verification_uri}\nand enter the code: {device.user_code}")
    if device.verification_uri_complete:
        _tell(f"Or open {device.verification_uri_complete}\nwhich knows the code already.")
    _tell("Waiting until that is done ...")
    return nango.oauth.finish_device(device)


def _belongs_to(state: str) -> Callable[[str], bool]:
    """Return what tells whether a callback is that of the attempt: others are no reason to give it up."""
    import hmac

    from nango_py.errors import CallbackError
    from nango_py.oauth.callback import read_callback, state_of

    def belongs(callback: str) -> bool:
        try:
            found = state_of(read_callback(callback))
        except CallbackError:
            return False
        return hmac.compare_digest(found.encode("utf-8", "replace"), state.encode())

    return belongs


def _send_to(url: str, *, opens_browser: bool) -> None:
    """Show where to go, and go there; a discovered endpoint must not start programs of this machine."""
    if not url.lower().startswith(("https://", "http://")):
        raise AuthenticationError("the authorization URL is no web address; it was not opened.")
    _tell(f"Open this address to grant access:\n\n{url}\n")
    if opens_browser:
        import webbrowser

        if not webbrowser.open(url):
            _tell("No browser could be started here: open the address yourself.")


def _tell(text: str) -> None:
    """Write to stderr, without what would command the terminal: parts of it come from the provider."""
    click.echo("".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text), err=True)


def _line() -> str | None:
    """Return the next line of standard input, or None after the last."""
    import sys
    from contextlib import suppress

    if not sys.stdin.isatty():
        return sys.stdin.readline(16_384) or None
    with suppress(ImportError):
        import readline  # noqa: F401 - a terminal's own line ends at 1024 signs on macOS; this has no such end
    try:
        return input()
    except EOFError:
        return None
