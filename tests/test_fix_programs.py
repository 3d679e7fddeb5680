"""Whole programs, each made to catch ``tornado4 fix`` out: after every ladder they print what they printed before.

On tornado4 with forward names, and what ``--native`` makes of them on the real Tornado 6.6.1, too. No coroutine may be
left un-awaited.
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

#: gen.maybe_future, of what is a Future for certain, and of what may be one.
GETS = """\
from concurrent.futures import ThreadPoolExecutor
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

def done(value):
    future = Future()
    future.set_result(value)
    return future

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
"""

#: Where a yield may stand.
PLACES = """\
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
import contextlib

@gen.coroutine
def n(x):
    yield gen.sleep(0)
    raise gen.Return(x)

@contextlib.contextmanager
def cm(x):
    print("in", x); yield x; print("out", x)

@gen.coroutine
def cmo(x):
    yield gen.sleep(0)
    raise gen.Return(cm(x))

class A:
    def __init__(self, v): self.v = v
    def __call__(self, *a, **k): return (self.v, a, k)
    def __getitem__(self, i): return i

@gen.coroutine
def main():
    r = []
    r.append(-(yield n(1)))
    r.append((yield n(2)) ** 2)
    r.append(2 ** (yield n(2)))
    r.append(not (yield n(0)))
    r.append((yield n(1)) if (yield n(0)) else (yield n(5)))
    r.append(f"{(yield n(4))}-{(yield n(4))!r:>5}")
    r.append("abc"[(yield n(1))])
    r.append("abcdef"[(yield n(1)):(yield n(3)):(yield n(1))])
    r.append((yield n(A(3))).v)
    r.append((yield n(A(3)))(1, *(yield n([2])), b=(yield n(3)), **(yield n({"z": 1}))))
    d = {**(yield n({"a": 1})), (yield n("k")): (yield n("v"))}
    r.append(sorted(d.items()))
    x = 1
    x += yield n(4)
    y: int = yield n(7)
    r += [x, y]
    assert (yield n(True)), (yield n("msg"))
    if (yield n(1)) and (yield n(2)) or (yield n(0)):
        r.append("and")
    i = 3
    while (yield n(i)):
        i -= 1
    for a in (yield n([1, 2])):
        r.append(a)
    with (yield cmo(1)) as c:
        r.append(c)
    with (yield cmo(1)) as c, (yield cmo(2)) as e:
        r.append((c, e))
    if (z := (yield n(9))) > 3:
        r.append(z)
    match (yield n([1, 2])):
        case [a, b] if (yield n(b)) == 2:
            r.append((a, b, "m"))
        case _:
            r.append("no")
    r.append(1 < (yield n(2)) < 3)
    r.append([*(yield n([1])), (yield n(2))])
    t = yield n(1) if x else n(2)
    r.append(t)
    t = yield n(2)
    r.append(t)
    p, q = yield [n(1), n(2)]
    r.append((p, q))
    p, q = (yield n(1)), (yield n(2))
    r.append((p, q))
    [p, *q] = yield n([1, 2, 3])
    r.append((p, q))
    r.append((lambda v: v + 1)((yield n(1))))
    r.append([v for v in (yield n([1, 2]))])
    print((yield n("p")), end="\\n")
    d[(yield n("i"))] = yield n(3)
    A(1).w = yield n(1)
    del d[(yield n("i"))]
    try:
        raise (yield n(ValueError("boo")))
    except (yield n(ValueError)) as err:
        r.append(str(err))
    def inner(a=(yield n(11)), *, b=(yield n(12))):
        return a, b
    r.append(inner())
    class B((yield n(A)), metaclass=(yield n(type))):
        q = 1
    r.append(B(2).v)
    return_ = yield
    r.append(return_)
    yield n(1); r.append("semi")
    raise gen.Return(r)

for each in IOLoop.current().run_sync(main): print(each)
"""

#: A yield that belongs to the coroutine, in the head of a function or class within.
HEADS = """\
from tornado import gen
from tornado.ioloop import IOLoop

@gen.coroutine
def n(x):
    yield gen.sleep(0)
    raise gen.Return(x)

@gen.coroutine
def default():
    def inner(a=(yield n(1)), *, b=(yield n(2))):
        return a, b
    print(inner(), (lambda c=(yield n(3)): c)())

@gen.coroutine
def base():
    class Inner((yield n(object))):
        x = 4
    print(Inner.x)

@gen.coroutine
def decorator():
    @(yield n(lambda function: function))
    def inner():
        return 5
    print(inner())

