"""Coroutines: what may be yielded, the order things run in, errors, and asyncio inside."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import datetime
import gc
import logging
import traceback
import weakref

import pytest

from tornado4 import gen
from tornado4._core.context import run_in
from tornado4._core.tasks import _running
from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop

SOON = datetime.timedelta(milliseconds=1)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def io_loop():
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close(all_fds=True)


def resolved(value):
    future = Future()
    future.set_result(value)
    return future


def delayed(value, rounds=1):
    """A Future that is resolved after some rounds of the loop."""
    future = Future()

    def count_down(left):
        if left:
            IOLoop.current().add_callback(count_down, left - 1)
        else:
            future.set_result(value)

    count_down(rounds)
    return future


@gen.coroutine
def fails(error):
    yield gen.moment
    raise error


# -- results ----------------------------------------------------------------------------------------


def test_runs_at_once_up_to_the_first_unresolved_yield():
    steps = []
    waiting = Future()

    @gen.coroutine
    def f():
        steps.append((yield resolved("done already")))
        steps.append((yield waiting))

    future = f()
    assert steps == ["done already"]
    assert not future.done()


@pytest.mark.parametrize("value", [None, 42, (1, 2)])
def test_ways_to_return(io_loop, value):
    @gen.coroutine
    def plain():
        return value

    @gen.coroutine
    def generator():
        yield gen.moment
        return value

    @gen.coroutine
    def legacy():
        yield gen.moment
        raise gen.Return(value)

    for f in (plain, generator, legacy):
        assert io_loop.run_sync(f) == value


def test_return_carries_its_value():
    assert (gen.Return(4).value, gen.Return(4).args, gen.Return().value) == (4, (4,), None)


def test_decorated_function_keeps_its_attributes():
    def f():
        """Doc."""
        yield

    coroutine = gen.coroutine(f)
    assert (coroutine.__name__, coroutine.__doc__, coroutine.__wrapped__) == ("f", "Doc.", f)
    assert gen.is_coroutine_function(coroutine)
    assert not gen.is_coroutine_function(f)
    assert gen.is_coroutine_function(gen.engine(f))  # as in 4.5.3


def test_callback_argument_gets_the_result_on_the_loop(io_loop):
    @gen.coroutine
    def f():
        return 5

    seen = []
    f(callback=lambda value: (seen.append(value), io_loop.stop()))
    assert seen == []
    io_loop.start()
    assert seen == [5]


# -- what may be yielded ------------------------------------------------------------------------------


def test_everything_that_may_be_yielded(io_loop):
    async def native():
        await asyncio.sleep(0)
        return "native"

    class Awaitable:
        def __await__(self):
            return (yield from delayed("awaitable").__await__())

    @gen.coroutine
    def f():
        assert (yield None) is None
        assert (yield gen.moment) is None
        assert (yield delayed(1)) == 1
        assert (yield [delayed(1, 3), resolved(2), native()]) == [1, 2, "native"]
        assert (yield {"a": delayed(1), "b": native()}) == {"a": 1, "b": "native"}
        assert (yield []) == [] and (yield {}) == {}
        assert (yield Awaitable()) == "awaitable"
        assert (yield asyncio.ensure_future(native())) == "native"
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            assert (yield executor.submit(divmod, 7, 2)) == (3, 1)
        assert (yield from native()) == "native"

    io_loop.run_sync(f)


@pytest.mark.parametrize("thing", [42, (1, 2), object()])
def test_bad_yields_are_raised_at_the_yield(io_loop, thing):
    @gen.coroutine
    def f():
        with pytest.raises(gen.BadYieldError) as caught:
            yield thing
        assert str(caught.value) == f"yielded unknown object {thing!r}"
        return "went on"

    assert io_loop.run_sync(f) == "went on"


def test_other_types_are_registered_with_convert_yielded(io_loop):
    class Foreign:
        pass

    gen.convert_yielded.register(Foreign, lambda foreign: delayed("converted"))

    @gen.coroutine
    def f():
        return [(yield Foreign()), (yield [Foreign()])]

    assert io_loop.run_sync(f) == ["converted", ["converted"]]


def test_failing_converter_raises_at_the_yield(io_loop):
    """4.5.3 let it out of the loop's callback, and the coroutine never went on."""

    class Foreign:
        pass

    gen.convert_yielded.register(Foreign, lambda foreign: 1 / 0)

    @gen.coroutine
    def f():
        with pytest.raises(ZeroDivisionError):
            yield Foreign()
        return "went on"

    assert io_loop.run_sync(f) == "went on"


