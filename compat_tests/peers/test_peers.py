"""Libraries of other people at the other end, or within. Each test skips where its library is not installed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from compat_tests.peers.programs import environment, free_port, running, sockjs_folder
from tornado4 import httpclient, httpserver, netutil, web, websocket
from tornado4.ioloop import IOLoop


@asynccontextmanager
async def serving(application: Any, **options: Any) -> AsyncIterator[str]:
    """Serve on the running loop; gives ``host:port``."""
    server = httpserver.HTTPServer(application, **options)
    (sock,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])
    try:
        yield f"127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()


def run(main: Callable[[], Awaitable[Any]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 60))  # type: ignore[arg-type]


# -- the websockets library ---------------------------------------------------------------------------------


class Echo(websocket.WebSocketHandler):
    closed: list[Any] = []

    def initialize(self, compression: Any = None) -> None:
        self.compression = compression

    def get_compression_options(self) -> Any:
        return self.compression

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "second" if "second" in subprotocols else None

    def on_message(self, message: Any) -> None:
        if message == "close":
            self.close(4321, "as you wish")
        elif message == "fragments":
            protocol: Any = self.ws_connection
            protocol._write_frame(False, 1, b"frag")
            protocol._write_frame(True, 0, b"ments")
        else:
            self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        self.closed.append((self.close_code, self.close_reason))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_websockets_as_the_client(compression: Any) -> None:
    websockets = pytest.importorskip("websockets")
    Echo.closed.clear()

    async def main() -> None:
        options = {} if compression else None
        async with serving(web.Application([("/", Echo, {"compression": options})])) as place:
            connect = websockets.connect(
                f"ws://{place}/", compression=compression, subprotocols=["first", "second"], max_size=None, proxy=None
            )
            async with connect as client:
                assert client.subprotocol == "second"
                assert bool(client.response.headers.get("Sec-WebSocket-Extensions")) is bool(compression)
                for message in ("text", "grüße ☃", b"\0\xff" * 10, "", b"", "x" * 1_000_000, b"y" * 70_000):
                    await client.send(message)
                    assert await client.recv() == message
                await client.send(["in ", "several ", "fragments"])
                assert await client.recv() == "in several fragments"
                await client.send("fragments")
                assert await client.recv() == "fragments"
                assert await (await client.ping(b"are you there")) >= 0
                await client.close(4000, "enough")
            async with websockets.connect(f"ws://{place}/", compression=compression, proxy=None) as client:
                await client.send("close")
                with pytest.raises(websockets.ConnectionClosed):
                    await client.recv()
                assert (client.close_code, client.close_reason) == (4321, "as you wish")
            while len(Echo.closed) < 2:
                await asyncio.sleep(0.001)

    run(main)
    assert Echo.closed == [(4000, "enough"), (4321, "as you wish")]


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_websockets_as_the_server(compression: Any) -> None:
    websockets = pytest.importorskip("websockets")
    server = pytest.importorskip("websockets.asyncio.server")

    async def answer(connection: Any) -> None:
        try:
            async for message in connection:
                if message == "close":
                    await connection.close(4321, "as you wish")
                elif message == "fragments":
                    await connection.send(["frag", "ments"])
                else:
                    await connection.send(message)
        except websockets.ConnectionClosed:
            pass

    async def main() -> None:
        async with server.serve(answer, "127.0.0.1", 0, compression=compression, max_size=None) as serving:
            url = f"ws://127.0.0.1:{serving.sockets[0].getsockname()[1]}/"
            client = await websocket.websocket_connect(url, compression_options={} if compression else None)
            for message in ("text", "grüße ☃", b"\0\xff" * 10, "", b"", "x" * 1_000_000, b"y" * 70_000):
                await client.write_message(message, binary=isinstance(message, bytes))
                assert await client.read_message() == message
            await client.write_message("fragments")
            assert await client.read_message() == "fragments"
            await client.write_message("close")
            assert await client.read_message() is None
            assert (client.close_code, client.close_reason) == (4321, "as you wish")

    run(main)


# -- WSGI: gunicorn outside, Flask and Django within --------------------------------------------------------


def test_gunicorn_serves_an_application_in_a_wsgi_adapter(tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    (tmp_path / "app.py").write_text(
        textwrap.dedent(
            """
            from tornado4 import web, wsgi

            class Hello(web.RequestHandler):
                def get(self, name):
                    self.set_secure_cookie("name", name)
                    self.write({"hello": name, "agent": self.get_argument("agent", None)})

                async def post(self, name):
                    self.set_status(201)
                    self.write(self.request.body)

            application = wsgi.WSGIAdapter(web.Application([("/(.*)", Hello)], cookie_secret="x"))
            """
        )
    )
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "app:application"]
    with running(command, port, tmp_path, tmp_path):
        for _ in range(5):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/you?agent=a%20b", timeout=120) as answer:
                assert answer.read() == b'{"hello": "you", "agent": "a b"}'
                assert "gunicorn" in answer.headers["Server"] and "name=" in answer.headers["Set-Cookie"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", b"body" * 10_000, timeout=120) as answer:
            assert (answer.status, answer.read()) == (201, b"body" * 10_000)


def test_gunicorns_own_tornado_worker_runs_on_tornado4(tmp_path: Path) -> None:
    """``gunicorn -k tornado``: it patches RequestHandler.clear, forks, serves on the sockets it has bound."""
    pytest.importorskip("gunicorn")
    (tmp_path / "app.py").write_text(
        textwrap.dedent(
            """
            import tornado.gen, tornado.web

            class Hello(tornado.web.RequestHandler):
                @tornado.gen.coroutine
                def get(self):
                    yield tornado.gen.sleep(0.001)
                    self.write("hello")

            application = tornado.web.Application([("/", Hello)])
            """
        )
    )
    port = free_port()
    gunicorn = ["-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--worker-class", "tornado"]
    command = [sys.executable, "-m", "tornado4", "run", *gunicorn, "app:application"]
    with running(command, port, tmp_path, tmp_path) as log:
        for _ in range(10):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=120) as answer:
                assert answer.read() == b"hello"
                assert answer.headers["Server"].startswith("TornadoServer/4.5.3 (Gunicorn/")
        assert "Traceback" not in log.read_text()


def test_flask_within_a_wsgi_container() -> None:
    flask = pytest.importorskip("flask")
    from tornado4.wsgi import WSGIContainer

    app = flask.Flask("app")
    app.secret_key = "x"

    @app.route("/hello/<name>", methods=["GET", "POST"])
    def hello(name: str) -> Any:
        if flask.request.method == "POST":
            return {"form": flask.request.form["a"], "file": flask.request.files["f"].read().decode()}
        flask.session["seen"] = name
        return f"hello {name} from {flask.request.remote_addr} {flask.request.args.getlist('x')}"

    @app.route("/stream")
    def stream() -> Any:
        return flask.Response((f"line {i}\n" for i in range(3)), mimetype="text/plain")

    class Own(web.RequestHandler):
        def get(self) -> None:
            self.write("tornado's")

    application = web.Application([("/own", Own), (".*", web.FallbackHandler, {"fallback": WSGIContainer(app)})])

    async def main() -> None:
        client = httpclient.AsyncHTTPClient(force_instance=True)
        async with serving(application) as place:
            answer = await client.fetch(f"http://{place}/hello/w%C3%B6rld?x=1&x=2")
            assert answer.body.decode() == "hello wörld from 127.0.0.1 ['1', '2']"
            assert "session=" in answer.headers["Set-Cookie"]
            assert (await client.fetch(f"http://{place}/stream")).body == b"line 0\nline 1\nline 2\n"
            assert (await client.fetch(f"http://{place}/own")).body == b"tornado's"
            missing = await client.fetch(f"http://{place}/missing", raise_error=False)
            assert missing.code == 404 and b"Not Found" in missing.body
            form = (
                b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
                b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\ncontents\r\n--b--\r\n'
            )
            posted = await client.fetch(
                f"http://{place}/hello/x", method="POST", body=form,
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )  # fmt: skip
            assert posted.body.strip() == b'{"file":"contents","form":"b"}'
        client.close()

    run(main)


DJANGO = """
import asyncio
import django.conf

