"""The reports of ``tornado4 diff``: terminal, JSON, JUnit XML, the HTML page, and a replay."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import io
import json
import re
import shutil
import subprocess
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tornado4.migrate.diff import report
from tornado4.migrate.diff.model import (
    Answer,
    Difference,
    Frame,
    Kind,
    LogRecord,
    Outcome,
    Run,
    Send,
    Step,
    Verdict,
)
from tornado4.migrate.diff.report import align, messages, printable, view

OLD, AGAIN, NEW = "4.5.3", "4.5.3 again", "tornado4"
STATUS = Difference(Kind.STATUS, "", "200", "404")
DATE = Difference(Kind.HEADER, "Date", "Mon, 1", "Mon, 2", "Date")
HOSTILE = (
    b"</script><script>document.title='owned'</script><!--<script>\0\x1b[31m]]>\xff\xfe" + "\u202e\u2028\ufeff".encode()
)


def ok(body: bytes = b"hello", *fields: bytes) -> bytes:
    head = b"".join(field + b"\r\n" for field in (b"HTTP/1.1 200 OK", *fields, b"Content-Length: %d" % len(body)))
    return head + b"\r\n" + body


def verdict(number: int, *differences: Difference, old: bytes = ok(), new: bytes = ok(), **of_step: str) -> Verdict:
    name = of_step.get("name", f"GET /{number}")
    step = Step(name, (Send(f"{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode()),), of_step.get("origin", "app.har"))
    answers = {OLD: Answer(old, False), AGAIN: Answer(old, False), NEW: Answer(new, True, seconds=0.25)}
    return Verdict(number, of_step.get("sequence", "session"), step, answers, differences)


def run_of(*verdicts: Verdict) -> Run:
    return Run(
        "app.py",
        "tornado 4.5.3 on Python 3.9.18",
        "tornado4 4.5.3.1 on Python 3.13.0",
        [OLD, AGAIN, NEW],
        list(verdicts),
        {"Date": "the time of the answer", "WIRE-400": "a malformed request gets 400"},
        1.5,
        2,
        ["app.har: 12 entries of other hosts were left out"],
    )


def hostile_run() -> Run:
    text = HOSTILE.decode("utf-8", "surrogateescape")
    found = (
        Difference(Kind.BODY, text, text, "<img src=x onerror=\"document.title='owned'\">"),
        Difference(Kind.HEADER, "X", text, "", f"rule {text}"),
    )
    hostile = verdict(
        1, *found, name=f"GET /{text[:60]}", origin=text, sequence=text[:60], old=ok(HOSTILE), new=HOSTILE
    )
    record = LogRecord("app", "ERROR", text, text)
    frames = (Frame(1, HOSTILE), Frame(2, HOSTILE), Frame(8, b"\x03\xe8" + HOSTILE, close_code=1000))
    answer = Answer(HOSTILE, True, (record,), frames, text)
    hostile = dataclasses.replace(hostile, answers={OLD: hostile.answers[OLD], NEW: answer})
    run = run_of(hostile)
    run.app, run.rules, run.notes = text, {f"rule {text}": text}, [text]
    return run


MIXED = run_of(
    verdict(1),
    verdict(2, DATE),
    verdict(3, DATE, STATUS, new=ok(b"hallo")),
    verdict(4, dataclasses.replace(STATUS, rule="WIRE-400"), DATE, sequence="raw"),
)


# What counts


def test_the_three_counts_are_never_mixed() -> None:
    tally = report.Tally.of(MIXED.verdicts)
    assert (tally.same, tally.ignored, tally.different) == (1, 2, 1)
    assert tally.by_rule() == [("Date", 3), ("WIRE-400", 1)]
    # The rules beside the count of ignored steps are of those steps only.
    assert tally.by_rule(tally.ignored_by) == [("Date", 2), ("WIRE-400", 1)]
    assert tally.by_kind() == [(Kind.STATUS, 1)]


def test_a_step_that_fails_alike_is_untested_counted_apart_and_listed() -> None:
    silent = Answer(b"", False, failure="frame 1 did not come within 10 s")
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    waiting = dataclasses.replace(verdict(2), answers={OLD: silent, AGAIN: silent, NEW: silent})
    closed = verdict(3, old=refused, new=refused)
    closed = dataclasses.replace(closed, step=dataclasses.replace(closed.step, websocket=True, new_connection=True))
    run = run_of(verdict(1), waiting, closed, verdict(4, STATUS, new=refused))
    tally = report.Tally.of(run.verdicts)
    assert (tally.same, tally.untested, tally.different, tally.steps) == (1, 2, 1, 4)
    assert tally.statuses == {"200": 1, "403": 1, "200 -> 403": 1}
    text = show(Pipe(), run)
    assert "statuses  200 1, 200 -> 403 1, 403 1" in text
    assert "  ?       2  untested" in text
    assert "? #2 GET /2: frame 1 did not come within 10 s\n" in text
    assert "? #3 GET /3: the WebSocket did not open (status 403)\n" in text
    assert report.to_junit(run).count('<skipped message="untested: ') == 2
    assert '"untested"' in report.to_html(run)


def test_steps_that_became_slower_are_a_class_of_their_own() -> None:
    def took(number: int, *seconds: float) -> Verdict:
        one = verdict(number)
        pairs = zip(run.sides, seconds, strict=True)
        answers = {side: dataclasses.replace(one.answers[side], seconds=taken) for side, taken in pairs}
        return dataclasses.replace(one, answers=answers)

    run = run_of()
    run.verdicts = [took(1, 0.01, 0.01, 0.05), took(2, 0.01, 0.03, 0.05), took(3, 0.0001, 0.0001, 0.001)]
    assert "Slower" not in show(Pipe(), run)
    run.slower = 2.0
    text = show(Pipe(), run)
    assert "Slower: 1 step, by more than 2 times\n  #1 GET /1: 10 ms -> 50 ms\n" in text
    assert "time  4.5.3: median 10 ms, 95th 10 ms" in text
    assert "time  tornado4: median 50 ms, 95th 50 ms" in text
    assert report.exit_code(run) == 0
    # In the machine's reports as well: the class, and each side's time.
    cases = ET.fromstring(report.to_junit(run)).findall(".//testcase")
    assert [[p.get("value") for p in case.iter("property")] for case in cases] == [["10 ms -> 50 ms"], [], []]
    document = json.loads(report.to_json(run))
    assert document["slower_steps"] == [1]
    assert document["verdicts"][1]["milliseconds"] == {OLD: 10.0, AGAIN: 30.0, NEW: 50.0}
    page = report.to_html(run)
    assert "Slower by more than 2 times" in page and '<a href="#step-1">#1 GET /1</a>' in page
    assert '"took":"30 ms -\\u003e 50 ms"' in page
    assert "tornado4: median 50 ms, 95th 50 ms" in page


def test_a_difference_is_listed_with_what_each_side_took() -> None:
    one = verdict(1, STATUS)
    slow = {side: dataclasses.replace(answer, seconds=0.02) for side, answer in one.answers.items()}
    text = show(Pipe(), run_of(dataclasses.replace(one, answers=slow)))
    assert "! #1 GET /1  (200, 20 ms -> 20 ms)\n" in text


def test_a_report_from_before_times_and_untested_steps_is_still_read() -> None:
    """What a later release added is derived, or has a default."""
    document = json.loads(report.to_json(MIXED))
    for later in ("slower", "slower_steps"):
        del document[later]
    del document["counts"]["untested"]
    for one in document["verdicts"]:
        del one["milliseconds"]
    assert report.from_json(json.dumps(document)) == MIXED


def test_the_exit_code_looks_at_what_counts_only() -> None:
    assert report.exit_code(run_of(verdict(1, DATE))) == 0
    assert report.exit_code(MIXED) == 1


# The terminal


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    encoding = "ascii"


def show(stream: io.StringIO, run: Run, width: int = 100, environ: dict[str, str] | None = None) -> str:
    shown = report.Terminal(stream, width=width, environ=environ or {}, clock=iter(range(1000)).__next__)
    shown.start(run.app, run.old, run.new, total=len(run.verdicts))
    for each in run.verdicts:
        shown.step(each)
    shown.finish(run)
    return stream.getvalue()


def test_on_a_terminal_progress_is_one_line_rewritten() -> None:
    text = show(Tty(), MIXED)
    progress = text.split("\r")[1:-1]
    assert len(progress) == 4
    assert all("\n" not in line and line.endswith("\x1b[K") for line in progress)
    assert "[4/4] 1 same, 2 differ but ignored (Date 2, WIRE-400 1), 1 different  GET /4" in progress[-1]
    # It is taken away before the summary.
    assert "\r\x1b[K\n" in text


def test_elsewhere_progress_is_plain_lines_at_each_tenth() -> None:
    text = show(Pipe(), run_of(*(verdict(number) for number in range(1, 201))))
    assert "\r" not in text
    assert "\x1b" not in text
    assert re.findall(r"^\[ *(\d+)/200\]", text, re.MULTILINE) == [str(number) for number in range(20, 201, 20)]


def test_the_progress_line_is_not_redrawn_more_often_than_eyes_can_follow() -> None:
    stream = Tty()
    shown = report.Terminal(stream, width=100, environ={}, clock=lambda: 7.0)
    shown.start("a", "o", "n", total=1000)
    for number in range(1, 1001):
        shown.step(verdict(number))
    assert stream.getvalue().count("\r") == 2
    assert "[1000/1000]" in stream.getvalue()


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_colour_honours_no_color(environ: dict[str, str], coloured: bool) -> None:
    assert ("\x1b[31m" in show(Tty(), MIXED, environ=environ)) is coloured


def test_a_dumb_terminal_gets_plain_lines() -> None:
    assert "\x1b" not in show(Tty(), MIXED, environ={"TERM": "dumb"})


def test_each_difference_stands_beside_its_request() -> None:
    text = show(Pipe(), MIXED)
    assert "  ! #3" not in text
    block = text.split("! #3 GET /3  (200, 0.0 ms -> 250 ms)\n")[1]
    assert block.splitlines() == [
        "  app.har",
        "  > GET /3 HTTP/1.1",
        "  > Host: x",
        "    status:  200 -> 404",
        "    header Date:  Mon, 1 -> Mon, 2  (ignored: Date)",
    ]


def test_the_summary_says_what_was_left_out() -> None:
    text = show(Pipe(), MIXED)
    assert "4 steps in 1.5 s" in text
    assert "2 steps with unsafe methods left out" in text
    assert "12 entries of other hosts were left out" in text


@pytest.mark.parametrize("width", [50, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wide = Difference(Kind.BODY, "$.a" * 40, "日本語 " * 40, "x" * 500)
    run = run_of(verdict(1, wide, DATE, name="GET /" + "a" * 200, origin="b" * 200))
    run.app, run.old, run.notes, run.rules = "c" * 200, "d" * 200, ["e" * 200], {"Date": "f" * 200}
    text = show(Tty(), run, width=width, environ={"NO_COLOR": "1"}).replace("\r", "\n").replace("\x1b[K", "")
    assert {line for line in text.split("\n") if printable.columns(line) > width} == set()
    # Nothing is lost of a value but what is said to be left out.
    values = "".join(line.strip() for line in text.split("      4.5.3 ")[1].split("      tornado4 ")[0].split("\n"))
    assert values.replace(" ", "") == "日本語" * 40 or "more line" in text


def test_what_an_encoding_lacks_is_escaped() -> None:
    assert "\\u65e5" in show(Pipe(), run_of(verdict(1, Difference(Kind.BODY, "", "日", "本"))))


def test_hostile_bytes_cannot_steer_the_terminal() -> None:
    text = show(Tty(), hostile_run(), environ={"NO_COLOR": "1"})
    assert set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)) <= {"\r", "\x1b"}
    assert text.count("\x1b") == text.count("\x1b[K")


# JSON


@pytest.mark.parametrize("run", [MIXED, run_of(), hostile_run()], ids=["mixed", "empty", "hostile"])
def test_json_gives_the_same_run_back(run: Run) -> None:
    text = report.to_json(run)
    assert report.from_json(text) == run
    assert report.to_json(report.from_json(text)) == text
    assert text.isascii()


def test_json_is_for_other_tools_too() -> None:
    document = json.loads(report.to_json(MIXED))
    assert (document["format"], document["version"]) == ("tornado4-diff", 1)
    assert document["counts"] == {"same": 1, "differs but ignored": 2, "different": 1, "untested": 0}
    third = document["verdicts"][2]
    assert third["outcome"] == "different"
    assert third["differences"][1] == {
        "kind": "status", "where": "", "old": "200", "new": "404", "rule": "", "explained": ""
    }  # fmt: skip
    assert third["answers"][NEW]["raw"]["text"].endswith("\r\n\r\nhallo")


def test_json_has_text_only_where_bytes_are_text() -> None:
    sent = json.loads(report.to_json(hostile_run()))["verdicts"][0]["answers"][NEW]["raw"]
    assert list(sent) == ["base64"]


def test_json_of_a_later_release_of_the_same_version_can_be_read() -> None:
    document = json.loads(report.to_json(MIXED))
    document["weather"] = "fine"
    del document["verdicts"][0]["step"]["origin"]
    assert report.from_json(json.dumps(document)).verdicts[0].step.origin == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a report of tornado4 diff"),
        ('{"format": "tornado4-diff", "version": 9}', "version 9 .* reads 1"),
        ('{"format": "tornado4-diff", "version": 1}', "report: .*app"),
        ('{"format": "tornado4-diff", "version": 1, "app": 5}', "report.app: str expected, not 5"),
        ('{"format": "tornado4-diff", "version": 1, "verdicts": [{"step": 1}]}', r"verdicts\[0\].step: object"),
        ('{"format": "tornado4-diff", "version": 1, "verdicts": {}}', "verdicts: array expected"),
        ('{"format": "tornado4-diff", "version": 1, "rules": []}', "rules: object expected"),
    ],
)
def test_what_is_no_report_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(report.ReportError, match=message) as caught:
        report.from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", ['{"base64": "??"}', '{"base64": 5}', '"x"', '{"base64": "\\u00e9"}'])
def test_broken_bytes_in_a_report_are_named_by_their_place(broken: str) -> None:
    step = '{"send": [{"data": %s}]}'.replace("%s", broken)
    text = f'{{"format": "tornado4-diff", "version": 1, "verdicts": [{{"step": {step}}}]}}'
    with pytest.raises(report.ReportError, match=r"report\.verdicts\[0\]\.step\.send\[0\]\.data: "):
        report.from_json(text)


def test_an_unknown_kind_of_difference_is_said() -> None:
    text = report.to_json(MIXED).replace('"kind": "status"', '"kind": "smell"')
    with pytest.raises(report.ReportError, match=r"differences\[1\]\.kind: 'smell'"):
        report.from_json(text)


# JUnit XML


def test_junit_has_a_case_a_step_a_suite_a_sequence() -> None:
    root = ET.fromstring(report.to_junit(MIXED))
    assert (root.get("tests"), root.get("failures")) == ("4", "1")
    assert [(suite.get("name"), suite.get("tests")) for suite in root] == [("session", "3"), ("raw", "1")]
    cases = root.findall(".//testcase")
    assert [case.get("name") for case in cases] == ["1 GET /1", "2 GET /2", "3 GET /3", "4 GET /4"]
    assert [len(case.findall("failure")) for case in cases] == [0, 0, 1, 0]
    failure = cases[2].find("failure")
    assert failure is not None
    assert failure.get("message") == "status"
    assert "status: '200' -> '404'" in str(failure.text)
    assert "GET /3 HTTP/1.1" in str(failure.text)


def test_junit_tells_ignored_differences_as_properties() -> None:
    root = ET.fromstring(report.to_junit(MIXED))
    cases = root.findall(".//testcase")
    names = [[each.get("name") for each in case.findall("properties/property")] for case in cases]
    assert names == [[], ["ignored: Date"], ["ignored: Date"], ["ignored: WIRE-400", "ignored: Date"]]


def test_junit_is_well_formed_whatever_bytes_occur() -> None:
    every = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x10FFFF]))
    run = hostile_run()
    run.verdicts.append(
        verdict(2, Difference(Kind.LOG, every, every, every), Difference(Kind.LOG, "", every, "", every))
    )
    text = report.to_junit(run)
    assert text.isascii()
    assert len(ET.fromstring(text).findall(".//failure")) == 2


# The page


class Elements(HTMLParser):
    """What a browser makes of the page: elements, and the text of each script."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts.append(data)


