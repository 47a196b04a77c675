"""Ask a provider whether credentials work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nango_py.errors import RemoteError
from nango_py.exchange.answers import matches
from nango_py.exchange.plan import filled_headers, filled_params, render_path
from nango_py.exchange.requests import make_request
from nango_py.paths import compile_path
from nango_py.template import render_tree

if TYPE_CHECKING:
    from nango_py.effects import Flow
    from nango_py.exchange.answers import Asker
    from nango_py.http import Request, Response
    from nango_py.model import Verification

__all__ = ["CheckResult", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Tell whether a connection's credentials work; ``elapsed`` is in seconds."""

    ok: bool
    status: int | None
    reason: str
    identity: Any = None
    elapsed: float = 0.0


def verify(asker: Asker, verification: Verification, *, agent: str) -> Flow[CheckResult]:
    """Return what the verification request says of the credentials; no answer is a "no" with its reason."""
    started = asker.clock.monotonic()
    try:
        request = yield from _request(asker, verification, agent)
        answer = yield from asker.ask(request)
    except RemoteError as error:
        ok, status, reason, identity = False, None, str(error), None
    else:
        status = answer.status_code
        ok, reason, identity = _judged(verification, answer, is_success=asker.is_success(request, answer))
    elapsed = asker.clock.monotonic() - started
    return CheckResult(ok=ok, status=status, reason=reason, identity=identity, elapsed=elapsed)


def _request(asker: Asker, verification: Verification, agent: str) -> Flow[Request]:
    plan = yield from asker.open()
    values = {**plan.values, **asker.session.moment().functions()}
    return make_request(
        asker.session,
        plan,
        method=verification.method,
        path=render_path(verification.path, values),
        agent=agent,
        params=filled_params(verification.params, values),
        headers=filled_headers(verification.headers, values),
        json=render_tree(verification.json, values),
    )


def _judged(verification: Verification, answer: Response, *, is_success: bool) -> tuple[bool, str, Any]:
    status = answer.status_code
    if not (status in verification.status if verification.status else is_success):
        return False, f"the provider answered {status} {answer.reason_phrase}".rstrip(), None
    body = _json_or_none(answer)
    if verification.expect is not None and not matches(verification.expect, body):
        return False, f"{verification.expect.path!r} is not {verification.expect.value!r}", None
    identity = compile_path(verification.identity).find(body) if verification.identity else None
    return True, "the credentials work", identity


def _json_or_none(answer: Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
