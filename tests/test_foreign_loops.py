"""tornado4 on loops of other people: uvloop's, asyncio.run()'s, a notebook's, Tornado 6's; nested; in threads.

What a legacy program does to a loop stands once, in `Program`; each test runs it somewhere else.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import ROOT, environment

from tornado4 import gen, httpclient, httpserver, netutil, process, tcpserver, web, websocket
from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.iostream import IOStream, PipeIOStream
from tornado4.locks import Event
from tornado4.platform.asyncio import AsyncIOLoop, BaseAsyncIOLoop
from tornado4.queues import Queue

try:
    import uvloop
except ImportError:
    uvloop = None

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

needs_uvloop = pytest.mark.skipif(uvloop is None, reason="uvloop is not installed")
LOOPS = ["owned", "asyncio", pytest.param("uvloop", marks=needs_uvloop)]
FACTORIES = [asyncio.SelectorEventLoop, pytest.param("uvloop", marks=needs_uvloop)]


@pytest.fixture(autouse=True)
def nothing_current() -> Iterator[None]:
    IOLoop.clear_current()
    yield
    IOLoop.clear_current()
    IOLoop.clear_instance()


@pytest.fixture(params=LOOPS)
def every_loop(request: Any) -> Iterator[str]:
    """`IOLoop()` is of this kind, wherever it is made."""
    saved = IOLoop._save_configuration()
    if request.param != "owned":
        factory = {"asyncio": asyncio.SelectorEventLoop, "uvloop": getattr(uvloop, "new_event_loop", None)}
        IOLoop.configure(AsyncIOLoop, loop_factory=factory[request.param])
    try:
        yield request.param
    finally:
        IOLoop._restore_configuration(saved)


def loop_factory(kind: Any) -> Callable[[], asyncio.AbstractEventLoop]:
    return uvloop.new_event_loop if kind == "uvloop" else kind


def listen(application: Any) -> tuple[httpserver.HTTPServer, str]:
    server = httpserver.HTTPServer(application)
    (sock,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])
    return server, f"127.0.0.1:{sock.getsockname()[1]}"


class Generator(web.RequestHandler):
    @gen.coroutine
    def get(self) -> Any:
        yield gen.sleep(0.001)
        self.write("generator")


class Native(web.RequestHandler):
    async def get(self) -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(asyncio.sleep(0.001), gen.sleep(0.001))
        self.write("native")


class Callbacks(web.RequestHandler):
    @web.asynchronous
    def get(self) -> None:
        IOLoop.current().add_timeout(IOLoop.current().time() + 0.001, self.done)

    def done(self) -> None:
        self.finish("callbacks")


class Echo(websocket.WebSocketHandler):
    def on_message(self, message: Any) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


class Nested(web.RequestHandler):
    """A synchronous client in a handler: a loop of its own runs within a callback of ours."""

    def initialize(self, target: Callable[[], str]) -> None:
        self.target = target

    def get(self) -> None:
        client = httpclient.HTTPClient()
        try:
            self.write(b"nested " + client.fetch(self.target()).body)
        finally:
            client.close()


def application(**settings: Any) -> web.Application:
    paths = {"/generator": Generator, "/native": Native, "/callbacks": Callbacks, "/echo": Echo}
    return web.Application(list(paths.items()), **settings)


async def use_everything() -> None:
    """Servers, clients, WebSockets, streams, timers, threads: on whichever loop runs this."""
    loop = IOLoop.current()
    server, place = listen(application())
    client = httpclient.AsyncHTTPClient(force_instance=True)
    for name in ("generator", "native", "callbacks"):
        assert (await client.fetch(f"http://{place}/{name}")).body == name.encode()
    bodies = await gen.multi([client.fetch(f"http://{place}/native") for _ in range(5)])
    assert [answer.body for answer in bodies] == [b"native"] * 5

    connection = await websocket.websocket_connect(f"ws://{place}/echo", compression_options={})
    connection.write_message("x" * 100_000)
    assert await connection.read_message() == "x" * 100_000
    connection.close()
    assert await connection.read_message() is None

    ticks = Event()
    ticker = PeriodicCallback(ticks.set, 1)
    ticker.start()
    await ticks.wait()
    ticker.stop()

    queue: Any = Queue()
    thread = threading.Thread(target=lambda: loop.add_callback(queue.put_nowait, "from a thread"))
    thread.start()
    assert await queue.get() == "from a thread"
    thread.join()

    reader, writer = os.pipe()
    incoming, outgoing = PipeIOStream(reader), PipeIOStream(writer)
    await outgoing.write(b"through a pipe\n")
    assert await incoming.read_until(b"\n") == b"through a pipe\n"
    incoming.close()
    outgoing.close()

    never = loop.call_later(3600, pytest.fail)
    loop.remove_timeout(never)
    with pytest.raises(gen.TimeoutError):
        await gen.with_timeout(loop.time() + 0.001, Future())

    client.close()
    server.stop()
    await server.close_all_connections()


# -- uvloop, and the others, as the loop of every IOLoop ----------------------------------------------------


def test_a_program_runs_on_every_loop(every_loop: str) -> None:
    loop = IOLoop()
    kind = type(loop.asyncio_loop).__module__.partition(".")[0]
    assert kind == {"owned": "tornado4", "asyncio": "asyncio", "uvloop": "uvloop"}[every_loop]
    loop.run_sync(use_everything, timeout=120)
    loop.close()


def test_the_singleton_starts_and_stops_on_every_loop(every_loop: str) -> None:
    log: list[str] = []
    loop = IOLoop.instance()
    loop.add_callback(log.append, "callback")
    loop.call_later(0.001, loop.stop)
    loop.start()
    loop.add_callback(loop.stop)
    loop.start()
    assert log == ["callback"] and IOLoop.current() is loop
    loop.close()


def test_signals_and_subprocesses_on_every_loop(every_loop: str) -> None:
    loop, got = IOLoop(), []

    def on_signal(number: int, frame: Any) -> None:
        loop.add_callback_from_signal(lambda: (got.append(number), loop.stop()))

    before = signal.signal(signal.SIGUSR1, on_signal)
    try:
        loop.call_later(0.001, os.kill, os.getpid(), signal.SIGUSR1)
        loop.start()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert got == [signal.SIGUSR1]

    async def child() -> int:
        code: int = await process.Subprocess([sys.executable, "-c", "raise SystemExit(3)"]).wait_for_exit(False)
        return code

    process.Subprocess.initialize()
    try:
        assert loop.run_sync(child, timeout=120) == 3
    finally:
        process.Subprocess.uninitialize()
    loop.close()


def test_a_synchronous_client_in_a_handler_on_every_loop(every_loop: str) -> None:
    """The outer loop stands still meanwhile, so the target is a server in a thread, on a loop of that kind."""
    started: list[Any] = []
    ready = threading.Event()

    def serve() -> None:
        loop = IOLoop()
        server, place = listen(application())
        started.extend((loop, server, place))
        ready.set()
        loop.start()
        loop.run_sync(server.close_all_connections)
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(120)

    async def ask() -> None:
        server, place = listen(
            web.Application([("/", Nested, {"target": lambda: f"http://{started[2]}/native"})])
        )
        client = httpclient.AsyncHTTPClient(force_instance=True)
        for _ in range(3):
            assert (await client.fetch(f"http://{place}/")).body == b"nested native"
            assert IOLoop.current() is loop and asyncio.get_running_loop() is loop.asyncio_loop
        client.close()
        server.stop()
        await server.close_all_connections()

    loop = IOLoop()
    loop.run_sync(ask, timeout=120)
    loop.close()
    started[0].add_callback(started[1].stop)
    started[0].add_callback(started[0].stop)
    thread.join()


def test_a_nested_loop_serves_what_it_needs_itself(every_loop: str) -> None:
    """Salt's SyncWrapper: the inner loop has its own server, and everything else, too."""
    loop = IOLoop()

    async def outer() -> Any:
        before = asyncio.current_task()
        inner = IOLoop(make_current=False)
        inner.run_sync(use_everything, timeout=120)
        inner.close()
        assert asyncio.current_task() is before and IOLoop.current() is loop
        await asyncio.sleep(0)
        return "outer goes on"

    assert loop.run_sync(outer, timeout=60) == "outer goes on"
    loop.close()


