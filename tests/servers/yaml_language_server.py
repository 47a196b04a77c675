"""yaml-language-server: what completes, explains and checks YAML in editors, spoken to as an editor does, over stdio."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from tests.servers.launch import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Editor", "serve"]

SECONDS = 60
SETTINGS = {
    "yaml": {"completion": True, "hover": True, "validate": True, "schemaStore": {"enable": False}, "schemas": {}}
}
CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["markdown"], "snippetSupport": False}},
        "hover": {"contentFormat": ["markdown"]},
        "publishDiagnostics": {},
    },
    "workspace": {"configuration": True},
}


class Editor:
    """One side of the Language Server Protocol: messages with a Content-Length, numbered requests."""

    def __init__(self, child: subprocess.Popen[bytes], project: Path) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self.project = project
        self._out: IO[bytes] = child.stdin
        self._in: IO[bytes] = child.stdout
        self._number = 0
        self._answers: dict[int, queue.SimpleQueue[Any]] = {}
        self._found: dict[str, queue.SimpleQueue[list[dict[str, Any]]]] = {}
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        folder = [{"uri": project.as_uri(), "name": "project"}]
        asked = {"processId": os.getpid(), "rootUri": project.as_uri(), "workspaceFolders": folder}
        self.ask("initialize", {**asked, "capabilities": CAPABILITIES})
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": SETTINGS}})

    def open(self, name: str, text: str) -> list[str]:
        """Open a file of the project with *text*, and return what is wrong with it: ``line: message``."""
        uri = (self.project / name).as_uri()
        self._found[uri] = queue.SimpleQueue()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        found = self._found[uri].get(timeout=SECONDS)
        return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found]

    def complete(self, name: str, line: int, column: int) -> dict[str, dict[str, Any]]:
        """Return what fits at a place, which counts from 1, by label."""
        answer = self._at("textDocument/completion", name, line, column)
        return {item["label"]: item for item in answer["items"]}

    def hover(self, name: str, line: int, column: int) -> str:
        """Return what is shown of the word at a place, which counts from 1."""
        answer = self._at("textDocument/hover", name, line, column)
        return str(answer["contents"]["value"]) if answer else ""

    def ask(self, method: str, params: Any) -> Any:
        """Return the result of a request."""
        self._number += 1
        number = self._number
        self._answers[number] = queue.SimpleQueue()
        self._send({"id": number, "method": method, "params": params})
        answer = self._answers[number].get(timeout=SECONDS)
        assert "error" not in answer, answer
        return answer["result"]

    def _at(self, method: str, name: str, line: int, column: int) -> Any:
        place = {"line": line - 1, "character": column - 1}
        return self.ask(method, {"textDocument": {"uri": (self.project / name).as_uri()}, "position": place})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._out.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._out.flush()

    def _read(self) -> None:
        while header := self._in.readline():
            length = int(header.partition(b":")[2])
            while self._in.readline().strip():
                pass
            self._take(json.loads(self._in.read(length)))

    def _take(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params")
        if method is None:
            self._answers[message["id"]].put(message)
        elif method == "textDocument/publishDiagnostics" and params["uri"] in self._found:
            self._found[params["uri"]].put(params["diagnostics"])
        elif method == "workspace/configuration":
            answer = [SETTINGS.get(item.get("section"), {}) for item in params["items"]]
            self._send({"id": message["id"], "result": answer})
        elif "id" in message:
            self._send({"id": message["id"], "result": None})


@contextmanager
def serve(folder: Path) -> Iterator[Editor]:
    """Run the server for the project in *folder*."""
    script = installed("yaml-language-server", "node_modules", "yaml-language-server", "bin", "yaml-language-server")
    command = [installed("node", "bin", "node"), script, "--stdio"]
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=folder, start_new_session=True
        ) as child,
    ):
        try:
            editor = Editor(child, folder)
            yield editor
        finally:
            child.kill()
        editor.reader.join(SECONDS)
