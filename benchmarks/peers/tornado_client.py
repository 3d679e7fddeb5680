"""Fetches on every Tornado: CPU microseconds a fetch, as a number.

    python tornado_client.py PORT PATH SECONDS [--kept]
"""
import sys
import time

import _tornado  # noqa: F401  (first: decides which Tornado is meant)
from tornado import gen
from tornado.ioloop import IOLoop
from tornado.simple_httpclient import SimpleAsyncHTTPClient

URL = "http://127.0.0.1:%s%s" % tuple(sys.argv[1:3])


@gen.coroutine
def main():
    options = {"keep_alive": True} if "--kept" in sys.argv else {}
    client = SimpleAsyncHTTPClient(**options)
    yield [client.fetch(URL) for _ in range(4)]
    count, before, end = 0, time.process_time(), time.time() + float(sys.argv[3])
    while time.time() < end:
        yield [client.fetch(URL) for _ in range(4)]
        count += 4
    raise gen.Return((time.process_time() - before) * 1e6 / count)


if __name__ == "__main__":
    print(IOLoop.current().run_sync(main))
