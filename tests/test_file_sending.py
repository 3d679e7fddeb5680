"""Files that leave past this program's memory, and what makes them take the long way instead."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import ssl
import tempfile
from typing import Any
from unittest import mock

import pytest

from tornado4 import gen, iostream
from tornado4.testing import AsyncHTTPSTestCase, AsyncHTTPTestCase, ExpectLog, gen_test
from tornado4.web import Application, GZipContentEncoding, OutputTransform, StaticFileHandler, file_sending

sendfile = pytest.mark.skipif(not hasattr(os, "sendfile"), reason="the system has no sendfile")

BIG = bytes(range(256)) * 12_345  # 3 MB, and no multiple of anything
SMALL = b"small"
EDGE = b"e" * 65536


class Upper(StaticFileHandler):
    @classmethod
    def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> Any:
        for chunk in super().get_content(abspath, start, end):
            yield chunk.upper()


class Flushing(StaticFileHandler):
    flushed = 0

    def flush(self, *args: Any, **kwargs: Any) -> Any:
        Flushing.flushed += 1
        return super().flush(*args, **kwargs)


class Untagged(StaticFileHandler):
    def compute_etag(self) -> None:
        return None


class Shrinking(StaticFileHandler):
    """The file is half as long when it comes to sending it."""

    def set_extra_headers(self, path: str) -> None:
        self._stat()
        os.truncate(self.absolute_path, os.stat(self.absolute_path).st_size // 2)


class Shouting(OutputTransform):
    def transform_first_chunk(self, status_code: Any, headers: Any, chunk: bytes, finishing: bool) -> Any:
        return status_code, headers, chunk.upper()

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        return chunk.upper()


class FilesTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        StaticFileHandler.reset()
        Flushing.flushed = 0
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        for name, content in (("big", BIG), ("small", SMALL), ("edge", EDGE), ("empty", b"")):
            with open(os.path.join(self.directory.name, name), "wb") as file:
                file.write(content)
        files = {"path": self.directory.name}
        classes: dict[str, Any] = {
            "plain": StaticFileHandler,
            "upper": Upper,
            "flushing": Flushing,
            "untagged": Untagged,
            "shrinking": Shrinking,
        }
        return Application([(f"/{name}/(.*)", handler, files) for name, handler in classes.items()])

    def watched(self, url: str, **kwargs: Any) -> tuple[Any, int, int]:
        """The answer, and how often ``os.sendfile`` and the short way were tried."""
        with mock.patch.object(os, "sendfile", wraps=getattr(os, "sendfile", None), create=True) as system:
            with mock.patch.object(file_sending, "send", wraps=file_sending.send) as short:
                response = self.fetch(url, **kwargs)
        return response, system.call_count, short.call_count

    @sendfile
    def test_a_large_file_goes_by_sendfile(self) -> None:
        response, calls, _ = self.watched("/plain/big")
        assert response.body == BIG
        assert response.headers["Content-Length"] == str(len(BIG))
        assert response.headers["Etag"] == f'"{hashlib.md5(BIG).hexdigest()}"'
        assert calls

    @sendfile
    def test_parts_of_a_large_file(self) -> None:
        for asked, part in (("5-", BIG[5:]), ("100000-1099999", BIG[100_000:1_100_000]), ("-70000", BIG[-70_000:])):
            response, calls, _ = self.watched("/plain/big", headers={"Range": "bytes=" + asked})
            assert response.code == 206
            assert response.body == part
            assert calls

    def test_small_files_leave_in_one_write_without_sendfile(self) -> None:
        for name, content in (("small", SMALL), ("edge", EDGE), ("empty", b"")):
            response, calls, short = self.watched("/plain/" + name)
            assert (response.body, calls, short) == (content, 0, 1)
            assert response.headers["Content-Length"] == str(len(content))
        response, _, _ = self.watched("/plain/edge", headers={"Range": "bytes=1-3"})
        assert (response.code, response.body) == (206, b"eee")

    def test_head_and_conditions_send_no_content(self) -> None:
        response, calls, short = self.watched("/plain/big", method="HEAD")
        assert (response.body, calls, short) == (b"", 0, 0)
        tag = response.headers["Etag"]
        response, calls, short = self.watched("/plain/big", headers={"If-None-Match": tag})
        assert (response.code, response.body, calls, short) == (304, b"", 0, 0)

    def test_what_is_overridden_takes_the_long_way(self) -> None:
        response, calls, short = self.watched("/upper/small")
        assert (response.body, calls, short) == (SMALL.upper(), 0, 0)
        response, calls, short = self.watched("/flushing/big")
        assert (response.body, calls, short) == (BIG, 0, 0)
        assert Flushing.flushed > 10

    def test_what_is_replaced_on_the_classes_takes_the_long_way(self) -> None:
        for name in file_sending.METHODS:
            if name == "get_content":
                own = StaticFileHandler.get_content.__func__  # type: ignore[attr-defined]
                new: Any = classmethod(lambda cls, *args, own=own: own(cls, *args))
            else:
                own_method = getattr(StaticFileHandler, name)
                new = lambda self, *args, method=own_method, **kwargs: method(self, *args, **kwargs)  # noqa: E731
            with mock.patch.object(StaticFileHandler, name, new):
                response, calls, short = self.watched("/plain/big")
            assert (response.body, calls, short) == (BIG, 0, 0), name

    def test_transforms_see_the_bytes(self) -> None:
        self._app.transforms.append(Shouting)
        response, calls, short = self.watched("/plain/big")
        assert (response.body, calls, short) == (BIG.upper(), 0, 0)
        self._app.transforms[:] = [GZipContentEncoding]
        response, calls, short = self.watched("/plain/big")
        assert (response.body, calls, short) == (BIG, 0, 0)

    def test_a_file_without_etag(self) -> None:
        for name, content in (("small", SMALL), ("big", BIG)):
            response, _, short = self.watched("/untagged/" + name)
            assert (response.body, short) == (content, 1)
            assert "Etag" not in response.headers

    @sendfile
    def test_a_file_system_without_it_is_read(self) -> None:
        for number in (errno.EINVAL, errno.ENOSYS):
            error = OSError(number, "no such thing here")
            with mock.patch.object(os, "sendfile", side_effect=error) as system:
                response = self.fetch("/plain/big")
            assert response.body == BIG
            assert system.call_count == 1

    def test_a_file_that_has_become_shorter_ends_the_connection(self) -> None:
        for name in ("small", "big"):
            with ExpectLog("tornado.application", "Uncaught exception|Future exception"):
                response = self.fetch("/shrinking/" + name)
            assert response.code == 599

    @gen_test
    def test_a_slow_reader_holds_the_file_and_gets_all_of_it(self) -> Any:
        stream = iostream.IOStream(socket.socket(), io_loop=self.io_loop)
        yield stream.connect(("127.0.0.1", self.get_http_port()))
        yield stream.write(b"GET /plain/big HTTP/1.1\r\nHost: a\r\n\r\nGET /plain/small HTTP/1.1\r\nHost: a\r\n\r\n")
        head = yield stream.read_until(b"\r\n\r\n")
        assert b"200" in head
        got = b""
        while len(got) < len(BIG):
            got += yield stream.read_bytes(min(10_000, len(BIG) - len(got)))
            if len(got) % 100_000 == 0:
                yield gen.moment
        assert got == BIG
        head = yield stream.read_until(b"\r\n\r\n")
        assert (yield stream.read_bytes(len(SMALL))) == SMALL
        stream.close()

    @gen_test
    def test_a_reader_that_goes_away_frees_the_file(self) -> Any:
        opened: list[int] = []
        closed: list[int] = []
        really_open, really_close = os.open, os.close

        def watched_open(*args: Any) -> int:
            opened.append(really_open(*args))
            return opened[-1]

        def watched_close(fd: int) -> None:
            closed.append(fd)
            really_close(fd)

        with mock.patch.object(os, "open", watched_open), mock.patch.object(os, "close", watched_close):
            stream = iostream.IOStream(socket.socket(), io_loop=self.io_loop)
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            yield stream.connect(("127.0.0.1", self.get_http_port()))
            yield stream.write(b"GET /plain/big HTTP/1.1\r\nHost: a\r\n\r\n")
            yield stream.read_until(b"\r\n\r\n")
            stream.close()
            while not (opened and set(opened) <= set(closed)):
                yield gen.moment


class FilesOverTLS(AsyncHTTPSTestCase):
    def get_app(self) -> Application:
        StaticFileHandler.reset()
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        with open(os.path.join(self.directory.name, "big"), "wb") as file:
            file.write(BIG)
        self.asked: list[int] = []
        really_read = os.read

        def watched_read(fd: int, count: int) -> bytes:
            self.asked.append(count)
            return really_read(fd, count)

        patch = mock.patch.object(os, "read", watched_read)
        patch.start()
        self.addCleanup(patch.stop)
        return Application([("/(.*)", StaticFileHandler, {"path": self.directory.name})])

    def test_a_large_file_and_a_part_of_it_are_read_in_large_pieces(self) -> None:
        assert self.fetch("/big").body == BIG
        assert self.asked[0] == file_sending._LARGE_PIECE
        response = self.fetch("/big", headers={"Range": "bytes=70001-1099999"})
        assert (response.code, response.body) == (206, BIG[70_001:1_100_000])

    @gen_test
    def test_for_a_slow_reader_less_is_held(self) -> Any:
        for listening in self.http_server._sockets.values():
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # which connections inherit
        client = ssl.create_default_context()
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream = iostream.SSLIOStream(plain, io_loop=self.io_loop, ssl_options=client)
        yield stream.connect(("127.0.0.1", self.get_http_port()))
        yield stream.write(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        head = yield stream.read_until(b"\r\n\r\n")
        assert b"200" in head
        got = b""
        while len(got) < len(BIG):
            got += yield stream.read_bytes(min(10_000, len(BIG) - len(got)))
        assert got == BIG
        assert file_sending._PIECE in self.asked
        stream.close()
