"""What the chat of this folder loses, and how soon it is whole again, while its processes are killed and restarted.

    python measure.py              # needs redis-server and nginx, and what is in requirements.txt

Four processes behind nginx, with messages going through Redis, all of them started here on sockets of their own; 500
WebSockets and 500 long polls listen, and somebody says something every 0.4 seconds. One process is killed, and
started again; then all are replaced, one after the other. Every client is to have each message once, in order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tornado4.httpclient import AsyncHTTPClient, HTTPError
from tornado4.platform.asyncio import AsyncIOMainLoop
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.websocket import WebSocketError, websocket_connect

HERE = Path(__file__).resolve().parent
PROCESSES = 4
#: Seconds before a client that was refused comes again, as the page of a chat would.
PAUSE = 0.2
#: What "no answer" looks like.
FAILURES = (HTTPError, WebSocketError, OSError)


class Listener:
    """A client: what it has heard, and when it lost its connection and heard something again."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.after = 0
        self.heard: list[int] = []
        self.lost_at: float | None = None
        self.silences: list[float] = []
        self.breaks = 0

    def take(self, messages: list[dict[str, Any]]) -> None:
        numbers = [message["number"] for message in messages]
        self.heard += numbers
        self.after = numbers[-1] if numbers else self.after

    def broken(self) -> None:
        self.breaks += 1
        if self.lost_at is None:
            self.lost_at = time.monotonic()

    def back(self) -> None:
        if self.lost_at is not None:
            self.silences.append(time.monotonic() - self.lost_at)
            self.lost_at = None

    async def poll(self, client: AsyncHTTPClient) -> None:
        while True:
            try:
                answer = await client.fetch(
                    f"http://127.0.0.1:{self.port}/listen?after={self.after}", request_timeout=40
                )
            except FAILURES:
                self.broken()
                await asyncio.sleep(PAUSE)
                continue
            self.back()
            self.take(json.loads(answer.body)["messages"])

    async def follow(self) -> None:
        while True:
            try:
                feed = await websocket_connect(f"ws://127.0.0.1:{self.port}/feed?after={self.after}")
            except FAILURES:
                self.broken()
                await asyncio.sleep(PAUSE)
                continue
            self.back()
            while (message := await feed.read_message()) is not None:
                self.take(json.loads(message))
            self.broken()


