"""Programs made at random, of all that coroutines of Tornado 4 do: after ``tornado4 fix`` they print what they printed.

``fix --native`` with and without a helper, on tornado4 with forward names; no call may be left un-awaited.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("libcst")

from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.fix.fixer import fix
from tornado4.migrate.fix.steps import Options

ROOT = Path(__file__).parents[2]
PROGRAMS = 12 * int(os.environ.get("TORNADO4_FUZZ", "1"))

HEAD = """\
import contextlib
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop


@contextlib.contextmanager
def ctx(number):
    print("in", number)
    yield
    print("out", number)


def norm(value):
    return value if isinstance(value, int) else len(value) if value else 0


@gen.coroutine
def leaf(x):
    yield gen.sleep(0)
    raise gen.Return(x)


def plain(x):
    future = Future()
    future.set_result(x)
    return future


def anything(x):
    return [leaf(x), None] if x > 2 else plain(x) if x else None


@gen.coroutine
def both(x):
    if x:
        raise gen.Return(x)
    yield gen.moment
    1 // x


@gen.engine
def old(x, callback):
    yield gen.sleep(0)
    callback(x)
"""
MAIN = """

def main():
    for x in range(3):
        try:
            print("result", norm(IOLoop.current().run_sync(lambda: f0(x))))
        except Exception as error:
            print("error", type(error).__name__)
"""
DRIVER = """\
import importlib, logging, pathlib, sys, warnings

warnings.simplefilter("error")
logging.disable(logging.CRITICAL)
for path in sorted(pathlib.Path(".").glob("case*.py")):
    print(path.stem)
    importlib.import_module(path.stem).main()
"""


class Program:
    """Coroutines that call one another, each only those behind it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = self.random.randint(3, 6)

    def source(self) -> str:
        functions = [
            f"\n\n@gen.coroutine\ndef f{number}(x):\n" + "\n".join(self.block(number, ["x"], 2)) + "\n"
            for number in range(self.count)
        ]
        return HEAD + "".join(functions) + MAIN

    def value(self, names: list[str]) -> str:
        name = self.random.choice(names)
        return self.random.choice(
            [
                str(self.random.randint(0, 4)),
                name,
                f"{name} + {self.random.randint(0, 3)}",
                f"(1 if {name} else {self.random.choice(names)})",
                f"len(str({name}))",
            ]
        )

    def call(self, number: int, names: list[str]) -> str:
        callee = self.random.randint(number + 1, self.count)
        name = f"f{callee}" if callee < self.count else self.random.choice(["leaf", "plain", "both", "anything"])
        return f"{name}({self.value(names)})"

    def waited(self, number: int, names: list[str]) -> str:
        one, two = self.call(number, names), self.call(number, names)
        return self.random.choice(
            [
                one,
                one,
                one,
                "gen.sleep(0)",
                "None",
                "gen.moment",
                f"[{one}, {two}]",
                f'{{"a": {one}, "b": {two}}}',
                f"[{one} for _ in range({self.random.randint(0, 2)})]",
                f"gen.Task(old, {self.value(names)})",
                f"({one} if {self.value(names)} else {two})",
                f"gen.maybe_future({self.value(names)})",
            ]
        )

    def block(self, number: int, names: list[str], depth: int) -> list[str]:
        names, lines = list(names), []
        for _ in range(self.random.randint(1, 4)):
            made, ends = self.statement(number, names, depth)
            lines += made
            if ends:
                break
        return [f"    {line}" for line in lines]

    def statement(self, number: int, names: list[str], depth: int) -> tuple[list[str], bool]:
        """Lines, and whether nothing comes behind them."""
        chance, name, value = self.random.randrange(16), self.random.choice("abc"), self.value(names)
        if chance < 5 or (chance in (7, 8, 9, 11) and not depth):
            lines = [f"{name} = norm((yield {self.waited(number, names)}))"]
            names.append(name)
            return lines, False
        match chance:
            case 5:
                return [f"yield {self.waited(number, names)}"], False
            case 6:
                return [f"print({number}, norm((yield {self.waited(number, names)})), {value})"], False
            case 7:
                lines = [f"if {value} > {self.random.randint(0, 4)}:", *self.block(number, names, depth - 1)]
                return [*lines, "else:", *self.block(number, names, depth - 1)], False
            case 8:
                lines = [f"for each in range({self.random.randint(0, 2)}):"]
                return [*lines, *self.block(number, [*names, "each"], depth - 1)], False
            case 9:
                kind = self.random.choice(["", " ZeroDivisionError", " Exception as error", " (KeyError, ValueError)"])
                lines = ["try:", *self.block(number, names, depth - 1), f"except{kind}:"]
                lines += self.block(number, names, depth - 1)
                return [*lines, "finally:", f'    print({number}, "finally")'], False
            case 10:
                names.append(name)
                return [f"{name} = 7 // ({value})"], False
            case 11:
                return [f"with ctx({number}):", *self.block(number, names, depth - 1)], False
            case 12:
                return [f"raise gen.Return({value})"], True
            case 13:
                return [self.random.choice(["return", "raise gen.Return()", "raise KeyError(1)"])], True
            case 14:
                lines = [f"{name} = lambda: {self.call(number, names)}", f"{name} = norm((yield {name}()))"]
            case _:
                lines = [f"{name} = {self.call(number, names)}", 'print("between")', f"{name} = norm((yield {name}))"]
        names.append(name)
        return lines, False


def printed(folder: Path) -> list[list[str]]:
    """The lines of each program. Which of two coroutines goes first is not settled: they are sorted."""
    (folder / "driver.py").write_text(DRIVER)
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "TORNADO4_FUTURE": "names"}
    command = [sys.executable, "-m", "tornado4", "run", "driver.py"]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "never awaited" not in done.stderr
    return [sorted(part.splitlines()) for part in done.stdout.split("case")]


@pytest.mark.parametrize("helpers", [False, True])
def test_programs_print_what_they_printed(tmp_path: Path, helpers: bool) -> None:
    first = 0 if PROGRAMS == 12 else random.randrange(10**9)  # other ones each time, when many are asked for
    before, after = tmp_path / "before", tmp_path / "after"
    converted = 0
    for folder in (before, after):
        folder.mkdir()
    for seed in range(first, first + PROGRAMS):
        name = f"case{seed}.py"
        source = Program(seed).source()
        (before / name).write_text(source)
        (after / name).write_text(source)
        helper = after / f"helper{seed}.py" if helpers else None
        outcome = fix([after / name], Options(choice=Choice(native=True), markers=False, strict=True, helpers=helper))
        for shown, data in outcome.after.items():
            outcome.paths[shown].write_bytes(data)
        converted += (after / name).read_text().count("async def")
    assert converted > PROGRAMS
    assert printed(after) == printed(before)
