"""The decorators of `tornado4.concurrent`, and chaining. The Future has a file of its own."""

from __future__ import annotations

import concurrent.futures
import threading

import pytest

from tornado4 import concurrent as tornado_concurrent
from tornado4.concurrent import (
    DummyExecutor,
    Future,
    ReturnValueIgnoredError,
    TracebackFuture,
    chain_future,
    dummy_executor,
    is_future,
    return_future,
    run_on_executor,
)
from tornado4.ioloop import IOLoop
from tornado4.stack_context import ExceptionStackContext


def test_names_report_this_module_as_their_home():
    assert {x.__module__ for x in (Future, is_future, chain_future)} == {"tornado4.concurrent"}
    assert TracebackFuture is Future
    assert tornado_concurrent.FUTURES == (concurrent.futures.Future, Future)


def test_is_future_knows_ours_and_those_of_executors():
    assert is_future(Future())
    assert is_future(concurrent.futures.Future())
    assert not is_future(object())


@pytest.mark.parametrize("make", [Future, concurrent.futures.Future])
def test_chaining_copies_results_and_exceptions(make):
    source, target = make(), Future()
    chain_future(source, target)
    source.set_result(1)
    assert target.result() == 1
    source, target, error = make(), Future(), ValueError()
    chain_future(source, target)
    source.set_exception(error)
    assert target.exception() is error


def test_chaining_does_not_touch_a_target_that_is_done():
    source, target = Future(), Future()
    chain_future(source, target)
    target.set_result("first")
    source.set_result("second")
    assert target.result() == "first"


def test_dummy_executor_calls_at_once():
    assert isinstance(dummy_executor, DummyExecutor)
    assert dummy_executor.submit(divmod, 7, 2).result() == (3, 1)
    assert isinstance(dummy_executor.submit(divmod, 1, 0).exception(), ZeroDivisionError)
    dummy_executor.shutdown()


class Worker:
    def __init__(self, executor, io_loop=None):
        self.executor = self.other = executor
        self.io_loop = io_loop

    @run_on_executor
    def thread(self):
        return threading.current_thread()

    @run_on_executor()
    def bare(self, value, more=0):
        return value + more

    @run_on_executor(executor="other")
    def elsewhere(self):
        return "other"


def test_methods_run_on_the_executor_they_name():
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        worker = Worker(executor)
        assert worker.thread().result() is not threading.current_thread()
        assert worker.bare(1, more=2).result() == 3
        assert worker.elsewhere().result() == "other"


def test_callback_of_an_executor_method_runs_on_the_loop():
    loop = IOLoop()
    results = []

    def callback(value):
        results.append((value, threading.current_thread()))
        loop.stop()

    Worker(dummy_executor, loop).bare(40, more=2, callback=callback)
    assert results == []
    loop.start()
    loop.close()
    assert results == [(42, threading.current_thread())]


def test_misuse_of_run_on_executor():
    with pytest.raises(ValueError, match="cannot combine positional and keyword args"):
        run_on_executor(len, io_loop="x")
    with pytest.raises(ValueError, match="expected 1 argument"):
        run_on_executor(len, len)


@return_future
def double(value, callback=None):
    callback(value * 2)


def test_return_future_gives_a_future_and_runs_the_callback_too():
    seen = []
    assert double(21).result() == 42
    assert double(21, callback=None).result() == 42
    assert double(21, callback=seen.append).result() == 42
    assert double(21, seen.append).result() == 42
    assert seen == [42, 42]


def test_callback_without_arguments_is_called_without_arguments():
    @return_future
    def nothing(callback):
        callback()

    calls = []
    nothing(callback=lambda *args: calls.append(args))
    assert calls == [()]


def test_immediate_failure_is_raised_to_the_caller_and_no_callback_runs():
    @return_future
    def fails(callback):
        raise KeyError("at once")

    with pytest.raises(KeyError):
        fails(callback=lambda *args: pytest.fail("called back"))


def test_returning_a_value_is_an_error():
    @return_future
    def returns(callback):
        return 42

    with pytest.raises(ReturnValueIgnoredError, match="should not be used with functions that return values"):
        returns()


def test_failure_in_something_it_started_goes_into_the_future():
    loop = IOLoop()

    @return_future
    def fails_later(callback):
        loop.add_callback(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        loop.run_sync(fails_later)
    loop.close()


def test_error_in_the_callers_callback_goes_to_the_callers_context():
    errors = []
    with ExceptionStackContext(lambda typ, value, tb: errors.append(typ) or True):
        future = double(1, callback=lambda result: [][0])
    assert errors == [IndexError]
    assert future.result() == 2
