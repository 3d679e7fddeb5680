"""tornado.gen: what runs when, what is raised where, and what is logged."""
import datetime
import functools

from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

ROWS = {"generator_closed_early": "GEN-GC"}


def run(function):
    return IOLoop.current().run_sync(function)


@gen.coroutine
def doubled(value):
    yield gen.moment
    raise gen.Return(value * 2)


@gen.coroutine
def failing(text):
    yield gen.moment
    raise ValueError(text)


def later(value, callback):
    IOLoop.current().add_callback(callback, value)


def coroutine_starts_at_once(record):
    @gen.coroutine
    def inner():
        record("inside")
        yield gen.moment
        record("after moment")

    @gen.coroutine
    def main():
        future = inner()
        record("called", future.done())
        yield future
        record("ended", future.result())

    run(main)


def return_values(record):
    @gen.coroutine
    def plain():
        return 1

    @gen.coroutine
    def raising():
        raise gen.Return({"a": 1})

    @gen.coroutine
    def generator():
        yield gen.moment
        raise gen.Return()

    @gen.coroutine
    def main():
        record((yield plain()), (yield raising()), (yield generator()))

    run(main)


def exceptions_pass_through(record):
    @gen.coroutine
    def main():
        try:
            yield failing("one")
        except ValueError as e:
            record("caught", e)
        try:
            yield [doubled(1), failing("two")]
        except ValueError as e:
            record("caught", e)
        yield failing("three")

    run(main)


def list_and_dict(record):
    @gen.coroutine
    def main():
        record((yield [doubled(1), doubled(2)]))
        record(sorted((yield {"a": doubled(1), "b": doubled(2)}).items()))
        record((yield []), (yield {}))
        record((yield [doubled(1), [doubled(2), {"x": doubled(3)}]]))

    run(main)


def list_with_two_failures(record):
    @gen.coroutine
    def main():
        try:
            yield [failing("one"), doubled(1), failing("two")]
        except ValueError as e:
            record(e)
        yield gen.moment

    run(main)


def multi_future_quiet(record):
    @gen.coroutine
    def main():
        try:
            yield gen.multi_future([failing("one"), failing("two")], quiet_exceptions=ValueError)
        except ValueError as e:
            record(e)

    run(main)


def multi_of_old_yield_points(record):
    @gen.coroutine
    def main():
        record((yield [gen.Task(later, 1), gen.Task(later, 2)]))
        record((yield gen.multi({"x": gen.Task(later, 3)})))

    run(main)


def yield_what_cannot_be(record):
    @gen.coroutine
    def main():
        for value in (1, "text", object, None):
            try:
                yield value
                record("went on", value)
            except Exception as e:
                record(e)

    run(main)


def yield_in_list_what_cannot_be(record):
    @gen.coroutine
    def main():
        try:
            yield [doubled(1), 3]
        except Exception as e:
            record(e)

    run(main)


def task_arguments(record):
    def several(callback):
        callback(1, 2, key=3)

    def none(callback):
        callback()

    @gen.engine
    def main(callback):
        result = yield gen.Task(several)
        record(result, result.args, result.kwargs)
        record((yield gen.Task(none)))
        record((yield gen.Task(later, value="kw")))
        callback()

    main(IOLoop.current().stop)
    record("started")
    IOLoop.current().add_callback(IOLoop.current().stop)
    IOLoop.current().start()


def callback_and_wait(record):
    @gen.engine
    def main():
        later("one", (yield gen.Callback("a")))
        later("two", (yield gen.Callback("b")))
        record((yield gen.Wait("b")))
        record((yield gen.Wait("a")))
        later("x", (yield gen.Callback("x")))
        later("y", (yield gen.Callback("y")))
        record((yield gen.WaitAll(["y", "x"])))
        IOLoop.current().stop()

    main()
    IOLoop.current().start()


def callback_reused(record):
    @gen.coroutine
    def main():
        yield gen.Callback("a")
        yield gen.Callback("a")

    run(main)


def wait_unknown(record):
    @gen.coroutine
    def main():
        yield gen.Wait("never")

    run(main)


def callback_leaked(record):
    @gen.coroutine
    def main():
        yield gen.Callback("left")

    main()
    IOLoop.current().call_later(0.01, IOLoop.current().stop)
    IOLoop.current().start()


