"""A process that serves: alone, or one of a master's."""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any

from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop, TimeoutError
from tornado4.serve import drain, health, reloading, target
from tornado4.serve.config import Config
from tornado4.serve.signals import ENDING, Signals, known
from tornado4.serve.sockets import Listening

log = logging.getLogger("tornado4.serve")

#: Seconds beyond the grace after which a process that should have ended is killed.
MERCY = 5.0
#: Seconds for the end of an ASGI application's lifespan, at least.
_LEAST = 1.0


class Server(HTTPServer):
    """An `.HTTPServer` that counts what it is asked, for --max-requests.

    With `start_request` overridden each request goes the long way; servers that do not count are plain.
    """

    enough: Callable[[], None]
    left: int

    def start_request(self, server_conn: Any, request_conn: Any) -> Any:
        """The delegate for one request; when it is the last that was wanted, ``enough`` is called."""
        self.left -= 1
        if self.left == 0:
            self.enough()
        return super().start_request(server_conn, request_conn)


def make_server(config: Config, application: Any, enough: Callable[[], None]) -> HTTPServer:
    """The server, as the options want it. ``enough`` is called when --max-requests have come."""
    ssl_options: Any = None
    if config.tls_cert is not None:
        import ssl

        ssl_options = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ssl_options.load_cert_chain(config.tls_cert, config.tls_key)
    kwargs: dict[str, Any] = {
        "xheaders": config.xheaders,
        "trusted_downstream": set(config.trusted) or None,
        "ssl_options": ssl_options,
    }
    if config.max_requests is None:
        return HTTPServer(application, **kwargs)
    server = Server(application, **kwargs)
    server.enough = enough
    # Some more, each its own: processes that started together are not to be replaced together.
    server.left = config.max_requests + random.randint(0, config.max_requests // 10)
    return server


class Worker:
    """Serves until a signal ends it."""

    def __init__(self, config: Config, listening: Listening) -> None:
        self.config = config
        self.listening = listening
        self.servers: list[HTTPServer] = []
        self.ready = False
        self.draining: drain.Drain | None = None
        self.container: Any = None

    def run(self) -> None:
        """Load the application, serve, return when the drain is over.

        :raises tornado4.serve.target.TargetError: there is no such application. What its module raises passes.
        """
        drain.remember_websockets()
        application = target.load(self.config.app)
        self.loop = IOLoop.current()
        if hasattr(application, "startup"):  # ASGI: its lifespan
            self.container = application
            self.loop.run_sync(application.startup)
        server = make_server(self.config, application, self.on_enough)
        self.servers.append(server)
        self.loop.add_callback(self._say_ready)
        self.set_signals()  # before the first connection can be accepted, and after `ready`
        server.add_sockets(self.sockets())
        self.add_health()
        health.measure(server, self.loop)
        if self.config.reload:
            reloading.start(self.loop)
        self.loop.start()
        if self.container is not None:
            self._end_lifespan()
        self.on_end()

    def _end_lifespan(self) -> None:
        """Within what is left of the grace: a restart, too, has to go on at some time."""
        left = self.config.grace if self.draining is None else self.draining.left()
        try:
            self.loop.run_sync(self.container.shutdown, timeout=max(_LEAST, left))
        except TimeoutError:
            log.error("grace is over: the end of the ASGI application's lifespan is cut off")
        except Exception:
            log.error("the ASGI application's lifespan ends with an error", exc_info=True)

    def set_signals(self) -> None:
        """What each signal does from now on; the application's own handlers, set while it was imported, go."""
        raise NotImplementedError

    def sockets(self) -> list[socket.socket]:
        """What connections are accepted on."""
        return self.listening.serving

    def _say_ready(self) -> None:
        self.ready = True
        self.on_ready()

    def leave(self, *, keep_listening: bool = False) -> None:
        """Begin to drain; the second time, hang up."""
        if self.draining is not None:
            self.draining.give_up()
            return
        self.ready = False
        self.on_leave()
        self.draining = drain.Drain(
            self.loop, self.servers, self.config.grace, self.loop.stop, keep_listening=keep_listening
        )

    def hang_up(self) -> None:
        """Cut off what runs. It may be heard of before the signal to drain that was sent first."""
        if self.draining is None:
            self.leave()
        self.leave()

    # -- what differs between one process and one of several

    def add_health(self) -> None:
        """Answer on the sockets of --health, if that is this process's business."""

    def on_ready(self) -> None:
        """The loop runs, and connections are accepted."""

    def on_leave(self) -> None:
        """The drain begins."""

    def on_enough(self) -> None:
        """--max-requests have come."""

    def on_end(self) -> None:
        """The drain is over, and the loop has stopped."""


class Single(Worker):
    """The only process. SIGHUP, and --max-requests, make it a new program that has the old one's sockets.

    SIGTERM and SIGINT drain, and hang up when they come again; SIGQUIT hangs up.
    """

    def __init__(self, config: Config, listening: Listening, signals: Signals) -> None:
        super().__init__(config, listening)
        self.signals = signals
        self.again = False

    def set_signals(self) -> None:
        actions: Mapping[str, Callable[[], None]] = {
            "SIGTERM": self.stop, "SIGINT": self.stop, "SIGQUIT": self.hang_up, "SIGHUP": self.restart
        }  # fmt: skip
        named = {number: actions[signal.Signals(number).name] for number in self.signals.numbers}
        self.signals.attach(self.loop, named, (self.config.grace + MERCY, MERCY))

    def add_health(self) -> None:
        self.health = health.server(self.report)
        self.health.add_sockets(self.listening.health)

    def report(self) -> health.Report:
        """For --health."""
        return {
            "ready": self.ready,
            "draining": self.draining is not None,
            "workers": int(self.ready),
            "pid": os.getpid(),
        }

    def on_ready(self) -> None:
        log.info("ready (pid %d)", os.getpid())

    def on_leave(self) -> None:
        log.info("draining, for %g seconds at most", self.config.grace)

    def stop(self) -> None:
        """Drain, then end; the second time, hang up."""
        if not self.again:
            self.leave()
            return
        assert self.draining is not None
        if self.draining.stop_listening():
            self.again = False
            log.info("no restart: stopping")
        else:  # what waits to be accepted is the next program's already, and so is the end
            self.signals.leave(signal.SIGTERM)

    def hang_up(self) -> None:
        self.again = False
        super().hang_up()

    def restart(self) -> None:
        """Drain, then start anew."""
        if self.draining is None:
            self.again = True
            self.leave(keep_listening=True)

    def on_enough(self) -> None:
        self.loop.add_callback(self.restart)

    def on_end(self) -> None:
        if self.again:
            self.start_anew()
        log.info("stopped")

    def wants_another_start(self) -> bool:
        """Whether SIGHUP has come before the application was there, and nothing that ends."""
        received = set(self.signals.received)
        return not received.isdisjoint(known("SIGHUP")) and received.isdisjoint(ENDING)

    def start_anew(self) -> None:
        """The same command once more, with the same sockets. Does not return."""
        log.info("restarting")
        self.listening.hand_on()
        self.signals.hand_on()
        reloading.become_anew()
