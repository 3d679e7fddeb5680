"""Loops of each kind."""

import datetime
import os
import signal


def loops(t):
    from_signal = []
    loop = t.ioloop.IOLoop(make_current=False)
    t.ioloop.IOLoop.clear_current()
    loop.make_current()
    t.ioloop.IOLoop.initialized()
    loop.set_blocking_signal_threshold(None, None)
    loop.set_blocking_log_threshold(30)
    signal.setitimer(signal.ITIMER_REAL, 0)
    reading, writing = os.pipe()
    loop.add_handler(reading, lambda fd, events: (os.read(fd, 1), loop.remove_handler(fd)), loop.READ)
    loop.update_handler(reading, loop.READ | loop.ERROR)
    loop.add_callback_from_signal(from_signal.append, 1)
    loop.spawn_callback(os.write, writing, b"x")
    loop.add_callback(lambda: 1 / 0)
    loop.add_future(t.gen.moment, lambda future: None)
    loop.call_later(0.01, loop.stop)
    loop.call_at(loop.time(), lambda: None)
    loop.remove_timeout(loop.add_timeout(datetime.timedelta(seconds=9), print))
    ticks = t.ioloop.PeriodicCallback(lambda: 1 / 0, 2)
    ticks.start()
    ticks.is_running()
    loop.start()
    ticks.stop()
    os.close(reading)
    loop.close_fd(writing)
    loop.log_stack(signal.SIGALRM, None)
    t.ioloop.IOLoop.clear_instance()
    loop.install()
    t.ioloop.IOLoop.instance()
    t.ioloop.IOLoop.clear_instance()
    loop.close(all_fds=True)
    t.ioloop.IOLoop.clear_current()
    select = __import__(t.ioloop.__name__.partition(".")[0] + ".platform.select", fromlist=["x"])
    loop = select.SelectIOLoop()
    reading, writing = os.pipe()
    loop.add_handler(reading, lambda fd, events: (os.read(fd, 1), loop.remove_handler(fd), loop.stop()), loop.READ)
    loop.update_handler(reading, loop.READ)
    loop.add_callback(os.write, writing, b"x")
    loop.start()
    loop.close()
    os.close(reading), os.close(writing)
    t.ioloop.IOLoop.clear_current()


def asyncio_loops(t):
    import asyncio

    module = __import__(t.ioloop.__name__.partition(".")[0] + ".platform.asyncio", fromlist=["x"])
    asyncio.set_event_loop(asyncio.new_event_loop())
    for kind in (module.AsyncIOLoop, module.AsyncIOMainLoop):
        loop = kind()
        reading, writing = os.pipe()

        def read(fd, events, loop=loop):
            os.read(fd, 1)
            loop.remove_handler(fd)

        loop.add_handler(reading, read, loop.READ)
        loop.update_handler(reading, loop.READ)
        loop.add_callback(os.write, writing, b"x")
        loop.add_callback_from_signal(lambda: None)
        loop.remove_timeout(loop.call_later(9, print))
        loop.call_later(0.01, loop.stop)
        loop.start()
        os.close(reading), os.close(writing)
        loop.make_current()

        @t.gen.coroutine
        def go():
            future = asyncio.Future()
            future.set_result(1)
            yield future
            yield module.to_tornado_future(future)
            yield module.to_asyncio_future(t.gen.sleep(0))

        loop.run_sync(go)
        t.ioloop.IOLoop.clear_current()
        loop.close()
    asyncio.get_event_loop_policy().get_event_loop().close()
    asyncio.set_event_loop(None)


def run(t, folder):
    loops(t)
    asyncio_loops(t)
