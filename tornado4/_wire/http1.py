"""HTTP/1.x messages without I/O (RFC 9112): bytes in, events out.

A `RequestReader` or `ResponseReader` is told bytes with `feed` and asked with `next_event`, again and again,
until it says `NEED_DATA`. The events of one message, in order::

    Head      start line and headers, and how the body is framed
    bytes     pieces of the body, none empty, none longer than ``chunk_size``
    END       the message is complete; what follows belongs to the next one

or an `HTTPInputError`, after which the reader is of no more use. However the bytes are cut, the heads, the
body and the end come out equal. The length of a body is decided in one place, `_frame`, before anyone sees
the head.

The states, and where each may lead::

    HEAD -> FIXED | CHUNK_LINE | UNTIL_CLOSE | END
    FIXED -> END                       Content-Length bytes were there
    CHUNK_LINE -> CHUNK_DATA | TRAILER
    CHUNK_DATA -> CHUNK_CRLF -> CHUNK_LINE
    TRAILER -> END
    UNTIL_CLOSE -> END                 feed_eof()
    END -> HEAD
    any -> FAILED                      HTTPInputError

Sockets, time-outs, delegates and answers are ``http1connection``'s business.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from tornado4._wire import http1_grammar as grammar
from tornado4.httputil.errors import HTTPInputError, refuse
from tornado4.httputil.headers import HTTPHeaders
from tornado4.httputil.start_lines import (
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
)


class _Sentinel(enum.Enum):
    NEED_DATA = "NEED_DATA"
    END = "END"


#: Nothing more can be said before more bytes come.
NEED_DATA: Final = _Sentinel.NEED_DATA
#: The message is complete.
END: Final = _Sentinel.END


class State(enum.Enum):
    """Where in a message the reader stands."""

    HEAD = "waiting for a start line and headers"
    FIXED = "within a body of known length"
    CHUNK_LINE = "before a chunk's size"
    CHUNK_DATA = "within a chunk"
    CHUNK_CRLF = "behind a chunk's data"
    TRAILER = "behind the last chunk, before the blank line"
    UNTIL_CLOSE = "within a body that ends with the connection"
    END = "behind the last byte of a message"
    FAILED = "behind an error"


#: The table above, for tests and drawings; `MessageReader` follows it.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.HEAD: frozenset({State.FIXED, State.CHUNK_LINE, State.UNTIL_CLOSE, State.END, State.FAILED}),
    State.FIXED: frozenset({State.END, State.FAILED}),
    State.CHUNK_LINE: frozenset({State.CHUNK_DATA, State.TRAILER, State.FAILED}),
    State.CHUNK_DATA: frozenset({State.CHUNK_CRLF, State.FAILED}),
    State.CHUNK_CRLF: frozenset({State.CHUNK_LINE, State.FAILED}),
    State.TRAILER: frozenset({State.END, State.FAILED}),
    State.UNTIL_CLOSE: frozenset({State.END, State.FAILED}),
    State.END: frozenset({State.HEAD}),
    State.FAILED: frozenset(),
}


class Head:
    """Start line and headers of a message, with what they mean for the connection.

    ``length`` is the body's size in bytes, None when the head does not say (``chunked``, or until the close).
    """

    __slots__ = ("chunked", "headers", "keep_alive", "length", "start_line")

    def __init__(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        length: int | None,
        chunked: bool,
        keep_alive: bool,
    ) -> None:
        self.start_line = start_line
        self.headers = headers
        self.length = length
        self.chunked = chunked
        self.keep_alive = keep_alive


class HeadTooLarge(HTTPInputError):
    """The head did not end within ``max_header_size`` bytes."""

    status_code = 431


_HEAD_END = re.compile(rb"\n\r?\n")
_LINE_ENDS = re.compile(rb"[\r\n]*+")
_LONE_CR = re.compile(rb"\r(?!\n)")



def _after_blank_lines(buffer: bytes | bytearray, start: int) -> int:
    """Where the first byte is that is none of CRLF or LF in a row; a CR may still have its LF to come."""
    end = _LINE_ENDS.match(buffer, start).end()  # type: ignore[union-attr]
    lone = _LONE_CR.search(buffer, start, end)
    return lone.start() if lone else end


#: Bytes of a chunk's size line with its extensions. 4.5.3 gave 64, which holds any size but few extensions.
MAX_CHUNK_LINE = 1024

_EMPTY = b""


class MessageReader:
    """What both directions share: the buffer, the search for the end of the head, the bodies."""

    __slots__ = (
        "_buffer",
        "_event",
        "_position",
        "_remaining",
        "_scanned",
        "_state",
        "_total",
        "chunk_size",
        "max_body_size",
        "max_header_size",
    )

    def __init__(self, max_header_size: int = 65536, chunk_size: int = 65536) -> None:
        self.max_header_size = max_header_size
        self.chunk_size = chunk_size
        #: Bytes that the current body may have; set it between the `Head` and the next call. None: no limit.
        self.max_body_size: int | None = None
        self._buffer: bytes | bytearray = _EMPTY
        self._position = 0  # what lies before it is done with
        self._scanned = 0  # there is no end of a head before it
        self._state = State.HEAD
        self._remaining = 0  # of the fixed body or the chunk
        self._total = 0  # of the chunked or unframed body so far

    # Bytes in

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Costs nothing when all before was used up, else amortised its length."""
        buffer = self._buffer
        if self._position == len(buffer):
            self._buffer = data
            self._position = self._scanned = 0
            return
        if type(buffer) is bytearray:
            del buffer[: self._position]
            buffer += data
        else:
            buffer = bytearray(buffer[self._position :] if self._position else buffer)
            buffer += data
            self._buffer = buffer
        self._scanned = max(self._scanned - self._position, 0)
        self._position = 0

    def feed_eof(self) -> bool:
        """The peer will send no more. Returns whether that is a proper end: between messages, or of an
        unframed body, for which `next_event` then says `END`."""
        if self._state is State.UNTIL_CLOSE:
            if self._position == len(self._buffer):
                self._state = State.END
            else:
                self._remaining = 0  # the rest of the buffer, then the end
            return True
        return self._state is State.END or (self._state is State.HEAD and not self.pending)

    @property
    def pending(self) -> bool:
        """Whether there are bytes that no event has covered."""
        return self._position != len(self._buffer)

    @property
    def size(self) -> int:
        """How many bytes no event has covered."""
        return len(self._buffer) - self._position

    @property
    def state(self) -> State:
        """Where the reader stands."""
        return self._state

    @property
    def missing(self) -> int:
        """How many bytes of a body of known length have to come yet, when those that came are taken; else 0."""
        return self._remaining if self._state is State.FIXED and not self.pending else 0

    def skip(self, count: int) -> None:
        """``count`` of the `missing` bytes have gone to where they belong without being fed."""
        assert 0 < count <= self.missing
        self._remaining -= count
        if not self._remaining:
            self._state = State.END

    def take_rest(self) -> bytes:
        """Hand out the bytes that no event has covered, for another protocol to go on with."""
        rest = bytes(self._buffer[self._position :])
        self._buffer = _EMPTY
        self._position = self._scanned = 0
        return rest

    # Events out

    def next_event(self) -> Head | bytes | _Sentinel:
        """The next event, or `NEED_DATA`. Raises `HTTPInputError`."""
        state = self._state
        if state is State.HEAD:
            return self._read_head()
        if state is State.END:
            self._state = State.HEAD
            return END
        try:
            while True:
                event = _STEPS[state._value_](self)
                if event is not None:
                    return event
                if self._state is state:
                    return NEED_DATA
                state = self._state
                if state is State.END:
                    self._state = State.HEAD
                    return END
        except HTTPInputError:
            self._state = State.FAILED
            raise

    def _read_head(self) -> Head | _Sentinel:
        buffer = self._buffer
        start = self._position
        if start == len(buffer):
            return NEED_DATA
        if buffer[start] in b"\r\n":
            # RFC 9112 section 2.2: blank lines before a request line are skipped
            start = self._position = _after_blank_lines(buffer, start)
        found = _HEAD_END.search(buffer, max(start, self._scanned))
        if found is None:
            if len(buffer) - start > self.max_header_size:
                self._state = State.FAILED
                raise self._too_large()
            self._scanned = max(len(buffer) - 2, start)  # "\n\r" may wait for its "\n"
            return NEED_DATA
        end = found.end()
        if end - start > self.max_header_size:
            self._state = State.FAILED
            raise self._too_large()
        self._position = self._scanned = end
        text = buffer[start:end].decode("latin-1")
        line_end = text.index("\n")
        blank = found.start() + 1 - start
        try:
            headers = grammar.parse_fields(text[line_end + 1 : blank])
            head = self._interpret(text[: line_end - 1 if text[line_end - 1] == "\r" else line_end], headers)
            if head is None:
                raise refuse(f"Malformed HTTP headers: {grammar.blame_field(text[line_end + 1 : blank])}")
        except HTTPInputError:
            self._state = State.FAILED
            raise
        self._remember(buffer, start + line_end + 1, end, head)
        return head

    def _remember(self, buffer: bytes | bytearray, start: int, end: int, head: Head) -> None:
        """Called with each head and where its fields lie; see `RequestReader`."""

    def _too_large(self) -> HTTPInputError:
        return HeadTooLarge(f"delimiter {_SHOWN_DELIMITER!r} not found within {self.max_header_size} bytes")

    def _interpret(self, line: str, headers: HTTPHeaders | None) -> Head | None:
        """Make the `Head` and choose the next state; None when ``headers`` is (the start line is judged
        first)."""
        raise NotImplementedError()

    def _frame(self, headers: HTTPHeaders, version: str) -> tuple[int | None, bool]:
        """The length that the head tells and whether the body is chunked (RFC 9112 section 6.3).

        The one place that decides where a body ends. (None, False) means that the head says nothing.
        """
        values = headers._values
        length = values.get("Content-Length")
        coding = values.get("Transfer-Encoding")
        if coding is not None:
            return None, self._chunked(coding, version, length is not None)
        if length is None:
            return None, False
        number = grammar.parse_content_length(length)
        if type(length) is list or "," in length:
            values["Content-Length"] = str(number)
        return number, False

    def _chunked(self, coding: str | list[str], version: str, has_length: bool) -> bool:
        return grammar.is_chunked(coding, version, has_length)

    def begin_body(self, length: int | None, chunked: bool) -> None:
        """Choose the state that reads a body: of ``length`` bytes, chunked, or (None, False) up to the close."""
        if chunked:
            self._total = 0
            self._state = State.CHUNK_LINE
        elif length is None:
            self._total = 0
            self._remaining = -1
            self._state = State.UNTIL_CLOSE
        elif length:
            self._remaining = length
            self._total = length
            self._state = State.FIXED
        else:
            self._state = State.END

    # Bodies

    def check_length(self, length: int | None) -> None:
        """Hold a known length against `max_body_size`; to be called when the limit is final."""
        if length is not None and self.max_body_size is not None and length > self.max_body_size:
            self._state = State.FAILED
            raise refuse("Content-Length too long", 413)

    def _take(self, size: int) -> bytes | None:
        """Up to ``size`` of the bytes that are there; None if there are none."""
        start = self._position
        buffer = self._buffer
        end = min(len(buffer), start + size)
        if start == end:
            return None
        self._position = end
        if type(buffer) is bytes:
            return buffer[start:end]  # the same object, if that is all of it
        return bytes(memoryview(buffer)[start:end])

    def _read_fixed(self) -> bytes | None:
        piece = self._take(min(self._remaining, self.chunk_size))
        if piece is not None:
            self._remaining -= len(piece)
            if not self._remaining:
                self._state = State.END
        return piece

    def _read_chunk_line(self) -> None:
        buffer = self._buffer
        start = self._position
        end = buffer.find(b"\n", start, start + MAX_CHUNK_LINE)
        if end < 0:
            if len(buffer) - start >= MAX_CHUNK_LINE:
                raise refuse("chunk size line too long")
            return
        if end == start or buffer[end - 1] != 13:
            raise refuse(f"Invalid chunk size: {bytes(buffer[start:end][:64])!r}")
        size = grammar.parse_chunk_size(bytes(buffer[start : end - 1]))
        self._position = end + 1
        if not size:
            self._remaining = self.max_header_size
            self._state = State.TRAILER
            return
        self._total += size
        if self.max_body_size is not None and self._total > self.max_body_size:
            raise refuse("chunked body too large", 413)
        self._remaining = size
        self._state = State.CHUNK_DATA

    def _read_chunk_data(self) -> bytes | None:
        piece = self._take(min(self._remaining, self.chunk_size))
        if piece is not None:
            self._remaining -= len(piece)
            if not self._remaining:
                self._state = State.CHUNK_CRLF
        return piece

    def _read_chunk_crlf(self) -> None:
        start = self._position
        there = bytes(self._buffer[start : start + 2])
        if there == b"\r\n":
            self._position = start + 2
            self._state = State.CHUNK_LINE
        elif there not in (b"", b"\r"):
            raise refuse("chunk data is not followed by CRLF")

    def _read_trailer(self) -> None:
        """Check the trailer lines and drop them (RFC 9112 section 7.1.2 allows that), to the blank line.

        They end in CRLF, as all lines of the coding do, where those of a head may end in a lone LF: 4.5.3 read no
        trailers, and where a chunked body ends must not be a matter of opinion.
        """
        while True:
            buffer = self._buffer
            start = self._position
            end = buffer.find(b"\n", start)
            size = (len(buffer) if end < 0 else end + 1) - start
            if size > self._remaining:
                raise HeadTooLarge("trailer fields too large")
            if end < 0:
                return
            self._remaining -= size
            self._position = end + 1
            line = bytes(buffer[start : end + 1])
            if line == b"\r\n":
                self._state = State.END
                return
            if not line.endswith(b"\r\n") or grammar.parse_fields(line.decode("latin-1")) is None:
                raise refuse(f"Malformed trailer field: {grammar.blame_field(line.decode('latin-1'))}")

    def _read_until_close(self) -> bytes | None:
        piece = self._take(self.chunk_size)
        if piece is None:
            return None
        self._total += len(piece)
        if self.max_body_size is not None and self._total > self.max_body_size:
            raise refuse("body too large", 413)
        if self._remaining == 0 and self._position == len(self._buffer):
            self._state = State.END
        return piece

    def _fail(self) -> None:
        raise refuse("the message was refused before")