def callback_leaked_in_engine(record):
    @gen.engine
    def main():
        yield gen.Callback("left")

    try:
        record(main())
    except Exception as e:
        record(e)
    IOLoop.current().call_later(0.01, IOLoop.current().stop)
    IOLoop.current().start()


def callback_called_twice(record):
    @gen.engine
    def main():
        done = yield gen.Callback("a")
        done(1)
        record((yield gen.Wait("a")))
        try:
            record(done(2))
        except Exception as e:
            record(e)

    main()
    IOLoop.current().call_later(0.01, IOLoop.current().stop)
    IOLoop.current().start()


def engine_returns_value(record):
    @gen.engine
    def main():
        yield gen.moment
        raise gen.Return(3)

    try:
        main()
        IOLoop.current().add_callback(IOLoop.current().stop)
        IOLoop.current().start()
    except Exception as e:
        record(e)


def engine_failure_is_logged(record):
    @gen.engine
    def main():
        yield gen.Task(later, 1)
        raise KeyError("lost")

    main()
    IOLoop.current().call_later(0.01, IOLoop.current().stop)
    IOLoop.current().start()


def engine_no_generator(record):
    @gen.engine
    def main():
        record("run")

    record(main())


def engine_no_generator_with_value(record):
    @gen.engine
    def main():
        return 5

    try:
        record(main())
    except Exception as e:
        record(e)


def coroutine_callback_argument(record):
    @gen.coroutine
    def answer():
        yield gen.moment
        raise gen.Return(42)

    loop = IOLoop.current()
    answer(callback=lambda value: (record("called back", value), loop.stop()))
    loop.start()


def coroutine_callback_none_value(record):
    @gen.coroutine
    def nothing():
        yield gen.moment

    loop = IOLoop.current()
    nothing(callback=lambda *args: (record("called back", args), loop.stop()))
    loop.start()


def coroutine_callback_failure(record):
    loop = IOLoop.current()
    failing("to whom", callback=lambda *args: record("not called", args))
    loop.call_later(0.01, loop.stop)
    loop.start()


def sleep_and_moment_order(record):
    @gen.coroutine
    def main():
        IOLoop.current().add_callback(record, "callback")
        record("before")
        yield gen.moment
        record("after moment")
        yield gen.sleep(0.001)
        record("after sleep")
        yield None
        record("after None")

    run(main)


def with_timeout_in_time(record):
    @gen.coroutine
    def main():
        record((yield gen.with_timeout(datetime.timedelta(seconds=10), doubled(3))))

    run(main)


def with_timeout_too_late(record):
    @gen.coroutine
    def main():
        late = Future()
        try:
            yield gen.with_timeout(datetime.timedelta(seconds=0.001), late)
        except gen.TimeoutError as e:
            record(e, type(e).__mro__[1])
        late.set_exception(ValueError("after it"))
        yield gen.moment

    run(main)


def with_timeout_quiet(record):
    @gen.coroutine
    def main():
        late = Future()
        try:
            yield gen.with_timeout(datetime.timedelta(seconds=0.001), late, quiet_exceptions=ValueError)
        except gen.TimeoutError as e:
            record(e)
        late.set_exception(ValueError("after it"))
        yield gen.moment

    run(main)


def wait_iterator(record):
    @gen.coroutine
    def main():
        slow, quick = Future(), Future()
        iterator = gen.WaitIterator(slow, quick)
        IOLoop.current().add_callback(quick.set_result, "quick")
        IOLoop.current().add_callback(slow.set_result, "slow")
        while not iterator.done():
            value = yield iterator.next()
            record(value, iterator.current_index, iterator.current_future is (slow, quick)[iterator.current_index])

    run(main)


def wait_iterator_by_name(record):
    @gen.coroutine
    def main():
        iterator = gen.WaitIterator(a=doubled(1), b=failing("b"))
        while not iterator.done():
            try:
                value = yield iterator.next()
            except ValueError as e:
                value = e
            record(iterator.current_index, value)
        try:
            gen.WaitIterator(doubled(1), x=doubled(2))
        except ValueError as e:
            record(e)

    run(main)


