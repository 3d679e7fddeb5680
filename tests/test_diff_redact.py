"""``tornado4 diff --redact``: what is secret is in no report, in no coding; all else is, and equal ones can be told."""

from __future__ import annotations

import base64
import gzip
import json
import re
import urllib.parse
import zlib
from collections.abc import Iterator

import pytest

from tornado4.migrate.diff.message import responses
from tornado4.migrate.diff.model import Answer, Difference, Frame, Kind, LogRecord, Run, Send, Step, Verdict
from tornado4.migrate.diff.redact import Redactor
from tornado4.migrate.diff.report import from_json, to_html, to_json, to_junit

SECRET = "s3cr3t-Zx81-hunter"
SIGNED = f"2|1:0|10:1700000000|4:user|8:am9obg==|{'0a' * 32}"
XSRF = f"2|1a2b3c4d|{'5e' * 16}|1700000000"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"


def redacted(text: str) -> str:
    redactor = Redactor()
    return redactor.text(text)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}\r\n",
        f"Proxy-Authorization: {SECRET}\r\n",
        f"X-Api-Key: {SECRET}\r\n",
        f"X-CSRFToken: {SECRET}\r\n",
        f"GET /a?x=1&access_token={SECRET}&y=2 HTTP/1.1",
        f"Location: /cb?token={SECRET}#top",
        f"user=me&password={SECRET}",
        f'{{"name": "me", "password": "{SECRET}"}}',
        f'{{"data": [{{"refreshToken" : "{SECRET}"}}]}}',
        f"{{'client_secret': '{SECRET}'}}",
        f'"{{\\"api_key\\": \\"{SECRET}\\"}}"',
        f'<input type="hidden" name="_xsrf" value="{SECRET}"/>',
        f"<input value='{SECRET}' type='password'>",
        f'<meta name="csrf-token" content="{SECRET}">',
        f'Content-Disposition: form-data; name="passwd"\r\n\r\n{SECRET}\r\n--b',
        f"postgres://app:{SECRET}@db/x",
        f'Digest username="me", response="{SECRET}"',
        f"app.py --cookie_secret={SECRET} --port=1",
        f"a value {SIGNED} in a line",
        f"an XSRF token {XSRF}",
        f"and {JWT}.",
        f"Set-Cookie: id={SECRET}; Path=/; HttpOnly",
        f"Cookie: a={SECRET}; b={SECRET}2",
    ],
)
def test_each_place(text: str) -> None:
    shown = redacted(text)
    assert len(shown) == len(text)
    hidden = r"redacted-[0-9a-f]{1,16}-*"
    # Nothing but the secret has gone: what stands around it is what it was.
    secrets = "|".join(map(re.escape, (SECRET + "2", SECRET, SIGNED, XSRF, JWT)))
    assert re.fullmatch(hidden.join(map(re.escape, re.split(secrets, text))), shown), shown


