"""tornado.locks."""
import datetime

from tornado import gen, locks
from tornado.ioloop import IOLoop


def run(function):
    return IOLoop.current().run_sync(function)


def spin(seconds=0.01):
    loop = IOLoop.current()
    loop.call_later(seconds, loop.stop)
    loop.start()


def condition_wakes_in_order(record):
    c = locks.Condition()
    for n in range(4):
        c.wait().add_done_callback(lambda f, n=n: record(n, f.result()))
    record(c)
    c.notify()
    c.notify(2)
    c.notify_all()
    record(c)


def condition_notified_with_odd_numbers(record):
    for n in (0, -1):
        c = locks.Condition()
        waiters = [c.wait() for _ in range(3)]
        c.notify(n)
        record(n, [waiter.done() for waiter in waiters])


def condition_timeout(record):
    @gen.coroutine
    def main():
        c = locks.Condition()
        record((yield c.wait(timeout=datetime.timedelta(seconds=0.001))))
        c.notify()
        record(c)

    run(main)


def event(record):
    @gen.coroutine
    def main():
        e = locks.Event()
        record(e, e.is_set())
        waiter = e.wait()
        record(waiter.done())
        e.set()
        record(waiter.done(), e.wait().done(), e)
        e.clear()
        record(e.is_set())
        try:
            yield e.wait(timeout=datetime.timedelta(seconds=0.001))
        except gen.TimeoutError as error:
            record(error)

    run(main)


def semaphore_counts(record):
    s = locks.Semaphore(2)
    record(s)
    futures = [s.acquire() for _ in range(4)]
    record([f.done() for f in futures], s)
    s.release()
    record([f.done() for f in futures], s)
    s.release()
    s.release()
    record([f.done() for f in futures], s)


def semaphore_bad_values(record):
    for value in (-1, 0):
        try:
            record(locks.Semaphore(value))
        except ValueError as e:
            record(e)


def semaphore_with(record):
    @gen.coroutine
    def main():
        s = locks.Semaphore(1)
        with (yield s.acquire()) as got:
            record(got, s)
        record(s)
        try:
            with s:
                record("inside")
        except RuntimeError as e:
            record(e)

    run(main)


def semaphore_timeout(record):
    @gen.coroutine
    def main():
        s = locks.Semaphore(0)
        try:
            yield s.acquire(timeout=datetime.timedelta(seconds=0.001))
        except gen.TimeoutError as e:
            record(e)
        s.release()
        record((yield s.acquire()) is not None, s)

    run(main)


def bounded_semaphore(record):
    s = locks.BoundedSemaphore(1)
    try:
        s.release()
    except ValueError as e:
        record(e)
    s.acquire()
    s.release()
    record(s)


def lock(record):
    @gen.coroutine
    def worker(lock, name):
        with (yield lock.acquire()):
            record(name, "in")
            yield gen.moment
            record(name, "out")

    @gen.coroutine
    def main():
        one = locks.Lock()
        yield [worker(one, n) for n in "abc"]
        record(one)
        try:
            one.release()
        except RuntimeError as e:
            record(e)
        try:
            with one:
                pass
        except RuntimeError as e:
            record(e)

    run(main)


def lock_async_with(record):
    namespace = {"record": record, "locks": locks}
    exec("""
async def main():
    for thing in (locks.Lock(), locks.Semaphore(1), locks.BoundedSemaphore(2)):
        async with thing as got:
            record(got, thing)
        record(thing)
""", namespace)
    run(namespace["main"])


def many_timeouts_are_cleaned(record):
    @gen.coroutine
    def main():
        c = locks.Condition()
        for _ in range(150):
            try:
                yield c.wait(timeout=datetime.timedelta(microseconds=1))
            except gen.TimeoutError:
                pass
        record(len(c._waiters) < 150)

    run(main)
