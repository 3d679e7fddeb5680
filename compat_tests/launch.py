"""Serve one application file on one side; runs under the real Tornado's Python (3.6 and later) too.

    python launch.py real|tornado4 APP.py

APP.py says ``import tornado`` and defines ``make_app()``; it may define ``SERVER``, keyword arguments
of HTTPServer. The port is printed as the first line, ``PORT n``; every record that the tornado loggers
get follows as one JSON line, [logger, level, message, has a traceback]. A connection to the control
port, the second number of the first line, is answered by the line ``"sync"`` some turns of the loop later:
what was logged before stands above it.
"""
import json
import logging
import sys


def backfill():
    """Put back what 4.5.3 needs to import on Python 3.10 and later."""
    import collections.abc
    import ssl
    for name in ("MutableMapping", "Mapping", "Awaitable", "Generator", "Callable", "Iterable"):
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    if not hasattr(ssl, "match_hostname"):
        ssl.match_hostname = lambda cert, hostname: None
    import concurrent.futures
    import concurrent.futures.thread  # noqa: F401


class JSONLines(logging.Handler):
    def emit(self, record):
        line = json.dumps([record.name, record.levelname, record.getMessage(), bool(record.exc_info)])
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def after_turns(loop, turns):
    if turns:
        loop.add_callback(after_turns, loop, turns - 1)
    else:
        sys.stdout.write('"sync"\n')
        sys.stdout.flush()


def main(side, app_file):
    if side == "tornado4":
        from tornado4.migrate import alias
        alias.install()
    elif sys.version_info >= (3, 10):
        backfill()
    import tornado.httpserver
    import tornado.ioloop
    import tornado.netutil

    handler = JSONLines()
    for name in ("tornado.access", "tornado.application", "tornado.general"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    namespace = {"__name__": "app", "__file__": app_file}
    with open(app_file) as file:
        exec(compile(file.read(), app_file, "exec"), namespace)
    server = tornado.httpserver.HTTPServer(namespace["make_app"](), **namespace.get("SERVER", {}))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    control = tornado.netutil.bind_sockets(0, "127.0.0.1")[:1]
    loop = tornado.ioloop.IOLoop.current()

    def synchronise(connection, address):
        connection.close()
        after_turns(loop, 20)

    tornado.netutil.add_accept_handler(control[0], synchronise)
    sys.stdout.write("PORT %d %d\n" % (sockets[0].getsockname()[1], control[0].getsockname()[1]))
    sys.stdout.flush()
    tornado.ioloop.IOLoop.current().start()


if __name__ == "__main__":
    main(*sys.argv[1:])
