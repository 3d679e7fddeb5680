"""Checks of a masking function, whichever it is: in this process, and in one whose memory is watched.

``python masks.py FOLDER`` checks the one of ``speedups`` in FOLDER.
"""

from __future__ import annotations

import array
import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

ALIGNMENTS = range(16)
LENGTHS = range(65)
KEYS = (b"\x00\x00\x00\x00", b"\x00\xff\x5a\x81", b"\xff\xff\xff\xff")


def octet_by_octet(mask: bytes, data: bytes) -> bytes:
    """RFC 6455, section 5.3, to the letter."""
    return bytes(octet ^ mask[i % 4] for i, octet in enumerate(data))


def buffers(data: bytes) -> Iterator[memoryview]:
    """``data`` at each alignment, with nothing of ours behind it: a copied array has no more memory than octets."""
    for alignment in ALIGNMENTS:
        yield memoryview(array.array("B", bytes(alignment) + data)[:])[alignment:]


def check(mask: Callable[[Any, Any], bytes]) -> None:
    """Lengths and alignments, of the data and of the key; what is refused."""
    for length in [*LENGTHS, 2047, 2048, 2049, 2050, 2051, 70_001]:
        data = bytes((7 * n + n // 256) % 256 for n in range(length))
        for key in KEYS:
            expected = octet_by_octet(key, data)
            assert mask(key, data) == mask(bytearray(key), bytearray(data)) == expected
            assert type(mask(key, data)) is bytes
            for view in buffers(data):
                assert mask(key, view) == expected
            for view in buffers(key):
                assert mask(view, data) == expected
    for length in [0, 1, 2, 3, 5, 8]:
        for view in buffers(bytes(length)):
            for data in (b"", b"x", b"hello"):
                assert error(mask, view, data) == (ValueError, f"mask must be 4 bytes, not {length}")
    assert error(mask, b"abcd", "text")[0] is TypeError
    assert error(mask, b"abcd", None)[0] is TypeError
    assert error(mask, None, b"text")[0] is TypeError
    assert error(mask, b"abcd")[0] is TypeError
    assert error(mask, b"abcd", b"text", b"more")[0] is TypeError


def error(function: Callable[..., Any], *args: Any) -> tuple[type[BaseException], str]:
    try:
        function(*args)
    except Exception as raised:
        return type(raised), str(raised)
    raise AssertionError(f"{args!r} was taken")


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    check(importlib.import_module("speedups").websocket_mask)
    print("checked")
