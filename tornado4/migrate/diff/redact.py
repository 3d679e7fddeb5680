"""``--redact``: cookies' values, credentials, tokens and what was typed into password fields leave the reports.

    redactor = Redactor()
    redactor.learn(verdict)            # what of its requests and answers is secret
    shown = redactor.verdict(verdict)  # the same with a hash for each

A secret becomes a keyed hash of its own length (so that lengths and chunks stay true), equal ones the same hash; the
key is random, and lives as long as the run. Secrets are known by where they stand: header fields, cookies, arguments,
JSON members, form fields and multipart parts by their names, users in URLs, and the forms of signed values, XSRF tokens
and JSON Web Tokens. What was learned in one place goes everywhere else, too: log records, bodies, frames.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import hmac
import html
import re
import secrets
import urllib.parse
from collections.abc import Iterator
from dataclasses import replace

from tornado4.migrate.diff.message import Response, head_end, responses
from tornado4.migrate.diff.model import Answer, Difference, Frame, LogRecord, Run, Send, Step, Verdict

#: Names of header fields, arguments, members and form fields whose values are secret, or parts of such names.
_NAME = (
    r"(?:authorization|token|secret|passw|passphrase|pwd|api[-_]?key|credential|session|signature|xsrf|csrf|jwt|otp|"
    r"\bsid\b|\bpin\b|\bauth\b)"
)
_NAMED = rf"[\w.\-\[\]]{{0,64}}{_NAME}[\w.\-\[\]]{{0,64}}"


def _places(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Each with a group ``secret``; what repeats has a bound, so that no body takes quadratic time."""
    return tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns)


#: Where nothing but secrets stands.
_SURE = _places(
    # Arguments of a request target or a form, an option in a log line, a cookie.
    rf"(?:^|[?&;\s]){_NAMED}=(?P<secret>[^&\s\"'<>;#]+)",
    # Digest's and OAuth's parameters.
    r"\b(?:response|cnonce|nonce|oauth_\w{1,20})=\"(?P<secret>[^\"]+)\"",
    # JSON, and Python's repr of a dictionary.
    rf"[\"']{_NAMED}\\?[\"']\s{{0,9}}[:,]\s{{0,9}}\\?[\"'](?P<secret>[^\"'\\]+)",
    # Fields of HTML forms.
    rf"<input\b[^>]{{0,300}}\b(?:name=[\"']?{_NAMED}|type=[\"']?password)[^>]{{0,300}}?\bvalue=[\"']?(?P<secret>[^\"'>\s]+)",
    rf"<input\b[^>]{{0,300}}\bvalue=[\"']?(?P<secret>[^\"'>\s]+)[^>]{{0,300}}?\b(?:name=[\"']?{_NAMED}|type=[\"']?password)",
    rf"<meta\b[^>]{{0,300}}\bname=[\"']?{_NAMED}[\"']?[^>]{{0,300}}\bcontent=[\"']?(?P<secret>[^\"'>\s]+)",
    # Parts of a multipart body.
    rf"\bname=\"?{_NAMED}\"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n){{0,9}}\r?\n(?P<secret>[^\r\n]+)",
    # A password in a URL.
    r"://[^/?#\s@:]{0,64}:(?P<secret>[^/?#\s@]{1,256})@",
    # By form: signed values of both versions, XSRF tokens, JSON Web Tokens.
    r"(?P<secret>2\|\d:\d{1,2}\|10:\d{10}\|\d+:[^|\s]*\|\d+:[^|\s]*\|[0-9a-f]{64})",
    r"(?<![A-Za-z0-9+/=])(?P<secret>[A-Za-z0-9+/=]+\|\d{10}\|[0-9a-f]{40})\b",
    r"(?P<secret>2\|[0-9a-f]{8}\|[0-9a-f]{2,64}\|\d{10})",
    r"\b(?P<secret>eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]+)",
)
#: A header field; or a sentence with a colon in it. A scheme (Bearer) is no secret.
_LOOSE = _places(
    rf"(?<![\w.\-\[\]]){_NAMED}:[ \t]*(?:(?:basic|bearer|digest|token|negotiate)[ \t]+)?(?P<secret>[^\s;,&\"'<>]+)"
)
_BASIC = re.compile(r"(?i)\bbasic[ \t]+([A-Za-z0-9+/=]+)")
_COOKIES = re.compile(r"(?im)^(set-)?cookie:[ \t]*([^\r\n]*)")
_ONE_COOKIE = re.compile(r"(?:^|;)\s*[^=;\s]+=\"?([^;\"\r\n]+)")
_HEX = re.compile(r"(?:[0-9a-f]{2} ){3,}[0-9a-f]{2}\b")

_KEY = 5  # characters by which a learned secret is looked for: shorter ones go only where they stand
_EDGE = 4  # so many characters of a secret at the edge of an excerpt are a part of it


