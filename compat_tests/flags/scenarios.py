"""What each flag changes, as whole programs: what they print is 4.5.3's without the flag, and 6.6.1's under it.

At least three a flag, one of them with a real request. ``SERVER`` stands ahead of those. No machine is too slow for
them: a limit of seconds is met only by what would wait for ever.
"""

from __future__ import annotations

LOOP = """
import logging, threading
logging.disable(logging.CRITICAL)
from datetime import timedelta
from tornado import gen, httpclient, httputil, ioloop, web
from tornado.concurrent import Future
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.locks import Condition, Event, Lock, Semaphore
from tornado.queues import Queue

def name_of(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except BaseException as error:
        return type(error).__name__ + (": " + str(error) if SHOWS_TEXT else "")

SHOWS_TEXT = True
"""

SERVER = (
    LOOP
    + """
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

def ask(handlers, path="/", settings={}, limit=20, **kwargs):
    async def main():
        try:
            client = httpclient.AsyncHTTPClient()
            return await client.fetch(url + path, raise_error=False, request_timeout=limit, **kwargs)
        except Exception as error:
            return error
    socket, port = bind_unused_port()
    server = HTTPServer(web.Application(handlers, **settings))
    server.add_sockets([socket])
    url = "http://127.0.0.1:%d" % port
    response = IOLoop.current().run_sync(main)
    server.stop()
    return response
"""
)

THREAD = (
    SERVER
    + """
import time
from concurrent.futures import ThreadPoolExecutor
from tornado.concurrent import chain_future

order, loop_waits, over = [], threading.Event(), threading.Event()

def work(set_it, *args):
    loop_waits.wait()
    time.sleep(0.4)
    set_it(*args)
    time.sleep(0.6)
    order.append("worker")
    over.set()
    loop.add_callback(lambda: None)

def set_from_a_thread(set_it, *args):
    threading.Thread(target=work, args=(set_it,) + args, name="worker").start()

@gen.coroutine
def end():
    while not over.is_set():
        yield gen.sleep(0.01)

loop = IOLoop.current()
loop.add_callback(loop_waits.set)
"""
)

CHUNKS = (
    SERVER
    + """
@web.stream_request_body
class Pieces(web.RequestHandler):
    def prepare(self):
        self.pieces = []
    def data_received(self, piece):
        self.pieces.append(piece)
    def post(self):
        self.write(str([piece if len(piece) < 20 else len(piece) for piece in self.pieces]))

def chunked(pieces):
    return b"".join(b"%x\\r\\n%s\\r\\n" % (len(piece), piece) for piece in pieces) + b"0\\r\\n\\r\\n"

def send(*parts):
    async def main():
        stream = IOStream(socket.socket())
        await stream.connect(("127.0.0.1", port))
        await stream.write(b"POST / HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
        for part in parts:
            await gen.sleep(0.1)
            await stream.write(part)
        head = await stream.read_until(b"\\r\\n\\r\\n")
        if b"Content-Length" not in head:
            return head.split(b"\\r\\n")[0]
        length = int(head.split(b"Content-Length: ")[1].split(b"\\r\\n")[0])
        return await stream.read_bytes(length)
    listener, port = bind_unused_port()
    server = HTTPServer(web.Application([("/", Pieces)]))
    server.add_sockets([listener])
    return IOLoop.current().run_sync(main)

import json, socket
from tornado.iostream import IOStream
"""
)

