"""Coroutines of the old kind, Futures, executors, stack contexts."""

import concurrent.futures
import contextlib
import datetime
import sys

from .helpers import run_sync


def waiting(t):
    def later(value, callback):
        t.ioloop.IOLoop.current().add_callback(callback, value)

    class Point(t.gen.YieldPoint):
        def start(self, runner):
            self.runner = runner

        def is_ready(self):
            return True

        def get_result(self):
            return 7

    @t.gen.engine
    def old(callback):
        later(1, (yield t.gen.Callback("a")))
        yield t.gen.Wait("a")
        later(1, (yield t.gen.Callback("a")))
        later(2, (yield t.gen.Callback("b")))
        yield t.gen.WaitAll(["a", "b"])
        yield [t.gen.Task(later, 3), t.gen.Task(later, 4)]
        yield {"x": t.gen.Task(later, 3)}
        yield t.gen.Multi([t.gen.Task(later, 3)])
        yield Point()
        result = yield t.gen.Task(lambda callback: callback(1, 2, a=3))
        result._replace(args=()), result._asdict()
        yield t.gen.YieldFuture(t.gen.sleep(0))
        try:
            yield t.gen.Task(failing)
        except ValueError:
            pass
        callback(5)

    def failing(callback):
        def fail():
            raise ValueError("x")

        t.ioloop.IOLoop.current().add_callback(fail)

    @t.gen.coroutine
    def broken():
        yield t.gen.moment
        raise KeyError("k")

    def go():
        yield t.gen.Task(old)
        with contextlib.suppress(KeyError):
            yield broken()
        yield t.gen.maybe_future(3)
        yield t.gen.maybe_future(t.gen.sleep(0))
        yield t.gen.multi_future({"a": t.gen.sleep(0)})
        yield t.gen.multi([t.gen.sleep(0)])
        t.gen.is_coroutine_function(broken)
        t.gen.convert_yielded([])
        with contextlib.suppress(t.gen.TimeoutError):
            yield t.gen.with_timeout(datetime.timedelta(milliseconds=1), t.concurrent.Future())

        class Awaited:
            def __await__(self):
                yield t.gen.sleep(0)
                return 1

        yield Awaited()

    run_sync(t, go)


def futures(t):
    class Worker:
        executor = t.concurrent.dummy_executor
        io_loop = t.ioloop.IOLoop.current()

        @t.concurrent.run_on_executor
        def work(self, n):
            return n

        @t.concurrent.return_future
        def old(self, n, callback):
            callback(n)

        @t.concurrent.return_future
        def wrong(self, callback):
            raise ValueError("wrong")

    def go():
        worker = Worker()
        yield worker.work(1)
        yield worker.old(2)
        waited = t.concurrent.Future()
        worker.old(2, callback=waited.set_result)
        yield waited
        with contextlib.suppress(ValueError):
            yield worker.wrong()
        one, other = t.concurrent.Future(), t.concurrent.Future()
        t.concurrent.chain_future(one, other)
        one.add_done_callback(lambda future: None)
        one.done(), one.cancel(), one.cancelled(), one.running()
        one.set_result(3)
        yield other
        failed = t.concurrent.Future()
        try:
            raise ValueError("x")
        except ValueError:
            failed.set_exc_info(sys.exc_info())
        failed.exception(), failed.exc_info()
        failed = t.concurrent.Future()
        failed.set_exception(ValueError("y"))
        with contextlib.suppress(ValueError):
            failed.result()
        t.concurrent.is_future(failed)
        t.concurrent.dummy_executor.shutdown()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            yield pool.submit(int)

    run_sync(t, go)

    @contextlib.contextmanager
    def context():
        yield

    caught = []

    def handle(*error):
        caught.append(error)
        return True

    def fail():
        raise ValueError("in a context")

    loop = t.ioloop.IOLoop.current()
    with t.stack_context.StackContext(context) as deactivate:
        loop.add_callback(deactivate)
        loop.add_callback(t.stack_context.wrap(lambda: None))
    with t.stack_context.ExceptionStackContext(handle) as deactivate:
        loop.add_callback(fail)
        wrapped = t.stack_context.wrap(fail)
    with t.stack_context.ExceptionStackContext(handle):
        fail()
    loop.add_callback(deactivate)
    wrapped()
    t.stack_context.run_with_stack_context(t.stack_context.StackContext(context), lambda: t.gen.moment)
    loop.add_callback(loop.stop)
    loop.start()


def run(t, folder):
    waiting(t)
    futures(t)
