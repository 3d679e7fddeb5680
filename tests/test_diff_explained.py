"""What a rule of the switch, or a row of deviations, explains: all that follows from it, and nothing else.

Each case is an exchange in which one is at work. Then something that has nothing to do with it is changed on the new
side as well, in each way that there is: that has to stay without an explanation, and without a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.test_diff_compare import answer
from tornado4.migrate.diff.compare import Comparer
from tornado4.migrate.diff.model import Answer, Difference, Frame, Kind, LogRecord, Send, Step

MINE = ("X-A: ok", "Set-Cookie: a=b")
MD5, SHA512 = "0" * 32, "1" * 128
PAGE = "<html><title>{0}</title><body>{0}</body></html>"


def get(path: str = "/", *headers: str, method: str = "GET", body: str = "") -> Step:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers, "", body]
    return Step(path, (Send("\r\n".join(lines).encode()),))


def logged(message: str, exception: str = "", logger: str = "tornado.application", level: str = "ERROR") -> LogRecord:
    return LogRecord(logger, level, message, exception)


def failed(exception: str, status: str = "500 Internal Server Error") -> Answer:
    """The page of an error, which the program's own headers are not on, and its record."""
    return answer(
        PAGE.format(status.replace(" ", ": ", 1)), status=status, log=(logged("Uncaught exception", exception),)
    )


FINE = answer("x", *MINE)
OPENED = Step(
    "/ws", (Send(b"GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\r\n"),), websocket=True, new_connection=True
)
FRAMES = Step("/ws", (Send(b"hello", 1),), websocket=True)
FORM = get("/", "Content-Type: multipart/form-data; boundary=x", method="POST", body="no")
STAR = get(
    "/", "Content-Type: multipart/form-data; boundary=x", method="POST", body="--x\r\nA: b; filename*=UTF-8''a\r\n"
)
TOO_BIG = (Frame(8, b"\x03\xf1", close_code=1009),)
HEADERS = ", headers={'Host': 'x'})"

