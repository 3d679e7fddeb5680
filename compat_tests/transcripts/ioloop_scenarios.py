"""tornado.ioloop."""
import datetime
import functools
import os
import socket
import threading
import time

from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop, PeriodicCallback


def spin(seconds=0.01):
    loop = IOLoop.current()
    loop.call_later(seconds, loop.stop)
    loop.start()


def callbacks_in_order(record):
    loop = IOLoop.current()
    for n in range(3):
        loop.add_callback(record, n)
    loop.add_callback(loop.stop)
    loop.add_callback(record, "after stop")
    loop.start()
    record("stopped")


def callback_added_by_callback_runs_next_turn(record):
    loop = IOLoop.current()
    loop.add_callback(lambda: (record("one"), loop.add_callback(record, "three")))
    loop.add_callback(record, "two")
    spin()


def callback_arguments(record):
    loop = IOLoop.current()
    loop.add_callback(lambda *a, **k: record(a, sorted(k.items())), 1, 2, x=3)
    loop.add_callback_from_signal(record, "signal")
    loop.spawn_callback(record, "spawn")
    spin()


def stop_before_start(record):
    loop = IOLoop.current()
    loop.stop()
    loop.add_callback(record, "in the turn")
    loop.start()
    record("returned at once")
    loop.add_callback(loop.stop)
    loop.start()
    record("again")


def stop_twice(record):
    loop = IOLoop.current()
    loop.add_callback(lambda: (loop.stop(), loop.stop()))
    loop.start()
    loop.add_callback(record, "second run")
    loop.add_callback(loop.stop)
    loop.start()


def start_while_running(record):
    loop = IOLoop.current()

    def again():
        try:
            loop.start()
        except Exception as e:
            record(e)
        loop.stop()

    loop.add_callback(again)
    loop.start()


def nested_other_loop(record):
    outer = IOLoop.current()

    def inside():
        inner = IOLoop(make_current=False)
        inner.make_current()
        record(inner.run_sync(lambda: gen.maybe_future("inner")))
        record(IOLoop.current() is inner)
        inner.close()
        outer.make_current()
        outer.stop()

    outer.add_callback(inside)
    outer.start()
    record(IOLoop.current() is outer)


def failing_callback(record):
    loop = IOLoop.current()
    loop.add_callback(lambda: 1 / 0)
    loop.add_callback(record, "next")
    spin()


def callback_returning_failed_future(record):
    @gen.coroutine
    def bad():
        raise ValueError("coroutine callback")

    IOLoop.current().add_callback(bad)
    spin()


def callback_returning_odd_value(record):
    IOLoop.current().add_callback(lambda: 5)
    IOLoop.current().add_callback(lambda: "text")
    spin()
    record("end")


def handle_callback_exception_override(record):
    loop = IOLoop.current()
    loop.handle_callback_exception = lambda callback: record("handled")
    loop.add_callback(lambda: 1 / 0)
    spin()


def timeouts_in_order(record):
    loop = IOLoop.current()
    now = loop.time()
    loop.add_timeout(now + 0.003, record, "third")
    loop.add_timeout(now + 0.001, record, "first")
    loop.call_at(now + 0.002, record, "second")
    loop.add_timeout(datetime.timedelta(milliseconds=8), record, "fourth")
    loop.call_later(0.02, loop.stop)
    loop.start()


def timeouts_of_one_time_in_order_of_making(record):
    loop = IOLoop.current()
    when = loop.time() + 0.001
    for n in range(5):
        loop.add_timeout(when, record, n)
    spin()


def timeouts_in_the_past(record):
    loop = IOLoop.current()
    loop.add_timeout(0, record, "epoch")
    loop.add_timeout(loop.time() - 5, record, "five seconds ago")
    loop.call_later(-1, record, "negative")
    loop.add_callback(record, "callback")
    spin()


def timeout_removed(record):
    loop = IOLoop.current()
    handle = loop.call_later(0.001, record, "never")
    loop.remove_timeout(handle)
    loop.remove_timeout(handle)
    other = loop.call_later(0, record, "fired")
    spin()
    loop.remove_timeout(other)
    record("end")


