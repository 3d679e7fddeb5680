"""Arguments: how many there may be, what decoding them costs, and what the headers of parts may hold."""

from __future__ import annotations

import tracemalloc
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import pytest
from attacked import attacked

from tornado4 import httputil
from tornado4.escape import parse_qs_bytes, url_unescape
from tornado4.web import RequestHandler


class Count(RequestHandler):
    def get(self) -> None:
        self.write(str(len(self.request.arguments)))

    def post(self) -> None:
        files = sorted(file.filename for group in self.request.files.values() for file in group)
        self.write(repr((sorted(self.request.arguments), files)))


@pytest.fixture
def server() -> Any:
    with attacked([("/", Count)]) as made:
        yield made


def query(number: int) -> str:
    return "&".join(f"a{index}=" for index in range(number))


@pytest.mark.parametrize(("number", "status"), [(1, 200), (1000, 200), (1001, 400), (5000, 400)])
def test_a_query_has_at_most_1000(server: Any, number: int, status: int) -> None:
    found, _, body = server.ask("/?" + query(number))
    assert (found, body) == (status, str(number).encode() if status == 200 else b"")
    if status == 400:
        assert "unbounded-forms" in server.log


def test_separators_count_and_the_limit_can_be_lifted(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.ask("/?" + "&" * 1000)[0] == 400
    monkeypatch.setattr(httputil.limits, "query_arguments", None)
    assert server.ask("/?" + query(3000))[2] == b"3000"


@pytest.mark.parametrize("unit", ["%41", "%", "x%", "%4", "%41x", "%zz", "+", "%E2%82%AC"])
@pytest.mark.parametrize("decode", ["bytes", "text", "name", "value"])
def test_decoding_takes_a_small_multiple_of_its_inputs_memory(unit: str, decode: str) -> None:
    text = unit * (1_000_000 // len(unit))
    work: Any = {
        "bytes": lambda: url_unescape(text, encoding=None),
        "text": lambda: url_unescape(text),
        "name": lambda: parse_qs_bytes(text + "=v"),
        "value": lambda: parse_qs_bytes("n=" + text),
    }[decode]
    work()
    tracemalloc.start()
    try:
        work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 12 * len(text)


@pytest.mark.parametrize("size", [3, 65533, 65534, 65535, 65536, 65537, 131072])
def test_decoding_is_what_the_standard_library_makes_of_it(size: int) -> None:
    for unit in ("%41", "%", "x%C3%A9", "%4\xe9", "%41%", "\u20ac%E2%82"):
        text = (unit * (size // len(unit) + 1))[:size]
        assert url_unescape(text, encoding=None, plus=False) == unquote_to_bytes(text)
        assert url_unescape(text, plus=False) == unquote(text)


def part(head: bytes, value: bytes = b"v") -> bytes:
    return b"--B\r\n" + head + b"\r\n\r\n" + value + b"\r\n"


def post(server: Any, *parts: bytes) -> bytes:
    headers = "Content-Type: multipart/form-data; boundary=B\r\n"
    status, _, body = server.ask("/", headers, "POST", b"".join(parts) + b"--B--\r\n")
    assert status == 200
    return bytes(body)


DISPOSITION = b'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize("octet", [b"\r", b"\x00", b"\x01", b"\x0b", b"\x1f", b"\x7f"])
@pytest.mark.parametrize(
    "head",
    [
        DISPOSITION + b'; filename="a%sb"', DISPOSITION + b";%s filename=b", DISPOSITION + b"%sX: y",
        b'Content-Disposition: form-data; name="a%sb"', DISPOSITION + b'; filename="b"\r\nContent-Type: text/%shtml',
    ],
)  # fmt: skip
def test_parts_with_control_characters_are_left_out(server: Any, head: bytes, octet: bytes) -> None:
    good = part(DISPOSITION.replace(b'"a"', b'"good"'))
    assert post(server, part(head % octet), good) == b"(['good'], [])"


def test_folded_headers_of_parts_as_in_453(server: Any) -> None:
    assert post(server, part(b'Content-Disposition: form-data;\r\n name="a";\r\n\tfilename="b c"')) == b"([], ['b c'])"


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (b'name="a;b"; filename="c;d"', b"([], ['c;d'])"), (b'name="a"; name="b"', b"(['b'], [])"),
        (b'name="a\\"b"', b"(['a\"b'], [])"), (b"name", b"([], [])"), (b'name="', b"(['\"'], [])"),
        (b"; ;;name=a", b"(['a'], [])"),
        (b'NAME="a"', b"(['a'], [])"), (b'name="a" ; filename="../b"', b"([], ['../b'])"), (b"name=", b"([], [])"),
    ],
)  # fmt: skip
def test_parameters_of_headers_as_in_453(server: Any, parameters: bytes, expected: bytes) -> None:
    assert post(server, part(b"Content-Disposition: form-data; " + parameters)) == expected


def test_one_warning_a_body(server: Any) -> None:
    post(server, *[part(b"Content-Disposition: nothing")] * 90)
    assert len(server.complaints()) == 1


def test_a_value_of_many_lines_is_moved_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a new copy for each line, memory that is asked for would be the square of the lines."""
    headers = httputil.HTTPHeaders({"A": "b"})
    headers.parse_line("A: b")
    headers.parse_line("B: c")
    moves = 0
    place = id(headers._values["B"])
    for _ in range(20_000):
        headers.parse_line(" " + "x" * 20)
        moves += place != id(headers._values["B"])
        place = id(headers._values["B"])
    assert len(headers["B"]) == 1 + 20_000 * 21
    assert moves < 2_000
