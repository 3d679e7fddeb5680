"""permessage-deflate (RFC 7692): compressing, decompressing within limits, agreeing on parameters.

An endpoint has a `_PerMessageDeflateCompressor` for what it sends and a `_PerMessageDeflateDecompressor`
for what it receives; private in 4.5.3 as well, hence the names. `accept_offer` is the server's side of the
negotiation, `check_answer` the client's.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from tornado4._wire.websocket_events import InvalidData, MessageTooBig

EXTENSION = "permessage-deflate"

#: As in 4.5.3, where it was web.GZipContentEncoding's.
DEFAULT_LEVEL = 6

# What Z_SYNC_FLUSH ends a message with; not sent, and put back by the receiver (section 7.2.1).
_TAIL = b"\x00\x00\xff\xff"

Parameters = Mapping[str, Any]

_FLAGS = frozenset({"server_no_context_takeover", "client_no_context_takeover"})
_WINDOWS = frozenset({"server_max_window_bits", "client_max_window_bits"})


def _check_window(bits: int | None) -> int:
    """The window size as a power of two, 15 when the peers have not agreed on one (section 7.1.2)."""
    if bits is None:
        return zlib.MAX_WBITS
    if not 8 <= bits <= zlib.MAX_WBITS:
        # Arguments, not a formatted text: as in 4.5.3.
        raise ValueError("Invalid max_wbits value %r; allowed range 8-%d", bits, zlib.MAX_WBITS)
    return bits


class _PerMessageDeflateCompressor:
    """Compresses messages; ``persistent`` carries the window over from one to the next.

    ``compression_options`` may hold ``compression_level`` (0 to 9, default 6) and ``mem_level`` (1 to 9,
    default 8).
    """

    def __init__(
        self, persistent: bool, max_wbits: int | None, compression_options: Parameters | None = None
    ) -> None:
        options = compression_options or {}
        self._max_wbits = _check_window(max_wbits)
        self._compression_level: int = options.get("compression_level", DEFAULT_LEVEL)
        self._mem_level: int = options.get("mem_level", zlib.DEF_MEM_LEVEL)
        # One is made in any case, that wrong options come up now and not with the first message.
        first = self._create_compressor()
        self._compressor = first if persistent else None

    def _create_compressor(self) -> Any:
        return zlib.compressobj(
            self._compression_level, zlib.DEFLATED, -self._max_wbits, self._mem_level
        )

    def compress(self, data: bytes) -> bytes:
        """One message's payload, compressed (section 7.2.1)."""
        compressor = self._compressor or self._create_compressor()
        packed: bytes = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        assert packed.endswith(_TAIL)
        return packed[:-4]


#: How often a stream may end within a message. Each costs memory and time, and a peer that ends one does it once.
_MOST_STREAMS = 16


class _PerMessageDeflateDecompressor:
    """Decompresses messages, whole or in pieces; ``persistent`` as for the compressor.

    For pieces: `feed` each, then `end` once a message.
    """

    def __init__(
        self, persistent: bool, max_wbits: int | None, compression_options: Parameters | None = None
    ) -> None:
        self._max_wbits = _check_window(max_wbits)
        self._persistent = persistent
        self._decompressor = self._create_decompressor()
        self._streams_left = _MOST_STREAMS

    def _create_decompressor(self) -> Any:
        return zlib.decompressobj(-self._max_wbits)

    def decompress(self, data: bytes, limit: int | None = None) -> bytes:
        """A whole message. Raises `MessageTooBig` beyond ``limit`` bytes of result, `InvalidData` for
        garbage.
        """
        unfolded = self.feed(data, limit)
        return unfolded + self.end(None if limit is None else limit - len(unfolded))

    def feed(self, data: bytes, limit: int | None = None) -> bytes:
        """What one more piece of a message unfolds to, in memory never more than ``limit`` + 1 bytes."""
        unfolded = self._feed_stream(data, limit)
        # A final block inside the message (section 7.2.3.5): behind it, wherever the pieces are cut, a fresh stream
        # begins.
        while self._decompressor.eof and (behind := self._decompressor.unused_data):
            unfolded += self._feed_stream(behind, None if limit is None else limit - len(unfolded))
        return unfolded

    def _feed_stream(self, data: bytes, limit: int | None) -> bytes:
        if self._decompressor.eof:
            if not self._streams_left:
                raise InvalidData("too many final blocks in a message")
            self._streams_left -= 1
            self._decompressor = self._create_decompressor()
        try:
            if limit is None:
                return bytes(self._decompressor.decompress(data))
            unfolded: bytes = self._decompressor.decompress(data, limit + 1)
        except zlib.error as failure:
            raise InvalidData(str(failure)) from failure
        if len(unfolded) > limit:
            raise MessageTooBig("message too big")
        return unfolded

    def end(self, limit: int | None = None) -> bytes:
        """The rest of the message, after its last piece."""
        rest = b"" if self._decompressor.eof else self.feed(_TAIL, limit)
        self._streams_left = _MOST_STREAMS
        if not self._persistent:
            self._decompressor = self._create_decompressor()
        return rest


def compressor_options(
    side: str, agreed: Parameters, compression_options: Parameters | None = None
) -> dict[str, Any]:
    """Arguments for the (de)compressor that works for ``side`` ("server" or "client")."""
    window = agreed.get(side + "_max_window_bits")
    return {
        "persistent": side + "_no_context_takeover" not in agreed,
        "max_wbits": None if window is None else int(window),
        "compression_options": compression_options,
    }


def _valid(parameters: Parameters, valueless: frozenset[str]) -> bool:
    """Whether names and values are ones that RFC 7692, section 7.1 knows.

    ``valueless`` are the windows that may come without a size. The number 8 to 15 has no leading zero. A
    window of 8 bits for the compressor is beyond zlib, see the callers.
    """
    for name, value in parameters.items():
        if name in _FLAGS:
            if value is not None:
                return False
        elif name not in _WINDOWS:
            return False
        elif value is None:
            if name not in valueless:
                return False
        elif value not in _SIZES:
            return False
    return True


_SIZES = frozenset(str(bits) for bits in range(8, zlib.MAX_WBITS + 1))


def accept_offer(offers: Iterable[tuple[str, Parameters]]) -> dict[str, Any] | None:
    """The parameters of the first offer that we can meet, or None; for a server.

    What the client asks for is granted as asked, as in 4.5.3; the answer leaves out a
    ``client_max_window_bits`` without size, which is no wish. An offer that is malformed or beyond us is
    passed over (section 7.1), where 4.5.3 answered 500.
    """
    for name, parameters in offers:
        if name != EXTENSION or not _valid(parameters, frozenset({"client_max_window_bits"})):
            continue
        if parameters.get("server_max_window_bits") == "8":
            # zlib cannot compress into so small a window, and would silently take 9.
            continue
        return {
            key: value for key, value in parameters.items() if key not in _WINDOWS or value is not None
        }
    return None


def check_answer(parameters: Parameters) -> None:
    """Check what a server agreed to; `ValueError` when we cannot live with it. For a client."""
    if not _valid(parameters, frozenset()):
        raise ValueError(f"unsupported compression parameters {dict(parameters)!r}")
    if parameters.get("client_max_window_bits") == "8":
        raise ValueError("compressing with a window of 8 bits is not supported")
