"""An addon of mitmproxy: between a client and a real server, let happen what the tests have asked for.

``PUT /_faults`` takes a list of faults, one for each of the next requests; an empty text lets a request pass.
``GET /_faults`` answers what has come since: the request, what happened to it, and whether the server has seen it.
"""

import asyncio
import json
import socket
import struct

from mitmproxy import ctx, http

CONTROL = "/_faults"
LATE = 600  # seconds: longer than any client of the tests waits
NOTHING_LINGERS = struct.pack("ii", 1, 0)  # closing such a socket sends RST


class Faults:
    def __init__(self):
        self.planned = []
        self.seen = []

    async def request(self, flow):
        if flow.request.path == CONTROL:
            flow.response = self.control(flow.request)
            return
        flow.metadata["entry"] = entry = {
            "method": flow.request.method,
            "path": flow.request.path,
            "headers": {name.lower(): value for name, value in flow.request.headers.items()},
            "fault": self.planned.pop(0) if self.planned else "",
            "passed": False,
        }
        self.seen.append(entry)
        await self.before(flow, entry["fault"])
        entry["passed"] = flow.response is None and flow.error is None

    def control(self, request):
        if request.method == "PUT":
            self.planned, self.seen = request.json(), []
        return http.Response.make(200, json.dumps(self.seen), {"Content-Type": "application/json"})

    async def before(self, flow, fault):
        """What happens to a request that the server never sees."""
        if fault[:3].isdigit():
            status, _, headers = fault.partition(" ")
            flow.response = http.Response.make(int(status), b'{"error": "fault"}', self.headers(headers))
        elif fault == "hang up":
            flow.kill()
        elif fault == "reset":
            self.reset(flow)
        elif fault == "silence":
            await asyncio.sleep(LATE)

    def headers(self, text):
        name, _, value = text.partition(": ")
        return {"Content-Type": "application/json", **({name: value} if name else {})}

    async def response(self, flow):
        """What happens to an answer: the server has done its work by then."""
        fault = flow.metadata["entry"]["fault"] if "entry" in flow.metadata else ""
        if fault == "lost":
            flow.kill()
        elif fault == "lost by reset":
            self.reset(flow)
        elif fault == "late":
            await asyncio.sleep(LATE)
        elif fault == "cut short":
            self.cut_short(flow.response)
        elif fault == "not JSON":
            flow.response.content = b"<html>oops"

    def cut_short(self, answer):
        whole = answer.raw_content
        answer.raw_content = whole[: len(whole) // 2]
        answer.headers["Content-Length"] = str(len(whole))
        answer.headers["Connection"] = "close"

    def reset(self, flow):
        handlers = ctx.master.addons.get("proxyserver").connections.values()
        (transport,) = (one.transports[one.client] for one in handlers if one.client is flow.client_conn)
        transport.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOTHING_LINGERS)
        transport.writer.transport.abort()
        flow.kill()


addons = [Faults()]
