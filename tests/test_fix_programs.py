"""Whole programs, each made to catch ``tornado4 fix`` out: after every ladder they print what they printed before.

On tornado4 with forward names, and what ``--native`` makes of them on the real Tornado 6.6.1, too. No coroutine may be
left un-awaited. ``None`` as the lines that are to stand in a result: the program is to stay as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from programs import ROOT

from compat_tests.oracle import OracleUnavailable, oracle

pytest.importorskip("libcst")

from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.fix.fixer import fix
from tornado4.migrate.fix.steps import Options

LADDERS = {
    "safe": Options(markers=False, strict=True),
    "unsafe": Options(markers=False, strict=True, unsafe=True),
    "native": Options(markers=False, strict=True, choice=Choice(native=True)),
    "unsafe-native": Options(markers=False, strict=True, unsafe=True, choice=Choice(native=True)),
    "helped": Options(markers=False, strict=True, choice=Choice(native=True), helpers=Path("compat.py")),
    "unsafe-helped": Options(
        markers=False, strict=True, unsafe=True, choice=Choice(native=True), helpers=Path("compat.py")
    ),
}

HEAD = """\
import contextlib
from concurrent.futures import ThreadPoolExecutor
from tornado import gen
from tornado.concurrent import Future, return_future
from tornado.ioloop import IOLoop

def done(value):
    future = Future()
    future.set_result(value)
    return future

"""

#: Name, program, what it prints, and for ladders a line that must stand in the result.
PROGRAMS: list[tuple[str, str, str, dict[str, str]]] = [
    (
        "what gen.maybe_future gets",
        """\
@gen.coroutine
def number():
    yield gen.sleep(0)
    raise gen.Return(3)

@gen.coroutine
def kept():
    yield gen.sleep(0)
    raise gen.Return(4)

class Hooks(object):
    def plain(self):
        return 5

    @gen.coroutine
    def waits(self):
        yield gen.sleep(0)
        raise gen.Return(6)

    @gen.coroutine
    def asked(self):
        yield gen.sleep(0)
        raise gen.Return(7)

@gen.coroutine
def ask(hooks, thing, pool):
    found = [(yield gen.maybe_future(number())), (yield gen.maybe_future(thing))]
    waiting = kept()
    found.append((yield gen.maybe_future(waiting)))
    found.append((yield gen.maybe_future(getattr(hooks, "plain")())))
    found.append((yield gen.maybe_future(hooks.waits())))
    found.append((yield gen.maybe_future(  # a comment
        hooks.asked())))
    found.append((yield gen.maybe_future(done(8))))
    found.append(len((yield [gen.maybe_future(number()), gen.maybe_future(1)])))
    yield gen.maybe_future(None)
    found.append((yield of_pool(pool)))
    raise gen.Return(found)

@gen.coroutine
def of_pool(pool):
    x = yield gen.maybe_future(pool.submit(len, "ab"))
    raise gen.Return(x)

pool = ThreadPoolExecutor(1)
print(IOLoop.current().run_sync(lambda: ask(Hooks(), None, pool)))
""",
        "[3, None, 4, 5, 6, 7, 8, 2, 2]\n",
        {
            "native": "    found = [(yield number()), (yield gen.maybe_future(thing))]\n",
            "unsafe-helped": "    found = [await number(), await maybe_future(thing)]\n",
        },
    ),
]


def made(folder: Path, program: str, options: Options) -> str:
    """The program's text after a fix, which once more changes nothing."""
    path = folder / "app.py"
    path.write_text(HEAD + program)
    helper = folder / "compat.py"
    helper.unlink(missing_ok=True)
    for _ in range(2):
        outcome = fix([folder], options)
        for shown, data in outcome.after.items():
            outcome.paths[shown].write_bytes(data)
    assert outcome.changed == []
    return path.read_text()


def printed(folder: Path, release: str | None = None) -> str:
    if release is None:
        command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tornado4", "run", "app.py"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "TORNADO4_FUTURE": "names"}
    else:
        try:
            real = oracle(release)
        except OracleUnavailable as error:
            pytest.skip(f"the real Tornado cannot be had here: {error}")
        command, environ = real.command("app.py"), real.environ()
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "never awaited" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("program", "prints", "lines"), [each[1:] for each in PROGRAMS], ids=[each[0] for each in PROGRAMS]
)
def test_programs_print_what_they_printed(tmp_path, monkeypatch, program, prints, lines):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(HEAD + program)
    assert printed(tmp_path) == prints
    seen = {HEAD + program}
    for ladder, options in LADDERS.items():
        text = made(tmp_path, program, options)
        assert lines.get(ladder, "") in text, text
        if text not in seen:
            seen.add(text)
            assert printed(tmp_path) == prints, (ladder, text)
            if options.native:
                assert printed(tmp_path, "6.6.1") == prints, (ladder, text)