#: The rule, the step, and both sides' answers.
RULES: list[tuple[str, Step, Answer, Answer]] = [
    ("TND103", get(), FINE, failed("AttributeError: module 'tornado.gen' has no attribute 'Task'")),
    (
        "TND201",
        get(),
        FINE,
        failed("TypeError: PeriodicCallback.__init__() got an unexpected keyword argument 'io_loop'"),
    ),
    ("TND202", get(), FINE, failed("TypeError: HTTPRequest.__init__() got an unexpected keyword argument 'callback'")),
    ("TND210", get(), FINE, failed("TypeError: Shop.work() got an unexpected keyword argument 'callback'")),
    ("TND402", get(), FINE, failed("RuntimeError: There is no current event loop in thread 'worker'.")),
    ("TND404", get(), FINE, failed("InvalidStateError: invalid state")),
    ("TND408", get(), FINE, failed("RuntimeError: This event loop is already running")),
    ("TND415", get(), FINE, failed("RuntimeError: Event loop is closed")),
    ("TND416", get(), FINE, failed("ValueError: fd 13 added twice")),
    ("TND423", get(), FINE, failed("TypeError: object str can't be used in 'await' expression")),
    ("TND424", get(), FINE, failed("TypeError: Future.result() takes no keyword arguments")),
    ("TND502", get(), FINE, failed("RuntimeError: Cannot send body with status code HTTP204")),
    ("TND503", get(), failed("ValueError: unknown status code 299"), answer("x", status="299 Unknown")),
    ("TND504", get(), FINE, failed("TypeError: can't compare offset-naive and offset-aware datetimes")),
    ("TND601", get(), FINE, failed("HTTPTimeoutError: Timeout during request")),
    ("TND601", get(), FINE, failed("ConnectionRefusedError: [Errno 111] Connection refused")),
    ("TND601", get(), FINE, failed("gaierror: [Errno -2] Name or service not known")),
    ("TND601", get(), answer("code 599", *MINE), answer("[Errno 111] Connection refused", *MINE)),
    ("TND753", get(), FINE, failed("HTTPInputError: Invalid header name 'a b'")),
    ("TND754", get(), FINE, failed("HTTPInputError: Invalid multipart/form-data: no final boundary found")),
    (
        "TND507",
        get(),
        FINE,
        replace(failed("", "403 Forbidden"), log=(logged("403 GET /: ../x is not in root static directory"),)),
    ),
    (
        "TND512",
        FORM,
        FINE,
        replace(
            failed("", "400 Bad Request"), log=(logged("400 POST /: Invalid body: Invalid multipart/form-data: no"),)
        ),
    ),
    (
        "TND512",
        get("/", "Content-Type: application/x-www-form-urlencoded", "Content-Encoding: br", method="POST", body="a=1"),
        replace(FINE, log=(logged("Unsupported Content-Encoding: br", logger="tornado.general", level="WARNING"),)),
        replace(
            failed("", "400 Bad Request"),
            log=(
                logged(
                    "400 POST / (127.0.0.1): Invalid body: Unsupported Content-Encoding: br",
                    logger="tornado.general",
                    level="WARNING",
                ),
            ),
        ),
    ),
    (
        "TND512",
        get("/", "Content-Type: application/json", "Content-Encoding: br", method="POST", body="{}"),
        replace(FINE, log=(logged("Unsupported Content-Encoding: br", logger="tornado.general", level="WARNING"),)),
        FINE,
    ),
    (
        "TND522",
        get("/", "Range: bytes=5-2"),
        answer("hello", *MINE),
        answer("", *MINE, "Content-Range: bytes */5", status="416 No"),
    ),
    ("TND505", get(), answer("x", f'Etag: "{MD5}"', *MINE), answer("x", f'Etag: "{SHA512}"', *MINE)),
    (
        "TND505",
        get(),
        answer(f"/a?v={MD5}", f'Etag: "{"2" * 40}"', *MINE),
        answer(f"/a?v={SHA512}", f'Etag: "{"3" * 40}"', *MINE),
    ),
    (
        "TND508",
        get("/old?a=1&b="),
        answer("", "Location: /", *MINE, status="302 Found"),
        answer("", "Location: /?a=1&b=", *MINE, status="302 Found"),
    ),
    (
        "TND511",
        get(),
        answer(PAGE.format("418: I'm a Teapot"), *MINE, status="418 I'm a Teapot"),
        answer(PAGE.format("418: I&#x27;m a Teapot"), *MINE, status="418 I'm a Teapot"),
    ),
    (
        "TND514",
        get(),
        answer("it&#39;s", f'Etag: "{"2" * 40}"', *MINE),
        answer("it&#x27;s", f'Etag: "{"3" * 40}"', *MINE),
    ),
    (
        "TND515",
        get("/", "Connection: close"),
        answer("x", *MINE, closed=True),
        answer("x", *MINE, "Connection: close", closed=True),
    ),
    (
        "TND516",
        get(),
        answer("", *MINE, status="304 Not Modified", length=False),
        answer("", *MINE, "Allow: GET", status="304 Not Modified", length=False),
    ),
    (
        "TND518",
        get(),
        replace(FINE, log=(logged("Uncaught exception GET /" + HEADERS),)),
        replace(FINE, log=(logged("Uncaught exception GET /)"),)),
    ),
    (
        "TND521",
        STAR,
        answer('{"a": 1}', *MINE, kind="application/json"),
        answer('{"a": 10}', *MINE, kind="application/json"),
    ),
    ("TND603", get(), answer("HTTP 599: Timeout", *MINE), answer("Timeout", *MINE)),
    ("TND606", get(), answer("none", *MINE), answer("Tornado/6.6.1", *MINE)),
    (
        "TND139",
        get(),
        replace(FINE, log=(logged("x", "HTTPError: HTTP 404: Not Found"),)),
        replace(FINE, log=(logged("x", "HTTPClientError: HTTP 404: Not Found"),)),
    ),
    (
        "TND510",
        get(),
        failed("CookieError: bad (SEC-COOKIE-ATTR of docs/deviations.md; TORNADO4_ALLOW=x allows it)"),
        failed("CookieError: bad"),
    ),
    ("TND701", OPENED, answer("", *MINE, status="101 Switching Protocols", length=False), answer("", *MINE)),
    (
        "TND702",
        OPENED,
        answer("", *MINE, status="403 Forbidden"),
        answer("", *MINE, status="101 Switching Protocols", length=False),
    ),
    (
        "TND703",
        OPENED,
        answer("", *MINE, status="101 Switching Protocols", length=False),
        failed("IndexError: list index out of range"),
    ),
    (
        "TND703",
        OPENED,
        failed("AssertionError: subprotocol 'v1' was selected but not offered: ['']"),
        answer("", *MINE, status="101 Switching Protocols", length=False),
    ),
    (
        "TND703",
        FRAMES,
        Answer(b"", False, frames=(Frame(1, b"offered: ['']"),)),
        Answer(b"", False, frames=(Frame(1, b"offered: []"),)),
    ),
    (
        "TND706",
        FRAMES,
        Answer(b"", False, frames=TOO_BIG, failure="the close did not come"),
        Answer(b"", True, frames=TOO_BIG),
    ),
    (
        "TND711",
        FRAMES,
        Answer(b"", True, log=(logged("Uncaught exception in /ws"),)),
        Answer(b"", True, log=(logged("Uncaught exception GET /ws (127.0.0.1)"),)),
    ),
]

