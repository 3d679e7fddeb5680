"""``--health PORT``: whether the server lives and is ready, for whoever runs it.

``/live`` is 200 as long as the process answers at all. ``/ready`` is 200 when requests are accepted, else 503: before
the application is loaded, and while the server drains. ``/`` is as ``/ready``. All have the same JSON:
``{"live": true, "ready": true, "draining": false, "workers": 2, "pid": 7}``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import selectors
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, cast

from tornado4 import httputil
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.migrate.settings import SettingsError
from tornado4.serve.config import Config

log = logging.getLogger("tornado4.serve")

#: prometheus_client's variable: where several processes keep what they count.
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def check(config: Config) -> None:
    """SettingsError where --metrics cannot be had."""
    if config.metrics and importlib.util.find_spec("prometheus_client") is None:
        raise SettingsError("--metrics: there is no prometheus_client: pip install 'tornado4[prometheus]'")


def install(config: Config) -> None:
    """Have the process that serves count, before its application is imported, where --metrics asks for it."""
    if config.metrics:
        from tornado4.hooks import prometheus

        prometheus.install()


@contextlib.contextmanager
def counted_together(config: Config) -> Iterator[None]:
    """A folder for what the workers count, until the end, unless ``PROMETHEUS_MULTIPROC_DIR`` names one."""
    if not config.metrics or _FOLDER in os.environ:
        yield
        return
    folder = tempfile.mkdtemp(
        prefix="tornado4-metrics-"
    )  # no TemporaryDirectory: a forked worker's end would remove it
    os.environ[_FOLDER] = folder
    try:
        yield
    finally:
        del os.environ[_FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


def metrics(path: str) -> bytes | None:
    """What ``/metrics`` answers: None for another path, or where nobody has asked for metrics.

    That is --metrics, or `tornado4.hooks.prometheus.install` in the process that answers. A master serves nothing
    itself: it adds up what its workers leave in ``PROMETHEUS_MULTIPROC_DIR``.
    """
    if path.partition("?")[0] != "/metrics":
        return None
    module = sys.modules.get("tornado4.hooks.prometheus")
    if module is not None and module.installed() is not None:
        return cast(bytes, module.installed().exposition())
    if _FOLDER not in os.environ:
        return None
    try:
        from tornado4.hooks import prometheus
    except ImportError:
        return None  # prometheus_client is not here, so there are no metrics either
    return prometheus.of_all_processes()


def forget(pid: int) -> None:
    """A worker has ended: what it left of gauges in ``PROMETHEUS_MULTIPROC_DIR`` counts no more."""
    if _FOLDER in os.environ:
        try:
            from prometheus_client import multiprocess
        except ImportError:
            return
        with contextlib.suppress(OSError):
            multiprocess.mark_process_dead(pid)


def measure(server: HTTPServer, loop: IOLoop) -> None:
    """Have the metrics, if the application asked for any, know the server and its loop."""
    module = sys.modules.get("tornado4.hooks.prometheus")
    if module is not None and module.installed() is not None:
        module.installed().watch_server(server)
        module.installed().watch_loop(loop)


#: What a server says of itself; ``live`` is added here.
Report = dict[str, Any]

_HEAD_SIZE = 8192
#: Seconds that a client may take to read what the kernel's buffers do not hold.
_SEND_TIME = 1.0
#: Prometheus' text format.
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
#: Connections of a master's at once; further ones wait.
_AT_ONCE = 32


def answer(path: str, report: Report) -> tuple[int, bytes]:
    """Status and body for a request."""
    path = path.partition("?")[0]
    if path not in ("/", "/live", "/ready"):
        return 404, b'{"error": "there are /live and /ready, and with --metrics /metrics"}\n'
    status = 200 if path == "/live" or report["ready"] else 503
    return status, json.dumps({"live": True, **report}).encode() + b"\n"


def _full_answer(path: str, report: Report) -> tuple[int, str, bytes]:
    """Status, type and body for a request."""
    try:
        exposition = metrics(path)
    except Exception:  # what prometheus_client makes of a folder that is gone, or of a file that is damaged
        log.error("the metrics cannot be put together", exc_info=True)
        return 500, "application/json", b'{"error": "the metrics cannot be put together; the log says why"}\n'
    if exposition is not None:
        return 200, _EXPOSITION, exposition
    status, body = answer(path, report)
    return status, "application/json", body


def _head(status: int, kind: str, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {httputil.responses[status]}", f"Content-Type: {kind}",
        f"Content-Length: {len(body)}", "Cache-Control: no-store", "Connection: close", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def server(report: Callable[[], Report]) -> HTTPServer:
    """For a process that has a loop: when the loop is blocked, so is the answer, as it should be."""

    def handle(request: httputil.HTTPServerRequest) -> None:
        status, kind, body = _full_answer(request.uri or "", report())
        connection: Any = request.connection
        headers = httputil.HTTPHeaders({"Content-Type": kind, "Cache-Control": "no-store"})
        headers["Content-Length"] = str(len(body))
        line = httputil.ResponseStartLine("", status, httputil.responses[status])
        connection.write_headers(line, headers, b"" if request.method == "HEAD" else body)
        connection.finish()

    return HTTPServer(handle, no_keep_alive=True)


class OnSelector:
    """For a master, which has no loop: one small answer for each connection.

    A client that is slow holds nobody up; when there are too many of them, the oldest is dropped.
    """

    def __init__(
        self, selector: selectors.BaseSelector, sockets: list[socket.socket], report: Callable[[], Report]
    ) -> None:
        self._selector = selector
        self._report = report
        self._received: dict[socket.socket, bytes] = {}
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ, lambda sock=sock: self._accept(sock))

    def close(self) -> None:
        """Drop the connections that are open. In a forked child, which has copies of them."""
        for connection in self._received:
            connection.close()

    def _accept(self, sock: socket.socket) -> None:
        try:
            connection, _ = sock.accept()
        except OSError:
            return
        connection.setblocking(False)
        while len(self._received) >= _AT_ONCE:
            self._drop(next(iter(self._received)))
        self._received[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(connection))

    def _read(self, connection: socket.socket) -> None:
        if connection not in self._received:
            return  # dropped since the selector saw it: `_accept` came first
        try:
            data = connection.recv(_HEAD_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        received = self._received[connection] + data
        self._received[connection] = received
        if data and b"\r\n\r\n" not in received and len(received) < _HEAD_SIZE:
            return
        words = received.split(b"\r\n", 1)[0].split(b" ")
        if len(words) == 3:
            status, kind, body = _full_answer(words[1].decode("latin-1"), self._report())
            try:
                connection.settimeout(_SEND_TIME)
                connection.sendall(_head(status, kind, body) + (b"" if words[0] == b"HEAD" else body))
            except OSError:
                pass  # it has gone
        self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._received[connection]
        connection.close()