def page_of(run: Run) -> Elements:
    return Elements(report.to_html(run))


def blocks(run: Run) -> list[dict[str, object]]:
    return [json.loads(text) for text in page_of(run).scripts[:-1]]


def test_the_page_needs_nothing_from_outside() -> None:
    for tag, attributes in page_of(MIXED).elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert "src" not in attributes
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_the_page_s_policy_lets_only_its_own_script_and_style_run() -> None:
    page = page_of(MIXED)
    policy = next(attributes["content"] for tag, attributes in page.elements if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert len(re.findall(r"(?:script|style)-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)) == 2
    assert "unsafe" not in policy


def test_hostile_bytes_make_no_markup() -> None:
    plain, hostile = page_of(run_of(verdict(1, STATUS, DATE))), page_of(hostile_run())
    scripts = [attributes for tag, attributes in hostile.elements if tag == "script"]
    assert [attributes.get("id") for attributes in scripts] == ["index", "data-1", None]
    assert hostile.scripts[-1] == plain.scripts[-1]
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements}
    text = report.to_html(hostile_run())
    assert not set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]", text))
    for block in hostile.scripts[:-1]:
        assert not set("<>&") & set(block)


def test_the_page_s_steps_and_filters_come_from_one_list() -> None:
    index, *_ = blocks(MIXED)
    assert index["sides"] == [OLD, AGAIN, NEW]
    steps = index["steps"]
    assert isinstance(steps, list)
    assert [step["outcome"] for step in steps] == ["same", "ignored", "different", "ignored"]
    assert steps[2]["kinds"] == ["header", "status"]
    assert steps[2]["rules"] == ["Date"]
    assert steps[2]["hint"] == "status"


def test_a_rule_s_row_says_what_it_means_and_may_link_to_the_table() -> None:
    assert 'data-row="WIRE-400"' in report.to_html(MIXED)
    linked = report.to_html(MIXED, "https://example.org/deviations.html")
    assert 'href="https://example.org/deviations.html#:~:text=WIRE%2D400"' in linked
    assert "text=Date" not in linked


def test_a_thousand_steps_are_written_within_seconds() -> None:
    body = b"\n".join(b"<li>%d</li>" % number for number in range(200))
    other = body.replace(b"<li>7</li>", b"<li>seven</li>").replace(b"<li>150</li>\n", b"")
    run = run_of(*(verdict(number, STATUS, old=ok(body), new=ok(other)) for number in range(1, 1001)))
    started = time.process_time()
    report.to_html(run)
    assert time.process_time() - started < 120


def test_an_empty_run_makes_a_page() -> None:
    assert "Nothing was compared." in report.to_html(run_of())


def test_every_report_depends_on_the_run_alone() -> None:
    for write in (report.to_json, report.to_junit, report.to_html):
        assert write(MIXED) == write(report.from_json(report.to_json(MIXED)))


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_a_browser_shows_hostile_bytes_as_text(tmp_path_factory: pytest.TempPathFactory) -> None:
    page = tmp_path_factory.mktemp("page") / "report.html"
    page.write_text(report.to_html(hostile_run()), "utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        switches = "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
        switches += " disable-component-update disable-sync dump-dom"
        command = ["chromium", *(f"--{switch}" for switch in switches.split()), f"--user-data-dir={profile}"]
        done = subprocess.run([*command, f"{page.as_uri()}#step-1"], capture_output=True, timeout=100, check=True)
    shown = done.stdout.decode()
    assert "<title>owned" not in shown
    # The script ran: the step is open, and what is not equal is marked.
    assert re.search(r'<article id="step" class="pane" tabindex="-1">.*<mark>', shown, re.DOTALL)
    assert "&lt;/script&gt;&lt;script&gt;document.title=" in shown


# A step's details


def section(run: Run, title: str) -> list[object]:
    found = view.details(run, run.verdicts[0])["sections"]
    rows = next(each["rows"] for each in found if each["title"] == title)
    assert isinstance(rows, list)
    return rows


def test_headers_of_one_name_stand_in_one_row() -> None:
    old = ok(b"", b"X-A: 1", b"Set-Cookie: a=1", b"Set-Cookie: b=2")
    new = ok(b"", b"Set-Cookie: a=1", b"Vary: Accept", b"x-a: 1", b"Set-Cookie: b=3")
    found = (Difference(Kind.HEADER, "Set-Cookie", "b=2", "b=3"), Difference(Kind.HEADER, "vary", "", "Accept", "mine"))
    rows = section(run_of(verdict(1, *found, old=old, new=new)), "Headers")
    assert rows[:4] == [
        [[["X"], "-", ["A"], ": 1"], [["x"], "-", ["a"], ": 1"], "", ""],
        "Set-Cookie: a=1",
        [["Set-Cookie: b=", ["2"]], ["Set-Cookie: b=", ["3"]], "different", ""],
        "Content-Length: 0",
    ]
    assert rows[4] == [None, ["Vary: Accept"], "ignored", "mine"]
    assert str(rows[5]).startswith("[['(order) ")


def test_a_body_shows_what_changed_in_a_line_and_which_rule_ignores_it() -> None:
    found = (
        Difference(Kind.BODY, "line 2", "two", "zwei"),
        Difference(Kind.BODY, "line 3", "id 5", "id 6", "ids"),
    )
    run = run_of(verdict(1, *found, old=ok(b"one\na two b\nid 5"), new=ok(b"one\na zwei b\nid 6")))
    assert section(run, "Body") == [
        "one",
        [["a ", ["two"], " b"], ["a ", ["zwei"], " b"], "different", ""],
        [["id ", ["5"]], ["id ", ["6"]], "ignored", "ids"],
    ]


def test_json_is_indented_without_being_changed() -> None:
    text = '{"b":1.0,"b":[1,{"a":"{\\"x\\": [,]}"}],"e":[]}'
    shown = view.indented(text)
    assert shown.splitlines()[:4] == ["{", '  "b": 1.0,', '  "b": [', "    1,"]
    assert re.sub(r"\n *", "", shown).replace('": ', '":') == text.replace('\\"x\\":', '\\"x\\":').replace('": ', '":')
    assert json.loads(shown, object_pairs_hook=list) == json.loads(text, object_pairs_hook=list)


def test_binary_bodies_are_compared_as_hex() -> None:
    rows = section(
        run_of(verdict(1, Difference(Kind.BODY, "", "", ""), old=ok(b"\0" * 20), new=ok(b"\0" * 19 + b"\1"))), "Body"
    )
    assert rows[0] == f"00000000  {'00 ' * 8} {'00 ' * 8} |{'.' * 16}|"
    assert rows[1] != rows[0]


def test_equal_raw_answers_are_kept_once() -> None:
    answers = view.details(MIXED, MIXED.verdicts[2])["answers"]
    assert [answer.get("like") for answer in answers] == [None, OLD, None]


def test_a_side_that_was_not_asked_is_no_error() -> None:
    lonely = dataclasses.replace(verdict(1, STATUS), answers={OLD: Answer(ok(), False)})
    assert section(run_of(lonely), "Connection") == [[[["kept open"]], [["was not asked"]], "", ""]]


# Messages and alignment


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", []),
        (b"garbage", [("", b"garbage", "no HTTP message")]),
        (b"HTTP/1.1 200 OK", [("HTTP/1.1 200 OK", b"", "until close")]),
        (b"HTTP/1.0 200 OK\n\nabc", [("HTTP/1.0 200 OK", b"abc", "until close")]),
        (
            ok(b"ab") + ok(b"c"),
            [("HTTP/1.1 200 OK", b"ab", "content-length 2"), ("HTTP/1.1 200 OK", b"c", "content-length 1")],
        ),
        (ok(b"ab")[:-1], [("HTTP/1.1 200 OK", b"a", "content-length 2, 1 came")]),
        (
            b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b""),
            [("HTTP/1.1 100 Continue", b"", "no body"), ("HTTP/1.1 200 OK", b"", "content-length 0")],
        ),
        (b"HTTP/1.1 101 S\r\n\r\n\x81\x01a", [("HTTP/1.1 101 S", b"", "upgrade, then frames")]),
        (b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", [("HTTP/1.1 304 N", b"", "no body, content-length 5")]),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 9999 + b"\r\n\r\nabc",
            [("HTTP/1.1 200 OK", b"abc", "until close")],
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n",
            [("HTTP/1.1 200 OK", b"abc", "chunked, 2 chunks")],
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n-5\r\nrest",
            [("HTTP/1.1 200 OK", b"ab", "chunked, 1 chunks, then none"), ("", b"-5\r\nrest", "no HTTP message")],
        ),
    ],
)
def test_answers_are_taken_apart_for_people(raw: bytes, expected: list[tuple[str, bytes, str]]) -> None:
    assert [(each.start, each.body, each.framing) for each in messages.messages(raw)] == expected


