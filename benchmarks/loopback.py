"""Servers in a process of their own, so that what they cost is not what the client costs."""

import asyncio
import multiprocessing
from contextlib import contextmanager


def _run(listen, ports):
    async def main():
        server = await listen("127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def serving(listen):
    """Give the URL of the server that *listen*, called with a host and a port, has made."""
    ports = multiprocessing.Queue()
    server = multiprocessing.Process(target=_run, args=(listen, ports), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{ports.get()}/"
    finally:
        server.terminate()
