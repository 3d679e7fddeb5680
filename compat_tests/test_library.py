"""The standard library of an old side on this Python, against that of Python 3.9.

``library/answers.py`` asks for what Tornado 4.5.3 hands on of it; ``library/python39.json`` has what 3.9 said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from compat_tests.oracle import CACHE, find_native_python
from tornado4.migrate.diff import EnvironmentUnavailable, comparable, environment, side_by_side
from tornado4.migrate.diff.environments import OLD_LIBRARY, Environment

HERE = Path(__file__).resolve().parent / "library"
RECORDED: dict[str, str] = json.loads((HERE / "python39.json").read_text("utf-8"))

LEFT_ALONE = {
    "calendar.": "names of months, which 4.5.3 does not read",
    "gzip.": "numbers of the file's modes, which 4.5.3 does not read",
    "http.client.MAXAMOUNT": "of http.client's own reading",
    "logging.handlers.ST_": "re-exports of stat",
    "re.T": "a flag that never did anything",
    "urllib.parse.MAX_CACHE_SIZE": "of the module's own cache",
    "json.loads ": "the wording of an error, made in C: tornado4 on this Python has the same",
    "log record ": "records have a taskName since 3.12, made in C of logging: tornado4's have it, too",
    "traceback ": "carets below the line: tornado4 on this Python has the same",
    "parsedate_to_datetime ": "an error's type; 4.5.3 calls parsedate",
    "parse_qs strict ''": "4.5.3 never asks for strictness",
}
"""Beginnings of questions -> why the answer of this Python stays."""


def answers(python: str | Path, env: dict[str, str]) -> dict[str, str]:
    command = [str(python), "-W", "ignore", str(HERE / "answers.py")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env)
    assert done.returncode == 0, done.stderr
    told: dict[str, str] = json.loads(done.stdout)
    return told


def different(told: dict[str, str]) -> dict[str, tuple[str, str | None]]:
    """What 3.9 had, and is not so here. What came since is no loss."""
    return {question: (was, told.get(question)) for question, was in RECORDED.items() if told.get(question) != was}


@cache
def put_back() -> dict[str, tuple[str, str | None]]:
    return different(answers(sys.executable, Environment("4.5.3", Path(sys.executable), True, None).environ()))


def test_the_old_side_has_the_library_of_3_9() -> None:
    unexplained = {q: pair for q, pair in put_back().items() if not q.startswith(tuple(LEFT_ALONE))}
    assert unexplained == {}


def test_what_is_left_alone_is_different_somewhere() -> None:
    """Each line of the list is needed by one of the Pythons that are supported: 3.13 needs them all."""
    if sys.version_info < (3, 13):
        pytest.skip("3.13 is the newest of them")
    assert [start for start in LEFT_ALONE if not any(q.startswith(start) for q in put_back())] == []


def test_without_that_the_comparison_finds_something() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    found = different(answers(sys.executable, env))
    assert {"guess_type 'x.heic'", "urlunparse 'http://[x]/'", "ssl.SSLContext 'PROTOCOL_TLS'"} <= set(found)
    assert sys.version_info < (3, 13) or {"http.client.responses", "phrases", "guess_type 'x.js'"} <= set(found)
    assert len(found) > len(put_back())


def test_the_record_is_what_3_9_says() -> None:
    native = find_native_python()
    if native is None or native.name != "python3.9":
        pytest.skip("no Python 3.9 here")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    assert different(answers(native, env)) == {}


WHAT_CHILDREN_SEE = """
import http.client, multiprocessing, os, subprocess, sys

def child(pipe):
    pipe.send(http.client.responses[413])

if __name__ == "__main__":
    print(http.client.responses[413])
    code = "import http.client, collections; print(http.client.responses[413]); collections.MutableMapping"
    sys.stdout.write(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode())
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        ours, its = context.Pipe()
        process = context.Process(target=child, args=(its,))
        process.start()
        print(ours.recv())
        process.join()
    sys.stdout.flush()
    if os.environ.pop("AGAIN", None):
        os.execv(sys.executable, [sys.executable] + sys.argv)  # as autoreload does
"""


def test_programs_that_the_old_side_starts_have_it_as_well(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(WHAT_CHILDREN_SEE)
    env = {**Environment("4.5.3", Path(sys.executable), True, None).environ(), "AGAIN": "1"}
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    assert (done.stdout.splitlines(), done.stderr) == (["Request Entity Too Large"] * 10, "")


STATUSES = """
import tornado.web

def failing(code):
    class Failing(tornado.web.RequestHandler):
        def get(self):
            raise tornado.web.HTTPError(code)
    return Failing

def make_app():
    return tornado.web.Application([("/%d" % code, failing(code)) for code in (400, 413, 414, 416, 422)])
"""


def test_an_application_is_the_same_with_no_old_python(tmp_path: Path) -> None:
    """Reasons are in the start line, in the page and in the log."""
    (tmp_path / "app.py").write_text(STATUSES)
    try:
        old = environment(python=sys.executable, cache=CACHE)
    except EnvironmentUnavailable as e:
        pytest.skip(str(e))
    requests = [f"GET /{code} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for code in (400, 413, 414, 416, 422)]
    with side_by_side(str(tmp_path / "app.py"), old) as (real, ours):
        for request in requests:
            assert comparable(real.exchange(request)) == comparable(ours.exchange(request))


def test_another_sitecustomize_still_has_its_turn(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('the other', __name__)\n")
    env = Environment("4.5.3", Path(sys.executable), True, tmp_path).environ()
    code = "import sys, http.client; print(http.client.responses[422]); print(sys.path)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    first, second, path = done.stdout.splitlines()
    assert (first, second) == ("the other sitecustomize", "Unprocessable Entity")
    assert str(OLD_LIBRARY) not in path
