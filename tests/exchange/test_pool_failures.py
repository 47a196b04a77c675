from __future__ import annotations

import inspect
import ssl

import httpcore
import httpx
import pytest
from socksio.exceptions import ProtocolError

from nango_py import http
from nango_py.exchange.pool.failures import ROWS, translated

REQUEST = http.Request("GET", "https://example.com/")
RAISED = [each for _, each in inspect.getmembers(httpcore, inspect.isclass) if issubclass(each, Exception)]


@pytest.mark.parametrize("error", RAISED)
def test_every_exception_of_httpcore_has_a_row(error):
    assert error in ROWS


@pytest.mark.parametrize("error", [each for each in RAISED if each is not httpcore.ConnectionNotAvailable])
def test_the_rows_are_those_of_httpx(error):
    from httpx._transports.default import map_httpcore_exceptions

    with pytest.raises(httpx.TransportError) as caught, map_httpcore_exceptions():
        raise error("what happened")
    failure = translated(error("what happened"), REQUEST)

    assert (type(caught.value), str(caught.value)) == (type(failure), str(failure))


def test_the_request_and_the_cause_are_attached():
    error = httpcore.ReadTimeout("late")
    failure = translated(error, REQUEST)

    assert (REQUEST, error) == (failure.request, failure.__cause__)


def test_a_subclass_is_translated_as_its_base():
    class Own(httpcore.ConnectError):
        pass

    assert http.ConnectError is type(translated(Own("x"), REQUEST))


def test_a_late_tls_alert_is_a_read_error():
    assert http.ReadError is type(translated(ssl.SSLError("certificate required"), REQUEST))


def test_a_broken_socks_answer_is_a_proxy_error():
    assert http.ProxyError is type(translated(ProtocolError("x"), REQUEST))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("x"), http.ReadTimeout("x")])
def test_other_errors_pass(error):
    assert translated(error, REQUEST) is None
