"""``nango-py mcp`` as a model's host meets it: the SDK's own client, over stdio and over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from contextlib import asynccontextmanager, contextmanager

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.mcp.provider import FILES, SECRET, providing, write_program

COMMAND = (sys.executable, "-c", "from nango_py.cli import main; main()", "mcp")
READING = {"acme_count", "acme_get_file", "acme_get_missing", "acme_hang", "acme_list_things"}
TOKEN = "t0ken-of-the-test-that-is-long-enough"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def provider():
    with providing() as server:
        yield server


@pytest.fixture
def environ(provider, tmp_path):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    return {
        **kept,
        **write_program(tmp_path, provider.server_port),
        "NO_PROXY": "127.0.0.1",
        "NANGO_MCP_TOKEN": TOKEN,
    }


@asynccontextmanager
async def over_stdio(folder, environ, *words, mode="auto"):
    server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], *words], env=environ, cwd=folder)
    with (folder / "stderr.txt").open("w") as errors:
        async with Client(stdio_client(server, errlog=errors), mode=mode) as client:
            yield client


@contextmanager
def serving(folder, environ, *words):
    """Run the HTTP server; give its URL."""
    command = [*COMMAND, "--http", "--port", "0", *words]
    with (
        (folder / "stdout.txt").open("w") as output,
        subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=subprocess.PIPE, text=True) as child,
    ):
        try:
            yield child.stderr.readline().removeprefix("Serving ").strip()
        finally:
            child.terminate()
            child.stderr.read()


@asynccontextmanager
async def over_http(url, token=TOKEN, mode="auto"):
    import httpx2

    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_a_client_lists_and_calls_the_tools(provider, environ, tmp_path, transport, mode):
    async def meet(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert READING | {"acme_add_thing", "acme_burst", "acme_send_file"} == set(tools)
        listing = tools["acme_list_things"]
        assert "Things, in order." == listing.description
        assert (True, False, True) == (
            listing.annotations.read_only_hint, listing.annotations.destructive_hint, listing.annotations.idempotent_hint,
        )  # fmt: skip
        assert ["limit"] == list(listing.input_schema["properties"])
        assert ["items"] == listing.output_schema["required"]
        assert tools["acme_count"].annotations.read_only_hint is True
        assert tools["acme_add_thing"].annotations.read_only_hint is False

        listed = await client.call_tool("acme_list_things", {"limit": 2})
        assert [0, 1] == [item["id"] for item in listed.structured_content["items"]]
        assert listed.structured_content == json.loads(listed.content[0].text)
        added = await client.call_tool("acme_add_thing", {"name": "new"})
        assert {"id": 900, "name": "new"} == added.structured_content

    async def main():
        if transport == "stdio":
            async with over_stdio(tmp_path, environ, "--user", "user-1", mode=mode) as client:
                await meet(client)
        else:
            with serving(tmp_path, environ, "--user", "user-1") as url:
                async with over_http(url, mode=mode) as client:
                    await meet(client)

    anyio.run(main)


def test_errors_are_results_that_help_the_model_and_hold_no_secret(environ, tmp_path):
    async def main():
        async with over_stdio(tmp_path, environ, "--connection", "acme=user-1") as client:
            wrong = await client.call_tool("acme_add_thing", {"nam": "x"})
            missing = await client.call_tool("acme_get_missing", {})
            burst = await client.call_tool("acme_burst", {})
            with pytest.raises(MCPError, match="Unknown tool"):
                await client.call_tool("acme_nothing", {})
            return [wrong, missing, burst]

    wrong, missing, burst = anyio.run(main)
    assert [True] * 3 == [result.is_error for result in (wrong, missing, burst)]
    assert "unknown key 'nam'. Did you mean 'name'?" in wrong.content[0].text
    assert "404" in missing.content[0].text
    assert "RuntimeError" in burst.content[0].text
    told = "".join(part.text for result in (wrong, missing, burst) for part in result.content)
    logged = (tmp_path / "stderr.txt").read_text()
    assert SECRET not in told + logged
    assert "tool.failed" in logged


def test_progress_reaches_the_client_and_what_an_action_prints_does_not(environ, tmp_path):
    heard = []

    async def hear(done, total, message):
        heard.append((done, total, message))

    async def main():
        async with over_stdio(tmp_path, environ, "--user", "user-1", "--read-only") as client:
            assert READING == {tool.name for tool in (await client.list_tools()).tools}
            counted = await client.call_tool("acme_count", {}, progress_callback=hear)
            assert {"counted": 3} == json.loads(counted.content[0].text)

    anyio.run(main)
    assert [(1, 3, "1 of 3"), (2, 3, "2 of 3"), (3, 3, "3 of 3")] == heard
    assert "what a careless action prints" in (tmp_path / "stderr.txt").read_text()


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_a_cancelled_call_ends_the_request_to_the_provider(provider, environ, tmp_path, transport):
    async def cancel(client):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "acme_hang", {})
            assert await anyio.to_thread.run_sync(provider.arrived.wait, 60)
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(provider.gone.wait, 60)

    async def main():
        if transport == "stdio":
            async with over_stdio(tmp_path, environ, "--user", "user-1") as client:
                await cancel(client)
        else:
            with serving(tmp_path, environ, "--user", "user-1") as url:
                async with over_http(url) as client:
                    await cancel(client)

    anyio.run(main)


def test_a_long_output_is_cut_and_says_so(environ, tmp_path):
    async def main():
        async with over_stdio(tmp_path, environ, "--user", "user-1", "--max-output", "2000") as client:
            return await client.call_tool("acme_list_things", {"limit": 100})

    result = anyio.run(main)
    kept = len(result.structured_content["items"])
    assert 5 < kept < 100
    assert f"Cut: the first {kept} of 100 items, which fit into 2,000 characters." == result.content[1].text
    assert not result.is_error


def test_files_go_in_as_base64_and_come_out_as_what_they_are(environ, tmp_path):
    async def main():
        async with over_stdio(tmp_path, environ, "--user", "user-1") as client:
            schema = {tool.name: tool for tool in (await client.list_tools()).tools}["acme_send_file"].input_schema
            assert {
                "type": "string",
                "contentEncoding": "base64",
                "description": "The file's bytes as base64 text.",
            } == (schema["properties"]["file"])
            sent = await client.call_tool("acme_send_file", {"file": b64encode(FILES["raw"][1]).decode()})
            assert {"id": 1, "size": 256, "is_same": True} == json.loads(sent.content[0].text)
            bad = await client.call_tool("acme_send_file", {"file": "/etc/passwd"})
            assert (True, "a file is handed in as base64 text.") == (bad.is_error, bad.content[0].text[-35:])
            return {name: await client.call_tool("acme_get_file", {"name": name}) for name in FILES}

    got = anyio.run(main)
    assert FILES["raw"][1] == b64decode(got["raw"].content[0].resource.blob)
    assert ("grüße", "text/plain") == (
        got["text"].content[0].resource.text,
        got["text"].content[0].resource.mime_type,
    )
    assert ("image", "image/png") == (got["picture"].content[0].type, got["picture"].content[0].mime_type)
    assert got["huge"].is_error
    assert "more than 10,485,760 bytes" in got["huge"].content[0].text


def test_http_answers_only_who_shows_the_token_and_means_this_machine(environ, tmp_path):
    ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with serving(tmp_path, environ, "--user", "user-1") as url, httpx.Client(trust_env=False) as http:

        def status(**headers):
            accepted = {"Accept": "application/json, text/event-stream", **headers}
            return http.post(
                url, json=ping, headers={name.replace("_", "-"): value for name, value in accepted.items()}
            ).status_code

        known = {"Authorization": f"Bearer {TOKEN}"}
        assert url.startswith("http://127.0.0.1:")
        assert 401 == status()
        assert 401 == status(Authorization="Bearer t0ken")
        assert "Bearer" == http.get(url).headers["WWW-Authenticate"]
        assert 403 == status(**known, Origin="https://evil.example")
        assert 421 == status(**known, Host="evil.example")


def test_without_a_token_of_ones_own_one_is_made_and_shown(environ, tmp_path):
    del environ["NANGO_MCP_TOKEN"]
    command = [*COMMAND, "--http", "--port", "0", "--user", "user-1"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as child:
        try:
            url = child.stderr.readline().removeprefix("Serving ").strip()
            token = child.stderr.readline().rpartition(" ")[2].strip()

            async def main():
                async with over_http(url, token) as client:
                    return (await client.call_tool("acme_count", {})).is_error

            assert anyio.run(main) is False
        finally:
            child.terminate()
            child.stderr.read()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no account to work with: say --user, or --connection INTEGRATION=USER_ID."),
        (("--user", "user-9"), "user 'user-9' has no connection. Make one: nango-py connections add"),
        (("--connection", "acme=user-9"), "no connection for user 'user-9'"),
        (("--connection", "acme"), "--connection wants INTEGRATION=USER_ID."),
        (("--user", "user-1", "--action", "list-thing"), "Did you mean 'list-things'?"),
        (("--user", "user-1", "--action", "acme/add-thing", "--read-only"), "have no such action to offer"),
    ],
)
def test_a_wrong_choice_is_told_at_once(environ, tmp_path, words, message):
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (2, "") == (done.returncode, done.stdout)
    assert message in done.stderr


@pytest.mark.parametrize("name", ["NANGO_MCP_TOKEN", "NANGO_MCP_TOKEN_FILE"])
def test_a_token_that_anybody_could_guess_is_refused(environ, tmp_path, name):
    (tmp_path / "token").write_text("short\n")
    given = {"NANGO_MCP_TOKEN": "short", "NANGO_MCP_TOKEN_FILE": str(tmp_path / "token")}[name]
    command = [*COMMAND, "--http", "--port", "0", "--user", "user-1"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**environ, name: given}, capture_output=True, text=True, check=False
    )
    assert 2 == done.returncode
    assert "at least 16" in done.stderr
