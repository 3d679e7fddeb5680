"""A server and a loop in this process, for tests of hooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tornado4 import hooks, httpserver, ioloop, netutil, web
from tornado4.httpclient import AsyncHTTPClient


class Bench:
    """``fetch`` asks the application; the server is ``server``."""

    def __init__(self, rules: list[Any]) -> None:
        self.loop: Any = ioloop.IOLoop()
        self.loop.make_current()
        self.server = httpserver.HTTPServer(web.Application(rules))
        (sock,) = netutil.bind_sockets(0, "127.0.0.1")
        self.server.add_socket(sock)
        self.port = sock.getsockname()[1]
        # not by the port: handlers find the server by it
        self.server.request_callback.settings["port"] = self.port  # type: ignore[union-attr]

    def fetch(self, path: str, **kwargs: Any) -> Any:
        client = AsyncHTTPClient()
        return self.loop.run_sync(
            lambda: client.fetch(f"http://127.0.0.1:{self.port}{path}", raise_error=False, **kwargs)
        )

    def close(self) -> None:
        AsyncHTTPClient().close()
        self.server.stop()
        self.loop.run_sync(self.server.close_all_connections)
        self.loop.clear_current()
        self.loop.close(all_fds=True)


@contextlib.contextmanager
def watching(watcher: hooks.Watcher) -> Iterator[None]:
    hooks.add(watcher)
    try:
        yield
    finally:
        hooks.remove(watcher)
