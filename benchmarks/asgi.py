"""What ASGI and the bridge cost: CPU time a request of the server's process, by turns, medians.

    python -m benchmarks.asgi [--loop uvloop] [--rounds 9] [--seconds 1]

"Hello, world" each time. Needs uvicorn[standard] and fastapi (without httptools, which the former brings, uvicorn
parses in Python, and every figure is another); the real Tornado 6 is made ready as ``tornado4 diff`` does it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import load

HERE = Path(__file__).resolve().parent.parent
#: Pairs: what it is measured against, and what.
PAIRS = [
    ("bare", "adapter", "our application under uvicorn, over a bare ASGI function there"),
    ("fastapi", "container", "FastAPI in ASGIContainer, over FastAPI under uvicorn"),
    ("six", "bridge", "a Tornado 6 application over the bridge, over its own server"),
    ("ours", "four", "our application under Tornado 6's server, over our own"),
]


# -- the servers


async def bare_application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/html; charset=UTF-8"), (b"content-length", b"12")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"Hello, world"})


def fastapi_application() -> Any:
    import fastapi
    from fastapi.responses import PlainTextResponse

    app = fastapi.FastAPI()

    @app.get("/", response_class=PlainTextResponse)
    async def hello() -> str:
        return "Hello, world"

    return app


def our_application() -> Any:
    from tornado4 import web

    class Hello(web.RequestHandler):
        def get(self) -> None:
            self.write("Hello, world")

    return web.Application([("/", Hello)])


def six_application() -> Any:
    import tornado.web

    class Hello(tornado.web.RequestHandler):
        def get(self) -> None:
            self.write("Hello, world")

    return tornado.web.Application([("/", Hello)])


def under_uvicorn(application: Any, port: int, loop: str) -> None:
    import uvicorn

    options: Any = {"loop": loop, "log_level": "warning", "access_log": False}
    uvicorn.run(application, host="127.0.0.1", port=port, **options)


def under_ours(make: Any, port: int, loop: str) -> None:
    from tornado4.httpserver import HTTPServer
    from tornado4.ioloop import IOLoop

    if loop == "uvloop":
        import uvloop

        IOLoop.configure("tornado4.platform.asyncio.AsyncIOLoop", loop_factory=uvloop.new_event_loop)
    HTTPServer(make()).listen(port, "127.0.0.1")
    IOLoop.current().start()


def under_theirs(make: Any, port: int, loop: str) -> None:
    import tornado.httpserver

    async def main() -> None:
        tornado.httpserver.HTTPServer(make()).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


def serve(name: str, port: int, loop: str) -> None:
    if name == "bare":
        under_uvicorn(bare_application, port, loop)
    elif name == "adapter":
        from tornado4.asgi import ASGIAdapter

        under_uvicorn(ASGIAdapter(factory=our_application), port, loop)
    elif name == "fastapi":
        under_uvicorn(fastapi_application(), port, loop)
    elif name == "container":
        from tornado4.asgi import ASGIContainer

        under_ours(lambda: ASGIContainer(fastapi_application()), port, loop)
    elif name == "six":
        under_theirs(six_application, port, loop)
    elif name == "bridge":
        from tornado4.migrate.bridge import Tornado6

        under_ours(lambda: Tornado6(six_application()), port, loop)
    elif name == "four":
        from tornado4.migrate.bridge import Tornado4

        under_theirs(lambda: Tornado4(our_application()), port, loop)
    elif name == "ours":
        under_ours(our_application, port, loop)


# -- measuring


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(name: str, loop: str, tornado_6: str) -> Iterator[tuple[int, int]]:
    port = _free_port()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), tornado_6])}
    command = [sys.executable, "-m", "benchmarks.asgi", "--serve", name, str(port), "--loop", loop]
    process = subprocess.Popen(command, env=env, cwd=HERE)
    try:
        while True:
            with contextlib.suppress(OSError):
                with load.connect(port, load.Exchange(b"")) as sock:
                    sock.sendall(load.request("/"))
                    answer = load.read_answer(sock)
                break
            if process.poll() is not None:
                raise SystemExit(f"{name} does not start")
            time.sleep(0.05)
        assert answer.endswith(b"Hello, world"), answer
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def measure(port: int, pid: int, seconds: float) -> float:
    """Microseconds a request."""
    before = cpu_seconds(pid)
    count = load.Small("/").run(port, seconds)
    return (cpu_seconds(pid) - before) / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="What ASGI and the bridge cost a request.")
    parser.add_argument("--serve", nargs=2, metavar=("NAME", "PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--loop", default="asyncio", choices=["asyncio", "uvloop"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", help="one of " + ", ".join(second for _, second, _ in PAIRS))
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], int(options.serve[1]), options.loop)
        return
    from tornado4.migrate.diff.environments import environment

    real = environment("6.6.1")
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    tornado_6 = subprocess.run(real.command("-c", code), capture_output=True, text=True, check=True).stdout.strip()
    for first, second, what in PAIRS:
        if options.only not in (None, second):
            continue
        times: dict[str, list[float]] = {first: [], second: []}
        with serving(first, options.loop, tornado_6) as one, serving(second, options.loop, tornado_6) as other:
            for server in (one, other):
                measure(*server, options.seconds / 2)  # warm
            for _ in range(options.rounds):
                times[first].append(measure(*one, options.seconds))
                times[second].append(measure(*other, options.seconds))
        medians = {name: statistics.median(values) for name, values in times.items()}
        extra = statistics.median(b - a for a, b in zip(times[first], times[second], strict=True))
        least = [min(values) for values in times.values()]  # on a busy machine this says more
        print(f"{what}: {medians[first]:.1f} -> {medians[second]:.1f} us, {extra:+.1f}", end="", flush=True)
        print(f" (at least {least[0]:.1f} -> {least[1]:.1f}, {least[1] - least[0]:+.1f})", flush=True)


if __name__ == "__main__":
    main()
