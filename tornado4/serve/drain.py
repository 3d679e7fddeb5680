"""How a process that serves comes to its end without losing anything.

No connection is accepted any more. Requests that run are answered; keep-alive connections are told
``Connection: close`` with the next answer, and those that stay silent are closed after a moment; WebSockets are closed
with code 1001. When all that is done, or the grace is over, the process may go.
"""

from __future__ import annotations

import logging
import select
import sys
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from tornado4 import hooks, serve
from tornado4.concurrent import Future
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.websocket import WebSocketHandler

log = logging.getLogger("tornado4.serve")

#: Seconds that a silent keep-alive connection stays open: a request may be on its way on it, and would be lost.
SILENCE = 1.0
#: RFC 6455, section 7.4.1: "an endpoint is going away".
GOING_AWAY = 1001
#: Seconds between two looks at what is left.
_LOOK = 0.05

#: WebSockets of this process; see `remember_websockets`.
_websockets: weakref.WeakSet[WebSocketHandler] = weakref.WeakSet()


class _Remembering(hooks.Watcher):
    def websocket_opened(self, event: hooks.WebSocketEvent) -> None:
        _websockets.add(event.handler)


def remember_websockets() -> None:
    """Know from now on which WebSockets are open. Called once, before the first."""
    hooks.add(_Remembering())


def open_websockets() -> list[WebSocketHandler]:
    """Those whose ``on_close`` has not been called."""
    return [handler for handler in _websockets if not handler._on_close_called]


class _Gone:
    """Stands in for the connection of a WebSocket that was told 1001, until its peer has answered.

    Messages of the peer may still come in, and the application answer them or send to all: that is dropped, as the
    close frame has left already, where `WebSocketClosedError` would fill the log with every message.
    """

    def write_message(self, message: Any, binary: bool = False) -> Future:
        sent = Future()
        sent.set_result(None)
        return sent

    def write_ping(self, data: bytes) -> None: ...

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Drain:
    """The end of some servers, beginning now; ``done`` is called when nothing is left, or ``grace`` seconds later.

    With ``keep_listening`` the listening sockets stay open, for the next program to accept what waits there.
    """

    def __init__(
        self,
        loop: IOLoop,
        servers: Iterable[HTTPServer],
        grace: float,
        done: Callable[[], Any],
        *,
        keep_listening: bool = False,
    ) -> None:
        self._loop = loop
        self._servers = list(servers)
        self._done = done
        self._told: weakref.WeakSet[WebSocketHandler] = weakref.WeakSet()
        self._over = False
        self._began = time.monotonic()
        self._end = self._began + grace
        for server in self._servers:
            _stop_accepting(loop, server, keep_listening)
            for connection in list(server._connections):
                pump = connection._pump
                if pump is not None:
                    pump.finish_soon()
            server.conn_params.no_keep_alive = True
        self._looking = PeriodicCallback(self._look, _LOOK * 1000, io_loop=loop)
        self._looking.start()
        serve._begin_to_drain(loop)
        loop.add_callback(self._look)

    def stop_listening(self) -> bool:
        """Accept what waits and close the listening sockets, after all; False when it is too late for that.

        For a drain that was to keep them: nobody is going to take them over any more.
        """
        if self._over:
            return False
        for server in self._servers:
            _stop_accepting(self._loop, server, keep_listening=False)
        return True

    def left(self) -> float:
        """Seconds of the grace; less than 0 when it is over."""
        return self._end - time.monotonic()

    def give_up(self) -> None:
        """End it now."""
        self._end = 0.0
        self._look()

    def _look(self) -> None:
        if self._over:
            return
        now = time.monotonic()
        for handler in open_websockets():  # again: a handshake may have been under way
            if handler not in self._told:
                self._told.add(handler)
                if handler.ws_connection is not None:  # else it is closing already
                    handler.close(GOING_AWAY, "server is going away")
                    handler.ws_connection = _Gone()
        self._close_silent(now if now < self._end else float("inf"))
        left = sum(len(server._connections) for server in self._servers)
        websockets = len(open_websockets())
        if left or websockets:
            if now < self._end:
                return
            log.warning("grace is over: %d requests and %d WebSockets are cut off", left, websockets)
            self._cut_off()
        self._over = True
        self._looking.stop()
        self._done()

    def _close_silent(self, now: float) -> None:
        """Close connections between two requests, if the last one was over long enough ago.

        Not one that the loop has not read yet: on a busy machine a request may wait for longer than that.
        """
        for server in self._servers:
            for connection in list(server._connections):
                pump = connection._pump
                if pump is not None and pump.is_idle:
                    since = max(self._began, pump._idle_since)
                    if now - since >= SILENCE and (now == float("inf") or not _has_come(connection.stream)):
                        connection.stream.close()

    def _cut_off(self) -> None:
        for server in self._servers:
            for connection in list(server._connections):
                connection.stream.close()
        for handler in open_websockets():
            handler.stream.close()


def _has_come(stream: Any) -> bool:
    """Whether the kernel has bytes for us, or the peer's end: the loop gets to it in its next round."""
    if stream.socket is None:
        return False
    if sys.platform == "win32" or not hasattr(select, "poll"):
        return bool(select.select([stream.socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(stream.socket, select.POLLIN)
    return bool(poll.poll(0))


def _stop_accepting(loop: IOLoop, server: HTTPServer, keep_listening: bool) -> None:
    if keep_listening:
        for fd in server._sockets:
            loop.remove_handler(fd)
        return
    # What has been waiting to be accepted would get a reset when nobody else listens.
    for sock in list(server._sockets.values()):
        while True:
            try:
                connection, address = sock.accept()
            except OSError:
                break
            server._handle_connection(connection, address)
    server.stop()
