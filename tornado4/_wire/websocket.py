"""WebSocket framing (RFC 6455): bytes in, events out; and the bytes of a frame.

`FrameReader` takes bytes in any portions and reports complete messages and control frames. It is strict:
what the RFC says a receiver must not accept fails the connection with a `.ProtocolError`. All its work is
linear in the bytes received, and it holds one message of at most the limit, however many fragments it came
in.

`encode_frame` makes frames, `close_payload` and `parse_close` translate the body of a close frame,
`accept_value` proves a handshake. Nothing here knows of sockets; `tornado4.websocket` moves the bytes.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import os
import struct

from tornado4._wire.websocket_deflate import _PerMessageDeflateDecompressor
from tornado4._wire.websocket_events import (
    BINARY,
    CLOSE,
    CONTINUATION,
    NEED_DATA,
    PING,
    PONG,
    TEXT,
    Close,
    Event,
    InvalidData,
    Message,
    MessageTooBig,
    NeedData,
    Ping,
    Pong,
    ProtocolError,
)
from tornado4.util import _websocket_mask

# The first byte of a frame (section 5.2): FIN, three reserved bits, opcode.
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
RSV_MASK, OPCODE_MASK = 0x70, 0x0F

# First bytes of a frame that is a message of its own: TEXT and BINARY, final, no reserved bit.
_WHOLE_MESSAGE = frozenset({FIN | TEXT, FIN | BINARY})
# The same, compressed (RFC 7692, section 6.1).
_WHOLE_COMPRESSED = frozenset({FIN | RSV1 | TEXT, FIN | RSV1 | BINARY})

#: Bytes from which a view of a payload is cheaper than a copy.
_VIEW_FROM = 4096

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_new_text_decoder = codecs.getincrementaldecoder("utf-8")

_length_16 = struct.Struct(">H").unpack_from
_length_64 = struct.Struct(">Q").unpack_from


def accept_value(key: str | bytes) -> str:
    """The ``Sec-WebSocket-Accept`` that belongs to a ``Sec-WebSocket-Key`` (section 4.2.2)."""
    raw = key.encode("utf-8") if isinstance(key, str) else key
    return base64.b64encode(hashlib.sha1(raw + _GUID, usedforsecurity=False).digest()).decode("ascii")


def encode_frame(fin: bool, opcode: int, data: bytes, flags: int = 0, mask: bool = False) -> bytes:
    """A frame (section 5.2). ``flags`` are reserved bits to set; ``mask`` is for clients, who must.

    The key is fresh and unpredictable for every frame (section 5.3).
    """
    head = encode_head(fin, opcode, len(data), flags, mask)
    if not mask:
        return head + data
    key = os.urandom(4)
    return head + key + _websocket_mask(key, data)


def encode_head(fin: bool, opcode: int, size: int, flags: int = 0, mask: bool = False) -> bytes:
    """What stands before the key, if there is one, and ``size`` bytes of payload."""
    first = (FIN if fin else 0) | flags | opcode
    bit = 0x80 if mask else 0
    if size < 126:
        return bytes((first, bit | size))
    if size < 0x10000:
        return struct.pack(">BBH", first, bit | 126, size)
    return struct.pack(">BBQ", first, bit | 127, size)


def close_payload(code: int | None, reason: str | bytes | None) -> bytes:
    """The body of a close frame; a reason without a code goes with 1000, as in 4.5.3.

    A reason beyond the 123 bytes that a control frame has room for is cut at a character: 4.5.3 sent a frame
    that no peer may accept.
    """
    if code is None:
        if not reason:
            return b""
        code = 1000
    text = b"" if not reason else reason.encode("utf-8") if isinstance(reason, str) else reason
    if len(text) > 123:
        text = text[:123].decode("utf-8", "ignore").encode("utf-8")
    return struct.pack(">H", code) + text


def parse_close(data: bytes) -> tuple[int | None, bytes]:
    """Code and reason (undecoded) of a close frame's body; (None, b"") for an empty one."""
    if len(data) < 2:
        return None, b""
    return int(_length_16(data)[0]), data[2:]


def check_close(data: bytes) -> None:
    """Raise `ProtocolError` for a body that section 5.5.1 or 7.4 does not allow."""
    if not data:
        return
    code, reason = parse_close(data)
    if code is None:
        raise ProtocolError("close frame with a body of one byte")
    # 1004 to 1006 and 1015 never go over the wire; 1016 to 2999 are not assigned; 3000 to 4999 are free to
    # use.
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise ProtocolError(f"invalid close code {code}")
    try:
        reason.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise InvalidData("close reason is not UTF-8") from failure


