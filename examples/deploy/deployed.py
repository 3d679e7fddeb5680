"""The chat of examples/legacy, unchanged, for several processes: ``tornado4 serve deployed:make_app --alias``.

What is here is what stands in chat.py's ``main``, which does not run, and what a chat in production wants besides:
messages that all processes have, a WebSocket, files. ``CHAT_DATA`` is the folder for what is kept (the present one);
``CHAT_ACCEL`` is the URL at which nginx hands out ``CHAT_DATA/files`` when it is told to.
"""

import hashlib
import mimetypes
import os

import tornado.ioloop
import tornado.web
import tornado.websocket
from chat import BaseHandler, ChatApplication, options
from shared_wall import SharedWall
from tornado.escape import json_decode, json_encode

from tornado4.serve import when_draining


class FeedHandler(tornado.websocket.WebSocketHandler):
    """``/feed``: each message as JSON, and what is sent is said."""

    @property
    def wall(self):
        return self.application.wall

    def open(self):
        self.wall.followers.add(self.on_news)

    def on_news(self, news):
        for message in news:
            self.write_message(json_encode(message))

    def on_message(self, message):
        said = json_decode(message)
        self.wall.say(said.get("name", "somebody"), said["text"])

    def on_close(self):
        self.wall.followers.discard(self.on_news)


@tornado.web.stream_request_body
class FileHandler(BaseHandler):
    """``PUT /files/NAME`` keeps a file of any size, ``GET`` gives it back: through nginx where that is in front."""

    def prepare(self):
        self.path = os.path.join(self.settings["files"], os.path.basename(self.path_kwargs["name"]))
        if self.request.method == "PUT":
            self.request.connection.set_max_body_size(1 << 30)
            self.file = open(self.path + ".part", "wb")  # closed when the body is over
            self.sum = hashlib.sha256()

    def data_received(self, chunk):
        self.file.write(chunk)
        self.sum.update(chunk)

    def put(self, name):
        size = self.file.tell()
        self.file.close()
        os.replace(self.path + ".part", self.path)
        self.set_status(201)
        by = f"{self.request.remote_ip} by {self.request.protocol}"
        self.write_json({"size": size, "sha256": self.sum.hexdigest(), "by": by})

    def get(self, name):
        if not os.path.isfile(self.path):
            raise tornado.web.HTTPError(404)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self.set_header("Content-Type", kind)
        self.set_header("Content-Disposition", "attachment")
        accel = os.environ.get("CHAT_ACCEL")
        if accel:
            self.set_header("X-Accel-Redirect", accel + name)
            return
        with open(self.path, "rb") as file:
            self.write(file.read())

    def on_connection_close(self):
        if self.request.method == "PUT":
            self.file.close()
            os.remove(self.path + ".part")


def make_app(io_loop=None):
    """The application, for the loop that serves it."""
    data = os.path.abspath(os.environ.get("CHAT_DATA", "."))
    files = os.path.join(data, "files")
    os.makedirs(files, exist_ok=True)
    io_loop = io_loop or tornado.ioloop.IOLoop.current()
    application = ChatApplication(io_loop)
    application.settings["files"] = files
    application.add_handlers(".*", [("/feed", FeedHandler), (r"/files/(?P<name>\w[\w.-]*)", FileHandler)])
    wall = application.wall = SharedWall(os.path.join(data, "chat.sqlite"), io_loop)
    trim = tornado.ioloop.PeriodicCallback(lambda: wall.trim(options.keep), 1000, io_loop=io_loop)
    trim.start()
    when_draining(wall.let_go)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from tornado4.hooks import prometheus

        prometheus.install()
    return application
