"""Traces for OpenTelemetry: ``pip install tornado4[otel]``.

    from tornado4.hooks import otel
    otel.install()                      # once, before the loop starts

Each request is a span of kind SERVER that continues the trace of its ``traceparent`` header (W3C Trace Context;
whichever propagator is set); each fetch is a span of kind CLIENT beneath that of whoever fetches, and sends such a
header on. What the handler starts itself, in its coroutines and callbacks, stands beneath its request. A WebSocket's
handshake is a request; what its messages do stands beneath that.

Attributes are those of the semantic conventions for HTTP. Credentials and query strings are left out.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

import tornado4
from tornado4 import hooks
from tornado4.httpclient import HTTPError
from tornado4.web import HTTPError as WebHTTPError


class Tracing(hooks.Watcher):
    """The watcher. ``tracer_provider``: by default the global one."""

    def __init__(self, tracer_provider: trace.TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("tornado4", tornado4.version, tracer_provider)

    def request_began(self, event: hooks.RequestEvent) -> None:
        request = event.handler.request
        headers = {name.lower(): value for name, value in request.headers.items()}
        parent = propagate.extract(headers)
        attributes: dict[str, Any] = {
            "http.request.method": event.method,
            "url.path": request.path,
            "url.scheme": request.protocol,
            "network.protocol.version": request.version.partition("/")[2],
            "client.address": request.remote_ip,
            "code.function.name": event.name,
        }
        span = self._tracer.start_span(
            f"{event.method} {event.name}",
            parent,
            SpanKind.SERVER,
            attributes={k: v for k, v in attributes.items() if v},
        )
        event.data[self] = span
        # The Context is the request's own and ends with it: nothing has to be detached.
        context.attach(trace.set_span_in_context(span, parent))

    def request_failed(self, event: hooks.RequestEvent) -> None:
        error = event.error
        if error is not None and not (isinstance(error, WebHTTPError) and error.status_code < 500):
            event.data[self].record_exception(error)

    def request_ended(self, event: hooks.RequestEvent) -> None:
        span = event.data.pop(self, None)
        if span is None:
            return
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
        if event.disconnected:
            span.set_attribute("error.type", "client_disconnected")
        elif event.status is not None and event.status >= 500:
            span.set_attribute("error.type", str(event.status) if event.error is None else type(event.error).__name__)
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def fetch_began(self, event: hooks.FetchEvent) -> None:
        request = event.request
        url = urlsplit(request.url)
        method = request.method or "GET"
        span = self._tracer.start_span(
            method,
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": method,
                "url.full": f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}",
                "server.address": url.hostname or "",
            },
        )
        event.data[self] = span
        propagate.inject(request.headers, trace.set_span_in_context(span))

    def fetch_ended(self, event: hooks.FetchEvent) -> None:
        span = event.data.pop(self, None)
        if span is None:
            return
        if event.response is not None and event.response.code != 599:
            span.set_attribute("http.response.status_code", event.response.code)
        if event.error is not None:
            code = event.error.code if isinstance(event.error, HTTPError) else None
            span.set_attribute("error.type", str(code) if code not in (None, 599) else type(event.error).__name__)
            span.set_status(Status(StatusCode.ERROR, str(event.error)))
        span.end()


def install(tracer_provider: trace.TracerProvider | None = None) -> Tracing:
    """Trace from now on; returns the watcher, for `tornado4.hooks.remove`.

    :arg tracer_provider: default: the global one.
    """
    watcher = Tracing(tracer_provider)
    hooks.add(watcher)
    return watcher
