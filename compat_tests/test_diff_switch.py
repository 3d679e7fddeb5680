"""``tornado4 diff --candidate``: tornado4 against the real 6.6.1; what a rule explains names it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compat_tests.oracle import TOP, oracle

APP = """\
from tornado import gen, web
class Same(web.RequestHandler):
    def get(self):
        self.write("same")
class Quote(web.RequestHandler):
    def get(self):
        self.write(web.escape.xhtml_escape("it's"))
class Task(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.Task(lambda callback: callback(1))
        self.write("done")
class Form(web.RequestHandler):
    def post(self):
        self.write(str(len(self.request.body_arguments)))
def make_app():
    return web.Application([
        ("/", Same), ("/quote", Quote), ("/task", Task), ("/form", Form), ("/old", web.RedirectHandler, {"url": "/"}),
    ])
"""
FIXED = APP.replace("yield gen.Task(lambda callback: callback(1))", "yield gen.sleep(0)")
REQUESTS = """\
GET / HTTP/1.1

###
GET /quote HTTP/1.1

###
GET /task HTTP/1.1

###
GET /old?a=1 HTTP/1.1

###
POST /form HTTP/1.1
Content-Type: multipart/form-data; boundary=x

no form
"""


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    here, fixed = tmp_path / "here", tmp_path / "fixed"
    for folder, text in ((here, APP), (fixed, FIXED)):
        folder.mkdir()
        (folder / "app.py").write_text(text)
    (here / "requests.http").write_text(REQUESTS)
    return here


def diff(folder: Path, candidate: str, future: str = "", *more: str) -> tuple[int, dict[str, set[str]], str]:
    """The exit code, the rules that explain each step that differs ("" for what none does), and what was printed."""
    done = subprocess.run(
        [
            sys.executable, "-m", "tornado4", "diff", "app.py:make_app", "--http", "requests.http", "--unsafe",
            "--json", "report.json", "--candidate", candidate, "--candidate-python", str(oracle("6.6.1").python), *more,
        ],
        cwd=folder, env=os.environ | {"TORNADO4_FUTURE": future},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    found: dict[str, set[str]] = {}
    for verdict in verdicts_of(report):
        rules = {one.get("explained", "").partition(":")[0] for one in verdict["differences"] if not one.get("rule")}
        if rules:
            found[verdict["step"]["name"]] = rules
    return done.returncode, found, done.stdout


def verdicts_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    run = report.get("run", report)
    return list(run["verdicts"])


def test_what_a_rule_explains_names_it_and_counts(trees: Path) -> None:
    code, found, printed = diff(trees, ".")
    assert code == 1
    assert found == {
        "GET /quote": {"TND514"}, "GET /task": {"TND103"}, "GET /old?a=1": {"TND508"}, "POST /form": {"TND512"}
    }  # fmt: skip
    assert "old  tornado4" in printed and "new  tornado 6.6.1" in printed


def test_what_was_fixed_there_and_turned_on_here_does_not_differ(trees: Path) -> None:
    code, found, _ = diff(trees, "../fixed", "redirect-query,escape-apostrophe")
    assert (code, found) == (1, {"POST /form": {"TND512"}})


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--candidate", "nowhere"], "--candidate: there is no folder nowhere"),
        (["--candidate-python", sys.executable], "--candidate-python: and --candidate DIR"),
        (["--candidate", ".", "--candidate-python", "/nosuch/python"], "/nosuch/python"),
    ],
)
def test_what_cannot_be_is_said(trees: Path, arguments: list[str], complaint: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tornado4", "diff", "app.py:make_app", "--crawl", *arguments],
        cwd=trees, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert complaint in done.stderr


def test_hashes_of_static_files_are_known(tmp_path: Path) -> None:
    text = (
        "from tornado import web\n"
        "class Page(web.RequestHandler):\n"
        "    def get(self):\n"
        "        self.write('<link href=\"%s\">' % self.static_url('a.css'))\n"
        "def make_app():\n"
        "    return web.Application([('/', Page)], static_path='.')\n"
    )
    for name in ("here", "fixed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text(text)
        (tmp_path / name / "a.css").write_text("body {}")
        os.utime(tmp_path / name / "a.css", (1_000_000_000, 1_000_000_000))
    (tmp_path / "here/requests.http").write_text("GET /\n\n###\nGET /static/a.css\n")
    code, found, _ = diff(tmp_path / "here", "../fixed")
    assert (code, found) == (1, {"GET /": {"TND505"}, "GET /static/a.css": {"TND505"}})


# -- One path a rule ---------------------------------------------------------------------------------------------

#: What is sent besides plain requests for the paths of `apps/switched.py`, by the rules that have to explain it.
SENT = {
    "TND504": "GET /TND504/a.txt HTTP/1.1\nIf-Modified-Since: Wed, 01 Jan 2020 00:00:00 GMT\n",
    "TND508": "GET /TND508?a=1&b= HTTP/1.1\n",
    "TND512": "POST /TND512 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Encoding: br\n\na=1\n",
    "TND515": "GET /TND515 HTTP/1.1\nConnection: close\n",
    "TND505 TND516": "GET /static/a.txt?date HTTP/1.1\nIf-Modified-Since: Sun, 09 Sep 2029 01:46:40 GMT\n",
    "TND505": "GET /static/a.txt?range HTTP/1.1\nRange: bytes=2-4\n",
    "TND505 TND522": "GET /static/a.txt?backwards HTTP/1.1\nRange: bytes=5-2\n",
    "TND521": (
        "POST /TND521 HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\n\n"
        "--x\nContent-Disposition: form-data; name=\"f\"; filename*=UTF-8''a.txt\n\nabc\n--x--\n"
    ),
}
PLAIN = [
    "TND201", "TND202", "TND210", "TND402", "TND404", "TND408", "TND416", "TND423", "TND424", "TND502", "TND503",
    "TND505", "TND507", "TND510", "TND511", "TND514", "TND518", "TND601", "TND753", "TND754",
]  # fmt: skip
if sys.version_info[:3] == (3, 13, 0):
    # asyncio of that one release forgets the loop that runs when another refuses to start: no answer comes after it.
    PLAIN.remove("TND408")
#: More paths for a rule: what follows is explained as well.
MORE = [
    "GET /TND601/caught HTTP/1.1\n",
    "POST /TND512?json HTTP/1.1\nContent-Type: application/json\nContent-Encoding: br\n\n{}\n",
]
SOCKETS = {
    "TND701": "connect /TND701\n",
    "TND702": "header Origin: http://localhost\nconnect /TND702\nexpect\n",
    "TND703": "connect /TND703\nexpect\n",
    "TND703-default": "connect /TND703/default\nexpect\n",
    "TND703-shown": "connect /TND703/shown\nexpect\n",
    "TND711": "connect /TND711\nsend fail\nexpect close\n",
}


def test_each_rule_that_shows_explains_all_that_it_makes(tmp_path: Path) -> None:
    requests = [*SENT.values(), *MORE, *(f"GET /{rule} HTTP/1.1\n" for rule in PLAIN)]
    (tmp_path / "requests.http").write_text("\n###\n".join(requests))
    (tmp_path / "app.py").write_text((TOP / "compat_tests" / "apps" / "switched.py").read_text())
    sockets = []
    for rule, text in SOCKETS.items():
        (tmp_path / f"{rule}.ws").write_text(text)
        sockets += ["--ws", f"{rule}.ws"]
    _, found, _ = diff(tmp_path, ".", "", *sockets)
    assert "" not in set().union(*found.values()), found
    seen = [set(rules) - {"TND518"} for rules in found.values()]
    expected = [set(names.partition("-")[0].split()) for names in (*SENT, *PLAIN, *SOCKETS)]
    assert [one for one in expected if one != {"TND518"} and one not in seen] == []
    assert found["GET /TND518"] == {"TND518"}