def test_cancellation_that_escapes_a_coroutine_goes_into_its_future(io_loop):
    """`asyncio.CancelledError` is no `Exception` since 3.8: 4.5.3 let it out of the loop."""

    @gen.coroutine
    def f():
        raise asyncio.CancelledError()
        yield

    assert isinstance(f().exception(), asyncio.CancelledError)


def test_cancelled_asyncio_task_is_an_exception_at_the_yield(io_loop):
    @gen.coroutine
    def f():
        task = asyncio.ensure_future(asyncio.sleep(3600))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            yield task
        return "went on"

    assert io_loop.run_sync(f) == "went on"


# -- order ----------------------------------------------------------------------------------------------


def test_done_futures_take_no_round_and_moments_take_turns(io_loop):
    order = []

    @gen.coroutine
    def f(name, what):
        for _ in range(3):
            order.append(name)
            yield what

    @gen.coroutine
    def main(first, second):
        order.clear()
        yield [f("a", first), f("b", second)]
        return "".join(order)

    done = resolved(None)
    assert io_loop.run_sync(lambda: main(done, done)) == "aaabbb"
    assert io_loop.run_sync(lambda: main(gen.moment, gen.moment)) == "ababab"
    assert io_loop.run_sync(lambda: main(gen.moment, done)) == "abbbaa"


def test_resumption_comes_one_round_after_the_future_as_in_4_5_3(io_loop):
    order = []
    future = Future()

    @gen.coroutine
    def waiter():
        yield future
        order.append("resumed")
        io_loop.stop()

    def resolve():
        io_loop.add_callback(order.append, "before")
        future.set_result(None)
        io_loop.add_callback(order.append, "after")
        order.append("resolved")

    waiter()
    io_loop.add_callback(resolve)
    io_loop.start()
    assert order == ["resolved", "before", "resumed", "after"]


def test_awaiting_the_moment_takes_one_round(io_loop):
    order = []

    async def native():
        await gen.moment
        order.append("native")

    @gen.coroutine
    def main():
        future = gen.convert_yielded(native())
        yield gen.moment
        yield gen.moment
        assert order == ["native"]
        yield future

    io_loop.run_sync(main)


# -- exceptions -----------------------------------------------------------------------------------------


def test_exception_keeps_the_users_frames_and_shows_none_of_ours(io_loop):
    @gen.coroutine
    def middle():
        yield fails(KeyError("deep"))

    future = middle()
    with pytest.raises(KeyError):
        io_loop.run_sync(lambda: future)
    names = [frame.name for frame in traceback.extract_tb(future.exc_info()[2])]
    assert names == ["middle", "fails"]


def test_exception_can_be_handled_and_replaced(io_loop):
    @gen.coroutine
    def f():
        try:
            yield fails(ZeroDivisionError())
        except ZeroDivisionError as error:
            assert error.__context__ is None
            raise KeyError from error

    with pytest.raises(KeyError):
        io_loop.run_sync(f)


def test_wrong_arguments_go_into_the_future():
    @gen.coroutine
    def f():
        yield

    assert isinstance(f(1).exception(), TypeError)


def test_multi_raises_the_first_and_logs_the_others(io_loop, caplog):
    @gen.coroutine
    def f(**kwargs):
        yield gen.multi([fails(KeyError(1)), fails(ValueError(2)), fails(ValueError(3))], **kwargs)

    with pytest.raises(KeyError):
        io_loop.run_sync(f)
    assert [r.getMessage() for r in caplog.records] == ["Multiple exceptions in yield list"] * 2
    assert {(r.name, r.levelno) for r in caplog.records} == {("tornado.application", logging.ERROR)}
    caplog.clear()
    with pytest.raises(KeyError):
        io_loop.run_sync(lambda: f(quiet_exceptions=(ValueError,)))
    assert caplog.records == []