_SHOWN_DELIMITER = re.compile(b"\r?\n\r?\n")  # as 4.5.3 wrote it, so that its log line is the same

# By their values: an enumeration's members are hashed in Python.
_STEPS = {
    State.FIXED.value: MessageReader._read_fixed,
    State.CHUNK_LINE.value: MessageReader._read_chunk_line,
    State.CHUNK_DATA.value: MessageReader._read_chunk_data,
    State.CHUNK_CRLF.value: MessageReader._read_chunk_crlf,
    State.TRAILER.value: MessageReader._read_trailer,
    State.UNTIL_CLOSE.value: MessageReader._read_until_close,
    State.FAILED.value: MessageReader._fail,
}


# `HTTPHeaders` without its constructor, for fields that are known to be well.
_make_headers = HTTPHeaders.__new__

# A look at an enumeration's member is a look into its class: not for what runs with each request.
_HEAD, _END = State.HEAD, State.END

#: Request lines of HTTP/1.1 as bytes, line end included, and what they say. The same few lines make up most of
#: what a server is asked. Bounded in number and size: when full, it starts anew.
_request_lines: dict[bytes, RequestStartLine] = {}
_MOST_LINES, _LONGEST_LINE = 1000, 256


def _read_request_line(line: bytes) -> RequestStartLine | None:
    """Read a line and remember it; None for anything but a request line of HTTP/1.1."""
    text = line.decode("latin-1")
    found = grammar.REQUEST_LINE.fullmatch(text, 0, len(text) - (2 if text.endswith("\r\n") else 1))
    if found is None or text[-1] != "\n":
        return None
    method, target, version = found.groups()
    if version != "HTTP/1.1" or target[0] != "/":
        return None  # nothing that deserves a short cut
    start_line = RequestStartLine(method, target, version)
    if len(line) <= _LONGEST_LINE:
        if len(_request_lines) >= _MOST_LINES:
            _request_lines.clear()
        _request_lines[line] = start_line
    return start_line