class Redactor:
    """Learns the secrets of one run, and shows it without them."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._marks: dict[str, str] = {}  # spelling -> what stands for it
        self._by_start: dict[str, list[str]] = {}  # the first characters -> spellings, the longest first

    def learn(self, verdict: Verdict) -> None:
        """Remember what is secret in a step and its answers."""
        for text in self._texts(verdict):
            self._learn_text(text)

    def verdict(self, verdict: Verdict) -> Verdict:
        """The same without what is known to be secret."""
        return replace(
            verdict,
            step=self._step(verdict.step),
            answers={side: self._answer(answer) for side, answer in verdict.answers.items()},
            differences=tuple(map(self._difference, verdict.differences)),
        )

    def run(self, run: Run) -> Run:
        """A whole run, all of whose steps were learned."""
        return replace(
            run,
            app=self.text(run.app),
            verdicts=[self.verdict(verdict) for verdict in run.verdicts],
            notes=[self.text(note) for note in run.notes],
            redacted=True,
        )

    def text(self, text: str) -> str:
        """Any text without what is secret in it: by its place there, and by what was learned."""
        for start, end in _spans(text):  # the last first: what stands before keeps its place
            text = text[:start] + self._mark(text[start:end]) + text[end:]
        return self._known(text)

    def data(self, data: bytes) -> bytes:
        """Bytes of the wire, likewise; also within a content coding, and across chunks."""
        pieces: list[bytes] = []
        while (message := _first_message(data)) is not None:
            head, framed, response, data = message
            pieces += self._message(head, framed, response)
        return b"".join([*pieces, self._bytes(data)])

    def _message(self, head: bytes, framed: bytes, response: Response) -> tuple[bytes, bytes]:
        body = response.decoded
        shown = self._bytes(body)
        if shown != body:
            packed = shown if body == response.body else gzip.compress(shown, mtime=0)
            framed = _framed(packed, response)
            if len(packed) != len(response.body):
                head = re.sub(rb"(?im)^(content-length:[ \t]*)\d+", rb"\g<1>%d" % len(packed), head)
        return self._bytes(head), framed

    def _bytes(self, data: bytes) -> bytes:
        return self.text(data.decode("latin-1")).encode("latin-1")

    # -- What is secret ------------------------------------------------------------------------------------

    def _texts(self, verdict: Verdict) -> Iterator[str]:
        for send in verdict.step.send:
            yield send.data.decode("latin-1")
        for answer in verdict.answers.values():
            for data in (answer.sent, answer.raw):
                yield data.decode("latin-1")
                yield from (one.decoded.decode("latin-1") for one in responses(data)[0] if one.body)
            yield from (frame.payload.decode("latin-1") for frame in answer.frames)
            yield from (f"{record.message}\n{record.exception}" for record in answer.log)

    def _learn_text(self, text: str) -> None:
        for place in _SURE:
            for found in place.finditer(text):
                self._learn(found["secret"])
        loose = [found.span("secret") for place in _LOOSE for found in place.finditer(text)]
        for start, end in [*_cookie_spans(text), *loose]:
            # "theme=dark", "Session: expired": only what looks made by a machine is looked for elsewhere.
            value = text[start:end]
            if len(value) >= 16 or (len(value) >= 8 and re.search(r"\d", value)):
                self._learn(value)
        for credentials in _BASIC.finditer(text):
            self._learn_basic(credentials[1])

    def _learn_basic(self, encoded: str) -> None:
        try:
            _, _, password = base64.b64decode(encoded, validate=True).decode("latin-1").partition(":")
        except (binascii.Error, ValueError):
            return
        self._learn(password)

    def _learn(self, value: str) -> None:
        """A secret in each of the spellings in which it may come back."""
        if len(value) < _KEY or value in self._marks:
            return
        plain = urllib.parse.unquote_plus(value)
        spellings = {value, plain, urllib.parse.unquote(value), urllib.parse.quote(plain, safe=""), html.escape(plain)}
        spellings |= {urllib.parse.quote_plus(plain), plain.encode("unicode_escape").decode("ascii")}
        for spelling in tuple(spellings):
            try:  # text as it is, where the wire's bytes were read one by one; and the other way round
                spellings.add(spelling.encode("latin-1").decode("utf-8"))
            except UnicodeError:
                spellings.add(spelling.encode("utf-8").decode("latin-1"))
        for spelling in spellings:
            if len(spelling) < _KEY or spelling in self._marks:
                continue
            self._marks[spelling] = self._hash(plain, len(spelling))
            starting = self._by_start.setdefault(spelling[:_KEY], [])
            starting.append(spelling)
            starting.sort(key=len, reverse=True)

    # -- What stands for it --------------------------------------------------------------------------------

    def _mark(self, value: str) -> str:
        return self._marks.get(value) or self._hash(urllib.parse.unquote_plus(value), len(value))

    def _hash(self, value: str, length: int) -> str:
        """Of a given length: ``redacted-`` and the beginning of the hash where there is room."""
        digest = hmac.digest(self._salt, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
        mark = digest[:length] if length < 17 else f"redacted-{digest[: min(length - 9, 16)]}"
        return mark.ljust(length, "-")

    def _known(self, text: str) -> str:
        """Without learned secrets, wherever they stand."""
        starts = self._by_start
        if not starts or len(text) < _KEY:
            return text
        pieces: list[str] = []
        at = done = 0
        while at <= len(text) - _KEY:
            spelling = next((one for one in starts.get(text[at : at + _KEY], ()) if text.startswith(one, at)), None)
            if spelling is None:
                at += 1
                continue
            pieces += text[done:at], self._marks[spelling]
            at += len(spelling)
            done = at
        return "".join([*pieces, text[done:]]) if pieces else text

    # -- Part by part --------------------------------------------------------------------------------------

    def _step(self, step: Step) -> Step:
        expected = step.expect_payload
        return replace(
            step,
            name=self.text(step.name),
            send=tuple(Send(self.data(send.data), send.opcode) for send in step.send),
            expect_payload=None if expected is None else self.data(expected),
        )

    def _answer(self, answer: Answer) -> Answer:
        return replace(
            answer,
            raw=self.data(answer.raw),
            sent=self.data(answer.sent),
            failure=self.text(answer.failure),
            log=tuple(self._record(record) for record in answer.log),
            frames=tuple(self._frame(frame) for frame in answer.frames),
        )

    def _record(self, record: LogRecord) -> LogRecord:
        return replace(record, message=self.text(record.message), exception=self.text(record.exception))

    def _frame(self, frame: Frame) -> Frame:
        return replace(frame, payload=self.data(frame.payload))

    def _difference(self, found: Difference) -> Difference:
        return replace(found, where=self.text(found.where), old=self._excerpt(found, 0), new=self._excerpt(found, 1))

    def _excerpt(self, found: Difference, side: int) -> str:
        """A difference's value: what it is the value of is told by where it stands, and it may have been cut."""
        value = (found.old, found.new)[side]
        name = found.where.rpartition(": ")[2]
        if name.lower() in ("cookie", "set-cookie") or re.search(_NAME, name, re.IGNORECASE):
            # As the lines that they were; a JSON path's value is a member's.
            lines = [self.text(f"{name}: {line}") for line in value.split("\n")]
            return "\n".join(line[len(name) + 2 :] for line in lines)
        return self.text(_HEX.sub(lambda hexed: self._hexed(hexed[0]), value))

    def _hexed(self, hexed: str) -> str:
        """Of binary data, an excerpt in hex."""
        shown = bytes.fromhex(hexed).decode("latin-1")
        return self._edges(self.text(shown)).encode("latin-1").hex(" ")

    def _edges(self, text: str) -> str:
        """Without parts of secrets at either end, where an excerpt was cut."""
        for spelling, mark in self._marks.items():
            for size in range(min(len(spelling), len(text)), _EDGE - 1, -1):
                if text.endswith(spelling[:size]):
                    text = text[:-size] + mark[:size]
                if text.startswith(spelling[-size:]):
                    text = mark[-size:] + text[size:]
        return text