def test_gzip_is_unpacked_up_to_a_bound() -> None:
    packed = gzip.compress(b"a" * 10_000_000)
    (message,) = messages.messages(ok(packed, b"Content-Encoding: gzip"))
    assert message.body == b"a" * (1 << 20)
    assert message.framing.endswith(", gzip")
    (broken,) = messages.messages(ok(b"no gzip", b"Content-Encoding: gzip"))
    assert (broken.body, broken.framing) == (b"no gzip", "content-length 7, broken gzip")


def test_an_answer_to_head_has_no_body() -> None:
    assert [
        each.framing for each in messages.messages(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", heads_only=True)
    ] == ["no body, content-length 5"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([], []),
        (["a"], []),
        ([], ["a"]),
        (list("abcd"), list("axcd")),
        (list("aab"), list("ab")),
        (["x"] * 5, ["x"] * 3),
    ],
)
def test_alignment_loses_no_line(old: list[str], new: list[str]) -> None:
    rows = align.rows(old, new)
    assert [row.texts[0] for row in rows if row.old is not None] == old
    assert [row.texts[1] for row in rows if row.new is not None] == new


def test_alignment_of_long_texts_is_bounded() -> None:
    old, new = [f"old {number}" for number in range(5000)], [f"new {number}" for number in range(5000)]
    started = time.process_time()
    assert len(align.rows(old, new)) == 5000
    assert time.process_time() - started < 60