def test_multi_takes_the_same_future_twice(io_loop):
    future = delayed("twice")
    assert io_loop.run_sync(lambda: gen.multi([future, delayed(1), future])) == ["twice", 1, "twice"]


# -- garbage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", [False, True])
def test_finished_and_failed_coroutines_leave_no_reference_cycles(io_loop, waits):
    freed = []

    class Local:
        def __del__(self):
            freed.append(True)

    @gen.coroutine
    def inner():
        local = Local()  # noqa: F841
        yield gen.moment if waits else None
        raise ValueError

    @gen.coroutine
    def outer(swallow):
        try:
            yield inner()
        except ValueError:
            if not swallow:
                raise

    gc.collect()
    gc.disable()
    try:
        io_loop.run_sync(lambda: outer(True))
        assert freed == [True]
        with pytest.raises(ValueError) as caught:
            io_loop.run_sync(lambda: outer(False))
        del caught
    finally:
        gc.enable()


def test_coroutine_is_kept_by_its_own_future_alone(io_loop):
    awaited = []

    @gen.coroutine
    def f():
        future = Future()
        awaited.append(weakref.ref(future))
        yield future
        return "alive"

    future = f()
    gc.collect()
    io_loop.add_callback(lambda: awaited[0]().set_result(None))
    assert io_loop.run_sync(lambda: future) == "alive"


def test_coroutine_that_nothing_can_resume_is_closed_quietly(caplog):
    closed = []

    @gen.coroutine
    def f():
        try:
            yield Future()
        finally:
            closed.append(True)

    f()
    gc.collect()
    assert closed == [True]
    assert caplog.records == []


# -- native coroutines ------------------------------------------------------------------------------------


def test_native_coroutines_are_asyncio_tasks(io_loop):
    async def native():
        assert asyncio.current_task() is not None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await Future()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0, "grouped"))
        return task.result()

    @gen.coroutine
    def f():
        return (yield native())

    assert io_loop.run_sync(f) == "grouped"
    assert not _running


def test_native_coroutine_starts_at_once(io_loop):
    async def native():
        return 1

    @gen.coroutine
    def f():
        assert gen.convert_yielded(native()).result() == 1

    io_loop.run_sync(f)


def test_native_coroutine_that_starts_another_is_the_current_task_again(io_loop):
    tasks = []

    async def inner():
        tasks.append(asyncio.current_task())
        await gen.moment
        tasks.append(asyncio.current_task())

    async def outer():
        me = asyncio.current_task()
        started = gen.convert_yielded(inner())
        assert asyncio.current_task() is me
        await started
        assert asyncio.current_task() is me
        tasks.append(me)

    io_loop.run_sync(outer)
    assert tasks[0] is tasks[1] is not tasks[2]
    assert not _running


def test_native_coroutine_can_be_cancelled_as_soon_as_it_waits(io_loop):
    seen = []

    async def native():
        seen.append(asyncio.current_task())
        try:
            await Future()
        except asyncio.CancelledError:
            seen.append("cancelled")
            await gen.moment
            return "tidied up"

    @gen.coroutine
    def f():
        future = gen.convert_yielded(native())
        seen[0].cancel()
        return (yield future)

    assert io_loop.run_sync(f) == "tidied up"
    assert seen[1:] == ["cancelled"]
    assert not _running


def test_exit_in_the_first_step_is_raised_once(io_loop):
    async def native():
        raise SystemExit(3)

    def start():
        gen.convert_yielded(native())

    with pytest.raises(SystemExit):
        io_loop.run_sync(start)
    io_loop.run_sync(lambda: None)
    assert not _running


def test_waiting_task_is_held_although_nobody_knows_it(io_loop):
    started, finished = [], Future()

    async def native():
        waiter = Future()
        started.append(weakref.ref(waiter))
        await waiter
        finished.set_result("held")

    @gen.coroutine
    def f():
        gen.convert_yielded(native())
        yield [gen.moment, gen.moment]
        yield gen.moment
        gc.collect()
        started[0]().set_result(None)
        return (yield finished)

    assert io_loop.run_sync(f) == "held"


