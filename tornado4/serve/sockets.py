"""What is listened on: bound anew, handed over by systemd or a supervisor, or by ourselves before an exec."""

from __future__ import annotations

import os
import socket
import sys

from tornado4 import netutil
from tornado4.migrate.settings import SettingsError
from tornado4.serve.config import DEFAULT_PORT, Config

#: Connections that may wait to be accepted, while a process is replaced by the next. The kernel takes the least of this
#: and of ``net.core.somaxconn``.
BACKLOG = 2048

#: Set for the program that we become by exec: whose it is, and the descriptors: ``PID:8,9;10`` (those of --health
#: behind the semicolon).
HANDED_ON = "TORNADO4_SERVE_SOCKETS"

#: The first descriptor that systemd hands over (sd_listen_fds(3)).
_FIRST_OF_SYSTEMD = 3


class Listening:
    """The sockets of a server, and those of --health."""

    def __init__(self, serving: list[socket.socket], health: list[socket.socket]) -> None:
        self.serving = serving
        self.health = health

    def close(self) -> None:
        """Listen no more; processes that have the same sockets go on."""
        self.close_serving()
        for sock in self.health:
            sock.close()

    def close_serving(self) -> None:
        """The same, but for --health."""
        for sock in self.serving:
            sock.close()

    def hand_on(self) -> None:
        """Let the program that this process becomes by exec find them."""
        for sock in [*self.serving, *self.health]:
            sock.set_inheritable(True)
        parts = [",".join(str(sock.fileno()) for sock in group) for group in (self.serving, self.health)]
        os.environ[HANDED_ON] = f"{os.getpid()}:{';'.join(parts)}"


def open_all(config: Config) -> Listening:
    """All sockets that ``config`` wants; those of each worker with --reuse-port excepted.

    :raises SettingsError: nothing was handed over, or this system has no such sockets.
    :raises OSError: an address cannot be bound.
    """
    handed_on = _handed_on()
    if handed_on is not None:
        return handed_on
    if config.fd is not None:
        serving, health = _inherited(config.fd)
    elif config.unix is not None:
        serving, health = [_bind_unix(config.unix)], []
    elif config.reuse_port and config.workers > 1:
        serving, health = [], []
    else:
        serving, health = bind(config), []
    if config.health is not None and not health:
        health = netutil.bind_sockets(config.health, config.health_host, backlog=BACKLOG)
    return Listening(serving, health)


def bind(config: Config) -> list[socket.socket]:
    """Listen on --host and --port."""
    if config.reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise SettingsError(f"--reuse-port: {sys.platform} has no such thing; leave it out")
    port = DEFAULT_PORT if config.port is None else config.port
    return netutil.bind_sockets(port, config.host, backlog=BACKLOG, reuse_port=config.reuse_port)


def _bind_unix(path: str) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise SettingsError(f"--unix: {sys.platform} has no such sockets; --port is the way")
    try:
        # Who may connect is for the folder to say: a proxy is another user, mostly.
        return netutil.bind_unix_socket(path, mode=0o666, backlog=BACKLOG)
    except ValueError:
        raise SettingsError(f"--unix {path}: there is something that is no socket; remove it") from None


def _handed_on() -> Listening | None:
    """What we left to ourselves, if we did: another process's variable is not ours."""
    text = os.environ.pop(HANDED_ON, "")
    owner, _, rest = text.partition(":")
    if owner != str(os.getpid()):
        return None
    groups = [[_take(int(fd)) for fd in part.split(",") if fd] for part in rest.split(";")]
    return Listening(*groups)


def _inherited(given: str) -> tuple[list[socket.socket], list[socket.socket]]:
    """The sockets of --fd."""
    if given != "systemd":
        if not all(part.isdecimal() for part in given.split(",")):
            raise SettingsError(f"--fd {given}: it is 'systemd', or numbers of descriptors with commas")
        return [_take(int(fd), f"--fd {fd}") for fd in given.split(",")], []
    owner, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    if owner != str(os.getpid()) or not count.isdecimal() or int(count) < 1:
        raise SettingsError(
            "--fd systemd: no socket was handed to this process (LISTEN_PID and LISTEN_FDS); "
            "start it by a .socket unit, or give --port"
        )
    serving: list[socket.socket] = []
    health: list[socket.socket] = []
    for index in range(int(count)):
        sock = _take(_FIRST_OF_SYSTEMD + index, "--fd systemd")
        (health if names[index : index + 1] == ["health"] else serving).append(sock)
    if not serving:
        raise SettingsError("--fd systemd: all sockets are named 'health'; one to serve on is wanted")
    return serving, health


def _take(fd: int, option: str = "") -> socket.socket:
    try:
        sock = socket.socket(fileno=fd)
        if not _listens(sock):
            sock.detach()
            raise SettingsError(f"{option}: descriptor {fd} is a socket that does not listen")
    except OSError as error:
        raise SettingsError(f"{option}: descriptor {fd} is no socket: {error.strerror}") from None
    sock.setblocking(False)
    sock.set_inheritable(False)  # programs that the application starts have no business with it
    return sock


def _listens(sock: socket.socket) -> bool:
    if not hasattr(socket, "SO_ACCEPTCONN"):
        return True
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return True  # macOS cannot tell


def address_of(sock: socket.socket, scheme: str = "http") -> str:
    """What to type into a browser, or to give to a proxy."""
    name = sock.getsockname()
    if sock.family == getattr(socket, "AF_UNIX", None):
        return f"unix:{name}"
    host = f"[{name[0]}]" if sock.family == socket.AF_INET6 else name[0]
    return f"{scheme}://{host}:{name[1]}"
