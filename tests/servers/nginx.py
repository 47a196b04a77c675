"""nginx: TLS under an authority of one's own, a port that wants a client certificate, and a limiter without a word."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.certificates import authority
from tests.servers.launch import free_port, program, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certificates import Authority, Certificate

__all__ = ["Nginx", "serve"]

TOLD = """default_type application/json;
      return 200 '{"path": "$request_uri", "subject": "$ssl_client_s_dn", "verified": "$ssl_client_verify"}';"""
PASSED_ON = """proxy_set_header Host $proxy_host;
      proxy_set_header X-Client-Subject $ssl_client_s_dn;
      proxy_pass %s;"""
CONFIG = """%(user)s
daemon off;
pid %(folder)s/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  ssl_certificate %(certificate)s;
  ssl_certificate_key %(key)s;
  limit_req_status 429;
  limit_req_zone $http_authorization zone=slow:1m rate=%(slow)s;
  limit_req_zone $http_authorization zone=fast:1m rate=%(fast)s;
  server {
    listen 127.0.0.1:%(plain)s;
    location / {
      return 204;
    }
    # What is answered by `return` passes every limiter: it comes before them.
    location /slow {
      limit_req zone=slow burst=2 nodelay;
      proxy_pass http://127.0.0.1:%(plain)s/;
    }
    location /fast {
      limit_req zone=fast burst=2 nodelay;
      proxy_pass http://127.0.0.1:%(plain)s/;
    }
  }
  server {
    listen 127.0.0.1:%(tls)s ssl;
    location / {
      %(location)s
    }
  }
  server {
    listen 127.0.0.1:%(http2)s ssl http2;
    keepalive_requests 3;
    location / {
      default_type application/json;
      return 200 '{"protocol": "$server_protocol", "connection": "$connection", "path": "$request_uri"}';
    }
  }
  server {
    listen 127.0.0.1:%(mutual)s ssl;
    ssl_client_certificate %(authority)s;
    ssl_verify_client on;
    location / {
      %(location)s
    }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """An nginx that answers every path with JSON: ``path``, ``subject`` (of the client's certificate), ``verified``."""

    url: str
    """TLS; the client need not show a certificate."""
    mutual_url: str
    """TLS; without a client certificate of the authority the answer is 400."""
    http2_url: str
    """TLS; HTTP/2 to who asks for it: ``protocol``, ``connection`` (its number) and ``path``, three to a connection."""
    plain_url: str
    """No TLS: 204 everywhere; under ``/slow`` and ``/fast`` each ``Authorization`` has three requests in a row, which
    fill up again at 1 and 10 a second. Others are refused by 429, without a header that says for how long."""
    authority: Authority
    """Trusted by the server; its ``certificate`` is what the client must trust."""
    client: Certificate
    """Of the authority: subject ``CN=client``."""
    stranger: Certificate
    """Of another authority."""


@contextmanager
def serve(folder: Path, *, upstream: str | None = None) -> Iterator[Nginx]:
    """Run an nginx; with ``upstream``, an origin, it passes requests on and names the client in a header."""
    ours, theirs = (authority(_folder(folder / name)) for name in ("ours", "theirs"))
    server, ports = ours.server(), {name: free_port() for name in ("plain", "tls", "mutual", "http2")}
    config = folder / "nginx.conf"
    settings = {
        "user": "user root;" if os.geteuid() == 0 else "",  # the folders of tests are closed to others
        "folder": folder,
        "certificate": server.certificate,
        "key": server.key,
        "authority": ours.certificate,
        "slow": "1r/s",
        "fast": "10r/s",
        "location": PASSED_ON % upstream if upstream else TOLD,
        **ports,
    }
    config.write_text(CONFIG % settings)
    command = [program("nginx"), "-c", str(config), "-p", str(folder), "-e", "stderr"]
    with running(command, answers_at=f"http://127.0.0.1:{ports['plain']}/", folder=folder):
        yield Nginx(
            url=f"https://127.0.0.1:{ports['tls']}",
            http2_url=f"https://127.0.0.1:{ports['http2']}",
            mutual_url=f"https://127.0.0.1:{ports['mutual']}",
            plain_url=f"http://127.0.0.1:{ports['plain']}",
            authority=ours,
            client=ours.client(),
            stranger=theirs.client("stranger"),
        )


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