def test_unfinished_tasks_of_a_closed_loop_go_quietly(caplog):
    loop = IOLoop(make_current=False)
    closed = []

    async def native():
        try:
            await Future()
        finally:
            closed.append(True)

    loop.add_callback(lambda: gen.convert_yielded(native()))
    loop.call_later(0.01, loop.stop)
    loop.start()
    loop.close(all_fds=True)
    del loop
    gc.collect()
    assert caplog.records == []
    assert closed == [True]


def test_context_variables_belong_to_a_coroutine_and_to_run_in(io_loop):
    variable = contextvars.ContextVar("variable", default="unset")

    @gen.coroutine
    def sets(value):
        yield gen.moment
        variable.set(value)
        yield gen.moment
        return variable.get()

    @gen.coroutine
    def main():
        assert (yield [sets(1), sets(2)]) == [1, 2]
        assert variable.get() == "unset"
        shared = contextvars.copy_context()
        assert (yield run_in(shared, sets, 3)) == 3
        assert run_in(shared, variable.get) == 3

    io_loop.run_sync(main)


# -- waiting ------------------------------------------------------------------------------------------------


def test_sleeping_for_no_time_takes_its_turn_among_timeouts_and_needs_none(io_loop):
    # the orders are those of the real 4.5.3
    told = []

    def start():
        gen.sleep(0).add_done_callback(lambda done: told.append("first"))
        io_loop.call_later(0, told.append, "second")
        gen.sleep(0).add_done_callback(lambda done: told.append("third"))
        assert len(io_loop._timeouts) == 1
        io_loop.call_later(-1, told.append, "zeroth")
        io_loop.add_callback(told.append, "callback")
        io_loop.add_callback(sleep_again)

    def sleep_again():
        gen.sleep(0).add_done_callback(lambda done: told.append("next round"))
        io_loop.call_later(0, io_loop.stop)

    io_loop.add_callback(start)
    io_loop.start()
    assert told == ["callback", "zeroth", "first", "second", "third", "next round"]


def test_sleeping_for_no_time_lets_others_have_their_turn(io_loop):
    told = []

    @gen.coroutine
    def sleeper(name):
        for _ in range(3):
            yield gen.sleep(0)
            told.append(name)

    io_loop.run_sync(lambda: gen.multi([sleeper("a"), sleeper("b")]))
    assert told == ["a", "b"] * 3


def test_sleep_and_maybe_future(io_loop):
    assert io_loop.run_sync(lambda: gen.sleep(0)) is None
    assert gen.maybe_future(3).result() == 3
    future = Future()
    assert gen.maybe_future(future) is future


def test_with_timeout(io_loop):
    with pytest.raises(gen.TimeoutError, match="Timeout"):
        io_loop.run_sync(lambda: gen.with_timeout(SOON, Future()))
    assert io_loop.run_sync(lambda: gen.with_timeout(HOUR, delayed(1))) == 1
    assert io_loop.run_sync(lambda: gen.with_timeout(HOUR, resolved(2))) == 2
    with pytest.raises(KeyError):
        io_loop.run_sync(lambda: gen.with_timeout(HOUR, fails(KeyError())))


@pytest.mark.parametrize(("quiet", "messages"), [((), 1), (ZeroDivisionError, 0)])
def test_failure_after_the_timeout_is_logged_unless_quiet(io_loop, caplog, quiet, messages):
    late = Future()

    @gen.coroutine
    def f():
        with pytest.raises(gen.TimeoutError):
            yield gen.with_timeout(SOON, late, quiet_exceptions=quiet)
        late.set_exception(ZeroDivisionError("late"))

    io_loop.run_sync(f)
    expected = [f"Exception in Future {late!r} after timeout"] * messages
    assert [r.getMessage() for r in caplog.records] == expected


