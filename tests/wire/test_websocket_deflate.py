"""RFC 7692: negotiation, and the pair of compressor and decompressor."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from tornado4._wire import websocket_deflate as deflate
from tornado4._wire.websocket_events import InvalidData, MessageTooBig

NAME = "permessage-deflate"


class TestPair:
    @pytest.mark.parametrize("persistent", [True, False])
    @pytest.mark.parametrize("bits", [None, 9, 15])
    def test_round_trip(self, persistent: bool, bits: int | None) -> None:
        packer = deflate._PerMessageDeflateCompressor(persistent, bits)
        unpacker = deflate._PerMessageDeflateDecompressor(persistent, bits)
        messages = [b"hello hello hello", b"", b"hello hello hello", bytes(range(256)) * 20]
        assert [unpacker.decompress(packer.compress(message)) for message in messages] == messages

    def test_context_takeover_makes_repeated_messages_small(self) -> None:
        for persistent, smaller in ((True, True), (False, False)):
            packer = deflate._PerMessageDeflateCompressor(persistent, None)
            first, second = packer.compress(b"Hello world."), packer.compress(b"Hello world.")
            assert (len(second) < len(first)) is smaller

    def test_default_level_and_memory_as_in_453(self) -> None:
        packer = deflate._PerMessageDeflateCompressor(True, None)
        assert (packer._compression_level, packer._mem_level, packer._max_wbits) == (6, 8, 15)
        packer = deflate._PerMessageDeflateCompressor(True, 10, {"compression_level": 9, "mem_level": 4})
        assert (packer._compression_level, packer._mem_level, packer._max_wbits) == (9, 4, 10)

    @pytest.mark.parametrize("cut", range(1, 24))
    def test_a_stream_that_ends_within_a_message_is_followed_by_a_fresh_one_wherever_it_is_cut(self, cut: int) -> None:
        """Section 7.2.3.5."""
        final = zlib.compressobj(wbits=-15)
        message = final.compress(b"Hello") + final.flush()
        message += b"\x00\x05\x00\xfa\xffworld\x00"
        unpacker = deflate._PerMessageDeflateDecompressor(True, None)
        assert unpacker.decompress(message) == b"Helloworld"
        pieces = (message[:cut], message[cut:])
        assert b"".join(map(unpacker.feed, pieces)) + unpacker.end() == b"Helloworld"

    @pytest.mark.parametrize("cut", [1, 2, 3, 40])
    def test_garbage_behind_the_end_of_a_stream_is_invalid_wherever_it_is_cut(self, cut: int) -> None:
        message = b"\x01\x00\x00\xff\xff" + b"\xff" * 50
        for pieces in ((message,), (message[:cut], message[cut:])):
            unpacker = deflate._PerMessageDeflateDecompressor(True, None)
            with pytest.raises(InvalidData):
                b"".join(map(unpacker.feed, pieces))

    def test_a_stream_ends_a_few_times_in_a_message_and_that_in_each(self) -> None:
        unpacker = deflate._PerMessageDeflateDecompressor(True, None)
        for _ in range(3):
            assert unpacker.decompress(b"\x03\x00" * 10) == b""
        with pytest.raises(InvalidData, match="too many final blocks"):
            unpacker.decompress(b"\x03\x00" * 1_000_000)

    def test_a_limit_holds_for_all_streams_of_a_message(self) -> None:
        final = zlib.compressobj(wbits=-15)
        message = final.compress(b"x" * 60) + final.flush()
        unpacker = deflate._PerMessageDeflateDecompressor(True, None)
        assert unpacker.decompress(message * 2, 120) == b"x" * 120
        with pytest.raises(MessageTooBig):
            unpacker.decompress(message * 2, 119)

    @pytest.mark.parametrize("bits", [7, 16])
    def test_window_out_of_range_as_in_453(self, bits: int) -> None:
        with pytest.raises(ValueError) as caught:
            deflate._PerMessageDeflateDecompressor(True, bits)
        assert caught.value.args == ("Invalid max_wbits value %r; allowed range 8-%d", bits, 15)

    def test_wrong_options_show_at_once(self) -> None:
        for persistent in (True, False):
            with pytest.raises(ValueError):
                deflate._PerMessageDeflateCompressor(persistent, None, {"compression_level": 42})

    def test_a_bomb_stops_at_the_limit(self) -> None:
        bomb = deflate._PerMessageDeflateCompressor(True, None).compress(b"\0" * 50_000_000)
        unpacker = deflate._PerMessageDeflateDecompressor(True, None)
        with pytest.raises(MessageTooBig):
            unpacker.decompress(bomb, 1000)

    def test_garbage(self) -> None:
        with pytest.raises(InvalidData):
            deflate._PerMessageDeflateDecompressor(True, None).decompress(b"\xff\xff\xff")

    def test_a_strangers_compressor(self) -> None:
        stranger = zlib.compressobj(wbits=-15)
        packed = stranger.compress(b"x" * 1000) + stranger.flush(zlib.Z_SYNC_FLUSH)
        assert (
            deflate._PerMessageDeflateDecompressor(False, None).decompress(packed[:-4], 1000) == b"x" * 1000
        )


class TestServerSide:
    @pytest.mark.parametrize(
        ("offer", "answer"),
        [
            ({}, {}),
            ({"client_max_window_bits": None}, {}),
            ({"client_max_window_bits": "10"}, {"client_max_window_bits": "10"}),
            ({"server_max_window_bits": "9"}, {"server_max_window_bits": "9"}),
            ({"server_no_context_takeover": None}, {"server_no_context_takeover": None}),
        ],
    )
    def test_grants_what_is_asked_as_in_453(self, offer: dict[str, Any], answer: dict[str, Any]) -> None:
        assert deflate.accept_offer([(NAME, offer)]) == answer

    @pytest.mark.parametrize(
        "offer",
        [
            {"foo": "1"},
            {"server_max_window_bits": None},
            {"server_max_window_bits": "8"},
            {"server_max_window_bits": "16"},
            {"server_max_window_bits": "09"},
            {"client_max_window_bits": "x"},
            {"client_no_context_takeover": "1"},
        ],
    )
    def test_passes_over_offers_it_cannot_meet(self, offer: dict[str, Any]) -> None:
        assert deflate.accept_offer([(NAME, offer)]) is None
        assert deflate.accept_offer([("x-other", {}), (NAME, offer), (NAME, {})]) == {}

    def test_no_offer(self) -> None:
        assert deflate.accept_offer([]) is None
        assert deflate.accept_offer([("x-webkit-deflate-frame", {})]) is None


class TestClientSide:
    def test_takes_what_the_rfc_allows(self) -> None:
        deflate.check_answer({"server_no_context_takeover": None, "server_max_window_bits": "8"})
        deflate.check_answer({"client_max_window_bits": "9"})

    @pytest.mark.parametrize(
        "answer",
        [
            {"foo": None},
            {"client_max_window_bits": None},
            {"client_max_window_bits": "8"},
            {"server_max_window_bits": "7"},
        ],
    )
    def test_refuses_the_rest(self, answer: dict[str, Any]) -> None:
        with pytest.raises(ValueError):
            deflate.check_answer(answer)

    def test_options_for_each_side(self) -> None:
        agreed = {"server_no_context_takeover": None, "client_max_window_bits": "10"}
        assert deflate.compressor_options("server", agreed) == {
            "persistent": False, "max_wbits": None, "compression_options": None
        }
        assert deflate.compressor_options("client", agreed, {"mem_level": 5}) == {
            "persistent": True, "max_wbits": 10, "compression_options": {"mem_level": 5}
        }