class _MessageBuffer:
    """A message in the making: pieces go in at the end, the whole comes out once. Linear, whatever the
    pieces.
    """

    __slots__ = ("_bytes", "_decode", "_inflater", "_limit", "_text", "received", "size")

    def __init__(self, opcode: int, limit: int, inflater: _PerMessageDeflateDecompressor | None) -> None:
        #: Payload bytes as announced by the frames so far, and as stored (decompressed) so far.
        self.received = 0
        self.size = 0
        self._limit = limit
        self._inflater = inflater
        self._bytes = bytearray()
        # Decodes text only to find out at once that it is none: the characters would take four times the room.
        self._decode = _new_text_decoder().decode if opcode == TEXT else None

    def check_frame(self, length: int) -> None:
        """Refuse a frame by its announced length, before any of it is held (as in 4.5.3)."""
        self.received += length
        if self.received > self._limit:
            raise MessageTooBig("message too big")

    def add(self, piece: bytes) -> None:
        """One more piece of payload, unmasked."""
        if self._inflater is not None:
            self._store(self._inflater.feed(piece, self._limit - self.size))
        else:
            self._store(piece)

    def finish(self) -> Message:
        """The message. Its text must not end within a character."""
        if self._inflater is not None:
            self._store(self._inflater.end(self._limit - self.size))
        if self._decode is None:
            return Message(BINARY, bytes(self._bytes))
        self._store(b"", True)
        return Message(TEXT, self._bytes.decode("utf-8"))

    def _store(self, piece: bytes, final: bool = False) -> None:
        self.size += len(piece)
        self._bytes += piece
        if self._decode is None:
            return
        try:
            self._decode(piece, final)
        except UnicodeDecodeError as failure:
            raise InvalidData("text message is not UTF-8") from failure


