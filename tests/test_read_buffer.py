"""The buffers of a stream, without a socket: bytes in by chunks, bytes out by count, delimiter or pattern."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado4.iostream import UnsatisfiableReadError
from tornado4.iostream.read_buffer import ExactBytes, ReadBuffer, UntilClose, UntilDelimiter, UntilRegex
from tornado4.iostream.write_buffer import WriteBuffer

small = st.binary(max_size=20)
few = settings(max_examples=60, deadline=None)


def filled(*chunks: bytes) -> ReadBuffer:
    buffer = ReadBuffer()
    for chunk in chunks:
        buffer.append(chunk)
    return buffer


def ways_to_feed(data: bytes) -> list[list[bytes]]:
    """Whole, byte by byte, in threes."""
    return [
        [data],
        [data[i : i + 1] for i in range(len(data))],
        [data[i : i + 3] for i in range(0, len(data), 3)],
    ]


def feed(request, data: bytes) -> list[tuple[int, int | None]]:
    """Where ``request`` was satisfied, for each way to feed: (bytes fed, bytes it takes)."""
    outcomes = []
    for chunks in ways_to_feed(data):
        buffer, found, fed = ReadBuffer(), None, 0
        for chunk in chunks:
            buffer.append(chunk)
            fed += len(chunk)
            found = request().locate(buffer)
            if found is not None:
                break
        outcomes.append((fed, found))
    return outcomes


# -- the queue of bytes -------------------------------------------------------------------------------


def test_a_chunk_read_whole_is_handed_on_without_a_copy():
    chunk = b"x" * 100
    assert filled(chunk).take(100) is chunk


def test_taking_more_than_there_is_takes_all_and_taking_nothing_takes_nothing():
    buffer = filled(b"abc")
    assert buffer.take(0) == buffer.take(-1) == b""
    assert buffer.take(10) == b"abc"
    assert buffer.take(10) == b"" and buffer.size == 0


def test_large_chunks_are_joined_once_at_the_end():
    chunks = [bytes([i]) * 65536 for i in range(16)]
    buffer = filled(*chunks)
    tracemalloc.start()
    try:
        data = buffer.take(buffer.size)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert data == b"".join(chunks)
    assert peak < 1.1 * len(data)


def test_one_byte_chunks_cost_memory_as_bytes_not_as_objects():
    buffer = ReadBuffer()
    tracemalloc.start()
    try:
        for _ in range(20_000):
            buffer.append(b"xy"[:1])
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert buffer.size == 20_000
    assert held < 60_000


def test_consumed_bytes_are_given_back_while_a_backlog_is_read_in_small_pieces():
    buffer = filled(b"x" * 300_000, b"y")
    for _ in range(280):
        assert len(buffer.take(1000)) == 1000
    assert buffer.size == 20_001
    assert len(buffer.flatten()) < 150_000


def test_what_is_put_back_comes_first():
    buffer = filled(b"world")
    buffer.prepend(b"hello ")
    assert buffer.size == 11
    assert buffer.take(11) == b"hello world"


@few
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), small | st.integers(8192, 8200).map(lambda n: b"xy" * n)),
            st.tuples(st.just("take"), st.integers(-2, 9000)),
            st.tuples(st.just("prepend"), st.binary(max_size=20)),
            st.tuples(st.just("find"), st.binary(min_size=1, max_size=2)),
            st.tuples(st.just("flatten"), st.none()),
        ),
        max_size=40,
    )
)
def test_it_behaves_like_a_plain_bytes_object(steps):
    buffer, model = ReadBuffer(), b""
    for step, value in steps:
        if step == "append":
            buffer.append(value)
            model += value
        elif step == "take":
            count = max(0, value)
            assert buffer.take(value) == model[:count]
            model = model[count:]
        elif step == "prepend":
            buffer.prepend(value)
            model = value + model
        elif step == "find":
            at = model.find(value)
            assert buffer.find(value) == (at + len(value) if at >= 0 else -1)
            match = re.search(re.escape(value), model)
            assert buffer.search(re.compile(re.escape(value))) == (match.end() if match else -1)
        else:
            assert buffer.flatten()[buffer.pos :] == model
        assert buffer.size == len(buffer) == len(model)
    assert buffer.take(len(model)) == model


# -- until --------------------------------------------------------------------------------------------


def test_until_delimiter_ends_behind_the_first_one_however_it_arrives():
    assert feed(lambda: UntilDelimiter(b"\r\n"), b"ab\r\ncd\r\n") == [(8, 4), (4, 4), (6, 4)]


def test_a_delimiter_cut_by_chunks_is_found_by_one_request():
    request, buffer = UntilDelimiter(b"\r\n\r\n"), ReadBuffer()
    for chunk in (b"head\r", b"\n", b"\r", b"\r\n\r"):
        buffer.append(chunk)
        assert request.locate(buffer) is None
    buffer.append(b"\nrest")
    assert request.locate(buffer) == len(b"head\r\n\r\r\n\r\n")


@few
@given(st.lists(st.sampled_from([b"a", b"b", b"ab", b"aab", b"ba"]), max_size=30), st.integers(0, 5))
def test_resumed_searches_find_what_one_search_over_all_finds(chunks, skipped):
    request, buffer = UntilDelimiter(b"aba"), filled(b"x" * (skipped + 1))
    buffer.take(skipped + 1)
    seen, found = b"", None
    for chunk in chunks:
        buffer.append(chunk)
        seen += chunk
        found = request.locate(buffer)
        if found is not None:
            break
    at = seen.find(b"aba")
    assert found == (at + 3 if at >= 0 else None)


def test_the_search_for_a_delimiter_does_not_look_at_bytes_twice():
    class Counting(ReadBuffer):
        looked_at = 0

        def find(self, delimiter: bytes, start: int = 0) -> int:
            Counting.looked_at += self.size - start
            return super().find(delimiter, start)

    request, buffer = UntilDelimiter(b"\r\n"), Counting()
    for _ in range(1000):
        buffer.append(b"x" * 10)
        assert request.locate(buffer) is None
    assert Counting.looked_at <= 11 * 1000


def test_an_empty_delimiter_is_found_at_once_but_not_in_nothing():
    """As in 4.5.3."""
    assert UntilDelimiter(b"").locate(filled(b"abc")) == 0
    assert UntilDelimiter(b"").locate(ReadBuffer()) is None


def test_a_delimiter_within_the_limit_is_found_and_one_that_ends_behind_it_is_not():
    assert UntilDelimiter(b"def", 6).locate(filled(b"abcdefgh")) == 6
    with pytest.raises(UnsatisfiableReadError, match=r"^delimiter b'def' not found within 5 bytes$"):
        UntilDelimiter(b"def", 5).locate(filled(b"abcdefgh"))


def test_the_limit_is_exceeded_only_by_bytes_that_are_there():
    request = UntilDelimiter(b"x", 5)
    assert request.locate(filled(b"12345")) is None
    with pytest.raises(UnsatisfiableReadError):
        request.locate(filled(b"123456"))


# -- regex --------------------------------------------------------------------------------------------


def test_until_regex_ends_with_the_match_however_it_arrives():
    assert feed(lambda: UntilRegex(rb"\r?\n"), b"ab\ncd\r\n") == [(7, 3), (3, 3), (3, 3)]


def test_until_regex_takes_compiled_patterns_and_names_them_in_its_error():
    with pytest.raises(UnsatisfiableReadError, match=r"^delimiter re\.compile\(b'x'\) not found within 2 "):
        UntilRegex(re.compile(b"x"), 2).locate(filled(b"abc"))


def test_a_pattern_sees_only_what_is_unread():
    buffer = filled(b"aab")
    buffer.take(2)
    assert UntilRegex(b"a").locate(buffer) is None
    assert UntilRegex(b"b").locate(buffer) == 1


def test_a_search_leaves_the_buffer_free_to_grow():
    buffer = filled(b"abc", b"def")
    buffer.take(1)
    assert buffer.search(re.compile(b"d")) == 3
    buffer.append(b"ghi")
    assert buffer.take(8) == b"bcdefghi"


# -- counts -------------------------------------------------------------------------------------------


def test_exact_bytes_waits_for_all_of_them_and_partial_for_any():
    assert ExactBytes(5).locate(filled(b"1234")) is None
    assert ExactBytes(5).locate(filled(b"123456")) == 5
    assert ExactBytes(5, partial=True).locate(filled(b"12")) == 2
    assert ExactBytes(5, partial=True).locate(filled(b"123456")) == 5
    assert ExactBytes(5, partial=True).locate(ReadBuffer()) is None


def test_zero_bytes_are_always_there():
    assert ExactBytes(0).locate(ReadBuffer()) == 0
    assert ExactBytes(0, partial=True).locate(filled(b"x")) == 0


def test_what_was_streamed_is_no_longer_waited_for():
    request = ExactBytes(6)
    request.reduce(4)
    assert request.target == 2
    assert request.locate(filled(b"56")) == 2


def test_until_close_is_never_satisfied_by_bytes():
    assert UntilClose().locate(filled(b"x" * 100)) is None


# -- the write buffer ---------------------------------------------------------------------------------


def drained(buffer: WriteBuffer, step: int) -> bytes:
    out = b""
    while buffer.size:
        piece = buffer.peek(step)
        out += bytes(piece)
        buffer.advance(len(piece))
    return out


def test_small_writes_leave_as_one_piece():
    buffer = WriteBuffer()
    for _ in range(10):
        buffer.append(b"ab")
    assert bytes(buffer.peek()) == b"ab" * 10


def test_a_large_write_is_kept_as_it_is():
    data = b"x" * 1_000_000
    buffer = WriteBuffer()
    buffer.append(data)
    assert buffer.peek().obj is data
    rest = WriteBuffer()
    rest.append_rest(data, 10)
    assert rest.peek().obj is data and rest.size == len(data) - 10


def test_what_its_owner_may_change_is_copied():
    data = bytearray(b"x" * 100_000)
    buffer = WriteBuffer()
    buffer.append(data)
    data[:] = b"y" * 100_000
    assert drained(buffer, 4096) == b"x" * 100_000


def test_what_was_offered_to_the_system_does_not_change_by_later_writes():
    """OpenSSL wants the same bytes again after SSL_ERROR_WANT_WRITE."""
    buffer = WriteBuffer()
    buffer.append(b"first")
    assert bytes(buffer.peek()) == b"first"
    buffer.append(b"second")
    assert bytes(buffer.peek()) == b"first"
    buffer.advance(2)
    assert bytes(buffer.peek()) == b"rst"
    assert buffer.snapshot() == bytearray(b"rstsecond")


def test_a_memoryview_of_larger_items_counts_bytes():
    buffer = WriteBuffer()
    buffer.append(memoryview(b"12345678").cast("Q"))
    assert buffer.size == 8 and bytes(buffer.peek()) == b"12345678"


@few
@given(
    st.lists(small | st.integers(65536, 65540).map(lambda n: b"z" * n), max_size=12),
    st.integers(1, 50_000),
    st.data(),
)
def test_bytes_leave_in_the_order_of_their_writes(writes, step, data):
    buffer, out, written = WriteBuffer(), b"", b""
    for piece in writes:
        buffer.append(piece)
        written += piece
        if buffer.size and data.draw(st.booleans()):
            view = buffer.peek(step)
            count = data.draw(st.integers(0, len(view)))
            out += bytes(view[:count])
            buffer.advance(count)
        assert buffer.size == len(written) - len(out)
        assert buffer.snapshot() == written[len(out) :]
    assert out + drained(buffer, step) == written


def test_a_cleared_buffer_is_empty():
    buffer = WriteBuffer()
    buffer.append(b"x")
    buffer.peek()
    buffer.clear()
    assert not len(buffer) and buffer.snapshot() == bytearray()


class Counting(bytes):
    """A chunk; slices of it would be copies."""

    def __getitem__(self, index):
        raise AssertionError("a slice of a chunk copies its bytes")


def test_a_read_across_chunks_copies_what_it_takes_and_nothing_else():
    buffer = ReadBuffer()
    chunks = [Counting(bytes([n]) * 10_000) for n in range(5)]
    for chunk in chunks:
        buffer.append(chunk)
    whole = b"".join(chunks)
    assert buffer.take(25_000) == whole[:25_000]
    assert buffer.data is chunks[2], "the chunk with the cut stays as it is"
    assert buffer.size == 25_000
    assert buffer.take(20_000) == whole[25_000:45_000]
    assert buffer.take(5_000) == whole[45_000:]
    assert buffer.size == 0
