"""What `tornado4 serve` loses while it is restarted and while a worker is killed, and what it costs.

    python -m benchmarks.serve_load            # requests lost, seconds to replace and to drain
    python -m benchmarks.serve_load --queue    # what is lost of new connections, by --reuse-port and without
    python -m benchmarks.serve_load --cost     # CPU time a request, held against listen() by hand; takes wrk

200 connections ask one request after the other, and 50 WebSockets beside them one echo after the other, all by
keep-alive. A request is *lost* when it was sent and its connection ended without an answer, or when a connection was
refused. For --queue each request has a connection of its own, and workers are killed while they are blocked and new
connections come: those wait in the kernel, in a queue of that worker's own or in one that the others take from, too.
The figures of docs/serve.md are from here.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import queue
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

APP = """
import os, time
from tornado4 import gen, ioloop, web, websocket


class Main(web.RequestHandler):
    def get(self):
        self.write("%d" % os.getpid())


class Slow(web.RequestHandler):
    async def get(self):
        await gen.sleep(0.2)
        self.write("%d" % os.getpid())


class Block(web.RequestHandler):
    def get(self):
        time.sleep(1)
        self.write("%d" % os.getpid())


class Echo(websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


application = web.Application([("/", Main), ("/slow", Slow), ("/block", Block), ("/ws", Echo)])

if __name__ == "__main__":
    application.listen(int(os.environ["PORT"]), "127.0.0.1")
    ioloop.IOLoop.current().start()
"""

REQUEST = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSING = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Load:
    """The clients, and what became of what they asked."""

    def __init__(self, port: int, connections: int, websockets: int, *, fresh: bool = False) -> None:
        self.port = port
        self.counts: Counter[str] = Counter()
        #: Of each lost request, which worker answered last on its connection; "" if none had.
        self.lost: list[str] = []
        self.stopped = False
        if fresh:
            self.tasks = [self.ask_anew(b"/") for _ in range(connections)]
        else:
            self.tasks = [self.ask(b"/slow" if number % 4 == 0 else b"/") for number in range(connections)]
        self.tasks += [self.echo() for _ in range(websockets)]

    async def run(self, script: object) -> None:
        running = [asyncio.ensure_future(task) for task in self.tasks]
        await script  # type: ignore[misc]
        self.stopped = True
        await asyncio.wait_for(asyncio.gather(*running), 60)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            return await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            self.counts["refused"] += 1
            await asyncio.sleep(0.05)
            return None

    async def ask(self, path: bytes) -> None:
        while not self.stopped:
            pair = await self.connect()
            if pair is None:
                continue
            reader, writer = pair
            pid = ""
            while not self.stopped:
                writer.write(REQUEST % path)
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = re.search(rb"Content-Length: (\d+)", head)
                    assert length and head.startswith(b"HTTP/1.1 200")
                    pid = (await reader.readexactly(int(length[1]))).decode()
                except (OSError, asyncio.IncompleteReadError):
                    self.lost.append(pid)
                    break
                self.counts["answered"] += 1
                if b"Connection: close" in head:
                    self.counts["told to close"] += 1
                    break
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def ask_anew(self, path: bytes) -> None:
        while not self.stopped:
            await self.ask_once(path)
            await asyncio.sleep(0.05)

    async def ask_once(self, path: bytes) -> None:
        """A request on a connection of its own."""
        pair = await self.connect()
        if pair is None:
            return
        reader, writer = pair
        writer.write(CLOSING % path)
        try:
            answer = await reader.read()
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            self.counts["answered"] += 1
        else:
            self.lost.append("")
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def echo(self) -> None:
        while not self.stopped:
            pair = await self.connect()
            if pair is None:
                continue
            reader, writer = pair
            writer.write(UPGRADE)
            try:
                await reader.readuntil(b"\r\n\r\n")
                while not self.stopped:
                    writer.write(b"\x81\x85\0\0\0\0hello")
                    head = await reader.readexactly(2)
                    payload = await reader.readexactly(head[1])
                    if head[0] == 0x88:
                        self.counts[f"WebSockets closed with {int.from_bytes(payload[:2], 'big')}"] += 1
                        writer.write(b"\x88\x82\0\0\0\0" + payload[:2])
                        break
                    self.counts["echoes"] += 1
                    await asyncio.sleep(0.01)
            except (OSError, asyncio.IncompleteReadError):
                self.counts["WebSockets cut off"] += 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class Server:
    """`tornado4 serve`, and what it says."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        (folder / "app.py").write_text(APP)
        self.lines: queue.Queue[str] = queue.Queue()
        #: All lines, each with the time at which it came.
        self.log: list[tuple[float, str]] = []
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "tornado4", "serve", "app:application", "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, "--access-log", "off", *options],
            cwd=folder, env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """A pipe that nobody reads would stop the server when it is full."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append((time.monotonic(), line))
            self.lines.put(line)

    def wait_for(self, pattern: str) -> re.Match[str]:
        while True:
            found = re.search(pattern, self.lines.get(timeout=60))
            if found:
                return found

    def stop(self) -> float:
        """Seconds that it took."""
        self.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        self.process.wait(60)
        return time.monotonic() - began

    def drains(self) -> list[float]:
        """Seconds that each drain has taken: of workers that were replaced, or of the only process."""
        found, since = [], {}
        for at, line in self.log:
            worker = re.search(r"worker (\d+) \(pid \d+\) (ready|has left)", line)
            if worker is None:
                if "draining, for" in line:
                    since["only"] = at
                elif "restarting" in line:
                    found.append(at - since["only"])
            elif worker[2] == "ready":
                since[worker[1]] = at  # the former one with this number is told to leave
            else:
                found.append(at - since[worker[1]])
        return found

    async def says(self, pattern: str) -> re.Match[str]:
        return await asyncio.get_running_loop().run_in_executor(None, self.wait_for, pattern)


def show(title: str, load: Load, *more: str) -> None:
    parts = [f"{load.counts['answered']} answered", f"{len(load.lost)} lost", f"{load.counts['refused']} refused"]
    parts += [f"{number} {name}" for name, number in sorted(load.counts.items()) if "WebSockets" in name]
    print(f"{title}: {', '.join([*parts, *more])}", flush=True)


async def restart(folder: Path, processes: int, connections: int, websockets: int) -> None:
    """SIGHUP three times, then SIGTERM under no load."""
    server = Server(folder, "--processes", str(processes))
    port = int(server.wait_for(r"listening on http://127.0.0.1:(\d+)")[1])
    ready = "all workers ready" if processes > 1 else r"ready \(pid"
    server.wait_for(ready)
    load = Load(port, connections, websockets)
    took = []

    async def script() -> None:
        for _ in range(3):
            await asyncio.sleep(2)
            began = time.monotonic()
            server.process.send_signal(signal.SIGHUP)
            await server.says(ready)
            took.append(time.monotonic() - began)
        await asyncio.sleep(2)

    await load.run(script())
    drains = server.drains()
    stopped = server.stop()
    seconds = ", ".join(f"{each:.2f}" for each in took)
    show(f"{processes} process(es), SIGHUP three times", load, f"ready again after {seconds} s",
         f"each drained within {max(drains):.2f} s", f"stopped within {stopped:.1f} s")  # fmt: skip


async def kill(folder: Path, connections: int, websockets: int) -> None:
    """One of two workers is killed, three times."""
    server = Server(folder, "--processes", "2")
    port = int(server.wait_for(r"listening on http://127.0.0.1:(\d+)")[1])
    victim = server.wait_for(r"worker 0 \(pid (\d+)\) ready|worker 1 \(pid (\d+)\) ready")
    pid = victim[1] or victim[2]
    server.wait_for("all workers ready")
    load = Load(port, connections, websockets)
    took, dead = [], set()

    async def script() -> None:
        nonlocal pid
        for _ in range(3):
            await asyncio.sleep(2)
            began = time.monotonic()
            dead.add(pid)
            os.kill(int(pid), signal.SIGKILL)
            pid = (await server.says(r"worker \d \(pid (\d+)\) ready"))[1]
            took.append(time.monotonic() - began)
        await asyncio.sleep(2)

    await load.run(script())
    server.stop()
    held = sum(last in dead for last in load.lost)
    new = sum(last == "" for last in load.lost)
    seconds = ", ".join(f"{each:.2f}" for each in took)
    show("2 processes, a worker killed three times", load,
         f"of those lost {held} on connections of the dead, {new} on new ones",
         f"replaced after {seconds} s")  # fmt: skip


async def queue_lost(folder: Path, connections: int, reuse_port: bool) -> None:
    """New connections all the time, and SIGHUP three times; then a worker is blocked, and killed, ten times."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(folder, "--processes", "2", *(["--reuse-port"] if reuse_port else []), port=port)
    server.wait_for("all workers ready")
    name = "--reuse-port" if reuse_port else "one queue"
    load = Load(port, connections, 0, fresh=True)

    async def script() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            server.process.send_signal(signal.SIGHUP)
            await server.says("all workers ready")
        await asyncio.sleep(2)

    await load.run(script())
    show(f"{name}, a connection a request, SIGHUP three times", load)
    load = Load(port, 0, 0)
    for _ in range(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST % b"/")
        pid = int((await reader.read(65536)).rpartition(b"\r\n")[2])
        writer.write(REQUEST % b"/block")
        await asyncio.sleep(0.2)
        asking = [asyncio.ensure_future(load.ask_once(b"/")) for _ in range(100)]
        await asyncio.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*asking)
        writer.close()
        await server.says("all workers ready")
    server.stop()
    show(f"{name}, 100 connections while a worker is blocked that is then killed, ten times", load)


