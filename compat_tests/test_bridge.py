"""Applications of both sides under both servers: what each would have answered under its own.

Compared: every byte of the answer (but for what is volatile), whether the connection was closed, and the log lines.
What a server does by itself is named in ``SERVERS``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compat_tests import load
from compat_tests.bridge import cases
from compat_tests.oracle import TOP, Oracle, oracle
from compat_tests.peers.programs import free_port
from compat_tests.side import ServerSide, comparable

TORNADO_6 = "6.6.1"


def installed() -> Oracle:
    """This interpreter, with the real Tornado 6 and tornado4."""
    real = oracle(TORNADO_6)
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    found = subprocess.run(real.command("-c", code), capture_output=True, text=True, check=True, env=real.environ())
    folders = os.pathsep.join([str(TOP), found.stdout.strip()])
    return Oracle(TORNADO_6, Path(sys.executable), backfilled=False, path=Path(folders))


@pytest.fixture(scope="module")
def sides() -> Iterator[dict[str, ServerSide]]:
    """The four servers, as they are asked for."""
    with contextlib.ExitStack() as stack:

        class Sides(dict[str, ServerSide]):
            def __missing__(self, name: str) -> ServerSide:
                self[name] = ServerSide(f"compat_tests.bridge.served:{name}", installed())
                stack.callback(self[name].close)
                return self[name]

        yield Sides()


def _refusal(found: dict[str, Any]) -> dict[str, Any]:
    """A message that the server itself refuses: its own words, 413 or 400, and a head that says more or less."""
    assert found["bytes"].startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 ")) and found["closed"]
    assert [line[:2] for line in found["log"]] == [["tornado.general", "INFO"]]
    return {"refused": found["log"][0][2].partition(": ")[0]}


def _any_order(found: dict[str, Any]) -> dict[str, Any]:
    """Whether the access line or `on_connection_close` comes first, where a body is refused half read."""
    return {**found, "log": sorted(found["log"])}


def _no_close_header(found: dict[str, Any]) -> dict[str, Any]:
    """Tornado 6's server says ``Connection: close`` to a client that has asked for it."""
    return {**found, "bytes": found["bytes"].replace(b"Connection: close\r\n", b"")}


#: What the servers do by themselves.
SERVERS = {
    "no host": _refusal,
    "a host that is none": _refusal,
    "two hosts": _refusal,
    "a body that is too large": _refusal,
    "two lengths": _refusal,
    "a length and chunks": _refusal,
    "no request": _refusal,
    "an upload that is refused": _any_order,
    "close": _no_close_header,
}


def answer(side: ServerSide, sent: Any) -> dict[str, Any]:
    return comparable(side.exchange(*(sent if isinstance(sent, list) else [sent])))


@pytest.mark.parametrize(("name", "sent"), cases.CASES, ids=[name for name, _ in cases.CASES])
@pytest.mark.parametrize("application", ["six", "four"])
def test_the_other_server_makes_no_difference(
    sides: dict[str, ServerSide], application: str, name: str, sent: Any
) -> None:
    own, other = ("theirs_", "ours_") if application == "six" else ("ours_", "theirs_")
    expected, found = answer(sides[own + application], sent), answer(sides[other + application], sent)
    rule = SERVERS.get(name, lambda found: found)
    assert rule(found) == rule(expected)


@pytest.mark.parametrize("side", ["theirs_six", "ours_six", "theirs_four", "ours_four"])
def test_what_is_meant_to_succeed_does(sides: dict[str, ServerSide], side: str) -> None:
    """Two failures would be alike, too."""
    meant = {name: sent for name, sent in cases.CASES if name in cases.SUCCEED}
    for name, sent in meant.items():
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer(sides[side], sent)["bytes"])
        assert statuses and set(statuses) <= {b"100", b"101", b"200"}, name
    assert len(meant) == len(cases.SUCCEED)


def test_no_rule_is_left_over(sides: dict[str, ServerSide]) -> None:
    sent = dict(cases.CASES)
    for name in SERVERS:
        assert any(
            answer(sides[f"theirs_{app}"], sent[name]) != answer(sides[f"ours_{app}"], sent[name])
            for app in ("six", "four")
        ), name