# Replays


def test_a_replay_says_fixed_still_new_and_not_run() -> None:
    body = Difference(Kind.BODY, "line 1", "a", "b")
    before = run_of(
        verdict(1, STATUS),
        verdict(2, STATUS, body),
        verdict(3),
        verdict(4, STATUS),
        verdict(5, STATUS),
        verdict(6, DATE),
    )
    now = run_of(
        verdict(1, name="GET /1"),
        dataclasses.replace(verdict(2, STATUS), number=9),
        verdict(3, body),
        verdict(5, dataclasses.replace(STATUS, rule="WIRE-400")),
    )
    replay = report.against(before, now)
    assert [(entry.name, entry.standing.value) for entry in replay.entries] == [
        ("GET /1", "FIXED"),
        ("GET /2", "STILL"),
        ("GET /3", "NEW"),
        ("GET /5", "FIXED"),
        ("GET /4", "NOT RUN"),
    ]
    assert replay.entries[1].fixed == (body,)
    assert replay.entries[1].still == (STATUS,)
    assert replay.entries[3].explained_by == ("WIRE-400",)
    assert replay.exit_code == 1

    stream = Pipe()
    report.Terminal(stream, width=80, environ={}).replayed(replay)
    assert stream.getvalue().splitlines() == [
        "",
        "Against the earlier report: 2 FIXED, 1 STILL, 1 NEW, 1 NOT RUN",
        "  FIXED    GET /1",
        "  STILL    GET /2",
        "           fixed: body line 1",
        "           still: status",
        "  NEW      GET /3",
        "  FIXED    GET /5",
        "           now ignored by WIRE-400",
        "  NOT RUN  GET /4",
    ]


