"""Handlers that run small programs: each request says, step by step, what its handler does.

The query's ``p`` is JSON: the way the method is written ("way"), and lists of steps for "prepare" and "method". Each
step is [name, *arguments]. What a handler has done is told by the access log and a line for each method called.
"""
import json
import logging

import tornado.concurrent
import tornado.gen
import tornado.ioloop
import tornado.web

log = logging.getLogger("program")

ERRORS = {
    "ValueError": lambda: ValueError("no value"),
    "HTTPError": lambda: tornado.web.HTTPError(409, "log %s", "me"),
    "reason": lambda: tornado.web.HTTPError(411, reason="Own Reason"),
    "unknown": lambda: tornado.web.HTTPError(799, "strange"),
    "Finish": lambda: tornado.web.Finish(),
    "FinishText": lambda: tornado.web.Finish("the end"),
    "Missing": lambda: tornado.web.MissingArgumentError("name"),
    "KeyError": lambda: KeyError("key"),
}


class Base(tornado.web.RequestHandler):
    def initialize(self):
        self.program = json.loads(self.get_argument("p", "{}", strip=False))
        self.later = []

    def step(self, name, *args):
        """One step. Returns what it gives to wait for, if anything."""
        if name == "raise":
            raise ERRORS[args[0]]()
        if name == "headers":
            self.write(json.dumps(sorted(pair for pair in self._headers.get_all() if pair[0] != "Date")))
        elif name == "status_of":
            self.write(str(self.get_status()))
        elif name == "queue_write":
            tornado.ioloop.IOLoop.current().add_callback(self.quietly, "write", "queued")
        elif name == "queue_finish":
            tornado.ioloop.IOLoop.current().add_callback(self.quietly, "finish", "queued")
        elif name == "flush_callback":
            self.flush(callback=lambda: log.info("flushed"))
        elif name == "argument":
            self.write(self.get_argument(*args))
        elif name == "cookie_of":
            self.write(str(self.get_cookie(args[0])))
        elif name == "stop_auto":
            self._auto_finish = False
        else:
            return getattr(self, name)(*args)
        return None

    def quietly(self, name, *args):
        try:
            getattr(self, name)(*args)
        except Exception as e:
            log.info("queued %s: %s %s", name, type(e).__name__, e)

    def run(self, steps):
        """Steps whose outcome nobody waits for; an exception is caught where the step says so."""
        for step in steps:
            self.attempt(step)

    def attempt(self, step):
        if step[0] != "try":
            return self.step(*step)
        try:
            return self.step(*step[1:])
        except Exception as e:
            log.info("%s: %s %s", step[1], type(e).__name__, e)

    def prepare(self):
        steps = self.program.get("prepare", [])
        if self.program.get("prepare_waits"):
            return self.prepare_in_turns(steps)
        self.run(steps)
        return None

    @tornado.gen.coroutine
    def prepare_in_turns(self, steps):
        for step in steps:
            self.attempt(step)
            yield tornado.gen.moment

    def set_default_headers(self):
        if "default" in self.request.query:
            self.set_header("X-Default", "set")
            self.set_header("Server", "own")

    def write_error(self, status_code, **kwargs):
        if self.program.get("own_error"):
            exc = kwargs.get("exc_info")
            self.finish("own page %d %s %s" % (status_code, self._reason, exc and exc[0].__name__))
        else:
            super(Base, self).write_error(status_code, **kwargs)

    def compute_etag(self):
        own = self.program.get("etag", False)
        return super(Base, self).compute_etag() if own is False else own

    def on_finish(self):
        log.info("on_finish %d %s", self.get_status(), self._finished)
        for step in self.program.get("on_finish", []):
            self.attempt(step)


class Plain(Base):
    def get(self):
        self.run(self.program.get("method", []))

    post = put = delete = patch = options = get


class Head(Plain):
    head = Plain.get


class Coroutine(Base):
    @tornado.gen.coroutine
    def get(self):
        for step in self.program.get("method", []):
            result = self.attempt(step)
            if self.program.get("waits"):
                yield result if isinstance(result, tornado.concurrent.Future) else tornado.gen.moment

    post = get


class Native(Base):
    async def get(self):
        for step in self.program.get("method", []):
            result = self.attempt(step)
            if self.program.get("waits"):
                if isinstance(result, tornado.concurrent.Future):
                    await result
                else:
                    await tornado.gen.moment

    post = get


class Asynchronous(Base):
    @tornado.web.asynchronous
    def get(self):
        self.steps = list(self.program.get("method", []))
        self.next_step()

    post = get

    def next_step(self):
        if self.steps:
            self.attempt(self.steps.pop(0))
            tornado.ioloop.IOLoop.current().add_callback(self.next_step)
        elif not self._finished:
            self.finish()


class Engine(Base):
    @tornado.web.asynchronous
    @tornado.gen.engine
    def get(self):
        for step in self.program.get("method", []):
            self.attempt(step)
            if self.program.get("waits"):
                yield tornado.gen.Task(tornado.ioloop.IOLoop.current().add_callback)
        if not self._finished:
            self.finish()

    post = get


def make_app():
    return tornado.web.Application(
        [
            (r"/plain", Plain),
            (r"/head", Head),
            (r"/coroutine", Coroutine),
            (r"/native", Native),
            (r"/asynchronous", Asynchronous),
            (r"/engine", Engine),
        ],
        cookie_secret="secret",
        compress_response=True,
    )
