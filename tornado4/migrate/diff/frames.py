"""WebSocket frames as a server sent them, one by one: not joined to messages, not judged.

The strict reader (``tornado4._wire.websocket``) joins fragments and refuses what is wrong; a comparison wants to see
both.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

from tornado4._wire.websocket import CLOSE, OPCODE_MASK, RSV1, parse_close
from tornado4.migrate.diff.message import Response
from tornado4.migrate.diff.model import Frame

_TAIL = b"\x00\x00\xff\xff"  # RFC 7692, 7.2.2


class FrameSplitter:
    """Bytes in, frames out. ``handshake``: the 101, which tells whether frames may be compressed."""

    def __init__(self, handshake: Response) -> None:
        extensions = handshake.get("sec-websocket-extensions")
        self._deflate = "permessage-deflate" in extensions
        self._fresh = "server_no_context_takeover" in extensions
        bits = re.search(r"server_max_window_bits=(\d+)", extensions)
        self._window = -int(bits[1]) if bits else -15
        self._inflater = self._new_inflater()
        self._buffer = b""

    def _new_inflater(self) -> Any:
        return zlib.decompressobj(self._window)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now."""
        self._buffer += data
        frames = []
        while (frame := self._take()) is not None:
            frames.append(frame)
        return frames

    def _take(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1] & 0x7F, 2
        if size > 125:
            at = 4 if size == 126 else 10
            if len(buffer) < at:
                return None
            size = struct.unpack(">H" if at == 4 else ">Q", buffer[2:at])[0]
        if len(buffer) < at + size:
            return None
        payload, self._buffer = buffer[at : at + size], buffer[at + size :]
        return self._frame(buffer[0], payload)

    def _frame(self, first: int, payload: bytes) -> Frame:
        opcode = first & OPCODE_MASK
        compressed = bool(first & RSV1 and self._deflate)
        if compressed:
            try:
                payload = self._inflater.decompress(payload + _TAIL)
            except zlib.error:
                compressed = False  # shown as it came
            if self._fresh:
                self._inflater = self._new_inflater()
        code = parse_close(payload)[0] if opcode == CLOSE else None
        return Frame(opcode, payload, compressed, code)
