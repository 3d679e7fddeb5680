"""For `tornado4.netutil`: the resolvers that Tornado 5 and 6 have for threads."""

from __future__ import annotations

import socket
from concurrent.futures import Executor
from typing import Any

from tornado4 import gen, netutil
from tornado4.ioloop import IOLoop


class DefaultLoopResolver(netutil.Resolver):
    """Asks the system in a thread of the loop's default executor."""

    _executor: Executor | None = None

    def initialize(self, io_loop: Any = None) -> None:
        """As other resolvers."""
        self.io_loop = io_loop or IOLoop.current()

    @gen.coroutine
    def resolve(self, host: str, port: int, family: int = socket.AF_UNSPEC, callback: Any = None) -> Any:
        """The addresses of a host, as pairs of family and address; `OSError` when it has none."""
        found = yield self.io_loop.asyncio_loop.run_in_executor(
            self._executor, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM
        )
        return [(family, address) for family, _, _, _, address in found]


class DefaultExecutorResolver(DefaultLoopResolver):
    """The same, under the name of what replaced the blocking one."""
