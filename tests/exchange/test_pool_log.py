from __future__ import annotations

import logging

import httpcore
import pytest

from nango_py import http
from nango_py.exchange.pool import Pool

SECRETS = ("query-secret", "header-secret", "cookie-secret", "proxy-secret", "cHJveHktc2VjcmV0")


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="httpcore")
    caplog.handler.setFormatter(logging.Formatter("%(message)s"))
    return caplog


def shown(log):
    return [secret for secret in SECRETS if secret in log.text]


def test_the_debug_log_of_httpcore_shows_events_but_no_secrets(run, server, log):
    async def scenario(face):
        await face.get(f"{server.origin}/cookie?key=query-secret", headers={"Authorization": "header-secret"})

    run(scenario)
    assert shown(log) == []
    assert "receive_response_headers.complete" in log.messages
    assert any(f"port={server.port}" in message for message in log.messages)


def test_a_header_that_cannot_be_sent_is_not_logged(run, server, log):
    async def scenario(face):
        with pytest.raises(http.LocalProtocolError):
            await face.get(f"{server.origin}/echo", headers={"Authorization": "header-secret\n"})

    run(scenario)
    assert shown(log) == []
    assert "send_request_headers.failed" in log.messages


def test_an_answer_that_is_read_later_logs_no_header_either(run, server, log, ask):
    async def scenario(face):
        answer = await face.send(ask(f"{server.origin}/chunked", headers={"Authorization": "header-secret"}))
        await face.read(answer)

    run(scenario)
    assert shown(log) == []
    assert "receive_response_body.complete" in log.messages


def test_credentials_of_proxies_are_not_logged(run, serve, log):
    pytest.importorskip("socksio")
    proxy = serve()

    async def scenario(face):
        await face.get("http://nowhere.test/")

    run(scenario, environ={"HTTP_PROXY": f"http://user:proxy-secret@127.0.0.1:{proxy.port}"})

    async def refused(face):
        with pytest.raises(http.TransportError):
            await face.get("http://nowhere.test/", timeout={"read": 1})

    server = serve()
    server.stop()
    run(refused, environ={"HTTP_PROXY": f"socks5://user:proxy-secret@127.0.0.1:{server.port}"})
    assert shown(log) == []


def test_the_log_of_other_users_of_httpcore_stays_as_it_is(server, log):
    with Pool(environ={}), httpcore.ConnectionPool() as others:
        others.request("GET", f"{server.origin}/cookie")

    assert "cookie-secret" in log.text
