"""httpclient: the data classes, the instance cache, and both clients' contracts."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from io import BytesIO
from typing import Any

import pytest
from raw_peers import raw_server

from tornado4 import gen, httputil
from tornado4.httpclient import (
    AsyncHTTPClient,
    HTTPClient,
    HTTPError,
    HTTPRequest,
    HTTPResponse,
    _RequestProxy,
)
from tornado4.ioloop import IOLoop
from tornado4.simple_httpclient import SimpleAsyncHTTPClient


@pytest.fixture
def io_loop() -> Any:
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close()


class TestRequest:
    def test_body_is_bytes_or_none(self) -> None:
        assert HTTPRequest("http://x", body="é").body == "é".encode()
        assert HTTPRequest("http://x").body is None
        with pytest.raises(TypeError, match="Expected bytes, unicode, or None"):
            HTTPRequest("http://x", body=5)  # type: ignore[arg-type]

    def test_headers_are_kept_as_passed_as_in_453(self) -> None:
        given = {"a": "b"}
        assert HTTPRequest("http://x", headers=given).headers is given
        assert isinstance(HTTPRequest("http://x").headers, httputil.HTTPHeaders)

    def test_use_gzip_is_the_older_name(self) -> None:
        assert HTTPRequest("http://x", use_gzip=False).decompress_response is False
        assert (
            HTTPRequest("http://x", use_gzip=True, decompress_response=False).decompress_response is False
        )
        assert HTTPRequest("http://x").decompress_response is None

    def test_if_modified_since(self) -> None:
        request = HTTPRequest("http://x", if_modified_since=5)
        assert request.headers["If-Modified-Since"] == "Thu, 01 Jan 1970 00:00:05 GMT"

    def test_defaults_of_453(self) -> None:
        assert HTTPRequest._DEFAULTS == {
            "connect_timeout": 20.0,
            "request_timeout": 20.0,
            "follow_redirects": True,
            "max_redirects": 5,
            "decompress_response": True,
            "proxy_password": "",
            "allow_nonstandard_methods": False,
            "validate_cert": True,
        }

    def test_proxy_asks_request_then_defaults(self) -> None:
        proxy = _RequestProxy(
            HTTPRequest("http://x", user_agent="own"), {"user_agent": "other", "ca_certs": "c"}
        )
        assert (proxy.user_agent, proxy.ca_certs, proxy.client_key) == ("own", "c", None)
        with pytest.raises(AttributeError):
            proxy.nothing  # noqa: B018


class TestResponse:
    def test_reason_and_error_by_status(self) -> None:
        request = HTTPRequest("http://x/")
        assert HTTPResponse(request, 204).error is None
        response = HTTPResponse(request, 404)
        assert (response.reason, str(response.error)) == ("Not Found", "HTTP 404: Not Found")
        assert response.error.response is response  # type: ignore[union-attr]
        assert str(HTTPResponse(request, 777).error) == "HTTP 777: Unknown"
        assert HTTPResponse(request, 304).error is not None

    def test_body_is_the_buffers_value(self) -> None:
        response = HTTPResponse(HTTPRequest("http://x/"), 200, buffer=BytesIO(b"abc"))
        assert response.body == b"abc"
        assert response.buffer is not None and response.buffer.tell() == 0
        assert HTTPResponse(HTTPRequest("http://x/"), 200).body is None

    def test_rethrow(self) -> None:
        HTTPResponse(HTTPRequest("http://x/"), 200).rethrow()
        with pytest.raises(ValueError, match="own"):
            HTTPResponse(HTTPRequest("http://x/"), 599, error=ValueError("own")).rethrow()

    def test_repr_lists_sorted_attributes_as_in_453(self) -> None:
        text = repr(HTTPResponse(HTTPRequest("http://e/"), 200, headers=httputil.HTTPHeaders()))
        assert text.startswith(
            "HTTPResponse(_body=None,buffer=None,code=200,effective_url='http://e/',error=None,"
        )
        assert text.endswith(",request_time=None,time_info={})")

    def test_request_is_never_the_proxy(self) -> None:
        request = HTTPRequest("http://x/")
        assert HTTPResponse(_RequestProxy(request, {}), 200).request is request  # type: ignore[arg-type]


class TestError:
    def test_copies_and_pickles(self) -> None:
        error = HTTPError(503, "busy")
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (twin.code, twin.message, twin.response, str(twin)) == (
                503,
                "busy",
                None,
                "HTTP 503: busy",
            )
        assert error.args == (503, "busy", None)

    def test_repr_does_not_follow_the_cycle(self) -> None:
        response = HTTPResponse(HTTPRequest("http://x/"), 500)
        assert repr(response.error) == "HTTP 500: Internal Server Error"
        assert "error=HTTP 500" in repr(response)


class TestInstances:
    def test_one_client_a_loop(self, io_loop: IOLoop) -> None:
        client = AsyncHTTPClient()
        assert type(client) is SimpleAsyncHTTPClient
        assert AsyncHTTPClient(io_loop) is client
        assert SimpleAsyncHTTPClient(io_loop) is not client
        other = IOLoop(make_current=False)
        try:
            assert AsyncHTTPClient(other) is not client
            assert AsyncHTTPClient(other).io_loop is other
            AsyncHTTPClient(other).close()
        finally:
            other.close()
        SimpleAsyncHTTPClient(io_loop).close()
        client.close()
        fresh = AsyncHTTPClient()
        assert fresh is not client
        fresh.close()

    def test_force_instance(self, io_loop: IOLoop) -> None:
        client = AsyncHTTPClient(force_instance=True, defaults={"user_agent": "me"}, max_clients=3)
        assert client.defaults["user_agent"] == "me"
        assert client.defaults["max_redirects"] == 5
        assert client.max_clients == 3  # type: ignore[attr-defined]
        assert client not in AsyncHTTPClient._async_clients().values()
        client.close()

    def test_configure(self, io_loop: IOLoop) -> None:
        saved = AsyncHTTPClient._save_configuration()
        try:
            AsyncHTTPClient.configure("tornado4.simple_httpclient.SimpleAsyncHTTPClient", max_clients=7)
            client = AsyncHTTPClient(force_instance=True)
            assert client.max_clients == 7  # type: ignore[attr-defined]
            client.close()
        finally:
            AsyncHTTPClient._restore_configuration(saved)

    def test_close_checks(self, io_loop: IOLoop) -> None:
        client = AsyncHTTPClient()
        client.close()
        client.close()
        with pytest.raises(RuntimeError, match=r"fetch\(\) called on closed AsyncHTTPClient"):
            client.fetch("http://x")
        one, two = AsyncHTTPClient(), AsyncHTTPClient(force_instance=True)
        AsyncHTTPClient._async_clients()[io_loop] = two
        with pytest.raises(RuntimeError, match="inconsistent AsyncHTTPClient cache"):
            one.close()
        two.close()

    def test_arguments_go_with_a_url_only(self, io_loop: IOLoop) -> None:
        client = AsyncHTTPClient(force_instance=True)
        with pytest.raises(ValueError, match="kwargs can't be used if request is an HTTPRequest object"):
            client.fetch(HTTPRequest("http://x"), method="GET")
        with pytest.raises(TypeError):
            client.fetch("http://x", nonsense=1)
        client.close()


class TestFetch:
    def test_future_and_callback(self) -> None:
        with raw_server() as (io_loop, server):
            client = AsyncHTTPClient(force_instance=True)
            order: list[Any] = []

            @gen.coroutine
            def run() -> Any:
                future = client.fetch(server.url(), callback=lambda response: order.append(response.code))
                future.add_done_callback(lambda _: order.append("future"))
                yield future
                yield gen.moment

            io_loop.run_sync(run, timeout=120)
            assert order == ["future", 200]
            client.close()

    def test_callback_gets_errors_as_responses(self) -> None:
        with raw_server() as (io_loop, server):
            server.scripts = [[b"HTTP/1.1 404 Gone Away\r\nContent-Length: 0\r\n\r\n"]]
            client = AsyncHTTPClient(force_instance=True)
            seen: list[HTTPResponse] = []

            @gen.coroutine
            def run() -> Any:
                for url in (server.url(), "nothing://x"):
                    with pytest.raises((HTTPError, ValueError)):
                        yield client.fetch(url, callback=seen.append)
                yield gen.moment

            io_loop.run_sync(run, timeout=120)
            assert [response.code for response in seen] == [404, 599]
            assert str(seen[0].error) == "HTTP 404: Gone Away"
            assert str(seen[1].error) == "Unsupported url scheme: nothing://x"
            client.close()

    def test_raise_error(self) -> None:
        with raw_server() as (io_loop, server):
            server.scripts = [[b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nhi"]]
            client = AsyncHTTPClient(force_instance=True)
            response = io_loop.run_sync(lambda: client.fetch(server.url(), raise_error=False), timeout=120)
            assert (response.code, response.body) == (500, b"hi")
            with pytest.raises(HTTPError) as caught:
                io_loop.run_sync(lambda: client.fetch(server.url()), timeout=120)
            assert caught.value.response is not None and caught.value.response.body == b"hi"
            client.close()

    def test_the_callers_headers_are_not_changed(self) -> None:
        with raw_server() as (io_loop, server):
            client = AsyncHTTPClient(force_instance=True)
            headers = {"X-Own": "1"}
            io_loop.run_sync(lambda: client.fetch(server.url(), headers=headers), timeout=120)
            assert headers == {"X-Own": "1"}
            client.close()


class TestBlockingClient:
    def serve(self) -> tuple[threading.Thread, Any]:
        started = threading.Event()
        box: list[Any] = []

        def run() -> None:
            with raw_server() as (io_loop, server):
                box.extend((io_loop, server))
                io_loop.add_callback(started.set)
                io_loop.start()

        thread = threading.Thread(target=run)
        thread.start()
        assert started.wait(120)
        return thread, box

    def test_fetch_in_a_script_and_within_a_running_loop(self, io_loop: IOLoop) -> None:
        thread, (server_loop, server) = self.serve()
        try:
            client = HTTPClient()
            assert client.fetch(server.url()).body == b"hi"
            assert IOLoop.current() is io_loop

            def nested() -> bytes:
                inner = HTTPClient()
                try:
                    return inner.fetch(server.url()).body  # type: ignore[no-any-return]
                finally:
                    inner.close()

            @gen.coroutine
            def outer() -> Any:
                yield gen.moment
                return nested()

            assert io_loop.run_sync(outer, timeout=120) == b"hi"
            assert IOLoop.current() is io_loop
            server.scripts = [[b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"]]
            with pytest.raises(HTTPError):
                client.fetch(server.url())
            assert client.fetch(server.url(), raise_error=False).code == 404
            client.close()
            client.close()
        finally:
            server_loop.add_callback(server_loop.stop)
            thread.join()

    def test_command_line(self) -> None:
        thread, (server_loop, server) = self.serve()
        try:
            command = [sys.executable, "-W", "error", "-m", "tornado4.httpclient"]
            run = subprocess.run(
                [*command, "--print_headers", server.url()],
                capture_output=True,
                text=True,
                timeout=300,
                check=True,
            )
            assert run.stdout == "Content-Length: 2\n\nhi\n"
            server.scripts = [[b"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nsorry"]]
            run = subprocess.run(
                [*command, server.url()], capture_output=True, text=True, timeout=300, check=True
            )
            assert run.stdout == "sorry\n"
        finally:
            server_loop.add_callback(server_loop.stop)
            thread.join()
