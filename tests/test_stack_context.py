"""Contexts that follow callbacks. The loops and coroutines that carry them are tested in their own files."""

from __future__ import annotations

import contextlib

import pytest

from tornado4 import gen, stack_context
from tornado4.ioloop import IOLoop
from tornado4.stack_context import (
    ExceptionStackContext,
    NullContext,
    StackContext,
    StackContextInconsistentError,
    run_with_stack_context,
    wrap,
)


@pytest.fixture
def names():
    return []


@pytest.fixture
def named(names):
    def make(name):
        @contextlib.contextmanager
        def context():
            names.append(name)
            try:
                yield
            finally:
                assert names.pop() == name

        return StackContext(context)

    return make


@pytest.fixture
def io_loop():
    loop = IOLoop()
    yield loop
    loop.close(all_fds=True)


def test_nothing_is_active_at_first():
    assert not stack_context._active()
    assert stack_context._state.contexts == ((), None)
    with ExceptionStackContext(lambda *exc: None):
        assert stack_context._active()
    assert not stack_context._active()


def test_wrap_leaves_none_and_wrapped_functions_alone():
    assert wrap(None) is None
    once = wrap(lambda: None)
    assert wrap(once) is once
    with NullContext():
        assert wrap(once) is once


def test_wrapped_callback_enters_its_context_again(names, named):
    seen = []
    with named("a"), named("b"):
        callback = wrap(lambda value: seen.append((value, list(names))))
    assert names == []
    callback("x")
    callback("y")
    assert seen == [("x", ["a", "b"]), ("y", ["a", "b"])]
    assert not stack_context._active()


def test_callback_wrapped_without_context_runs_without_one_wherever_it_is_called(named):
    active = []
    callback = wrap(lambda: active.append(stack_context._active()))
    with named("a"):
        callback()
        assert stack_context._active()
    assert active == [False]


def test_null_context_hides_surrounding_contexts(names, named):
    with named("a"):
        with NullContext():
            callback = wrap(lambda: list(names))
    assert callback() == []


def test_exception_in_callback_goes_to_the_handler_and_stops_there():
    errors = []

    def handler(typ, value, tb):
        errors.append((typ, str(value), tb is not None))
        return True

    with ExceptionStackContext(handler):
        callback = wrap(lambda: [][0])
    assert callback() is None
    assert errors == [(IndexError, "list index out of range", True)]


def test_handler_that_returns_false_passes_on_to_the_outer_one():
    calls = []

    def handler(name, answer):
        return lambda typ, value, tb: (calls.append(name), answer)[1]

    with ExceptionStackContext(handler("outer", True)):
        with ExceptionStackContext(handler("inner", False)):
            callback = wrap(lambda: 1 / 0)
    callback()
    assert calls == ["inner", "outer"]


def test_all_contexts_are_left_even_after_one_dealt_with_the_exception(names, named):
    with named("a"), ExceptionStackContext(lambda *exc: True), named("b"):
        callback = wrap(lambda: 1 / 0)
    callback()
    assert names == []


def test_unhandled_exception_reaches_the_caller():
    with ExceptionStackContext(lambda *exc: False):
        callback = wrap(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        callback()
    assert not stack_context._active()


def test_exception_on_entering_goes_to_the_contexts_outside():
    errors = []
    broken = False

    @contextlib.contextmanager
    def breaks_later():
        if broken:
            raise KeyError("factory")
        yield

    with ExceptionStackContext(lambda t, v, tb: errors.append(t) or True):
        with StackContext(breaks_later):
            callback = wrap(lambda: errors.append("ran"))
    broken = True
    callback()
    assert errors == [KeyError]


def test_deactivated_context_is_missing_from_callbacks_that_run_later(names, named):
    for index, expected in enumerate((["b", "c"], ["a", "c"], ["a", "b"])):
        with named("a") as a, named("b") as b, named("c") as c:
            callback = wrap(lambda: list(names))
        (a, b, c)[index]()
        assert callback() == expected


def test_leaving_in_another_order_is_an_error(named):
    inner = ExceptionStackContext(lambda *exc: None)
    with pytest.raises(StackContextInconsistentError, match="yield within"):
        with named("outer"):
            inner.__enter__()


def test_stack_context_does_not_swallow_exceptions_of_its_block_as_in_4_5_3():
    with pytest.raises(ZeroDivisionError):
        with StackContext(lambda: contextlib.suppress(ZeroDivisionError)):
            1 / 0  # noqa: B018


def test_contexts_travel_through_loop_callbacks(io_loop, names, named):
    seen = []

    def first():
        seen.append(list(names))
        io_loop.call_later(0, second)

    def second():
        seen.append(list(names))
        io_loop.stop()

    with named("a"):
        io_loop.add_callback(first)
    io_loop.start()
    assert seen == [["a"], ["a"]]


def test_yield_within_a_context_is_reported_and_the_block_is_left(io_loop, names, named):
    @gen.coroutine
    def f(moments):
        for _ in range(moments):
            yield gen.moment
        with named("a"):
            yield gen.moment

    for moments in (0, 1):
        with pytest.raises(StackContextInconsistentError, match="probably caused by yield within"):
            io_loop.run_sync(lambda moments=moments: f(moments))
        assert names == []
        assert not stack_context._active()


def test_await_within_a_context_is_reported_too(io_loop, names, named):
    async def f():
        await gen.moment
        with named("a"):
            await gen.sleep(0)

    with pytest.raises(StackContextInconsistentError):
        io_loop.run_sync(f)
    assert names == []


@pytest.mark.parametrize("kind", ["generator", "native"])
def test_coroutine_started_in_a_context_runs_all_its_steps_there(io_loop, names, named, kind):
    seen = []

    @gen.coroutine
    def generator():
        seen.append(list(names))
        yield gen.sleep(0)
        seen.append(list(names))

    async def native():
        seen.append(list(names))
        await gen.sleep(0)
        seen.append(list(names))

    @gen.coroutine
    def main():
        yield run_with_stack_context(
            named("a"), generator if kind == "generator" else lambda: gen.convert_yielded(native())
        )
        assert names == []

    io_loop.run_sync(main)
    assert seen == [["a"], ["a"]]
