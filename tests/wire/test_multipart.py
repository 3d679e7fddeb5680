"""Where the parts of a multipart body lie (RFC 2046 section 5.1)."""

from __future__ import annotations

import time

import pytest

from tornado4._wire.multipart import MultipartError, Part, TooManyParts, split_parts


def split(data: bytes, most: int | None = None) -> list[Part]:
    return list(split_parts(data, b"x", most))


def test_parts_between_their_delimiters() -> None:
    assert split(b"--x\r\nA: b\r\n\r\none\r\n--x\r\n\r\n\r\ntwo\r\n--x--") == [
        Part(b"A: b", b"one"),
        Part(b"", b"two"),
    ]


def test_part_without_blank_line_has_no_head() -> None:
    assert split(b"--x\r\nfoo\r\n--x--") == [Part(None, b"foo\r\n")]


def test_first_delimiter_may_be_missing_as_in_453() -> None:
    assert split(b"A: b\r\n\r\none\r\n--x--") == [Part(b"A: b", b"one")]


def test_epilogue_is_ignored() -> None:
    """Section 5.1.1."""
    assert split(b"--x\r\nA: b\r\n\r\none\r\n--x--\r\nand so on") == [Part(b"A: b", b"one")]


def test_body_without_parts() -> None:
    assert split(b"--x--") == []
    assert split(b"--x\r\n--x--") == []


@pytest.mark.parametrize("data", [b"", b"--x\r\nA: b\r\n\r\none\r\n", b"--x"])
def test_body_without_end(data: bytes) -> None:
    with pytest.raises(MultipartError, match="no final boundary"):
        split(data)


def test_too_many_parts_are_noticed_before_the_first_is_made() -> None:
    data = b"--x\r\nA: b\r\n\r\n\r\n" * 101 + b"--x--"
    assert len(split(data, 101)) == 101
    with pytest.raises(TooManyParts):
        split_parts(data, b"x", 100)


def test_time_is_linear() -> None:
    started = time.process_time()
    assert sum(1 for _ in split_parts(b"--x\r\n" * 500_000 + b"--x--", b"x")) == 0
    assert sum(1 for _ in split_parts(b"--x\r\na" * 200_000 + b"--x--", b"x")) == 200_000
    assert time.process_time() - started < 30  # a second or less; hours if it were quadratic


@pytest.mark.parametrize(
    ("content", "ended"), [(b"", False), (b"\r\n", True), (b"\n", False), (b"a\r", False), (b"a\r\n", True)]
)
def test_a_part_says_whether_its_line_end_was_there(content, ended):
    (part,) = split(b"--x\r\nA: b\r\n\r\n" + content + b"--x--")
    assert part == Part(b"A: b", content.removesuffix(b"\r\n"), ended)
