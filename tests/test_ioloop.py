"""The event loop. What "as in 4.5.3" says was observed on the real one."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import functools
import gc
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref

import pytest
from stream_pairs import run_until, turn

from tornado4 import gen, ioloop, stack_context
from tornado4._core import loops
from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop, PeriodicCallback, PollIOLoop, TimeoutError
from tornado4.platform.asyncio import AsyncIOLoop, AsyncIOMainLoop, AttachedIOLoop, BaseAsyncIOLoop
from tornado4.platform.select import SelectIOLoop, _Select


class FakeClockPoller(_Select):
    """A poller that waits by moving its clock."""

    now = 1000.0

    def poll(self, timeout):
        events = super().poll(0)
        if not events:
            self.now += timeout
        return events


class FakeClockLoop(PollIOLoop):
    def initialize(self, **kwargs):
        self.poller = FakeClockPoller()
        super().initialize(impl=self.poller, time_func=lambda: self.poller.now, **kwargs)


@pytest.fixture(autouse=True)
def nothing_current():
    IOLoop.clear_current()
    IOLoop.clear_instance()
    yield
    IOLoop.clear_current()
    IOLoop.clear_instance()


@pytest.fixture(params=["poll", "select", "asyncio", "uvloop"])
def loop(request):
    """A loop of every kind."""
    if request.param == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        made = AsyncIOLoop(loop_factory=uvloop.new_event_loop)
    else:
        made = {"poll": IOLoop, "select": SelectIOLoop, "asyncio": AsyncIOLoop}[request.param]()
    yield made
    made.close(all_fds=True)


@pytest.fixture
def poll_loop():
    made = IOLoop()
    yield made
    if not made._closing:
        made.close(all_fds=True)


@pytest.fixture
def fake_loop():
    made = FakeClockLoop()
    yield made
    made.close()


@pytest.fixture
def pair():
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    yield ends
    for end in ends:
        end.close()


# -- order ---------------------------------------------------------------------------------------------------


def test_a_round_is_callbacks_timeouts_handlers_as_in_453(poll_loop):
    loop, log = poll_loop, []
    pairs = [socket.socketpair(), socket.socketpair()]
    for number, (near, far) in enumerate(pairs):
        far.send(b"x")

        def handler(fd, events, number=number):
            log.append(("handler", number, events))
            fd.recv(10)
            loop.add_callback(log.append, "callback of handler")

        loop.add_handler(near, handler, loop.READ)

    def first():
        log.append("first")
        loop.add_callback(log.append, "callback of first")
        loop.add_timeout(0, lambda: (log.append("timeout of first"), loop.stop()) and None)

    loop.add_timeout(0, log.append, "timeout")
    loop.add_callback(first)
    loop.add_callback(log.append, "second")
    loop.start()
    assert log == [
        "first",
        "second",
        "timeout",
        ("handler", 1, loop.READ),
        ("handler", 0, loop.READ),
        "callback of first",
        "callback of handler",
        "callback of handler",
        "timeout of first",
    ]
    for ends in pairs:
        loop.remove_handler(ends[0])
        for end in ends:
            end.close()


def test_timeouts_run_by_deadline_and_in_the_order_they_were_made(fake_loop):
    log = []
    for name, when in (("c", 1003), ("a", 1001), ("b1", 1002), ("b2", 1002), ("b3", 1002)):
        fake_loop.call_at(when, log.append, name)
    fake_loop.call_at(1004, fake_loop.stop)
    fake_loop.start()
    assert log == ["a", "b1", "b2", "b3", "c"]


def test_callbacks_of_callbacks_wait_for_the_next_round(loop):
    log = []

    def again(count):
        log.append(count)
        if count:
            loop.add_callback(again, count - 1)
        else:
            loop.stop()

    loop.add_callback(again, 2)
    loop.add_callback(log.append, "other")
    loop.start()
    assert log == [2, "other", 1, 0]


def test_asyncio_callbacks_and_timers_run_beside_ours(loop):
    log = []
    inner = loop.asyncio_loop

    def ours():
        log.append("ours")
        inner.call_later(0.01, lambda: (log.append("later"), loop.stop()) and None)

    inner.call_soon(log.append, "soon")
    loop.add_callback(ours)
    loop.start()
    assert sorted(log[:2]) == ["ours", "soon"]
    assert log[2] == "later"


@pytest.mark.parametrize("debug", [False, True])
def test_callbacks_of_asyncio_run_and_can_be_cancelled(poll_loop, debug):
    loop = poll_loop.asyncio_loop
    loop.set_debug(debug)
    order = []

    def start():
        loop.call_soon(order.append, "soon").cancel()
        loop.call_soon(order.append, "soon")
        loop.call_soon_threadsafe(order.append, "from a thread")
        poll_loop.call_later(0.001, poll_loop.stop)

    poll_loop.add_callback(start)
    poll_loop.start()
    assert order == ["soon", "from a thread"]


def test_callbacks_of_asyncio_stand_in_the_same_queue(poll_loop):
    """A task is one of those, so that a native coroutine takes its turn as any other coroutine does."""
    loop = poll_loop.asyncio_loop
    order = []

    def start():
        loop.call_soon(order.append, 1)
        poll_loop.add_callback(order.append, 2)
        loop.call_soon(order.append, 3)
        poll_loop.add_callback(poll_loop.stop)

    poll_loop.add_callback(start)
    poll_loop.start()
    assert order == [1, 2, 3]


def test_what_a_callback_of_asyncio_raises_goes_to_its_handler(poll_loop):
    loop = poll_loop.asyncio_loop
    told = []
    loop.set_exception_handler(lambda loop, context: told.append(context["exception"]))

    def fail():
        raise ZeroDivisionError

    loop.call_soon(fail)
    poll_loop.add_callback(poll_loop.stop)
    poll_loop.start()
    assert [type(error) for error in told] == [ZeroDivisionError]


def test_a_callback_of_ours_wakes_asyncio_and_the_other_way_round(loop):
    async def ping_pong():
        for _ in range(3):
            reply = asyncio.get_running_loop().create_future()
            loop.add_callback(reply.set_result, 1)
            await reply
        return "done"

    assert loop.run_sync(ping_pong) == "done"


# -- start and stop ------------------------------------------------------------------------------------------


def test_stop_before_start_makes_start_return_at_once_as_in_453(poll_loop):
    log = []
    poll_loop.stop()
    poll_loop.add_callback(log.append, 1)
    poll_loop.start()
    assert log == []
    poll_loop.add_callback(poll_loop.stop)
    poll_loop.start()
    assert log == [1]


def test_stop_finishes_the_round_and_keeps_what_comes_later(poll_loop):
    log = []
    poll_loop.add_callback(poll_loop.stop)
    poll_loop.add_callback(log.append, "same round")
    poll_loop.add_callback(poll_loop.add_callback, log.append, "next round")
    poll_loop.start()
    assert log == ["same round"]
    assert len(poll_loop._callbacks) == 1
    assert poll_loop._callbacks[0].func == log.append


def test_reentering_a_running_loop_is_an_error_and_a_loop_can_be_restarted(loop):
    errors = []

    def reenter():
        try:
            loop.start()
        except RuntimeError as e:
            errors.append(str(e))
        loop.stop()

    for _ in range(2):
        loop.add_callback(reenter)
        loop.start()
    assert errors == ["IOLoop is already running"] * 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interrupts_leave_start_and_lose_no_callback(poll_loop, error):
    log = []

    def interrupt():
        raise error

    poll_loop.add_callback(interrupt)
    poll_loop.add_callback(log.append, "after")
    with pytest.raises(error):
        poll_loop.start()
    assert log == []
    poll_loop.add_callback(poll_loop.stop)
    poll_loop.start()
    assert log == ["after"]


def test_another_loop_may_run_inside_a_callback(loop):
    def nested():
        inner = IOLoop(make_current=False)

        async def work():
            await asyncio.sleep(0)
            return IOLoop.current() is inner

        try:
            return inner.run_sync(work)
        finally:
            inner.close()

    async def outer():
        task = asyncio.current_task()
        assert nested()
        assert asyncio.current_task() is task
        assert IOLoop.current() is loop
        await asyncio.sleep(0)
        return asyncio.get_running_loop() is loop.asyncio_loop

    assert loop.run_sync(outer)


def test_nesting_three_deep_with_tasks_pending_on_each(poll_loop):
    def dive(depth):
        if not depth:
            return []
        inner = IOLoop(make_current=False)

        async def work():
            waiting = asyncio.ensure_future(asyncio.sleep(0.001, depth))
            below = dive(depth - 1)
            return [*below, await waiting]

        try:
            return inner.run_sync(work)
        finally:
            inner.close()

    poll_loop.make_current()
    assert poll_loop.run_sync(lambda: _done(dive(3))) == [1, 2, 3]


def _done(value):
    future = Future()
    future.set_result(value)
    return future


# -- run_sync ------------------------------------------------------------------------------------------------


def test_run_sync_returns_results_and_raises_exceptions(loop):
    async def native():
        return 42

    async def fails():
        raise ZeroDivisionError

    assert loop.run_sync(native) == 42
    assert loop.run_sync(lambda: _done(1)) == 1
    assert loop.run_sync(lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        loop.run_sync(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        loop.run_sync(fails)
    with pytest.raises(Exception, match="yielded unknown object 42"):
        loop.run_sync(lambda: 42)


def test_run_sync_times_out_with_the_words_of_453(loop):
    with pytest.raises(TimeoutError, match=r"^Operation timed out after 0\.01 seconds$"):
        loop.run_sync(Future, timeout=0.01)
    assert not issubclass(TimeoutError, asyncio.TimeoutError)


def test_run_sync_on_a_loop_that_is_stopped_meanwhile_is_a_timeout(poll_loop):
    poll_loop.add_callback(poll_loop.stop)
    with pytest.raises(TimeoutError):
        poll_loop.run_sync(Future)


def test_the_timeout_of_run_sync_does_not_outlive_it(fake_loop):
    fake_loop.run_sync(lambda: None, timeout=10)
    log = []
    fake_loop.call_later(60, lambda: (log.append(fake_loop.time()), fake_loop.stop()) and None)
    fake_loop.start()
    assert log == [1060.0]


# -- callbacks -----------------------------------------------------------------------------------------------


def test_callbacks_take_arguments_and_keywords(loop):
    seen = []

    def callback(*args, **kwargs):
        seen.append((args, kwargs))
        if len(seen) == 3:
            loop.stop()

    loop.add_callback(callback, 1, when=2)
    loop.add_callback_from_signal(callback, 3, timeout=4)
    loop.spawn_callback(callback, 5)
    loop.start()
    assert seen == [((1,), {"when": 2}), ((3,), {"timeout": 4}), ((5,), {})]


def test_exceptions_of_callbacks_are_logged_and_the_loop_goes_on(loop, caplog):
    def fail():
        raise ZeroDivisionError

    loop.add_callback(fail)
    loop.add_callback(loop.stop)
    loop.start()
    (record,) = caplog.records
    assert record.name == "tornado.application"
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("Exception in callback functools.partial(<function")
    assert record.exc_info[0] is ZeroDivisionError


def test_exceptions_of_futures_and_coroutines_that_callbacks_return_are_logged(loop, caplog):
    async def fail():
        raise ZeroDivisionError

    def failed_future():
        future = Future()
        future.set_exception(ZeroDivisionError())
        return future

    loop.add_callback(fail)
    loop.add_callback(failed_future)
    run_until(loop, lambda: len(caplog.records) == 2)
    assert [r.exc_info[0] for r in caplog.records] == [ZeroDivisionError] * 2
    assert all(r.getMessage().startswith("Exception in callback") for r in caplog.records)


def test_other_results_of_callbacks_mean_nothing(poll_loop, caplog):
    for result in ({}, [], [1], "text", object(), True):
        poll_loop.add_callback(lambda result=result: result)
    poll_loop.call_later(0.01, poll_loop.stop)
    poll_loop.start()
    assert caplog.records == []


def test_handle_callback_exception_may_be_overridden(poll_loop):
    seen = []
    poll_loop.handle_callback_exception = lambda callback: seen.append((callback, sys.exc_info()[0]))

    def fail():
        raise ZeroDivisionError

    poll_loop.add_callback(fail)
    poll_loop.add_callback(poll_loop.stop)
    poll_loop.start()
    ((callback, error),) = seen
    assert isinstance(callback, functools.partial)
    assert callback.func is fail
    assert error is ZeroDivisionError


def test_run_callback_may_be_overridden_as_tracing_agents_do():
    class Traced(SelectIOLoop):
        ran = ()

        def _run_callback(self, callback):
            self.ran = (*self.ran, callback.func.__name__)
            super()._run_callback(callback)

    def plain():
        pass

    def timed():
        loop.stop()

    loop = Traced()
    loop.add_callback(plain)
    loop.call_later(0, timed)
    loop.start()
    loop.close()
    assert loop.ran == ("plain", "timed")


def test_add_callback_from_another_thread_wakes_the_loop(loop):
    # Nothing else would end the wait before the time-out of the test.
    thread = threading.Thread(target=lambda: loop.add_callback(loop.stop))
    loop.add_callback(thread.start)
    loop.start()
    thread.join()


def test_callbacks_of_many_threads_all_run_and_no_wakeup_is_lost(poll_loop):
    count, each, seen = 8, 300, []

    def work(number):
        for i in range(each):
            done = threading.Event()
            poll_loop.add_callback(lambda i=i, done=done: (seen.append((number, i)), done.set()) and None)
            # Waiting for each makes the loop go to sleep between, which is where a wake-up could be lost.
            assert done.wait(120)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]

    def join():
        for thread in threads:
            thread.join()
        poll_loop.add_callback(poll_loop.stop)

    for thread in threads:
        thread.start()
    waiter = threading.Thread(target=join)
    waiter.start()
    poll_loop.start()
    waiter.join()
    assert len(seen) == count * each
    for number in range(count):
        assert [i for n, i in seen if n == number] == list(range(each))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
@pytest.mark.parametrize("how", ["add_callback", "add_callback_from_signal", "stop"])
def test_a_signal_handler_ends_the_wait_for_events(poll_loop, how):
    def handler(number, frame):
        if how == "stop":
            poll_loop.stop()
        else:
            getattr(poll_loop, how)(poll_loop.stop)

    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        started = time.monotonic()
        guard = poll_loop.call_later(20, poll_loop.stop)
        poll_loop.start()
        assert time.monotonic() - started < 15
        poll_loop.remove_timeout(guard)
    finally:
        signal.signal(signal.SIGALRM, old)


def test_signals_write_to_the_loops_own_socket_while_it_runs_as_in_453(poll_loop):
    before = signal.set_wakeup_fd(-1)
    seen = []

    def look():
        seen.append(signal.set_wakeup_fd(-1))
        signal.set_wakeup_fd(seen[-1])
        poll_loop.stop()

    poll_loop.add_callback(look)
    poll_loop.start()
    assert seen == [poll_loop.asyncio_loop._csock.fileno()]
    assert signal.set_wakeup_fd(before) == -1


def test_stop_from_another_thread_is_never_missed(poll_loop):
    for _ in range(200):
        thread = threading.Thread(target=poll_loop.stop)
        poll_loop.add_callback(thread.start)
        poll_loop.start()
        thread.join()


def test_asyncio_signal_handlers_work(poll_loop):
    poll_loop.asyncio_loop.add_signal_handler(signal.SIGUSR1, poll_loop.stop)
    poll_loop.add_callback(os.kill, os.getpid(), signal.SIGUSR1)
    poll_loop.start()
    assert poll_loop.asyncio_loop.remove_signal_handler(signal.SIGUSR1)


def test_context_variables_travel_with_callbacks_timeouts_and_handlers(loop, pair):
    var = contextvars.ContextVar("var", default="none")
    near, far = pair
    far.send(b"x")
    seen = []

    def register(value):
        var.set(value)
        loop.add_callback(lambda: seen.append(("callback", var.get())))
        loop.call_later(0, lambda: seen.append(("timeout", var.get())))

        def handler(fd, events):
            fd.recv(1)
            seen.append(("handler", var.get()))
            var.set("changed in handler")

        loop.add_handler(near, handler, loop.READ)
        loop.add_callback(var.set, "changed in callback")

    contextvars.copy_context().run(register, "mine")
    run_until(loop, lambda: len(seen) == 3)
    loop.remove_handler(near)
    assert sorted(seen) == [("callback", "mine"), ("handler", "mine"), ("timeout", "mine")]
    assert var.get() == "none"


def test_stack_contexts_travel_with_callbacks_and_not_into_what_others_queued(loop):
    caught, seen = [], []

    def fail(name):
        raise ValueError(name)

    def on_error(typ, value, tb):
        caught.append(str(value))
        return True

    def look():
        seen.append(stack_context._state.contexts[1] is None)

    with stack_context.ExceptionStackContext(on_error):
        loop.add_callback(fail, "callback")
        loop.call_later(0, fail, "timeout")
        loop.spawn_callback(look)
    loop.call_later(0.01, loop.stop)
    # Wherever start() is called, its contexts are not those of the callbacks.
    with stack_context.ExceptionStackContext(on_error):
        loop.start()
    assert caught == ["callback", "timeout"]
    assert seen == [True]


def test_add_future_calls_back_on_the_loop_whichever_thread_resolves_it(loop):
    var = contextvars.ContextVar("var", default="none")
    seen = []

    def callback(future):
        seen.append((future.result(), threading.get_ident(), var.get()))
        loop.stop()

    future = Future()
    context = contextvars.copy_context()
    context.run(var.set, "mine")
    context.run(loop.add_future, future, callback)
    thread = threading.Thread(target=future.set_result, args=(42,))
    loop.add_callback(thread.start)
    loop.start()
    thread.join()
    assert seen == [(42, threading.get_ident(), "mine")]
    with pytest.raises(AssertionError):
        loop.add_future("no future", callback)


# -- timeouts ------------------------------------------------------------------------------------------------


def test_deadlines_are_numbers_or_timedeltas(loop):
    log = []
    loop.add_timeout(loop.time(), log.append, 1)
    loop.add_timeout(datetime.timedelta(0), log.append, 2)
    loop.add_timeout(int(loop.time()) - 1, log.append, 0)
    loop.call_later(0.01, loop.stop)
    loop.start()
    assert sorted(log) == [0, 1, 2]
    for bad in ("soon", None):
        with pytest.raises(TypeError, match="Unsupported deadline"):
            loop.add_timeout(bad, log.append)


def test_a_removed_timeout_does_not_run_even_when_it_is_due_already(fake_loop):
    log = []
    second = fake_loop.call_at(1001, log.append, "second")
    fake_loop.call_at(1000.5, lambda: fake_loop.remove_timeout(second))
    fake_loop.poller.now = 1002.0
    fake_loop.call_later(1, fake_loop.stop)
    fake_loop.start()
    assert log == []
    fake_loop.remove_timeout(second)  # no error


def test_many_cancelled_timeouts_are_swept(fake_loop):
    keep = fake_loop.call_later(7200, lambda: None)
    for _ in range(2000):
        fake_loop.remove_timeout(fake_loop.call_later(3600, lambda: None))
    assert fake_loop._cancellations == 2000
    fake_loop.add_callback(fake_loop.stop)
    fake_loop.start()
    assert fake_loop._timeouts == [keep]
    assert fake_loop._cancellations == 0


def test_timeout_handles_look_like_those_of_453(poll_loop):
    handle = poll_loop.call_at(5.0, print, "x")
    other = poll_loop.call_at(5.0, print, "x")
    assert isinstance(handle, ioloop._Timeout)
    assert (handle.deadline, handle.callback.args) == (5.0, ("x",))
    assert handle < other
    assert handle.tdeadline < other.tdeadline
    assert len({handle, other}) == 2
    assert poll_loop._timeouts == [handle, other]
    made = ioloop._Timeout(3.0, print, poll_loop)
    assert made < handle
    poll_loop.remove_timeout(handle)
    assert handle.callback is None


def test_time_is_the_wall_clock_as_in_453(loop):
    assert abs(loop.time() - time.time()) < 5


def test_asyncio_timers_follow_a_clock_of_the_loops_own(fake_loop):
    async def sleep():
        before = fake_loop.time()
        await asyncio.sleep(3600 * 24)
        return fake_loop.time() - before

    assert fake_loop.run_sync(sleep) == pytest.approx(86400, abs=1)


# -- descriptors ---------------------------------------------------------------------------------------------


def test_handlers_get_back_what_was_passed_in(loop, pair):
    near, far = pair
    far.send(b"x")
    for registered in (near, near.fileno()):
        seen = []

        def handler(fd, events, seen=seen):
            seen.append((fd, events))
            loop.stop()

        loop.add_handler(registered, handler, loop.READ)
        loop.start()
        loop.remove_handler(registered)
        fd, events = seen[0]
        assert fd is registered or fd == registered
        assert events == loop.READ


def test_update_handler_changes_what_is_watched(loop, pair):
    near, far = pair
    seen = []

    def handler(fd, events):
        seen.append(events)
        if events & loop.WRITE:
            far.send(b"x")
            loop.update_handler(near, loop.READ)
        else:
            loop.stop()

    loop.add_handler(near, handler, loop.WRITE)
    loop.start()
    loop.remove_handler(near)
    assert seen[:2] == [loop.WRITE, loop.READ]
    assert loop.WRITE not in seen[1:]


def test_readable_and_writable_come_in_one_call_as_in_453(poll_loop, pair):
    near, far = pair
    far.send(b"x")
    seen = []
    poll_loop.add_handler(
        near,
        lambda fd, events: (seen.append(events), poll_loop.stop()) and None,
        poll_loop.READ | poll_loop.WRITE,
    )
    poll_loop.start()
    assert seen == [poll_loop.READ | poll_loop.WRITE]


def test_a_closed_peer_is_an_error_event_even_when_nothing_else_is_watched_as_in_453(poll_loop, pair):
    near, far = pair
    seen = []
    poll_loop.add_handler(
        near, lambda fd, events: (seen.append(events), poll_loop.stop()) and None, poll_loop.ERROR
    )
    far.close()
    poll_loop.start()
    assert seen == [select.EPOLLHUP if hasattr(select, "EPOLLHUP") else poll_loop.READ]


def test_a_handler_may_remove_another_that_is_ready_in_the_same_round(loop):
    (a, b), (c, d) = socket.socketpair(), socket.socketpair()
    b.send(b"x")
    d.send(b"x")
    seen = []

    def handler(fd, events):
        seen.append(fd)
        loop.remove_handler(a)
        loop.remove_handler(c)

    loop.add_handler(a, handler, loop.READ)
    loop.add_handler(c, handler, loop.READ)
    run_until(loop, lambda: seen)
    turn(loop)
    assert len(seen) == 1
    for end in (a, b, c, d):
        end.close()


def test_exceptions_of_handlers_are_logged_except_a_broken_pipe(loop, pair, caplog):
    near, far = pair
    far.send(b"x")
    errors = [BrokenPipeError(32, "gone"), ZeroDivisionError()]

    def handler(fd, events):
        if not errors:
            loop.stop()
            return
        raise errors.pop(0)

    loop.add_handler(near, handler, loop.READ)
    loop.start()
    loop.remove_handler(near)
    (record,) = caplog.records
    assert record.getMessage().startswith("Exception in callback (<socket.socket")
    assert record.exc_info[0] is ZeroDivisionError


def test_a_descriptor_is_watched_once(loop, pair):
    near, _ = pair
    loop.add_handler(near, lambda fd, events: None, loop.READ)
    with pytest.raises((OSError, ValueError)):
        loop.add_handler(near.fileno(), lambda fd, events: None, loop.READ)
    loop.remove_handler(near)
    loop.remove_handler(near)  # no error
    loop.add_handler(near, lambda fd, events: None, loop.READ)
    loop.remove_handler(near)


def test_a_failed_registration_leaves_nothing_behind(loop):
    if isinstance(loop, SelectIOLoop):
        pytest.skip("select() looks at descriptors only when it waits")
    closed = socket.socket()
    number = closed.fileno()
    closed.close()
    with pytest.raises((OSError, ValueError)):
        loop.add_handler(number, lambda fd, events: None, loop.READ)
    near, far = socket.socketpair()  # takes the number
    loop.add_handler(near, lambda fd, events: None, loop.READ)
    loop.remove_handler(near)
    near.close()
    far.close()


def test_asyncio_streams_and_our_handlers_share_a_loop(loop, pair):
    near, far = pair

    async def work():
        reader, writer = await asyncio.open_connection(sock=near)
        got = asyncio.get_running_loop().create_future()

        def handler(fd, events):
            got.set_result(fd.recv(100))
            loop.remove_handler(fd)

        loop.add_handler(far, handler, loop.READ)
        writer.write(b"ping")
        assert await got == b"ping"
        far.send(b"pong\n")
        line = await reader.readline()
        writer.close()
        return line

    assert loop.run_sync(work) == b"pong\n"


def test_split_fd_and_close_fd_take_numbers_and_objects(poll_loop):
    sock = socket.socket()
    number = sock.fileno()
    assert poll_loop.split_fd(sock) == (number, sock)
    assert poll_loop.split_fd(number) == (number, number)
    poll_loop.close_fd(sock)
    poll_loop.close_fd(sock)
    read_end, write_end = os.pipe()
    poll_loop.close_fd(read_end)
    poll_loop.close_fd(write_end)
    with pytest.raises(OSError):
        os.fstat(write_end)


# -- close ---------------------------------------------------------------------------------------------------


def test_close_closes_all_descriptors_only_when_asked(loop):
    class FileLike:
        def __init__(self, sock):
            self.sock, self.closed = sock, False

        def fileno(self):
            return self.sock.fileno()

        def close(self):
            self.closed = True
            self.sock.close()

    for all_fds in (False, True):
        other = type(loop)() if not isinstance(loop, BaseAsyncIOLoop) else AsyncIOLoop()
        wrapper = FileLike(socket.socket())
        other.add_handler(wrapper, lambda fd, events: None, loop.READ)
        other.close(all_fds=all_fds)
        assert wrapper.closed is all_fds
        wrapper.close()


def test_a_closed_loop_takes_callbacks_in_silence_and_refuses_the_rest_as_in_453(poll_loop):
    poll_loop.close()
    poll_loop.add_callback(print)
    poll_loop.add_callback_from_signal(print)
    assert poll_loop._closing
    assert poll_loop.time() > 0
    with pytest.raises(TypeError):
        poll_loop.call_later(1, print)
    with pytest.raises((ValueError, RuntimeError)):
        poll_loop.add_handler(0, print, poll_loop.READ)


def test_a_closed_asyncio_loop_says_so_as_in_453():
    loop = AsyncIOLoop()
    loop.close()
    with pytest.raises(RuntimeError, match="IOLoop is closing"):
        loop.add_callback(print)


def test_a_running_loop_cannot_be_closed(poll_loop):
    def close():
        with pytest.raises(RuntimeError):
            poll_loop.close()
        poll_loop.stop()

    poll_loop.add_callback(close)
    poll_loop.start()


def test_a_second_close_and_what_cannot_be_called(poll_loop):
    """4.5.3 raised ValueError at the second close, and logged a TypeError when the loop came to the callback."""
    with pytest.raises(TypeError):
        poll_loop.add_callback(3)
    with pytest.raises(TypeError):
        poll_loop.call_later(0, 3)
    poll_loop.close()
    poll_loop.close()


def test_a_forgotten_loop_goes_without_a_warning_and_frees_its_descriptors():
    gc.collect()  # what others left open goes before it is counted
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    loop = IOLoop(make_current=False)
    loop.run_sync(lambda: None)
    gone = weakref.ref(loop)
    del loop
    gc.collect()  # warnings are errors here
    assert gone() is None
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before


def test_importing_opens_nothing_and_makes_no_loop():
    code = (
        "import os; before = len(os.listdir('/proc/self/fd'))\n"
        "import tornado4.ioloop as m, tornado4.platform.asyncio, tornado4.platform.select\n"
        "assert len(os.listdir('/proc/self/fd')) == before\n"
        "assert not m.IOLoop.initialized() and m.IOLoop._current.instance is None"
    )
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc")
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


# -- current and instance ------------------------------------------------------------------------------------


def test_the_first_loop_of_a_thread_becomes_current():
    first, second = IOLoop(), IOLoop()
    assert IOLoop.current() is first
    second.make_current()
    assert IOLoop.current() is second
    IOLoop.clear_current()
    assert IOLoop.current(instance=False) is None
    first.close()
    second.close()


def test_make_current_true_insists_and_false_declines():
    quiet = IOLoop(make_current=False)
    assert IOLoop.current(instance=False) is None
    quiet.close()
    loop = IOLoop(make_current=True)
    with pytest.raises(RuntimeError, match=r"^current IOLoop already exists$"):
        IOLoop(make_current=True)
    assert IOLoop.current() is loop
    loop.close()


def test_a_loop_is_current_while_it_runs(loop):
    IOLoop.clear_current()
    seen = []
    loop.add_callback(lambda: (seen.append(IOLoop.current()), loop.stop()) and None)
    loop.start()
    assert seen == [loop]
    assert IOLoop.current(instance=False) is None


def test_instance_is_one_for_all_threads_and_current_falls_back_to_it():
    assert not IOLoop.initialized()
    loop = IOLoop.instance()
    assert IOLoop.initialized()
    seen = []
    thread = threading.Thread(
        target=lambda: seen.extend([IOLoop.instance(), IOLoop.current(), IOLoop.current(instance=False)])
    )
    thread.start()
    thread.join()
    assert seen == [loop, loop, None]
    with pytest.raises(AssertionError):
        loop.install()
    IOLoop.clear_instance()
    assert not IOLoop.initialized()
    loop.install()
    assert IOLoop.instance() is loop
    loop.close()


def test_loops_in_worker_threads_are_independent():
    results = []

    def work(number):
        loop = IOLoop()
        assert IOLoop.current() is loop

        async def sleep():
            await asyncio.sleep(0.001)
            return number

        results.append(loop.run_sync(sleep))
        loop.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1, 2, 3]


def test_a_running_foreign_loop_gets_an_ioloop_attached():
    async def main():
        attached = IOLoop.current()
        assert isinstance(attached, AttachedIOLoop)
        assert attached is IOLoop.current() is IOLoop.instance()
        assert attached.asyncio_loop is asyncio.get_running_loop()
        done = asyncio.Event()
        attached.add_callback(done.set)
        await done.wait()
        with pytest.raises(RuntimeError, match="already running"):
            attached.start()
        return attached

    first = asyncio.run(main())
    assert first.asyncio_loop.is_closed()
    # Gone with its loop: the next one gets its own, as singleton too.
    second = asyncio.run(main())
    assert second is not first
    assert IOLoop.current(instance=False) is None


def test_a_foreign_loop_keeps_its_ioloop_no_longer_than_it_lives():
    async def main():
        return weakref.ref(IOLoop.current())

    attached = asyncio.run(main())
    gc.collect()
    assert attached() is None


def test_the_loop_made_current_elsewhere_does_not_hide_the_running_one():
    loop = IOLoop()

    async def main():
        assert IOLoop.current() is not loop
        assert IOLoop.current().asyncio_loop is asyncio.get_running_loop()
        loop.make_current()  # but an explicit choice made here counts
        assert IOLoop.current() is loop

    asyncio.run(main())
    loop.close()


def test_running_the_asyncio_loop_directly_is_running_the_ioloop(loop):
    async def main():
        assert IOLoop.current() is loop
        done = asyncio.Event()
        loop.add_callback(done.set)
        await done.wait()
        done.clear()
        loop.call_later(0, done.set)
        await done.wait()
        return True

    IOLoop.clear_current()
    assert loop.asyncio_loop.run_until_complete(main())


def test_configure_chooses_the_class_and_its_arguments():
    saved = IOLoop._save_configuration()
    try:
        for name, expected in (
            ("tornado.platform.select.SelectIOLoop", SelectIOLoop),
            ("tornado4.platform.asyncio.AsyncIOLoop", AsyncIOLoop),
        ):
            IOLoop.configure(name)
            loop = IOLoop()
            assert type(loop) is expected
            assert IOLoop.configured_class() is expected
            loop.close()
        made = []

        def factory():
            made.append(asyncio.SelectorEventLoop())
            return made[-1]

        IOLoop.configure(AsyncIOLoop, loop_factory=factory)
        loop = IOLoop()
        assert [loop.asyncio_loop] == made
        loop.close()
        assert made[0].is_closed()
        IOLoop.configure(FakeClockLoop)
        loop = IOLoop(make_current=False)
        assert loop.time() == 1000.0
        loop.close()
    finally:
        IOLoop._restore_configuration(saved)


# -- pollers -------------------------------------------------------------------------------------------------


class OddPoller:
    """A poller as pyzmq's old loop had one: no fileno, interrupted now and then, pairs in a list."""

    def __init__(self):
        self.poller = select.poll()
        self.calls, self.closed, self.interruptions = [], False, 2

    def register(self, fd, events):
        self.calls.append(("register", fd, events))
        self.poller.register(fd, events)

    def modify(self, fd, events):
        self.poller.modify(fd, events)

    def unregister(self, fd):
        self.poller.unregister(fd)

    def poll(self, timeout):
        if self.interruptions:
            self.interruptions -= 1
            raise OSError(4, "Interrupted system call")
        return self.poller.poll(timeout * 1000)

    def close(self):
        self.closed = True


