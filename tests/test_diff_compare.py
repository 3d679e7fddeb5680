"""Two answers, point by point: each kind of difference, each rule that makes one not count."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from tornado4.migrate.diff import deviations
from tornado4.migrate.diff.body import json_points, line_points
from tornado4.migrate.diff.compare import Comparer
from tornado4.migrate.diff.message import responses
from tornado4.migrate.diff.model import Answer, Difference, Frame, Kind, LogRecord, Outcome, Send, Step, Verdict
from tornado4.migrate.diff.rules import Rules, markdown
from tornado4.migrate.diff.user_rules import BadRules, UserRules, find_user_rules

TOP = Path(__file__).resolve().parent.parent
GET = Step("GET /", (Send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),))
DATE = "Mon, 23 Nov 2026 12:00:00 GMT"


def answer(
    body: bytes | str = b"Hello",
    *headers: str,
    status: str = "200 OK",
    kind: str = "text/html",
    date: str = DATE,
    length: bool = True,
    **more: object,
) -> Answer:
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Date: {date}", f"Content-Type: {kind}", *headers]
    if length:
        lines.append(f"Content-Length: {len(data)}")
    raw = "\r\n".join([*lines, "", ""]).encode() + data
    return replace(Answer(raw, False), **more)  # type: ignore[arg-type]


def compare(old: Answer, new: Answer, again: Answer | None = None, step: Step = GET) -> tuple[Difference, ...]:
    return Comparer().compare(step, old, new, again)


def points(old: Answer, new: Answer, step: Step = GET) -> list[tuple[Kind, str, str, str]]:
    return [(d.kind, d.where, d.old, d.new) for d in compare(old, new, step=step) if not d.rule]


def rules(old: Answer, new: Answer, again: Answer | None = None) -> list[tuple[str, str]]:
    return [(d.where, d.rule) for d in compare(old, new, again)]


# -- Each kind ---------------------------------------------------------------------------------------------


def test_equal_answers_have_no_difference_and_the_date_is_compared_by_form() -> None:
    assert compare(answer(), answer(date="Tue, 24 Nov 2026 00:00:01 GMT")) == ()
    assert points(answer(), answer(date="now")) == [(Kind.HEADER, "Date", DATE, "now")]


def test_status_and_reason_are_two_kinds() -> None:
    assert points(answer(), answer(status="201 OK")) == [(Kind.STATUS, "", "HTTP/1.1 200", "HTTP/1.1 201")]
    assert points(answer(), answer(status="200 Fine")) == [(Kind.REASON, "", "OK", "Fine")]


def test_header_values_order_and_case_are_classes_of_their_own() -> None:
    assert points(answer(b"", "X-A: 1"), answer(b"", "X-A: 2")) == [(Kind.HEADER, "X-A", "1", "2")]
    assert points(answer(b"", "X-A: 1"), answer(b"", "x-a: 1")) == [(Kind.HEADER_CASE, "X-A", "X-A", "x-a")]
    ((kind, _, old, new),) = points(answer(b"", "A: 1", "B: 2"), answer(b"", "B: 2", "A: 1"))
    assert kind is Kind.HEADER_ORDER
    assert (old, new) == ("Date, Content-Type, A, B, Content-Length", "Date, Content-Type, B, A, Content-Length")


def test_a_missing_header_is_no_other_order_and_repeated_ones_are_compared_one_by_one() -> None:
    assert points(answer(b"", "A: 1", "B: 2"), answer(b"", "B: 2")) == [(Kind.HEADER, "A", "1", "")]
    assert points(answer(b"", "A: 1", "A: 2"), answer(b"", "A: 1", "A: 3")) == [(Kind.HEADER, "A", "2", "3")]
    assert points(answer(b"", "A: 1", "A: 2"), answer(b"", "A: 1")) == [(Kind.HEADER, "A", "1\n2", "1")]


def test_json_is_compared_by_path() -> None:
    old, new = ({"a": [1, {"b c": 2}], "x": None}, {"a": [1, {"b c": 3}, 4], "y": True})
    assert [point[:3] for point in json_points(old, new)] == [
        ('$.a[1]["b c"]', "2", "3"),
        ("$.a[2]", "", "4"),
        ("$.x", "null", ""),
        ("$.y", "", "true"),
    ]
    assert list(json_points(1, 1.0)) == [("$", "1", "1.0", "1")]
    assert list(json_points(True, 1)) == [("$", "true", "1", "true")]
    assert list(json_points({"a": 1, "b": 2}, {"b": 2, "a": 1})) == [("$ (order of keys)", "a, b", "b, a", "a, b")]


def test_json_spelled_otherwise_is_a_difference() -> None:
    kind = "application/json; charset=UTF-8"
    (point,) = [p for p in points(answer('{"a":1}', kind=kind), answer('{"a": 1}', kind=kind)) if p[0] is Kind.BODY]
    assert point[1] == "$ (spelling)"


def test_text_is_compared_by_line() -> None:
    assert list(line_points("a\nb\nc", "a\nB\nc")) == [("line 2", "b", "B", "b")]
    assert list(line_points("a\nc", "a\nb\nc")) == [("line 2", "", "b", "")]
    assert list(line_points("\n".join("x" * 3000), "\n".join("x" * 2999 + "y"))) == [("line 3000", "x", "y", "x")]


def test_other_bodies_are_compared_by_byte() -> None:
    ((kind, where, old, new),) = points(
        answer(b"\x00\x01\x02", kind="image/png"), answer(b"\x00\xff\x02", kind="image/png")
    )
    assert (kind, where, old, new) == (Kind.BODY, "byte 1", "01 02 (3 bytes in all)", "ff 02 (3 bytes in all)")


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> Answer:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end
    return answer(body, "Transfer-Encoding: chunked", length=False)


def test_framing_length_chunks_and_the_missing_end() -> None:
    kinds = [(kind, where) for kind, where, _, _ in points(answer(b"abc"), chunked(b"abc"))]
    assert (Kind.FRAMING, "") in kinds and not any(kind is Kind.BODY for kind, _ in kinds)
    assert points(chunked(b"ab", b"c"), chunked(b"a", b"bc")) == [(Kind.FRAMING, "chunks", "2 + 1", "1 + 2")]
    assert points(chunked(b"a"), chunked(b"a", end=b"")) == [(Kind.FRAMING, "end", "complete", "cut short")]


def test_the_connection_is_kept_or_closed() -> None:
    assert points(answer(), answer(closed=True)) == [(Kind.CONNECTION, "", "kept open", "closed")]


def test_several_responses_are_numbered_and_surplus_bytes_seen() -> None:
    two = Step("two", (Send(GET.send[0].data * 2),), raw=True)
    one, other = answer("a"), answer("b")
    old, new = Answer(one.raw + one.raw, False), Answer(one.raw + other.raw, False)
    assert points(old, new, two) == [(Kind.BODY, "response 2: line 1", "a", "b")]
    assert points(old, one, two)[0] == (Kind.STATUS, "response 2", "HTTP/1.1 200 OK", "")
    ((kind, where, _, _),) = points(one, Answer(one.raw + b"?", False))
    assert kind is Kind.BODY and where == "behind the answer, byte 0"


def test_a_head_answer_has_no_body_whatever_its_length_says() -> None:
    head = Step("HEAD /", (Send(b"HEAD / HTTP/1.1\r\n\r\n"),))
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert points(Answer(raw, False), Answer(raw + b"Hello", False), head)[0][:2] == (
        Kind.BODY, "behind the answer, byte 0"
    )  # fmt: skip


ACCESS = LogRecord("tornado.access", "INFO", "200 GET / (127.0.0.1) 0.55ms")
ERROR = LogRecord("tornado.application", "ERROR", "Uncaught exception", "ValueError: x")


def test_log_records_are_aligned_and_the_duration_is_compared_by_form() -> None:
    slow = replace(ACCESS, message="200 GET / (127.0.0.1) 12.01ms")
    assert compare(answer(log=(ACCESS,)), answer(log=(slow,))) == ()
    assert points(answer(log=(ACCESS,)), answer(log=(ERROR, ACCESS))) == [
        (Kind.LOG, "tornado.application, record 1", "", "ERROR Uncaught exception"),
        (Kind.EXCEPTION, "tornado.application, record 1", "", "ValueError: x"),
    ]
    warned = replace(ACCESS, level="WARNING")
    assert [p[0] for p in points(answer(log=(ACCESS,)), answer(log=(warned,)))] == [Kind.LOG]
    other = replace(ERROR, exception="KeyError: x")
    assert points(answer(log=(ERROR,)), answer(log=(other,))) == [
        (Kind.EXCEPTION, "tornado.application, record 1", "ValueError: x", "KeyError: x")
    ]


def test_websocket_frames_and_close_codes() -> None:
    step = Step("ws", (Send(b"x", 1),), websocket=True)
    old = Answer(b"", False, frames=(Frame(1, b"a"), Frame(8, b"\x03\xe8bye", close_code=1000)))
    new = Answer(b"", False, frames=(Frame(1, b"b"), Frame(8, b"\x03\xe9bye", close_code=1001)))
    assert points(old, new, step) == [
        (Kind.WEBSOCKET_FRAME, "frame 1", "text a", "text b"),
        (Kind.CLOSE_CODE, "frame 2", "1000", "1001"),
    ]
    assert points(old, replace(old, frames=old.frames[:1]), step) == [
        (Kind.WEBSOCKET_FRAME, "frame 2", "close 1000 bye", "")
    ]


def test_a_failure_of_one_side_is_a_difference_and_the_same_on_both_is_none() -> None:
    failed = Answer(b"", True, failure="crashed: ended with exit code 3")
    assert points(answer(), failed)[0] == (Kind.FAILURE, "", "", "crashed: ended with exit code 3")
    assert compare(failed, failed) == ()


# -- Rules -------------------------------------------------------------------------------------------------

V2 = "2|1:0|10:{}|1:n|4:MQ==|{}"
SIGNED = f'Set-Cookie: n="{V2.format(1500000000, "a" * 64)}"'


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("Set-Cookie: _xsrf=2|0badcafe|00ff|1500000000", "Set-Cookie: _xsrf=2|12345678|aa55|1500000009", "xsrf"),
        (SIGNED, f'Set-Cookie: n="{V2.format(1500000001, "b" * 64)}"', "signed-value"),
        (f'Set-Cookie: n="MQ==|1500000000|{"a" * 40}"', f'Set-Cookie: n="MQ==|1500000001|{"b" * 40}"', "signed-value"),
        (f"Expires: {DATE}", "Expires: Mon, 23 Nov 2026 12:00:07 GMT", "expires"),
        (f"Expires: {DATE}", "Expires: Mon, 23 Nov 2026 12:59:00 GMT", ""),
        (f"Last-Modified: {DATE}", "Last-Modified: Mon, 23 Nov 2026 12:00:07 GMT", ""),
        ("X-Request-Id: abc", "X-Request-Id: def", "request-id"),
        ("Location: http://127.0.0.1:8001/x", "Location: http://127.0.0.1:8002/x", "port"),
        ("Location: http://127.0.0.1:8009/x", "Location: http://127.0.0.1:8002/x", ""),
        ("X: <tornado.A object at 0x7f0012345678>", "X: <tornado4.A object at 0x7f0087654321>", "address, module-name"),
        (SIGNED, SIGNED.replace("MQ==", "Mg=="), ""),
        ("Server: TornadoServer/4.5.3", "Server: TornadoServer/5.1.1", ""),
    ],
)  # fmt: skip
def test_volatile_header_values_are_ignored_by_rule_and_nothing_else_is(old: str, new: str, rule: str) -> None:
    one, other = answer(b"", old, port=8001), answer(b"", new, port=8002)
    assert [d.rule for d in compare(one, other)] == [rule]


def test_the_version_in_the_server_header_is_no_difference_when_another_tornado_was_asked_for() -> None:
    old, new = answer(b"", "Server: TornadoServer/5.1.1"), answer(b"", "Server: TornadoServer/4.5.3")
    assert Comparer(against="5.1.1").compare(GET, old, new) == ()
    other = answer(b"", "Server: nginx")
    assert [d.rule for d in Comparer(against="5.1.1").compare(GET, old, other)] == [""]


def test_etag_and_length_follow_from_a_body_that_differs_by_rule() -> None:
    old = answer('<input name="_xsrf" value="2|0badcafe|00ff|1500000000"> at 0x7f001234', 'Etag: "aa"')
    new = answer('<input name="_xsrf" value="2|12345678|aa55|1500000000"> at 0x7f0012345', 'Etag: "bb"')
    assert rules(old, new) == [("Etag", "etag"), ("Content-Length", "length"), ("line 1", "xsrf, address")]
    assert rules(answer("a", 'Etag: "aa"'), answer("b", 'Etag: "bb"')) == [("Etag", ""), ("line 1", "")]
    assert rules(answer("a", 'Etag: "aa"'), answer("a", 'Etag: "bb"')) == [("Etag", "")]


def test_the_time_of_a_copied_file_is_ignored_when_its_etag_is_the_same() -> None:
    times = f"Last-Modified: {DATE}", "Last-Modified: Fri, 17 May 2019 07:51:35 GMT"
    old, new = (answer("a", 'Etag: "aa"', time) for time in times)
    assert rules(old, new) == [("Last-Modified", "mtime")]
    assert [rule for _, rule in rules(old, answer("b", 'Etag: "bb"', times[1]))] == ["", "", ""]
    assert rules(answer("a", times[0]), answer("a", times[1])) == [("Last-Modified", "")]


def test_a_body_compressed_otherwise_is_the_same() -> None:
    one, other = (answer(gzip.compress(b"x" * 999, n, mtime=n), "Content-Encoding: gzip") for n in (1, 9))
    assert {rule for where, rule in rules(one, other) if where == "gzip"} == {"gzip"}


def test_the_frames_of_a_traceback_are_ignored_and_its_error_is_not() -> None:
    text = 'Traceback (most recent call last):\n  File "/{0}/web.py", line {1}, in f\n    run()\n{2}ValueError: {3}\n'
    old = answer(text.format("tornado", 12, "", "x"), kind="text/plain")
    new = answer(text.format("tornado4", 345, "    ~~~^^\n", "x"), kind="text/plain")
    bodies = [(d.kind, d.rule) for d in compare(old, new) if d.kind is Kind.BODY]
    assert bodies == [(Kind.BODY, "traceback")]
    worse = answer(text.format("tornado4", 345, "", "y"), kind="text/plain")
    assert ("line 2", "") in rules(old, worse)


def test_a_multipart_boundary_is_ignored_in_header_and_body() -> None:
    def parts(boundary: str) -> Answer:
        body = f"--{boundary}\r\n\r\na\r\n--{boundary}--\r\n"
        return answer(body, kind=f"multipart/mixed; boundary={boundary}")

    assert {rule for _, rule in rules(parts("abc123"), parts("def456"))} == {"boundary"}


def test_the_wording_of_the_interpreter_is_ignored() -> None:
    old = answer(log=(replace(ERROR, exception="TypeError: get() missing 1 required positional argument: 'x'"),))
    new = answer(log=(replace(ERROR, exception="TypeError: Main.get() missing 1 required positional argument: 'x'"),))
    assert [d.rule for d in compare(old, new)] == ["python"]


def test_asyncios_own_log_is_ignored() -> None:
    record = LogRecord("asyncio", "WARNING", "Executing <Handle> took 0.2 seconds")
    assert rules(answer(), answer(log=(record,))) == [("asyncio, record 1", "asyncio-log")]


def test_the_documentation_lists_the_rules() -> None:
    text = (TOP / "docs" / "diff.md").read_text("utf-8")
    assert text.partition("rules.markdown() -->\n")[2].partition("\n<!-- end -->")[0] == markdown()


# -- Noise -------------------------------------------------------------------------------------------------


def test_what_differs_between_old_and_old_is_noise() -> None:
    old, again, new = answer("a 1"), answer("a 2"), answer("a 3")
    assert rules(old, new, again) == [("line 1", "noise")]
    assert rules(old, new, old) == [("line 1", "")]
    assert rules(old, old, again) == []


def test_noise_at_one_place_excuses_no_other() -> None:
    old, again, new = answer("a\nb", "X: 1"), answer("z\nb", "X: 1"), answer("y\nc", "X: 2")
    assert rules(old, new, again) == [("X", ""), ("line 1", "noise"), ("line 2", "")]


def test_a_failure_is_never_noise() -> None:
    failed = Answer(b"", True, failure="no answer within 10 s")
    assert ("", "") in rules(answer(), failed, failed)


def test_the_three_outcomes_are_never_mixed() -> None:
    same, ignored, different = (
        Verdict(1, "s", GET, {}, compare(answer("a"), new, again))
        for new, again in ((answer("a"), None), (answer("b"), answer("c")), (answer("b"), None))
    )
    assert [v.outcome for v in (same, ignored, different)] == [Outcome.SAME, Outcome.IGNORED, Outcome.DIFFERENT]


# -- The user's rules --------------------------------------------------------------------------------------


def test_the_users_rules_are_found_above_the_application_and_used(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.tornado4.diff]\nignore-headers = ["X-Served-By"]\nignore-json = ["$.made", "$.items[*].id"]\n'
        "ignore-text = ['build \\d+']\nignore-loggers = [\"metrics\"]\n"
    )
    (tmp_path / "src").mkdir()
    comparer = Comparer(Rules(find_user_rules(tmp_path / "src")))
    old = answer(
        '{"made": {"at": 1}, "items": [{"id": 1, "n": 1}]}', "X-Served-By: a", "X-B: build 1", kind="application/json",
        log=(LogRecord("metrics", "INFO", "1"),),
    )  # fmt: skip
    new = answer(
        '{"made": {"at": 2}, "items": [{"id": 2, "n": 2}]}', "X-Served-By: b", "X-B: build 22", kind="application/json",
        log=(LogRecord("metrics", "INFO", "2"),),
    )  # fmt: skip
    found = {d.where: d.rule for d in comparer.compare(GET, old, new)}
    assert found == {
        "X-Served-By": "ignore-headers x-served-by",
        "X-B": r"ignore-text build \d+",
        "$.made.at": "ignore-json $.made",
        "$.items[0].id": "ignore-json $.items[*].id",
        "$.items[0].n": "",
        "metrics, record 1": "ignore-loggers metrics",
    }
    assert comparer.rules.meanings(["ignore-json $.made"]) == {"ignore-json $.made": "your rule: $.made"}


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("ignore = []", "not 'ignore'"),
        ("ignore-text = 'x'", "must be a list of texts"),
        ("ignore-text = ['(']", "ignore-text '\\('"),
        ("ignore-json = ['items']", "a path begins with"),
        ("=", "Invalid"),
    ],
)
def test_rules_that_mean_nothing_are_named(tmp_path: Path, table: str, complaint: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.tornado4.diff]\n{table}\n")
    with pytest.raises(BadRules, match=complaint):
        find_user_rules(tmp_path)


def test_without_a_table_there_are_no_rules(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_user_rules(tmp_path) == UserRules()


# -- Deviations --------------------------------------------------------------------------------------------


def test_a_refusal_on_purpose_is_explained_by_its_row() -> None:
    step = Step("raw", (Send(b"GET / HTTP/1.1\r\n\r\n"),), raw=True)
    record = LogRecord("tornado.general", "INFO", "Malformed HTTP message from 127.0.0.1: Missing Host header")
    refused = replace(answer(b"", status="400 Bad Request"), log=(record,), closed=True)
    assert {d.rule for d in compare(answer(), refused, step=step)} == {"WIRE-HOST"}
    assert {d.rule for d in compare(answer(), replace(refused, log=()), step=step)} == {""}


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
    ],
)
def test_a_request_that_could_meet_a_row_excuses_no_other_change(request_bytes: bytes) -> None:
    step = Step("raw", (Send(request_bytes),), raw=True)
    old = answer("total 3", "X-A: ok", log=(ACCESS,))
    for new in (
        answer("total 4", "X-A: ok", log=(ACCESS,)),
        answer("total 3", "X-A: no", log=(ACCESS,)),
        answer("total 3", "X-A: ok", log=(replace(ACCESS, message="500 GET /"),)),
        answer("total 3", "X-A: ok", log=(ACCESS,), status="201 OK"),
    ):
        assert {d.rule for d in compare(old, new, step=step)} == {""}


def test_forbidden_frames_are_explained_and_other_ones_are_not() -> None:
    step = Step("ws", (Send(b"\x81\x00"),), websocket=True)
    old, new = Answer(b"", False), Answer(b"", True)
    assert [d.rule for d in compare(old, new, step=step)] == ["SEC-WEBSOCKET"]
    assert [d.rule for d in compare(old, new, step=replace(step, send=(Send(b"", 1),)))] == [""]


def test_the_package_knows_the_rows_of_the_table() -> None:
    """When it does not: python -m tornado4.migrate.diff.deviations docs/deviations.md"""
    rows = deviations.read_table((TOP / "docs" / "deviations.md").read_text("utf-8"))
    assert deviations.table() == rows
    assert {sign.row for sign in deviations.SIGNS} <= set(rows)


# -- Responses as they stood on the wire -------------------------------------------------------------------


def test_interim_responses_and_what_is_no_response() -> None:
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX: 1\r\n\r\nHTTP/1.0 200\r\n\r\nto the end"
    (interim, empty, last), rest = responses(raw, ["GET", "GET"])
    assert [r.status for r in (interim, empty, last)] == [100, 204, 200]
    assert (empty.framing, last.framing, last.body, last.reason, rest) == ("none", "close", b"to the end", "", b"")
    assert responses(b"<html>no response</html>") == ([], b"<html>no response</html>")
