"""Writes what was sent as a HAR 1.2 file, which ``--har`` reads and other tools replay.

A request is written as the old side was sent it (with that side's cookies and token), and with that side's answer.
HAR has no place for some things: raw bytes that are no one request, requests for no path (``OPTIONS *``), raw bytes on
a WebSocket, the bounds between sequences and connections. Steps of the first three kinds are left out, and counted.
"""

from __future__ import annotations

import base64
import datetime
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import tornado4
from tornado4.migrate.diff.message import Response, responses
from tornado4.migrate.diff.model import Answer, Frame, Run, Send, Verdict
from tornado4.migrate.diff.traffic.har import target_of
from tornado4.migrate.diff.traffic.request import DEFAULT_HOST

_REQUEST_LINE = re.compile(r"(\S+) (\S+) (HTTP/\d\.\d)")

Entry = dict[str, Any]


class _NotInHar(Exception):
    """A step for which HAR has no place."""


def to_har(run: Run, started: datetime.datetime) -> tuple[str, int]:
    """(the document, ASCII only; how many steps it leaves out). ``started``: when the first step was sent, aware."""
    writer = _Writer(run.sides[0] if run.sides else "", started)
    for verdict in run.verdicts:
        if verdict.number:  # 0 is the start of the application
            writer.add(verdict)
    creator = {"name": "tornado4 diff", "version": tornado4.version}
    document = {"log": {"version": "1.2", "creator": creator, "entries": writer.entries}}
    return json.dumps(document, indent=1) + "\n", writer.left_out


class _Writer:
    def __init__(self, side: str, started: datetime.datetime) -> None:
        self.entries: list[Entry] = []
        self.left_out = 0
        self._side, self._time = side, started
        self._host = ""  # of the first request: readers leave out what went to others
        self._socket: Entry | None = None  # of the sequence at hand
        self._sequence = ""

    def add(self, verdict: Verdict) -> None:
        if verdict.sequence != self._sequence:
            self._sequence, self._socket = verdict.sequence, None
        answer = verdict.answers.get(self._side, Answer(b"", False))
        try:
            if verdict.step.frames:
                self._add_messages(verdict.step.send, answer)
            else:
                self._add_request(verdict, answer)
        except _NotInHar:
            self.left_out += 1
        self._time += datetime.timedelta(seconds=answer.seconds)

    def _add_request(self, verdict: Verdict, answer: Answer) -> None:
        self._socket = None
        if verdict.step.raw:
            raise _NotInHar
        sent = answer.sent or b"".join(send.data for send in verdict.step.send)
        request = self._request(sent, verdict.step.websocket)
        found, _ = responses(answer.raw, [request["method"]])
        final = next((one for one in reversed(found) if one.status >= 200 or one.status == 101), None)
        milliseconds = round(answer.seconds * 1000, 3)
        entry: Entry = {
            "startedDateTime": self._time.isoformat(),
            "time": milliseconds,
            "request": request,
            "response": _response(final),
            "cache": {},
            "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        }
        self.entries.append(entry)
        if verdict.step.websocket:
            entry["_webSocketMessages"] = self._messages([], answer.frames)
            self._socket = entry

    def _add_messages(self, sends: tuple[Send, ...], answer: Answer) -> None:
        if self._socket is None or any(send.opcode is None for send in sends):
            raise _NotInHar
        self._socket["_webSocketMessages"] += self._messages(sends, answer.frames)

    def _messages(self, sends: tuple[Send, ...] | list[Send], frames: tuple[Frame, ...]) -> list[Entry]:
        both = [("send", send.opcode or 0, send.data) for send in sends]
        both += [("receive", frame.opcode, frame.payload) for frame in frames]
        time = self._time.timestamp()
        return [{"type": kind, "time": time, "opcode": code, "data": _data(code, data)} for kind, code, data in both]

    def _request(self, sent: bytes, websocket: bool) -> Entry:
        head, end, body = sent.partition(b"\r\n\r\n")
        try:
            first, *lines = head.decode("utf-8").split("\r\n")
        except UnicodeDecodeError:
            raise _NotInHar from None
        words = _REQUEST_LINE.fullmatch(first)
        if words is None or not end:
            raise _NotInHar
        method, target, version = words.groups()
        headers = [_pair(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]
        hosts = [header["value"] for header in headers if header["name"].lower() == "host"]
        self._host = self._host or [*hosts, DEFAULT_HOST][0]
        url = f"{'ws' if websocket else 'http'}://{self._host}{target}"
        if not target.startswith("/") or target_of(url) != target:
            raise _NotInHar
        request: Entry = {
            "method": method,
            "url": url,
            "httpVersion": version,
            "cookies": _cookies(headers),
            "headers": headers,
            "queryString": [_pair(*one) for one in parse_qsl(urlsplit(url).query, keep_blank_values=True)],
            "headersSize": len(head) + len(end),
            "bodySize": len(body),
        }
        if body:
            kinds = [header["value"] for header in headers if header["name"].lower() == "content-type"]
            request["postData"] = {"mimeType": [*kinds, ""][0], **_text(body, "_encoding")}
        return request


def _pair(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _cookies(headers: list[dict[str, str]]) -> list[dict[str, str]]:
    fields = [header["value"] for header in headers if header["name"].lower() == "cookie"]
    pairs = [pair.strip().partition("=") for field in fields for pair in field.split(";") if pair.strip()]
    return [_pair(name, value) for name, _, value in pairs]


def _response(response: Response | None) -> Entry:
    """As the old side gave it; status 0 where there was none, as browsers write it."""
    if response is None:
        response = Response("HTTP/1.1", 0, "", (), "none", b"")
    body = response.decoded
    headers = [_pair(*(_shown(text) for text in field)) for field in response.headers]
    return {
        "status": response.status,
        "statusText": _shown(response.reason),
        "httpVersion": response.version,
        "cookies": [_pair(*_shown(v).partition(";")[0].partition("=")[::2]) for v in response.all("set-cookie")],
        "headers": headers,
        "content": {"size": len(body), "mimeType": _shown(response.get("content-type")), **_text(body, "encoding")},
        "redirectURL": _shown(response.get("location")),
        "headersSize": -1,
        "bodySize": len(response.body),
    }


def _shown(text: str) -> str:
    """Bytes that are no UTF-8 have no place in JSON."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _text(body: bytes, encoding: str) -> dict[str, str]:
    """HAR 1.2 names an encoding for contents alone; for what is sent, readers know it with an underscore."""
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode("ascii"), encoding: "base64"}


def _data(opcode: int, payload: bytes) -> str:
    """Text as it is, all else base64, as Chromium has it."""
    return payload.decode("utf-8", "replace") if opcode == 1 else base64.b64encode(payload).decode("ascii")