class PollerLoop(PollIOLoop):
    def initialize(self, **kwargs):
        super().initialize(impl=OddPoller(), **kwargs)


def test_a_subclass_may_bring_its_own_poller(pair):
    near, far = pair
    loop = PollerLoop()
    seen = []

    def handler(fd, events):
        seen.append(fd.recv(10))
        loop.remove_handler(fd)
        loop.call_later(0.001, loop.stop)

    loop.add_handler(near, handler, loop.READ)
    assert ("register", near.fileno(), loop.READ | loop.ERROR) in loop._impl.calls
    thread = threading.Thread(target=lambda: loop.add_callback(far.send, b"hello"))
    loop.add_callback(thread.start)
    loop.start()
    thread.join()
    assert seen == [b"hello"]

    async def native():
        await asyncio.sleep(0.001)
        return "asyncio, too"

    assert loop.run_sync(native) == "asyncio, too"
    loop.close()
    assert loop._impl.closed


def test_an_error_of_the_poller_leaves_start(pair):
    loop = PollerLoop()
    loop._impl.interruptions = 0
    failing = ["poll failed"]

    def poll(timeout, original=loop._impl.poller):
        if failing:
            raise ValueError(failing.pop())
        return original.poll(timeout * 1000)

    loop.asyncio_loop._selector._poll = poll
    with pytest.raises(ValueError, match="poll failed"):
        loop.start()
    assert loop.run_sync(lambda: None) is None
    loop.close()