def test_each_side_reads_the_others_signed_cookies(sides: dict[str, ServerSide]) -> None:
    """Both ways of signing, and both sides' values: a session goes on on whichever side the next request is."""
    from tornado4.web import create_signed_value

    for version in (1, 2):
        cookie = create_signed_value(SECRET, "who", "jane", version=version).decode()
        for side in ("theirs_six", "ours_six", "theirs_four", "ours_four"):
            assert answer(sides[side], cases.ask("/cookies", f"Cookie: who={cookie}"))["bytes"].endswith(b"b'jane'None")


SECRET = "a secret of both sides"


def check_load(side: ServerSide, size: int, count: int) -> None:
    pid = side._process._process.pid
    load.download(side.port, "/large?pieces=20")
    load.upload(side.port, "/upload", 1_000_000)
    load.forget_peak(pid)
    before = load.resident(pid)
    assert load.download(side.port, f"/large?pieces={size // 50_000}") > size
    assert str(size).encode() in load.upload(side.port, "/upload", size)
    load.stalled(side.port, f"/large?pieces={size // 50_000}")
    assert load.resident(pid) - before < load.ALLOWED
    asyncio.run(load.sockets(side.port, "/socket", count, greets=True))
    log: list[Any] = []
    while sum("closed" in line[2] for line in log) < count:
        log += side.drain_log()


linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is told by Linux")


@linux
@pytest.mark.parametrize("name", ["ours_six", "theirs_four"])
def test_large_bodies_in_flat_memory_and_a_hundred_websockets(sides: dict[str, ServerSide], name: str) -> None:
    check_load(sides[name], 200_000_000, 100)


@linux
@pytest.mark.asgi_servers
@pytest.mark.parametrize("name", ["ours_six", "theirs_four"])
def test_a_gigabyte_and_a_thousand_websockets(sides: dict[str, ServerSide], name: str) -> None:
    check_load(sides[name], 1_000_000_000, 1000)


# -- programs