class FrameReader:
    """One direction of a connection: feed it with `receive`, then take events until `NEED_DATA`.

    :arg bool masked: whether the peer masks: a client must, a server must not (section 5.1).
    :arg int max_message_size: in bytes, of a message as sent and as decompressed.
    :arg inflater: decompresses messages that have RSV1 set; without it that bit is an error.

    After a `Close` nothing more is reported, after a `ProtocolError` nothing may be asked for.
    """

    def __init__(
        self,
        masked: bool,
        max_message_size: int,
        inflater: _PerMessageDeflateDecompressor | None = None,
    ) -> None:
        self.masked = masked
        self.max_message_size = max_message_size
        self.inflater = inflater
        #: Bytes of all frames begun, headers included; bytes of all complete messages, decompressed.
        self.wire_bytes = 0
        self.message_bytes = 0
        self._buffer = b""
        self._position = 0
        # The data frame being read: bytes to come, key as turned for the next byte, whether it ends the
        # message.
        self._remaining = 0
        self._key = b""
        self._final = False
        self._message: _MessageBuffer | None = None
        self._closed = False

    def receive(self, data: bytes) -> None:
        """Take bytes in. What is left over from before is less than a control frame, so joining is cheap."""
        if self._position < len(self._buffer):
            self._buffer = self._buffer[self._position :] + data
        else:
            self._buffer = data
        self._position = 0

    @property
    def has_more(self) -> bool:
        """Whether bytes have come that no event has taken yet."""
        return self._position < len(self._buffer)

    @property
    def missing(self) -> int:
        """Bytes that the frame being read still lacks, if its header is there."""
        return self._remaining

    def next_event(self) -> Event | NeedData:
        """The next complete message or control frame. Raises `ProtocolError`."""
        while not self._closed:
            if self._remaining:
                if not self._take_payload():
                    break
                if self._final:
                    return self._finish_message()
            event = self._take_frame()
            if event is NEED_DATA:
                break
            if event is not None:
                return event
        if self._position == len(self._buffer):
            self._buffer, self._position = b"", 0  # nothing is held while nothing comes
        return NEED_DATA

    def _take_frame(self) -> Event | NeedData | None:
        """Read one frame's header; all of the frame if it is small and there. None: a data frame has begun
        or passed.
        """
        buffer, start = self._buffer, self._position
        available = len(buffer) - start
        if available < 2:
            return NEED_DATA
        first, second = buffer[start], buffer[start + 1]
        opcode = first & OPCODE_MASK
        length = second & 0x7F
        if bool(second & 0x80) != self.masked:
            raise ProtocolError("frame is masked and must not be" if second & 0x80 else "frame is not masked")
        if opcode >= 8:
            self._check_control(first, opcode, length)
        size = 2 + (0 if length < 126 else 2 if length == 126 else 8)
        if self.masked:
            size += 4
        # A control frame is taken as a whole.
        if available < (size + length if opcode >= 8 else size):
            return NEED_DATA
        if length >= 126:
            length = self._long_length(buffer, start + 2, length)
        key = buffer[start + size - 4 : start + size] if self.masked else b""
        self._position = start + size
        self.wire_bytes += size + length
        if opcode >= 8:
            return self._take_control(opcode, length, key)
        if self._message is None and length <= available - size:
            if first in _WHOLE_MESSAGE:
                return self._take_message(opcode, length, key)
            if first in _WHOLE_COMPRESSED and self.inflater is not None:
                return self._take_message(opcode, length, key, self.inflater)
        message = self._begin_frame(first, opcode, length)
        if not length:
            return self._finish_message() if first & FIN else None
        self._remaining, self._key, self._final, self._message = length, key, bool(first & FIN), message
        return None

    @staticmethod
    def _long_length(buffer: bytes, at: int, length: int) -> int:
        """An extended length. The shortest form must be used, and 63 bits at most (section 5.2)."""
        value = int((_length_16 if length == 126 else _length_64)(buffer, at)[0])
        if value < (126 if length == 126 else 0x10000) or value >> 63:
            raise ProtocolError("frame length is not in its shortest form")
        return value

    def _check_control(self, first: int, opcode: int, length: int) -> None:
        """Sections 5.2 and 5.5; RFC 7692, section 6.1 keeps RSV1 for data."""
        if opcode > PONG:
            raise ProtocolError(f"reserved opcode {opcode}")
        if not first & FIN:
            raise ProtocolError("fragmented control frame")
        if first & RSV_MASK:
            raise ProtocolError("reserved bit set in a control frame")
        if length > 125:
            raise ProtocolError("control frame too long")

    def _take_control(self, opcode: int, length: int, key: bytes) -> Event:
        end = self._position + length
        data = self._buffer[self._position : end]
        self._position = end
        if key and data:
            data = _websocket_mask(key, data)
        if opcode == PING:
            return Ping(PING, data)
        if opcode == PONG:
            return Pong(PONG, data)
        self._closed = True
        return Close(CLOSE, data)

    def _take_message(
        self, opcode: int, length: int, key: bytes, inflater: _PerMessageDeflateDecompressor | None = None
    ) -> Message:
        """The common case in one go: a message that is one frame, all of it there."""
        if length > self.max_message_size:
            raise MessageTooBig("message too big")
        start = self._position
        self._position = end = start + length
        if not key:
            data = self._buffer[start:end]
        elif length < _VIEW_FROM:
            data = _websocket_mask(key, self._buffer[start:end])
        else:
            data = _websocket_mask(key, memoryview(self._buffer)[start:end])  # type: ignore[arg-type]  # any buffer
        if inflater is not None:
            data = inflater.feed(data, self.max_message_size)
            data += inflater.end(self.max_message_size - len(data))  # mostly nothing, for which nothing is copied
        self.message_bytes += len(data)
        if opcode == BINARY:
            return Message(BINARY, data)
        try:
            return Message(TEXT, data.decode("utf-8"))
        except UnicodeDecodeError as failure:
            raise InvalidData("text message is not UTF-8") from failure

    def _begin_frame(self, first: int, opcode: int, length: int) -> _MessageBuffer:
        """Check a data frame's header against the message it belongs to (sections 5.2 and 5.4)."""
        compressed = bool(first & RSV1)
        if first & (RSV2 | RSV3) or (compressed and (self.inflater is None or opcode == CONTINUATION)):
            raise ProtocolError("reserved bit set")
        message = self._message
        if opcode == CONTINUATION:
            if message is None:
                raise ProtocolError("continuation frame without a message")
        elif opcode > BINARY:
            raise ProtocolError(f"reserved opcode {opcode}")
        elif message is not None:
            raise ProtocolError("new message within a fragmented one")
        else:
            inflater = self.inflater if compressed else None
            self._message = message = _MessageBuffer(opcode, self.max_message_size, inflater)
        message.check_frame(length)
        return message

    def _take_payload(self) -> bool:
        """Move payload from the buffer into the message; True when the frame is complete."""
        start = self._position
        piece = self._buffer[start : start + self._remaining]
        if not piece:
            return False
        size = len(piece)
        self._position = start + size
        self._remaining -= size
        if self._key:
            piece = _websocket_mask(self._key, piece)
            turn = size & 3
            self._key = self._key[turn:] + self._key[:turn]
        assert self._message is not None
        self._message.add(piece)
        return not self._remaining

    def _finish_message(self) -> Message:
        message, self._message, self._final = self._message, None, False
        assert message is not None
        event = message.finish()
        self.message_bytes += message.size
        return event


__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "FIN",
    "NEED_DATA",
    "OPCODE_MASK",
    "PING",
    "PONG",
    "RSV1",
    "RSV2",
    "RSV3",
    "RSV_MASK",
    "TEXT",
    "FrameReader",
    "accept_value",
    "check_close",
    "close_payload",
    "encode_frame",
    "parse_close",
]