class Speaker:
    """Says numbered things until each is said; with the same key where it is not known whether it was."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.said: list[int] = []
        self.again = 0

    async def say(self, client: AsyncHTTPClient, count: int, every: float) -> None:
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number * every - time.monotonic()))
            form = urllib.parse.urlencode({"name": "ann", "text": f"message {number}", "key": f"ann-{number}"})
            while True:
                try:
                    answer = await client.fetch(f"http://127.0.0.1:{self.port}/say", method="POST", body=form)
                    break
                except FAILURES:
                    self.again += 1
                    await asyncio.sleep(PAUSE)
            self.said.append(json.loads(answer.body)["number"])


class Program:
    """A process, and what it says on stderr."""

    def __init__(self, command: list[str], folder: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """A pipe that nobody reads would stop the process when it is full."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.put(line)

    def wait_for(self, pattern: str) -> None:
        seen = []
        with contextlib.suppress(queue.Empty):
            while True:
                seen.append(self.lines.get(timeout=30))
                if re.search(pattern, seen[-1]):
                    return
        raise RuntimeError(f"{self.process.args} did not say {pattern!r}, but:\n{''.join(seen)}")

    def end(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(60)


class Site:
    """Redis, four processes, nginx."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "run").mkdir()
        self.port = free_port()
        socket_of_redis = folder / "run" / "redis.sock"
        self.address = f"unix://{socket_of_redis}"
        command = ["redis-server", "--port", "0", "--unixsocket", str(socket_of_redis), "--save", "", "--dir",
                   str(folder)]  # fmt: skip
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(socket_of_redis.exists)
        self.processes = [self.start(number) for number in range(PROCESSES)]
        for process in self.processes:
            process.wait_for("ready")
        configuration = (HERE / "nginx.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        (folder / "nginx.conf").write_text(configuration)
        command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "run/error.log"]
        if os.geteuid() == 0:
            command += ["-g", "user root;"]  # else its worker is "nobody", who may not look into this folder
        self.nginx = subprocess.Popen(command, cwd=folder)
        wait_until(lambda: answers(self.port))

    def start(self, number: int) -> Program:
        command = [sys.executable, "-m", "tornado4", "serve", "everywhere:make_app", "--alias", "--xheaders",
                   "--access-log", "off", "--unix", str(self.folder / "run" / f"{number + 1}.sock")]  # fmt: skip
        return Program(command, HERE, CHAT_REDIS=self.address, PYTHONDONTWRITEBYTECODE="1")

    async def replace(self, number: int) -> None:
        """Start it anew, and return when it is ready."""
        process = self.start(number)
        await asyncio.get_running_loop().run_in_executor(None, process.wait_for, "ready")
        self.processes[number] = process

    def stop(self) -> None:
        for process in self.processes:
            process.process.kill()
            process.process.wait()
        self.nginx.terminate()
        self.redis.terminate()
        self.nginx.wait()
        self.redis.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"nothing within {seconds} s")
        time.sleep(0.02)


async def measure(site: Site, websockets: int, polls: int, count: int, every: float) -> bool:
    AsyncIOMainLoop().install()
    listening = SimpleAsyncHTTPClient(
        force_instance=True, max_clients=polls, keep_alive=True, max_idle_connections=polls
    )
    saying = AsyncHTTPClient(force_instance=True)
    followers = [Listener(site.port) for _ in range(websockets)]
    pollers = [Listener(site.port) for _ in range(polls)]
    tasks = [asyncio.ensure_future(each.follow()) for each in followers]
    tasks += [asyncio.ensure_future(each.poll(listening)) for each in pollers]
    listeners = followers + pollers
    speaker = Speaker(site.port)
    began = time.monotonic()
    talk = asyncio.ensure_future(speaker.say(saying, count, every))
    length = count * every

    await asyncio.sleep(length * 0.25)
    site.processes[0].end(signal.SIGKILL)
    await asyncio.sleep(length * 0.1)
    cut, silences = broken_and_back(listeners)
    print(f"a process killed: {cut} of {len(listeners)} clients saw their connection end, "
          f"and had another one after {show(silences)}", flush=True)  # fmt: skip
    before = time.monotonic()
    await site.replace(0)
    print(f"started again: ready after {time.monotonic() - before:.1f} s", flush=True)
    await asyncio.sleep(length * 0.15)

    stops = []
    for number in range(PROCESSES):
        before = time.monotonic()
        await asyncio.get_running_loop().run_in_executor(None, site.processes[number].end)
        stops.append(time.monotonic() - before)
        await site.replace(number)
    cut, silences = broken_and_back(listeners)
    print(f"all replaced, one after the other: {cut} connections ended, back after {show(silences)}; "
          f"each drained within {max(stops):.1f} s", flush=True)  # fmt: skip

    await talk
    end = time.monotonic() + 30
    while any(each.after < speaker.said[-1] for each in listeners) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    took = time.monotonic() - began
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return report(speaker, listeners, took)


def broken_and_back(listeners: list[Listener]) -> tuple[int, list[float]]:
    """Since the last time: how many connections ended, and seconds until the next one was there."""
    cut, silences = sum(each.breaks for each in listeners), [s for each in listeners for s in each.silences]
    for each in listeners:
        each.breaks, each.silences = 0, []
    return cut, silences


def show(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    return f"{sorted(seconds)[len(seconds) // 2]:.2f} s (median), {max(seconds):.2f} s (the last)"


def report(speaker: Speaker, listeners: list[Listener], took: float) -> bool:
    wanted = speaker.said
    lost = sum(len(set(wanted) - set(each.heard)) for each in listeners)
    twice = sum(len(each.heard) - len(set(each.heard)) for each in listeners)
    unordered = sum(each.heard != sorted(each.heard) for each in listeners)
    numbered = wanted == list(range(1, len(wanted) + 1))
    print(f"{len(wanted)} messages in {took:.0f} s, {speaker.again} of them asked again; "
          f"{sum(len(each.heard) for each in listeners)} deliveries to {len(listeners)} clients: "
          f"{lost} lost, {twice} twice, {unordered} clients out of order; "
          f"each message {'is' if numbered else 'IS NOT'} once in Redis")  # fmt: skip
    return not lost and not twice and not unordered and numbered


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--websockets", type=int, default=500)
    parser.add_argument("--polls", type=int, default=500)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--every", type=float, default=0.4, help="seconds between two messages")
    options = parser.parse_args()
    for program in ("redis-server", "nginx"):
        if shutil.which(program) is None:
            sys.exit(f"measure: there is no {program} here; apt-get install {program}")
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            good = asyncio.run(measure(site, options.websockets, options.polls, options.messages, options.every))
        finally:
            site.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