def maybe_future(record):
    future = gen.maybe_future(3)
    record(future.done(), future.result())
    other = Future()
    record(gen.maybe_future(other) is other)
    record(gen.is_coroutine_function(doubled), gen.is_coroutine_function(later), gen.is_coroutine_function(gen.engine(later)))


def convert_yielded(record):
    class Mine(object):
        def __init__(self, value):
            self.value = value

    @gen.convert_yielded.register(Mine)
    def convert(mine):
        return doubled(mine.value)

    @gen.coroutine
    def main():
        record((yield Mine(4)))

    run(main)
    try:
        gen.convert_yielded(3)
    except gen.BadYieldError as e:
        record(e)
    record(gen.convert_yielded([doubled(1)]).done())


def result_tuple(record):
    record(gen.Arguments((1,), {"a": 2}))
    record(gen.Return(3).value, gen.Return().value, gen.Return(3))


def chain_of_coroutines_order(record):
    @gen.coroutine
    def step(name, times):
        for n in range(times):
            record(name, n)
            yield gen.moment
        raise gen.Return(name)

    @gen.coroutine
    def main():
        record((yield [step("a", 3), step("b", 2), step("c", 1)]))

    run(main)


def resolved_futures_do_not_wait(record):
    @gen.coroutine
    def main():
        IOLoop.current().add_callback(record, "callback")
        for n in range(3):
            future = Future()
            future.set_result(n)
            record((yield future))
        yield gen.moment

    run(main)


def unresolved_future_resumes_when(record):
    @gen.coroutine
    def main(future):
        record("value", (yield future))

    future = Future()
    main(future)
    record("before")
    future.set_result(1)
    record("after")
    IOLoop.current().add_callback(IOLoop.current().stop)
    IOLoop.current().start()


def run_sync_timeout(record):
    try:
        IOLoop.current().run_sync(lambda: Future(), timeout=0.01)
    except Exception as e:
        record(e)


def run_sync_values(record):
    loop = IOLoop.current()
    record(loop.run_sync(lambda: None))
    try:
        record(loop.run_sync(lambda: 5))
    except Exception as e:
        record(e)
    record(loop.run_sync(functools.partial(doubled, 2)))
    try:
        loop.run_sync(functools.partial(failing, "sync"))
    except ValueError as e:
        record(e)


def native_coroutine(record):
    namespace = {"record": record, "gen": gen, "doubled": doubled, "failing": failing}
    exec("""
async def main():
    record("start")
    record(await doubled(4))
    try:
        await failing("native")
    except ValueError as e:
        record(e)
    return "end"

@gen.coroutine
def outer():
    value = yield main()
    record(value)
""", namespace)
    run(namespace["outer"])
    record(run(namespace["main"]))


def native_in_lists(record):
    namespace = {"doubled": doubled}
    exec("""
async def one(n):
    return await doubled(n)
""", namespace)

    @gen.coroutine
    def main():
        record((yield [namespace["one"](1), doubled(5), namespace["one"](2)]))
        record((yield {"a": namespace["one"](1)}))

    run(main)


def generator_closed_early(record):
    @gen.coroutine
    def main():
        try:
            yield Future()
        except GeneratorExit:
            record("closed")
            raise
        finally:
            record("finally")

    future = main()
    record(future.done())
    del future


def failure_nobody_looks_at(record):
    failing("nobody")
    IOLoop.current().call_later(0.01, IOLoop.current().stop)
    IOLoop.current().start()
    record("end")


def spawn_callback_failure(record):
    loop = IOLoop.current()
    loop.spawn_callback(failing, "spawned")
    loop.call_later(0.01, loop.stop)
    loop.start()
    record("end")


def stop_iteration_value(record):
    @gen.coroutine
    def main():
        yield gen.moment
        return "returned"

    record(run(main))


def exception_after_yield_none(record):
    @gen.coroutine
    def main():
        yield None
        raise KeyError("k")

    try:
        run(main)
    except KeyError as e:
        record(e)


def deep_recursion(record):
    @gen.coroutine
    def down(n):
        if n == 0:
            raise gen.Return("bottom")
        raise gen.Return((yield down(n - 1)))

    record(run(functools.partial(down, 50)))