def test_wait_iterator_gives_results_as_they_come(io_loop):
    futures = {"slow": delayed("s", 9), "fast": delayed("f", 5), "done": resolved("d")}
    seen = []

    @gen.coroutine
    def f():
        waiter = gen.WaitIterator(**futures)
        while not waiter.done():
            result = yield waiter.next()
            assert waiter.current_future is futures[waiter.current_index]
            seen.append((waiter.current_index, result))
        assert waiter.current_index is None

    io_loop.run_sync(f)
    assert seen == [("done", "d"), ("fast", "f"), ("slow", "s")]
    with pytest.raises(ValueError, match="You must provide args or kwargs, not both"):
        gen.WaitIterator(Future(), a=Future())


def test_wait_iterator_with_async_for(io_loop):
    async def f():
        return [result async for result in gen.WaitIterator(delayed(2, 3), delayed(1, 1))]

    assert io_loop.run_sync(f) == [1, 2]


# -- the way before Futures ---------------------------------------------------------------------------------


def test_task_callback_wait_and_waitall(io_loop):
    @gen.coroutine
    def f():
        assert (yield gen.Task(io_loop.add_callback)) is None
        (yield gen.Callback("k"))(1)
        assert (yield gen.Wait("k")) == 1
        io_loop.add_callback((yield gen.Callback("a")), 2)
        io_loop.add_callback((yield gen.Callback("b")), 3, x=4)
        assert (yield gen.WaitAll(["a", "b"])) == [2, gen.Arguments((3,), {"x": 4})]
        io_loop.add_callback((yield gen.Callback("c")), 5)
        assert (yield [gen.Wait("c"), delayed(6)]) == [5, 6]
        (yield gen.Callback("d"))()
        assert (yield {"d": gen.Wait("d")}) == {"d": None}

    io_loop.run_sync(f)


@pytest.mark.parametrize(
    ("points", "error", "text"),
    [
        ([gen.Callback("a"), gen.Callback("a")], gen.KeyReuseError, "key 'a' is already pending"),
        ([gen.Wait("z")], gen.UnknownKeyError, "key 'z' is not pending"),
        ([gen.WaitAll(["z"])], gen.UnknownKeyError, "key 'z' is not pending"),
    ],
)
def test_wrong_keys(io_loop, points, error, text):
    @gen.coroutine
    def f():
        for point in points:  # noqa: UP028  a list's iterator, in ``yield from``, takes no values
            yield point

    with pytest.raises(error) as caught:
        io_loop.run_sync(f)
    assert str(caught.value) == text


def test_leaked_callback_is_an_error_of_the_loop_as_in_4_5_3(io_loop, caplog):
    @gen.engine
    def f():
        yield gen.Callback("a")
        io_loop.stop()

    f()
    io_loop.start()
    (record,) = caplog.records
    assert record.getMessage().startswith("Exception in callback")
    assert str(record.exc_info[1]) == "finished without waiting for callbacks {'a'}"
    assert isinstance(record.exc_info[1], gen.LeakedCallbackError)


def test_exception_in_something_a_task_started_arrives_at_the_yield(io_loop):
    @gen.coroutine
    def f():
        with pytest.raises(ZeroDivisionError):
            yield gen.Task(lambda callback: io_loop.add_callback(lambda: 1 / 0))
        return "went on"

    assert io_loop.run_sync(f) == "went on"


def test_engine_may_not_return_a_value():
    @gen.engine
    def f():
        raise gen.Return(5)

    with pytest.raises(gen.ReturnValueIgnoredError, match="functions cannot return values: 5"):
        f()


def test_engine_raises_what_fails_at_once():
    @gen.engine
    def f():
        raise KeyError

    with pytest.raises(KeyError):
        f()


def test_runner_may_be_driven_by_others(io_loop):
    """New Relic and pyzmq do so."""
    first = Future()

    def generator():
        value = yield delayed(2)
        return value * 2

    steps, result = generator(), Future()
    runner = gen.Runner(steps, result, next(steps))
    assert (runner.running, runner.finished, runner.io_loop) == (False, False, io_loop)
    assert io_loop.run_sync(lambda: result) == 4
    assert runner.finished
    assert runner.handle_yield(resolved(1)) is True
    assert runner.handle_yield(first) is False
