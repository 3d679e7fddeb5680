"""Does a legacy application lose anything under load, keep memory, or linger?

    python benchmarks/chat_soak.py [--requests 10000] [--clients 100] [--rounds 3]

The application is the chat of examples/legacy. Some clients listen (long polling), the others say
something, until so many requests are done. Then: every message said was heard by every listener, once
and in order; a further round of the same size leaves memory where it was; SIGTERM ends the server within
a second. Prints the figures; exit code 1 when one of these does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CHAT = TOP / "examples" / "legacy" / "chat" / "chat.py"
GROWTH = 4096  # kilobytes of resident memory that a second round may add
PORT = 8931


class Client:
    """One HTTP/1.1 connection, kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", PORT))

    async def ask(self, method: str, path: str, body: bytes = b"") -> dict[str, object]:
        fields = (
            f"Content-Length: {len(body)}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            if body
            else ""
        )
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost:{PORT}\r\n{fields}\r\n".encode() + body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        answer = await self._reader.readexactly(length)
        if status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {status} {answer!r}")
        value: dict[str, object] = json.loads(answer)
        return value

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@dataclass
class Round:
    """What one round of requests has seen."""

    requests: int = 0
    said: set[int] = field(default_factory=set)
    heard: list[list[int]] = field(default_factory=list)
    seconds: float = 0.0

    def failures(self) -> list[str]:
        wanted = sorted(self.said)
        lost = sum(len(set(wanted) - set(numbers)) for numbers in self.heard)
        unordered = sum(numbers != sorted(set(numbers)) for numbers in self.heard)
        found = []
        if lost:
            found.append(f"{lost} messages were not heard")
        if unordered:
            found.append(f"{unordered} listeners heard something twice or out of order")
        return found


async def listen(this: Round, after: int, done: asyncio.Event) -> None:
    client = await Client.connect()
    numbers: list[int] = []
    this.heard.append(numbers)
    while True:
        answer = await client.ask("GET", f"/listen?after={after}")
        this.requests += 1
        news = [message["number"] for message in answer["messages"]]  # type: ignore[attr-defined]
        numbers += news
        after = max([after, *news])
        if done.is_set() and after >= max(this.said):
            break
    await client.close()


async def say(this: Round, wanted: int) -> None:
    client = await Client.connect()
    while this.requests < wanted:
        this.requests += 1
        answer = await client.ask("POST", "/say", b"name=soak&text=" + b"x" * 40)
        this.said.add(int(str(answer["number"])))
    await client.close()


async def play(wanted: int, clients: int) -> Round:
    this, done = Round(), asyncio.Event()
    probe = await Client.connect()
    before = int(str((await probe.ask("GET", "/status"))["messages"]))
    started = time.perf_counter()
    listeners = [asyncio.create_task(listen(this, before, done)) for _ in range(clients * 9 // 10)]
    speakers = [asyncio.create_task(say(this, wanted)) for _ in range(clients - len(listeners))]
    await asyncio.gather(*speakers)
    done.set()
    # Those who have heard all and still wait are woken by one more message.
    await probe.ask("POST", "/say", b"text=end")
    await asyncio.wait_for(asyncio.gather(*listeners), 60)
    this.seconds = time.perf_counter() - started
    await probe.close()
    return this


def resident(pid: int) -> int:
    """Kilobytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


async def soak(process: subprocess.Popen[bytes], rounds: int, requests: int, clients: int) -> list[str]:
    failures = []
    memory = [resident(process.pid)]
    for number in range(rounds):
        this = await play(requests, clients)
        failures += this.failures()
        memory.append(resident(process.pid))
        rate = this.requests / this.seconds
        print(
            f"round {number + 1}: {this.requests} requests of {clients} clients in {this.seconds:.1f} s "
            f"({rate:.0f}/s), {len(this.said)} messages to {len(this.heard)} listeners, "
            f"{len(this.failures())} failures, {memory[-1]} kB resident"
        )
    if memory[-1] - memory[-2] > GROWTH:
        failures.append(f"the last round added {memory[-1] - memory[-2]} kB")
    return failures


async def wait_until_it_listens() -> None:
    for _ in range(200):
        try:
            await (await Client.connect()).close()
            return
        except OSError:
            await asyncio.sleep(0.05)
    raise RuntimeError("the chat did not start")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000, help="in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--command", nargs="+", help="run the chat by this, not by tornado4 run")
    options = parser.parse_args()
    launcher = options.command or [sys.executable, "-m", "tornado4", "run"]
    process = subprocess.Popen(
        [*launcher, str(CHAT), f"--port={PORT}", "--logging=error", "--patience=60", "--keep=1000"], cwd=TOP
    )
    try:
        asyncio.run(wait_until_it_listens())
        failures = asyncio.run(soak(process, options.rounds, options.requests, options.clients))
        started = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)
        took = time.perf_counter() - started
        print(f"SIGTERM: exit code {code} after {took:.2f} s")
        if code != 0 or took > 1:
            failures.append("it did not end well within a second")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
