"""More of what an adversary tried with ``tornado4 fix``: names bound in unusual ways, layout, calls that are not seen.

As in ``test_fix_adversary``: each case with what comes out of it, by ladder; ``None``: the file stays as it is.
"""

from __future__ import annotations

import pytest

pytest.importorskip("libcst")

from test_fix_adversary import NATIVE, SAFE_NATIVE, UNSAFE, hold_against

from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.fix.fixer import fix
from tornado4.migrate.fix.steps import Options

CASES = [
    (
        "names that := binds",
        """\
from tornado import gen
from tornado.ioloop import IOLoop, PeriodicCallback
def f(get):
    if PeriodicCallback := get():
        PeriodicCallback(print, 1, io_loop=IOLoop.current())
@gen.coroutine
def g():
    while (x := (yield gen.sleep(1))) is not None:
        print(x)
    return (y := (yield gen.sleep(1)))
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado.ioloop import IOLoop, PeriodicCallback
def f(get):
    if PeriodicCallback := get():
        PeriodicCallback(print, 1, io_loop=IOLoop.current())
async def g():
    while (x := await asyncio.sleep(1)) is not None:
        print(x)
    return (y := await asyncio.sleep(1))
""",
            UNSAFE: None,
        },
    ),
    (
        "names that a case binds",
        """\
from tornado.ioloop import IOLoop, PeriodicCallback
def f(x):
    match x:
        case {"a": PeriodicCallback}:
            PeriodicCallback(print, 1, io_loop=IOLoop.current())
        case [IOLoop, *rest]:
            IOLoop.instance()
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: None,
        },
    ),
    (
        "names that a comprehension binds",
        """\
from tornado import gen
from tornado.ioloop import IOLoop, PeriodicCallback
def f(all):
    a = [PeriodicCallback(print, 1, io_loop=IOLoop.current()) for PeriodicCallback in all]
    b = {x: PeriodicCallback(print, 1, io_loop=IOLoop.current()) for x in all}
    return [gen.Task(x) for gen in all for x in gen]
""",
        {
            SAFE_NATIVE: """\
from tornado import gen
from tornado.ioloop import IOLoop, PeriodicCallback
def f(all):
    a = [PeriodicCallback(print, 1, io_loop=IOLoop.current()) for PeriodicCallback in all]
    b = {x: PeriodicCallback(print, 1) for x in all}
    return [gen.Task(x) for gen in all for x in gen]
""",
            UNSAFE: """\
from tornado import gen
from tornado.ioloop import IOLoop, PeriodicCallback
def f(all):
    a = [PeriodicCallback(print, 1, io_loop=IOLoop.current()) for PeriodicCallback in all]
    b = {x: PeriodicCallback(print, 1) for x in all}
    return [gen.Task(x) for gen in all for x in gen]
""",
        },
    ),
    (
        "names that global binds",
        """\
from tornado.ioloop import IOLoop, PeriodicCallback
def setup(other):
    global PeriodicCallback
    PeriodicCallback = other
def f():
    PeriodicCallback(print, 1, io_loop=IOLoop.current())
def g():
    timer = None
    def set():
        nonlocal timer
        timer = PeriodicCallback
    set()
    timer(print, 1, io_loop=IOLoop.current())
""",
        {
            SAFE_NATIVE: None,
        },
    ),
    (
        "star imports",
        """\
from tornado.gen import *
from tornado.ioloop import *  # loops
import functools
fut = TracebackFuture()
@coroutine
def f():
    x = time.time()
    yield Task(IOLoop.instance().add_timeout, time.time() + 1)
    raise Return(os.path)
""",
        {
            SAFE_NATIVE: """\
from tornado.gen import *
from tornado.concurrent import Future  # loops
import asyncio
import functools
import os
import time
fut = Future()
async def f():
    x = time.time()
    await asyncio.sleep(1)
    return os.path
""",
            UNSAFE: """\
from tornado.gen import *
from tornado.concurrent import Future  # loops
from tornado import gen
import functools
import os
import time
fut = Future()
@coroutine
def f():
    x = time.time()
    yield gen.sleep(1)
    raise Return(os.path)
""",
        },
    ),
    (
        "star imports of a program that looks its names up",
        """\
from tornado.ioloop import *
fut = TracebackFuture()
print(globals())
""",
        {
            UNSAFE: None,
        },
    ),
    (
        "values that are handed on by *",
        """\
from tornado import gen
@gen.coroutine
def f(a):
    raise gen.Return(*a)
@gen.coroutine
def g(a):
    raise gen.Return(**a)
@gen.coroutine
def h(a):
    raise gen.Return(x for x in a)
@gen.coroutine
def i(a):
    raise gen.Return(value=a)
""",
        {
            SAFE_NATIVE: """\
from tornado import gen
@gen.coroutine
def f(a):
    raise gen.Return(*a)
@gen.coroutine
def g(a):
    raise gen.Return(**a)
async def h(a):
    return (x for x in a)
async def i(a):
    return a
""",
            UNSAFE: None,
        },
    ),
    (
        "comments and layout of what is returned",
        """\
from tornado import gen
@gen.coroutine
def f(x, y):
    raise gen.Return(
        x +  # one
        y
    )
@gen.coroutine
def g(x):
    raise gen.Return(  # why
        {"a": 1})
@gen.coroutine
def h(x):
    raise \\
        gen.Return(
            [1,
             2])
""",
        {
            SAFE_NATIVE: """\
async def f(x, y):
    return (
        x +  # one
        y
    )
async def g(x):
    return (  # why
        {"a": 1})
async def h(x):
    return [1,
             2]
""",
        },
    ),
    (
        "comments of decorators",
        """\
from tornado import gen, web
class H(web.RequestHandler):
    # above
    @web.asynchronous  # two
    # between
    @gen.coroutine  # noqa
    # below
    def get(self):
        # first
        yield gen.sleep(1)  # one
        # last
        self.finish()
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import web
class H(web.RequestHandler):
    # above
    # two
    # between
    # below
    async def get(self):
        # first
        await asyncio.sleep(1)  # one
        # last
        self.finish()
""",
        },
    ),
    (
        "errors that are gen.Return, and asked for",
        """\
from tornado import gen
@gen.coroutine
def f():
    try:
        raise gen.Return(1)
    except gen.Return as e:
        print(e.value)
        raise
@gen.coroutine
def g():
    try:
        raise gen.Return(1)
    except (ValueError, gen.Return):
        return 2
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: None,
            NATIVE: None,
        },
    ),
    (
        "yields in comprehensions",
        """\
from tornado import gen
@gen.coroutine
def f(urls):
    return list((yield g(u)) for u in urls)
@gen.coroutine
def h(urls):
    return {(yield g(u)) for u in urls}
@gen.coroutine
def g(x):
    yield gen.sleep(0)
""",
        {
            NATIVE: None,
        },
    ),
    (
        "yields in f-strings and other places",
        """\
from tornado import gen
@gen.coroutine
def f(urls):
    b = f"{(yield g(3))} {(yield g(4))!r:>{(yield g(5))}}"
    e = (yield g(1)) + (yield g(2)) if (yield g(3)) else (yield g(4))
    assert (yield g(1)), (yield g(2))
    x = yield g(1); y = yield g(2)
    a, b = yield g(1)
    c = d = yield g(3)
    print(*(yield g(1)), **(yield g(2)))
    del c[(yield g(1))]
    c[(yield g(1))] += (yield g(2))
    return -(yield g(1)), not (yield g(2)), (yield g(2)) ** (yield g(3)), (yield g(1))[0], (yield g(1)).x
@gen.coroutine
def g(x):
    yield gen.sleep(0)
""",
        {
            SAFE_NATIVE: """\
import asyncio
async def f(urls):
    b = f"{(await g(3))} {(await g(4))!r:>{(await g(5))}}"
    e = await g(1) + await g(2) if await g(3) else await g(4)
    assert await g(1), await g(2)
    x = await g(1); y = await g(2)
    a, b = await g(1)
    c = d = await g(3)
    print(*await g(1), **await g(2))
    del c[await g(1)]
    c[await g(1)] += await g(2)
    return -await g(1), not await g(2), (await g(2)) ** (await g(3)), (await g(1))[0], (await g(1)).x
async def g(x):
    await asyncio.sleep(0)
""",
        },
    ),
    (
        "methods that Python calls, and private ones by their other name",
        """\
from tornado import gen
class A(object):
    @gen.coroutine
    def __call__(self):
        yield gen.sleep(1)
    @gen.coroutine
    def __enter__(self):
        yield gen.sleep(1)
    @gen.coroutine
    def __own(self):
        yield gen.sleep(1)
    @gen.coroutine
    def __other(self):
        yield gen.sleep(1)
    @gen.coroutine
    def both(self):
        yield self.__own()
        yield self.__other()
def f(a):
    a._A__own()
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
class A(object):
    @gen.coroutine
    def __call__(self):
        yield gen.sleep(1)
    @gen.coroutine
    def __enter__(self):
        yield gen.sleep(1)
    @gen.coroutine
    def __own(self):
        yield gen.sleep(1)
    async def __other(self):
        await asyncio.sleep(1)
    async def both(self):
        await self.__own()
        await self.__other()
def f(a):
    a._A__own()
""",
            NATIVE: """\
import asyncio
from tornado import gen
class A(object):
    async def __call__(self):
        await asyncio.sleep(1)
    @gen.coroutine
    def __enter__(self):
        yield gen.sleep(1)
    @gen.coroutine
    def __own(self):
        yield gen.sleep(1)
    async def __other(self):
        await asyncio.sleep(1)
    async def both(self):
        await self.__own()
        await self.__other()
def f(a):
    a._A__own()
""",
        },
    ),
    (
        "a builtin's name that means something else",
        """\
from tornado.escape import unichr
def f(chr):
    return unichr(chr)
def g(x):
    return unichr(x)
""",
        {
            SAFE_NATIVE: """\
import builtins

def f(chr):
    return builtins.chr(chr)
def g(x):
    return chr(x)
""",
        },
    ),
    (
        "a callback that may be called twice",
        """\
from tornado.concurrent import return_future
@return_future
def f(x, callback):
    x.start()
    callback(1)
    callback(2)
@return_future
def g(x, callback):
    for each in x:
        callback(each)
@return_future
def h(x, callback):
    if x:
        callback(1)
    else:
        callback(2)
    x.end()
@return_future
def i(x, callback):
    try:
        callback(x())
    except Exception as error:
        callback(error)
""",
        {
            UNSAFE: """\
from tornado.concurrent import return_future, Future
@return_future
def f(x, callback):
    x.start()
    callback(1)
    callback(2)
@return_future
def g(x, callback):
    for each in x:
        callback(each)
def h(x):
    future = Future()
    if x:
        future.set_result(1)
    else:
        future.set_result(2)
    x.end()
    return future
@return_future
def i(x, callback):
    try:
        callback(x())
    except Exception as error:
        callback(error)
""",
        },
    ),
    (
        "constructors that are given a loop",
        """\
from tornado.ioloop import IOLoop
from tornado.tcpserver import TCPServer
class One(TCPServer):
    def __init__(self, x, io_loop=None):
        super(One, self).__init__(io_loop=io_loop)
class Two(TCPServer):
    def __init__(self, x, io_loop=None):
        super(Two, self).__init__(io_loop=io_loop)
class Derived(Two):
    def __init__(self):
        super(Derived, self).__init__(1, IOLoop.current())
class Three(TCPServer):
    def __init__(self, x, io_loop=None):
        super().__init__(io_loop=io_loop)
One(1, IOLoop.current())
Three(1)
""",
        {
            UNSAFE: """\
from tornado.ioloop import IOLoop
from tornado.tcpserver import TCPServer
class One(TCPServer):
    def __init__(self, x, io_loop=None):
        super(One, self).__init__()
class Two(TCPServer):
    def __init__(self, x, io_loop=None):
        super(Two, self).__init__()
class Derived(Two):
    def __init__(self):
        super(Derived, self).__init__(1, IOLoop.current())
class Three(TCPServer):
    def __init__(self, x):
        super().__init__()
One(1, IOLoop.current())
Three(1)
""",
        },
    ),
    (
        "a test that stops more often than it waits",
        """\
from tornado.testing import AsyncHTTPTestCase
class T(AsyncHTTPTestCase):
    def test(self):
        self.http_client.fetch(self.get_url("/"), self.stop)
        self.http_client.fetch(self.get_url("/"), self.stop)
        self.wait()
""",
        {
            UNSAFE: None,
        },
    ),
    (
        "imports behind what needs them",
        """\
import os
@os.register
class A(object):
    pass
from tornado import gen
from tornado.concurrent import TracebackFuture
class B(object):
    future = TracebackFuture()
@gen.coroutine
def f():
    yield None
""",
        {
            SAFE_NATIVE: """\
import asyncio
import os
@os.register
class A(object):
    pass
from tornado.concurrent import Future
class B(object):
    future = Future()
async def f():
    await asyncio.sleep(0)
""",
        },
    ),
    (
        "functions that are handed on with their arguments",
        """\
from functools import partial
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop, PeriodicCallback
make = partial(PeriodicCallback, print, 1, io_loop=IOLoop.current())
ask = partial(AsyncHTTPClient().fetch, "/", print)
""",
        {
            SAFE_NATIVE: """\
from functools import partial
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import PeriodicCallback
make = partial(PeriodicCallback, print, 1)
ask = partial(AsyncHTTPClient().fetch, "/", print)
""",
            UNSAFE: """\
from functools import partial
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import PeriodicCallback
make = partial(PeriodicCallback, print, 1)
ask = partial(AsyncHTTPClient().fetch, "/", print)
""",
        },
    ),
    (
        "contexts that do more than to set a context variable",
        """\
import contextlib
from contextvars import ContextVar
from tornado.stack_context import StackContext
var = ContextVar("var")
@contextlib.contextmanager
def just(x):
    token = var.set(x)
    try:
        yield
    finally:
        var.reset(token)
@contextlib.contextmanager
def more(x):
    global last
    last = x
    token = var.set(x)
    yield
    var.reset(token)
@contextlib.contextmanager
def event(x, done):
    token = done.set()
    yield
    done.reset(token)
def f(go):
    with StackContext(lambda: just(1)):
        go()
    with StackContext(lambda: more(1)):
        go()
    with StackContext(lambda: event(1)):
        go()
""",
        {
            UNSAFE: """\
import contextlib
from contextvars import ContextVar
from tornado.stack_context import StackContext
var = ContextVar("var")
@contextlib.contextmanager
def just(x):
    token = var.set(x)
    try:
        yield
    finally:
        var.reset(token)
@contextlib.contextmanager
def more(x):
    global last
    last = x
    token = var.set(x)
    yield
    var.reset(token)
@contextlib.contextmanager
def event(x, done):
    token = done.set()
    yield
    done.reset(token)
def f(go):
    with just(1):
        go()
    with StackContext(lambda: more(1)):
        go()
    with StackContext(lambda: event(1)):
        go()
""",
        },
    ),
    (
        "form feeds, and lines of other kinds",
        """\
from tornado import gen
x = "\\x1c\\u2028"  # \u2028 \x1c
\x0c
@gen.coroutine
def f():
    yield gen.sleep(1)  # noqa: TND320
\x0c
@gen.coroutine
def g():
    yield gen.sleep(1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
x = "\\x1c\\u2028"  # \u2028 \x1c
\x0c
async def f():
    await gen.sleep(1)  # noqa: TND320
\x0c
async def g():
    await asyncio.sleep(1)
""",
        },
    ),
    (
        "what gives None on some way",
        """\
from tornado import gen, web
@gen.coroutine
def later():
    yield gen.sleep(1)
def maybe(x):
    if x:
        return later()
def none(x):
    if x:
        return later()
    return None
def always(x):
    if x:
        return x.future
    raise ValueError
class H(web.RequestHandler):
    @gen.coroutine
    def prepare(self):
        yield super(H, self).prepare()
    @gen.coroutine
    def get(self):
        yield self.finish()
@gen.coroutine
def f():
    yield maybe(1)
@gen.coroutine
def g():
    yield none(1)
@gen.coroutine
def h():
    yield always(1)
""",
        {
            NATIVE: """\
from tornado import gen, web
@gen.coroutine
def later():
    yield gen.sleep(1)
def maybe(x):
    if x:
        return later()
def none(x):
    if x:
        return later()
    return None
def always(x):
    if x:
        return x.future
    raise ValueError
class H(web.RequestHandler):
    @gen.coroutine
    def prepare(self):
        yield super(H, self).prepare()
    @gen.coroutine
    def get(self):
        yield self.finish()
@gen.coroutine
def f():
    yield maybe(1)
@gen.coroutine
def g():
    yield none(1)
async def h():
    await always(1)
""",
        },
    ),
    (
        "Motor's fetch_next",
        """\
import motor
from tornado import gen
@gen.coroutine
def all_of(cursor):
    while (yield cursor.fetch_next):
        print(cursor.next_object())
""",
        {
            SAFE_NATIVE: None,
            NATIVE: """\
import motor
async def all_of(cursor):
    while await cursor.fetch_next:
        print(cursor.next_object())
""",
        },
    ),
    (
        "a fetch_next of the program's own",
        """\
import motor
from tornado import gen
class Pages(object):
    fetch_next = [gen.sleep(1)]
@gen.coroutine
def all_of(pages):
    yield pages.fetch_next
@gen.coroutine
def others(pages):
    yield pages.fetch_more
""",
        {SAFE_NATIVE: None, NATIVE: None},
    ),
    (
        "the arguments of a method below a decorator of Tornado's",
        """\
from tornado import gen, web
class Shop(web.RequestHandler):
    @web.authenticated
    @gen.coroutine
    def get(self):
        yield gen.sleep(1)
    @web.authenticated
    @gen.coroutine
    def put(self, *goods):
        yield gen.sleep(1)
    @logged
    @gen.coroutine
    def post(self):
        yield gen.sleep(1)
def others(options, box, letters):
    options.get("a", 1)
    box.put("a", 1)
    letters.post("a", 1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen, web
class Shop(web.RequestHandler):
    @web.authenticated
    async def get(self):
        await asyncio.sleep(1)
    @web.authenticated
    @gen.coroutine
    def put(self, *goods):
        yield gen.sleep(1)
    @logged
    @gen.coroutine
    def post(self):
        yield gen.sleep(1)
def others(options, box, letters):
    options.get("a", 1)
    box.put("a", 1)
    letters.post("a", 1)
""",
        },
    ),
    (
        "methods that are set on something, and that are taken from it",
        """\
from tornado import gen
class Box(object):
    @gen.coroutine
    def close(self):
        yield gen.sleep(1)
    @gen.coroutine
    def fill(self):
        yield gen.sleep(1)
    @gen.coroutine
    def send(self):
        yield gen.sleep(1)
def others(thing):
    thing.close = print
    thing.fill = thing.fill
    thing.send = print
    thing.send()
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
class Box(object):
    async def close(self):
        await asyncio.sleep(1)
    @gen.coroutine
    def fill(self):
        yield gen.sleep(1)
    @gen.coroutine
    def send(self):
        yield gen.sleep(1)
def others(thing):
    thing.close = print
    thing.fill = thing.fill
    thing.send = print
    thing.send()
""",
        },
    ),
    (
        "functions that are set anew, or known by name alone",
        """\
from tornado import gen
@gen.coroutine
def f():
    yield gen.sleep(1)
f = timed(f)
@gen.coroutine
def g():
    yield f()
@gen.coroutine
def h(stream):
    yield stream.read_until(b"x")
""",
        {SAFE_NATIVE: None},
    ),
]


@pytest.mark.parametrize(("source", "results"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_an_adversary_tried(tmp_path, monkeypatch, source, results):
    monkeypatch.chdir(tmp_path)
    hold_against(tmp_path / "app.py", source, results)


def test_names_that_other_files_take_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    coroutine = "from tornado import gen\n@gen.coroutine\ndef f():\n    yield gen.sleep(1)\n"
    for name in ("first", "second", "third"):
        (tmp_path / f"{name}.py").write_text(coroutine)
    (tmp_path / "app.py").write_text(
        "import first\nimport second as other\nfrom third import f\nprint(first.gen, other.gen.sleep)\n"
    )
    outcome = fix([tmp_path], Options(choice=Choice(native=True), markers=False, strict=True))
    kept = {name: "from tornado import gen\n" in data.decode() for name, data in outcome.after.items()}
    assert kept == {"first.py": True, "second.py": True, "third.py": False}
