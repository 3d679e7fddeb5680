"""Coroutines, queues, locks, timeouts."""


def run(t, folder):
    loop = t.ioloop.IOLoop.current()

    @t.gen.coroutine
    def one():
        yield t.gen.moment
        raise t.gen.Return(1)

    @t.gen.engine
    def old(callback):
        yield t.gen.Task(loop.add_callback)
        callback(2)

    @t.gen.coroutine
    def go():
        yield [one(), one()]
        yield {"a": one()}
        yield t.gen.Task(old)
        yield t.gen.with_timeout(loop.time() + 5, one())
        waiting = t.gen.WaitIterator(one(), one())
        while not waiting.done():
            yield waiting.next()
        queue = t.queues.Queue(maxsize=1)
        yield queue.put(1)
        full = queue.put(2)
        yield [queue.get(), queue.get(), full]
        queue.task_done()
        queue.task_done()
        yield queue.join()
        ordered = t.queues.PriorityQueue()
        ordered.put_nowait(1)
        ordered.get_nowait()
        lock = t.locks.Lock()
        with (yield lock.acquire()):
            pass
        condition = t.locks.Condition()
        loop.add_callback(condition.notify)
        yield condition.wait()
        event = t.locks.Event()
        loop.call_later(0.001, event.set)
        yield event.wait(timeout=loop.time() + 5)
        handle = loop.add_timeout(loop.time() + 50, go)
        loop.remove_timeout(handle)
        ticks = t.ioloop.PeriodicCallback(event.clear, 1)
        ticks.start()
        yield t.gen.sleep(0.01)
        ticks.stop()
        with t.stack_context.StackContext(lambda: t.stack_context.NullContext()):
            loop.add_callback(lambda: None)

    loop.run_sync(go, timeout=20)


