"""The Future itself: callbacks, logging, and how it gets on with asyncio."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import contextvars
import gc
import logging
import sys
import threading
import traceback

import pytest

from tornado4.concurrent import Future


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_new_future_is_running_and_refuses_to_give_a_result():
    future = Future()
    assert (future.done(), future.running(), future.cancelled()) == (False, True, False)
    for ask in (future.result, future.exception):
        with pytest.raises(Exception, match="DummyFuture does not support blocking for results"):
            ask()
    assert future.exc_info() is None


def test_cancel_does_nothing():
    future = Future()
    assert future.cancel() is False
    assert not future.done()


def test_callbacks_run_at_once_in_order_inside_set_result():
    future, calls = Future(), []
    future.add_done_callback(lambda f: calls.append(("first", f.result())))
    future.add_done_callback(lambda f: calls.append(("second", f.result())))
    future.set_result(7)
    assert calls == [("first", 7), ("second", 7)]
    future.add_done_callback(lambda f: calls.append("late"))
    assert calls[-1] == "late"


def test_failing_callback_is_logged_and_the_next_one_runs(caplog):
    future, calls = Future(), []
    future.add_done_callback(lambda f: 1 / 0)
    future.add_done_callback(calls.append)
    future.set_result(None)
    assert calls == [future]
    (record,) = caplog.records
    assert record.name == "tornado.application"
    assert record.getMessage().startswith("Exception in callback <function")
    assert f"for {future!r}" in record.getMessage()


def test_callback_of_a_done_future_raises_to_whoever_adds_it_as_in_4_5_3():
    future = Future()
    future.set_result(None)
    with pytest.raises(ZeroDivisionError):
        future.add_done_callback(lambda f: 1 / 0)


def test_second_result_is_a_type_error_as_in_4_5_3():
    future = Future()
    future.set_result(1)
    with pytest.raises(TypeError):
        future.set_result(2)


def test_removed_callback_does_not_run():
    future, calls = Future(), []
    future.add_done_callback(calls.append)
    future.add_done_callback(calls.append)
    assert future.remove_done_callback(calls.append) == 2
    assert future.remove_done_callback(print) == 0
    future.set_result(None)
    assert calls == []


def test_exception_keeps_its_traceback_and_does_not_grow_when_raised_again():
    future = Future()
    exc_info = raised(ValueError("x"))
    future.set_exc_info(exc_info)
    assert future.exc_info() == exc_info
    lengths = []
    for _ in range(3):
        with pytest.raises(ValueError) as caught:
            future.result()
        lengths.append(len(caught.traceback))
    assert len(set(lengths)) == 1
    assert future.exception() is exc_info[1]


def test_unretrieved_exception_is_logged_once_in_the_words_of_4_5_3(caplog):
    future = Future()
    text = f"Future {future!r} exception was never retrieved: ValueError: lost"
    future.set_exception(ValueError("lost"))
    del future
    gc.collect()
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == ("tornado.application", logging.ERROR, text)


def test_garbage_collected_failure_is_told_without_parsing_source(caplog, monkeypatch):
    """The collector may run inside `ast.parse`, and one within another is a SystemError of CPython's."""

    def fails():
        try:
            return {}["first"] + 1
        except KeyError as error:
            raise ExceptionGroup("both", [raised(ValueError("inner"))[1]]) from error

    future = Future()
    try:
        fails()
    except ExceptionGroup:
        future.set_exc_info(sys.exc_info())
    # What the interpreter prints by itself has carets here, which it finds by parsing the line.
    assert "^^^" in "".join(traceback.format_exception(future._exc_info[1]))

    def refused(*args, **kwargs):
        raise AssertionError("parsed in __del__")

    with monkeypatch.context() as patch:
        patch.setattr(ast, "parse", refused)
        del future
        gc.collect()
    (record,) = caplog.records
    text = record.getMessage()
    assert "^" not in text and 'return {}["first"] + 1' in text
    assert "KeyError: 'first'" in text and "ValueError: inner" in text and "ExceptionGroup: both" in text


