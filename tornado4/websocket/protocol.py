"""One WebSocket connection after its handshake: bytes between a stream and a handler or client.

Framing is left to `tornado4._wire.websocket`. What happens here: events become calls of the owner's
``on_...`` methods, messages become frames, and both ends agree to part.

The close handshake (RFC 6455, section 7) in terms of two flags that 4.5.3 shows, whatever side we are on:
``server_terminated``: our close frame is sent; ``client_terminated``: the peer's has come.

    ==================  ==================  ========================================================
    server_terminated   client_terminated
    ==================  ==================  ========================================================
    False               False               open
    True                False               closing: 5 seconds for the peer to answer, then we hang up
    --                  True                done: we answer if need be, and close the stream at once
    ==================  ==================  ========================================================
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sized
from time import monotonic
from typing import Any, cast

from tornado4 import gen, httputil, stack_context
from tornado4._core.context import rejoin
from tornado4._core.futures import resolved
from tornado4._core.private_asyncio import queue_of
from tornado4._wire import websocket as wire
from tornado4._wire.websocket_deflate import (
    EXTENSION,
    Parameters,
    _PerMessageDeflateCompressor,
    _PerMessageDeflateDecompressor,
    accept_offer,
    check_answer,
    compressor_options,
)
from tornado4._wire.websocket_events import NEED_DATA, InvalidData, MessageTooBig, ProtocolError
from tornado4.concurrent import Future
from tornado4.escape import to_unicode, utf8
from tornado4.ioloop import PeriodicCallback
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.log import app_log, gen_log
from tornado4.web.execution import call_back
from tornado4.websocket.errors import WebSocketError

#: Bytes; what ``websocket_max_message_size`` defaults to.
DEFAULT_MAX_MESSAGE_SIZE = 10 * 1024 * 1024

#: Seconds that a peer may take to answer a close frame.
CLOSE_TIMEOUT = 5

#: Bytes unsent with which the peer counts as one that does not read, and whose pings are not all answered.
_CLOGGED = 65536


#: Bytes of a frame from which its payload is not copied behind its head.
_APART = 16 * 1024

#: Bytes that are asked for in one read, for frames of that size.
_MOST_AT_ONCE = 256 * 1024

#: Rounds of the loop from one frame to the next, as in 4.5.3: a frame was read in two steps, and a mask was a third.
#: What a message has started has a turn meanwhile.
_ROUNDS, _ROUNDS_MASKED = 2, 3

# Seconds that an answer waits for those to messages which came with its own: handlers may be slow.
_GATHER_SECONDS = 0.001


class WebSocketProtocol:
    """Base of all versions of the protocol; libraries derive from it for drafts of their own.

    ``handler`` is a `.WebSocketHandler` or `.WebSocketClientConnection`. A subclass provides ``close()``.
    """

    def __init__(self, handler: Any) -> None:
        self.handler = handler
        self.request = handler.request
        self.stream: Any = handler.stream
        self.client_terminated = False
        self.server_terminated = False

    def _run_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Future | None:
        """Call one of the owner's methods. An error is logged and ends the connection.

        Returns a Future when the method did not finish at once. An error that comes that way is the
        handler's to log, and the connection goes on, as in 4.5.3.
        """
        try:
            result = call_back(self.handler, functools.partial(callback, **kwargs) if kwargs else callback, *args)
            future = None if result is None else gen.convert_yielded(result)
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception in %s", getattr(self.request, "path", None), exc_info=True)
            self._abort()
            return None
        if future is None:
            return None
        self._io_loop().add_future(future, self._report)
        return cast(Future, future)

    def _io_loop(self) -> Any:
        """The loop of the connection."""
        return self.stream.io_loop

    def _report(self, future: Future) -> None:
        """Look at how a method that took its time has ended."""
        try:
            future.result()
        except (Exception, asyncio.CancelledError) as failure:
            report = getattr(self.handler, "_handle_request_exception", None)
            if report is None:
                raise
            report(failure)

    def on_connection_close(self) -> None:
        """The stream is closed."""
        self._abort()

    def _abort(self) -> None:
        """Hang up, without a close frame."""
        self.client_terminated = self.server_terminated = True
        stream = self.stream
        if stream is not None:
            stream.close()
        # What a subclass has running, a timer for one, ends there.
        self.close()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """End the connection in the protocol's way; here there is none."""


