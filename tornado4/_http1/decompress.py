"""``Content-Encoding: gzip``, undone between a connection and its delegate."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from tornado4 import gen, httputil, switches
from tornado4.util import GzipDecompressor

if TYPE_CHECKING:
    from tornado4.httputil import HTTPHeaders


_GZIP_MAGIC = b"\x1f\x8b"


class _GzipMessageDelegate(httputil.HTTPMessageDelegate):
    """Stands before another delegate and undoes ``Content-Encoding: gzip``.

    The pieces that go on have at most ``chunk_size`` bytes. The original coding is left in the header
    ``X-Consumed-Content-Encoding``. A body is one gzip member, or several (RFC 1952 section 2.2), each of them whole;
    no body at all is none as well, as in the answer to HEAD.
    """

    #: Says how many bytes the decompressed body may have; None: any number.
    _max_size: Callable[[], int] | None = None

    def __init__(self, delegate: httputil.HTTPMessageDelegate, chunk_size: int) -> None:
        self._delegate = delegate
        self._chunk_size = chunk_size
        self._decompressor: GzipDecompressor | None = None
        self._total = 0
        self._begun = False

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Any:
        if headers.get("Content-Encoding") == "gzip":
            self._decompressor = GzipDecompressor()
            headers.add("X-Consumed-Content-Encoding", headers["Content-Encoding"])
            del headers["Content-Encoding"]
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        if self._decompressor is None:
            return self._delegate.data_received(chunk)
        return self._inflate(chunk)

    def _body_room(self, missing: int) -> memoryview | None:
        """The delegate's own buffer for the rest of the body, if it has one and nothing is to be undone."""
        find_room = getattr(self._delegate, "_body_room", None)
        return None if self._decompressor is not None or find_room is None else find_room(missing)

    def _body_filled(self) -> None:
        self._delegate._body_filled()  # type: ignore[attr-defined]

    @gen.coroutine
    def _inflate(self, compressed: bytes) -> Generator[Any, Any, None]:
        while compressed:
            decompressor = self._decompressor
            assert decompressor is not None
            if decompressor.decompressobj.eof:
                if not self._next_member(compressed):
                    return
                continue
            try:
                piece = decompressor.decompress(compressed, self._chunk_size)
            except zlib.error as error:
                raise httputil.HTTPInputError(f"Invalid gzip body: {error}") from error
            self._begun = True
            decoder = decompressor.decompressobj
            rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            if piece:
                self._count(piece)
                waiting = self._delegate.data_received(piece)
                if waiting is not None:
                    yield waiting
            elif rest == compressed:
                raise httputil.HTTPInputError("Invalid gzip body")
            compressed = rest

    def _next_member(self, data: bytes) -> bool:
        """Get ready for what follows a member's end. False if it is to be dropped, as 4.5.3 did."""
        if switches.is_allowed("broken-gzip"):
            return False
        if not _GZIP_MAGIC.startswith(data[:2]):
            raise httputil.HTTPInputError(f"Invalid gzip body: data behind its end {switches.hint('broken-gzip')}")
        self._decompressor = GzipDecompressor()
        return True

    def _count(self, piece: bytes) -> None:
        self._total += len(piece)
        if self._max_size is not None and self._total > self._max_size():
            error = httputil.HTTPInputError("decompressed body too large")
            error.status_code = 413
            raise error

    def finish(self) -> Any:
        if self._decompressor is not None:
            if self._begun and not self._decompressor.decompressobj.eof and not switches.is_allowed("broken-gzip"):
                raise httputil.HTTPInputError(f"Invalid gzip body: it ends too early {switches.hint('broken-gzip')}")
            try:
                tail = self._decompressor.flush()
            except zlib.error as error:
                raise httputil.HTTPInputError(f"Invalid gzip body: {error}") from error
            # What zlib held back is no more than the end of its last step. The delegate cannot ask to wait
            # for it any more, so whether it returns a Future does not matter.
            for start in range(0, len(tail), self._chunk_size):
                piece = tail[start : start + self._chunk_size]
                self._count(piece)
                self._delegate.data_received(piece)
        return self._delegate.finish()

    def on_connection_close(self) -> Any:
        return self._delegate.on_connection_close()