def test_select_poller_reports_and_refuses_as_in_453(pair):
    near, _far = pair
    poller = _Select()
    poller.register(near.fileno(), IOLoop.WRITE)
    with pytest.raises(OSError, match=f"fd {near.fileno()} already registered"):
        poller.register(near.fileno(), IOLoop.READ)
    assert dict(poller.poll(0)) == {near.fileno(): IOLoop.WRITE}
    poller.modify(near.fileno(), IOLoop.ERROR)
    assert poller.read_fds == {near.fileno()}  # select() tells of a closed connection as readable
    poller.unregister(near.fileno())
    poller.unregister(99)
    assert poller.fd_sets == (set(), set(), set())
    poller.close()


def test_the_selector_answers_asyncio_like_those_of_the_library(poll_loop, pair):
    near, _ = pair
    selector = poll_loop.asyncio_loop._selector
    key = selector.register(near, 1, "data")
    assert selector.get_key(near) is key
    assert selector.get_map()[near.fileno()] is key
    with pytest.raises(KeyError):
        selector.register(near, 1)
    assert selector.modify(near, 2, "other").data == "other"
    near.close()
    assert selector.unregister(near).data == "other"
    with pytest.raises(KeyError):
        selector.get_key(near)


# -- blocking ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
def test_blocking_callbacks_are_logged_with_a_stack(poll_loop, caplog):
    old = signal.getsignal(signal.SIGALRM)
    try:
        poll_loop.set_blocking_log_threshold(0.02)

        def a_slow_callback():
            until = time.monotonic() + 5
            while not caplog.records and time.monotonic() < until:
                time.sleep(0.01)
            poll_loop.stop()

        # As in 4.5.3 the first round after start() is not measured.
        poll_loop.add_callback(poll_loop.add_callback, a_slow_callback)
        poll_loop.start()
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        signal.signal(signal.SIGALRM, old)
    (record,) = caplog.records
    assert record.name == "tornado.general"
    assert record.getMessage().startswith("IOLoop blocked for 0.020000 seconds in\n")
    assert "a_slow_callback" in record.getMessage()


