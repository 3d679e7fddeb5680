"""``.http`` files, as the REST clients of editors read them.

    @id = 42
    ### the front page                     a line of three hashes parts requests; its text is the name
    GET /items/{{id}}?page=2               the method may be left out (GET); HTTP/1.0 or 1.1 may follow
    Accept: application/json

    ###
    # @new-connection                      a comment; this one asks for a connection of its own
    POST http://localhost:8888/items HTTP/1.1
    Content-Type: application/json

    {"name": "new"}

    ###
    POST /upload
    < ./picture.png                        the body is that file's content

Lines that begin with ``#`` or ``//`` are comments, before the request line and among the headers. A URL's host becomes
the Host header where none is given. A query may go on in the next lines, each indented and beginning with ``?`` or
``&``. Scripts (``< {%``, ``> {%``) are refused. Content-Length is counted afresh.
"""

from __future__ import annotations

import re
from pathlib import Path

from tornado4.migrate.diff.model import Sequence, Step
from tornado4.migrate.diff.traffic.request import (
    TrafficError,
    http_step,
    read_bytes,
    read_text,
    split_url,
    websocket_handshake,
)

_PARTS = re.compile(r"(?m)^###[^\n]*$")
_VARIABLE = re.compile(r"@([A-Za-z_][\w.-]*)\s*=\s*(.*)")
_USE = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")
_METHOD = re.compile(r"[A-Z]+\s")
_VERSION = re.compile(r"\s+(HTTP/1\.[01])$")
_NAME = re.compile(r"(?:#|//)\s*@name[ =]\s*(.+)")
_NEW_CONNECTION = re.compile(r"(?:#|//)\s*@new-connection\b")


def read_http_file(path: Path) -> Sequence:
    """All requests of a file, in order. :raises TrafficError: a request cannot be made out."""
    text = read_text(path).replace("\r\n", "\n")
    variables: dict[str, str] = {}
    steps = []
    for start, title, part in _requests(text):
        reader = _Request(path, start, title, variables)
        step = reader.read(part)
        if step is not None:
            steps.append(step)
    if not steps:
        raise TrafficError(f"{path}: no request in it")
    return Sequence(path.name, tuple(steps))


def _requests(text: str) -> list[tuple[int, str, list[str]]]:
    """(number of the first line, text behind the hashes, lines) of each part."""
    found: list[tuple[int, str, list[str]]] = [(1, "", [])]
    for number, line in enumerate(text.split("\n"), 1):
        if _PARTS.fullmatch(line):
            found.append((number + 1, line[3:].strip("# \t"), []))
        else:
            found[-1][2].append(line)
    return found


class _Request:
    """One part of the file, read line by line."""

    def __init__(self, path: Path, start: int, title: str, variables: dict[str, str]) -> None:
        self.path, self.start, self.name, self.variables = path, start, title, variables
        self.new_connection = False

    def read(self, lines: list[str]) -> Step | None:
        at = self._preamble(lines)
        if at == len(lines):
            return None
        origin = f"{self.path.name}, line {self.start + at}"
        request_line, at = self._request_line(lines, at)
        headers, at = self._headers(lines, at)
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        multipart = kind.lower().startswith("multipart/")
        body = (self._multipart if multipart else self._body)(lines[at:], self.start + at)
        return self._step(request_line, headers, body, origin)

    def _error(self, line: int, text: str) -> TrafficError:
        return TrafficError(f"{self.path}, line {line}: {text}")

    def _filled(self, text: str, line: int) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] not in self.variables:
                raise self._error(line, f"the variable {match[1]!r} has no value; write '@{match[1]} = ...' above")
            return self.variables[match[1]]

        return _USE.sub(value, text)

    def _preamble(self, lines: list[str]) -> int:
        """Comments, directives and variables; the index of the request line."""
        for at, raw in enumerate(lines):
            line = raw.strip()
            if match := _VARIABLE.fullmatch(line):
                self.variables[match[1]] = self._filled(match[2].strip(), self.start + at)
            elif line.startswith(("#", "//")):
                self._comment(line)
            elif line.startswith(("< {%", "> {%")):
                raise self._error(self.start + at, "scripts are not run")
            elif line:
                return at
        return len(lines)

    def _comment(self, line: str) -> None:
        if match := _NAME.match(line):
            self.name = match[1].strip()
        elif _NEW_CONNECTION.match(line):
            self.new_connection = True

    def _request_line(self, lines: list[str], at: int) -> tuple[str, int]:
        line = lines[at].strip()
        end = at + 1
        while end < len(lines) and lines[end][:1].isspace() and lines[end].strip()[:1] in ("?", "&"):
            line += lines[end].strip()
            end += 1
        return self._filled(line, self.start + at), end

    def _headers(self, lines: list[str], at: int) -> tuple[list[tuple[str, str]], int]:
        headers: list[tuple[str, str]] = []
        while at < len(lines) and lines[at].strip():
            line = lines[at].strip()
            if line.startswith("< "):
                return headers, at
            if line.startswith(("#", "//")):
                self._comment(line)
            else:
                name, colon, value = self._filled(line, self.start + at).partition(":")
                if not colon or not name.strip():
                    raise self._error(self.start + at, f"{line!r} is no header (name: value)")
                headers.append((name.strip(), value.strip()))
            at += 1
        return headers, at + 1

    def _body(self, lines: list[str], start: int) -> bytes:
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        if lines and lines[0].startswith("< ") and len(lines) == 1:
            return read_bytes(self.path.parent / lines[0][2:].strip())
        for at, line in enumerate(lines):
            if line.startswith(("> {%", "< {%")):
                raise self._error(start + at, "scripts are not run")
        text = "\n".join(lines)
        if "{{" in text:
            text = self._filled(text, start)
        return text.encode("utf-8")

    def _multipart(self, lines: list[str], start: int) -> bytes:
        """As editors send it: each line ends with CRLF (RFC 2046, 5.1.1); ``< FILE`` in a part is that file's bytes."""
        pieces = []
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        for at, line in enumerate(lines):
            if line.startswith(("> {%", "< {%")):
                raise self._error(start + at, "scripts are not run")
            if line.startswith("< "):
                pieces.append(read_bytes(self.path.parent / line[2:].strip()))
            else:
                pieces.append((self._filled(line, start + at) if "{{" in line else line).encode("utf-8"))
        return b"".join(piece + b"\r\n" for piece in pieces)

    def _step(self, line: str, headers: list[tuple[str, str]], body: bytes, origin: str) -> Step:
        version = "HTTP/1.1"
        if match := _VERSION.search(line):
            version, line = match[1], line[: match.start()]
        method, target = line.split(None, 1) if _METHOD.match(line) else ("GET", line)
        if target.startswith(("http://", "https://", "ws://", "wss://")):
            url = split_url(target, f"{self.path}: {origin}")
            if not any(name.lower() == "host" for name, _ in headers):
                headers.insert(0, ("Host", url.netloc.rpartition("@")[2]))
            target = (url.path or "/") + ("?" + url.query if url.query else "")
        elif not target.startswith(("/", "*")):
            raise TrafficError(f"{self.path}: {origin}: {line!r} is no request line (GET /path)")
        if method == "WEBSOCKET":
            return websocket_handshake(target, headers, origin=origin, name=self.name)
        return http_step(
            method, target, headers, body,
            name=self.name and f"{self.name}: {method} {target}", origin=origin,
            new_connection=self.new_connection, version=version,
        )  # fmt: skip
