r"""Our transcripts of WebSocket sessions: one file, one connection, one line a thing.

    # comments, and blank lines, are passed over
    header Origin: http://localhost       any number of headers for the handshake, before "connect"
    connect /chat?room=1                  the first step of its own: the handshake
    send hello                            a text frame with what follows, to the end of the line
    send "line one\nline two"             in double quotes: a JSON string
    send-binary 00 ff 7f                  a binary frame, in hexadecimal
    ping are you there                    a ping frame
    raw 81 05 68 65 6c 6c 6f              these bytes as they are, for frames that no client would send
    expect                                wait for one frame, whatever it holds
    expect 3                              wait for three frames
    expect text hello                     wait until a text frame with this payload has come
    close 1000 bye                        a close frame with code and reason; both may be left out
    expect close                          wait until the server has closed the connection

What is sent between two waits goes out at once, and is one step with the waits behind it. The frames that a step waits
for are compared with that step; any beyond those, with the next.
"""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

from tornado4.migrate.diff.model import Send, Sequence, Step
from tornado4.migrate.diff.traffic.request import TrafficError, read_text, websocket_handshake

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def read_websocket(path: Path) -> Sequence:
    """A transcript as a sequence. :raises TrafficError: a line means nothing, or stands in the wrong place."""
    reader = _Transcript(path)
    for number, raw in enumerate(read_text(path).splitlines(), 1):
        line = raw.strip()
        if line and not line.startswith("#"):
            reader.take(number, line)
    return reader.finish()


class _Transcript:
    """The steps so far, and what the next one will send."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = 0
        self.target = ""
        self.headers: list[tuple[str, str]] = []
        self.steps: list[Step] = []
        self.sends: list[Send] = []

    def take(self, number: int, line: str) -> None:
        self.line = number
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word in ("header", "connect"):
            self._opening(word, rest)
        elif not self.steps:
            raise self._error(f"{word!r} before 'connect'")
        elif word == "expect":
            self._expect(rest)
        else:
            self.sends.append(self._frame(word, rest))

    def finish(self) -> Sequence:
        if not self.steps:
            raise TrafficError(f"{self.path}: no 'connect' in it")
        if self.sends:
            self._end_step()
        return Sequence(self.path.name, tuple(self.steps))

    def _error(self, text: str) -> TrafficError:
        return TrafficError(f"{self.path}, line {self.line}: {text}")

    def _opening(self, word: str, rest: str) -> None:
        if self.steps:
            raise self._error(f"{word!r} after 'connect': one file is one connection")
        if word == "header":
            name, colon, value = rest.partition(":")
            if not colon:
                raise self._error("a header is 'name: value'")
            self.headers.append((name.strip(), value.strip()))
        elif not rest.startswith("/"):
            raise self._error("'connect' wants a path")
        else:
            self.target = rest
            self.steps.append(websocket_handshake(rest, self.headers, origin=f"{self.path.name}, line {self.line}"))

    def _frame(self, word: str, rest: str) -> Send:
        if word == "send":
            return Send(self._text(rest), TEXT)
        if word == "send-binary":
            return Send(self._bytes(rest), BINARY)
        if word in ("ping", "pong"):
            return Send(self._text(rest), PING if word == "ping" else PONG)
        if word == "raw":
            return Send(self._bytes(rest))
        if word == "close":
            return Send(self._close(rest), CLOSE)
        raise self._error(f"{word!r} is none of header, connect, send, send-binary, ping, pong, raw, expect, close")

    def _text(self, rest: str) -> bytes:
        if not rest.startswith('"'):
            return rest.encode("utf-8")
        try:
            value = json.loads(rest)
        except ValueError as error:
            raise self._error(f"not a JSON string: {error}") from error
        return str(value).encode("utf-8", "surrogatepass")

    def _bytes(self, rest: str) -> bytes:
        try:
            return bytes.fromhex(rest)
        except ValueError as error:
            raise self._error(f"not hexadecimal: {rest!r}") from error

    def _close(self, rest: str) -> bytes:
        code, _, reason = rest.partition(" ")
        if not code:
            return b""
        if not code.isdecimal() or not 0 <= int(code) <= 65535:
            raise self._error(f"{code!r} is no close code")
        return struct.pack(">H", int(code)) + self._text(reason.strip())

    def _expect(self, rest: str) -> None:
        kind, _, payload = rest.partition(" ")
        if not rest:
            self._end_step(frames=1)
        elif rest == "close":
            self._end_step(close=True)
        elif rest.isdecimal():
            self._end_step(frames=int(rest))
        elif kind == "text":
            self._end_step(payload=self._text(payload.strip()))
        else:
            raise self._error(f"'expect {rest}': nothing, a number, 'text ...' or 'close' may follow")

    def _end_step(self, frames: int = 0, payload: bytes | None = None, close: bool = False) -> None:
        last = self.steps[-1]
        if not self.sends and last.expect_payload is None and not last.expect_close:
            # Nothing was sent since: one more thing that the step before waits for.
            self.steps[-1] = replace(
                last, expect_frames=last.expect_frames + frames, expect_payload=payload, expect_close=close
            )
            return
        step = Step(
            name=f"WebSocket {self.target}, exchange {len(self.steps)}",
            send=tuple(self.sends),
            origin=f"{self.path.name}, line {self.line}",
            websocket=True,
            expect_frames=frames,
            expect_payload=payload,
            expect_close=close,
        )
        self.steps.append(step)
        self.sends = []
