"""``tornado4 fix --native``: what yield took and await does not, with a helper of the project's and without."""

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

PROGRAM = '''\
"""What a coroutine of Tornado 4 may yield."""

import concurrent.futures
from concurrent.futures import ThreadPoolExecutor

from tornado import gen
from tornado.concurrent import Future, run_on_executor
from tornado.ioloop import IOLoop


class Work(object):
    executor = ThreadPoolExecutor(1)

    @run_on_executor
    def of_thread(self):
        return "thread"

    def nothing(self):
        pass

    @gen.coroutine
    def all(self, unknown, *others):
        found = []
        found.append((yield unknown))
        for each in others:
            found.append((yield each))
        found.append((yield self.of_thread()))
        found.append((yield self.nothing()))
        found.append((yield None))
        yield
        found.append((yield self.executor.submit(int, "ff", base=16) if unknown is None else unknown))
        found.append((yield [self.of_thread(), None, [self.of_thread()], {"a": self.of_thread()}]))
        found.append((yield {"pool": self.executor.submit(str.upper, "b")}))
        several = [self.of_thread() for _ in range(2)]
        found.append((yield several))
        raise gen.Return(found)


def done(value):
    future = Future()
    future.set_result(value)
    return future


work = Work()
print(IOLoop.current().run_sync(
    lambda: work.all(None, done(1), [done(2), None], {"x": done(3)}, work.executor.submit(len, "four"), gen.moment)
))
'''
PRINTED = (
    "[None, 1, [2, None], {'x': 3}, 4, None, 'thread', None, None, 255, ['thread', None, ['thread'], {'a': 'thread'}], "
    "{'pool': 'B'}, ['thread', 'thread']]\n"
)


def fixed(folder: Path, *, unsafe: bool = False, helpers: bool = True) -> str:
    """The program's text after a fix; the helper's module is written beside it."""
    path = folder / "app.py"
    path.write_text(PROGRAM)
    options = Options(
        unsafe=unsafe,
        choice=Choice(native=True),
        markers=False,
        strict=True,
        helpers=folder / "compat.py" if helpers else None,
    )
    outcome = fix([folder], options)
    for shown, data in outcome.after.items():
        outcome.paths[shown].write_bytes(data)
    assert fix([folder], options).changed == []
    return path.read_text()


def printed(folder: Path, release: str | None) -> str:
    if release is None:
        command = [sys.executable, "-W", "error", "-m", "tornado4", "run", "app.py"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "TORNADO4_FUTURE": "names"}
    else:
        try:
            real = oracle(release)
        except OracleUnavailable as error:
            pytest.skip(f"the real Tornado cannot be had here: {error}")
        command, environ = real.command("app.py", *(["--backfill"] if real.backfilled else [])), real.environ()
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("unsafe", [False, True])
def test_what_comes_out_waits_for_what_yield_took(tmp_path, monkeypatch, unsafe):
    monkeypatch.chdir(tmp_path)
    text = fixed(tmp_path, unsafe=unsafe)
    assert "async def all(self, unknown, *others):" in text
    assert "found.append(await wait(unknown))" in text
    assert "from compat import wait\n" in text
    assert "tornado4" not in (tmp_path / "compat.py").read_text()
    assert printed(tmp_path, None) == PRINTED
    assert printed(tmp_path, "6.6.1") == PRINTED


def test_before_it_printed_the_same(tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM)
    assert printed(tmp_path, "4.5.3") == PRINTED
    assert printed(tmp_path, None) == PRINTED


WRAPPED = """\
import contextvars

from tornado import stack_context
from tornado.ioloop import IOLoop

user = contextvars.ContextVar("user", default="nobody")
waiting = []


def say():
    print(user.get())
    IOLoop.current().stop()


def ask():
    user.set("somebody")
    waiting.append(stack_context.wrap(say))
    waiting.append(stack_context.wrap(None))


contextvars.copy_context().run(ask)
IOLoop.current().add_callback(waiting[0])
IOLoop.current().start()
print(waiting[1])
"""


def test_a_function_that_was_wrapped_keeps_the_variables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(WRAPPED)
    options = Options(unsafe=True, markers=False, strict=True, helpers=tmp_path / "compat.py")
    outcome = fix([tmp_path], options)
    for shown, data in outcome.after.items():
        outcome.paths[shown].write_bytes(data)
    text = (tmp_path / "app.py").read_text()
    assert "waiting.append(in_context(say))" in text and "stack_context" not in text
    assert fix([tmp_path], options).changed == []
    assert printed(tmp_path, None) == "somebody\nNone\n"
    assert printed(tmp_path, "6.6.1") == "somebody\nNone\n"


def test_without_a_helper_what_is_not_known_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = fixed(tmp_path, helpers=False)
    assert "\n    @gen.coroutine\n    def all(" in text
    assert not (tmp_path / "compat.py").exists()