SCENARIOS: dict[str, list[str]] = {
    "future-async-callbacks": [
        LOOP + """
async def main():
    future, order = Future(), []
    future.add_done_callback(lambda done: order.append("callback"))
    future.set_result(1)
    order.append("after")
    await gen.sleep(0.01)
    print(order)
IOLoop.current().run_sync(main)
""",
        LOOP + """
async def main():
    future, order = Future(), []
    future.set_exception(ValueError("x"))
    future.add_done_callback(lambda done: order.append(str(done.exception())))
    order.append("after")
    await gen.sleep(0.01)
    print(order)
IOLoop.current().run_sync(main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        future = Future()
        future.add_done_callback(lambda done: self.write("callback "))
        future.set_result(1)
        self.write("after ")
        yield gen.sleep(0.01)
print(ask([("/", Handler)]).body)
""",
    ],
    "future-strict-state": [
        LOOP + """
async def main():
    future = Future()
    future.set_result(1)
    SETS = name_of(future.set_result, 2)
    print("InvalidStateError" in str(SETS))
    print("InvalidStateError" in str(name_of(future.set_exception, ValueError())))
IOLoop.current().run_sync(main)
""",
        LOOP + """
async def main():
    print(name_of(Future().result))
    print(name_of(Future().exception))
IOLoop.current().run_sync(main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        future = Future()
        future.set_result(1)
        try:
            future.set_result(2)
        except Exception as error:
            self.write(type(error).__name__)
        yield future
print(ask([("/", Handler)]).body)
""",
    ],
    "future-needs-loop": [
        LOOP + """
IOLoop.current()
def worker():
    print(name_of(lambda: type(Future()).__name__ == "Future"))
thread = threading.Thread(target=worker, name="worker")
thread.start()
thread.join()
""",
        LOOP + """
IOLoop.current()
@gen.coroutine
def work():
    yield gen.moment
def worker():
    outcome = name_of(work)
    print(outcome if isinstance(outcome, str) else "started")
thread = threading.Thread(target=worker, name="worker")
thread.start()
thread.join()
""",
        SERVER + """
class Handler(web.RequestHandler):
    def get(self):
        def worker():
            self.made = name_of(lambda: bool(Future()))
        thread = threading.Thread(target=worker, name="worker")
        thread.start()
        thread.join()
        self.write(str(self.made))
print(ask([("/", Handler)]).body)
""",
    ],
    "future-thread": [
        THREAD + """
async def main():
    future = Future()
    set_from_a_thread(future.set_result, 1)
    await future
    order.append("main")
    await end()
IOLoop.current().run_sync(main)
print(order)
""",
        THREAD + """
@gen.coroutine
def main():
    future = Future()
    future.add_done_callback(lambda done: order.append(threading.current_thread().name))
    set_from_a_thread(future.set_exception, ValueError("x"))
    try:
        yield gen.with_timeout(timedelta(seconds=15), future)
    except ValueError:
        order.append("main")
    yield end()
IOLoop.current().run_sync(main)
print(sorted(order[:2]), order[2:])
""",
        THREAD + """
@gen.coroutine
def main():
    future, chained = Future(), Future()
    executor = ThreadPoolExecutor(1)
    chain_future(executor.submit(work, lambda: None), chained)
    chained.add_done_callback(lambda done: order.append("chained"))
    yield chained
    order.append("main")
    yield end()
IOLoop.current().run_sync(main)
print(order)
""",
        THREAD + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        future = Future()
        set_from_a_thread(future.set_result, None)
        yield future
        order.append("handler")
        yield end()
        self.write(str(order))
print(ask([("/", Handler)], limit=15).body)
""",
    ],
    "loop-make-current": [
        LOOP + """
main = IOLoop.current()
main.make_current()
helper = IOLoop()
print(IOLoop.current() is main, IOLoop.current() is helper)
""",
        LOOP + """
main = IOLoop.current()
main.make_current()
helper = IOLoop(make_current=False)
print(IOLoop.current() is main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    def get(self):
        self.write("served")
before = IOLoop.current()
before.make_current()
helper = IOLoop()
print(IOLoop.current() is before)
before.make_current()
print(ask([("/", Handler)]).body)
""",
    ],
    "loop-instance": [
        LOOP + """
main = IOLoop.current()
def worker():
    print(IOLoop.current() is main, IOLoop.instance() is main)
thread = threading.Thread(target=worker)
thread.start()
thread.join()
""",
        LOOP + """
main = IOLoop.current()
def worker():
    IOLoop.current().add_callback(print, "called back")
thread = threading.Thread(target=worker)
thread.start()
thread.join()
main.add_callback(main.stop)
main.start()
print("end")
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        loop = IOLoop.current()
        def worker():
            self.same = IOLoop.current() is loop
        thread = threading.Thread(target=worker)
        thread.start()
        thread.join()
        self.write(str(self.same))
        yield gen.moment
IOLoop.current()
print(ask([("/", Handler)]).body)
""",
    ],
    "nested-loop": [
        LOOP + """
async def main():
    print(name_of(lambda: IOLoop(make_current=False).run_sync(lambda: None)))
IOLoop.current().run_sync(main)
""",
        LOOP + """
async def main():
    print(name_of(lambda: type(httpclient.HTTPClient()).__name__))
IOLoop.current().run_sync(main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    def get(self):
        self.write(str(name_of(lambda: IOLoop(make_current=False).run_sync(lambda: None))))
print(ask([("/", Handler)]).body)
""",
    ],
    "future-cancel": [
        LOOP + """
async def main():
    future = Future()
    print(future.cancel(), future.cancelled(), future.done(), future.cancel())
    try:
        future.set_result("in time")
        print(future.result())
    except Exception as error:
        print(type(error).__name__)
IOLoop.current().run_sync(main)
""",
        LOOP + """
import asyncio
async def main():
    future = Future()
    IOLoop.current().call_later(0.01, future.cancel)
    IOLoop.current().call_later(0.03, lambda: None if future.done() else future.set_result("not cancelled"))
    try:
        print(await future)
    except asyncio.CancelledError:
        print("CancelledError")
IOLoop.current().run_sync(main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        future = Future()
        self.write(str([future.cancel(), future.cancelled(), future.done()]))
        yield gen.moment
print(ask([("/", Handler)]).body)
""",
    ],
    "executor-future": [
        LOOP + """
from concurrent import futures
from tornado.concurrent import run_on_executor
class Worker(object):
    executor = futures.ThreadPoolExecutor(1)
    @run_on_executor
    def divide(self, a, b):
        return divmod(a, b)
async def main():
    future = Worker().divide(7, 2)
    print(isinstance(future, futures.Future))
    print(await gen.convert_yielded(future))
    try:
        await gen.convert_yielded(Worker().divide(7, 0))
    except ZeroDivisionError:
        print("ZeroDivisionError")
IOLoop.current().run_sync(main)
""",
        LOOP + """
import time
from concurrent import futures
from tornado.concurrent import run_on_executor
class Worker(object):
    _pool = futures.ThreadPoolExecutor(1)
    @run_on_executor(executor="_pool")
    def nothing(self):
        pass
async def main():
    future = Worker().nothing()
    Worker._pool.submit(int).result()
    time.sleep(0.02)
    print(future.done())
IOLoop.current().run_sync(main)
""",
        LOOP + """
async def main():
    future = Future()
    future.set_result(1)
    for ask in (
        lambda: future.result(timeout=5), lambda: future.result(5), lambda: future.result(),
        lambda: future.exception(timeout=5), lambda: future.exception(5), lambda: future.exception(),
    ):
        print(name_of(ask))
IOLoop.current().run_sync(main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        future = gen.sleep(0.01)
        yield future
        self.write(str(name_of(future.result, timeout=5)))
print(ask([("/", Handler)]).body)
""",
        SERVER + """
from concurrent import futures
from tornado.concurrent import run_on_executor
class Handler(web.RequestHandler):
    executor = futures.ThreadPoolExecutor(1)
    @run_on_executor
    def work(self):
        return "worked"
    @gen.coroutine
    def get(self):
        future = self.work()
        self.write(str(isinstance(future, futures.Future)))
        self.write((yield future))
print(ask([("/", Handler)]).body)
""",
    ],
    "run-sync-cancels": [
        LOOP + """
import asyncio
async def patient():
    try:
        await gen.sleep(100)
    except asyncio.CancelledError:
        print("cancelled")
        raise
try:
    IOLoop.current().run_sync(patient, timeout=2)
except ioloop.TimeoutError as error:
    print(error)
""",
        LOOP + """
@gen.coroutine
def patient():
    try:
        yield gen.sleep(1)
    except BaseException as error:
        print(type(error).__name__)
    print("went on")
try:
    IOLoop.current().run_sync(patient, timeout=0.3)
except ioloop.TimeoutError as error:
    print(error)
try:
    IOLoop.current().run_sync(lambda: gen.sleep(1.5))
    print("slept")
except ioloop.TimeoutError as error:
    print(error)
""",
        LOOP + """
import asyncio
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(100)
socket, port = bind_unused_port()
HTTPServer(web.Application([("/", Handler)])).add_sockets([socket])
async def ask():
    try:
        await httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:%d/" % port)
    finally:
        print("tidied up")
try:
    IOLoop.current().run_sync(ask, timeout=2)
except ioloop.TimeoutError:
    print("TimeoutError")
import os, sys
sys.stdout.flush()
os._exit(0)
""",
    ],
    "redirect-query": [
        SERVER + """
handlers = [("/old", web.RedirectHandler, {"url": "/new"})]
print(ask(handlers, "/old?a=1&b=two", follow_redirects=False).headers["Location"])
""",
        SERVER + """
handlers = [("/old/(.*)", web.RedirectHandler, {"url": "/new/{0}?x=y"})]
print(ask(handlers, "/old/page?a=1", follow_redirects=False).headers["Location"])
""",
        SERVER + """
handlers = [("/old", web.RedirectHandler, {"url": "/new", "permanent": False})]
response = ask(handlers, "/old?q=a%20b&q=%7B0%7D", follow_redirects=False)
print(response.code, response.headers["Location"])
print(ask(handlers, "/old", follow_redirects=False).headers["Location"])
""",
    ],
    "coroutine-callback": [
        LOOP + """
@gen.coroutine
def double(number):
    yield gen.moment
    raise gen.Return(number * 2)
async def main():
    try:
        print(await double(21, callback=lambda value: print("callback", value)))
        await gen.sleep(0.01)
    except TypeError as error:
        print(error)
IOLoop.current().run_sync(main)
""",
        LOOP + """
@gen.coroutine
def run(callback):
    yield gen.moment
    callback("from within")
async def main():
    try:
        await run(callback=print)
    except TypeError:
        print("TypeError")
IOLoop.current().run_sync(main)
""",
        SERVER + """
@gen.coroutine
def double(number):
    yield gen.moment
    raise gen.Return(number * 2)
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        try:
            yield double(21, callback=lambda value: self.write("callback %d" % value))
            yield gen.sleep(0.01)
        except TypeError as error:
            self.write(str(error))
print(ask([("/", Handler)]).body)
""",
    ],
    "raise-error-strict": [
        SERVER + """
import socket
bound = socket.socket()  # nobody listens there
bound.bind(("127.0.0.1", 0))
async def main():
    url = "http://127.0.0.1:%d/" % bound.getsockname()[1]
    try:
        response = await httpclient.AsyncHTTPClient().fetch(url, raise_error=False)
        print(response.code)
    except Exception as error:
        print(type(error).__name__)
IOLoop.current().run_sync(main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    def get(self):
        raise web.HTTPError(404)
print(ask([("/", Handler)]).code)
async def main():
    from tornado.testing import bind_unused_port
    socket, port = bind_unused_port()
    try:
        url = "http://127.0.0.1:%d/" % port
        response = await httpclient.AsyncHTTPClient().fetch(url, raise_error=False, request_timeout=0.05)
        print("response", response.code)
    except Exception as error:
        print("raised", error.code)
IOLoop.current().run_sync(main)
""",
        LOOP + """
import unittest
from tornado.testing import AsyncHTTPTestCase
class Slow(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(0.3)
class Case(AsyncHTTPTestCase):
    def get_app(self):
        return web.Application([("/", Slow)])
    def runTest(self):
        try:
            print(self.fetch("/nowhere").code)
            print(self.fetch("/", request_timeout=0.05).code)
        except Exception as error:
            print("raised", error.code)
Case().run(unittest.TestResult())
""",
    ],
    "redirect-methods": [
        SERVER + f"""
class Old(web.RequestHandler):
    def post(self):
        self.set_status({code})
        self.set_header("Location", "/new")
    put = delete = post
class New(web.RequestHandler):
    def get(self):
        self.write(self.request.method + " " + str(len(self.request.body)))
    post = put = delete = get
for method in ("POST", "PUT", "DELETE"):
    body = None if method == "DELETE" else "body"
    response = ask([("/old", Old), ("/new", New)], "/old", method=method, body=body)
    print({code}, method, response.code, response.body)
""" for code in (301, 302, 303)
    ],
    "default-user-agent": [
        SERVER + f"""
class Handler(web.RequestHandler):
    def get(self):
        self.write(self.request.headers.get("User-Agent", "none"))
print(ask([("/", Handler)]{arguments}).body)
""" for arguments in ("", ', headers={"User-Agent": "mine"}', ', user_agent="mine too"')
    ],
    "no-basic-config": [
        """
import logging
from tornado.ioloop import IOLoop
IOLoop.current().add_callback(IOLoop.current().stop)
IOLoop.current().start()
print(len(logging.getLogger().handlers))
""",
        """
import logging
from tornado.ioloop import IOLoop
IOLoop.current().run_sync(lambda: None)
print(len(logging.getLogger().handlers), len(logging.getLogger("tornado").handlers))
""",
        """
import logging
from tornado import httpclient, web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port
class Handler(web.RequestHandler):
    def get(self):
        self.write(str(len(logging.getLogger().handlers)))
socket, port = bind_unused_port()
HTTPServer(web.Application([("/", Handler)])).add_sockets([socket])
async def main():
    return (await httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:%d/" % port)).body
print(IOLoop.current().run_sync(main))
""",
    ],
    "periodic-waits": [
        LOOP + """
running = []
@gen.coroutine
def tick():
    running.append(1)
    if len(running) == 2:
        loop.stop()
    yield Future()  # it never ends
loop = IOLoop.current()
periodic = PeriodicCallback(tick, 10)
periodic.start()
loop.call_later(5, loop.stop)
loop.start()
print(len(running) > 1)
""",
        LOOP + """
running, seen, over = [], [], Event()
async def tick():
    running.append(1)
    seen.append(len(running))
    if len(running) == 2:
        over.set()
    if len(seen) == 3:
        loop.stop()
    await over.wait()
    running.pop()
    raise ValueError("a tick fails")
loop = IOLoop.current()
periodic = PeriodicCallback(tick, 10)
periodic.start()
loop.call_later(5, over.set)
loop.start()
print(max(seen) > 1)
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        running, over = [], Event()
        @gen.coroutine
        def tick():
            running.append(1)
            if len(running) == 2:
                over.set()
            yield Future()  # it never ends
        periodic = PeriodicCallback(tick, 10)
        periodic.start()
        IOLoop.current().call_later(5, over.set)
        yield over.wait()
        periodic.stop()
        self.write(str(len(running) > 1))
print(ask([("/", Handler)]).body)
""",
    ],
    "timeout-class": [
        LOOP + """
print(gen.TimeoutError is ioloop.TimeoutError, issubclass(gen.TimeoutError, OSError))
""",
        LOOP + """
@gen.coroutine
def ask():
    try:
        yield gen.with_timeout(timedelta(seconds=0.01), Future())
    except OSError:
        raise gen.Return("OSError")
    except gen.TimeoutError:
        raise gen.Return("TimeoutError")
print(IOLoop.current().run_sync(ask))
try:
    IOLoop.current().run_sync(Future, timeout=0.01)
except gen.TimeoutError:
    print("of gen")
except ioloop.TimeoutError:
    print("of ioloop")
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        try:
            yield Queue().get(timeout=timedelta(seconds=0.01))
        except ioloop.TimeoutError:
            self.write("of ioloop")
        except gen.TimeoutError:
            self.write("of gen")
print(ask([("/", Handler)]).body)
""",
    ],
    "aware-mtime": [
        SERVER + """
open("file.txt", "w").close()
class Handler(web.StaticFileHandler):
    def get_modified_time(self):
        modified = super(Handler, self).get_modified_time()
        self.set_header("X-Aware", str(modified.tzinfo is not None))
        return modified
response = ask([("/(.*)", Handler, {"path": "."})], "/file.txt")
print(response.code, response.headers["X-Aware"])
""",
        SERVER + """
import datetime
open("file.txt", "w").close()
class Handler(web.StaticFileHandler):
    def get_modified_time(self):
        return datetime.datetime(2020, 1, 1)
headers = {"If-Modified-Since": "Wed, 01 Jan 2020 00:00:00 GMT"}
print(ask([("/(.*)", Handler, {"path": "."})], "/file.txt", headers=headers).code)
""",
        SERVER + """
open("file.txt", "w").close()
response = ask([("/(.*)", web.StaticFileHandler, {"path": "."})], "/file.txt")
headers = {"If-Modified-Since": response.headers["Last-Modified"]}
print(ask([("/(.*)", web.StaticFileHandler, {"path": "."})], "/file.txt", headers=headers).code)
class Handler(web.StaticFileHandler):
    def should_return_304(self):
        self.set_header("X-Zone", str(self.modified.tzinfo))
        return super(Handler, self).should_return_304()
print(ask([("/(.*)", Handler, {"path": "."})], "/file.txt").headers["X-Zone"])
""",
    ],
    "escape-apostrophe": [
        """
from tornado.escape import xhtml_escape
print(xhtml_escape("it's <b>"), xhtml_escape(b"'"))
""",
        """
from tornado.template import Template
print(Template("{{ x }}{% raw x %}").generate(x="it's").decode())
""",
        SERVER + """
class Handler(web.RequestHandler):
    def get(self):
        self.write(self.render_string("page.html", x="it's"))
with open("page.html", "w") as page:
    page.write("<p>{{ x }} {{ escape(x) }}</p>")
print(ask([("/", Handler)], settings={"template_path": "."}).body)
""",
    ],
    "strict-body": [
        LOOP + """
def parse(body, boundary=b"x"):
    arguments = {}
    httputil.parse_multipart_form_data(boundary, body, arguments, {})
    return sorted(arguments)
print(name_of(parse, b"no form"))
print(name_of(parse, b"--x\\r\\nfoo--x--"))
print(name_of(parse, b'--x\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n--x--'))
""",
        LOOP + """
def parse(kind, body, **headers):
    arguments = {}
    httputil.parse_body_arguments(kind, body, arguments, {}, httputil.HTTPHeaders(headers))
    return sorted(arguments)
print(name_of(parse, "multipart/form-data", b""))
print(name_of(parse, "application/x-www-form-urlencoded", b"a=1"))
print(name_of(parse, "text/plain", b"a=1"))
coding = {"Content-Encoding": "br"}
for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json"):
    print(name_of(parse, kind, b"a=1", **coding))
""",
        SERVER + """
class Handler(web.RequestHandler):
    def post(self):
        self.write(str(len(self.request.body_arguments)))
for kind, body in (("multipart/form-data; boundary=x", "no form"), ("multipart/form-data", ""), ("text/plain", "x")):
    response = ask([("/", Handler)], method="POST", body=body, headers={"Content-Type": kind})
    print(response.code, response.body)
for kind in ("application/x-www-form-urlencoded", "application/json"):
    headers = {"Content-Type": kind, "Content-Encoding": "br"}
    response = ask([("/", Handler)], method="POST", body="a=1", headers=headers)
    print(response.code, response.body)
""",
    ],
    "strict-headers": [
        LOOP + """
print(name_of(lambda: list(httputil.HTTPHeaders.parse("A: b\\r\\nC: d"))))
SHOWS_TEXT = False
print(name_of(httputil.HTTPHeaders.parse, "no colon"))
print(name_of(httputil.HTTPHeaders.parse, " folded"))
""",
        LOOP + """
def add(name, value):
    headers = httputil.HTTPHeaders()
    headers.add(name, value)
    return list(headers.values())
given = [("a b", "x"), ("a", "x\\n"), ("a", "x\\0"), ("", "x"), ("X-Fine", "x y"), ("X-Bytes", b"x"), ("X-Int", 1)]
for name, value in given:
    print(name_of(add, name, value))
""",
        SERVER + """
class Handler(web.RequestHandler):
    def get(self):
        self.write(str(name_of(lambda: self.request.headers.add("a b", "x"))))
print(ask([("/", Handler)]).body)
""",
    ],
    "no-stack-context": [
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        IOLoop.current().add_callback(self.later)
        yield gen.sleep(0.02)
        self.write("answered")
    def later(self):
        raise web.HTTPError(418)
print(ask([("/", Handler)]).code)
""",
        LOOP + """
import unittest
from tornado.testing import AsyncTestCase
class Case(AsyncTestCase):
    def runTest(self):
        self.io_loop.add_callback(self.check)
        self.io_loop.add_callback(self.stop)
        self.wait(timeout=10)
    def check(self):
        self.assertEqual(1, 2)
result = unittest.TestResult()
Case().run(result)
print(result.testsRun, result.wasSuccessful())
""",
        LOOP + """
import unittest
from tornado.testing import AsyncTestCase, gen_test
class Case(AsyncTestCase):
    @gen_test
    def runTest(self):
        self.io_loop.add_callback(self.check)
        yield gen.sleep(0.02)
    def check(self):
        raise ValueError("in a callback")
result = unittest.TestResult()
Case().run(result)
print(result.wasSuccessful())
""",
    ],
    "coalesced-chunks": [
        CHUNKS + """
print(send(chunked([b"one", b"two"])))
print(send(chunked([b"one"]), ))
print(send(chunked([b"a"] * 5 + [b"b" * 10])))
""",
        CHUNKS + """
# What has come is handed on: nothing is kept for what has not.
print(send(b"3\\r\\none\\r\\n3\\r\\nt", b"wo\\r\\n2\\r\\n33\\r\\n", b"1\\r\\n4\\r\\n0\\r\\n", b"\\r\\n"))
""",
        CHUNKS + """
# A piece has 64 KiB at the most; the first one may be less, for it is what came with the first read.
sizes = json.loads(send(chunked([b"x" * 1000] * 300)))
print(max(sizes) <= 65536, sum(sizes), len(sizes) < 100)
""",
        CHUNKS + """
# What is malformed behind some chunks is refused before they are seen.
seen = []
Pieces.data_received = lambda self, piece: seen.append(piece)
for body in (b"3\\r\\none\\r\\nzz\\r\\n", b"3\\r\\none\\r\\n3\\r\\ntwo!!"):
    name_of(send, body)  # how it is refused is not the question here
    print(seen)
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        for piece in (b"one", b"two", b"three"):
            self.write(piece)
            self.flush()
pieces = []
print(ask([("/", Handler)], streaming_callback=pieces.append).code, b"".join(pieces))
""",
    ],
    "ws-check-origin": [
        SERVER + f"""
from tornado import websocket
class Handler(websocket.WebSocketHandler):
    def check_origin(self, origin):
        print("asked")
        return {answer}
    def open(self):
        self.close()
socket, port = bind_unused_port()
HTTPServer(web.Application([("/", Handler)])).add_sockets([socket])
host = "127.0.0.1:%d" % port
async def main():
    for headers in ({headers}):
        try:
            connection = await websocket.websocket_connect(httpclient.HTTPRequest("ws://%s/" % host, headers=headers))
            print("open")
            await connection.read_message()
        except Exception as error:
            print(error)
IOLoop.current().run_sync(main)
""" for answer, headers in (
            ("False", '{}, {"Origin": "http://" + host}, {"Origin": "https://" + host}, {"Origin": "http://other"}'),
            ("False", '{"Origin": "http://other", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}'),
            ("False", '{"Origin": "http://" + host, "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}'),
            ("True", '{"Origin": "http://" + host}, {"Origin": "http://other"}, {"Origin": "null"}'),
        )
    ],
    "zero-timeout": [
        LOOP + """
async def main():
    queue = Queue()
    IOLoop.current().add_callback(IOLoop.current().call_later, 0.02, queue.put, "late")
    try:
        print(await queue.get(timeout=0))
    except gen.TimeoutError:
        print("TimeoutError")
    full = Queue(1)
    await full.put(1)
    IOLoop.current().add_callback(IOLoop.current().call_later, 0.02, full.get)
    try:
        print(await full.put(2, timeout=0))
    except gen.TimeoutError:
        print("TimeoutError")
IOLoop.current().run_sync(main)
""",
        LOOP + """
async def main():
    condition, semaphore, lock = Condition(), Semaphore(0), Lock()
    IOLoop.current().add_callback(IOLoop.current().call_later, 0.02, condition.notify)
    print(await condition.wait(timeout=0))
    await lock.acquire()
    for waiting, release in ((semaphore, semaphore.release), (lock, lock.release)):
        IOLoop.current().add_callback(IOLoop.current().call_later, 0.02, release)
        try:
            await waiting.acquire(timeout=0)
            print("acquired")
        except gen.TimeoutError:
            print("TimeoutError")
IOLoop.current().run_sync(main)
""",
        SERVER + """
class Handler(web.RequestHandler):
    @gen.coroutine
    def get(self):
        queue = Queue()
        IOLoop.current().add_callback(IOLoop.current().call_later, 0.02, queue.put, "late")
        try:
            self.write((yield queue.get(timeout=0)))
        except gen.TimeoutError:
            self.write("TimeoutError")
print(ask([("/", Handler)]).body)
""",
    ],
}  # fmt: skip