@pytest.mark.parametrize(
    "text",
    [
        "GET /items?page=2 HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n",
        '{"items": [1, 2], "next": "/items?page=3"}',
        "200 GET /login (127.0.0.1) 1.23ms",
        "<input type=text name=q value=hello>",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_attributes_of_a_cookie_stay() -> None:
    shown = redacted("Set-Cookie: id=abc; expires=Tue, 01 Jan 2030 00:00:00 GMT; HttpOnly; Path=/x\r\nA: b")
    assert shown.endswith("; expires=Tue, 01 Jan 2030 00:00:00 GMT; HttpOnly; Path=/x\r\nA: b")
    assert "abc" not in shown


def answer(raw: bytes = b"", **rest: object) -> Answer:
    return Answer(raw, False, **rest)  # type: ignore[arg-type]


def verdict(**answers: Answer) -> Verdict:
    send = Send(f"GET /?token={SECRET} HTTP/1.1\r\n\r\n".encode())
    return Verdict(1, "s", Step(f"GET /?token={SECRET}", (send,)), answers)


def of(*verdicts: Verdict) -> Run:
    redactor = Redactor()
    for one in verdicts:
        redactor.learn(one)
    return redactor.run(Run("app", "old", "new", ["a", "b"], list(verdicts), notes=[f"saw {SECRET}"]))


def test_what_was_learned_goes_everywhere() -> None:
    quoted = urllib.parse.quote(SECRET + "/é")
    run = of(
        verdict(
            a=answer(
                f"HTTP/1.1 200 OK\r\nContent-Length: {len(SECRET) + 6}\r\n\r\nhello {SECRET}".encode(),
                sent=f"GET /?token={SECRET} HTTP/1.1\r\nCookie: u={quoted}; theme=dark\r\n\r\n".encode(),
                log=(LogRecord("app", "INFO", f"user {SECRET}/é came; a dark one", f"Error: {quoted}"),),
                frames=(Frame(1, f"you are {SECRET}".encode()),),
                failure=f"crashed: {SECRET}",
            )
        )
    )
    text = to_json(run)
    assert SECRET not in text and quoted not in text and base64.b64encode(SECRET.encode()).decode() not in text
    again = from_json(text)
    one = again.verdicts[0].answers["a"]
    assert again.redacted
    mark = one.raw.rpartition(b" ")[2]
    assert mark.startswith(b"redacted-") and len(mark) == len(SECRET)
    assert one.frames[0].payload == b"you are " + mark  # equal ones can be told
    assert again.verdicts[0].step.name == f"GET /?token={mark.decode()}"
    assert again.notes == [f"saw {mark.decode()}"]
    assert "a dark one" in one.log[0].message  # "dark" is no secret elsewhere
    assert responses(one.raw)[0][0].complete


def test_a_password_of_basic_credentials_is_known_by_itself() -> None:
    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    sent = f"GET / HTTP/1.1\r\nAuthorization: Basic {basic}\r\n\r\n".encode()
    run = of(verdict(a=answer(b"HTTP/1.1 200 OK\r\n\r\n" + SECRET.encode(), sent=sent)))
    text = to_json(run)
    assert SECRET not in text and basic not in text


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_within_codings_and_across_chunks(chunked: bool, packed: bool) -> None:
    body = json.dumps({"a": 1, "password": SECRET, "b": "x" * 50}).encode()
    data = gzip.compress(body) if packed else body
    head = b"HTTP/1.1 200 OK\r\n" + (b"Content-Encoding: gzip\r\n" if packed else b"")
    if chunked:
        cut = data.index(SECRET.encode()) + 5 if not packed else 9
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (data[:cut], data[cut:])]
        raw = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n"
    else:
        raw = head + b"Content-Length: %d\r\n\r\n" % len(data) + data
    run = of(verdict(a=answer(raw + b"HTTP/1.1 204 No Content\r\n\r\n")))
    found, rest = responses(run.verdicts[0].answers["a"].raw)
    assert rest == b"" and [one.status for one in found] == [200, 204] and found[0].complete
    shown = json.loads(found[0].decoded)
    assert shown["b"] == "x" * 50 and shown["password"].startswith("redacted-")
    assert found[0].all("content-encoding") == (["gzip"] if packed else [])


def test_a_compressed_request() -> None:
    data = gzip.compress(f"password={SECRET}".encode())
    sent = b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data) + data
    run = of(verdict(a=answer(b"HTTP/1.1 200 OK\r\n\r\n", sent=sent)))
    head, _, body = run.verdicts[0].answers["a"].sent.partition(b"\r\n\r\n")
    assert head.endswith(b"Content-Length: %d" % len(body))
    assert zlib.decompress(body, 47).startswith(b"password=redacted-")


def test_values_of_differences() -> None:
    found = (
        Difference(Kind.HEADER, "Set-Cookie", f"id={SECRET}; Path=/", f"id={SECRET}2; Path=/"),
        Difference(Kind.BODY, "$.password", SECRET, "other-5ecret"),
        Difference(Kind.BODY, "byte 3", f"{SECRET[4:].encode().hex(' ')} (99 bytes in all)", "00 01 02 03 04"),
        Difference(Kind.BODY, "line 2", "total 3", "total 4"),
    )
    one = verdict(a=answer(), b=answer())
    shown = of(Verdict(1, "s", one.step, one.answers, found)).verdicts[0].differences
    texts = "\n".join(f"{one.old} {one.new}" for one in shown)
    assert SECRET not in texts and "other-5ecret" not in texts
    assert SECRET[6:].encode().hex(" ") not in texts
    assert shown[0].old.endswith("; Path=/") and shown[0].old != shown[0].new
    assert shown[2].new == "00 01 02 03 04" and (shown[3].old, shown[3].new) == ("total 3", "total 4")


def test_the_key_is_a_runs_own() -> None:
    assert redacted(f"token={SECRET}") != redacted(f"token={SECRET}")


def test_a_large_body_takes_linear_time() -> None:
    """No pattern goes over a body again and again: ten times the bytes, not a hundred times the steps."""
    # Each would take minutes if its time were quadratic.
    for piece in ("A1b2C3d4", "<input ", 'name="x" ', "2|12345678|", "://a:", "session_", "=/+|"):
        text = piece * (300_000 // len(piece))
        assert len(redacted(text)) == len(text)


def everything(text: str) -> Iterator[str]:
    """A report's text, and what is in it in base64."""
    yield text
    for found in re.finditer(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        encoded = found[0][: len(found[0]) // 4 * 4]
        yield base64.b64decode(encoded).decode("latin-1")


def test_reports_are_made_of_it() -> None:
    """All three are made of the same run: none has a way of its own to what was replaced."""
    raw = f"HTTP/1.1 200 OK\r\nContent-Length: {len(SECRET)}\r\n\r\n{SECRET}".encode()
    run = of(verdict(a=answer(raw), b=answer(raw)))
    for make in (to_json, to_html, to_junit):
        assert not any(SECRET in shown for shown in everything(make(run)))