def test_the_same_loop_cannot_be_entered_twice(every_loop: str) -> None:
    loop = IOLoop()

    async def again() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            loop.start()

    loop.run_sync(again)
    loop.close()


# -- inside asyncio.run() -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FACTORIES)
def test_inside_asyncio_run(kind: Any) -> None:
    async def main() -> BaseAsyncIOLoop:
        loop = IOLoop.current()
        assert loop is IOLoop.current() and loop.asyncio_loop is asyncio.get_running_loop()
        await use_everything()
        return loop

    loops = []
    for _ in range(2):  # a second run has a loop of its own
        with asyncio.Runner(loop_factory=loop_factory(kind)) as runner:
            loops.append(runner.run(main()))
    assert loops[0] is not loops[1]
    assert IOLoop.current(instance=False) is None


@pytest.mark.parametrize("kind", FACTORIES)
def test_the_old_main_of_a_program_inside_asyncio_run(kind: Any) -> None:
    """``instance()`` is what runs; ``listen`` without a loop goes there; tasks of both kinds mix."""

    async def main() -> None:
        assert IOLoop.instance() is IOLoop.current()
        server, place = listen(application())
        async with asyncio.TaskGroup() as group:
            fetches = [group.create_task(fetch(place, name)) for name in ("native", "generator", "callbacks")]
        assert [task.result() for task in fetches] == [b"native", b"generator", b"callbacks"]
        server.stop()
        await server.close_all_connections()

    async def fetch(place: str, name: str) -> bytes:
        client = httpclient.AsyncHTTPClient()  # one per loop
        body: bytes = (await client.fetch(f"http://{place}/{name}")).body
        return body

    with asyncio.Runner(loop_factory=loop_factory(kind)) as runner:
        runner.run(main())


