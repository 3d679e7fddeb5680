"""tornado.queues."""
import datetime

from tornado import gen, queues
from tornado.ioloop import IOLoop

ROWS = {"iteration": "PY3"}


def run(function):
    return IOLoop.current().run_sync(function)


def texts_and_sizes(record):
    q = queues.Queue(3)
    record(q, str(q), q.maxsize, q.qsize(), q.empty(), q.full())
    q.put_nowait(1)
    q.put(2)
    record(q, q.qsize(), q.empty(), q.full())
    q.get()
    record(q)


def getters_and_putters(record):
    q = queues.Queue(1)
    got = q.get()
    record(got.done(), q)
    q.put_nowait("a")
    record(got.result(), q)
    q.put_nowait("b")
    waiting = q.put("c")
    record(waiting.done(), q)
    record(q.get_nowait(), waiting.done(), q.get_nowait(), q)


def empty_and_full(record):
    q = queues.Queue(1)
    try:
        q.get_nowait()
    except queues.QueueEmpty as e:
        record(type(e), str(e))
    q.put_nowait(1)
    try:
        q.put_nowait(2)
    except queues.QueueFull as e:
        record(type(e), str(e))


def bad_maxsize(record):
    for maxsize in (None, -1, 0):
        try:
            record(queues.Queue(maxsize))
        except Exception as e:
            record(e)


def timeouts(record):
    @gen.coroutine
    def main():
        q = queues.Queue(1)
        for start in (lambda: q.get(datetime.timedelta(seconds=0.001)), lambda: q.put(2, datetime.timedelta(seconds=0.001)),
                      lambda: q.join(datetime.timedelta(seconds=0.001))):
            try:
                yield start()
                record("done")
            except gen.TimeoutError as e:
                record(e)
            q.put_nowait(1) if q.empty() else None
        record(q)

    run(main)


def join_and_task_done(record):
    @gen.coroutine
    def consumer(q):
        while True:
            item = yield q.get()
            record("got", item)
            yield gen.moment
            q.task_done()

    @gen.coroutine
    def main():
        q = queues.Queue()
        for n in range(3):
            q.put(n)
        consumer(q)
        yield q.join()
        record("joined", q)
        try:
            q.task_done()
        except ValueError as e:
            record(e)

    run(main)


def priority_and_lifo(record):
    for q in (queues.PriorityQueue(), queues.LifoQueue()):
        for item in ((1, "b"), (0, "a"), (2, "c")):
            q.put(item)
        record(q.qsize(), [q.get_nowait() for _ in range(3)], q)


def iteration(record):
    namespace = {"record": record, "queues": queues}
    exec("""
async def main():
    q = queues.Queue()
    for n in range(3):
        q.put_nowait(n)
    async for item in q:
        record(item)
        q.task_done()
        if q.empty():
            break
""", namespace)
    run(namespace["main"])


def order_of_waiters(record):
    q = queues.Queue()
    for n in range(3):
        q.get().add_done_callback(lambda f, n=n: record(n, f.result()))
    for item in "abc":
        q.put_nowait(item)