def timeout_removed_by_another_of_the_same_turn(record):
    loop = IOLoop.current()
    when = loop.time() - 1
    handles = []
    loop.add_timeout(when, lambda: (record("first"), loop.remove_timeout(handles[0])))
    handles.append(loop.add_timeout(when, record, "second"))
    spin()


def timeout_bad_deadline(record):
    loop = IOLoop.current()
    for deadline in ("soon", None, object()):
        try:
            record(loop.add_timeout(deadline, record) is None)
        except Exception as e:
            record(type(e))


def timeout_compares(record):
    loop = IOLoop.current()
    a = loop.add_timeout(loop.time() + 100, record)
    b = loop.add_timeout(loop.time() + 200, record)
    record(a < b, a <= b, b < a)
    loop.remove_timeout(a)
    loop.remove_timeout(b)


def failing_timeout(record):
    IOLoop.current().call_later(0, lambda: 1 / 0)
    spin()
    record("end")


def timeout_and_callback_order(record):
    loop = IOLoop.current()
    loop.add_timeout(loop.time() - 1, record, "timeout")
    loop.add_callback(record, "callback")
    spin()


def add_future(record):
    loop = IOLoop.current()
    future = Future()
    loop.add_future(future, lambda f: record("future", f.result()))
    future.set_result(1)
    record("set")
    spin()


def add_future_not_a_future(record):
    try:
        IOLoop.current().add_future(3, record)
    except Exception as e:
        record(type(e))


