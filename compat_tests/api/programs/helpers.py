"""What the programs share."""

import contextlib


@contextlib.contextmanager
def serving(t, application, **options):
    """An application on a port of its own, whose base URL is given."""
    server = t.httpserver.HTTPServer(application, **options)
    sockets = t.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server.stop()


def run_sync(t, function):
    t.ioloop.IOLoop.current().run_sync(t.gen.coroutine(function), timeout=30)


def turns(t):
    """Rounds of the loop, in which what is under way within this process arrives."""

    @t.gen.coroutine
    def some():
        for _ in range(30):
            yield t.gen.moment

    return some()
