"""Queues: order, bounds, time-outs, join, and iteration."""

from __future__ import annotations

import asyncio
import datetime

import pytest

from tornado4 import gen, queues
from tornado4.ioloop import IOLoop

SOON = datetime.timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def io_loop():
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close(all_fds=True)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(queues.Queue, [2, 3, 1]), (queues.PriorityQueue, [1, 2, 3]), (queues.LifoQueue, [1, 3, 2])],
)
def test_order(kind, expected):
    q = kind()
    for item in (2, 3, 1):
        q.put(item)
    assert [q.get_nowait() for _ in range(3)] == expected


def test_bounds():
    with pytest.raises(TypeError, match="maxsize can't be None"):
        queues.Queue(None)
    with pytest.raises(ValueError, match="maxsize can't be negative"):
        queues.Queue(-1)
    q = queues.Queue(1)
    assert (q.maxsize, q.qsize(), q.empty(), q.full()) == (1, 0, True, False)
    q.put_nowait("a")
    assert q.full()
    with pytest.raises(queues.QueueFull):
        q.put_nowait("b")
    with pytest.raises(queues.QueueEmpty):
        queues.Queue().get_nowait()


def test_waiting_getter_gets_what_is_put_and_waiting_putter_gets_room():
    q = queues.Queue(1)
    first, second = q.get(), q.get()
    q.put("a")
    assert first.result() == "a" and not second.done()
    q.put("b")
    assert second.result() == "b"
    q.put("c")
    waiting = q.put("d")
    assert not waiting.done()
    assert q.get().result() == "c"
    assert waiting.done() and q.get_nowait() == "d"


def test_a_getter_sees_the_priority_queue_in_order_when_putters_wait():
    q = queues.PriorityQueue(1)
    q.put(5)
    q.put(1)
    assert [q.get_nowait(), q.get_nowait()] == [1, 5]


def test_time_outs_and_expired_waiters(io_loop):
    q = queues.Queue(1)
    with pytest.raises(gen.TimeoutError):
        io_loop.run_sync(lambda: q.get(SOON))
    q.put_nowait("kept")  # not for the getter that is gone
    late = q.put("late", SOON)
    with pytest.raises(gen.TimeoutError):
        io_loop.run_sync(lambda: late)
    assert q.get_nowait() == "kept"
    assert q.empty() and not q._putters


def test_join_waits_for_task_done(io_loop):
    q = queues.Queue()
    assert q.join().done()
    q.put(1)
    joined = q.join()
    q.get_nowait()
    assert not joined.done()
    with pytest.raises(gen.TimeoutError):
        io_loop.run_sync(lambda: q.join(SOON))
    q.task_done()
    assert joined.done()
    with pytest.raises(ValueError, match=r"task_done\(\) called too many times"):
        q.task_done()


def test_reprs_of_4_5_3():
    q = queues.Queue(1)
    assert str(q) == "<Queue maxsize=1>"
    q.put(1)
    q.put(2)
    text = "maxsize=1 queue=deque([1]) putters[1] tasks=1>"
    assert str(q) == f"<Queue {text}"
    assert repr(q) == f"<Queue at {hex(id(q))} {text}"
    q = queues.LifoQueue()
    q.get()
    assert str(q) == "<LifoQueue maxsize=0 getters[1]>"


def test_async_for(io_loop):
    q = queues.Queue()

    async def consume():
        seen = []
        async for item in q:
            seen.append(item)
            if item == 3:
                return seen
        return None

    for item in (1, 2):
        q.put(item)
    io_loop.add_callback(q.put, 3)
    assert io_loop.run_sync(consume) == [1, 2, 3]


def test_cancelled_iteration_takes_no_item(io_loop):
    q = queues.Queue()

    async def consume():
        async for item in q:
            pytest.fail(f"got {item}")

    async def main():
        task = asyncio.ensure_future(consume())
        await asyncio.sleep(0)
        assert len(q._getters) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        q.put("mine")
        assert q.get_nowait() == "mine"

    io_loop.run_sync(main)


def test_subclass_with_an_order_of_its_own():
    class Unique(queues.Queue):
        def _init(self):
            self._queue = set()

        def _put(self, item):
            self._queue.add(item)

        def _get(self):
            return self._queue.pop()

    q = Unique()
    q.put("a")
    q.put("a")
    assert (q.qsize(), q.get_nowait()) == (1, "a")
