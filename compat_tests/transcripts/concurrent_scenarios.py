"""tornado.concurrent."""
import sys

from tornado import concurrent, gen
from tornado.concurrent import Future, TracebackFuture, chain_future, dummy_executor, return_future, run_on_executor
from tornado.ioloop import IOLoop


def spin(seconds=0.01):
    loop = IOLoop.current()
    loop.call_later(seconds, loop.stop)
    loop.start()


def callbacks_run_at_once_in_order(record):
    future = Future()
    future.add_done_callback(lambda f: record("one", f.result()))
    future.add_done_callback(lambda f: record("two"))
    record("before")
    future.set_result(1)
    record("after")
    future.add_done_callback(lambda f: record("late"))
    record("end")


def callback_failure(record):
    future = Future()

    def bad(f):
        raise ValueError("in the callback")

    future.add_done_callback(bad)
    future.add_done_callback(lambda f: record("next one runs"))
    future.set_result(1)
    record("after")


def callback_failure_on_done(record):
    future = Future()
    future.set_result(1)

    def bad(f):
        raise ValueError("at once")

    try:
        future.add_done_callback(bad)
    except ValueError as e:
        record(e)


def cancel_does_nothing(record):
    future = Future()
    record(future.cancel(), future.cancelled(), future.running(), future.done())
    future.set_result(1)
    record(future.cancel(), future.cancelled(), future.running(), future.done())


def result_before_it_is_done(record):
    future = Future()
    for method in (future.result, future.exception):
        try:
            record(method())
        except Exception as e:
            record(e)


def results(record):
    future = Future()
    future.set_result("x")
    record(future.result(), future.result(timeout=1), future.exception(), future.exc_info())
    future = Future()
    future.set_exception(KeyError("k"))
    record(future.exception(), future.exc_info()[0])
    try:
        future.result()
    except KeyError as e:
        record(e)


def set_twice(record):
    future = Future()
    future.set_result(1)
    try:
        future.set_result(2)
    except Exception as e:
        record(e)
    record(future.result())


def set_exc_info(record):
    future = TracebackFuture()
    try:
        1 / 0
    except ZeroDivisionError:
        future.set_exc_info(sys.exc_info())
    record(future.exc_info()[0], future.exc_info()[2] is not None, future.exception())
    record(TracebackFuture is Future)


def is_future(record):
    import concurrent.futures

    from tornado import concurrent as ours
    record([ours.is_future(x) for x in (Future(), concurrent.futures.Future(), 1, None, gen.moment)])


def chained(record):
    a, b = Future(), Future()
    chain_future(a, b)
    record(b.done())
    a.set_result(3)
    record(b.result())
    a, b = Future(), Future()
    chain_future(a, b)
    a.set_exception(ValueError("v"))
    record(b.exception())


def chained_already_done(record):
    a, b = Future(), Future()
    b.set_result("mine")
    chain_future(a, b)
    a.set_result("other")
    record(b.result())


def dummy_executor_runs_at_once(record):
    future = dummy_executor.submit(lambda a, b=1: a + b, 2, b=3)
    record(future.done(), future.result())
    future = dummy_executor.submit(lambda: 1 / 0)
    record(future.exception())
    record(dummy_executor.shutdown())


class Worker(object):
    def __init__(self):
        self.executor = dummy_executor
        self.io_loop = IOLoop.current()
        self.other = dummy_executor

    @run_on_executor
    def double(self, n):
        """Doubles."""
        return n * 2

    @run_on_executor(executor="other")
    def fail(self):
        raise ValueError("worker")


def run_on_executor_future(record):
    worker = Worker()
    record(IOLoop.current().run_sync(lambda: worker.double(4)))
    record(Worker.double.__name__, Worker.double.__doc__)
    try:
        IOLoop.current().run_sync(worker.fail)
    except ValueError as e:
        record(e)


def run_on_executor_callback(record):
    worker = Worker()
    worker.double(5, callback=lambda value: (record("got", value), IOLoop.current().stop()))
    IOLoop.current().start()


def run_on_executor_bad_arguments(record):
    for args, kwargs in (((1,), {}), ((), {"wrong": "x"})):
        try:
            record(callable(run_on_executor(*args, **kwargs)))
        except Exception as e:
            record(type(e))


@return_future
def answer(value, callback):
    callback(value)


@return_future
def answer_later(value, callback):
    IOLoop.current().add_callback(callback, value)


@return_future
def answer_nothing(callback):
    callback()


@return_future
def answer_badly(callback):
    raise ValueError("bad answer")


@return_future
def answer_and_return(callback):
    callback(1)
    return 2


def return_future_values(record):
    record(answer(3).result(), answer_nothing().result())
    record(IOLoop.current().run_sync(lambda: answer_later(4)))


def return_future_with_callback(record):
    future = answer(5, callback=lambda v: record("called", v))
    record(future.done())
    spin()


def return_future_positional_callback(record):
    answer(6, lambda v: record("called", v))
    spin()


def return_future_failure(record):
    record(answer_badly().exception())


def return_future_failure_with_callback(record):
    try:
        answer_badly(callback=lambda *a: record("not called", a))
        spin()
    except ValueError as e:
        record(e)


def return_future_returning(record):
    try:
        record(answer_and_return().result())
    except Exception as e:
        record(e)


def return_future_error_after_callback(record):
    @return_future
    def twice(callback):
        callback(1)
        raise KeyError("late")

    try:
        record(twice().result())
    except Exception as e:
        record(e)


def lost_exception(record):
    future = Future()
    future.set_exception(ValueError("nobody asked"))
    del future
    record("end")


def seen_exception(record):
    future = Future()
    future.set_exception(ValueError("asked"))
    future.exception()
    del future
    record("end")


def public_constants(record):
    record(concurrent.ReturnValueIgnoredError, issubclass(concurrent.ReturnValueIgnoredError, Exception))
    record(sorted(cls.__name__ for cls in concurrent.FUTURES) if isinstance(concurrent.FUTURES, tuple) else 0)
