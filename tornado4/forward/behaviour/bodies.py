"""Bodies as of 6.6: where a chunk of the peer's ends is not told."""

from __future__ import annotations

from tornado4._wire import http1
from tornado4._wire.http1 import MessageReader, State

_CHUNK_LINE, _CHUNK_CRLF, _CHUNK_DATA, _TRAILER = State.CHUNK_LINE, State.CHUNK_CRLF, State.CHUNK_DATA, State.TRAILER


def join_chunks() -> None:
    """Chunks that have come are one piece, up to ``chunk_size`` bytes; nothing is kept back for what has not come."""
    http1._STEPS[_CHUNK_DATA.value] = _read_chunks


def _read_chunks(self: MessageReader) -> bytes | None:
    """In the place of the step that reads within a chunk: goes on into the next ones, and to the end of the body."""
    pieces: list[bytes] = []
    room = self.chunk_size
    while room and _find_data(self):
        piece = self._take(min(self._remaining, room))
        if piece is None:
            break
        pieces.append(piece)
        room -= len(piece)
        self._remaining -= len(piece)
        if not self._remaining:
            self._state = _CHUNK_CRLF
    if room:
        _find_data(self)
    return b"".join(pieces) or None


def _find_data(reader: MessageReader) -> bool:
    """Go past what stands between two chunks. False where that is not there yet, and where the body ends."""
    if reader._state is _CHUNK_CRLF:
        reader._read_chunk_crlf()
    if reader._state is _CHUNK_LINE:
        reader._read_chunk_line()
    if reader._state is _TRAILER:
        reader._read_trailer()  # what is wrong there is refused before anybody sees the data, as in 6.6
    return reader._state is _CHUNK_DATA