IOLoop.current().run_sync(default)
IOLoop.current().run_sync(base)
IOLoop.current().run_sync(decorator)
"""

#: When a coroutine starts, and what comes of one that is kept, handed on, or called wrongly.
STARTS = """\
from tornado import gen
from tornado.ioloop import IOLoop
from tornado.concurrent import Future
import functools, types

log = []
@gen.coroutine
def work(x):
    log.append(("start", x))
    yield gen.sleep(0)
    raise gen.Return(x)

class Proxy:
    def __init__(self, obj): self._obj = obj
    def __getattr__(self, name):
        return getattr(self._obj, name)

class Real:
    @gen.coroutine
    def fetch_it(self):
        log.append("fetch_it")
        yield gen.sleep(0)
        raise gen.Return(1)
    @gen.coroutine
    def maybe(self, flag):
        log.append("maybe")
        if flag:
            raise gen.Return("early")
        yield gen.sleep(0)
        raise gen.Return("late")
    @gen.coroutine
    def at_once(self):
        log.append("at_once")
        raise gen.Return(5)

def passes(x):
    return work(x)

def passes_in_with(x):
    class C:
        def __enter__(self): log.append("enter")
        def __exit__(self, *a): log.append("exit")
    with C():
        return work(x)

def passes_in_try(x):
    try:
        return work(x)
    finally:
        log.append("finally")

@gen.coroutine
def outer(p):
    r = []
    r.append((yield p.fetch_it()))
    r.append((yield p.maybe(True)))
    r.append((yield p.maybe(False)))
    r.append((yield p.at_once()))
    r.append((yield passes(1)))
    r.append((yield passes_in_with(2)))
    r.append((yield passes_in_try(3)))
    r.append((yield (lambda: work(4))()))
    r.append((yield functools.partial(work, 5)()))
    fs = [work(i) for i in range(3)]
    log.append("list made")
    r.append((yield fs))
    d = {"a": work(7)}
    log.append("dict made")
    r.append((yield d))
    g = (work(i) for i in range(2))
    r.append((yield list(g)))
    w = work
    r.append((yield w(9)))
    a, b = work(10), work(11)
    log.append("pair")
    r.append(((yield b), (yield a)))
    x = work(12) if r else None
    log.append("cond")
    r.append((yield x))
    first = work(13)
    yield gen.sleep(0.001)
    log.append("slept")
    r.append((yield first))
    try:
        f = work(14, 15)
    except TypeError:
        log.append("TypeError")
    else:
        try:
            yield f
        except TypeError:
            log.append("TypeError later")
    raise gen.Return(r)

@gen.coroutine
def raising():
    raise ValueError("x")
    yield

@gen.coroutine
def errs():
    try:
        f = raising()
        log.append("no raise yet")
        yield f
    except ValueError:
        log.append("ValueError")
    try:
        yield [raising(), work(1)]
    except ValueError:
        log.append("ValueError 2")
    try:
        yield raising()
    except ValueError:
        log.append("ValueError 3")
    else:
        log.append("none")

@gen.coroutine
def loopy():
    for i in range(3):
        try:
            yield work(i)
            if i == 1:
                break
        finally:
            log.append(("fin", i))
    else:
        log.append("else")
    try:
        yield gen.with_timeout(IOLoop.current().time() + 0.001, Future())
    except gen.TimeoutError:
        log.append("timeout")
    raise gen.Return()

IOLoop.current().run_sync(lambda: outer(Proxy(Real()))) and None
print(IOLoop.current().run_sync(lambda: outer(Proxy(Real()))))
IOLoop.current().run_sync(errs)
print(IOLoop.current().run_sync(loopy))
for each in log: print(each)
"""

#: gen.maybe_future, by several names, of several things.
MAYBE = """\
from tornado.gen import coroutine, maybe_future, Return, sleep
from tornado import gen as g
from tornado.ioloop import IOLoop

log = []
@coroutine
def f(x=1):
    log.append(x)
    yield sleep(0)
    raise Return(x)

def plain(x):
    return x

class K(object):
    @coroutine
    def poll(self):
        yield sleep(0)
        raise Return("poll")
    @coroutine
    def kill(self):
        yield sleep(0)
        raise Return("kill")
class KK(K):
    def kill(self):
        return "killed"
class Unrelated(object):
    def poll(self): return "u"