# ---------------------------------------------------------------------------------------------------------
# What it costs


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost_of(pid: int, port: int) -> float:
    """CPU microseconds a request."""
    before = cpu_seconds(pid)
    said = subprocess.run(
        ["wrk", "-t1", "-c20", "-d2", f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+) requests in", said)
    assert found
    return (cpu_seconds(pid) - before) / int(found[1]) * 1e6


def interval(values: list[float]) -> tuple[float, float]:
    """In which the median lies in 95 of 100 cases, whatever the distribution: by the ranks of the values."""
    ranked = sorted(values)
    outside = max(0, int((len(ranked) - 1.96 * len(ranked) ** 0.5) / 2))
    return ranked[outside], ranked[-1 - outside]


def cost(folder: Path, rounds: int) -> None:
    """A server by hand and one by `serve`, by turns."""
    server = Server(folder)
    port = int(server.wait_for(r"listening on http://127.0.0.1:(\d+)")[1])
    server.wait_for("ready")
    by_hand = subprocess.Popen(
        [sys.executable, "app.py"], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "PORT": str(port + 1)}
    )
    try:
        time.sleep(1)
        ratios, figures = [], []
        both = [(server.process.pid, port), (by_hand.pid, port + 1)]
        for number in range(rounds):
            turn = -1 if number % 2 else 1  # neither is always the first
            served, listening = [cost_of(*each) for each in both[::turn]][::turn]
            ratios.append(served / listening)
            figures.append((served, listening))
        served, listening = (statistics.median(each) for each in zip(*figures, strict=True))
        low, high = interval(ratios)
        print(f"CPU a request: serve {served:.1f} us, listen() {listening:.1f} us; ratio, median of {rounds}: "
              f"{statistics.median(ratios):.3f} (95 % interval {low:.3f} to {high:.3f})")  # fmt: skip
    finally:
        by_hand.kill()
        by_hand.wait()
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--queue", action="store_true")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--websockets", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        if options.cost:
            cost(path, options.rounds)
            return
        if options.queue:
            for reuse_port in (False, True):
                asyncio.run(queue_lost(path, options.connections, reuse_port))
            return
        for processes in (1, 2):
            asyncio.run(restart(path, processes, options.connections, options.websockets))
        asyncio.run(kill(path, options.connections, options.websockets))


if __name__ == "__main__":
    main()