def test_a_replay_in_which_all_is_fixed_ends_well() -> None:
    before = run_of(verdict(1, STATUS), verdict(2, DATE))
    assert [each.number for each in report.steps_to_replay(before)] == [1]
    assert report.against(before, run_of(verdict(1))).exit_code == 0


def test_equal_steps_are_told_apart_by_their_order() -> None:
    twice = [
        dataclasses.replace(verdict(1, *found, name="GET /"), number=number)
        for number, found in ((1, ()), (2, (STATUS,)))
    ]
    entries = report.against(run_of(*twice), run_of(*twice)).entries
    assert [(entry.standing, entry.now and entry.now.number) for entry in entries] == [(report.Standing.STILL, 2)]


def test_outcomes_of_the_model_are_what_the_reports_show() -> None:
    assert [each.outcome for each in MIXED.verdicts] == [
        Outcome.SAME, Outcome.IGNORED, Outcome.DIFFERENT, Outcome.IGNORED
    ]  # fmt: skip


# The examples in docs/diff.md


def documented_run() -> Run:
    """The run that docs/diff.md shows: two pages, one of them changed, and a cookie that is new each time."""
    cookie = Difference(Kind.HEADER, "Set-Cookie", "_xsrf=2|7d1c...", "_xsrf=2|04aa...", "xsrf")
    body = Difference(Kind.BODY, "$.total", "3", '"3"')
    fields = b"Content-Type: application/json"
    return Run(
        app="shop.py --port={port}",
        old="tornado 4.5.3 on Python 3.9.18",
        new="tornado4 4.5.3 on Python 3.13.0",
        sides=[OLD, AGAIN, NEW],
        verdicts=[
            verdict(1, cookie, name="GET /login", origin="shop.http, line 1"),
            verdict(2, name="GET /about", origin="shop.http, line 4"),
            verdict(
                3,
                body,
                name="GET /orders",
                origin="shop.http, line 7",
                old=ok(b'{"total": 3}', fields),
                new=ok(b'{"total": "3"}', fields),
            ),
        ],
        rules={"xsrf": "an XSRF token: a fresh mask or value, and its time"},
        seconds=0.4,
    )