def test_base_loops_on_asyncio_cannot_measure_blocking():
    loop = AsyncIOLoop()
    with pytest.raises(NotImplementedError):
        loop.set_blocking_log_threshold(1)
    loop.close()


# -- PeriodicCallback ----------------------------------------------------------------------------------------


def test_periodic_callbacks_keep_their_schedule_as_in_453(fake_loop):
    durations = [9, 9, 10, 11, 20, 20, 35, 35, 0, 0]
    calls = []

    def callback():
        calls.append(fake_loop.time())
        if not durations:
            fake_loop.stop()
        else:
            fake_loop.poller.now += durations.pop(0)

    periodic = PeriodicCallback(callback, 10_000)
    periodic.start()
    fake_loop.start()
    periodic.stop()
    assert calls == [1010, 1020, 1030, 1050, 1070, 1100, 1130, 1170, 1210, 1220, 1230]


def test_periodic_callbacks_start_stop_and_start_again(fake_loop):
    calls = []
    periodic = PeriodicCallback(lambda: calls.append(fake_loop.time()), 1000, io_loop=fake_loop)
    assert not periodic.is_running()
    periodic.start()
    assert periodic.is_running()
    assert periodic._next_timeout == 1001.0
    fake_loop.call_at(1002.5, periodic.stop)
    fake_loop.call_at(1010.2, periodic.start)
    fake_loop.call_at(1011.5, fake_loop.stop)
    fake_loop.start()
    periodic.stop()
    assert calls == [1001.0, 1002.0, pytest.approx(1011.2)]
    assert periodic._running is False
    with pytest.raises(ValueError, match=r"^Periodic callback must have a positive callback_time$"):
        PeriodicCallback(print, 0)


