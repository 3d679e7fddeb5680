"""IOLoops on asyncio loops of other people, the conversions between Futures, and the platform functions."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import sys
import threading

import pytest

from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop
from tornado4.platform import auto, common, interface, posix
from tornado4.platform.asyncio import (
    AsyncIOLoop,
    AsyncIOMainLoop,
    BaseAsyncIOLoop,
    to_asyncio_future,
    to_tornado_future,
)


@pytest.fixture(autouse=True)
def nothing_current():
    IOLoop.clear_current()
    yield
    IOLoop.clear_current()
    IOLoop.clear_instance()


def run_script(code):
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=300)


def test_stop_before_start_plays_one_round_as_asyncio_does():
    """As in 4.5.3, where the two kinds of loop differ in this."""
    loop, log = AsyncIOLoop(), []
    loop.add_callback(log.append, "callback")
    loop.stop()
    loop.start()
    assert log == ["callback"]
    loop.close()


def test_a_base_loop_closes_the_asyncio_loop_only_when_told():
    for close_loop in (False, True):
        inner = asyncio.SelectorEventLoop()
        loop = BaseAsyncIOLoop(inner, close_loop=close_loop, make_current=False)
        assert loop.run_sync(lambda: None) is None
        loop.close()
        assert inner.is_closed() is close_loop
        inner.close()


def test_a_second_make_current_closes_the_loop_it_made():
    made = []

    def factory():
        made.append(asyncio.SelectorEventLoop())
        return made[-1]

    first = AsyncIOLoop()
    with pytest.raises(RuntimeError, match="current IOLoop already exists"):
        AsyncIOLoop(make_current=True, loop_factory=factory)
    assert made[0].is_closed()
    first.close()


def test_the_recipe_of_453_for_asyncios_main_loop():
    run_script("""
import asyncio
from tornado4.platform.asyncio import AsyncIOMainLoop
from tornado4.ioloop import IOLoop
AsyncIOMainLoop().install()
loop = asyncio.get_event_loop()
assert IOLoop.current().asyncio_loop is loop
assert IOLoop.current() is IOLoop.instance()
IOLoop.current().add_callback(loop.stop)
loop.run_forever()
loop.close()
""")


def test_the_main_loop_is_the_one_that_set_event_loop_chose():
    run_script("""
import asyncio
from tornado4.platform.asyncio import AsyncIOMainLoop
chosen = asyncio.SelectorEventLoop()
asyncio.set_event_loop(chosen)
assert AsyncIOMainLoop().asyncio_loop is chosen
chosen.close()
""")


def test_the_main_loop_is_not_made_current_as_in_453():
    async def main():
        loop = AsyncIOMainLoop()
        assert getattr(IOLoop._current, "instance", None) is None
        loop.close()

    asyncio.run(main())


def test_a_loop_that_cannot_watch_descriptors_has_a_thread_do_it():
    class Proactor(asyncio.SelectorEventLoop):
        def add_reader(self, fd, callback, *args):
            raise NotImplementedError

    loop = AsyncIOLoop(loop_factory=Proactor)
    near, far = socket.socketpair()
    seen = []
    loop.add_handler(near, lambda sock, events: (seen.append(sock.recv(9)), loop.stop()), loop.READ)
    far.send(b"x")
    loop.start()
    assert seen == [b"x"]
    loop.close(all_fds=True)
    far.close()
    assert "tornado4-select" not in [thread.name for thread in threading.enumerate()]


def test_handlers_readers_and_writers_are_kept_as_in_453():
    loop = AsyncIOLoop()
    near, far = socket.socketpair()
    loop.add_handler(near, print, loop.READ | loop.WRITE)
    number = near.fileno()
    assert list(loop.handlers) == [number]
    assert (loop.readers, loop.writers) == ({number}, {number})
    loop.update_handler(number, loop.READ)
    assert (loop.readers, loop.writers) == ({number}, set())
    with pytest.raises(ValueError, match="added twice"):
        loop.add_handler(number, print, loop.READ)
    loop.close(all_fds=True)
    assert near.fileno() == -1
    far.close()


def test_futures_convert_both_ways():
    async def main():
        running = asyncio.get_running_loop()
        ours, theirs = Future(), running.create_future()
        as_theirs, as_ours = to_asyncio_future(ours), to_tornado_future(theirs)
        assert asyncio.isfuture(as_theirs)
        assert isinstance(as_ours, Future)
        ours.set_result(1)
        theirs.set_result(2)
        return [await as_theirs, await as_ours]

    assert asyncio.run(main()) == [1, 2]


def test_converted_futures_carry_failures_and_cancellation():
    async def main():
        ours, theirs = Future(), asyncio.get_running_loop().create_future()
        as_theirs, as_ours = to_asyncio_future(ours), to_tornado_future(theirs)
        ours.set_exception(ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            await as_theirs
        theirs.cancel()
        with pytest.raises(asyncio.CancelledError):
            await as_ours
        # Cancelling the copy leaves ours alone, and ours may still resolve.
        ours = Future()
        to_asyncio_future(ours).cancel()
        ours.set_result(3)
        return ours.result()

    assert asyncio.run(main()) == 3


def test_to_asyncio_future_takes_what_a_coroutine_may_yield():
    async def native():
        await asyncio.sleep(0)
        return 5

    async def main():
        return await to_asyncio_future([native(), native()])

    assert asyncio.run(main()) == [5, 5]


@pytest.mark.parametrize("waker_class", [posix.Waker, common.Waker, auto.Waker])
def test_wakers_wake_until_consumed(waker_class):
    waker = waker_class()
    assert isinstance(waker, interface.Waker)

    def readable():
        return bool(select.select([waker.fileno()], [], [], 0)[0])

    assert not readable()
    waker.wake()
    waker.wake()
    assert readable()
    waker.consume()
    assert not readable()
    os.write(waker.write_fileno(), b"x")  # what signal.set_wakeup_fd() does
    assert readable()
    for _ in range(100_000):  # more than fits: neither blocks nor fails
        waker.wake()
    waker.consume()
    assert not readable()
    waker.close()
    waker.wake()  # by a thread that outlived the loop


def test_set_close_exec_keeps_a_descriptor_from_children():
    with socket.socket() as sock:
        sock.set_inheritable(True)
        auto.set_close_exec(sock.fileno())
        assert not sock.get_inheritable()
    assert auto.monotonic_time() <= auto.monotonic_time()


def test_abstract_platform_functions_do_nothing_by_themselves():
    waker = interface.Waker()
    for method in (waker.fileno, waker.write_fileno, waker.wake, waker.consume, waker.close):
        with pytest.raises(NotImplementedError):
            method()
    with pytest.raises(NotImplementedError):
        interface.set_close_exec(0)
    with pytest.raises(NotImplementedError):
        interface.monotonic_time()


@pytest.mark.skipif(hasattr(select, "kqueue"), reason="there is a kqueue")
def test_kqueue_is_refused_where_there_is_none_as_in_453():
    with pytest.raises(AssertionError, match="kqueue not supported"):
        import tornado4.platform.kqueue  # noqa: F401


def test_windows_functions_are_refused_elsewhere():
    from tornado4.platform import windows

    if sys.platform != "win32":
        with pytest.raises(OSError, match="Windows only"):
            windows.set_close_exec(0)
