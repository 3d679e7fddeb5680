"""A `.Resolver` on the c-ares library, through ``pycares`` (4.4 or later), without which this does not
import.

It needs neither threads nor blocking calls: c-ares' sockets are watched by the `.IOLoop`. What it finds may
differ from what the system's resolver finds. ::

    Resolver.configure("tornado4.platform.caresresolver.CaresResolver")
"""

from __future__ import annotations

import socket
from collections.abc import Generator
from typing import Any

import pycares

from tornado4 import _handed_on, gen
from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop
from tornado4.netutil import Resolver, is_valid_ip

__all__ = ["CaresResolver", "IOLoop", "Resolver", "is_valid_ip"]


class CaresResolver(Resolver):
    """Looks names up with c-ares, on ``io_loop`` (the current one by default)."""

    def initialize(self, io_loop: IOLoop | None = None) -> None:
        """Open a channel; it has no sockets before there is a question to ask."""
        self.io_loop: Any = IOLoop.current() if io_loop is None else io_loop
        self.channel = pycares.Channel(sock_state_cb=self._sock_state_cb)
        #: Events watched for, by descriptor.
        self.fds: dict[int, int] = {}
        self._timer: Any = None

    def close(self) -> None:
        """Give up what is being looked up, and close the channel."""
        self._stop_timer()
        for fd in list(self.fds):
            self._sock_state_cb(fd, False, False)
        self.channel.close()

    def _sock_state_cb(self, fd: int, readable: bool, writable: bool) -> None:
        """c-ares wants a socket to be watched for these events, or no longer for any."""
        events = (IOLoop.READ if readable else 0) | (IOLoop.WRITE if writable else 0)
        if fd in self.fds:
            # Removed and added again, never updated: the number may belong to a new socket.
            self.io_loop.remove_handler(fd)
            del self.fds[fd]
        if events:
            self.io_loop.add_handler(fd, self._handle_events, events)
            self.fds[fd] = events

    def _handle_events(self, fd: int, events: int) -> None:
        readable = fd if events & IOLoop.READ else pycares.ARES_SOCKET_BAD
        writable = fd if events & IOLoop.WRITE else pycares.ARES_SOCKET_BAD
        self.channel.process_fd(readable, writable)
        self._set_timer()

    def _set_timer(self) -> None:
        """Lost packets are c-ares' to repeat, but ours to tell it the time. 4.5.3 did not, and waited for
        ever.
        """
        self._stop_timer()
        if self.fds:
            delay = max(self.channel.timeout() or 0, 0.01)
            self._timer = self.io_loop.call_later(delay, self._handle_timeout)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self.io_loop.remove_timeout(self._timer)
            self._timer = None

    def _handle_timeout(self) -> None:
        self._timer = None
        self.channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
        self._set_timer()

    @gen.coroutine
    def resolve(self, host: str, port: int, family: int = 0) -> Generator[Any, Any, list[tuple[int, Any]]]:
        """As `.Resolver.resolve`; `OSError` when c-ares reports an error or nothing of that family."""
        if is_valid_ip(host):
            kind = socket.AF_INET6 if ":" in host else socket.AF_INET
            found = [(kind, host)]
        else:
            found = yield self._ask(host, family)
        matching = [
            (kind, (address, port)) for kind, address in found if family in (socket.AF_UNSPEC, kind)
        ]
        if not matching:
            kinds = ", ".join(str(int(kind)) for kind, _ in found)
            raise OSError(f"Requested socket family {int(family)} but got {kinds}")
        return [(int(kind), address) for kind, address in matching]

    def _ask(self, host: str, family: int) -> Future:
        """A Future for the (family, address) pairs that c-ares finds."""
        future = Future()

        def answer(result: Any, error: int | None) -> None:
            if error:
                text = pycares.errno.strerror(error)
                text = text.decode() if isinstance(text, bytes) else text
                future.set_exception(
                    OSError(f"C-Ares returned error {error}: {text} while resolving {host}")
                )
                return
            future.set_result([(node.family, _text(node.addr[0])) for node in result.nodes])

        self.channel.getaddrinfo(
            host, None, family=family, type=socket.SOCK_STREAM, callback=answer
        )
        self._set_timer()
        return future


def _text(address: str | bytes) -> str:
    return address.decode("ascii") if isinstance(address, bytes) else address

_handed_on.complete(globals())