class RequestReader(MessageReader):
    """Reads what a client sends.

    ``require_host`` and ``chunked_http10`` say how strict to be; see ``HTTP1ConnectionParameters``.

    On a connection that is kept alive, a browser or proxy mostly sends the very same fields with each
    request, and only the target differs. So the last field block without a body is kept, with what was made
    of it: where the same bytes follow the next request line, they need not be parsed, nor judged, again.
    """

    __slots__ = ("_memo", "_memo_keep_alive", "_memo_values", "chunked_http10", "require_host")

    #: Bytes of a field block that is worth keeping (one per connection).
    MOST_REMEMBERED = 4096

    def __init__(
        self,
        max_header_size: int = 65536,
        chunk_size: int = 65536,
        require_host: bool = True,
        chunked_http10: bool = False,
    ) -> None:
        super().__init__(max_header_size, chunk_size)
        self.require_host = require_host
        self.chunked_http10 = chunked_http10
        self._memo = _EMPTY
        self._memo_values: dict[str, str | list[str]] = {}
        self._memo_keep_alive = True

    def recall(self, data: bytes) -> Head | None:
        """The head of a request that makes up all of ``data`` and has the fields of the last one; else None.

        For what mostly arrives on a connection that is kept alive: no `feed`, no `next_event`, and the reader
        stands where it stood, before the next request. `expect_end` makes it stand behind this head.
        """
        size, memo = len(data), self._memo
        line_length = size - len(memo)
        if (
            not memo
            or not data.endswith(memo)
            or not 0 < line_length <= _LONGEST_LINE
            or self._state is not _HEAD
            or self._position != len(self._buffer)
            or size > self.max_header_size
        ):
            return None
        line = data[:line_length]
        start_line = _request_lines.get(line) or _read_request_line(line)
        if start_line is None:
            return None
        headers = _make_headers(HTTPHeaders)
        headers._values = self._memo_values.copy()
        return Head(start_line, headers, 0, False, self._memo_keep_alive)

    def expect_end(self) -> None:
        """Go on as if `next_event` had returned what `recall` did: the next event is `END`."""
        self._state = _END

    def next_event(self) -> Head | bytes | _Sentinel:
        """As `MessageReader.next_event`; knows the head at once if its fields are those of the last one."""
        memo = self._memo
        if not memo or self._state is not _HEAD:
            return super().next_event()
        buffer = self._buffer
        start = self._position
        fields = buffer.find(b"\n", start) + 1
        end = fields + len(memo)
        if not fields or not buffer.startswith(memo, fields) or end - start > self.max_header_size:
            return super().next_event()
        line = bytes(buffer[start:fields])
        start_line = _request_lines.get(line) or _read_request_line(line)
        if start_line is None:
            return super().next_event()
        self._position = self._scanned = end
        self._state = _END
        return Head(start_line, HTTPHeaders._adopt(self._memo_values.copy()), 0, False, self._memo_keep_alive)

    def take_end(self) -> None:
        """Take the `END` that is due behind a head without body; short for one more `next_event`."""
        assert self._state is _END
        self._state = _HEAD

    def _remember(self, buffer: bytes | bytearray, start: int, end: int, head: Head) -> None:
        if self._state is not State.END or head.start_line.version != "HTTP/1.1":
            return
        values = head.headers._values
        if end - start <= self.MOST_REMEMBERED and "Content-Length" not in values:
            if list in map(type, values.values()):
                return  # its lists would be shared with the application
            self._memo = bytes(buffer[start:end])
            self._memo_values = values.copy()
            self._memo_keep_alive = head.keep_alive

    def _interpret(self, line: str, headers: HTTPHeaders | None) -> Head | None:
        found = grammar.REQUEST_LINE.fullmatch(line)
        if found is None:
            raise self._refuse_line(line)
        if headers is None:
            return None
        start_line = RequestStartLine(*found.groups())
        method, target, version = start_line
        if target[0] != "/" or method == "CONNECT":
            grammar.check_target(method, target)
        values = headers._values
        grammar.check_host(values.get("Host"), version, self.require_host)
        length: int | None
        if "Content-Length" in values or "Transfer-Encoding" in values:
            length, chunked = self._frame(headers, version)
            self.begin_body(length, chunked)
        else:
            # RFC 9112 section 6.3, last but one rule: a request that says nothing has no body
            length, chunked = 0, False
            self._state = State.END
        if "Connection" in values or version != "HTTP/1.1":
            framed = "Content-Length" in values or chunked or method in ("GET", "HEAD")
            keep_alive = grammar.wants_keep_alive(version, headers.get("Connection"), framed)
        else:
            keep_alive = True
        return Head(start_line, headers, length, chunked, keep_alive)

    def _chunked(self, coding: str | list[str], version: str, has_length: bool) -> bool:
        return grammar.is_chunked(coding, "HTTP/1.1" if self.chunked_http10 else version, has_length)

    @staticmethod
    def _refuse_line(line: str) -> HTTPInputError:
        try:
            parse_request_start_line(line)
        except HTTPInputError as error:
            if grammar.OTHER_VERSION.fullmatch(line):
                error.status_code = 505
            return error
        return refuse("Malformed HTTP request line")  # well cut, but of characters that may not be there


