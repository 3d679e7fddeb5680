"""For `tornado4.tcpserver`: more of what `netutil.bind_sockets` can do."""

from __future__ import annotations

import socket

from tornado4 import process, tcpserver
from tornado4.netutil import _DEFAULT_BACKLOG, bind_sockets

_start = tcpserver.TCPServer.start


class TCPServer(tcpserver.TCPServer):
    """Members for TCPServer."""

    def listen(
        self,
        port: int,
        address: str | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        backlog: int = _DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Accept connections on ``port`` from now on; the arguments are those of `bind_sockets`."""
        self.add_sockets(bind_sockets(port, address, family, backlog, flags, reuse_port))

    def bind(
        self,
        port: int,
        address: str | None = None,
        family: int = socket.AF_UNSPEC,
        backlog: int = _DEFAULT_BACKLOG,
        reuse_port: bool = False,
        *,
        flags: int | None = None,
    ) -> None:
        """Bind ``port``, to accept on it when `start` is called (at once, if it has been)."""
        sockets = bind_sockets(port, address, family, backlog, flags, reuse_port)
        if self._started:
            self.add_sockets(sockets)
        else:
            self._pending_sockets += sockets

    def start(self, num_processes: int | None = 1, *, max_restarts: int | None = None) -> None:
        """As ever; ``max_restarts`` is that of `process.fork_processes`."""
        if num_processes == 1 or max_restarts is None:
            _start(self, num_processes)
            return
        assert not self._started
        self._started = True
        process.fork_processes(num_processes, max_restarts)
        sockets, self._pending_sockets = self._pending_sockets, []
        self.add_sockets(sockets)
