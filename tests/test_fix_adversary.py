"""What an adversary tried with ``tornado4 fix``: each case with what comes out of it, by ladder.

``None``: the file stays as it is.
"""

from __future__ import annotations

import pytest

pytest.importorskip("libcst")

from compat_tests.fixes.unawaited import unawaited
from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.fix.fixer import fix
from tornado4.migrate.fix.steps import Options

SAFE_NATIVE, UNSAFE, NATIVE = (False, True), (True, False), (True, True)

CASES = [
    (
        "a callback that is stored",
        """\
from tornado import web, httpclient
class H(web.RequestHandler):
    waiters = []
    @web.asynchronous
    def get(self):
        self.waiters.append(self.on_message)
    def on_message(self, m):
        self.finish(m)
""",
        {SAFE_NATIVE: None, UNSAFE: None, NATIVE: None},
    ),
    (
        "names that are shadowed",
        """\
from tornado import gen
from tornado.ioloop import PeriodicCallback, IOLoop
def f(gen):
    raise gen.Return(1)
@gen.coroutine
def g(PeriodicCallback):
    PeriodicCallback(print, 1, io_loop=IOLoop.current())
    yield gen.sleep(1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
from tornado.ioloop import PeriodicCallback, IOLoop
def f(gen):
    raise gen.Return(1)
async def g(PeriodicCallback):
    PeriodicCallback(print, 1, io_loop=IOLoop.current())
    await asyncio.sleep(1)
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
from tornado import gen
from tornado.ioloop import PeriodicCallback, IOLoop
def f(gen):
    raise gen.Return(1)
async def g(PeriodicCallback):
    PeriodicCallback(print, 1, io_loop=IOLoop.current())
    await asyncio.sleep(1)
""",
        },
    ),
    (
        "a coroutine that ends at once, and who counts on that",
        """\
from tornado import gen
@gen.coroutine
def pop():
    raise gen.Return(1)
@gen.coroutine
def peek():
    raise gen.Return(2)
@gen.coroutine
def run():
    yield pop()
@gen.coroutine
def main():
    yield peek()
print(run().result())
""",
        {
            SAFE_NATIVE: """\
from tornado import gen
@gen.coroutine
def pop():
    return 1
async def peek():
    return 2
@gen.coroutine
def run():
    yield pop()
async def main():
    await peek()
print(run().result())
""",
        },
    ),
    (
        "a name in a string, of a function within and of one that is not",
        """\
from tornado import gen
@gen.coroutine
def work():
    yield gen.sleep(1)
@gen.coroutine
def main():
    @gen.coroutine
    def job():
        yield gen.sleep(1)
    yield job()
    print("job", "work")
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
@gen.coroutine
def work():
    yield gen.sleep(1)
async def main():
    async def job():
        await asyncio.sleep(1)
    await job()
    print("job", "work")
""",
        },
    ),
    (
        "calls of that name that do not fit it",
        """\
from tornado import gen, web
class H(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(1)
class J:
    @gen.coroutine
    def put(self, x, *, now=False):
        yield gen.sleep(1)
    @gen.coroutine
    def pop(self, x=None):
        yield gen.sleep(1)
def f(options, queue, *args, **pop):
    options.get("a", 1)
    queue.put()
    queue.put(1, later=True)
    queue.pop(*args)
    pop.put(1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen, web
class H(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(1)
class J:
    async def put(self, x, *, now=False):
        await asyncio.sleep(1)
    @gen.coroutine
    def pop(self, x=None):
        yield gen.sleep(1)
def f(options, queue, *args, **pop):
    options.get("a", 1)
    queue.put()
    queue.put(1, later=True)
    queue.pop(*args)
    pop.put(1)
""",
        },
    ),
    (
        "generators that are no coroutines",
        """\
from tornado import gen
def walk():
    yield [1, 2]
    yield None
@gen.coroutine
def f():
    for x in walk():
        yield x
@gen.coroutine
def h():
    yield from_()
def from_():
    yield 1
""",
        {SAFE_NATIVE: None, UNSAFE: None, NATIVE: None},
    ),
    (
        "functions within functions",
        """\
from tornado import gen
@gen.coroutine
def outer():
    def inner():
        yield 1
    @gen.coroutine
    def deep():
        yield gen.sleep(1)
        raise gen.Return(3)
    x = yield deep()
    f = lambda: (yield)
    raise gen.Return((x, list(inner())))
""",
        {
            SAFE_NATIVE: """\
import asyncio
async def outer():
    def inner():
        yield 1
    async def deep():
        await asyncio.sleep(1)
        return 3
    x = await deep()
    f = lambda: (yield)
    return (x, list(inner()))
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
async def outer():
    def inner():
        yield 1
    async def deep():
        await asyncio.sleep(1)
        return 3
    x = await deep()
    f = lambda: (yield)
    return (x, list(inner()))
""",
        },
    ),
    (
        "decorators above and below",
        """\
from tornado import gen
from functools import wraps, lru_cache
def retry(f):
    @wraps(f)
    def w(*a):
        for x in f(*a):
            yield x
    return w
def timed(f):
    @wraps(f)
    def w(*a):
        fut = f(*a)
        fut.add_done_callback(print)
        return fut
    return w
@gen.coroutine
@retry
def below():
    yield gen.sleep(1)
@timed
@gen.coroutine
def above():
    yield gen.sleep(1)
@property
@gen.coroutine
def prop(self):
    yield gen.sleep(1)
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: None,
            NATIVE: """\
import asyncio
from tornado import gen
from functools import wraps, lru_cache
def retry(f):
    @wraps(f)
    def w(*a):
        for x in f(*a):
            yield x
    return w
def timed(f):
    @wraps(f)
    def w(*a):
        fut = f(*a)
        fut.add_done_callback(print)
        return fut
    return w
@gen.coroutine
@retry
def below():
    yield gen.sleep(1)
@timed
async def above():
    await asyncio.sleep(1)
@property
@gen.coroutine
def prop(self):
    yield gen.sleep(1)
""",
        },
    ),
    (
        "try, except, finally and with around a return",
        """\
from tornado import gen
@gen.coroutine
def f(db):
    try:
        yield gen.sleep(1)
        raise gen.Return(1)
    except Exception:
        db.rollback()
    finally:
        db.close()
@gen.coroutine
def g(db):
    with db.transaction():
        raise gen.Return(1)
@gen.coroutine
def h(db):
    try:
        raise gen.Return(1)
    finally:
        yield gen.sleep(1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
@gen.coroutine
def f(db):
    try:
        yield gen.sleep(1)
        raise gen.Return(1)
    except Exception:
        db.rollback()
    finally:
        db.close()
@gen.coroutine
def g(db):
    with db.transaction():
        raise gen.Return(1)
async def h(db):
    try:
        return 1
    finally:
        await asyncio.sleep(1)
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
async def f(db):
    try:
        await asyncio.sleep(1)
        return 1
    except Exception:
        db.rollback()
    finally:
        db.close()
async def g(db):
    with db.transaction():
        return 1
async def h(db):
    try:
        return 1
    finally:
        await asyncio.sleep(1)
""",
        },
    ),
    (
        "recursion, waited for and not",
        """\
from tornado import gen
@gen.coroutine
def fact(n):
    if n == 0:
        raise gen.Return(1)
    r = yield fact(n - 1)
    raise gen.Return(n * r)
@gen.coroutine
def spin():
    yield gen.sleep(1)
    spin()
""",
        {
            SAFE_NATIVE: """\
from tornado import gen
async def fact(n):
    if n == 0:
        return 1
    r = await fact(n - 1)
    return n * r
@gen.coroutine
def spin():
    yield gen.sleep(1)
    spin()
""",
            UNSAFE: None,
            NATIVE: """\
from tornado import gen
async def fact(n):
    if n == 0:
        return 1
    r = await fact(n - 1)
    return n * r
@gen.coroutine
def spin():
    yield gen.sleep(1)
    spin()
""",
        },
    ),
    (
        "methods of one name in classes that are not related",
        """\
from tornado import gen
class A(object):
    @gen.coroutine
    def close(self):
        yield gen.sleep(1)
class B(object):
    def close(self):
        return 1
def use(x, b: B):
    x.close()
    b.close()
class C(object):
    def __init__(self):
        self.a = A()
    def go(self):
        self.a.close()
""",
        {SAFE_NATIVE: None, UNSAFE: None, NATIVE: None},
    ),
    (
        "multiple inheritance",
        """\
from tornado import gen
class A(object):
    @gen.coroutine
    def run(self):
        yield gen.sleep(1)
class B(object):
    def run(self):
        pass
class C(B, A):
    pass
@gen.coroutine
def main(c):
    yield C().run()
    B().run()
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: None,
            NATIVE: """\
import asyncio
from tornado import gen
class A(object):
    async def run(self):
        await asyncio.sleep(1)
class B(object):
    def run(self):
        pass
class C(B, A):
    pass
@gen.coroutine
def main(c):
    yield C().run()
    B().run()
""",
        },
    ),
    (
        "lambdas and partials",
        """\
from tornado import gen
from tornado.ioloop import IOLoop
from functools import partial
@gen.coroutine
def f(x=1):
    yield gen.sleep(1)
fs = [lambda: f()]
def main():
    IOLoop.current().run_sync(lambda: f(2))
    IOLoop.current().add_callback(partial(f, 2))
@gen.coroutine
def g():
    yield gen.sleep(1)
IOLoop.current().run_sync(partial(g))
IOLoop.current().run_sync(lambda: g())
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
from tornado.ioloop import IOLoop
from functools import partial
@gen.coroutine
def f(x=1):
    yield gen.sleep(1)
fs = [lambda: f()]
def main():
    IOLoop.current().run_sync(lambda: f(2))
    IOLoop.current().add_callback(partial(f, 2))
async def g():
    await asyncio.sleep(1)
IOLoop.current().run_sync(partial(g))
IOLoop.current().run_sync(lambda: g())
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
from tornado import gen
from tornado.ioloop import IOLoop
from functools import partial
@gen.coroutine
def f(x=1):
    yield gen.sleep(1)
fs = [lambda: f()]
def main():
    IOLoop.current().run_sync(lambda: f(2))
    IOLoop.current().add_callback(partial(f, 2))
async def g():
    await asyncio.sleep(1)
IOLoop.current().run_sync(partial(g))
IOLoop.current().run_sync(lambda: g())
""",
        },
    ),
    (
        "yields in conditions and expressions",
        """\
from tornado import gen
@gen.coroutine
def a():
    yield gen.sleep(1)
@gen.coroutine
def f(x):
    if (yield a()) and not (yield a()):
        return
    y = (yield a()) or (yield a())
    z = [i for i in (yield gen.multi([a(), a()]))]
    d = (yield a())['x'].y
    w = -(yield a())
    p = 2 ** (yield a())
    s = "%s" % (yield a())
    t = x if (yield a()) else 1
    while (yield a()):
        pass
    assert (yield a()), "x"
    yield a(), a()
    print((yield a()), (yield [a(), a()]), *(yield [a()]))
    e = (yield a())()
    f = f'{1}'
    return (yield a())
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen
async def a():
    await asyncio.sleep(1)
async def f(x):
    if await a() and not await a():
        return
    y = await a() or await a()
    z = [i for i in await gen.multi([a(), a()])]
    d = (await a())['x'].y
    w = -await a()
    p = 2 ** (await a())
    s = "%s" % await a()
    t = x if await a() else 1
    while await a():
        pass
    assert await a(), "x"
    await gen.multi((a(), a()))
    print(await a(), await gen.multi([a(), a()]), *await gen.multi([a()]))
    e = (await a())()
    f = f'{1}'
    return await a()
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
from tornado import gen
async def a():
    await asyncio.sleep(1)
async def f(x):
    if await a() and not await a():
        return
    y = await a() or await a()
    z = [i for i in await gen.multi([a(), a()])]
    d = (await a())['x'].y
    w = -await a()
    p = 2 ** (await a())
    s = "%s" % await a()
    t = x if await a() else 1
    while await a():
        pass
    assert await a(), "x"
    await gen.multi((a(), a()))
    print(await a(), await gen.multi([a(), a()]), *await gen.multi([a()]))
    e = (await a())()
    f = f'{1}'
    return await a()
""",
        },
    ),
    (
        "a name in a string",
        """\
from tornado import gen
class A(object):
    @gen.coroutine
    def work(self):
        yield gen.sleep(1)
def go(a, n='work'):
    getattr(a, n)()
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: None,
            NATIVE: """\
import asyncio
class A(object):
    async def work(self):
        await asyncio.sleep(1)
def go(a, n='work'):
    getattr(a, n)()
""",
        },
    ),
    (
        "results that are kept",
        """\
from tornado import gen
from tornado.concurrent import Future
@gen.coroutine
def a():
    yield gen.sleep(1)
@gen.coroutine
def f(self):
    fut = a()
    self.x = a()
    fs = [a() for _ in range(3)]
    yield fut
    yield fs
@gen.coroutine
def ok(self):
    fut = Future()
    fut.set_result(1)
    yield fut
""",
        {
            SAFE_NATIVE: """\
from tornado import gen
from tornado.concurrent import Future
@gen.coroutine
def a():
    yield gen.sleep(1)
async def f(self):
    fut = a()
    self.x = a()
    fs = [a() for _ in range(3)]
    await fut
    await gen.multi(fs)
async def ok(self):
    fut = Future()
    fut.set_result(1)
    await fut
""",
            UNSAFE: None,
            NATIVE: """\
from tornado import gen
from tornado.concurrent import Future
@gen.coroutine
def a():
    yield gen.sleep(1)
async def f(self):
    fut = a()
    self.x = a()
    fs = [a() for _ in range(3)]
    await fut
    await gen.multi(fs)
async def ok(self):
    fut = Future()
    fut.set_result(1)
    await fut
""",
        },
    ),
    (
        "a function that is handed on",
        """\
from tornado import gen
@gen.engine
def save(x, callback=None):
    yield gen.sleep(1)
    if callback is not None:
        callback(x)
def other():
    save(1)
    save(2, callback=print)
    cb = save
    yield gen.Task(save, 2)
""",
        {SAFE_NATIVE: None, UNSAFE: None, NATIVE: None},
    ),
    (
        "callbacks called elsewhere than at the end",
        """\
from tornado import gen
@gen.engine
def save(x, callback):
    yield gen.sleep(1)
    def inner():
        callback(x)
    inner()
@gen.engine
def twice(x, callback):
    callback(1)
    yield gen.sleep(1)
    callback(2)
@gen.engine
def loop(xs, callback):
    for x in xs:
        callback(x)
""",
        {SAFE_NATIVE: None, UNSAFE: None, NATIVE: None},
    ),
    (
        "callbacks with something behind them",
        """\
from tornado import web, httpclient
class H(web.RequestHandler):
    @web.asynchronous
    def get(self):
        c = httpclient.AsyncHTTPClient()
        c.fetch("x", self.done)
        self.count = 1
    def done(self, r):
        self.finish(str(self.count))
class G(web.RequestHandler):
    @web.asynchronous
    def get(self):
        c = httpclient.AsyncHTTPClient()
        c.fetch("x", self.done)
    def done(self, r):
        if r.code == 200:
            self.finish("a")
        # else waits for more
def plain():
    c = httpclient.AsyncHTTPClient()
    c.fetch("x", print)
    return 1
def early(x):
    c = httpclient.AsyncHTTPClient()
    for u in x:
        c.fetch(u, callback=lambda r: print(u, r))
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: """\
from tornado import web, httpclient
from tornado.ioloop import IOLoop
class H(web.RequestHandler):
    @web.asynchronous
    def get(self):
        c = httpclient.AsyncHTTPClient()
        c.fetch("x", self.done)
        self.count = 1
    def done(self, r):
        self.finish(str(self.count))
class G(web.RequestHandler):
    @web.asynchronous
    def get(self):
        c = httpclient.AsyncHTTPClient()
        c.fetch("x", self.done)
    def done(self, r):
        if r.code == 200:
            self.finish("a")
        # else waits for more
def plain():
    c = httpclient.AsyncHTTPClient()
    IOLoop.current().add_future(
        c.fetch("x", raise_error=False), lambda future: print(future.result())
    )
    return 1
def early(x):
    c = httpclient.AsyncHTTPClient()
    for u in x:
        IOLoop.current().add_future(
            c.fetch(u), lambda future: (lambda r: print(u, r))(future.result())
        )
""",
            NATIVE: """\
from tornado import web, httpclient
from tornado.ioloop import IOLoop
class H(web.RequestHandler):
    @web.asynchronous
    def get(self):
        c = httpclient.AsyncHTTPClient()
        c.fetch("x", self.done)
        self.count = 1
    def done(self, r):
        self.finish(str(self.count))
class G(web.RequestHandler):
    @web.asynchronous
    def get(self):
        c = httpclient.AsyncHTTPClient()
        c.fetch("x", self.done)
    def done(self, r):
        if r.code == 200:
            self.finish("a")
        # else waits for more
def plain():
    c = httpclient.AsyncHTTPClient()
    IOLoop.current().add_future(
        c.fetch("x", raise_error=False), lambda future: print(future.result())
    )
    return 1
def early(x):
    c = httpclient.AsyncHTTPClient()
    for u in x:
        IOLoop.current().add_future(
            c.fetch(u), lambda future: (lambda r: print(u, r))(future.result())
        )
""",
        },
    ),
    (
        "what a callback is when it is called",
        """\
from tornado import httpclient
from functools import partial
def start(urls, cbs, future):
    c = httpclient.AsyncHTTPClient()
    for u, cb in zip(urls, cbs):
        c.fetch(u, callback=cb)
    for u in urls:
        c.fetch(u, callback=partial(print, u))
    c.fetch("x", callback=lambda r: future.set_result(r))
    print(1)
def tail(cb):
    httpclient.AsyncHTTPClient().fetch("u", callback=cb)
def tail2():
    response = 1
    def inner(): return response
    httpclient.AsyncHTTPClient().fetch("u", callback=lambda response: print(response))
def tail3():
    httpclient.AsyncHTTPClient().fetch("u", callback=lambda response: print(response.body))
class S:
    def go(self, stream):
        stream.read_until(b"x", self.on_x)
    def on_x(self, d):
        self.stream.write(d, self.done)
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: """\
from tornado import httpclient, gen
from tornado.ioloop import IOLoop
from functools import partial
def start(urls, cbs, future):
    c = httpclient.AsyncHTTPClient()
    for u, cb in zip(urls, cbs):
        IOLoop.current().add_future(
            c.fetch(u, raise_error=False),
            lambda future, callback=cb: callback(future.result()),
        )
    for u in urls:
        IOLoop.current().add_future(
            c.fetch(u, raise_error=False),
            lambda future, callback=partial(print, u): callback(future.result()),
        )
    IOLoop.current().add_future(
        c.fetch("x"),
        lambda done_future: (lambda r: future.set_result(r))(done_future.result()),
    )
    print(1)
@gen.coroutine
def tail(cb):
    cb((yield httpclient.AsyncHTTPClient().fetch("u", raise_error=False)))
def tail2():
    response = 1
    def inner(): return response
    IOLoop.current().add_future(
        httpclient.AsyncHTTPClient().fetch("u"),
        lambda future: (lambda response: print(response))(future.result()),
    )
@gen.coroutine
def tail3():
    response = yield httpclient.AsyncHTTPClient().fetch("u")
    print(response.body)
class S:
    @gen.coroutine
    def go(self, stream):
        self.on_x((yield stream.read_until(b"x")))
    def on_x(self, d):
        IOLoop.current().add_future(
            self.stream.write(d),
            lambda future, callback=self.done: (future.result(), callback()),
        )
""",
            NATIVE: """\
from tornado import httpclient
from tornado.ioloop import IOLoop
from functools import partial
def start(urls, cbs, future):
    c = httpclient.AsyncHTTPClient()
    for u, cb in zip(urls, cbs):
        IOLoop.current().add_future(
            c.fetch(u, raise_error=False),
            lambda future, callback=cb: callback(future.result()),
        )
    for u in urls:
        IOLoop.current().add_future(
            c.fetch(u, raise_error=False),
            lambda future, callback=partial(print, u): callback(future.result()),
        )
    IOLoop.current().add_future(
        c.fetch("x"),
        lambda done_future: (lambda r: future.set_result(r))(done_future.result()),
    )
    print(1)
async def tail(cb):
    cb(await httpclient.AsyncHTTPClient().fetch("u", raise_error=False))
def tail2():
    response = 1
    def inner(): return response
    IOLoop.current().add_future(
        httpclient.AsyncHTTPClient().fetch("u"),
        lambda future: (lambda response: print(response))(future.result()),
    )
async def tail3():
    response = await httpclient.AsyncHTTPClient().fetch("u")
    print(response.body)
class S:
    async def go(self, stream):
        self.on_x(await stream.read_until(b"x"))
    def on_x(self, d):
        IOLoop.current().add_future(
            self.stream.write(d),
            lambda future, callback=self.done: (future.result(), callback()),
        )
""",
        },
    ),
    (
        "what Tornado calls",
        """\
from tornado import web, gen
class H(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(1)
    post = get
class F(web.RequestHandler):
    @gen.coroutine
    def on_finish(self):
        yield gen.sleep(1)
    @gen.coroutine
    def get_current_user(self):
        yield gen.sleep(1)
    @web.authenticated
    @gen.coroutine
    def put(self):
        x = yield self.helper()
        self.finish(x)
    @gen.coroutine
    def helper(self):
        raise gen.Return(1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import web, gen
class H(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(1)
    post = get
class F(web.RequestHandler):
    @gen.coroutine
    def on_finish(self):
        yield gen.sleep(1)
    @gen.coroutine
    def get_current_user(self):
        yield gen.sleep(1)
    @web.authenticated
    async def put(self):
        x = await self.helper()
        self.finish(x)
    async def helper(self):
        return 1
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
from tornado import web, gen
class H(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(1)
    post = get
class F(web.RequestHandler):
    @gen.coroutine
    def on_finish(self):
        yield gen.sleep(1)
    @gen.coroutine
    def get_current_user(self):
        yield gen.sleep(1)
    @web.authenticated
    async def put(self):
        x = await self.helper()
        self.finish(x)
    async def helper(self):
        return 1
""",
        },
    ),
    (
        "two classes of one name",
        """\
from concurrent.futures import Future
from tornado.concurrent import TracebackFuture
a = Future(); b = TracebackFuture()
""",
        {
            SAFE_NATIVE: """\
from concurrent.futures import Future
from tornado.concurrent import Future as tornado_Future
a = Future(); b = tornado_Future()
""",
            UNSAFE: """\
from concurrent.futures import Future
from tornado.concurrent import Future as tornado_Future
a = Future(); b = tornado_Future()
""",
            NATIVE: """\
from concurrent.futures import Future
from tornado.concurrent import Future as tornado_Future
a = Future(); b = tornado_Future()
""",
        },
    ),
    (
        "several statements on a line",
        """\
from tornado import gen
if True: raise SystemExit
@gen.coroutine
def f(): yield gen.sleep(1); raise gen.Return(2)
@gen.coroutine
def g(x):
    if x: raise gen.Return(1)
    yield gen.sleep(1)
    raise gen.Return(
        {"a": 1,
         "b": 2}
    )
@gen.coroutine
def h(x):
    yield gen.sleep(1)
    raise gen.Return
@gen.coroutine
def i(x):
    yield gen.sleep(1)
    raise gen.Return(value=x)
@gen.coroutine
def j(x):
    raise gen.Return(x
        + 1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
if True: raise SystemExit
async def f(): await asyncio.sleep(1); return 2
async def g(x):
    if x: return 1
    await asyncio.sleep(1)
    return {"a": 1,
         "b": 2}
async def h(x):
    await asyncio.sleep(1)
    return
async def i(x):
    await asyncio.sleep(1)
    return x
async def j(x):
    return (x
        + 1)
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
if True: raise SystemExit
async def f(): await asyncio.sleep(1); return 2
async def g(x):
    if x: return 1
    await asyncio.sleep(1)
    return {"a": 1,
         "b": 2}
async def h(x):
    await asyncio.sleep(1)
    return
async def i(x):
    await asyncio.sleep(1)
    return x
async def j(x):
    return (x
        + 1)
""",
        },
    ),
    (
        "what gen.Task calls",
        """\
from tornado import gen, ioloop, web
import datetime, time
@gen.coroutine
def f(self, loop, deadline):
    yield gen.Task(ioloop.IOLoop.current().add_timeout, datetime.timedelta(milliseconds=5))
    yield gen.Task(ioloop.IOLoop.instance().add_timeout, time.time() + 5)
    yield gen.Task(ioloop.IOLoop.instance().add_timeout, 5 + time.time())
    yield gen.Task(ioloop.IOLoop.instance().add_timeout, deadline)
    yield gen.Task(ioloop.IOLoop.instance().call_later, deadline)
    yield [gen.Task(unknown, 1), gen.Task(self.flush)]
class H(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.Task(self.flush)
        r = yield gen.Task(httpclient.AsyncHTTPClient().fetch, "x", method="GET")
""",
        {
            SAFE_NATIVE: """\
from tornado import gen, ioloop, web
import datetime
@gen.coroutine
def f(self, loop, deadline):
    yield gen.sleep(datetime.timedelta(milliseconds=5).total_seconds())
    yield gen.sleep(5)
    yield gen.sleep(5)
    yield gen.Task(ioloop.IOLoop.current().add_timeout, deadline)
    yield gen.sleep(deadline)
    yield [gen.Task(unknown, 1), gen.Task(self.flush)]
class H(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield self.flush()
        r = yield gen.Task(httpclient.AsyncHTTPClient().fetch, "x", method="GET")
""",
            UNSAFE: """\
from tornado import gen, ioloop, web
import datetime
@gen.coroutine
def f(self, loop, deadline):
    yield gen.sleep(datetime.timedelta(milliseconds=5).total_seconds())
    yield gen.sleep(5)
    yield gen.sleep(5)
    yield gen.Task(ioloop.IOLoop.current().add_timeout, deadline)
    yield gen.sleep(deadline)
    yield [gen.Task(unknown, 1), self.flush()]
class H(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield self.flush()
        r = yield httpclient.AsyncHTTPClient().fetch("x", method="GET")
""",
            NATIVE: """\
from tornado import gen, ioloop, web
import datetime
@gen.coroutine
def f(self, loop, deadline):
    yield gen.sleep(datetime.timedelta(milliseconds=5).total_seconds())
    yield gen.sleep(5)
    yield gen.sleep(5)
    yield gen.Task(ioloop.IOLoop.current().add_timeout, deadline)
    yield gen.sleep(deadline)
    yield [gen.Task(unknown, 1), self.flush()]
class H(web.RequestHandler):
    async def get(self):
        await self.flush()
        r = await httpclient.AsyncHTTPClient().fetch("x", method="GET")
""",
        },
    ),
    (
        "gen.Callback and gen.Wait",
        """\
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
@gen.engine
def f(http):
    http = AsyncHTTPClient()
    http.fetch("a", callback=(yield gen.Callback("a")))
    http.fetch("b", callback=(yield gen.Callback("b")))
    a, b = yield gen.WaitAll(["a", "b"])
    other(1, (yield gen.Callback("k")))
    x = yield gen.Wait("k")
    print(a, b, x)
@gen.coroutine
def g():
    for i in range(3):
        other(callback=(yield gen.Callback(i)))
    yield [gen.Wait(i) for i in range(3)]
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: """\
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.concurrent import Future
@gen.coroutine
def f(http):
    http = AsyncHTTPClient()
    a_future = http.fetch("a")
    b_future = http.fetch("b")
    a, b = yield [a_future, b_future]
    k = Future()
    other(1, k.set_result)
    x = yield k
    print(a, b, x)
@gen.coroutine
def g():
    for i in range(3):
        other(callback=(yield gen.Callback(i)))
    yield [gen.Wait(i) for i in range(3)]
""",
            NATIVE: """\
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.concurrent import Future
async def f(http):
    http = AsyncHTTPClient()
    a_future = http.fetch("a")
    b_future = http.fetch("b")
    a, b = await gen.multi([a_future, b_future])
    k = Future()
    other(1, k.set_result)
    x = await k
    print(a, b, x)
@gen.coroutine
def g():
    for i in range(3):
        other(callback=(yield gen.Callback(i)))
    yield [gen.Wait(i) for i in range(3)]
""",
        },
    ),
    (
        "return_future",
        """\
from tornado.concurrent import return_future
from tornado.ioloop import IOLoop
@return_future
def later(x, callback):
    \"\"\"Later.\"\"\"
    IOLoop.current().call_later(1, lambda: callback(x))
@return_future
def now(x, callback=None):
    if x:
        callback(1)
    else:
        callback(2)
def user():
    later(1, callback=print)
    now(2)
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: """\
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado import gen
def later(x):
    \"\"\"Later.\"\"\"
    future = Future()
    IOLoop.current().call_later(1, lambda: future.set_result(x))
    return future
@gen.coroutine
def now(x):
    if x:
        return 1
    else:
        return 2
def user():
    IOLoop.current().add_future(later(1), lambda future: print(future.result()))
    now(2)
""",
            NATIVE: """\
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado import gen
def later(x):
    \"\"\"Later.\"\"\"
    future = Future()
    IOLoop.current().call_later(1, lambda: future.set_result(x))
    return future
@gen.coroutine
def now(x):
    if x:
        return 1
    else:
        return 2
def user():
    IOLoop.current().add_future(later(1), lambda future: print(future.result()))
    now(2)
""",
        },
    ),
    (
        "a base whose method is no coroutine",
        """\
from tornado import gen
class Base(object):
    def close(self):
        pass
    def stop(self):
        self.close()
    def leave(self):
        self.close()
class Derived(Base):
    @gen.coroutine
    def close(self):
        yield gen.sleep(1)
    @gen.coroutine
    def stop(self):
        yield self.close()
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: None,
            NATIVE: """\
from tornado import gen
class Base(object):
    def close(self):
        pass
    def stop(self):
        self.close()
    def leave(self):
        self.close()
class Derived(Base):
    @gen.coroutine
    def close(self):
        yield gen.sleep(1)
    async def stop(self):
        await self.close()
""",
        },
    ),
    (
        "letters of more than one byte",
        """\
from tornado import gen
@gen.coroutine
def a():
    yield gen.sleep(1)
@gen.coroutine
def f():
    x = yield a()
    print("é", (yield a()), "ü", (yield a()))
    return f"{x}"
""",
        {
            SAFE_NATIVE: """\
import asyncio
async def a():
    await asyncio.sleep(1)
async def f():
    x = await a()
    print("é", await a(), "ü", await a())
    return f"{x}"
""",
            UNSAFE: None,
            NATIVE: """\
import asyncio
async def a():
    await asyncio.sleep(1)
async def f():
    x = await a()
    print("é", await a(), "ü", await a())
    return f"{x}"
""",
        },
    ),
    (
        "threads and their Futures",
        """\
import threading
from concurrent.futures import Future
from tornado import gen
from tornado.ioloop import IOLoop
def work():
    IOLoop.instance().add_callback(print)
def other():
    IOLoop.instance().add_callback(print)
threading.Thread(target=work).start()
@gen.coroutine
def main(pool):
    future = Future()
    other = pool.submit(print)
    x = yield future
    yield other
@gen.coroutine
def third(pool):
    yield pool.submit(print, 1)
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: """\
import threading
from concurrent.futures import Future
from tornado import gen
from tornado.ioloop import IOLoop
def work():
    IOLoop.instance().add_callback(print)
def other():
    IOLoop.current().add_callback(print)
threading.Thread(target=work).start()
@gen.coroutine
def main(pool):
    future = Future()
    other = pool.submit(print)
    x = yield future
    yield other
@gen.coroutine
def third(pool):
    yield pool.submit(print, 1)
""",
            NATIVE: """\
import threading
from concurrent.futures import Future
from tornado import gen
from tornado.ioloop import IOLoop
def work():
    IOLoop.instance().add_callback(print)
def other():
    IOLoop.current().add_callback(print)
threading.Thread(target=work).start()
@gen.coroutine
def main(pool):
    future = Future()
    other = pool.submit(print)
    x = yield future
    yield other
async def third(pool):
    await IOLoop.current().run_in_executor(pool, print, 1)
""",
        },
    ),
    (
        "whether the request is answered",
        """\
from tornado import gen, web
class A(web.RequestHandler):
    @web.asynchronous
    @gen.engine
    def get(self):
        yield gen.sleep(1)
        self.finish("x")
    @web.asynchronous
    @gen.engine
    def post(self):
        yield gen.sleep(1)
        if self.request.body:
            self.finish("x")
    @web.asynchronous
    def put(self):
        if not self.request.body:
            raise web.HTTPError(400)
        self.render("x")
    @web.asynchronous
    def delete(self):
        try:
            self.write("x")
        finally:
            self.finish()
    @gen.coroutine
    @web.asynchronous
    def head(self):
        yield gen.sleep(1)
""",
        {
            SAFE_NATIVE: """\
import asyncio
from tornado import gen, web
class A(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(1)
        self.finish("x")
    @web.asynchronous
    @gen.engine
    def post(self):
        yield gen.sleep(1)
        if self.request.body:
            self.finish("x")
    def put(self):
        if not self.request.body:
            raise web.HTTPError(400)
        self.render("x")
    def delete(self):
        try:
            self.write("x")
        finally:
            self.finish()
    @gen.coroutine
    @web.asynchronous
    def head(self):
        yield gen.sleep(1)
""",
            UNSAFE: """\
from tornado import gen, web
class A(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(1)
        self.finish("x")
    @gen.coroutine
    def post(self):
        yield gen.sleep(1)
        if self.request.body:
            self.finish("x")
    def put(self):
        if not self.request.body:
            raise web.HTTPError(400)
        self.render("x")
    def delete(self):
        try:
            self.write("x")
        finally:
            self.finish()
    @gen.coroutine
    @web.asynchronous
    def head(self):
        yield gen.sleep(1)
""",
            NATIVE: """\
import asyncio
from tornado import gen, web
class A(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(1)
        self.finish("x")
    async def post(self):
        await asyncio.sleep(1)
        if self.request.body:
            self.finish("x")
    def put(self):
        if not self.request.body:
            raise web.HTTPError(400)
        self.render("x")
    def delete(self):
        try:
            self.write("x")
        finally:
            self.finish()
    @gen.coroutine
    @web.asynchronous
    def head(self):
        yield gen.sleep(1)
""",
        },
    ),
    (
        "a callback that becomes the result",
        """\
from tornado import gen
class Store(object):
    @gen.engine
    def load(self, key, callback, default=None):
        yield gen.sleep(1)
        callback(key)
    @gen.engine
    def save(self, key, callback=None):
        yield gen.sleep(1)
        if not key:
            if callback:
                callback(None)
            return
        self.keys = key
        if callback:
            callback(key)
def use(store: Store):
    store.save(1)
    store.save(2, callback=print)
    return store
@gen.coroutine
def wait(store: Store):
    x = yield gen.Task(store.save, 3)
""",
        {
            SAFE_NATIVE: None,
            UNSAFE: """\
from tornado import gen
from tornado.ioloop import IOLoop
class Store(object):
    @gen.engine
    def load(self, key, callback, default=None):
        yield gen.sleep(1)
        callback(key)
    @gen.coroutine
    def save(self, key):
        yield gen.sleep(1)
        if not key:
            return None
        self.keys = key
        return key
def use(store: Store):
    store.save(1)
    IOLoop.current().add_future(store.save(2), lambda future: print(future.result()))
    return store
@gen.coroutine
def wait(store: Store):
    x = yield store.save(3)
""",
            NATIVE: """\
from tornado import gen
from tornado.ioloop import IOLoop
class Store(object):
    @gen.engine
    def load(self, key, callback, default=None):
        yield gen.sleep(1)
        callback(key)
    @gen.coroutine
    def save(self, key):
        yield gen.sleep(1)
        if not key:
            return None
        self.keys = key
        return key
def use(store: Store):
    store.save(1)
    IOLoop.current().add_future(store.save(2), lambda future: print(future.result()))
    return store
async def wait(store: Store):
    x = await store.save(3)
""",
        },
    ),
    (
        "branches for old releases",
        """\
import tornado
from tornado import gen
try:
    from tornado import stack_context
except ImportError:
    stack_context = None
if tornado.version_info[0] < 5:
    from tornado.concurrent import TracebackFuture as Future
else:
    from tornado.concurrent import Future
@gen.coroutine
def f():
    if hasattr(gen, "Task"):
        yield gen.Task(print)
""",
        {SAFE_NATIVE: None, UNSAFE: None, NATIVE: None},
    ),
]


@pytest.mark.parametrize(("source", "results"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_an_adversary_tried(tmp_path, monkeypatch, source, results):
    monkeypatch.chdir(tmp_path)
    hold_against(tmp_path / "app.py", source, results)


def hold_against(path, source, results):
    """Fix a program, with each ladder, and compare; a second time nothing changes, and no call is left un-awaited."""
    for (unsafe, native), expected in results.items():
        path.write_text(source)
        options = Options(unsafe=unsafe, choice=Choice(native=native), markers=False, strict=True)
        outcome = fix([path], options)
        made = outcome.after.get(path.name, source.encode()).decode()
        assert made == (source if expected is None else expected)
        path.write_text(made)
        assert fix([path], options).changed == []
        assert unawaited([path]) == []
