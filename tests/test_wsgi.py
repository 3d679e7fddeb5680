"""tornado4.wsgi; compared with the real 4.5.3 but for what is said to be stricter."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from tornado4 import gen, httputil, web, wsgi
from tornado4.concurrent import Future
from tornado4.web import Application, RequestHandler
from tornado4.wsgi import WSGIAdapter, WSGIApplication, WSGIContainer


class Mirror(RequestHandler):
    def get(self, *args):
        request = self.request
        names = ("method", "uri", "path", "query", "version", "host", "remote_ip", "protocol")
        found = {name: getattr(request, name) for name in names}
        found["arguments"] = {k: [v.decode() for v in values] for k, values in request.arguments.items()}
        found["headers"] = dict(request.headers.get_all())
        found["body"] = request.body.decode("latin1")
        found["files"] = {name: files[0].filename for name, files in request.files.items()}
        found["args"] = list(args)
        self.seen.append(found)
        self.finish("ok")

    post = put = get
    seen: list = []


class Pieces(RequestHandler):
    def get(self):
        self.set_status(201, "Made")
        self.add_header("X", "1")
        self.add_header("X", "2")
        self.write("x")
        self.flush()
        self.write("y")

    def head(self):
        self.set_header("Content-Length", "9")


class Coroutine(RequestHandler):
    @gen.coroutine
    def get(self):
        self.write("done")
        yield gen.maybe_future(None)


def resolved():
    future = Future()
    future.set_result(5)
    return future


class Native(RequestHandler):
    async def get(self):
        self.write(f"native {await resolved()}")


class Waiting(RequestHandler):
    @web.asynchronous
    def get(self):
        pass


class Broken(RequestHandler):
    def get(self):
        raise ZeroDivisionError("oh")


class Short(RequestHandler):
    def get(self):
        self.set_header("Content-Length", "5")
        self.write("abc")


HANDLERS = [
    ("/mirror(.*)", Mirror),
    ("/pieces", Pieces),
    ("/coroutine", Coroutine),
    ("/native", Native),
    ("/waiting", Waiting),
    ("/broken", Broken),
    ("/short", Short),
]


@pytest.fixture
def adapter():
    return WSGIAdapter(Application(HANDLERS))


def call(application, path="/mirror", *, method="GET", body=b"", **environ):
    full = {"REMOTE_ADDR": "9.9.9.9", "wsgi.input": io.BytesIO(body), "PATH_INFO": path}
    if body:
        full["CONTENT_LENGTH"] = str(len(body))
    setup_testing_defaults(full)
    full |= {"REQUEST_METHOD": method, **environ}
    full = {key: value for key, value in full.items() if value is not None}
    answer = []

    def start_response(status, headers, exc_info=None):
        answer[:] = status, headers

    chunks = application(full, start_response)
    return (*answer, b"".join(chunks))


class TestRequest:
    @pytest.fixture
    def seen(self, adapter, monkeypatch):
        monkeypatch.setattr(Mirror, "seen", [])

        def seen(path="/mirror", **kwargs):
            assert call(adapter, path, **kwargs)[0] == "200 OK"
            return Mirror.seen[-1]

        return seen

    def test_address(self, seen):
        request = seen("/a b", SCRIPT_NAME="/mirror", QUERY_STRING="x=1&y=")
        assert request["uri"] == "/mirror/a%20b?x=1&y="
        assert (request["path"], request["query"]) == ("/mirror/a%20b", "x=1&y=")
        assert request["args"] == ["/a b"]
        assert request["arguments"] == {"x": ["1"], "y": [""]}

    def test_path_is_bytes_in_disguise(self, seen):
        assert seen("/mirror/é".encode().decode("latin1"))["args"] == ["/é"]

    def test_client_and_server(self, seen):
        request = seen(HTTP_HOST="ex.com:81", **{"wsgi.url_scheme": "https"})
        assert (request["host"], request["protocol"]) == ("ex.com:81", "https")
        assert (request["remote_ip"], request["version"]) == ("9.9.9.9", "HTTP/1.1")
        request = seen(HTTP_HOST=None, SERVER_NAME="name", REMOTE_ADDR=None)
        assert (request["host"], request["remote_ip"]) == ("name", "")

    def test_form(self, seen):
        request = seen(method="POST", body=b"a=b&c=d", CONTENT_TYPE="application/x-www-form-urlencoded")
        assert request["arguments"] == {"a": ["b"], "c": ["d"]}
        assert request["headers"]["Content-Length"] == "7"

    def test_file_upload(self, seen):
        body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nhi\r\n--b--\r\n'
        request = seen(method="POST", body=body, CONTENT_TYPE="multipart/form-data; boundary=b")
        assert request["files"] == {"f": "x"}

    def test_body_ends_at_its_length(self, seen):
        assert seen(method="PUT", body=b"abcdef", CONTENT_LENGTH="3")["body"] == "abc"
        assert seen(method="PUT", body=b"abc", CONTENT_LENGTH="")["body"] == ""
        assert seen(method="PUT", body=b"abc", CONTENT_LENGTH=None)["body"] == ""

    def test_headers(self, seen):
        assert seen(HTTP_X_FOO_BAR="q", CONTENT_TYPE="text/x")["headers"] == {
            "Host": "127.0.0.1",
            "X-Foo-Bar": "q",
            "Content-Type": "text/x",
        }

    def test_underscored_header_cannot_pass_for_the_servers_own_findings(self, seen):
        request = seen(method="POST", body=b"abc", HTTP_CONTENT_LENGTH="1", HTTP_CONTENT_TYPE="text/x")
        assert request["body"] == "abc"
        assert request["headers"]["Content-Length"] == "3"

    @pytest.mark.parametrize("length", ["abc", "-5", "+5", "0_5", " 5", "5, 5", "\u0665"])
    def test_length_that_is_no_number_is_refused(self, adapter, length, caplog):
        with caplog.at_level(logging.INFO, "tornado.general"):
            status, _, body = call(adapter, body=b"abcde", CONTENT_LENGTH=length)
        assert (status, body) == ("400 Bad Request", b"")
        assert "Content-Length" in caplog.text


class TestResponse:
    def test_status_headers_and_pieces(self, adapter):
        status, headers, body = call(adapter, "/pieces")
        assert (status, body) == ("201 Made", b"xy")
        assert [value for name, value in headers if name == "X"] == ["1", "2"]
        assert ("Server", "TornadoServer/4.5.3") in headers

    def test_head_has_no_body(self, adapter):
        status, headers, body = call(adapter, "/pieces", method="HEAD")
        assert (status, body) == ("200 OK", b"")
        assert ("Content-Length", "9") in headers

    @pytest.mark.parametrize(
        ("path", "expected"), [("/coroutine", b"done"), ("/native", b"native 5"), ("/broken", b"500")]
    )
    def test_what_needs_no_waiting(self, adapter, path, expected, caplog):
        _, _, body = call(adapter, path)
        assert expected in body

    def test_what_waits_is_an_error_in_words_of_453(self, adapter):
        with pytest.raises(Exception, match=r"^request did not finish synchronously$"):
            call(adapter, "/waiting")

    def test_wrong_content_length_is_the_servers_to_know(self, adapter, caplog):
        with pytest.raises(httputil.HTTPOutputError) as caught:
            call(adapter, "/short")
        assert str(caught.value) == "Tried to write 2 bytes less than Content-Length"

    def test_writing_more_than_content_length(self):
        def application(request):
            head = httputil.HTTPHeaders({"Content-Length": "3"})
            line = httputil.ResponseStartLine("HTTP/1.1", 200, "OK")
            assert request.connection.write_headers(line, head, b"ab").done()
            request.connection.write(b"cd")

        with pytest.raises(httputil.HTTPOutputError, match=r"Tried to write more data than Content-Length"):
            call(WSGIAdapter(application), "/")

    def test_connection_runs_callbacks_at_once(self):
        ran = []

        def application(request):
            connection = request.connection
            line = httputil.ResponseStartLine("HTTP/1.1", 200, "OK")
            connection.set_close_callback(ran.append)
            connection.write_headers(line, httputil.HTTPHeaders(), callback=lambda: ran.append("head"))
            connection.write(b"x", callback=lambda: ran.append("piece"))
            connection.finish()

        assert call(WSGIAdapter(application), "/")[2] == b"x"
        assert ran == ["head", "piece"]


def test_valid_by_the_standard_librarys_judge():
    judged = validator(WSGIApplication(HANDLERS))
    environ = {"PATH_INFO": "/pieces", "QUERY_STRING": "", "SCRIPT_NAME": ""}
    setup_testing_defaults(environ)
    answer = []
    chunks = judged(environ, lambda status, headers, exc_info=None: answer.append(status))
    assert b"".join(chunks) == b"xy"
    chunks.close()
    assert answer == ["201 Made"]


def test_threads_run_side_by_side_without_a_loop(adapter):
    barrier, bodies = threading.Barrier(4), []

    def work():
        barrier.wait(120)
        bodies.append(call(adapter, "/coroutine")[2])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert bodies == [b"done"] * 4


def test_no_loop_is_made():
    code = """
