"""Every kind of awaitable, in every container, waited for from every kind of coroutine."""

import datetime
import types

from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop


class Awaitable:
    """What its ``__await__`` does is given to it."""

    def __init__(self, function):
        self.function = function

    def __await__(self):
        return self.function()


class Iterator:
    """Plain: with neither ``send`` nor ``throw``."""

    def __init__(self, steps, end=StopIteration):
        self.steps = steps
        self.end = end

    def __iter__(self):
        return self

    def __next__(self):
        self.steps -= 1
        if self.steps < 0:
            raise self.end("end")
        return gen.moment


def raising(error):
    def function():
        raise error

    return function


def returning():
    yield gen.moment
    return "returned"


def at_once():
    return "at once"
    yield


def failing():
    yield gen.moment
    raise KeyError("later")


def gen_return():
    yield gen.moment
    raise gen.Return("gen.Return")


def a_future():
    future = Future()
    IOLoop.current().add_callback(future.set_result, "future")
    return (yield future)


def a_list():
    return (yield [gen.moment, gen.moment])


def a_dictionary():
    return (yield {"a": gen.moment})


def not_yieldable():
    try:
        yield object()
    except gen.BadYieldError:
        return "a bad yield"


async def native():
    await gen.moment
    raise gen.Return("native")


async def native_failing():
    raise KeyError("native")


@types.coroutine
def old_coroutine():
    yield gen.moment
    return "old"


@types.coroutine
def old_gen_return():
    raise gen.Return("old, gen.Return")
    yield


KINDS = {
    "raises": lambda: Awaitable(raising(KeyError("at once"))),
    "raises gen.Return": lambda: Awaitable(raising(gen.Return("at once"))),
    "raises StopIteration": lambda: Awaitable(raising(StopIteration("at once"))),
    "no iterator": lambda: Awaitable(lambda: None),
    "a list for an iterator": lambda: Awaitable(lambda: [gen.moment]),
    "an iterator": lambda: Awaitable(lambda: Iterator(2)),
    "an iterator that fails": lambda: Awaitable(lambda: Iterator(1, KeyError)),
    "an iterator with gen.Return": lambda: Awaitable(lambda: Iterator(1, gen.Return)),
    "native": native,
    "native, failing": native_failing,
    "old": old_coroutine,
    "old, gen.Return": old_gen_return,
}
for function in (returning, at_once, failing, gen_return, a_future, a_list, a_dictionary, not_yieldable):
    KINDS[function.__name__] = lambda function=function: Awaitable(function)

CONTAINERS = {
    "itself": lambda make: make(),
    "list": lambda make: [make(), make()],
    "dict": lambda make: {"a": make()},
    "convert_yielded": lambda make: gen.convert_yielded(make()),
    "with_timeout": lambda make: gen.with_timeout(datetime.timedelta(seconds=9), gen.convert_yielded(make())),
    "multi": lambda make: gen.multi([make()]),
}


def told(error):
    return type(error).__name__, str(error)


@gen.coroutine
def coroutine(container, make):
    try:
        result = yield container(make)
    except Exception as error:
        result = told(error)
    raise gen.Return(result)


@gen.coroutine
def waiting_coroutine(container, make):
    yield gen.moment
    result = yield coroutine(container, make)
    return result


@gen.coroutine
def failing_coroutine(container, make):
    result = yield container(make)
    return result


async def native_coroutine(container, make):
    value = container(make)
    try:
        return await (gen.multi(value) if isinstance(value, (list, dict)) else value)
    except Exception as error:
        return told(error)


def everything(record, caller):
    for container_name, container in CONTAINERS.items():
        for kind, make in KINDS.items():
            try:
                outcome = IOLoop.current().run_sync(lambda: caller(container, make))  # noqa: B023
            except Exception as error:
                outcome = "raised", told(error)
            record(container_name, kind, outcome)


def by_a_coroutine(record):
    everything(record, coroutine)


def by_a_coroutine_that_has_waited(record):
    everything(record, waiting_coroutine)


def by_a_coroutine_that_lets_it_fail(record):
    everything(record, failing_coroutine)


def by_a_native_coroutine(record):
    everything(record, native_coroutine)
