#!/usr/bin/env python
# A chat with long polling, as one wrote it for Tornado 3 and 4: callbacks, @asynchronous, gen.engine,
# io_loop arguments, a server that may fork. It imports "tornado" and knows nothing of tornado4:
#
#     tornado4 run examples/legacy/chat/chat.py --port=8888
#
# Messages are kept in memory, the last few hundred of them.

import functools
import logging
import os.path
import signal
import socket
import sys
import time

import tornado.gen
import tornado.httpclient
import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.options
import tornado.process
import tornado.stack_context
import tornado.web
from tornado.escape import json_encode
from tornado.options import define, options

define("port", default=8888, type=int, help="listen on this port")
define("address", default="127.0.0.1", help="listen on this address")
define(
    "workers", default=1, type=int, help="processes to fork; each has messages of its own (0: one per CPU)"
)
define("patience", default=25.0, type=float, help="seconds that a listener waits for news")
define("keep", default=400, type=int, help="messages to keep")


class Wall(object):
    """The messages, numbered from 1, and the callbacks of those who wait for the next one."""

    def __init__(self):
        self.messages = []
        self.last_number = 0
        self.waiting = {}

    def say(self, name, text):
        self.last_number += 1
        message = dict(number=self.last_number, name=name, text=text, at=time.strftime("%H:%M"))
        self.messages.append(message)
        waiting, self.waiting = self.waiting, {}
        for callback in waiting.values():
            callback([message])
        return message

    def listen(self, key, after, callback):
        news = [m for m in self.messages if m["number"] > after]
        if news:
            callback(news)
        else:
            self.waiting[key] = tornado.stack_context.wrap(callback)

    def forget(self, key):
        self.waiting.pop(key, None)

    def trim(self, keep):
        del self.messages[:-keep]


class BaseHandler(tornado.web.RequestHandler):
    @property
    def wall(self):
        return self.application.wall

    def write_json(self, value):
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(json_encode(value))


class PageHandler(BaseHandler):
    def get(self):
        self.render("chat.html", messages=self.wall.messages[-50:], last=self.wall.last_number)


class SayHandler(BaseHandler):
    def post(self):
        text = self.get_argument("text").strip()
        if not text:
            raise tornado.web.HTTPError(400, "nothing was said")
        message = self.wall.say(self.get_argument("name", "somebody"), text)
        self.set_status(201)
        self.write_json(dict(number=message["number"]))


class ListenHandler(BaseHandler):
    # The request stays open until somebody says something, or patience ends.
    @tornado.web.asynchronous
    def get(self):
        self.deadline = None
        self.wall.listen(self, int(self.get_argument("after", "0")), self.on_messages)
        if not self._finished:
            loop = self.application.io_loop
            self.deadline = loop.add_timeout(time.time() + options.patience, self.on_deadline)

    def on_messages(self, messages):
        self.stop_waiting()
        self.write_json(dict(messages=messages))

    def on_deadline(self):
        self.stop_waiting()
        self.write_json(dict(messages=[]))

    def on_connection_close(self):
        self.stop_waiting()

    def stop_waiting(self):
        self.wall.forget(self)
        if self.deadline is not None:
            self.application.io_loop.remove_timeout(self.deadline)
            self.deadline = None


class PingHandler(BaseHandler):
    def get(self):
        self.write("pong")


class StatusHandler(BaseHandler):
    # Asks itself over HTTP, which shows that the loop goes round, and how fast.
    @tornado.web.asynchronous
    @tornado.gen.engine
    def get(self):
        loop = self.application.io_loop
        client = tornado.httpclient.AsyncHTTPClient(io_loop=loop)
        url = "http://%s/ping" % self.request.host
        started = time.time()
        client.fetch(url, callback=(yield tornado.gen.Callback("ping")))
        response = yield tornado.gen.Wait("ping")
        yield tornado.gen.Task(loop.add_timeout, time.time() + 0.001)
        self.write_json(
            dict(
                ping=response.body.decode("ascii"),
                milliseconds=int(1000 * (time.time() - started)),
                listeners=len(self.wall.waiting),
                messages=self.wall.last_number,
            )
        )


class ChatApplication(tornado.web.Application):
    def __init__(self, io_loop):
        here = os.path.dirname(os.path.abspath(__file__))
        self.io_loop = io_loop
        self.wall = Wall()
        tornado.web.Application.__init__(
            self,
            [
                (r"/", PageHandler),
                (r"/say", SayHandler),
                (r"/listen", ListenHandler),
                (r"/ping", PingHandler),
                (r"/status", StatusHandler),
            ],
            template_path=os.path.join(here, "templates"),
            static_path=os.path.join(here, "static"),
        )


def main():
    tornado.options.parse_command_line()
    try:
        sockets = tornado.netutil.bind_sockets(options.port, options.address)
    except socket.error as e:
        sys.exit("chat: cannot listen on %s, port %d: %s; try another --port" % (options.address, options.port, e))
    logging.info("chat on http://%s:%d/", options.address, sockets[0].getsockname()[1])
    if options.workers != 1:
        tornado.process.fork_processes(options.workers)
    io_loop = tornado.ioloop.IOLoop.instance()
    application = ChatApplication(io_loop)
    server = tornado.httpserver.HTTPServer(application, io_loop=io_loop)
    server.add_sockets(sockets)
    trim = functools.partial(application.wall.trim, options.keep)
    tornado.ioloop.PeriodicCallback(trim, 1000, io_loop=io_loop).start()
    signal.signal(signal.SIGTERM, lambda number, frame: io_loop.add_callback_from_signal(io_loop.stop))
    try:
        io_loop.start()
    except KeyboardInterrupt:
        logging.info("chat ends")


if __name__ == "__main__":
    main()