class WebSocketProtocol13(WebSocketProtocol):
    """The protocol of RFC 6455, and of the drafts 7 and 8, which differ in nothing that concerns us.

    :arg bool mask_outgoing: True for clients (section 5.3).
    :arg compression_options: None for no compression, else a dict: see
        `.WebSocketHandler.get_compression_options`.
    """

    #: The bit of the last frame of a message (section 5.2).
    FIN = wire.FIN
    #: Compressed, where deflate was agreed on (RFC 7692).
    RSV1 = wire.RSV1
    #: Reserved.
    RSV2 = wire.RSV2
    #: Reserved.
    RSV3 = wire.RSV3
    #: All three.
    RSV_MASK = wire.RSV_MASK
    #: What is left of a frame's first byte: its opcode.
    OPCODE_MASK = wire.OPCODE_MASK

    stream: IOStream | None

    def __init__(
        self, handler: Any, mask_outgoing: bool = False, compression_options: dict[str, Any] | None = None
    ) -> None:
        super().__init__(handler)
        self.mask_outgoing = mask_outgoing
        self._compression_options = compression_options
        self._compressor: _PerMessageDeflateCompressor | None = None
        self._decompressor: _PerMessageDeflateDecompressor | None = None
        self._reader: wire.FrameReader | None = None
        # Set when what comes in can make no more sense: only the end of the stream is waited for.
        self._deaf = False
        # Set by a client's connection when a message is for `read_message`; and while that reader, or whatever a
        # message has started, has a turn before what follows is looked at.
        self._has_reader = False
        self._deferred = False
        # Whether what is sent waits for the answers to messages that have come already.
        self._gathers = False
        self._waiting: Any = None
        # The last pong, and what the latest ping said when its answer has to wait until that one has left.
        self._unsent_pong: Future | None = None
        self._pong: bytes | None = None
        self._message_bytes_out = 0
        self._wire_bytes_out = 0
        self.ping_callback: PeriodicCallback | None = None
        self.last_ping: float = 0
        self.last_pong: float = 0

    @property
    def _message_bytes_in(self) -> int:
        return 0 if self._reader is None else self._reader.message_bytes

    @property
    def _wire_bytes_in(self) -> int:
        return 0 if self._reader is None else self._reader.wire_bytes

    # -- handshake, server's side (RFC 6455, section 4.2)

    def accept_connection(self) -> None:
        """Answer the handler's request with 101 and start, or with 400."""
        try:
            self._handle_websocket_headers()
        except ValueError:
            message = "Missing/Invalid WebSocket headers"
            self.handler.set_status(400)
            self.handler.finish(message)
            gen_log.debug(message)
            return
        self._accept_connection()

    def _handle_websocket_headers(self) -> None:
        """Raise `ValueError` when a header is missing without which there is no handshake."""
        for name in ("Host", "Sec-Websocket-Key", "Sec-Websocket-Version"):
            if not self.request.headers.get(name):
                raise ValueError("Missing/Invalid WebSocket headers")

    @staticmethod
    def compute_accept_value(key: str | bytes) -> str:
        """The ``Sec-WebSocket-Accept`` header for a ``Sec-WebSocket-Key``."""
        return wire.accept_value(key)

    def _challenge_response(self) -> str:
        return self.compute_accept_value(self.request.headers.get("Sec-Websocket-Key"))

    def _accept_connection(self) -> None:
        handler = self.handler
        self._agree_on_subprotocol()
        self._agree_on_compression()
        handler.clear_header("Content-Type")
        handler.set_status(101)
        handler.set_header("Upgrade", "websocket")
        handler.set_header("Connection", "Upgrade")
        handler.set_header("Sec-WebSocket-Accept", self._challenge_response())
        handler.finish()
        handler._attach_stream()
        self.stream = handler.stream
        self.start_pinging()
        self._run_callback(handler.open, *handler.open_args, **handler.open_kwargs)
        self._start_reading()

    def _agree_on_subprotocol(self) -> None:
        """Section 4.2.2, under "subprotocol". A handler is asked even if nothing is offered (as in 4.5.3)."""
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        names = [name.strip() for name in offered.split(",")]
        chosen = self.handler.select_subprotocol(names)
        if chosen:
            if chosen not in names:
                raise AssertionError(f"subprotocol {chosen!r} was selected but not offered: {names!r}")
            self.handler.set_header("Sec-WebSocket-Protocol", chosen)

    def _agree_on_compression(self) -> None:
        if self._compression_options is None:
            return
        agreed = accept_offer(self._parse_extensions_header(self.request.headers))
        if agreed is not None:
            self._create_compressors("server", agreed, self._compression_options)
            self.handler.set_header("Sec-WebSocket-Extensions", httputil._encode_header(EXTENSION, agreed))

    def _parse_extensions_header(self, headers: httputil.HTTPHeaders) -> list[tuple[str, dict[str, Any]]]:
        """Names and parameters of the extensions offered or agreed to (section 9.1)."""
        value = headers.get("Sec-WebSocket-Extensions", "")
        return [httputil._parse_header(item.strip()) for item in value.split(",")] if value else []

    # -- handshake, client's side (section 4.1)

    def _process_server_headers(self, key: str | bytes, headers: httputil.HTTPHeaders) -> None:
        """Check a server's 101 answer to our ``key``; an error for one that is none."""
        expected = {
            "Upgrade": "websocket",
            "Connection": "upgrade",
            "Sec-Websocket-Accept": self.compute_accept_value(key),
        }
        for name, value in expected.items():
            found = headers[name]
            if (found if name.endswith("Accept") else found.lower()) != value:
                raise WebSocketError(f"wrong {name} header in a WebSocket handshake: {found!r}")
        for extension in self._parse_extensions_header(headers):
            if extension[0] != EXTENSION or self._compression_options is None or self._compressor is not None:
                # With the tuple as an argument: as in 4.5.3.
                raise ValueError("unsupported extension %r", extension)
            check_answer(extension[1])
            self._create_compressors("client", extension[1], self._compression_options)

    # -- compression (RFC 7692)

    def _get_compressor_options(
        self, side: str, agreed_parameters: Parameters, compression_options: Parameters | None = None
    ) -> dict[str, Any]:
        """Keyword arguments for what (de)compresses the messages that ``side`` sends."""
        return compressor_options(side, agreed_parameters, compression_options)

    def _create_compressors(
        self, side: str, agreed_parameters: Parameters, compression_options: Parameters | None = None
    ) -> None:
        """Set up both directions; we are ``side``, "server" or "client"."""
        other = "client" if side == "server" else "server"
        self._compressor = _PerMessageDeflateCompressor(
            **self._get_compressor_options(side, agreed_parameters, compression_options)
        )
        self._decompressor = _PerMessageDeflateDecompressor(
            **self._get_compressor_options(other, agreed_parameters, compression_options)
        )

    # -- receiving

    def _start_reading(self) -> None:
        """Let messages come in, from the next iteration of the loop on: nobody is called back from within
        here.
        """
        self._reader = wire.FrameReader(
            masked=not self.mask_outgoing,
            max_message_size=self.handler.max_message_size or DEFAULT_MAX_MESSAGE_SIZE,
            inflater=self._decompressor,
        )
        assert self.stream is not None
        self.stream.io_loop.add_callback(self._start_push)

    def _start_push(self) -> None:
        if self.stream is not None and not self.stream.closed():
            # As in 4.5.3, messages are received in the stack contexts of the handshake.
            self.stream._start_push(stack_context.wrap(self._data_received))

    def _data_received(self, data: bytes) -> None:
        if self._deaf or self._reader is None:
            return
        assert self.stream is not None
        self._reader.receive(data)
        self._process_events()
        missing = self._reader.missing
        if missing:
            # The next frame will be as large, most probably: in one piece it costs half as much. A byte less than what
            # was asked for says that there is no more.
            stream = self.stream
            stream._ask = min(max(stream.read_chunk_size, stream._ask, len(data) + missing + 1), _MOST_AT_ONCE)

    def _process_last(self) -> None:
        """Handle all that has come in before the stream was closed."""
        held = self.stream._incoming if self.stream is not None else None
        if held and self._reader is not None:
            self._reader.receive(held.take(held.size))
        self._process_events(waiting=False)

    def _process_events(self, waiting: bool = True) -> bool:
        """Handle all that has come in, until a handler wants to be waited for. False: it does; reading is
        paused. Without ``waiting`` it is not asked.

        What the handler sends meanwhile leaves in one write, at the end.
        """
        stream = self.stream
        assert stream is not None
        try:
            # The Context is entered once for all that came, not once a message.
            return rejoin(self.handler._request_context, self._handle_events, waiting)
        finally:
            self._gathers = False
            stream._write_gathered()

    def _handle_events(self, waiting: bool) -> bool:
        reader = self._reader
        assert reader is not None and self.stream is not None
        next_event = reader.next_event
        queue = _queue_of(self._io_loop())
        queued = len(queue)
        until = 0.0
        while not (self.client_terminated or (waiting and self.stream.closed())):
            try:
                event = next_event()
            except ProtocolError as failure:
                self._fail(failure)
                break
            if event is NEED_DATA:
                break
            if not self._gathers and reader.has_more:
                self._gathers, until = True, monotonic() + _GATHER_SECONDS
            self._has_reader = False
            handled = self._handle_message(event[0], event[1])
            if handled is not None and waiting and not self.client_terminated:
                # New messages wait for this one: the back-pressure of 4.5.3.
                self._deferred = True
                self.stream._pause_push(reader.has_more)
                self.stream.io_loop.add_future(handled, self._go_on)
                return False
            if (self._has_reader or len(queue) > queued) and reader.has_more and waiting:
                # Whoever reads, or was started by the message, gets a turn before what follows is looked at, as in
                # 4.5.3. It may be a close or a broken frame: its answer still goes out. It may be more messages: a
                # reader that recurs would run out of stack on a heap of them.
                self._deferred = True
                self.stream._pause_push(True)
                self._go_on_after(_ROUNDS if self.mask_outgoing else _ROUNDS_MASKED)
                return False
            if self._gathers and monotonic() >= until:
                self.stream._write_gathered()
                until = monotonic() + _GATHER_SECONDS
        return True

    def _go_on_after(self, rounds: int) -> None:
        if rounds:
            self._io_loop().add_callback(self._go_on_after, rounds - 1)
        else:
            self._go_on()

    def _go_on(self, handled: Future | None = None) -> None:
        if self._reader is None or self.stream is None or self.stream.closed():
            return  # what has come before a close is for `_process_last`, where it matters
        self._deferred = False
        if self._process_events() and self.stream is not None and not self.stream.closed():
            self.stream._resume_push()

    def _fail(self, failure: ProtocolError) -> None:
        """The peer does not follow the protocol: as in 4.5.3, who sends too much is told so, others are cut
        off.
        """
        self._deaf = True
        if isinstance(failure, MessageTooBig):
            self.close(failure.close_code, str(failure))
            return
        gen_log.debug("Invalid WebSocket frame: %s", failure)
        self._abort()

    def _handle_message(self, opcode: int, data: Any) -> Future | None:
        """Dispatch one message or control frame; returns what its handler wants to be waited for."""
        if self.client_terminated:
            return None
        if opcode == wire.TEXT or opcode == wire.BINARY:
            return self._run_callback(self.handler.on_message, data)
        if opcode == wire.PING:
            self._answer_ping(data)
            return self._run_callback(self.handler.on_ping, data)
        if opcode == wire.PONG:
            assert self.stream is not None
            self.last_pong = self.stream.io_loop.time()
            return self._run_callback(self.handler.on_pong, data)
        self._on_peer_close(data)
        return None

    def _answer_ping(self, data: bytes) -> None:
        """Send a pong; a peer that sends pings and reads no answer gets one for its latest (section 5.5.3).

        Its pongs would pile up here, as they did in 4.5.3.
        """
        assert self.stream is not None
        before = self._unsent_pong
        if self._pong is not None:
            self._pong = data
        elif before is None or before.done() or self.stream._write_buffer_size < _CLOGGED:
            self._unsent_pong = self._write_frame(True, wire.PONG, data)
        else:
            self._pong = data
            before.add_done_callback(self._answer_latest_ping)

    def _answer_latest_ping(self, sent: Future) -> None:
        data, self._pong = self._pong, None
        if data is not None and sent.exception() is None:
            self._unsent_pong = self._write_frame(True, wire.PONG, data)

    def _on_peer_close(self, data: bytes) -> None:
        """Take the peer's close frame, and answer with its code (section 5.5.1)."""
        self.client_terminated = True
        code, reason = wire.parse_close(data)
        # Shown whatever it is: the code of a broken peer, too, may tell someone something.
        self.handler.close_code = code
        try:
            wire.check_close(data)
        except ProtocolError as failure:
            if not isinstance(failure, InvalidData) and reason:
                self.handler.close_reason = reason.decode("utf-8", "replace")
            self._fail(failure)
            return
        if reason:
            self.handler.close_reason = to_unicode(reason)
        self.close(code)

    # -- sending

    def _write_frame(self, fin: bool, opcode: int, data: bytes, flags: int = 0) -> Future | None:
        """Send one frame; the Future resolves when it has gone to the kernel. None when the stream is
        closed.
        """
        stream = cast(IOStream, self.stream)
        if len(data) >= _APART and not (self.mask_outgoing or self._gathers):
            return self._write_apart(wire.encode_head(fin, opcode, len(data), flags), data)
        frame = wire.encode_frame(fin, opcode, data, flags, self.mask_outgoing)
        self._wire_bytes_out += len(frame)
        if self._gathers and stream._write_later(frame):
            return resolved(None)  # as if the kernel had it: nothing is in its way, and it will in a moment
        try:
            return stream.write(frame)
        except StreamClosedError:
            self._abort()
            return None

    def _write_apart(self, head: bytes, data: bytes) -> Future | None:
        """`_write_frame` for much data, which leaves from where it lies."""
        self._wire_bytes_out += len(head) + len(data)
        stream = cast(IOStream, self.stream)
        try:
            return stream._write_future(stream._send_pieces((head, data)))
        except StreamClosedError:
            self._abort()
            return None

    def write_message(self, message: str | bytes, binary: bool = False) -> Future | None:
        """Send a message. Raises `TypeError` for what is neither str nor bytes.

        :arg binary: send bytes as they are; False (default) sends text.
        """
        data = utf8(message)
        assert isinstance(data, bytes)
        self._message_bytes_out += len(data)
        flags = 0
        if self._compressor is not None:
            data = self._compressor.compress(data)
            flags = self.RSV1
        return self._write_frame(True, wire.BINARY if binary else wire.TEXT, data, flags)

    def write_ping(self, data: bytes) -> None:
        """Send a ping with up to 125 bytes of data; more is a `ValueError` (section 5.5)."""
        assert isinstance(data, bytes)
        if len(data) > 125:
            raise ValueError("ping data must not be longer than 125 bytes")
        self._write_frame(True, wire.PING, data)

    # -- parting

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Send a close frame unless one was sent; close the stream now, or when the peer has answered.

        :arg code: the close code, such as 1000; None sends none unless there is a reason.
        :arg reason: text of at most 123 bytes.
        """
        self._stop_pinging()
        stream = self.stream
        if not self.server_terminated:
            self.server_terminated = True
            if stream is not None and not stream.closed():
                self._write_frame(True, wire.CLOSE, wire.close_payload(code, reason))
        if stream is None:
            return
        if self.client_terminated:
            if self._waiting is not None:
                stream.io_loop.remove_timeout(self._waiting)
                self._waiting = None
            stream.close()
        elif self._waiting is None and not stream.closed():
            self._waiting = stream.io_loop.add_timeout(stream.io_loop.time() + CLOSE_TIMEOUT, self._abort)

    # -- keeping the connection alive

    @property
    def ping_interval(self) -> float:
        """Seconds between pings; 0 is never."""
        interval = self.handler.ping_interval
        return 0 if interval is None else interval

    @property
    def ping_timeout(self) -> float:
        """Seconds without a pong after which the connection counts as lost; by default three intervals, and
        30.
        """
        timeout = self.handler.ping_timeout
        return max(3 * self.ping_interval, 30) if timeout is None else timeout

    def start_pinging(self) -> None:
        """Send pings from now on, if an interval is set."""
        interval = self.ping_interval
        if interval > 0 and self.stream is not None:
            io_loop = self.stream.io_loop
            self.last_ping = self.last_pong = io_loop.time()
            self.ping_callback = PeriodicCallback(self.periodic_ping, interval * 1000, io_loop=io_loop)
            self.ping_callback.start()

    def _stop_pinging(self) -> None:
        if self.ping_callback is not None:
            self.ping_callback.stop()
            self.ping_callback = None

    def periodic_ping(self) -> None:
        """Send a ping, or close when the peer has answered none for too long."""
        if self.stream is None or self.stream.closed():
            self._stop_pinging()
            return
        now = self.stream.io_loop.time()
        # A gap since our own last ping means that we were asleep, which is not the peer's fault (as in
        # 4.5.3).
        awake = now - self.last_ping < 2 * self.ping_interval
        if awake and now - self.last_pong > self.ping_timeout:
            self.close()
            return
        self.write_ping(b"")
        self.last_ping = now


def _queue_of(io_loop: Any) -> Sized:
    """What the loop is to call in its next round, to be counted; nothing where it cannot be told."""
    callbacks = getattr(io_loop, "_callbacks", None)
    return callbacks if callbacks is not None else queue_of(getattr(io_loop, "asyncio_loop", None))


__all__ = ["WebSocketProtocol", "WebSocketProtocol13"]
