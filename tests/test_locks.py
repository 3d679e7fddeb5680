"""Locks: order, time-outs, texts, and what happens when a waiting asyncio task is cancelled."""

from __future__ import annotations

import asyncio
import datetime

import pytest

from tornado4 import gen, locks
from tornado4.ioloop import IOLoop

SOON = datetime.timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def io_loop():
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close(all_fds=True)


def test_condition_wakes_in_order_and_at_once():
    condition, order = locks.Condition(), []
    for number in range(4):
        condition.wait().add_done_callback(lambda f, n=number: order.append((n, f.result())))
    condition.notify()
    assert order == [(0, True)]
    condition.notify(2)
    assert [n for n, _ in order] == [0, 1, 2]
    condition.notify_all()
    assert [n for n, _ in order] == [0, 1, 2, 3]


def test_condition_times_out_with_false_and_such_waiters_do_not_count(io_loop):
    condition = locks.Condition()
    late = condition.wait(timeout=SOON)
    other = condition.wait()
    assert io_loop.run_sync(lambda: late) is False
    condition.notify()
    assert other.result() is True


def test_notify_from_within_a_wakened_waiter_loses_nobody():
    condition = locks.Condition()
    waiters = [condition.wait() for _ in range(3)]
    waiters[1].add_done_callback(lambda f: condition.notify())
    condition.notify(2)
    assert all(w.done() for w in waiters)


def test_timed_out_waiters_are_swept_after_a_hundred_as_in_4_5_3(io_loop):
    condition = locks.Condition()
    waiters = [condition.wait(SOON) for _ in range(101)]
    last = condition.wait()
    assert len(condition._waiters) == 102
    io_loop.run_sync(lambda: waiters)
    assert list(condition._waiters) == [last]


def test_event():
    event = locks.Event()
    first = event.wait()
    assert event.wait() is first
    assert not event.is_set()
    event.set()
    event.set()
    assert first.done() and event.wait().done() and event.is_set()
    event.clear()
    assert not event.wait().done()


def test_event_times_out(io_loop):
    with pytest.raises(gen.TimeoutError, match="Timeout"):
        io_loop.run_sync(lambda: locks.Event().wait(SOON))


def test_semaphore_is_fair():
    semaphore = locks.Semaphore(1)
    futures = [semaphore.acquire() for _ in range(3)]
    assert [f.done() for f in futures] == [True, False, False]
    semaphore.release()
    assert [f.done() for f in futures] == [True, True, False]
    semaphore.release()
    semaphore.release()
    assert semaphore.acquire().done()


def test_semaphore_times_out_and_keeps_its_count(io_loop):
    semaphore = locks.Semaphore(0)
    with pytest.raises(gen.TimeoutError):
        io_loop.run_sync(lambda: semaphore.acquire(SOON))
    semaphore.release()
    assert semaphore.acquire().done()


def test_timer_is_removed_when_the_lock_is_granted(io_loop):
    lock = locks.Lock()
    lock.acquire()
    waiting = lock.acquire(datetime.timedelta(hours=1))
    lock.release()
    assert io_loop.run_sync(lambda: waiting).__enter__() is None


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: locks.Semaphore(-1), ValueError, "semaphore initial value must be >= 0"),
        (locks.BoundedSemaphore(2).release, ValueError, "Semaphore released too many times"),
        (locks.Lock().release, RuntimeError, "release unlocked lock"),
        (
            locks.Semaphore().__enter__,
            RuntimeError,
            "Use Semaphore like 'with (yield semaphore.acquire())', not like 'with semaphore'",
        ),
        (locks.Lock().__enter__, RuntimeError, "Use Lock like 'with (yield lock)', not like 'with lock'"),
    ],
)
def test_error_texts_of_4_5_3(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_reprs_of_4_5_3():
    condition, event, lock, semaphore = locks.Condition(), locks.Event(), locks.Lock(), locks.Semaphore(2)
    assert repr(condition) == "<Condition>"
    condition.wait()
    assert repr(condition) == "<Condition waiters[1]>"
    assert repr(event) == "<Event clear>"
    event.set()
    assert repr(event) == "<Event set>"
    assert repr(semaphore) == f"<tornado4.locks.Semaphore object at {hex(id(semaphore))} [unlocked,value:2]>"
    assert repr(lock).startswith("<Lock _block=<tornado4.locks.BoundedSemaphore object at")
    lock.acquire()
    lock.acquire()
    assert repr(lock).endswith("[locked,waiters:1]>>")


@pytest.mark.parametrize("make", [locks.Lock, locks.Semaphore])
def test_with_and_async_with_release_even_after_an_error(io_loop, make):
    lock = make()

    @gen.coroutine
    def generator():
        with (yield lock.acquire()) as value:
            assert value is None
            assert not lock.acquire(SOON).done()
            raise KeyError

    async def native():
        async with lock as value:
            assert value is None
            raise KeyError

    for coroutine in (native, generator):
        with pytest.raises(KeyError):
            io_loop.run_sync(coroutine)


@pytest.mark.parametrize("granted_meanwhile", [False, True])
def test_cancelled_waiter_of_async_with_does_not_keep_the_lock(io_loop, granted_meanwhile):
    lock = locks.Lock()

    async def enter():
        async with lock:
            pytest.fail("entered")

    async def main():
        await lock.acquire()
        task = asyncio.ensure_future(enter())
        await asyncio.sleep(0)
        if granted_meanwhile:
            lock.release()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if not granted_meanwhile:
            lock.release()
        assert lock.acquire().done()

    io_loop.run_sync(main)


def test_yielding_the_lock_itself_is_refused(io_loop):
    @gen.coroutine
    def f():
        with (yield locks.Lock()):
            pass

    with pytest.raises(gen.BadYieldError, match="yielded unknown object"):
        io_loop.run_sync(f)