import asyncio
def refuse(*args, **kwargs): raise AssertionError("a loop was made")
asyncio.new_event_loop = refuse
from wsgiref.util import setup_testing_defaults
from tornado4 import gen, web, wsgi
from tornado4.ioloop import IOLoop
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.maybe_future(1)
        self.set_cookie("a", "b")
        self.render_string
        self.write({"a": 1})
environ = {}
setup_testing_defaults(environ)
answer = []
body = wsgi.WSGIApplication([("/", Handler)])(environ, lambda *args: answer.append(args[0]))
assert (answer, body) == (["200 OK"], [b'{"a": 1}']), (answer, body)
assert not IOLoop.initialized() and IOLoop.current(instance=False) is None
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=300)


class Recorder(httputil.HTTPConnection):
    class context:
        remote_ip, protocol = "7.7.7.7", "http"

    def write_headers(self, start_line, headers, chunk=None, callback=None):
        self.start_line, self.headers, self.body = start_line, headers, chunk

    def finish(self):
        self.finished = True


def answer(application, uri="/a%20b?x=1", method="GET", body=b"", **headers):
    headers = httputil.HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    headers.setdefault("Host", "h.com:8")
    connection = Recorder()
    request = httputil.HTTPServerRequest(method, uri, headers=headers, body=body, connection=connection)
    WSGIContainer(application)(request)
    assert connection.finished
    return connection