def test_a_failing_periodic_callback_is_logged_and_goes_on(fake_loop, caplog):
    calls = []

    def callback():
        calls.append(1)
        if len(calls) == 3:
            fake_loop.stop()
        raise ZeroDivisionError

    async def native():
        raise KeyError

    periodic = PeriodicCallback(callback, 10)
    other = PeriodicCallback(native, 10)
    periodic.start()
    other.start()
    fake_loop.start()
    periodic.stop()
    other.stop()
    fake_loop.call_later(1, fake_loop.stop)
    fake_loop.start()  # let it look at the last failures
    assert len(calls) == 3
    kinds = [record.exc_info[0] for record in caplog.records]
    assert kinds.count(ZeroDivisionError) == 3
    assert kinds.count(KeyError) >= 2


# -- fork ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_may_use_a_loop_of_its_own():
    code = """
import os, sys
from tornado4.ioloop import IOLoop
import asyncio
def run():
    async def main():
        await asyncio.sleep(0.001)
        return os.getpid()
    loop = IOLoop()
    pid = loop.run_sync(main)
    loop.close()
    return pid
pid = os.fork()
assert run() == os.getpid()
if pid:
    assert os.waitpid(pid, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=300)


def test_no_running_loop_hides_and_restores():
    async def main():
        running = asyncio.get_running_loop()
        with loops.no_running_loop():
            assert asyncio._get_running_loop() is None
        assert asyncio.get_running_loop() is running

    asyncio.run(main())
    with loops.no_running_loop():
        pass


def test_main_loop_is_asyncios_current_one():
    async def main():
        loop = AsyncIOMainLoop()
        assert loop.asyncio_loop is asyncio.get_running_loop()
        assert IOLoop.current() is loop
        loop.close()
        assert not loop.asyncio_loop.is_closed()
        assert IOLoop.current() is not loop

    asyncio.run(main())


def test_run_sync_in_a_running_loop_is_refused_and_the_loop_lives():
    async def main():
        with pytest.raises(RuntimeError, match="IOLoop is already running"):
            IOLoop.current().run_sync(lambda: None)
        await asyncio.sleep(0)
        return "alive"

    assert asyncio.run(main()) == "alive"


def test_run_sync_within_run_sync_is_refused_and_the_outer_one_goes_on(loop):
    @gen.coroutine
    def outer():
        with pytest.raises(RuntimeError, match="IOLoop is already running"):
            loop.run_sync(lambda: None)
        yield gen.moment
        yield gen.moment
        return "done"

    assert loop.run_sync(outer) == "done"


@pytest.mark.parametrize("loop", ["poll", "select"], indirect=True)
def test_a_loop_has_one_handler_for_what_wakes_it(loop):
    """As in 4.5.3: programs tell by ``len(loop._handlers)`` whether descriptors are left over."""
    assert len(loop._handlers) == 1
    ((fd, (file_object, _)),) = loop._handlers.items()
    assert file_object == fd
    ours, theirs = socket.socketpair()
    loop.add_handler(ours, lambda *_: None, loop.READ)
    assert len(loop._handlers) == 2
    loop.remove_handler(ours)
    assert len(loop._handlers) == 1
    ours.close()
    theirs.close()
