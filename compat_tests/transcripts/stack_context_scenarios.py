"""tornado.stack_context."""
import contextlib
import functools

from tornado import gen, stack_context
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.stack_context import ExceptionStackContext, NullContext, StackContext, run_with_stack_context, wrap


def spin(seconds=0.01):
    loop = IOLoop.current()
    loop.call_later(seconds, loop.stop)
    loop.start()


def noisy(record, name):
    @contextlib.contextmanager
    def context():
        record("enter", name)
        try:
            yield
        finally:
            record("leave", name)

    return context


def context_follows_callbacks(record):
    with StackContext(noisy(record, "a")):
        IOLoop.current().add_callback(record, "callback")
        record("in")
    record("out")
    spin()


def nested_contexts_order(record):
    with StackContext(noisy(record, "a")):
        with StackContext(noisy(record, "b")):
            IOLoop.current().add_callback(record, "both")
        IOLoop.current().add_callback(record, "only a")
    spin()


def nested_callbacks(record):
    loop = IOLoop.current()
    with StackContext(noisy(record, "a")):
        loop.add_callback(lambda: (record("first"), loop.add_callback(record, "second")))
    spin()


def exception_context_catches(record):
    def handler(kind, value, trace):
        record("handler", kind, value, trace is not None)
        return True

    def bad():
        raise ValueError("in a callback")

    with ExceptionStackContext(handler):
        IOLoop.current().add_callback(bad)
    spin()
    record("end")


def exception_context_passes_on(record):
    def handler(kind, value, trace):
        record("handler", value)
        return False

    with ExceptionStackContext(handler):
        IOLoop.current().add_callback(lambda: 1 / 0)
    spin()


def exception_contexts_nested(record):
    def handler(name, result):
        def handle(kind, value, trace):
            record(name, value)
            return result
        return handle

    with ExceptionStackContext(handler("outer", True)):
        with ExceptionStackContext(handler("inner", False)):
            IOLoop.current().add_callback(lambda: 1 / 0)
    spin()


def exception_in_the_body(record):
    def handler(kind, value, trace):
        record("handler", value)
        return True

    with ExceptionStackContext(handler):
        raise ValueError("direct")
    record("after")


def handler_that_fails(record):
    def handler(kind, value, trace):
        raise KeyError("in the handler")

    with ExceptionStackContext(handler):
        IOLoop.current().add_callback(lambda: 1 / 0)
    spin()
    record("end")


def null_context(record):
    with StackContext(noisy(record, "a")):
        with NullContext():
            IOLoop.current().add_callback(record, "free")
        record("contexts", len(stack_context._state.contexts[0]))
    spin()


def wrap_keeps_what_was(record):
    with StackContext(noisy(record, "a")):
        wrapped = wrap(lambda x: record("called", x))
    record(wrap(wrapped) is wrapped, wrap(None))
    wrapped(3)
    with StackContext(noisy(record, "b")):
        wrapped(4)


def wrap_without_context(record):
    def function(*args, **kwargs):
        record(args, kwargs)
        return "value"

    wrapped = wrap(function)
    record(wrapped is function)
    record(wrapped(1, a=2))
    with StackContext(noisy(record, "a")):
        record(wrapped())


def wrap_returns(record):
    with StackContext(noisy(record, "a")):
        record(wrap(lambda: 7)())


def wrap_partial(record):
    with StackContext(noisy(record, "a")):
        wrapped = wrap(functools.partial(record, "partial"))
    wrapped("x")


def run_with(record):
    record(run_with_stack_context(StackContext(noisy(record, "a")), lambda: "value"))

    @gen.coroutine
    def main():
        yield run_with_stack_context(StackContext(noisy(record, "b")), inner)
        record("after")

    @gen.coroutine
    def inner():
        record("one")
        yield gen.moment
        record("two")

    IOLoop.current().run_sync(main)


def deactivate(record):
    loop = IOLoop.current()
    with StackContext(noisy(record, "a")) as off:
        loop.add_callback(record, "still in")
        off()
        loop.add_callback(record, "no more")
    spin()


def deactivate_in_callback(record):
    loop = IOLoop.current()
    with StackContext(noisy(record, "a")) as off:
        loop.add_callback(lambda: (off(), loop.add_callback(record, "after off")))
    spin()


def through_coroutine(record):
    @gen.coroutine
    def main():
        record("start")
        yield gen.moment
        record("next")

    with StackContext(noisy(record, "a")):
        future = main()
    record("out")
    IOLoop.current().run_sync(lambda: future)


def around_yield_is_inconsistent(record):
    @gen.coroutine
    def main():
        with StackContext(noisy(record, "a")):
            yield gen.moment

    try:
        IOLoop.current().run_sync(main)
    except Exception as e:
        record(e)


def timeouts_carry_it(record):
    loop = IOLoop.current()
    with StackContext(noisy(record, "a")):
        loop.call_later(0.001, record, "timeout")
    spin(0.02)


def futures_carry_it(record):
    future = Future()
    with StackContext(noisy(record, "a")):
        IOLoop.current().add_future(future, lambda f: record("future", f.result()))
    future.set_result(1)
    spin()


def done_callback_does_not(record):
    future = Future()
    with StackContext(noisy(record, "a")):
        future.add_done_callback(lambda f: record("done callback"))
    future.set_result(1)


def handler_sees_coroutine_failure(record):
    def handler(kind, value, trace):
        record("handler", value)
        return True

    @gen.engine
    def main():
        yield gen.Task(IOLoop.current().add_callback)
        raise ValueError("from the engine")

    with ExceptionStackContext(handler):
        main()
    spin()


def state_afterwards(record):
    record(len(stack_context._state.contexts[0]), stack_context._state.contexts[1])
    with ExceptionStackContext(lambda *a: None):
        record(len(stack_context._state.contexts[0]), stack_context._state.contexts[1])
    record(len(stack_context._state.contexts[0]))


def exit_enter_order_with_failure(record):
    with StackContext(noisy(record, "a")):
        with StackContext(noisy(record, "b")):
            IOLoop.current().add_callback(lambda: 1 / 0)
    spin()


def context_that_would_swallow(record):
    @contextlib.contextmanager
    def context():
        try:
            yield
        except ZeroDivisionError as e:
            record(e)

    with StackContext(context):
        IOLoop.current().add_callback(lambda: 1 / 0)
    spin()
    with StackContext(context):
        try:
            wrap(lambda: 1 / 0)()
        except ZeroDivisionError as e:
            record("out", e)


def wrapped_functions_have_names(record):
    record(wrap(len).__name__)
    with ExceptionStackContext(lambda *a: None):
        record(wrap(len).__name__)
