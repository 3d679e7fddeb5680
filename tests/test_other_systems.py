"""Windows and macOS, by stand-ins: what runs without what they lack, and what says that it cannot.

Nothing here ran on these systems (docs/support.md says so). Each test runs a program in a process of its own that takes
names and modules away before tornado4 is imported (`windows_machine`), or puts others there (`macos_machine`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ntpath
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tornado4.platform.selector_thread import SelectorThread

HERE = Path(__file__).parent
TREE = HERE.parent

SERVES = """
import os
from tornado4 import gen, httpclient, httpserver, ioloop, netutil, web, websocket

class Main(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(0.001)
        self.write("hello ")
        self.write((yield self.more()))
    async def more(self):
        return "world"
    def put(self):
        self.write(str(len(self.request.body)))

class Echo(websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message[::-1])

folder = os.environ["FOLDER"]
with open(folder + "/big.bin", "wb") as file:
    file.write(bytes(300000))

@gen.coroutine
def serve_and_fetch():
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    server = httpserver.HTTPServer(web.Application([
        ("/", Main), ("/ws", Echo), ("/static/(.*)", web.StaticFileHandler, {"path": folder})]))
    server.add_sockets(sockets)
    url = "http://127.0.0.1:%d" % sockets[0].getsockname()[1]
    client = httpclient.AsyncHTTPClient()
    said = [(yield client.fetch(url + "/")).body.decode()]
    said.append(len((yield client.fetch(url + "/static/big.bin")).body))
    said.append((yield client.fetch(url + "/", method="PUT", body=bytes(2000000))).body.decode())
    connection = yield websocket.websocket_connect(url.replace("http", "ws") + "/ws")
    connection.write_message("abc")
    said.append((yield connection.read_message()))
    connection.close()
    try:
        yield client.fetch("http://127.0.0.1:%d/" % unused_port(), connect_timeout=5)
    except OSError as error:
        said.append(type(error).__name__)
    server.stop()
    yield server.close_all_connections()
    return said

def unused_port():
    import socket
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
"""

SAID = "['hello world', 300000, '2000000', 'cba', 'ConnectionRefusedError']"

IMPORTS = """
import importlib, pkgutil, tornado4
left_out = []
for module in pkgutil.walk_packages(tornado4.__path__, "tornado4."):
    try:
        importlib.import_module(module.name)
    except (ImportError, AssertionError) as error:
        left_out.append(module.name)
        known = ("kqueue not supported", "no fork", "No module named", "fcntl", "cannot import name 'WSA", "libcurl",
                 "cannot import name 'isreserved'")  # Twisted asks ntpath for it on 3.13; here os.path is posixpath
        assert any(part in str(error) for part in known), (module.name, error)
print(*left_out)
"""


ENVIRON = {**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{TREE}"}


def run(machine: str, code: str, *, warnings: str = "error") -> str:
    """What a program prints on such a machine."""
    command = [sys.executable, "-W", warnings, "-c", f"import {machine}\n{code}"]
    with tempfile.TemporaryDirectory() as folder:
        environ = {**ENVIRON, "FOLDER": folder}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---------------------------------------------------------------------------------------------------------
# Windows


@pytest.mark.parametrize("machine", ["windows_machine", "macos_machine"])
def test_all_modules_are_imported(machine: str) -> None:
    extras = {
        *("tornado4._build_archives", "tornado4._build_speedups", "tornado4.curl_httpclient"),
        *("tornado4.platform.caresresolver", "tornado4.platform.twisted", "tornado4.serve.gunicorn"),
        *("tornado4.hooks.otel", "tornado4.hooks.prometheus", "tornado4.hooks.sentry"),
        "tornado4.migrate.security.build",
    }
    names = run(machine, IMPORTS).split()
    left_out = {name for name in names if not name.startswith("tornado4.migrate.fix.")} - extras
    without = {"windows_machine": {"tornado4.platform.kqueue", "tornado4.serve.master"}}
    assert left_out - {"tornado4.speedups"} == without.get(machine, set())


def test_a_server_and_a_client_run_on_a_selector_loop() -> None:
    code = SERVES + "print(type(ioloop.IOLoop.current()).__name__, ioloop.IOLoop.current().run_sync(serve_and_fetch))"
    assert run("windows_machine", code) == f"SelectIOLoop {SAID}"


RUNNING = """
import asyncio, threading
def select_threads():
    return [thread.name for thread in threading.enumerate() if thread.name == "tornado4-select"]
async def main():
    said = await serve_and_fetch()
    print(type(ioloop.IOLoop.current()).__name__, said, select_threads())
    httpserver.HTTPServer(lambda request: None).add_sockets(netutil.bind_sockets(0, "127.0.0.1"))
    print(select_threads())
loop = asyncio.ProactorEventLoop()
loop.run_until_complete(main())
loop.run_until_complete(loop.shutdown_asyncgens())
print(select_threads())
loop.close()
"""


def test_on_a_proactor_loop_that_runs_a_thread_watches_descriptors() -> None:
    """Of what is left open at the end nothing is asked: that of `asyncio.run` closes the thread."""
    lines = run("windows_machine", SERVES + RUNNING, warnings="ignore::ResourceWarning").splitlines()
    assert lines == [f"AttachedIOLoop {SAID} []", "['tornado4-select']", "[]"]


REFUSALS = """
import os, subprocess, sys
from tornado4 import httpserver, ioloop, iostream, netutil, process, tcpserver
def refused(function, *args):
    try:
        function(*args)
    except Exception as error:
        print(type(error).__name__ + ":", str(error).splitlines()[0])
    else:
        print("not refused")
refused(process.fork_processes, 2)
server = tcpserver.TCPServer()
server.bind(0, "127.0.0.1")
refused(server.start, 2)
refused(iostream.PipeIOStream, 0)
refused(lambda: netutil.bind_unix_socket)
refused(lambda: netutil.bind_sockets(0, "127.0.0.1", reuse_port=True))
refused(ioloop.IOLoop.configure, "tornado.platform.kqueue.KQueueIOLoop")
server.stop()
"""


def test_what_cannot_work_says_so_in_one_line() -> None:
    port = "fork_processes: win32 cannot fork; start one process for each port, behind a proxy"
    assert run("windows_machine", REFUSALS).splitlines() == [
        f"RuntimeError: {port}",
        f"RuntimeError: {port}",
        "NotImplementedError: PipeIOStream: Windows has no pipes that a loop could wait for",
        "AttributeError: module 'tornado4.netutil' has no attribute 'bind_unix_socket'",
        "ValueError: the platform doesn't support SO_REUSEPORT",
        "AssertionError: kqueue not supported",
    ]


def test_the_end_of_a_process_is_heard_of_without_its_signal() -> None:
    code = """
import sys
from tornado4 import ioloop, process
child = process.Subprocess([sys.executable, "-c", "raise SystemExit(3)"])
print(ioloop.IOLoop.current().run_sync(lambda: child.wait_for_exit(raise_error=False)), child.returncode)
process.Subprocess.initialize()
process.Subprocess.uninitialize()
"""
    assert run("windows_machine", code) == "3 3"


APP = "from tornado4 import web\n\nclass Main(web.RequestHandler):\n    def get(self):\n        self.write('hello')\n\n"
APP += "application = web.Application([('/', Main)])\n"


def serve(*arguments: str) -> list[str]:
    """``tornado4 serve app:application`` on such a machine."""
    words = ["serve", "app:application", *arguments]
    code = f"import windows_machine, sys\nfrom tornado4.__main__ import main\nsys.exit(main({words!r}))"
    return [sys.executable, "-c", code]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--processes", "2"], "--processes: win32 cannot fork"),
        (["--unix", "x.sock"], "--unix: win32 has no such sockets"),
        (["--reuse-port"], "--reuse-port: win32 has no such thing"),
    ],
)
def test_serve_refuses(arguments: list[str], why: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    where = [] if "--unix" in arguments else ["--port", str(free_port())]
    done = subprocess.run(
        serve(*arguments, *where), capture_output=True, text=True, check=False, timeout=120, env=ENVIRON, cwd=tmp_path
    )
    assert done.returncode == 2 and why in done.stderr and "Traceback" not in done.stderr


def test_serve_serves_in_one_process_and_drains(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    port = free_port()
    command = serve("--port", str(port))
    served = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRON, cwd=tmp_path)
    try:
        assert served.stderr is not None
        deadline = time.monotonic() + 60
        answer = b""
        while not answer and time.monotonic() < deadline and served.poll() is None:
            with contextlib.suppress(OSError):
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=120).read()
        assert answer == b"hello"
        served.send_signal(signal.SIGINT)
        _, said = served.communicate(timeout=60)
        assert served.returncode == 0 and "Traceback" not in said
    finally:
        served.kill()
        served.communicate()


def test_a_command_of_diff_is_the_systems_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from tornado4.migrate.diff import commanded

    command = r'"C:\Program Files\Python\python.exe" app.py --port={port}'
    assert commanded._words("python app.py --port={port}", 1) == ["python", "app.py", "--port=1"]
    monkeypatch.setattr(commanded.sys, "platform", "win32")
    assert commanded._words(command, 1) == r'"C:\Program Files\Python\python.exe" app.py --port=1'


#: A root of static files, the URL's path below it, and whether it may be served.
PATHS = [
    ("C:\\srv\\files", "a.txt", True),
    ("C:\\srv\\files", "sub/a.txt", True),
    ("C:\\srv\\files", "../secret", False),
    ("C:\\srv\\files", "..\\secret", False),
    ("C:\\srv\\files", "sub\\..\\..\\secret", False),
    ("C:\\srv\\files", "C:/Windows/win.ini", False),
    ("C:\\srv\\files", "C:../x", False),
    ("C:\\srv\\files", "D:\\x", False),
    ("C:\\srv\\files", "//server/share/x", False),
    ("C:\\srv\\files", "\\\\?\\C:\\x", False),
    ("C:\\srv\\files", "\\Windows\\win.ini", False),
    ("C:\\srv\\files", "nul", False),
    ("C:\\srv\\files", "sub/con.txt", False),
    ("C:\\srv\\files", "a.txt::$DATA", False),
    ("C:\\srv\\files", "a.txt.", False),
    ("C:\\", "a.txt", True),
    ("\\\\server\\share", "a.txt", True),
    ("\\\\server\\share", "..\\other\\x", True),  # nothing is above a share
]


@pytest.mark.parametrize(("root", "path", "served"), PATHS)
def test_paths_of_windows(root: str, path: str, served: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rules of `StaticFileHandler`, with the paths of Windows."""
    from tornado4.web import static_paths

    monkeypatch.setattr(static_paths.os, "path", ntpath)
    root = ntpath.abspath(root)
    absolute = ntpath.abspath(ntpath.join(root, path.replace("/", "\\")))
    inside = static_paths.is_below(absolute, root) and not static_paths.is_windows_trap(path.replace("/", "\\"))
    assert inside is served


# ---------------------------------------------------------------------------------------------------------
# The thread that watches descriptors


def run_with_thread(main: Any) -> None:
    async def body() -> None:
        thread = SelectorThread(asyncio.get_running_loop())
        near, far = socket.socketpair()
        try:
            await main(thread, near, far)
        finally:
            thread.close()
            near.close()
            far.close()
        assert "tornado4-select" not in [each.name for each in threading.enumerate()]

    asyncio.run(body())


def test_a_reader_is_called_for_each_thing_to_read() -> None:
    async def main(thread: SelectorThread, near: socket.socket, far: socket.socket) -> None:
        got: asyncio.Queue[bytes] = asyncio.Queue()
        thread.add_reader(near.fileno(), lambda: got.put_nowait(near.recv(1)))
        far.send(b"ab")
        assert [await got.get(), await got.get()] == [b"a", b"b"]
        far.send(b"c")
        assert await got.get() == b"c"
        assert thread.remove_reader(near.fileno()) and not thread.remove_reader(near.fileno())

    run_with_thread(main)


def test_a_writer_and_a_reader_of_one_descriptor() -> None:
    async def main(thread: SelectorThread, near: socket.socket, far: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        writable, readable = loop.create_future(), loop.create_future()
        thread.add_reader(near.fileno(), lambda: readable.done() or readable.set_result(near.recv(9)))
        thread.add_writer(near.fileno(), lambda: writable.done() or writable.set_result(near.send(b"out")))
        await writable
        assert thread.remove_writer(near.fileno())
        assert far.recv(9) == b"out"
        far.send(b"in")
        assert await readable == b"in"

    run_with_thread(main)


def test_a_callback_that_removes_itself_is_not_called_again() -> None:
    async def main(thread: SelectorThread, near: socket.socket, far: socket.socket) -> None:
        calls = []
        done = asyncio.get_running_loop().create_future()

        def once() -> None:
            calls.append(thread.remove_writer(near.fileno()))
            done.set_result(None)

        thread.add_writer(near.fileno(), once)
        thread.add_reader(far.fileno(), print)
        await done
        await asyncio.sleep(0)
        assert calls == [True]

    run_with_thread(main)


def test_a_failing_callback_is_told_and_stays() -> None:
    async def main(thread: SelectorThread, near: socket.socket, far: socket.socket) -> None:
        told: asyncio.Queue[Any] = asyncio.Queue()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.put_nowait(context["exception"]))
        thread.add_reader(near.fileno(), lambda: near.recv(1) and 1 / 0)
        far.send(b"ab")
        assert [type(await told.get()), type(await told.get())] == [ZeroDivisionError] * 2

    run_with_thread(main)


def test_a_descriptor_that_was_closed_without_a_word_is_told_to_its_callback() -> None:
    async def main(thread: SelectorThread, near: socket.socket, far: socket.socket) -> None:
        called = asyncio.get_running_loop().create_future()
        thread.add_reader(far.fileno(), print)  # with what the thread itself opens
        number = os.dup(near.fileno())
        os.close(number)
        thread.add_reader(number, lambda: thread.remove_reader(number) and called.set_result(True))
        assert await called

    run_with_thread(main)


def test_too_many_descriptors_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(thread: SelectorThread, near: socket.socket, far: socket.socket) -> None:
        from tornado4.platform import selector_thread

        real = selector_thread.select.select

        def few(reading: Any, *rest: Any) -> Any:
            if len(reading) > 2:
                raise ValueError("too many file descriptors in select()")
            return real(reading, *rest)

        monkeypatch.setattr(selector_thread.select, "select", few)
        told: asyncio.Queue[Any] = asyncio.Queue()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.put_nowait(context["message"]))
        thread.add_reader(near.fileno(), print)
        thread.add_reader(far.fileno(), print)
        assert "cannot watch 2 descriptors" in await told.get()

    run_with_thread(main)