def run(code: str, *, arguments: tuple[str, ...] = (), cwd: Path | None = None) -> str:
    """What a program prints, with both in reach."""
    real = installed()
    done = subprocess.run(
        real.command("-W", "error", *(arguments or ("-c", code))),
        env=real.environ(), capture_output=True, text=True, timeout=300, cwd=cwd,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


#: A server of ours with a T6 application before an old one; ``ask`` fetches from it.
SETUP = """
import asyncio, logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
logging.getLogger("asyncio").setLevel(logging.WARNING)
from tornado4.asgi import ASGIAdapter, ASGIContainer
from tornado4 import web as web4, routing as routing4, gen as gen4
from tornado4.httpclient import AsyncHTTPClient
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop as IOLoop4
from tornado4.testing import bind_unused_port
from tornado4.migrate.bridge import Tornado4, Tornado6, one_loop
import tornado.web, tornado.ioloop, tornado.routing, tornado.httputil, tornado.httpserver
class Six(tornado.web.RequestHandler):
    def get(self, *args): self.write("six " + " ".join(args))
class Four(web4.RequestHandler):
    def get(self, *args): self.write("four")
async def ask(server, path="/", **kwargs):
    socket, port = bind_unused_port()
    server.add_socket(socket)
    answer = await AsyncHTTPClient().fetch("http://127.0.0.1:%d%s" % (port, path), raise_error=False, **kwargs)
    server.stop()
    return answer.code, answer.body.decode()
"""


def test_it_is_a_target_wherever_ours_are() -> None:
    """In a RuleRouter, in an Application's own rules, behind FallbackHandler, as the application; a callable, too."""
    code = (
        SETUP
        + """
six = tornado.web.Application([("/n/(.*)", Six)])
def plain(request):
    line = tornado.httputil.ResponseStartLine("HTTP/1.1", 200, "OK")
    request.connection.write_headers(line, tornado.httputil.HTTPHeaders({"Content-Length": "5"}), b"plain")
    request.connection.finish()
async def main():
    rules = [routing4.Rule(routing4.PathMatches("/n/.*"), Tornado6(six)), (".*", web4.Application([("/.*", Four)]))]
    for application in (
        routing4.RuleRouter(rules),
        web4.Application([("/n/.*", Tornado6(six)), ("/.*", Four)]),
        web4.Application([("/n/.*", web4.FallbackHandler, {"fallback": Tornado6(six)}), ("/.*", Four)]),
        Tornado6(tornado.routing.RuleRouter([("/n/.*", six), (".*", plain)])),
        Tornado6(plain),
        ASGIContainer(ASGIAdapter(routing4.RuleRouter(rules))),
    ):
        print(await ask(HTTPServer(application), "/n/a"), await ask(HTTPServer(application), "/"))
    for application in (
        tornado.routing.RuleRouter([("/n/.*", six), (".*", Tornado4(web4.Application([("/.*", Four)])))]),
        tornado.web.Application([("/n/(.*)", Six), (".*", Tornado4(web4.Application([("/.*", Four)])))]),
        Tornado4(web4.Application([("/.*", Four)])),
    ):
        print(await ask(tornado.httpserver.HTTPServer(application), "/n/a"),
              await ask(tornado.httpserver.HTTPServer(application), "/"))
logging.disable()
IOLoop4.current().run_sync(main)
"""
    )
    assert run(code).splitlines() == [
        *["(200, 'six a') (200, 'four')"] * 3,
        "(200, 'six a') (200, 'plain')",
        "(200, 'plain') (200, 'plain')",
        "(200, 'six a') (200, 'four')",
        *["(200, 'six a') (200, 'four')"] * 2,
        "(200, 'four') (200, 'four')",
    ]


def test_under_an_asgi_server() -> None:
    """Its WebSockets find a stream of frames there; what asks for the connection's own is an error, and answered."""
    code = (
        SETUP
        + """
from tornado4.websocket import websocket_connect
import tornado.websocket
class Socket(tornado.websocket.WebSocketHandler):
    def get_compression_options(self): return {}
    def open(self): self.ping(b"alive")
    def on_pong(self, data): self.write_message("pong of the server")
    def on_message(self, message): self.write_message(message)
    def on_close(self): print("closed", self.close_code)
class Detaching(tornado.web.RequestHandler):
    async def get(self, how):
        if how:
            self.write("begun")
            await self.flush()
        self.detach()
six = tornado.web.Application([("/n/socket", Socket), ("/n/(.*)", Detaching)], websocket_ping_interval=0.01)
def served():
    return ASGIContainer(ASGIAdapter(web4.Application([("/n/socket", Tornado6(six)),
        ("/n/.*", web4.FallbackHandler, {"fallback": Tornado6(six)})])))
async def main():
    socket, port = bind_unused_port()
    HTTPServer(served()).add_socket(socket)
    client = await websocket_connect("ws://127.0.0.1:%d/n/socket" % port)
    pongs = 0
    while pongs < 3:
        pongs += (await client.read_message()) == "pong of the server"
    client.write_message("hello")
    while (message := await client.read_message()) != "hello":
        pass
    print(message)
    client.close(4000)
    while await client.read_message() is not None:
        pass
    print(await ask(HTTPServer(served()), "/n/"))
    late = await AsyncHTTPClient().fetch("http://127.0.0.1:%d/n/late" % port, raise_error=False)
    print((late.code, "cut off"))
IOLoop4.current().run_sync(main)
"""
    )
    lines = run(code).splitlines()
    reason = "RuntimeError: the connection belongs to the ASGI server: detach() is not to be had; serve with HTTPServer"
    assert sum(line.startswith(reason) for line in lines) == 2
    assert [line for line in lines if line.startswith(("hello", "closed", "("))] == [
        "hello",
        "closed 4000",
        "(500, '')",
        "(599, 'cut off')",
    ]


def test_one_access_line_a_request_under_the_names_of_old() -> None:
    code = (
        SETUP
        + """
router = routing4.RuleRouter([("/n/.*", Tornado6(tornado.web.Application([("/n/(.*)", Six)]))),
    (".*", web4.Application([("/.*", Four)]))])
async def main():
    await ask(HTTPServer(router), "/n/a"), await ask(HTTPServer(router), "/n"), await ask(HTTPServer(router), "/n/")
IOLoop4.current().run_sync(main)
"""
    )
    assert [line.rpartition(" (")[0] for line in run(code).splitlines()] == [
        "200 GET /n/a",
        "200 GET /n",
        "200 GET /n/",
    ]


@pytest.mark.parametrize("order", ["old first", "new first"])
def test_both_stand_on_one_loop(order: str) -> None:
    """What Tornado 6 schedules before the loop starts runs on it, whichever side was made first."""
    code = (
        SETUP
        + """
order = ORDER
if order == "old first":
    IOLoop4.current()
    one_loop()
else:
    one_loop()
six = tornado.web.Application([("/", Six)], debug=True, autoreload=True)
tornado.ioloop.PeriodicCallback(lambda: look(), 1).start()
bridge = Tornado6(six)
assert tornado.ioloop.IOLoop.current().asyncio_loop is IOLoop4.current().asyncio_loop
def look():
    assert tornado.ioloop.IOLoop.current().asyncio_loop is IOLoop4.current().asyncio_loop is asyncio.get_running_loop()
    print("tick")
    IOLoop4.current().stop()
IOLoop4.current().start()
"""
    )
    assert "tick" in run(code.replace("ORDER", repr(order)))


def test_work_on_a_loop_that_would_never_run_is_an_error() -> None:
    code = (
        SETUP
        + """
import warnings
warnings.simplefilter("ignore")  # 3.12 and 3.13 warn of what Tornado does there
tornado.ioloop.IOLoop.current().add_callback(print, "never")
try:
    Tornado6(tornado.web.Application([]))
except RuntimeError as error:
    print(error)
tornado.ioloop.IOLoop.current().close()
"""
    )
    assert run(code).startswith("Tornado 6 has a loop of its own already, with something scheduled on it")


def test_it_makes_no_loop_before_a_fork() -> None:
    code = (
        SETUP
        + """
Tornado6(tornado.web.Application([]))
print(IOLoop4.initialized(), IOLoop4.current(instance=False))
import copy
connection = copy.copy(Tornado6(tornado.web.Application([]))._connection(type("C", (), {"context": 1})))
print(connection.context)
"""
    )
    assert run(code) == "False None\n1\n"


def test_either_sides_start_and_stop_serve_both() -> None:
    code = (
        SETUP
        + """
one_loop()
theirs = tornado.ioloop.IOLoop.current()
IOLoop4.current().add_callback(lambda: theirs.add_callback(theirs.stop))
IOLoop4.current().start()
theirs.call_later(0.01, lambda: IOLoop4.current().add_callback(IOLoop4.current().stop))
theirs.start()
print("both ended")
"""
    )
    assert run(code) == "both ended\n"


def test_what_is_no_application_of_the_other_side_is_refused() -> None:
    code = (
        SETUP
        + """
for make in (lambda: Tornado6(web4.Application([])), lambda: Tornado6(Six), lambda: Tornado6("app"),
             lambda: Tornado4(tornado.web.Application([])), lambda: Tornado4(Four), lambda: Tornado4(None)):
    try:
        make()
    except TypeError as error:
        print(error)
"""
    )
    lines = run(code).splitlines()
    assert "is tornado4's, and needs no bridge" in lines[0] and "is Tornado 6's, and needs no bridge" in lines[3]
    assert lines[1].startswith("Tornado6() takes an Application of the real Tornado 6, not <class")
    assert lines[5] == "Tornado4() takes an Application of tornado4, not None" and len(lines) == 6


@pytest.mark.parametrize(("options", "fits"), [(("--alias-for", "oldapp"), True), ((), False)])
def test_old_code_keeps_its_alias_beside_it(tmp_path: Path, options: tuple[str, ...], fits: bool) -> None:
    (tmp_path / "oldapp.py").write_text(
        "import tornado.web\nclass Old(tornado.web.RequestHandler):\n"
        "    @tornado.web.asynchronous\n    def get(self): self.finish(tornado.version)\n"
        "app = tornado.web.Application([('/', Old)])\n"
    )
    (tmp_path / "program.py").write_text(
        SETUP.replace("import tornado.web,", "import oldapp, tornado.web,") + "logging.disable()\n"
        "six = Tornado6(tornado.web.Application([('/n/(.*)', Six)]))\n"
        "router = routing4.RuleRouter([('/n/.*', six), ('.*', oldapp.app)])\n"
        "async def main(): print(await ask(HTTPServer(router), '/n/a'), await ask(HTTPServer(router), '/'))\n"
        "IOLoop4.current().run_sync(main)\n"
    )
    if fits:
        arguments = ("-m", "tornado4", "run", *options, "program.py")
        assert run("", arguments=arguments, cwd=tmp_path) == "(200, 'six a') (200, '4.5.3')\n"
    else:
        real = installed()
        done = subprocess.run(
            real.command("-m", "tornado4", "run", "program.py"),
            env=real.environ(), capture_output=True, text=True, timeout=300, cwd=tmp_path,
        )  # fmt: skip
        assert "limit the alias to the packages that need it (tornado4 run --alias-for PACKAGE" in done.stderr


def test_the_real_tornado_is_imported_when_it_is_needed() -> None:
    code = """
import sys, tornado4.migrate.bridge
assert "tornado" not in sys.modules
sys.modules["tornado"] = None
try:
    tornado4.migrate.bridge.Tornado6(object())
except ImportError as error:
    print(error)
import types
sys.modules["tornado"] = types.ModuleType("tornado")
sys.modules["tornado"].version_info, sys.modules["tornado"].version = (5, 1), "5.1"
try:
    tornado4.migrate.bridge.Tornado4(object())
except ImportError as error:
    print(error)
"""
    assert run(code).splitlines() == [
        "the bridge leads to the real Tornado 6, which is not installed: pip install tornado",
        "the bridge leads to Tornado 6; what is installed is 5.1: pip install -U tornado",
    ]


DOCS = re.findall(r"^```python\n(.*?)^```$", (TOP / "docs/bridge.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("code", "path", "answer"), [(DOCS[0], "/new/", "Tornado 6"), (DOCS[1], "/report", "not moved")]
)
def test_code_of_the_documentation_serves(code: str, path: str, answer: str) -> None:
    real, port = installed(), free_port()
    process = subprocess.Popen(real.command("-W", "error", "-c", code.replace("8888", str(port))), env=real.environ())
    try:
        told = b""
        while not told:
            assert process.poll() is None
            with contextlib.suppress(OSError):
                told = load.answer(port, path)
        assert answer.encode() in told
        assert (b"as it was" if path == "/new/" else b"moved") in load.answer(port, "/")
    finally:
        process.terminate()
        process.wait(120)


def test_the_rest_of_the_documentation_runs() -> None:
    assert len(DOCS) == 3 and run(DOCS[2]) == ""


def test_sockets_over_tls_change_sides(tmp_path: Path) -> None:
    """Frames that came with the handshake, decrypted already, are not lost; nor is what has not left yet."""
    from compat_tests.upstream.suite import write_certificate

    write_certificate(tmp_path / "test.crt", tmp_path / "test.key")
    code = SETUP + TLS
    assert run(code, cwd=tmp_path).split() == ["six", "hello", "ahead", "four", "hello", "ahead"]


TLS = """
import ssl, tornado.websocket, tornado4.websocket, tornado.iostream, tornado4.iostream
from compat_tests.wire.sockets import shake, frame
logging.disable()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("test.crt", "test.key")
trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
def socket_handler(base):
    class Socket(base):
        def open(self): self.write_message("hello")
        def on_message(self, message): self.write_message(message)
    return Socket
six = tornado.web.Application([("/", socket_handler(tornado.websocket.WebSocketHandler))])
four = web4.Application([("/", socket_handler(tornado4.websocket.WebSocketHandler))])
async def talk(server):
    socket, port = bind_unused_port()
    server.add_socket(socket)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    writer.write(shake("/") + frame(1, b"ahead"))
    await reader.readuntil(b"\\r\\n\\r\\n")
    assert await reader.readexactly(2) == b"\\x81\\x05"
    print((await reader.readexactly(5)).decode())
    assert await reader.readexactly(2) == b"\\x81\\x05"
    print((await reader.readexactly(5)).decode())
    writer.close()
    server.stop()
async def main():
    print("six")
    await talk(HTTPServer(Tornado6(six), ssl_options=context))
    print("four")
    await talk(tornado.httpserver.HTTPServer(Tornado4(four), ssl_options=context))
IOLoop4.current().run_sync(main)
"""