django.conf.settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", DEBUG=False,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.gzip.GZipMiddleware"],
)
import django
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

@csrf_exempt
def view(request, name):
    if request.method == "POST":
        return HttpResponse(request.body, status=201)
    answer = JsonResponse({"name": name, "query": request.GET.getlist("x"), "host": request.get_host()})
    answer.set_cookie("a", "b")
    return answer

urlpatterns = [path("hello/<str:name>/", view), path("stream/", lambda r: StreamingHttpResponse(iter([b"x", b"y"])))]
application = get_wsgi_application()

from tornado4 import httpclient, httpserver, netutil, wsgi

async def main():
    server = httpserver.HTTPServer(wsgi.WSGIContainer(application))
    sock = netutil.bind_sockets(0, "127.0.0.1")[0]
    server.add_sockets([sock])
    place = "http://127.0.0.1:%d" % sock.getsockname()[1]
    client = httpclient.AsyncHTTPClient()
    answer = await client.fetch(place + "/hello/you/?x=1&x=2", headers={"Host": "example.com"})
    assert answer.body == b'{"name": "you", "query": ["1", "2"], "host": "example.com"}', answer.body
    assert answer.headers["Set-Cookie"].startswith("a=b")
    posted = await client.fetch(place + "/hello/x/", method="POST", body="b" * 100000)
    assert (posted.code, len(posted.body)) == (201, 100000)
    assert (await client.fetch(place + "/stream/")).body == b"xy"
    assert (await client.fetch(place + "/hello/you")).effective_url.endswith("/hello/you/")   # APPEND_SLASH
    assert (await client.fetch(place + "/missing/", raise_error=False)).code == 404
    client.close()
    server.stop()
    await server.close_all_connections()

