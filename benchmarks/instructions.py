"""Count the instructions of one small GET: ``python benchmarks/instructions.py`` (some minutes; it takes valgrind).

For machines that others use, too, where time tells little: these counts hardly vary from run to run. Sockets answer
at once, so that neither the kernel nor a server is counted; the difference of two counts leaves out the start.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import httpcore
import httpx

from benchmarks.hotpath import ANSWER, loaded, raw_transport
from nango_py.exchange.pool import Pool

URL = "http://127.0.0.1:8080/"
FEW, MANY = 20, 120
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


class Sockets(httpcore.NetworkBackend):
    def connect_tcp(self, *_args, **_options):
        return Socket()


class Socket(httpcore.NetworkStream):
    def read(self, _max_bytes, timeout=None):  # noqa: ARG002 - httpcore gives it by name
        return ANSWER

    def write(self, buffer, timeout=None):
        pass

    def close(self):
        pass

    def get_extra_info(self, _info):
        return None


def raw():
    client = httpx.Client(headers={"Authorization": "Bearer k"}, transport=raw_transport(Sockets()))
    return lambda: client.get(URL + "thing").json()


def by_client(kind):
    client = loaded(URL, Pool(network_backend=Sockets(), fast=kind == "fast")).client("a", "u")
    return lambda: client.get("thing").json()


def by_action(kind):
    nango = loaded(URL, Pool(network_backend=Sockets(), fast=kind == "fast"))
    return lambda: nango.trigger_action("a", "get", "u")


WORKS = {
    "raw httpx": raw,
    "nango.client, default": lambda: by_client("default"),
    "an action, default": lambda: by_action("default"),
    "nango.client, fast": lambda: by_client("fast"),
    "an action, fast": lambda: by_action("fast"),
}


def counted(name, count):
    """Return the instructions of a process that does a work so often."""
    command = (*CALLGRIND, sys.executable, __file__, name, str(count))
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def main():
    first = None
    for name in WORKS:
        each = (counted(name, MANY) - counted(name, FEW)) / (MANY - FEW)
        first = first or each
        print(f"{name:24}{each / 1000:8.0f} thousand  {each / first:.2f}x", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work = WORKS[sys.argv[1]]()
        for _ in range(int(sys.argv[2])):
            work()
    else:
        main()