def _spans(text: str) -> list[tuple[int, int]]:
    """Where secrets stand, by their places, the last first; none within another."""
    found = {match.span("secret") for place in (*_SURE, *_LOOSE) for match in place.finditer(text)}
    spans: list[tuple[int, int]] = []
    for start, end in sorted(found.union(_cookie_spans(text))):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans[::-1]


def _cookie_spans(text: str) -> Iterator[tuple[int, int]]:
    """Values of the cookies in header lines; attributes of Set-Cookie are none."""
    for line in _COOKIES.finditer(text):
        for found in _ONE_COOKIE.finditer(line[2]):
            yield line.start(2) + found.start(1), line.start(2) + found.end(1)
            if line[1]:
                break


_START = re.compile(rb"(HTTP/1\.\d \d{3}(?: [^\r\n]*)?)(?=\r?\n)|[A-Z]+ \S+ HTTP/1\.\d(?=\r?\n)")


def _first_message(data: bytes) -> tuple[bytes, bytes, Response, bytes] | None:
    """(head, body as framed, the two as read, what is behind), or None: no message stands there.

    A request's head and body are read as a response's.
    """
    line = _START.match(data)
    if line is None:
        return None
    found, rest = responses(data if line[1] else b"HTTP/1.1 200 OK" + data[line.end() :], limit=1)
    end = head_end(data)
    response = found[0]
    if not line[1] and response.framing == "close":
        response, rest = replace(response, body=b""), data[end:]
    return data[:end], data[end : len(data) - len(rest)], response, rest


def _framed(body: bytes, response: Response) -> bytes:
    if response.framing != "chunked":
        return body
    pieces, at = [], 0
    for size in response.chunks if sum(response.chunks) == len(body) else (len(body),):
        pieces.append(b"%X\r\n%b\r\n" % (size, body[at : at + size]))
        at += size
    return b"".join(pieces) + (b"0\r\n\r\n" if response.complete else b"")