asyncio.run(main())
print("fine")
"""


def test_django_within_a_wsgi_container(tmp_path: Path) -> None:
    pytest.importorskip("django")
    assert run_program(DJANGO, tmp_path) == "fine\n"


def run_program(source: str, folder: Path, *folders: Path) -> str:
    """A program with ``import tornado`` for tornado4; its output, and nothing on stderr."""
    file = folder / "program.py"
    file.write_text(source)
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "tornado4", "run", str(file)]
    done = subprocess.run(command, env=environment(*folders), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- ZeroMQ -------------------------------------------------------------------------------------------------

ZMQ = """
import zmq
from zmq.eventloop.zmqstream import ZMQStream       # says "from tornado.ioloop import IOLoop"
import tornado.gen, tornado.ioloop

context = zmq.Context()
server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
port = server.bind_to_random_port("tcp://127.0.0.1")
client.connect("tcp://127.0.0.1:%d" % port)
loop = tornado.ioloop.IOLoop.current()
answering, asking = ZMQStream(server), ZMQStream(client)
assert answering.io_loop is loop
got = []

def answer(parts):
    answering.send_multipart([b"re: " + parts[0]])

def received(parts):
    got.append(parts)
    if len(got) == 100:
        loop.stop()
    else:
        asking.send(b"%d" % len(got))

answering.on_recv(answer)
asking.on_recv(received)
asking.send(b"0")
guard = loop.call_later(30, loop.stop)
loop.start()
loop.remove_timeout(guard)
assert [parts[0] for parts in got] == [b"re: %d" % i for i in range(100)], got

# A coroutine as the callback, and sockets that are handlers of the loop by themselves (fd is an object).
async def coroutine_answer(parts):
    await tornado.gen.sleep(0.001)
    answering.send_multipart([b"later"])