@pytest.mark.parametrize("look", [Future.exception, Future.exc_info, Future.result])
def test_retrieved_exception_is_not_logged(caplog, look):
    future = Future()
    future.set_exception(ValueError("seen"))
    with contextlib.suppress(ValueError):
        look(future)
    del future
    gc.collect()
    assert caplog.records == []


def test_failed_future_is_freed_without_the_garbage_collector():
    class Subject(Exception):
        pass

    gone = []

    class Marked(Future):
        def __del__(self):
            gone.append(True)

    future = Marked()
    future.set_exc_info(raised(Subject()))
    try:
        future.result()
    except Subject:
        pass
    gc.disable()
    try:
        del future
        assert gone == [True]
    finally:
        gc.enable()


def test_awaiting_outside_of_asyncio_yields_the_future_itself_as_in_4_5_3():
    future = Future()
    steps = future.__await__()
    assert next(steps) is future
    future.set_result(3)
    with pytest.raises(StopIteration) as stop:
        steps.send(None)
    assert stop.value.value == 3


def test_it_is_no_asyncio_future():
    assert not asyncio.isfuture(Future())


def later(value=None, error=None):
    """A Future that is resolved in the next iteration of the running loop."""
    future = Future()
    if error is None:
        asyncio.get_running_loop().call_soon(future.set_result, value)
    else:
        asyncio.get_running_loop().call_soon(future.set_exception, error)
    return future


def test_task_awaits_result_and_exception():
    async def main():
        assert await later(5) == 5
        with pytest.raises(KeyError):
            await later(error=KeyError("k"))
        done = Future()
        done.set_result("now")
        assert await done == "now"

    asyncio.run(main())


def test_gather_wait_shield_wait_for_and_as_completed():
    async def main():
        assert await asyncio.gather(later(1), later(2), asyncio.sleep(0, 3)) == [1, 2, 3]
        first = later(1)
        never = Future()
        done, pending = await asyncio.wait([first, never], return_when=asyncio.FIRST_COMPLETED)
        assert (done, pending) == ({first}, {never})
        assert never._callbacks == []
        assert await asyncio.shield(later(4)) == 4
        assert await asyncio.wait_for(later(5), 10) == 5
        assert [await f for f in asyncio.as_completed([later(6)])] == [6]

    asyncio.run(main())


def test_timeout_leaves_the_future_alone():
    async def main():
        future = Future()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(future, 0.001)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await future
        assert not future.done()
        assert future._callbacks == []
        asyncio.get_running_loop().call_soon(future.set_result, "still usable")
        assert await future == "still usable"

    asyncio.run(main())


def test_cancelling_one_waiter_does_not_touch_the_other():
    async def main():
        future = Future()

        async def wait():
            return await future

        one, two = asyncio.ensure_future(wait()), asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        future.set_result(9)
        assert await two == 9

    asyncio.run(main())


def test_result_that_another_thread_sets_wakes_the_task():
    async def main():
        future = Future()
        thread = threading.Thread(target=future.set_result, args=("from a thread",))
        asyncio.get_running_loop().call_soon(thread.start)
        assert await asyncio.wait_for(future, 10) == "from a thread"
        thread.join()

    asyncio.run(main())


def test_callback_with_context_goes_through_the_loop():
    variable = contextvars.ContextVar("variable", default="outer")

    async def main():
        context = contextvars.copy_context()
        context.run(variable.set, "inner")
        future, seen = Future(), []
        future.add_done_callback(lambda f: seen.append(variable.get()), context=context)
        future.set_result(None)
        assert seen == []
        await asyncio.sleep(0)
        assert seen == ["inner"]

    asyncio.run(main())


def test_await_asks_a_derived_class_for_its_result_as_in_4_5_3():
    """Locks of old packages give a context manager that way."""

    class Doubled(Future):
        def result(self, timeout=None):
            return 2 * super().result()

    async def main():
        done, later = Doubled(), Doubled()
        done.set_result(1)
        asyncio.get_running_loop().call_soon(later.set_result, 2)
        return await done, await later

    assert asyncio.run(main()) == (2, 4)
