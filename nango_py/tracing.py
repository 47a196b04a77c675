"""The one home of OpenTelemetry: spans for those who set a tracer provider; nobody else pays for them.

Nothing here imports ``opentelemetry``: a program that traces has imported it. Names are those of the semantic
conventions for HTTP clients (https://opentelemetry.io/docs/specs/semconv/http/http-spans/), and what they lack begins
with ``nango.``.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.trace import Span, Tracer

    from nango_py.http import Request

__all__ = ["active", "begin", "begin_attempt", "current", "end", "end_attempt", "is_wanted", "spanned"]

_ERROR = 400
_known: tuple[Any, Any] = (None, None)
"""The provider that was met last, and its tracer."""


def is_wanted() -> bool:
    """Tell whether anybody traces."""
    return _tracer() is not None


def begin(
    name: str,
    facts: dict[str, Any],
    *,
    kind: Literal["INTERNAL", "CLIENT"] = "INTERNAL",
    parent: Span | None = None,
) -> Span | None:
    """Return a new span below *parent*, or below the current one; None where nobody traces."""
    tracer = _tracer()
    if tracer is None:
        return None
    trace = sys.modules["opentelemetry.trace"]
    context = None if parent is None else trace.set_span_in_context(parent)
    attributes = {key: value for key, value in facts.items() if value is not None}
    return tracer.start_span(name, context=context, kind=trace.SpanKind[kind], attributes=attributes)


def begin_attempt(
    request: Request, *, again: int = 0, parent: Span | None = None, mask: Callable[[str], str] = str
) -> Span | None:
    """Return the span of one try of a request, after *again* others; *mask* takes what is secret out of its URL."""
    if not is_wanted():
        return None
    url = request.url
    facts = {
        "http.request.method": request.method,
        # Query and user info may hold credentials.
        "url.full": mask(str(url.copy_with(query=None, fragment=None, username=None, password=None))),
        "server.address": mask(url.host),
        "server.port": url.port or {"https": 443, "http": 80}.get(url.scheme),
        "http.request.resend_count": again or None,
    }
    return begin(request.method, facts, kind="CLIENT", parent=parent)


def end_attempt(span: Span | None, status: int) -> None:
    """End the span of a try that was answered."""
    facts = {"http.response.status_code": status}
    end(span, str(status) if status >= _ERROR else None, facts)


def end(span: Span | None, error: BaseException | str | None = None, facts: dict[str, Any] | None = None) -> None:
    """End a span, with what went wrong: an error's class or a word, and never its text, which may hold anything."""
    if span is None:
        return
    if facts:
        span.set_attributes(facts)
    if error is not None:
        trace = sys.modules["opentelemetry.trace"]
        span.set_attribute("error.type", error if isinstance(error, str) else type(error).__qualname__)
        span.set_status(trace.StatusCode.ERROR)
    span.end()


def current(span: Span | None) -> Span | None:
    """Return the current span where it belongs to the trace of *span*, else *span*."""
    if span is None:
        return None
    here: Span = sys.modules["opentelemetry.trace"].get_current_span()
    return here if here.get_span_context().trace_id == span.get_span_context().trace_id else span


@contextmanager
def active(span: Span | None) -> Iterator[None]:
    """Make a span the current one of this thread or task."""
    if span is None:
        yield
        return
    trace, context = sys.modules["opentelemetry.trace"], sys.modules["opentelemetry.context"]
    token = context.attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def spanned(name: str, facts: dict[str, Any], *, kind: Literal["INTERNAL", "CLIENT"] = "INTERNAL") -> Iterator[None]:
    """Do work of this thread within a span."""
    span = begin(name, facts, kind=kind)
    try:
        with active(span):
            yield
    except BaseException as error:
        end(span, error)
        raise
    end(span)


def _tracer() -> Tracer | None:
    global _known  # noqa: PLW0603 - one assignment, and whoever loses a race asks the provider once more
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None or not hasattr(trace, "get_tracer_provider"):
        return None  # not imported, or another thread is just at it
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    if provider is not _known[0]:
        from nango_py import __version__  # noqa: PLC0415

        _known = (provider, provider.get_tracer("nango_py", __version__))
    return _known[1]  # type: ignore[no-any-return]