def test_cancelling_the_main_task_ends_what_waits_on_a_tornado_future() -> None:
    async def main() -> None:
        forever: Any = Future()
        waiting = asyncio.create_task(wait(forever))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not forever.done()

    async def wait(future: Any) -> None:
        await future

    asyncio.run(main())


# -- a notebook: a loop that runs already, and cells that are executed on it --------------------------------


class Notebook:
    """A kernel's way: a loop runs in the main thread, each cell is compiled and run on it, top-level await and all."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}

    async def run(self, *cells: str) -> None:
        import ast
        import inspect
        import textwrap

        for cell in cells:
            code = compile(textwrap.dedent(cell), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, self.namespace)
            if inspect.iscoroutine(result):
                await result
            await asyncio.sleep(0)


CELLS = (
    """
    from tornado4 import gen, httpclient, httpserver, ioloop, netutil, web
    class Hello(web.RequestHandler):
        def get(self):
            self.write("hello")
    server = httpserver.HTTPServer(web.Application([("/", Hello)]))
    sock = netutil.bind_sockets(0, "127.0.0.1")[0]
    server.add_sockets([sock])
    url = "http://127.0.0.1:%d/" % sock.getsockname()[1]
    """,
    """
    response = await httpclient.AsyncHTTPClient().fetch(url)
    assert response.body == b"hello"
    """,
    """
    try:
        ioloop.IOLoop.current().start()      # the last line of every tutorial
    except RuntimeError as error:
        said = str(error)
    assert said == "IOLoop is already running", said
    """,
    """
    answers = []
    @gen.coroutine
    def work():
        yield gen.sleep(0.001)
        answers.append((yield httpclient.AsyncHTTPClient().fetch(url)).code)
    ioloop.IOLoop.instance().add_callback(work)
    """,
    """
    while not answers:
        await gen.sleep(0.001)
    assert answers == [200]
    """,
    """
    # A blocking call in a cell needs a loop of its own; while it runs, nothing else does.
    inner = ioloop.IOLoop(make_current=False)
    @gen.coroutine
    def blocking():
        yield gen.sleep(0.001)
        raise gen.Return("done")
    assert inner.run_sync(blocking) == "done"
    inner.close()
    """,
    """
    server.stop()
    await server.close_all_connections()
    """,
)


@pytest.mark.parametrize("kind", FACTORIES)
def test_in_a_notebook(kind: Any) -> None:
    with asyncio.Runner(loop_factory=loop_factory(kind)) as runner:
        runner.run(Notebook().run(*CELLS))


# -- threads ------------------------------------------------------------------------------------------------


def test_worker_threads_have_loops_of_their_own(every_loop: str) -> None:
    outcomes: list[str] = []

    def work() -> None:
        loop = IOLoop()
        assert IOLoop.current() is loop
        loop.run_sync(use_everything, timeout=60)
        loop.close()
        outcomes.append("fine")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["fine"] * 4
    assert IOLoop.current(instance=False) is None


def test_asyncio_run_in_a_thread_beside_the_main_loop(every_loop: str) -> None:
    loop = IOLoop()
    seen: list[Any] = []

    def work() -> None:
        async def main() -> None:
            seen.append(IOLoop.current())
            await use_everything()
            loop.add_callback(loop.stop)

        asyncio.run(main())

    thread = threading.Thread(target=work)
    loop.add_callback(thread.start)
    loop.start()
    thread.join()
    assert seen[0] is not loop
    loop.close()


# -- contextvars --------------------------------------------------------------------------------------------


def test_variables_of_the_task_that_listens_reach_the_handlers() -> None:
    class Show(web.RequestHandler):
        async def prepare(self) -> None:
            self.seen = [variable.get()]
            variable.set("prepare")

        async def get(self) -> None:
            self.seen.append(variable.get())
            variable.set("get")
            await asyncio.sleep(0)
            self.write(" ".join([*self.seen, variable.get()]))

    async def main() -> None:
        variable.set("main")
        server, place = listen(web.Application([("/", Show)]))
        variable.set("later")
        client = httpclient.AsyncHTTPClient(force_instance=True)
        for _ in range(2):
            assert (await client.fetch(f"http://{place}/")).body == b"main prepare get"
        assert variable.get() == "later"
        client.close()
        server.stop()
        await server.close_all_connections()

    asyncio.run(main())
    assert variable.get() == "unset"


def test_a_variable_set_while_a_connection_is_accepted_is_not_the_next_ones(every_loop: str) -> None:
    seen: list[str] = []

    class Server(tcpserver.TCPServer):
        def handle_stream(self, stream: Any, address: Any) -> None:
            seen.append(variable.get())
            variable.set(f"connection {len(seen)}")
            stream.read_until(b"\n", self.on_line(stream))

        def on_line(self, stream: Any) -> Callable[[bytes], None]:
            def answer(line: bytes) -> None:
                stream.write(variable.get().encode())
                stream.close()

            return answer

    async def main() -> None:
        server = Server()
        (sock,) = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets([sock])
        streams = [IOStream(socket.socket()) for _ in range(3)]
        for stream in streams:
            await stream.connect(sock.getsockname())
        for number, stream in enumerate(streams, 1):
            await stream.write(b"\n")
            assert await stream.read_until_close() == b"connection %d" % number
        server.stop()

    loop = IOLoop()
    loop.run_sync(main, timeout=120)
    assert seen == ["unset"] * 3
    loop.close()


@pytest.mark.parametrize("kind", ["callback", "handler", "native handler", "prepare"])
def test_a_variable_set_by_a_request_is_not_the_next_ones_on_its_connection(kind: str) -> None:
    """A proxy sends the requests of many people through one connection."""

    def callback(request: Any) -> None:
        body = variable.get().encode()
        variable.set("leaked")
        request.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        request.finish()

    class Handler(web.RequestHandler):
        def get(self) -> None:
            self.write(variable.get())
            variable.set("leaked")

    class NativeHandler(web.RequestHandler):
        async def get(self) -> None:
            self.write(variable.get())
            variable.set("leaked")
            await asyncio.sleep(0)

    class PrepareHandler(web.RequestHandler):
        def prepare(self) -> None:
            self.finish(variable.get())
            variable.set("leaked")

    served: dict[str, Any] = {
        "callback": callback,
        "handler": web.Application([("/", Handler)]),
        "native handler": web.Application([("/", NativeHandler)]),
        "prepare": web.Application([("/", PrepareHandler)]),
    }

    async def main() -> None:
        server, place = listen(served[kind])
        stream = IOStream(socket.socket())
        host, port = place.split(":")
        await stream.connect((host, int(port)))
        for _ in range(3):
            await stream.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.read_until(b"\r\n\r\n")
            assert await stream.read_bytes(5) == b"unset"
        stream.close()
        server.stop()
        await server.close_all_connections()

    IOLoop().run_sync(main, timeout=120)
    IOLoop.current().close()


# -- beside a real Tornado 6 --------------------------------------------------------------------------------

BESIDE = """
import asyncio, json, sys
import tornado, tornado.httpclient, tornado.httpserver, tornado.ioloop, tornado.web
import tornado4, tornado4.httpclient, tornado4.httpserver, tornado4.ioloop, tornado4.web, tornado4.gen

