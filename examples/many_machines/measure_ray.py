"""What an application under Ray Serve loses while one of its two replicas is killed.

    python measure_ray.py          # needs ray[serve] and tornado4

50 clients ask one request after the other. A replica is killed, three times. A request that gets no answer, or one of
500 and above, is asked again, as a client may do with a GET; it is lost if that does not help within ten seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import ray
from measure import free_port
from ray import serve

from tornado4.httpclient import HTTPError
from tornado4.platform.asyncio import AsyncIOMainLoop
from tornado4.simple_httpclient import SimpleAsyncHTTPClient

HERE = Path(__file__).resolve().parent
#: Seconds before a request is asked again, and after which it is lost.
PAUSE, PATIENCE = 0.1, 10.0


class Load:
    """The clients, and what became of what they asked."""

    def __init__(self, port: int, clients: int) -> None:
        self.port = port
        self.client = SimpleAsyncHTTPClient(
            force_instance=True, max_clients=clients, keep_alive=True, max_idle_connections=clients
        )
        self.answered = self.again = self.wrong = 0
        self.lost: list[int] = []
        self.failures: dict[str, int] = {}
        self.seen: dict[int, float] = {}  # pid of a replica: when it answered first
        self.slowest = 0.0
        self.stopped = False

    async def ask(self, first: int, step: int) -> None:
        number = first
        while not self.stopped:
            number += step
            began, failed = time.monotonic(), False
            while True:
                try:
                    answer = await self.client.fetch(f"http://127.0.0.1:{self.port}/?number={number}")
                    break
                except (HTTPError, OSError) as error:
                    failed = True
                    self.failures[str(error)] = self.failures.get(str(error), 0) + 1
                    if time.monotonic() - began > PATIENCE:
                        self.lost.append(number)
                        break
                    await asyncio.sleep(PAUSE)
            if self.lost and self.lost[-1] == number:
                continue
            body = json.loads(answer.body)
            self.answered += 1
            self.again += failed
            self.wrong += body["number"] != number
            self.seen.setdefault(body["pid"], time.monotonic())
            self.slowest = max(self.slowest, time.monotonic() - began)


async def measure(port: int, clients: int, seconds: float) -> bool:
    AsyncIOMainLoop().install()
    load = Load(port, clients)
    tasks = [asyncio.ensure_future(load.ask(first, clients)) for first in range(clients)]
    took, dead = [], set()
    for _ in range(3):
        await asyncio.sleep(seconds)
        victim = next(pid for pid in reversed(load.seen) if pid not in dead)
        dead.add(victim)
        known = len(load.seen)
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        while len(load.seen) == known and time.monotonic() < killed + 60:
            await asyncio.sleep(0.05)
        took.append(time.monotonic() - killed)
    await asyncio.sleep(seconds)
    load.stopped = True
    await asyncio.gather(*tasks)
    failures = ", ".join(f"{count} x {what}" for what, count in load.failures.items()) or "none"
    print(f"{load.answered} answered, {load.again} of them when they were asked again; {len(load.lost)} lost, "
          f"{load.wrong} wrong answers; the slowest took {load.slowest:.1f} s\n"
          f"failures: {failures}\n"
          f"replaced, and answering, after {', '.join(f'{each:.1f}' for each in took)} s")  # fmt: skip
    return not load.lost and not load.wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=5.0, help="between two of them killed")
    options = parser.parse_args()
    port = free_port()
    # No reports home; and no token in the home folder, for a cluster that ends with this program.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    # The replicas are processes of their own; this is where they find ray_site.
    environment = {"env_vars": {"PYTHONPATH": str(HERE)}}
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        import ray_site

        serve.run(ray_site.site)
        good = asyncio.run(measure(port, options.clients, options.seconds))
    finally:
        serve.shutdown()
        ray.shutdown()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
