"""Coverage-guided fuzzing of what reads bytes off the wire: libFuzzer through atheris, a minute a target.

    python -m compat_tests.guided                      # every target for a minute
    python -m compat_tests.guided frames -- -max_total_time=600

The properties are those of ``tests/fuzz``: a reader ends in events or in its documented error, however its bytes are
cut. There hypothesis knows how valid input looks; here nobody does, and what takes a new branch is kept. Each target is
a process of its own with its corpus in ``.cache/guided``, which later runs go on from. Exit code 1 if one found
something (libFuzzer prints the input, and keeps it there); 2 if atheris is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / ".cache" / "guided"
REQUEST = b'POST /a?b=c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b"\r\nabc\r\n0\r\nA: b\r\n\r\n'
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 304 \r\n\r\nHTTP/1.0 200 OK\r\n\r\nabc"
)
FORM = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: c/d\r\n\r\ne\r\n--x--\r\n'

# Each target takes bytes and raises for what must not be.


def _requests() -> Callable[[bytes], None]:
    from tornado4._wire.http1 import RequestReader

    return _reader(RequestReader)


def _responses() -> Callable[[bytes], None]:
    from tornado4._wire.http1 import ResponseReader

    return _reader(ResponseReader)


def _reader(make: Any) -> Callable[[bytes], None]:
    """The first byte says where the rest is cut."""
    from tornado4._wire.http1 import NEED_DATA, Head
    from tornado4.httputil import HTTPInputError

    def read(pieces: list[bytes]) -> Any:
        reader, heads, body, error = make(), [], [], None
        try:
            for piece in pieces:
                reader.feed(piece)
                while (event := reader.next_event()) is not NEED_DATA:
                    if isinstance(event, Head):
                        heads.append((event.start_line, list(event.headers.get_all()), event.length))
                        body.append(b"")
                    elif isinstance(event, bytes):
                        body[-1] += event
        except HTTPInputError as raised:
            error = raised.status_code
        return heads, body, error

    def once(data: bytes) -> None:
        at, data = data[0] if data else 0, data[1:]
        assert read([data[:at], data[at:]]) == read([data])

    return once


def _frames() -> Callable[[bytes], None]:
    from tornado4._wire.websocket import FrameReader
    from tornado4._wire.websocket_deflate import _PerMessageDeflateDecompressor
    from tornado4._wire.websocket_events import NEED_DATA, ProtocolError

    def read(pieces: list[bytes], masked: bool, deflate: bool) -> Any:
        inflater = _PerMessageDeflateDecompressor(persistent=True, max_wbits=15) if deflate else None
        reader, events, error = FrameReader(masked, 1000, inflater), [], None
        try:
            for piece in pieces:
                reader.receive(piece)
                while (event := reader.next_event()) is not NEED_DATA:
                    events.append(event)
        except ProtocolError as raised:
            error = type(raised)
        assert all(len(event.data) <= 1000 for event in events)
        return events, error

    def once(data: bytes) -> None:
        kind, at, data = (data[0] if data else 0), (data[1] if data[1:] else 0), data[2:]
        how = (bool(kind & 1), bool(kind & 2))
        assert read([data[:at], data[at:]], *how) == read([data], *how)

    return once


def _values() -> Callable[[bytes], None]:
    """What stands in headers and bodies: the first byte chooses among their readers."""
    from tornado4 import escape, httputil
    from tornado4.web import decode_signed_value

    def form(data: bytes) -> None:
        try:
            httputil.parse_multipart_form_data(b"x", data, {}, {})
        except httputil.HTTPInputError:
            pass

    readers: list[Callable[[bytes], object]] = [
        form,
        lambda data: httputil.parse_cookie(data.decode("latin-1")),
        lambda data: httputil._parse_header(data.decode("latin-1")),
        lambda data: httputil._parse_request_range(data.decode("latin-1")),
        lambda data: escape.parse_qs_bytes(data, keep_blank_values=True),
        lambda data: decode_signed_value("secret", "name", data),
        lambda data: escape.linkify(data.decode("utf-8", "replace")),
        lambda data: escape.url_unescape(data.decode("latin-1"), encoding=None),
    ]

    def once(data: bytes) -> None:
        if data:
            readers[data[0] % len(readers)](data[1:])

    return once


#: How each is made, and what it begins with.
TARGETS: dict[str, tuple[Callable[[], Callable[[bytes], None]], list[bytes]]] = {
    "requests": (_requests, [b"\x20" + REQUEST, b"\x05GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"]),
    "responses": (_responses, [b"\x10" + RESPONSE]),
    "frames": (
        _frames,
        [b"\x01\x03\x81\x81\0\0\0\0a", b"\x00\x03\x81\x01a", b"\x02\x00\xc1\x07\xf2H\xcd\xc9\xc9\x07\x00"],
    ),
    "values": (
        _values,
        [
            bytes([number]) + text
            for number, text in enumerate(
                [
                    FORM,
                    b'a=b; c="d"',
                    b'a; b="c"',
                    b"bytes=1-2",
                    b"a=%20&b",
                    b"2|1:0|10:1300000000|1:n|4:YQ==|x",
                    b"see http://a.b/c?d",
                    b"%41+%zz",
                ]
            )
        ],
    ),
}


def fuzz(name: str, arguments: Sequence[str]) -> None:
    """In a process of its own: never returns."""
    import logging

    import atheris

    logging.disable(logging.CRITICAL)
    make, seeds = TARGETS[name]
    with atheris.instrument_imports(include=["tornado4"]):
        target = make()
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *arguments, f"-artifact_prefix={FOLDER}/{name}-", str(corpus)], target)
    atheris.Fuzz()


def main(argv: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    own, options = given, ["-max_total_time=60"]
    if "--" in given:
        own, options = given[: given.index("--")], given[given.index("--") + 1 :]
    parser = argparse.ArgumentParser(prog="python -m compat_tests.guided", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", nargs="*", help=f"all by default: {', '.join(TARGETS)}")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(own)
    unknown = [name for name in chosen.target if name not in TARGETS]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are: {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    if chosen.one:
        fuzz(chosen.target[0], options)
    ended = {}
    for name in chosen.target or TARGETS:
        command = [sys.executable, "-m", "compat_tests.guided", "--one", name, "--", *options]
        ended[name] = subprocess.run(command, cwd=TOP).returncode
    found = [name for name, code in ended.items() if code]
    print(f"found something: {', '.join(found)}" if found else f"nothing was found in {', '.join(ended)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
