"""gen, IOLoop and util on their own: CPU microseconds an operation, as one JSON object. Runs on every Tornado."""
import contextlib
import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import _tornado  # noqa: F401  (first: decides which Tornado is meant)
from tornado import gen
from tornado.concurrent import Future, run_on_executor
from tornado.httputil import HTTPHeaders, parse_body_arguments, url_concat
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.queues import Queue
from tornado.web import create_signed_value, decode_signed_value

try:
    from tornado.stack_context import StackContext
except ImportError:  # Tornado 6
    StackContext = None

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20000


@gen.coroutine
def done():
    raise gen.Return(1)


@gen.coroutine
def yields_done_futures():
    for _ in range(ROUNDS):
        yield done()


@gen.coroutine
def yields_moments():
    for _ in range(ROUNDS):
        yield gen.moment


async def awaits_pending_futures():
    loop = IOLoop.current()
    for _ in range(ROUNDS):
        future = Future()
        loop.add_callback(future.set_result, None)
        await future


@gen.coroutine
def yields_pending_futures():
    loop = IOLoop.current()
    for _ in range(ROUNDS):
        future = Future()
        loop.add_callback(future.set_result, None)
        yield future


def callbacks():
    loop, left, all_run = IOLoop.current(), [ROUNDS], Future()

    def again():
        left[0] -= 1
        if left[0]:
            loop.add_callback(again)
        else:
            all_run.set_result(None)

    loop.add_callback(again)
    return all_run


def callbacks_in_a_stack_context():
    @contextlib.contextmanager
    def context():
        yield

    with StackContext(context):
        return callbacks()


class Worker:
    executor = ThreadPoolExecutor(1)

    @run_on_executor
    def work(self):
        return 1


@gen.coroutine
def executor():
    worker = Worker()
    for _ in range(ROUNDS // 10):
        yield worker.work()


SIGNED = create_signed_value("secret", "user", "ada lovelace")
FORM = b"&".join(b"name%d=some+value%%20%d" % (n, n) for n in range(10))


@gen.coroutine
def concatenates_urls():
    for _ in range(ROUNDS // 4):
        url_concat("http://example.com/path?a=1", {"b": "2", "c": "three words"})


@gen.coroutine
def reads_signed_values():
    for _ in range(ROUNDS // 4):
        decode_signed_value("secret", "user", SIGNED)


@gen.coroutine
def parses_forms():
    for _ in range(ROUNDS // 4):
        parse_body_arguments("application/x-www-form-urlencoded", FORM, {}, {}, HTTPHeaders())


def timeouts():
    loop, left, all_run = IOLoop.current(), [ROUNDS], Future()

    def again():
        left[0] -= 1
        if left[0]:
            loop.remove_timeout(loop.add_timeout(time.time() + 60, again))
            loop.add_timeout(time.time(), again)
        else:
            all_run.set_result(None)

    again()
    return all_run


@gen.coroutine
def stream_lines():
    a, b = socket.socketpair()
    left, right = IOStream(a), IOStream(b)
    for _ in range(ROUNDS // 4):
        left.write(b"x" * 100 + b"\n")
        yield right.read_until(b"\n")
    left.close()
    right.close()


@gen.coroutine
def queue_items():
    queue = Queue(maxsize=10)

    @gen.coroutine
    def consume():
        for _ in range(ROUNDS // 2):
            yield queue.get()
            queue.task_done()

    consumer = consume()
    for i in range(ROUNDS // 2):
        yield queue.put(i)
    yield consumer


def measure(operation, rounds):
    loop = IOLoop.current()
    best = None
    for _ in range(3):
        start = time.process_time()
        loop.run_sync(operation)
        spent = (time.process_time() - start) * 1e6 / rounds
        best = spent if best is None else min(best, spent)
    return round(best, 3)


if __name__ == "__main__":
    print(json.dumps({
        "coroutine, done future": measure(yields_done_futures, ROUNDS),
        "coroutine, moment": measure(yields_moments, ROUNDS),
        "coroutine, pending future": measure(yields_pending_futures, ROUNDS),
        "async def, pending future": measure(awaits_pending_futures, ROUNDS),
        "add_callback": measure(callbacks, ROUNDS),
        "add_timeout, remove_timeout": measure(timeouts, ROUNDS),
        "stream line, write and read": measure(stream_lines, ROUNDS // 4),
        "queue put and get": measure(queue_items, ROUNDS // 2),
        "run_on_executor": measure(executor, ROUNDS // 10),
        "url_concat": measure(concatenates_urls, ROUNDS // 4),
        "decode_signed_value": measure(reads_signed_values, ROUNDS // 4),
        "parse_body_arguments, ten fields": measure(parses_forms, ROUNDS // 4),
        **({"add_callback in a stack context": measure(callbacks_in_a_stack_context, ROUNDS)} if StackContext else {}),
    }))