def serve(package):
    class Where(package.web.RequestHandler):
        async def get(self):
            await asyncio.sleep(0.001)
            self.write(package.version)
    server = package.httpserver.HTTPServer(package.web.Application([("/", Where)]))
    import socket
    sock = socket.socket()
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    sock.listen(16)
    server.add_sockets([sock])
    return server, "http://127.0.0.1:%d/" % sock.getsockname()[1]

async def main():
    assert tornado.ioloop.IOLoop.current().asyncio_loop is tornado4.ioloop.IOLoop.current().asyncio_loop
    assert tornado.ioloop.IOLoop.current() is not tornado4.ioloop.IOLoop.current()
    (old, old_url), (new, new_url) = serve(tornado4), serve(tornado)
    report = {}
    for name, package in ("4", tornado4), ("6", tornado):
        client = package.httpclient.AsyncHTTPClient()
        answers = await asyncio.gather(*(client.fetch(url) for url in (old_url, new_url) * 3))
        report[name] = [answer.body.decode() for answer in answers]
        client.close()

    @tornado4.gen.coroutine
    def mixed():      # one coroutine, Futures of both
        a = yield tornado4.httpclient.AsyncHTTPClient(force_instance=True).fetch(new_url)
        b = yield tornado.httpclient.AsyncHTTPClient(force_instance=True).fetch(old_url)
        raise tornado4.gen.Return([a.body.decode(), b.body.decode()])

    report["mixed"] = await mixed()
    secret = tornado4.web.create_signed_value("secret", "name", "value")
    assert tornado.web.decode_signed_value("secret", "name", secret) == b"value"
    back = tornado.web.create_signed_value("secret", "name", "value")
    assert tornado4.web.decode_signed_value("secret", "name", back) == b"value"
    for server in old, new:
        server.stop()
        await server.close_all_connections()
    assert "tornado4.web" in sys.modules and tornado.web.__file__ != tornado4.web.__file__
    report["real"] = tornado.version
    print(json.dumps(report))

