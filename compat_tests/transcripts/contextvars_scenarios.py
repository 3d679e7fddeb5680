"""Context variables across coroutines, on Tornado 4.5.3, which knows nothing of them: all is one context there."""

import contextvars

from tornado import gen, web
from tornado.ioloop import IOLoop
from tornado.testing import AsyncHTTPTestCase

variable = contextvars.ContextVar("variable", default="-")


@gen.coroutine
def set_wait_reset():
    token = variable.set("in")
    yield gen.sleep(0.001)
    seen = variable.get()
    variable.reset(token)
    raise gen.Return((seen, variable.get()))


@gen.engine
def engine_set_wait_reset(done):
    token = variable.set("in")
    loop = IOLoop.current()
    yield gen.Task(loop.add_timeout, loop.time() + 0.001)
    try:
        variable.reset(token)
    except ValueError:
        done("ValueError")
    else:
        done("ok")


async def native(function):
    return await function()


def a_token_is_valid_behind_a_yield(record):
    loop = IOLoop.current()
    record("run_sync", loop.run_sync(set_wait_reset))

    @gen.coroutine
    def nested():
        yield gen.moment
        raise gen.Return((yield set_wait_reset()))

    record("nested", loop.run_sync(nested))
    record("native", loop.run_sync(lambda: native(set_wait_reset)))


def a_token_is_valid_in_an_engine(record):
    loop = IOLoop.current()

    def done(outcome):
        record(outcome)
        loop.stop()

    for start in (loop.add_callback, loop.spawn_callback):
        start(engine_set_wait_reset, done)
        loop.start()


def two_tokens_in_one_coroutine(record):
    @gen.coroutine
    def run():
        first = variable.set("first")
        yield gen.moment
        second = variable.set("second")
        yield gen.moment
        record(variable.get())
        variable.reset(second)
        record(variable.get())
        yield gen.moment
        variable.reset(first)
        record(variable.get())

    IOLoop.current().run_sync(run)


def the_caller_sees_what_the_first_step_has_set(record):
    @gen.coroutine
    def child():
        variable.set("child")
        yield gen.moment

    @gen.coroutine
    def parent():
        waiting = child()
        record(variable.get())
        yield waiting
        record(variable.get())

    contextvars.copy_context().run(IOLoop.current().run_sync, parent)


def when_it_ends_its_caller_sees_what_it_has_undone(record):
    @gen.coroutine
    def parent():
        record(variable.get())
        yield set_wait_reset()
        record(variable.get())
        token = variable.set("parent")
        yield set_wait_reset()
        record(variable.get())
        yield [set_wait_reset(), set_wait_reset()]
        variable.reset(token)
        record(variable.get())

    contextvars.copy_context().run(IOLoop.current().run_sync, parent)


def a_native_caller_sees_it_too(record):
    async def parent():
        await set_wait_reset()
        record(variable.get())
        variable.set("parent")
        await set_wait_reset()
        record(variable.get())

    contextvars.copy_context().run(IOLoop.current().run_sync, parent)


def two_that_share_a_context_resume_each_other(record):
    """One runs the callback that the other waits for."""

    @gen.engine
    def waiter(name, hold):
        token = variable.set(name)
        yield gen.Task(hold)
        record(name, variable.get())
        try:
            variable.reset(token)
        except ValueError:
            record("ValueError")

    @gen.coroutine
    def parent():
        held = []
        waiter("a", lambda callback: held.append(callback))
        yield gen.moment
        yield gen.moment
        held[0](None)
        record("parent goes on")

    IOLoop.current().run_sync(parent)


class _Handler(web.RequestHandler):
    seen = []

    def _log(self):
        """Not the access line: it has the time that the request took."""

    @gen.coroutine
    def prepare(self):
        self.token = variable.set("prepare")
        yield gen.moment
        self.seen.append(variable.get())
        self.second = variable.set("prepare, later")

    @gen.coroutine
    def get(self):
        self.seen.append(variable.get())
        yield gen.moment
        self.seen.append(variable.get())

    def on_finish(self):
        self.seen.append(variable.get())
        variable.reset(self.second)
        variable.reset(self.token)
        self.seen.append(variable.get())


class _Request(AsyncHTTPTestCase):
    def get_app(self):
        return web.Application([("/", _Handler)])

    def runTest(self):
        self.status = self.fetch("/").code


def one_request_has_one_context(record):
    del _Handler.seen[:]
    case = _Request()
    case.debug()
    record(case.status)
    for seen in _Handler.seen:
        record(seen)