@coroutine
def main(things, maybe=maybe_future):
    r = []
    r.append((yield maybe_future(f())))
    r.append((yield maybe_future(*[f(2)])))
    r.append((yield maybe_future(x=f(3))))
    r.append((yield maybe_future((yield f(4)))))
    r.append((yield maybe(f(5))))
    r.append((yield g.maybe_future(plain(7))))
    r.append((yield maybe_future(plain(f(8)))))
    for t in things:
        r.append((yield maybe_future(t.poll())))
    for k in (K(), KK()):
        r.append((yield maybe_future(k.kill())))
    h = maybe_future
    r.append((yield h(f(9))))
    fut = maybe_future(f(10))
    log.append("fut")
    r.append((yield fut))
    r.append((yield [maybe_future(f(11)), maybe_future(12)]))
    r.append((yield maybe_future(f(13) if r else 1)))
    r.append((yield maybe_future(f(14)) if r else f(15)))
    r.append((yield list(map(maybe_future, [f(16), 17]))))
    maybe_future(f(18))
    log.append("dropped")
    x = yield (maybe_future(
        # why
        f(19)
    ))
    r.append(x)
    yield sleep(0.01)
    raise Return(r)

print(IOLoop.current().run_sync(lambda: main([K(), Unrelated()])))
print(log)
"""

#: What Python 3.12 has.
NEW_SYNTAX = """\
from __future__ import annotations
from typing import TypeVar, Generic, overload
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

type Alias[T] = list[T]

class Box[T]:
    def __init__(self, v: T) -> None: self.v = v
    @gen.coroutine
    def get[U](self, other: U) -> Generator[Any, Any, tuple[T, U]]:
        yield gen.sleep(0)
        raise gen.Return((self.v, other))

@gen.coroutine
def first[T: (int, str), *Ts, **P](x: T, *rest: *Ts) -> T:
    yield gen.sleep(0)
    return x

@gen.coroutine
def main():
    b = Box(3)
    print(f"{(yield b.get("a"))[0]} {f"{(yield first(1))}"}")
    print(f"{ (yield gen.maybe_future(first("q"))) !r:>{(yield first(6))}}")
    print(f'''{
        (yield first(2))  # comment
    }''')
    try:
        raise ExceptionGroup("g", [ValueError(1), KeyError(2)])
    except* ValueError as e:
        yield gen.sleep(0)
        print("v", e)
    except* KeyError:
        print((yield first(3)))
    match (yield first(5)):
        case int(x) if (yield first(x)):
            print("int", x)
    x: Alias[int] = [(yield first(1))]
    print(x, [y for y in (yield first((1, 2)))])

IOLoop.current().run_sync(main)
"""

#: Programs, and for a ladder a line that must stand in what it makes.
PROGRAMS: dict[str, tuple[str, dict[str, str]]] = {
    "what gen.maybe_future gets": (
        GETS,
        {
            "native": "    found = [(yield number()), (yield gen.maybe_future(thing))]\n",
            "unsafe-helped": "    found = [await number(), await maybe_future(thing)]\n",
        },
    ),
    "gen.maybe_future by other names": (
        MAYBE,
        {
            "native": "    r.append((yield f(9)))\n",
            "unsafe-helped": "        r.append(await our_maybe_future(t.poll()))\n",
        },
    ),
    "where a yield stands": (PLACES, {"native": "    r.append((await n(A(3))).v)\n"}),
    "yields in the head of what stands within": (HEADS, {"native": "    class Inner(await n(object)):\n"}),
    "when a coroutine starts": (STARTS, {"unsafe-native": "    async def fetch_it(self):\n"}),
}


def made(folder: Path, program: str, options: Options) -> str:
    """The program's text after a fix, which once more changes nothing."""
    path = folder / "app.py"
    path.write_text(program)
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


def hold(folder: Path, program: str, lines: dict[str, str]) -> None:
    (folder / "app.py").write_text(program)
    prints = printed(folder)
    assert prints
    seen = {program}
    for ladder, options in LADDERS.items():
        text = made(folder, program, options)
        assert lines.get(ladder, "") in text, text
        if text not in seen:
            seen.add(text)
            assert printed(folder) == prints, (ladder, text)
            if options.native:
                assert printed(folder, "6.6.1") == prints, (ladder, text)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_print_what_they_printed(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    hold(tmp_path, *PROGRAMS[name])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="its syntax is Python 3.12's")
def test_new_syntax(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hold(tmp_path, NEW_SYNTAX, {"native": "    x: Alias[int] = [await first(1)]\n"})