def documented(language: str) -> list[str]:
    """The code blocks of one language in the section on reports."""
    page = Path(__file__).parents[1] / "docs" / "diff.md"
    section = page.read_text("utf-8").split("\n## Reports\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def holds(shown: object, whole: object) -> bool:
    """Whether all that the page shows is in the document; a list shows its first items."""
    if isinstance(shown, dict) and isinstance(whole, dict):
        return all(key in whole and holds(value, whole[key]) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(whole, list):
        return len(shown) <= len(whole) and all(map(holds, shown, whole))
    return shown == whole


def test_the_terminal_s_output_in_the_docs_is_what_is_printed() -> None:
    run, stream = documented_run(), Pipe()
    assert show(Pipe(), run) == documented("text")[0]
    mended = dataclasses.replace(run.verdicts[2], differences=())
    report.Terminal(stream, width=100, environ={}).replayed(report.against(run, run_of(mended)))
    assert stream.getvalue() == "\n" + documented("text")[1]


def test_the_json_in_the_docs_is_what_is_written() -> None:
    (shown,) = documented("json")
    document = json.loads(report.to_json(documented_run()))
    document["verdicts"] = document["verdicts"][2:]
    assert holds(json.loads(shown), document)


def test_the_xml_in_the_docs_is_what_is_written() -> None:
    (shown,) = documented("xml")
    written = report.to_junit(documented_run())
    assert [line for line in shown.splitlines() if line.strip() not in written] == []


def test_the_code_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.json").write_text(report.to_json(documented_run()), "utf-8")
    monkeypatch.chdir(tmp_path)
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(documented("python")[0], {})
    assert stream.getvalue() == 'GET /orders $.total 3 -> "3"\n'