answering.on_recv(coroutine_answer)
asking.on_recv(lambda parts: (got.append(parts), loop.stop()))
asking.send(b"x")
guard = loop.call_later(30, loop.stop)
loop.start()
loop.remove_timeout(guard)
assert got[-1] == [b"later"]
asking.close(); answering.close()
context.term()
print("fine")
"""


def test_pyzmqs_stream_on_our_loop(tmp_path: Path) -> None:
    pytest.importorskip("zmq")
    assert run_program(ZMQ, tmp_path) == "fine\n"


# -- sockjs-tornado -----------------------------------------------------------------------------------------

SOCKJS = """
import json
import tornado.gen, tornado.httpclient, tornado.httpserver, tornado.ioloop, tornado.netutil, tornado.web
import tornado.websocket
from sockjs.tornado import SockJSConnection, SockJSRouter

class Chat(SockJSConnection):
    participants = set()
    closed = []

    def on_open(self, info):
        self.send("welcome")
        self.participants.add(self)

    def on_message(self, message):
        self.broadcast(self.participants, message)

    def on_close(self):
        self.participants.remove(self)
        self.closed.append(self)

router = SockJSRouter(Chat, "/chat")
server = tornado.httpserver.HTTPServer(tornado.web.Application(router.urls))
sock = tornado.netutil.bind_sockets(0, "127.0.0.1")[0]
server.add_sockets([sock])
place = "127.0.0.1:%d/chat" % sock.getsockname()[1]
loop = tornado.ioloop.IOLoop.instance()

@tornado.gen.coroutine
def program():
    client = tornado.httpclient.AsyncHTTPClient()
    info = yield client.fetch("http://%s/info" % place)
    assert json.loads(info.body)["websocket"] is True
    greeting = yield client.fetch("http://%s/" % place)
    assert greeting.body == b"Welcome to SockJS!\\n"
    # The WebSocket transport.
    ws = yield tornado.websocket.websocket_connect("ws://%s/000/abc/websocket" % place)
    assert (yield ws.read_message()) == "o"
    assert (yield ws.read_message()) == 'a["welcome"]'
    # The polling transport: another session.
    opened = yield client.fetch("http://%s/000/def/xhr" % place, method="POST", body="")
    assert opened.body == b"o\\n", opened.body
    first = yield client.fetch("http://%s/000/def/xhr" % place, method="POST", body="")
    assert first.body == b'a["welcome"]\\n'
    polling = client.fetch("http://%s/000/def/xhr" % place, method="POST", body="")
    sent = yield client.fetch("http://%s/000/def/xhr_send" % place, method="POST", body='["to all"]')
    assert sent.code == 204
    assert (yield polling).body == b'a["to all"]\\n'
    assert (yield ws.read_message()) == 'a["to all"]'
    ws.write_message('["from the socket"]')
    assert (yield ws.read_message()) == 'a["from the socket"]'
    ws.close()
    assert (yield ws.read_message()) is None
    # Streaming, and the raw WebSocket.
    pieces = []
    def on_piece(piece):
        pieces.append(piece)
        if b"welcome" in b"".join(pieces):
            loop.add_callback(streaming.set_result, None)
    streaming = tornado.gen.Future()
    stream = client.fetch(tornado.httpclient.HTTPRequest(
        "http://%s/000/ghi/xhr_streaming" % place, method="POST", body="", streaming_callback=on_piece))
    yield streaming
    assert b"".join(pieces).endswith(b'o\\na["welcome"]\\n')
    raw = yield tornado.websocket.websocket_connect("ws://%s/websocket" % place)
    assert (yield raw.read_message()) == "welcome"
    raw.close()
    assert (yield raw.read_message()) is None
    while len(Chat.closed) < 2:
        yield tornado.gen.sleep(0.001)

loop.run_sync(program, timeout=120)
server.stop()
loop.run_sync(server.close_all_connections)
loop.close()
print("fine")
"""


def test_sockjs_tornado_through_the_alias(tmp_path: Path) -> None:
    folder = sockjs_folder()
    if folder is None:
        pytest.skip("sockjs-tornado 1.0.7 could not be fetched from PyPI")
    assert run_program(SOCKJS, tmp_path, folder) == "fine\n"


@pytest.fixture(autouse=True)
def no_loop_is_left_behind() -> Any:
    yield
    assert IOLoop.current(instance=False) is None
