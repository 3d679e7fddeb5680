"""A load for a server in a process of its own: bodies that do not fit into memory, and a thousand WebSockets.

Used by tests of ASGI and of the bridge; memory is what Linux tells of the process.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from pathlib import Path

from tornado4.websocket import WebSocketClientConnection, websocket_connect

#: Bytes that a process may grow by, whatever passes through it.
ALLOWED = 48 * 1024 * 1024
_PIECE = b"x" * 1_000_000


def resident(pid: int) -> int:
    """Bytes that the process has had in memory at most since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def upload(port: int, path: str, size: int) -> bytes:
    """The answer to a body of ``size`` bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nLimit: {size}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        sock.sendall(head.encode())
        for start in range(0, size, len(_PIECE)):
            sock.sendall(_PIECE[: size - start])
        return b"".join(iter(lambda: sock.recv(65536), b""))


def answer(port: int, path: str) -> bytes:
    """A whole answer, head and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: sock.recv(65536), b""))


def download(port: int, path: str) -> int:
    """How many bytes came as an answer, head and framing included."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        buffer = bytearray(1 << 20)
        return sum(iter(lambda: sock.recv_into(buffer), 0))


def stalled(port: int, path: str, seconds: float = 0.5) -> None:
    """Ask for much and read nothing for a while, then go."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        sock.recv(1000)
        time.sleep(seconds)


async def sockets(port: int, path: str, count: int, greets: bool = False) -> None:
    """Open so many, send a message on each and read its echo, close one half and drop the other."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    url = f"ws://127.0.0.1:{port}{path}"
    connections: list[WebSocketClientConnection] = []
    for start in range(0, count, 50):
        opened = [websocket_connect(url) for _ in range(min(50, count - start))]
        connections += await asyncio.gather(*opened)
    for connection in connections:
        connection.write_message(f"message {id(connection)}")
    for connection in connections:
        if greets:
            await connection.read_message()
        assert await connection.read_message() == f"message {id(connection)}"
    for number, connection in enumerate(connections):
        if number % 2:
            connection.close(4000)
        else:
            connection.stream.close()
    for connection in connections[1::2]:
        assert await connection.read_message() is None
