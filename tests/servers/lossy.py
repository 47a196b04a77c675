"""A network that carries every request and loses answers: what was asked has been done, and nobody knows."""

from __future__ import annotations

import httpx

__all__ = ["Lossy"]


class Lossy(httpx.BaseTransport):
    """Lose the next *losses* answers of the endpoint at *path*; what is asked there is carried out all the same."""

    def __init__(self, path: str, losses: int = 0) -> None:
        self.path = path
        self.losses = losses
        self._inner = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if request.url.path == self.path and self.losses:
            self.losses -= 1
            answer.read()
            answer.close()
            raise httpx.ReadError("the connection was cut", request=request)
        return answer

    def close(self) -> None:
        self._inner.close()
