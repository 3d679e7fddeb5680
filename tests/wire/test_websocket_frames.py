"""RFC 6455 framing, bytes in and events out, without a socket. Bytes here are the bytes on the wire."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado4._wire import websocket as wire
from tornado4._wire.websocket_deflate import _PerMessageDeflateDecompressor
from tornado4._wire.websocket_events import (
    NEED_DATA,
    Close,
    InvalidData,
    Message,
    MessageTooBig,
    Ping,
    Pong,
    ProtocolError,
)

KEY = b"\x37\xfa\x21\x3d"


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, flags: int = 0, mask: bytes = b"") -> bytes:
    """A frame built by hand, byte by byte, for comparison with the code under test."""
    first = (0x80 if fin else 0) | flags | opcode
    bit = 0x80 if mask else 0
    if len(data) < 126:
        head = bytes([first, bit | len(data)])
    elif len(data) < 65536:
        head = bytes([first, bit | 126]) + struct.pack(">H", len(data))
    else:
        head = bytes([first, bit | 127]) + struct.pack(">Q", len(data))
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)) if mask else head + data


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def reader(masked: bool = False, limit: int = 1000, deflate: bool = False) -> wire.FrameReader:
    return wire.FrameReader(masked, limit, _PerMessageDeflateDecompressor(True, None) if deflate else None)


def drain(subject: wire.FrameReader) -> Iterator[object]:
    while (event := subject.next_event()) is not NEED_DATA:
        yield event


def every_way(data: bytes, **options: object) -> list[object]:
    """Feed ``data`` whole, byte by byte and in threes: the events, or the error, must be the same."""
    outcomes = []
    for step in (len(data) or 1, 1, 3):
        subject = reader(**options)  # type: ignore[arg-type]
        events: list[object] = []
        try:
            for at in range(0, len(data), step):
                subject.receive(data[at : at + step])
                events.extend(drain(subject))
        except ProtocolError as failure:
            events.append(type(failure))
        outcomes.append(events)
    assert outcomes[0] == outcomes[1] == outcomes[2]
    return outcomes[0]


class TestExamplesOfTheRfc:
    """Section 5.7."""

    def test_unmasked_text(self) -> None:
        assert every_way(b"\x81\x05Hello") == [Message(1, "Hello")]

    def test_masked_text(self) -> None:
        assert every_way(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", masked=True) == [
            Message(1, "Hello")
        ]

    def test_fragmented_text(self) -> None:
        assert every_way(b"\x01\x03Hel\x80\x02lo") == [Message(1, "Hello")]

    def test_ping_and_masked_pong(self) -> None:
        assert every_way(b"\x89\x05Hello") == [Ping(9, b"Hello")]
        assert every_way(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", masked=True) == [
            Pong(10, b"Hello")
        ]

    def test_binary_of_256_bytes(self) -> None:
        assert every_way(b"\x82\x7e\x01\x00" + b"x" * 256) == [Message(2, b"x" * 256)]

    def test_binary_of_64_kilobytes(self) -> None:
        subject = reader(limit=65536)
        subject.receive(b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + b"x" * 65536)
        assert list(drain(subject)) == [Message(2, b"x" * 65536)]

    def test_accept_value(self) -> None:
        assert wire.accept_value("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert wire.accept_value(b"dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class TestFragments:
    """Section 5.4."""

    def test_control_frames_come_between_fragments(self) -> None:
        data = frame(1, b"he", fin=False) + frame(9, b"x") + frame(0, b"llo")
        assert every_way(data) == [Ping(9, b"x"), Message(1, "hello")]

    def test_empty_fragments(self) -> None:
        data = frame(2, b"", fin=False) + frame(0, b"", fin=False) + frame(0, b"a", fin=False) + frame(0)
        assert every_way(data) == [Message(2, b"a")]

    def test_character_split_between_fragments(self) -> None:
        data = frame(1, "é".encode()[:1], fin=False) + frame(0, "é".encode()[1:])
        assert every_way(data) == [Message(1, "é")]

    def test_new_message_within_a_message(self) -> None:
        assert every_way(frame(1, b"a", fin=False) + frame(1, b"b")) == [ProtocolError]

    def test_continuation_of_nothing(self) -> None:
        assert every_way(frame(0, b"a")) == [ProtocolError]
        assert every_way(frame(1, b"a") + frame(0, b"a")) == [Message(1, "a"), ProtocolError]


class TestStrictness:
    @pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
    def test_reserved_opcodes(self, opcode: int) -> None:
        assert every_way(frame(opcode, b"x")) == [ProtocolError]

    @pytest.mark.parametrize("bit", [0x10, 0x20, 0x40])
    @pytest.mark.parametrize("opcode", [1, 2, 8, 9, 10])
    def test_reserved_bits(self, opcode: int, bit: int) -> None:
        assert every_way(frame(opcode, b"x", flags=bit)) == [ProtocolError]

    def test_control_frames_are_whole_and_short(self) -> None:
        assert every_way(frame(9, b"x", fin=False)) == [ProtocolError]
        assert every_way(frame(9, b"x" * 126)) == [ProtocolError]
        assert every_way(frame(9, b"x" * 125)) == [Ping(9, b"x" * 125)]

    def test_masking_is_for_clients_and_only_for_them(self) -> None:
        assert every_way(frame(1, b"x"), masked=True) == [ProtocolError]
        assert every_way(frame(1, b"x", mask=KEY), masked=False) == [ProtocolError]

    def test_length_in_its_shortest_form(self) -> None:
        assert every_way(b"\x82\x7e\x00\x7d" + b"x" * 125) == [ProtocolError]
        assert every_way(b"\x82\x7f" + struct.pack(">Q", 65535)) == [ProtocolError]
        assert every_way(b"\x82\x7f" + struct.pack(">Q", 1 << 63)) == [ProtocolError]

    def test_nothing_is_read_after_close(self) -> None:
        assert every_way(frame(8, b"\x03\xe8") + frame(1, b"x") + b"\xff\xff") == [Close(8, b"\x03\xe8")]


class TestText:
    """Section 8.1."""

    @pytest.mark.parametrize(
        "bad",
        [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ab\xe2\x82"],
        ids=["never", "cut", "overlong", "surrogate", "beyond", "cut-later"],
    )
    def test_text_must_be_utf8(self, bad: bytes) -> None:
        assert every_way(frame(1, bad)) == [InvalidData]
        assert every_way(frame(1, bad[:1], fin=False) + frame(0, bad[1:])) == [InvalidData]

    def test_it_is_checked_as_it_comes(self) -> None:
        subject = reader()
        subject.receive(b"\x81\x64" + b"abc\xff")
        with pytest.raises(InvalidData):
            subject.next_event()

    def test_binary_is_not_checked(self) -> None:
        assert every_way(frame(2, b"\xff\xfe")) == [Message(2, b"\xff\xfe")]


class TestLimits:
    def test_exactly_the_limit(self) -> None:
        assert every_way(frame(2, b"x" * 300), limit=300) == [Message(2, b"x" * 300)]
        assert every_way(frame(2, b"x" * 301), limit=300) == [MessageTooBig]

    def test_by_the_announced_length_before_any_payload(self) -> None:
        subject = reader(limit=300)
        subject.receive(b"\x82\x7f" + struct.pack(">Q", 1 << 40))
        with pytest.raises(MessageTooBig):
            subject.next_event()

    def test_fragments_add_up(self) -> None:
        data = frame(2, b"x" * 150, fin=False) + frame(0, b"x" * 151)
        assert every_way(data, limit=300) == [MessageTooBig]

    def test_the_limit_is_per_message(self) -> None:
        data = frame(2, b"x" * 200) * 3
        assert every_way(data, limit=300) == [Message(2, b"x" * 200)] * 3

    def test_control_frames_do_not_count(self) -> None:
        assert every_way(frame(9, b"x" * 100), limit=10) == [Ping(9, b"x" * 100)]

    def test_decompressed_size_counts(self) -> None:
        bomb = frame(2, deflated(b"\0" * 100_000), flags=0x40)
        assert every_way(bomb, limit=300, deflate=True) == [MessageTooBig]
        fits = frame(1, deflated(b"a" * 300), flags=0x40)
        assert every_way(fits * 2, limit=300, deflate=True) == [Message(1, "a" * 300)] * 2

    def test_many_tiny_fragments_are_held_in_little_memory(self) -> None:
        subject = reader(limit=1 << 20)
        subject.receive(frame(2, b"", fin=False) + frame(0, b"a", fin=False) * 50_000 + frame(0))
        assert list(drain(subject)) == [Message(2, b"a" * 50_000)]


class TestDeflate:
    """RFC 7692, section 7.2."""

    def test_example_of_the_rfc(self) -> None:
        hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00"
        assert every_way(frame(1, hello, flags=0x40), deflate=True) == [Message(1, "Hello")]
        split = frame(1, hello[:3], flags=0x40, fin=False) + frame(0, hello[3:])
        assert every_way(split, deflate=True) == [Message(1, "Hello")]

    def test_window_shared_between_messages(self) -> None:
        data = frame(1, b"\xf2\x48\xcd\xc9\xc9\x07\x00", flags=0x40) + frame(
            1, b"\xf2\x00\x11\x00\x00", flags=0x40
        )
        assert every_way(data, deflate=True) == [Message(1, "Hello")] * 2

    def test_block_without_compression_and_final_block(self) -> None:
        stored = b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"
        final = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
        for payload in (stored, final):
            twice = frame(1, payload, flags=0x40) * 2
            assert every_way(twice, deflate=True) == [Message(1, "Hello")] * 2

    def test_empty_message(self) -> None:
        assert every_way(frame(1, b"", flags=0x40), deflate=True) == [Message(1, "")]

    def test_uncompressed_messages_may_be_mixed_in(self) -> None:
        data = frame(1, b"plain") + frame(1, deflated(b"packed"), flags=0x40)
        assert every_way(data, deflate=True) == [Message(1, "plain"), Message(1, "packed")]

    def test_bit_only_on_the_first_fragment(self) -> None:
        data = frame(1, b"\xf2\x48", fin=False, flags=0x40) + frame(0, b"\xcd", flags=0x40)
        assert every_way(data, deflate=True) == [ProtocolError]

    def test_garbage(self) -> None:
        assert every_way(frame(1, b"\xff\xff\xff\xff", flags=0x40), deflate=True) == [InvalidData]

    def test_decompressed_text_must_be_utf8(self) -> None:
        assert every_way(frame(1, deflated(b"\xff"), flags=0x40), deflate=True) == [InvalidData]


class TestClose:
    @pytest.mark.parametrize(
        ("code", "reason", "payload"),
        [
            (None, None, b""),
            (1001, None, b"\x03\xe9"),
            (1001, "bye", b"\x03\xe9bye"),
            (4000, b"\xc3\xa9", b"\x0f\xa0\xc3\xa9"),
        ],
    )
    def test_payload(self, code: int | None, reason: str | bytes | None, payload: bytes) -> None:
        assert wire.close_payload(code, reason) == payload

    def test_reason_without_code_is_1000_as_in_453(self) -> None:
        assert wire.close_payload(None, "x") == b"\x03\xe8x"

    def test_long_reason_is_cut_at_a_character(self) -> None:
        payload = wire.close_payload(1000, "é" * 100)
        assert payload == b"\x03\xe8" + "é".encode() * 61

    @pytest.mark.parametrize("code", [1000, 1003, 1007, 1011, 1014, 3000, 4999])
    def test_valid_codes(self, code: int) -> None:
        wire.check_close(struct.pack(">H", code) + b"ok")

    @pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
    def test_codes_that_may_not_be_sent(self, code: int) -> None:
        with pytest.raises(ProtocolError):
            wire.check_close(struct.pack(">H", code))

    def test_bodies_that_may_not_be_sent(self) -> None:
        wire.check_close(b"")
        with pytest.raises(ProtocolError):
            wire.check_close(b"\x03")
        with pytest.raises(InvalidData):
            wire.check_close(b"\x03\xe8\xff")

    def test_parse(self) -> None:
        assert wire.parse_close(b"") == (None, b"")
        assert wire.parse_close(b"\x03") == (None, b"")
        assert wire.parse_close(b"\x03\xe8why") == (1000, b"why")


class TestEncoding:
    @pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
    def test_lengths(self, size: int) -> None:
        assert wire.encode_frame(True, 2, b"x" * size) == frame(2, b"x" * size)

    def test_flags_and_fragments(self) -> None:
        assert wire.encode_frame(False, 1, b"x", flags=wire.RSV1) == b"\x41\x01x"

    def test_masked_frames_have_fresh_keys(self) -> None:
        one, two = (wire.encode_frame(True, 1, b"hello", mask=True) for _ in range(2))
        assert one[:2] == two[:2] == b"\x81\x85"
        assert one[2:6] != two[2:6]
        assert every_way(one + two, masked=True) == [Message(1, "hello")] * 2

    @given(st.lists(st.binary(max_size=400)), st.booleans(), st.integers(1, 64))
    @settings(max_examples=60, deadline=None)
    def test_what_is_encoded_is_read(self, payloads: list[bytes], masked: bool, step: int) -> None:
        stream = b"".join(wire.encode_frame(True, 2, payload, mask=masked) for payload in payloads)
        subject = reader(masked)
        events: list[object] = []
        for at in range(0, len(stream), step):
            subject.receive(stream[at : at + step])
            events.extend(drain(subject))
        assert events == [Message(2, payload) for payload in payloads]
        assert subject.wire_bytes == len(stream)
        assert subject.message_bytes == sum(map(len, payloads))

    @given(st.binary(max_size=200), st.booleans(), st.booleans())
    @settings(max_examples=200, deadline=None)
    def test_anything_ends_in_events_or_a_protocol_error(
        self, data: bytes, masked: bool, deflate: bool
    ) -> None:
        subject = reader(masked, deflate=deflate)
        subject.receive(data)
        try:
            list(drain(subject))
        except ProtocolError as failure:
            assert failure.close_code in (1002, 1007, 1009)