def handler_gets_events(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()

    def ready(fd, events):
        record(fd == a.fileno(), events, a.recv(10))
        loop.remove_handler(a.fileno())
        loop.stop()

    loop.add_handler(a.fileno(), ready, loop.READ)
    b.send(b"x")
    loop.start()
    a.close()
    b.close()


def handler_with_socket_object(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()

    def ready(sock, events):
        record(sock is a, events)
        loop.update_handler(a, 0)
        loop.remove_handler(a)
        loop.stop()

    loop.add_handler(a, ready, loop.WRITE)
    loop.start()
    a.close()
    b.close()


def handler_added_twice(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()
    loop.add_handler(a, record, loop.READ)
    try:
        loop.add_handler(a, record, loop.READ)
    except Exception as e:
        record("refused", isinstance(e, (OSError, ValueError, KeyError)))
    loop.remove_handler(a)
    a.close()
    b.close()


def handler_removed_twice(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()
    loop.add_handler(a, record, loop.READ)
    loop.remove_handler(a)
    record(loop.remove_handler(a))
    a.close()
    b.close()


def handler_update_unknown(record):
    a, b = socket.socketpair()
    try:
        IOLoop.current().update_handler(a, IOLoop.READ)
    except Exception as e:
        record(type(e))
    a.close()
    b.close()


def handler_fails(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()

    def bad(fd, events):
        loop.remove_handler(fd)
        raise ValueError("handler")

    loop.add_handler(a.fileno(), bad, loop.WRITE)
    spin()
    record("end")
    a.close()
    b.close()


def handler_sees_hang_up(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()
    b.close()

    def ready(fd, events):
        record(bool(events & loop.READ), a.recv(1))
        loop.remove_handler(fd)
        loop.stop()

    loop.add_handler(a.fileno(), ready, loop.READ)
    loop.start()
    a.close()


def handler_read_and_write_at_once(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()
    b.send(b"x")

    def ready(fd, events):
        record(events)
        loop.remove_handler(fd)
        loop.stop()

    loop.add_handler(a.fileno(), ready, loop.READ | loop.WRITE)
    loop.start()
    a.close()
    b.close()


def callback_from_thread(record):
    loop = IOLoop.current()

    def work():
        loop.add_callback(lambda: (record("from the thread"), loop.stop()))

    thread = threading.Thread(target=work)
    loop.add_callback(thread.start)
    loop.start()
    thread.join()


def loop_in_a_thread(record):
    steps = []

    def work():
        loop = IOLoop()
        loop.make_current()
        steps.append(IOLoop.current() is loop)
        steps.append(loop.run_sync(lambda: gen.maybe_future(3)))
        loop.close()
        IOLoop.clear_current()
        steps.append(IOLoop.current(instance=False))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    record(steps)


def current_and_instance(record):
    loop = IOLoop.current()
    record(IOLoop.current(instance=False) is loop)
    loop.clear_current()
    record(IOLoop.current(instance=False))
    record(IOLoop.initialized())
    one = IOLoop.instance()
    record(IOLoop.instance() is one, IOLoop.initialized(), IOLoop.current() is one)
    IOLoop.clear_instance()
    record(IOLoop.initialized())
    loop.make_current()


def make_current_argument(record):
    loop = IOLoop.current()
    other = IOLoop(make_current=False)
    record(IOLoop.current() is loop)
    try:
        IOLoop(make_current=True)
    except Exception as e:
        record(e)
    other.close()


def constants(record):
    record(IOLoop.NONE, IOLoop.READ, IOLoop.WRITE, IOLoop.ERROR)
    record(isinstance(IOLoop.current().time(), float), abs(IOLoop.current().time() - time.time()) < 5)
    record(type(IOLoop.current()).__name__, IOLoop.configurable_default().__name__, IOLoop.configurable_base().__name__)


def after_close(record):
    loop = IOLoop(make_current=False)
    loop.close()
    try:
        record(loop.add_callback(record, "never"))
    except Exception as e:
        record(type(e), str(e))


def close_all_fds(record):
    loop = IOLoop(make_current=False)
    a, b = socket.socketpair()
    loop.add_handler(a, record, loop.READ)
    loop.close(all_fds=True)
    record(a.fileno())
    b.close()


def fd_split_and_close(record):
    loop = IOLoop.current()
    a, b = socket.socketpair()
    record(loop.split_fd(a)[0] == a.fileno(), loop.split_fd(7))
    loop.close_fd(a)
    record(a.fileno())
    r, w = os.pipe()
    loop.close_fd(r)
    loop.close_fd(r)
    os.close(w)
    b.close()


def periodic(record):
    loop = IOLoop.current()
    seen = []

    def tick():
        seen.append(1)
        record("tick", callback.is_running())
        if len(seen) == 3:
            callback.stop()
            loop.stop()

    callback = PeriodicCallback(tick, 1)
    record(callback.is_running())
    callback.start()
    loop.start()
    record(callback.is_running())


def periodic_failing(record):
    loop = IOLoop.current()
    seen = []

    def tick():
        seen.append(1)
        if len(seen) == 2:
            callback.stop()
            loop.stop()
        raise ValueError("tick")

    callback = PeriodicCallback(tick, 1)
    callback.start()
    loop.start()
    record(len(seen))


def periodic_bad_interval(record):
    for interval in (0, -1):
        try:
            PeriodicCallback(lambda: None, interval)
        except ValueError as e:
            record(e)
    callback = PeriodicCallback(lambda: None, 5, io_loop=IOLoop.current())
    record(callback.callback_time, callback.io_loop is IOLoop.current())


def periodic_coroutine_failing(record):
    loop = IOLoop.current()

    @gen.coroutine
    def tick():
        callback.stop()
        loop.call_later(0.005, loop.stop)
        raise ValueError("coroutine tick")

    callback = PeriodicCallback(tick, 1)
    callback.start()
    loop.start()
    record("end")


def run_sync_keeps_callbacks(record):
    loop = IOLoop.current()
    loop.add_callback(record, "pending")
    record(loop.run_sync(functools.partial(gen.sleep, 0.001)))


def configured_class(record):
    record(IOLoop.configured_class().__name__)
    try:
        IOLoop.configure(int)
    except Exception as e:
        record(e)


def run_in_executor_is_not_there(record):
    record([name for name in ("run_in_executor", "set_default_executor", "current", "fileno") if hasattr(IOLoop, name)])


def log_stack_and_blocking(record):
    loop = IOLoop.current()
    record(loop.set_blocking_log_threshold(None))
    record(loop.set_blocking_signal_threshold(None, None))
