"""A worker for gunicorn: ``gunicorn -k tornado4.serve.gunicorn.Worker myapp:application``.

What is served is what ``tornado4 serve`` serves (``tornado4.serve.target``). gunicorn's own settings hold: ``timeout``
(the loop is blocked), ``graceful_timeout``, ``max_requests`` and its jitter, ``reload``, ``certfile``, ``keyfile``,
``ca_certs``, ``cert_reqs``, ``accesslog``. A stop drains: see ``tornado4.serve.drain``.
"""

from __future__ import annotations

import os
import signal
import ssl
import sys
from typing import Any

from gunicorn.workers import base

from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.log import access_log
from tornado4.migrate import settings
from tornado4.serve import command, drain, health, target
from tornado4.serve.worker import Server

#: Seconds between two signs of life; gunicorn looks whether they are younger than its time-out.
_SIGN_OF_LIFE = 1.0
#: Seconds that we end the drain before gunicorn kills, so that it can be said what was cut off.
_BEFORE_THE_KILL = 0.5


class Worker(base.Worker):
    """Serves on one loop."""

    #: Whether a proxy's ``X-Real-Ip`` and its like are believed; see `ProxiedWorker`.
    xheaders = False

    def init_process(self) -> None:
        """In the forked process: a loop of its own, then what gunicorn does."""
        IOLoop.clear_current()  # one from before the fork would share its epoll with the master's
        self._loop = IOLoop.current()
        self._server: HTTPServer | None = None
        self._early = False
        self._draining: drain.Drain | None = None
        super().init_process()

    def load_wsgi(self) -> None:
        """Import the application, with the alias and what else ``TORNADO4_...`` and ``[tool.tornado4]`` ask for."""
        wanted = settings.together([settings.of_environment(), settings.of_project(os.getcwd())])
        command.prepare(wanted)
        super().load_wsgi()

    def init_signals(self) -> None:
        """gunicorn's, but for the one that is graceful: that one is for the loop to see."""
        super().init_signals()
        signal.signal(signal.SIGTERM, lambda *_: self._loop.add_callback_from_signal(self._leave))

    def run(self) -> None:
        """Serve until gunicorn, or the number of requests, ends it."""
        self.notify()  # or gunicorn would not miss a loop that is blocked from its first request on
        drain.remember_websockets()
        if self.cfg.accesslog:
            _log_where_gunicorn_does(self.log)
        application = target.adapt(self.wsgi, "the application")
        lifespan = hasattr(application, "startup")  # ASGI
        if lifespan:
            self._loop.run_sync(application.startup)
        self._server = server = self._make_server(application)
        for each in self.sockets:
            sock = getattr(each, "sock", each)
            sock.setblocking(False)
            server.add_socket(sock)
        health.measure(server, self._loop)
        self._loop.add_handler(self.PIPE[0], self._woken, IOLoop.READ)
        signs = PeriodicCallback(self._show_life, min(_SIGN_OF_LIFE, (self.timeout or 2) / 2) * 1000)
        signs.start()
        if self._early:
            self._loop.add_callback(self._leave)
        self._loop.start()
        signs.stop()
        if lifespan:
            self._loop.run_sync(application.shutdown)

    def _make_server(self, application: Any) -> HTTPServer:
        kwargs: dict[str, Any] = {"xheaders": self.xheaders, "ssl_options": self._ssl_context()}
        if self.max_requests == sys.maxsize:
            return HTTPServer(application, **kwargs)
        server = Server(application, **kwargs)
        server.left = self.max_requests
        server.enough = self._on_enough
        return server

    def _ssl_context(self) -> ssl.SSLContext | None:
        cfg = self.cfg
        if not cfg.is_ssl:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=cfg.ca_certs)
        context.load_cert_chain(cfg.certfile, cfg.keyfile)
        context.verify_mode = ssl.VerifyMode(int(cfg.cert_reqs))
        return context

    def _show_life(self) -> None:
        self.notify()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self._leave()

    def _woken(self, fd: int, events: int) -> None:
        """A signal has come, or a source file has changed."""
        os.read(fd, 4096)
        if not self.alive:
            self._leave()

    def _on_enough(self) -> None:
        self.log.info("Autorestarting worker after current request: %s", self)
        self._loop.add_callback(self._leave)

    def _leave(self) -> None:
        if self._server is None:
            self._early = True  # the application has the loop run while it begins
        elif self._draining is None:
            self.alive = False
            grace = max(0.0, self.cfg.graceful_timeout - _BEFORE_THE_KILL)
            self._draining = drain.Drain(self._loop, [self._server], grace, self._loop.stop)


class ProxiedWorker(Worker):
    """`Worker` behind a proxy that nobody can pass by: its ``X-Real-Ip`` and its like are believed."""

    xheaders = True


def _log_where_gunicorn_does(log: Any) -> None:
    access_log.handlers[:] = log.access_log.handlers
    access_log.setLevel("INFO")
    access_log.propagate = False
