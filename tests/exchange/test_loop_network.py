"""The sockets of ``pool="fast"`` under asyncio."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import time
from contextlib import contextmanager, suppress

import httpcore
import pytest

from nango_py.exchange.pool.loop_network import LoopNetwork
from tests.patience import patiently

MEGABYTE = b"x" * 2**20


@contextmanager
def serving(work):
    """Do the work with the first connection, in a thread; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                work(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def connected(work, use):
    """Return what the coroutine function makes of a connection to the worker."""

    async def main(port):
        stream = await LoopNetwork().connect_tcp("127.0.0.1", port, 5)
        try:
            return await use(stream)
        finally:
            await stream.aclose()

    with serving(work) as port:
        return asyncio.run(main(port))


def test_what_is_received_comes_in_pieces_of_the_asked_size_and_then_ends():
    async def use(stream):
        parts = []
        while part := await stream.read(3, 5):
            parts.append(part)
        return parts

    parts = connected(lambda connection: connection.sendall(b"abcdefgh"), use)
    assert (b"abcdefgh", True) == (b"".join(parts), max(map(len, parts)) <= 3)


def test_a_reader_that_takes_its_time_holds_the_sender_up():
    async def use(stream):
        size, most = 0, 0
        while part := await stream.read(65536, 5):
            # The loop gets as many turns as it wants between two reads.
            for _ in range(3):
                await asyncio.sleep(0)
            size, most = size + len(part), max(most, stream._inbox.size)
        return size, most < 2**20

    assert connected(lambda connection: connection.sendall(MEGABYTE * 16), use) == (2**24, True)


def test_every_operation_has_its_own_timeout():
    done = threading.Event()

    async def use(stream):
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(1, 0.02)
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(MEGABYTE * 64, 0.02)
        with pytest.raises(httpcore.ConnectTimeout):
            await stream.start_tls(ssl.create_default_context(), "127.0.0.1", 0.02)
        done.set()

    connected(lambda _: done.wait(), use)


def answer_once(connection):
    connection.sendall(connection.recv(10))
    connection.recv(10)


def test_a_wait_that_was_met_in_time_does_not_end_the_next_one_early():
    def check(span):
        async def use(stream):
            await stream.write(b"a", 5)
            received = await stream.read(10, span)
            began = time.monotonic()
            with pytest.raises(httpcore.ReadTimeout):
                await stream.read(10, 1.4 * span)
            return received, time.monotonic() - began

        received, seconds = connected(answer_once, use)
        assert (b"a", True) == (received, seconds > 1.2 * span)

    patiently(check)


def test_a_short_wait_ends_although_a_longer_one_was_met_before():
    async def use(stream):
        await stream.write(b"a", 5)
        received = await stream.read(10, 3600)
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(10, 0.05)
        return received

    assert b"a" == connected(answer_once, use)


def test_a_big_write_waits_for_its_reader():
    received = []

    def work(connection):
        while part := connection.recv(2**20):
            received.append(len(part))

    async def use(stream):
        for _ in range(16):
            await stream.write(MEGABYTE, 5)
        stream._inbox.transport.write_eof()
        return await stream.read(1, 5)

    assert (connected(work, use), sum(received)) == (b"", 2**24)


def test_a_reset_connection_is_an_error_to_readers_and_writers():
    def work(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def use(stream):
        await stream.write(b"x", 5)
        with pytest.raises(httpcore.ReadError):
            await stream.read(1, 5)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x", 5)

    connected(work, use)


def test_a_connection_that_the_other_side_ended_can_still_be_written_to():
    received = []

    def work(connection):
        connection.shutdown(socket.SHUT_WR)
        received.append(connection.recv(100))

    async def use(stream):
        ended = await stream.read(1, 5)
        await stream.write(b"late", 5)
        return ended, stream.get_extra_info("is_readable")

    assert (connected(work, use), received) == ((b"", True), [b"late"])


def test_a_refused_connection_is_a_connect_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpcore.ConnectError):
        asyncio.run(LoopNetwork().connect_tcp("127.0.0.1", port, 5))


def test_an_answer_that_is_not_tls_is_a_connect_error():
    def work(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def use(stream):
        with pytest.raises(httpcore.ConnectError):
            await stream.start_tls(ssl.create_default_context(), "127.0.0.1", 5)

    connected(work, use)


def test_a_connection_tells_of_itself():
    done = threading.Event()

    async def use(stream):
        names = ("client_addr", "server_addr", "socket", "ssl_object", "is_readable", "other")
        client, server, own, *rest = [stream.get_extra_info(name) for name in names]
        done.set()
        return own.getsockname() == client, server[0], rest

    assert connected(lambda _: done.wait(), use) == (True, "127.0.0.1", [None, False, None])