if "uvloop" in sys.argv:
    import uvloop
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
else:
    asyncio.run(main())
"""


@pytest.fixture(scope="module")
def tornado6() -> Path:
    """An interpreter with the Tornado of today, made once in .cache."""
    version = "{}.{}".format(*sys.version_info)
    folder = ROOT / ".cache" / "foreign" / f"tornado6-py{version}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        make = [[sys.executable, "-m", "venv", "--clear", str(folder)]]
        make.append([str(python), "-m", "pip", "install", "--quiet", "tornado>=6", *(["uvloop"] if uvloop else [])])
        for command in make:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if done.returncode:
                pytest.skip(f"no environment with Tornado 6: {command}: {done.stderr[-500:]}")
        (folder / "ready").touch()
    return python


@pytest.mark.source_tree  # its Tornado 6 is in another environment
@pytest.mark.parametrize("kind", ["asyncio", pytest.param("uvloop", marks=needs_uvloop)])
def test_beside_a_real_tornado_6_on_one_loop(kind: str, tornado6: Path) -> None:
    command = [str(tornado6), "-W", "error::DeprecationWarning:tornado4", "-c", BESIDE, kind]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    real = report.pop("real")
    assert int(real.partition(".")[0]) >= 6
    assert report == {"4": ["4.5.3", real] * 3, "6": ["4.5.3", real] * 3, "mixed": [real, "4.5.3"]}
    assert done.stderr == ""
