"""Servers as processes: started, held to a core, and asked what they have used."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

from benchmarks.environments import Peer, PeerUnavailable, start

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


class Server:
    """A running server of a peer's."""

    def __init__(self, peer: Peer, *args: str, **variables: str) -> None:
        self._process: subprocess.Popen[str] = start(peer, *peer.args, *args, **variables)
        self.pid = self._process.pid
        if len(CORES) > 1:
            os.sched_setaffinity(self.pid, {CORES[-1]})
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("PORT "):
            self.close()
            raise PeerUnavailable(f"{peer.name}: {peer.server} {' '.join(args)} did not start")
        self.port, *more = map(int, line.split()[1:])
        self.tls_port, self.tcp_port = [*more, 0, 0][:2]

    def cpu(self) -> float:
        """Seconds of processor time that it has used, all threads."""
        try:
            threads = os.listdir(f"/proc/{self.pid}/task")
            return sum(_scheduled(f"/proc/{self.pid}/task/{thread}/schedstat") for thread in threads) / 1e9
        except FileNotFoundError:  # a kernel without these statistics
            with open(f"/proc/{self.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """KiB that are resident."""
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _scheduled(path: str) -> int:
    with open(path) as file:
        return int(file.read().split()[0])


@contextlib.contextmanager
def serving(peer: Peer, *args: str, **variables: str) -> Iterator[Server]:
    server = Server(peer, *args, **variables)
    try:
        yield server
    finally:
        server.close()
