"""Awaitables that fail, and native coroutines that end with `gen.Return`, wherever one waits for them."""

from tornado import gen
from tornado.ioloop import IOLoop


class Refusing(object):
    def __await__(self):
        raise KeyError("refusing")


class NoIterable(object):
    def __await__(self):
        return 5


class Late(object):
    def __await__(self):
        yield None
        raise KeyError("late")


async def returning():
    raise gen.Return(3)


async def returning_late():
    await gen.sleep(0.001)
    raise gen.Return(4)


async def native(make):
    return await make()


@gen.coroutine
def yielding(thing):
    try:
        result = yield thing
    except Exception as error:
        raise gen.Return(("at the yield", type(error).__name__, str(error)))
    raise gen.Return(result)


KINDS = (Refusing, NoIterable, Late, returning, returning_late)


def outcome(record, name, function):
    try:
        record(name, IOLoop.current().run_sync(function, timeout=5))
    except Exception as error:
        record(name, type(error).__name__, str(error))


def yielded(record):
    for kind in KINDS:
        outcome(record, kind.__name__, lambda kind=kind: yielding(kind()))


def by_run_sync(record):
    for kind in KINDS:
        outcome(record, kind.__name__, kind)


def in_a_list(record):
    for kind in KINDS:
        outcome(record, kind.__name__, lambda kind=kind: yielding([kind(), kind()]))


def awaited(record):
    for kind in (returning, returning_late):
        outcome(record, kind.__name__, lambda kind=kind: native(kind))


def with_a_timeout(record):
    def waiting(kind):
        return gen.with_timeout(IOLoop.current().time() + 5, gen.convert_yielded(kind()))

    for kind in KINDS:
        outcome(record, kind.__name__, lambda kind=kind: yielding(waiting(kind)))


_RETURN = "Tornado 6 has an `async def` fail with the `gen.Return` that it raises"

#: What the real 6.6.1 does in the same scenarios: the same, or otherwise, and why.
ON_6 = {"yielded": _RETURN, "by_run_sync": _RETURN, "in_a_list": _RETURN, "awaited": _RETURN}