class TestContainer:
    def test_environment(self):
        seen = {}

        def application(environ, start_response):
            seen.update(environ, body=environ["wsgi.input"].read())
            start_response("200 OK", [])
            return []

        answer(application, "/%C3%A9/%ff?x=1", "POST", b"bd", Content_Type="t", Content_Length="2", X_A="1")
        assert seen.pop("wsgi.errors") is sys.stderr
        del seen["wsgi.input"]
        assert seen == {
            "body": b"bd",
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/\xc3\xa9/\xff",
            "QUERY_STRING": "x=1",
            "REMOTE_ADDR": "7.7.7.7",
            "SERVER_NAME": "h.com",
            "SERVER_PORT": "8",
            "SERVER_PROTOCOL": "HTTP/1.0",
            "CONTENT_TYPE": "t",
            "CONTENT_LENGTH": "2",
            "HTTP_HOST": "h.com:8",
            "HTTP_X_A": "1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }

    @pytest.mark.parametrize(
        ("host", "name", "port"), [("h", "h", "80"), ("[::1]:9", "[::1]", "9"), ("h:x", "h:x", "80")]
    )
    def test_server_name_and_port(self, host, name, port):
        request = httputil.HTTPServerRequest(
            "GET", "/", host=host, headers=httputil.HTTPHeaders(), connection=Recorder()
        )
        environ = WSGIContainer.environ(request)
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == (name, port)

    @pytest.mark.parametrize("names", [("X-Real-Ip", "X_Real_Ip"), ("X_Real_Ip", "X-Real-Ip")])
    def test_underscored_header_cannot_replace_the_real_one(self, names):
        headers = httputil.HTTPHeaders()
        for name in names:
            headers[name] = "real" if "-" in name else "forged"
        request = httputil.HTTPServerRequest("GET", "/", headers=headers, host="h", connection=Recorder())
        assert WSGIContainer.environ(request)["HTTP_X_REAL_IP"] == "real"

    def test_headers_that_are_missing_are_added(self):
        def application(environ, start_response):
            write = start_response("200 OK", [("X", "1")])
            write(b"pre")
            return [b"a", b"b"]

        connection = answer(application)
        assert tuple(connection.start_line) == ("HTTP/1.1", 200, "OK")
        assert connection.body == b"preab"
        assert sorted(connection.headers.get_all()) == [
            ("Content-Length", "5"),
            ("Content-Type", "text/html; charset=UTF-8"),
            ("Server", "TornadoServer/4.5.3"),
            ("X", "1"),
        ]

    def test_headers_that_are_there_stay(self):
        def application(environ, start_response):
            start_response("404 Not here", [("content-length", "9"), ("content-type", "a"), ("server", "s")])
            return [b""]

        assert sorted(answer(application).headers.get_all()) == [
            ("Content-Length", "9"),
            ("Content-Type", "a"),
            ("Server", "s"),
        ]

    @pytest.mark.parametrize(
        ("method", "status", "length"),
        [("HEAD", "200 OK", "4"), ("GET", "204 No Content", None), ("GET", "304 Not Modified", None)],
    )
    def test_a_body_is_left_out_where_there_can_be_none(self, method, status, length):
        """An application need not know; 4.5.3 closed the connection, or sent it to be read as the next answer."""
        from attacked import attacked

        def application(environ, start_response):
            start_response(status if environ["PATH_INFO"] == "/first" else "200 OK", [("Content-Type", "text/plain")])
            return [b"body"]

        first = f"{method} /first HTTP/1.1\r\nHost: test.example\r\n\r\n".encode()
        last = b"GET /last HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n"
        with attacked(WSGIContainer(application)) as server:
            answer = server.send(first + last)
        head, _, rest = answer.partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status}".encode())
        assert (b"Content-Length: 4" in head) is (length is not None)
        assert rest.startswith(b"HTTP/1.1 200 OK") and rest.endswith(b"\r\n\r\nbody")
        assert server.complaints() == []

    def test_not_modified_gets_no_entity_headers(self):
        def application(environ, start_response):
            start_response("304 Not Modified", [])
            return []

        assert list(answer(application).headers.get_all()) == [("Server", "TornadoServer/4.5.3")]

    def test_generator_may_start_the_response_late(self):
        def application(environ, start_response):
            start_response("500 X", [])
            yield b"z"

        assert answer(application).body == b"z"

    def test_iterable_is_closed_whatever_happens(self):
        closed = []

        class Body:
            def __iter__(self):
                raise KeyError("k")

            def close(self):
                closed.append(1)

        def application(environ, start_response):
            start_response("200 OK", [])
            return Body()

        with pytest.raises(KeyError):
            answer(application)
        assert closed == [1]

    def test_application_that_never_starts(self):
        with pytest.raises(Exception, match=r"^WSGI app did not call start_response$"):
            answer(lambda environ, start_response: [b"x"])

    @pytest.mark.parametrize(("status", "level"), [(200, "INFO"), (404, "WARNING"), (500, "ERROR")])
    def test_access_log(self, status, level, caplog):
        def application(environ, start_response):
            start_response(f"{status} X", [])
            return []

        with caplog.at_level(logging.INFO, "tornado.access"):
            answer(application)
        (record,) = caplog.records
        assert (record.name, record.levelname) == ("tornado.access", level)
        assert record.getMessage().startswith(f"{status} GET /a%20b?x=1 (7.7.7.7) ")


def test_wsgi_strings():
    assert wsgi.to_wsgi_str(b"\xe9") == "é"
    assert wsgi.from_wsgi_str("é") == b"\xe9"
    with pytest.raises(AssertionError):
        wsgi.to_wsgi_str("é")