FAILED = answer(
    PAGE.format("500: Internal Server Error"), status="500 Internal Server Error", log=(logged("Uncaught"),)
)
BAD = answer("", status="400 Bad Request", closed=True)

#: The same of rows of deviations; the old side is the real 4.5.3.
ROWS: list[tuple[str, Step, Answer, Answer]] = [
    ("WEB-RANGE", get("/", "Range: bytes=5-2"), FAILED, answer("hello", *MINE)),
    (
        "WEB-RANGE",
        get("/", "Range: bytes=+1-2"),
        answer("el", *MINE, status="206 Partial Content"),
        answer("hello", *MINE),
    ),
    ("WEB-DATE", get("/", "If-Modified-Since: no"), FAILED, answer("hello", *MINE)),
    (
        "SEC-REDIRECT",
        get("//x/"),
        answer("", *MINE, status="301 Moved"),
        answer("refused", *MINE, status="403 Forbidden"),
    ),
    (
        "WIRE-SPACE",
        get("/", "X: a\x85"),
        answer("a", f'Etag: "{"2" * 40}"', *MINE),
        answer("a\u0085", f'Etag: "{"3" * 40}"', *MINE),
    ),
    (
        "WIRE-HOST",
        get(),
        FINE,
        replace(
            BAD, log=(logged("Malformed HTTP message from 127.0.0.1: Missing Host header", logger="tornado.general"),)
        ),
    ),
]


def with_header(name: str, value: str) -> Callable[[Answer], Answer]:
    """Another value of a header that the answer has."""

    def change(given: Answer) -> Answer:
        lines = given.raw.split(b"\r\n")
        told = [f"{name}: {value}".encode() if line.startswith(f"{name}: ".encode()) else line for line in lines]
        return replace(given, raw=b"\r\n".join(told))

    return change


def with_record(given: Answer) -> Answer:
    return replace(given, log=(*given.log, LogRecord("shop", "WARNING", "stock is low")))


def with_error(given: Answer) -> Answer:
    return replace(given, log=(*given.log, LogRecord("shop", "ERROR", "stock", "KeyError: 'tea'")))


#: The change, and what tells whether a difference is of it.
CHANGES: dict[str, tuple[Callable[[Answer], Answer], Callable[[Difference], bool]]] = {
    "header": (with_header("X-A", "no"), lambda one: one.new == "no"),
    "cookie": (with_header("Set-Cookie", "a=c"), lambda one: one.new == "a=c"),
    "etag": (with_header("Etag", '"other"'), lambda one: one.new == '"other"'),
    "record": (with_record, lambda one: "stock is low" in one.new),
    "error": (with_error, lambda one: "KeyError" in one.new),
}


def switch(step: Step, old: Answer, new: Answer) -> tuple[Difference, ...]:
    return Comparer(against="6.6.1", switch=True).compare(step, old, new)


def ids(differences: tuple[Difference, ...]) -> list[str]:
    return [one.explained.partition(":")[0] for one in differences]


@pytest.mark.parametrize(("rule", "step", "old", "new"), RULES, ids=[case[0] for case in RULES])
def test_a_rule_explains_what_follows_from_it(rule: str, step: Step, old: Answer, new: Answer) -> None:
    found = switch(step, old, new)
    assert found
    assert {*ids(found)} == {rule}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("rule", "step", "old", "new"), RULES, ids=[case[0] for case in RULES])
def test_a_rule_explains_no_other_change(rule: str, step: Step, old: Answer, new: Answer, change: str) -> None:
    make, is_it = CHANGES[change]
    changed = make(new)
    if changed == new or both_lack(change, old, new):
        return
    others = [one for one in switch(step, old, changed) if is_it(one)]
    assert others
    assert {*ids(tuple(others))} == {""}