class ResponseReader(MessageReader):
    """Reads what a server sends. `expect` says what was asked for, before each response."""

    __slots__ = ("_method",)

    def __init__(self, max_header_size: int = 65536, chunk_size: int = 65536) -> None:
        super().__init__(max_header_size, chunk_size)
        self._method: str | None = None

    def expect(self, method: str | None) -> None:
        """The response is one to a request of this method: to HEAD there is no body, whatever the head
        says."""
        self._method = method

    def _interpret(self, line: str, headers: HTTPHeaders | None) -> Head | None:
        found = grammar.STATUS_LINE.fullmatch(line)
        if found is None:
            parse_response_start_line(line)  # has 4.5.3's words for what it does not take
            raise refuse("Error parsing response start line")
        if headers is None:
            return None
        version, digits, reason = found.groups()
        code = int(digits)
        length, chunked = self._frame(headers, version)
        if 100 <= code < 200:
            if length is not None or chunked:
                raise refuse(f"Response code {code} cannot have body")
            length = 0
        elif code == 204:
            if chunked or length:
                raise refuse(f"Response with code {code} should not have body")
            length = 0
        elif self._method == "HEAD" or code == 304:
            length, chunked = 0, False
        self.begin_body(length, chunked)
        framed = length is not None or chunked
        keep_alive = framed and grammar.wants_keep_alive(version, headers.get("Connection"), framed)
        return Head(ResponseStartLine(version, code, reason), headers, length, chunked, keep_alive)