def test_where_there_are_no_threads_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(thread: SelectorThread, near: socket.socket, far: socket.socket) -> None:
        def none(self: Any) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", none)
        with pytest.raises(NotImplementedError, match="SelectorEventLoop"):
            thread.add_reader(near.fileno(), print)

    run_with_thread(main)


def test_the_thread_ends_when_its_loop_is_closed() -> None:
    loop = asyncio.new_event_loop()
    thread = SelectorThread(loop)
    near, far = socket.socketpair()
    thread.add_reader(near.fileno(), print)
    assert thread._watcher is not None
    loop.close()
    far.send(b"x")
    thread._watcher._thread.join(60)
    assert not thread._watcher._thread.is_alive()
    near.close()
    far.close()


# ---------------------------------------------------------------------------------------------------------
# macOS


def test_a_server_and_a_client_run_on_kqueue() -> None:
    code = SERVES + "print(type(ioloop.IOLoop.current()).__name__, ioloop.IOLoop.current().run_sync(serve_and_fetch))"
    assert run("macos_machine", code) == f"KQueueIOLoop {SAID}"


def test_files_that_sendfile_refuses_are_read() -> None:
    code = "import errno, os\ndef no(*args):\n    raise OSError(errno.ENOTSUP, 'not supported')\nos.sendfile = no\n"
    code += SERVES + "print(ioloop.IOLoop.current().run_sync(serve_and_fetch))"
    assert run("macos_machine", code) == SAID
