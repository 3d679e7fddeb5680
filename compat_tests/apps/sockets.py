"""WebSocket handlers: echo, refusals, subprotocols, compression, limits, close in all ways."""
import tornado.gen
import tornado.ioloop
import tornado.web
import tornado.websocket


class Echo(tornado.websocket.WebSocketHandler):
    def open(self, *args):
        if self.get_argument("hello", ""):
            self.write_message("hello")

    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))

    def on_pong(self, data):
        self.write_message("pong %r" % data)

    has_closed = False

    def on_close(self):
        # 4.5.3 calls it again five seconds after a close that the peer did not answer: amid whatever is sent then.
        if not self.has_closed:
            self.has_closed = True
            tornado.web.gen_log.info("closed: %r %r", self.close_code, self.close_reason)


class Commands(Echo):
    def on_message(self, message):
        if message == "close":
            self.close()
        elif message == "close code":
            self.close(4001, "reason")
        elif message == "close 1000":
            self.close(1000)
        elif message == "reason only":
            self.close(reason="why")
        elif message == "close twice":
            self.close(4001)
            self.close(4002)
        elif message == "write after close":
            self.close()
            try:
                self.write_message("too late")
            except tornado.websocket.WebSocketClosedError as e:
                tornado.web.gen_log.info("refused: %r", e)
        elif message == "ping":
            self.ping(b"data")
        elif message == "dict":
            self.write_message({"a": 1})
        elif message == "unicode":
            self.write_message(u"\u00e9\u20ac")
        elif message == "binary":
            self.write_message(b"\xff\x00", binary=True)
        elif message == "fail":
            raise ValueError("on_message")
        elif message == "long":
            self.write_message("x" * 70000)
        elif message == "medium":
            self.write_message("x" * 300)
        elif message == "several":
            for n in range(3):
                self.write_message(str(n))
        elif message == "number":
            self.write_message(5)
        elif message == "selected":
            self.write_message(repr(getattr(self, "chosen", None)))


class Coroutine(Echo):
    @tornado.gen.coroutine
    def on_message(self, message):
        yield tornado.gen.moment
        if message == "fail":
            raise ValueError("coroutine")
        yield self.write_message("slow " + message)


class Sub(Echo):
    def select_subprotocol(self, subprotocols):
        tornado.web.gen_log.info("offered: %r", subprotocols)
        return "two" if "two" in subprotocols else None


class Strict(Echo):
    def check_origin(self, origin):
        tornado.web.gen_log.info("origin: %r", origin)
        return origin == "http://good.org"


class Open(Echo):
    def open(self, how):
        if how == "fail":
            raise ValueError("open")
        if how == "close":
            self.close(4000, "at once")
        if how == "header":
            self.write_message(self.request.headers.get("X-A", "none"))

    def prepare(self):
        if self.request.path.endswith("forbidden"):
            raise tornado.web.HTTPError(403)


class Compressed(Echo):
    def get_compression_options(self):
        return {}


class Headers(Echo):
    def set_default_headers(self):
        self.set_header("X-Own", "1")

    def get(self, *args, **kwargs):
        self.set_cookie("a", "b")
        return super(Headers, self).get(*args, **kwargs)


def make_app():
    return tornado.web.Application([
        ("/echo", Echo), ("/commands", Commands), ("/coroutine", Coroutine), ("/sub", Sub), ("/strict", Strict), (r"/open/(\w+)", Open),
        ("/compressed", Compressed), ("/headers", Headers),
    ], websocket_max_message_size=100000)
