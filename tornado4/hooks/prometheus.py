"""Metrics for Prometheus: ``pip install tornado4[prometheus]``.

    from tornado4.hooks import prometheus

    metrics = prometheus.install()
    application = web.Application([("/metrics", metrics.handler), ...])

============================================  =========  =======================================================
``tornado4_request_seconds``                  histogram  from head to the end of the answer; handler, method, status
``tornado4_requests_in_progress``             gauge
``tornado4_request_errors_total``             counter    what handlers raised, HTTPError below 500 excepted; handler
``tornado4_requests_disconnected_total``      counter    the client has gone before the answer was complete; handler
``tornado4_fetch_seconds``                    histogram  of the HTTP client; method, status (``error`` if there is none)
``tornado4_websockets``                       gauge      that are open; handler
``tornado4_connections``                      gauge      of the servers given to `Metrics.watch_server`
``tornado4_loop_lag_seconds``                 histogram  how much later than asked a timer ran; `Metrics.watch_loop`
``tornado4_queue_length``                     gauge      of the queues given to `Metrics.watch_queue`; queue
============================================  =========  =======================================================

Several processes: set ``PROMETHEUS_MULTIPROC_DIR``, as prometheus_client wants it; each of them then answers for all.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from tornado4 import hooks
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.web import HTTPError, RequestHandler

if TYPE_CHECKING:
    from tornado4.httpserver import HTTPServer

_METHODS = frozenset(RequestHandler.SUPPORTED_METHODS)
_LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def of_all_processes() -> bytes:
    """The text that Prometheus reads, of all that write to ``PROMETHEUS_MULTIPROC_DIR``."""
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)
    return bytes(generate_latest(together))


class Metrics(hooks.Watcher):
    """The watcher. ``registry``: by default that of prometheus_client, of which there is one in a process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        # Gauges of several processes are added up, and those of dead ones are not counted.
        several = {"multiprocess_mode": "livesum", "registry": registry}
        labels = ["handler", "method", "status"]
        self._requests = Histogram("tornado4_request_seconds", "Requests", labels, registry=registry)
        self._running = Gauge("tornado4_requests_in_progress", "Requests that are being answered", **several)
        self._errors = Counter("tornado4_request_errors", "Errors of handlers", ["handler"], registry=registry)
        self._gone = Counter(
            "tornado4_requests_disconnected", "Clients that went before their answer", ["handler"], registry=registry
        )
        self._fetches = Histogram("tornado4_fetch_seconds", "Fetches", ["method", "status"], registry=registry)
        self._websockets = Gauge("tornado4_websockets", "WebSockets that are open", ["handler"], **several)
        self._connections = Gauge("tornado4_connections", "Connections of servers", **several)
        self._lag = Histogram(
            "tornado4_loop_lag_seconds", "Timers that ran late", buckets=_LAG_BUCKETS, registry=registry
        )
        self._queues = Gauge("tornado4_queue_length", "Lengths of queues", ["queue"], **several)
        self._servers: list[HTTPServer] = []
        self._watched: dict[str, Any] = {}

        class Handler(RequestHandler):
            """Answers with all metrics."""

            def get(handler) -> None:
                handler.set_header("Content-Type", CONTENT_TYPE_LATEST)
                handler.write(self.exposition())

        #: For a rule of an application's.
        self.handler: type[RequestHandler] = Handler

    def exposition(self) -> bytes:
        """The text that Prometheus reads."""
        self._look()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            return of_all_processes()
        return bytes(generate_latest(self.registry))

    def watch_server(self, server: HTTPServer) -> None:
        """Count the connections of ``server``. WebSockets are none of them: they have left it."""
        self._servers.append(server)

    def watch_queue(self, name: str, queue: Any) -> None:
        """Show how much is in ``queue``, which has a ``qsize()``.

        :arg name: its label.
        """
        self._watched[name] = queue

    def watch_loop(self, loop: IOLoop | None = None, seconds: float = 0.5) -> PeriodicCallback:
        """See every so many seconds how late a timer is; the lengths of queues and servers are taken with it.

        :arg loop: default: the current one.
        """
        loop = IOLoop.current() if loop is None else loop
        due = loop.time() + seconds

        def look() -> None:
            nonlocal due
            now = loop.time()
            self._lag.observe(max(0.0, now - due))
            due = now + seconds
            self._look()

        timer = PeriodicCallback(look, seconds * 1000, io_loop=loop)
        timer.start()
        return timer

    def _look(self) -> None:
        if self._servers:
            self._connections.set(sum(len(server._connections) for server in self._servers))
        for name, queue in self._watched.items():
            self._queues.labels(name).set(queue.qsize())

    # -- what is watched

    def request_began(self, event: hooks.RequestEvent) -> None:
        event.data[self] = True  # those that began before `install` are not counted at their end either
        self._running.inc()

    def request_failed(self, event: hooks.RequestEvent) -> None:
        if not (isinstance(event.error, HTTPError) and event.error.status_code < 500):
            self._errors.labels(event.name).inc()

    def request_ended(self, event: hooks.RequestEvent) -> None:
        if not event.data.pop(self, False):
            return
        self._running.dec()
        if event.disconnected:
            self._gone.labels(event.name).inc()
            return
        method = event.method if event.method in _METHODS else "other"  # which is the client's to choose
        self._requests.labels(event.name, method, str(event.status)).observe(event.duration)

    def fetch_ended(self, event: hooks.FetchEvent) -> None:
        status = "error" if event.response is None or event.response.code == 599 else str(event.response.code)
        self._fetches.labels(event.request.method or "GET", status).observe(event.duration)

    def websocket_opened(self, event: hooks.WebSocketEvent) -> None:
        event.data[self] = True
        self._websockets.labels(event.name).inc()

    def websocket_closed(self, event: hooks.WebSocketEvent) -> None:
        if event.data.pop(self, False):
            self._websockets.labels(event.name).dec()


_installed: Metrics | None = None


def install() -> Metrics:
    """Measure from now on, in the registry of prometheus_client; the same `Metrics` if it was called before."""
    global _installed
    if _installed is None:
        _installed = Metrics()
        hooks.add(_installed)
    return _installed


def installed() -> Metrics | None:
    """What `install` has made, if it was called."""
    return _installed
