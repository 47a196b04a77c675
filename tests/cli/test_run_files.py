"""``nango-py run`` takes files and gives one."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

DATA = b"\x00\xff wren"
DECLARED = """\
integrations:
  birds:
    auth: {{auth_mode: NONE}}
    requests: {{base_url: "http://127.0.0.1:{port}/"}}
    actions:
      upload:
        input: {{type: object, properties: {{file: {{type: string, format: binary}}}}, required: [file]}}
        request: {{method: POST, path: x, raw: {{content: "${{input.file}}"}}}}
      download:
        request: {{path: x}}
        output: {{download: true}}
"""


class Provider(BaseHTTPRequestHandler):
    """Keep what is posted and give it back."""

    kept = b""

    def do_POST(self):
        type(self).kept = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"{}")

    def do_GET(self):
        self.answer(DATA)

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Disposition", 'attachment; filename="birds.bin"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture(autouse=True)
def _provider(tmp_path, run):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (tmp_path / "integrations.yaml").write_text(DECLARED.format(port=server.server_port))
    run("connections", "add", "birds", "u", "--credentials", "-", stdin="{}")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_file_is_attached_by_its_path(run, tmp_path):
    (tmp_path / "a.bin").write_bytes(DATA)
    assert 0 == run("run", "birds", "upload", "u", "--attach", "file=a.bin").returncode
    assert DATA == Provider.kept


def test_file_in_json_is_base64(run):
    given = json.dumps({"file": b64encode(DATA).decode()})
    assert 0 == run("run", "birds", "upload", "u", "--input", given).returncode
    assert DATA == Provider.kept


@pytest.mark.parametrize(
    "words", [("--attach", "a.bin"), ("--attach", "file=missing"), ("--input", '{"file": "/etc/"}')]
)
def test_what_is_no_file_is_wrong_use(run, words):
    assert 2 == run("run", "birds", "upload", "u", *words).returncode


def test_download_is_saved(run, tmp_path):
    told = json.loads(run("run", "birds", "download", "u", "--output", ".").stdout)
    assert {"saved": "birds.bin", "size": len(DATA), "content_type": None} == told
    assert DATA == (tmp_path / "birds.bin").read_bytes()


def test_download_needs_a_place(run):
    refused = run("run", "birds", "download", "u")
    assert (2, True) == (refused.returncode, "--output FILE" in refused.stderr)
