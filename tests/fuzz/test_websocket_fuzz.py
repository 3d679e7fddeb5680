"""Whatever frames arrive: events or a `ProtocolError`, the same however they are cut; held is the limit at most."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from budget import cut, examples
from hypothesis import given
from hypothesis import strategies as st

from tornado4._wire.websocket import FrameReader, encode_frame
from tornado4._wire.websocket_deflate import _PerMessageDeflateDecompressor
from tornado4._wire.websocket_events import NEED_DATA, ProtocolError

LIMIT = 400


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


TEXTS = st.text(max_size=20).map(str.encode)
PAYLOADS = st.one_of(
    TEXTS,
    st.binary(max_size=20),
    TEXTS.map(deflated),
    TEXTS.map(lambda text: deflated(text) + b"\x01\x00\x00\xff\xff" + deflated(text)),  # a final block between
    st.sampled_from([b"\x03\x00" * 20, b"\x01\x00\x00\xff\xff" + b"\xff" * 30]),
    st.sampled_from([b"", b"\x03\xe8", b"\x03\xe8bye", b"\x03\xf7", b"\x03"]),
    st.sampled_from(
        [b"x" * 125, b"x" * 126, b"x" * 500, deflated(b"x" * 100), deflated(b"x" * 10_000), b"\xc3", b"\xa9"]
    ),
)
FRAMES = st.builds(
    encode_frame,
    st.booleans(),
    st.sampled_from([0, 0, 1, 1, 2, 2, 8, 9, 10, 3, 11]),
    PAYLOADS,
    st.sampled_from([0, 0, 0, 0x40, 0x40, 0x20, 0x70]),
    st.sampled_from([True, True, True, True, False]),
)
STREAMS = st.lists(FRAMES | st.binary(max_size=6), max_size=8).map(b"".join)


def read(pieces: list[bytes], deflate: bool, masked: bool) -> tuple[list[Any], Any, int]:
    """Events, the error's type or None, and the most bytes that were held meanwhile."""
    inflater = _PerMessageDeflateDecompressor(persistent=True, max_wbits=15) if deflate else None
    reader = FrameReader(masked, LIMIT, inflater)
    events: list[Any] = []
    held = 0
    for piece in pieces:
        reader.receive(piece)
        try:
            while (event := reader.next_event()) is not NEED_DATA:
                events.append(event)
        except ProtocolError as error:
            return events, type(error), held
        message = reader._message
        held = max(held, 0 if message is None else message.size)
    return events, None, held


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("masked", [True, False])
def test_frames_read_the_same_however_they_are_cut(deflate: bool, masked: bool) -> None:
    @examples(200)
    @given(STREAMS, st.lists(st.integers(0, 10_000), max_size=8))
    def property_holds(data: bytes, places: list[int]) -> None:
        events, error, held = read([data], deflate, masked)
        cut_events, cut_error, cut_held = read(cut(data, places), deflate, masked)
        assert (cut_events, cut_error) == (events, error)
        assert max(held, cut_held) <= LIMIT
        assert all(len(event.data) <= LIMIT for event in events)

    property_holds()


@examples(200)
@given(st.lists(TEXTS | st.binary(max_size=60), max_size=6), st.lists(st.integers(0, 10_000), max_size=8))
def test_what_is_sent_arrives_whatever_the_window_remembers(messages: list[bytes], places: list[int]) -> None:
    compressor = zlib.compressobj(wbits=-15)
    stream = b""
    for message in messages:
        packed = (compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
        stream += encode_frame(True, 2, packed, 0x40, True)
    events, error, _ = read(cut(stream, places), True, True)
    assert error is None and [event.data for event in events] == messages