def both_lack(change: str, old: Answer, new: Answer) -> bool:
    """Whether one side has no such header: then its absence there is the page's."""
    name = {"header": b"X-A: ", "cookie": b"Set-Cookie: ", "etag": b"Etag: "}.get(change)
    return name is not None and not (name in old.raw and name in new.raw)


@pytest.mark.parametrize(("row", "step", "old", "new"), ROWS, ids=[case[0] for case in ROWS])
def test_a_row_explains_what_follows_from_it(row: str, step: Step, old: Answer, new: Answer) -> None:
    assert {one.rule for one in Comparer().compare(step, old, new)} == {row}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("row", "step", "old", "new"), ROWS, ids=[case[0] for case in ROWS])
def test_a_row_explains_no_other_change(row: str, step: Step, old: Answer, new: Answer, change: str) -> None:
    make, is_it = CHANGES[change]
    changed = make(new)
    if changed == new or both_lack(change, old, new) or (row, change) == ("WIRE-SPACE", "etag"):
        return
    others = [one for one in Comparer().compare(step, old, changed) if is_it(one)]
    assert others
    assert {one.rule for one in others} == {""}


@pytest.mark.parametrize("asked", ["bytes=0-1", "bytes=2-", "bytes=-3"])
def test_an_etag_of_a_range_that_is_one_counts(asked: str) -> None:
    old, new = (answer("he", f'Etag: "{tag}"', status="206 Partial Content") for tag in ("a", "b"))
    assert [(one.kind, one.rule) for one in Comparer().compare(get("/", f"Range: {asked}"), old, new)] == [
        (Kind.HEADER, "")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Location: /new", "Location: /newer?a=1"),
        ("Location: /new", "Location: /new?a=2"),
        ("Location: /new", "Location: /other?a=1"),
        (f'Etag: "{MD5}"', f'Etag: "{MD5[1:]}1"'),
        (f'Etag: "{SHA512}"', f'Etag: "{MD5}"'),
    ],
)
def test_a_header_that_looks_like_a_rules_is_not_explained(old: str, new: str) -> None:
    status = "302 Found"
    found = switch(get("/old?a=1"), answer("", old, status=status), answer("", new, status=status))
    assert ids(found) == [""]


def test_a_body_with_more_than_a_rule_changes_is_not_explained() -> None:
    found = switch(get(), answer("it&#39;s 3"), answer("it&#x27;s 4"))
    assert ids(found) == ["", ""]


def test_two_rules_that_change_one_body_are_both_named() -> None:
    found = switch(get(), answer(f"it&#39;s /a?v={MD5}"), answer(f"it&#x27;s /a?v={SHA512}"))
    assert {one.explained.count("TND514") + one.explained.count("TND505") for one in found} == {2}


def test_what_is_ignored_beside_it_in_a_body_is_no_obstacle() -> None:
    token = "2|5cf85233|b1e335fffb8dcd5462cc9f725084fb5d|1795864907"
    other = "2|47905689|fe5205e23e3ecd663e7c2269f9ac2d73|1795864907"
    found = switch(get(), answer(f"{token}\n/a?v={MD5}"), answer(f"{other}\n/a?v={SHA512}"))
    assert {one.rule or one.explained.partition(":")[0] for one in found} == {"xsrf", "TND505"}


def test_an_error_that_the_old_side_raises_as_well_explains_nothing() -> None:
    same = failed("ValueError: fd 13 added twice")
    assert {*ids(switch(get(), same, replace(same, raw=answer("x").raw)))} == {""}


def test_an_error_that_the_old_side_met_as_well_is_not_the_clients() -> None:
    refused = "ConnectionRefusedError: [Errno 111] Connection refused"
    old = replace(FINE, log=(logged("tried", refused),))
    assert {*ids(switch(get(), old, failed(refused)))} == {""}


def test_a_client_that_offers_subprotocols_is_not_one_that_offers_none() -> None:
    data = OPENED.send[0].data.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: v1\r\n\r\n")
    step = replace(OPENED, send=(Send(data),))
    opened = answer("", status="101 Switching Protocols", length=False)
    assert {*ids(switch(step, opened, failed("IndexError: list index out of range")))} == {""}
