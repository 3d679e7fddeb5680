"""Handlers, UI modules and WebSockets, in rarer use."""

import contextlib
import functools
import os

from .helpers import run_sync, serving, turns


def handlers(t, folder):
    class Main(t.web.RequestHandler):
        @t.web.addslash
        def get(self):
            self.get_query_arguments("a"), self.get_body_arguments("a")
            self.clear_all_cookies()
            self.set_secure_cookie("old", "x", version=1)
            self.set_secure_cookie("new", "x", version=2)
            self.get_secure_cookie("old", t.web.create_signed_value("s", "old", "x", version=1), min_version=1)
            self.get_secure_cookie_key_version("new", t.web.create_signed_value("s", "new", "x", version=2))
            t.web.decode_signed_value("s", "a", t.web.create_signed_value("s", "a", "x", version=1), min_version=1)
            t.web.get_signature_key_version(t.web.create_signed_value("s", "a", "x", version=2))
            self.request.full_url()
            self.write(str(self.current_user) + "<b>" + self.xsrf_form_html())
            self.flush()
            self.write("more")
            self.finish()

    class Page(t.web.RequestHandler):
        def get(self):
            self.render("modules.html", url="http://a.example/")

    class Deep(t.web.UIModule):
        def render(self):
            return self.render_string("deep.html")

        def embedded_javascript(self):
            return "1"

        def css_files(self):
            return ["a.css"]

        def html_head(self):
            return "<meta>"

        def html_body(self):
            return "<i>"

    class Plain(t.web.UIModule):
        def render(self):
            return "plain"

    class Late(t.web.RequestHandler):
        @t.web.asynchronous
        def get(self):
            with t.stack_context.NullContext():
                pass
            t.ioloop.IOLoop.current().add_callback(self.fail)

        def fail(self):
            raise ValueError("late")

    class Gone(t.web.RequestHandler):
        @t.web.asynchronous
        def get(self):
            left.set_result(self)

        def on_connection_close(self):
            super().on_connection_close()
            closed.set_result(None)

    @t.web.stream_request_body
    class Cut(t.web.RequestHandler):
        def check_xsrf_cookie(self):
            pass

        def post(self):
            pass

        def data_received(self, chunk):
            came.set_result(None)

        def on_connection_close(self):
            super().on_connection_close()
            cut.set_result(None)

    class Compressing(t.web.OutputTransform):
        pass

    left, closed, came, cut = [t.concurrent.Future() for _ in range(4)]
    for name, text in (
        ("modules.html", ("<head></head>{% module Deep() %}{% module Plain() %}{% module Template('box.html', a=1) %}"
                         "<body></body>")),
        ("deep.html", "deep {% include 'part.html' %}"),
        ("part.html", "part"),
        ("box.html", ("{{ set_resources(embedded_css='a', embedded_javascript='b', css_files='c', "
                     "javascript_files='d', html_head='e', html_body='f') }}box {{ a }}")),
    ):  # fmt: skip
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    application = t.web.Application(
        [("/main/", Main), ("/main", Main), ("/page", Page), ("/late", Late), ("/gone", Gone), ("/cut", Cut),
         ("/error", t.web.ErrorHandler, {"status_code": 404})],
        template_path=folder, static_path=folder, cookie_secret="s", ui_modules={"Deep": Deep, "Plain": Plain},
        xsrf_cookies=True,
    )  # fmt: skip
    application.add_transform(Compressing)
    application.add_handlers("a.example", [("/.*", Page)])
    application.listen(0, "127.0.0.1").stop()
    with serving(t, application) as base:
        port = int(base.rpartition(":")[2])

        def go():
            fetch = functools.partial(t.httpclient.AsyncHTTPClient().fetch, raise_error=False)
            for path in ("/main", "/main/?a=1", "/page", "/late", "/error"):
                yield fetch(base + path)
            yield fetch(base + "/", headers={"Host": "a.example"})
            yield fetch(base + "/nowhere", headers={"Host": "b.example"})
            yield fetch(base + "/main/", method="POST", body="a=1")
            yield fetch(base + "/main/", method="DELETE")
            yield fetch(base + "/error", method="POST", body="")
            yield fetch(base + "/static/part.html", method="HEAD")
            for method in ("HEAD", "PATCH", "PUT", "OPTIONS"):
                yield fetch(base + "/late", method=method, allow_nonstandard_methods=True)
            yield fetch(base + "/cut", allow_nonstandard_methods=True)
            stream = yield t.tcpclient.TCPClient().connect("127.0.0.1", port)
            yield stream.write(b"GET /gone HTTP/1.1\r\nHost: x\r\n\r\n")
            yield left
            stream.close()
            yield closed
            stream = yield t.tcpclient.TCPClient().connect("127.0.0.1", port)
            yield stream.write(b"POST /cut HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
            yield came
            stream.close()
            yield cut

        run_sync(t, go)
    t.web.StaticFileHandler.reset()


def sockets_of_handlers(t):
    done = []

    class Echo(t.websocket.WebSocketHandler):
        def open(self):
            self.set_nodelay(True)

        def on_message(self, message):
            if message == "leave":
                self.close(4000, "left")
            elif message == "wrong":
                raise ValueError("wrong")
            else:
                self.write_message(message, binary=isinstance(message, bytes))

        def on_pong(self, data):
            done.append(data)

    class Silent(t.websocket.WebSocketHandler):
        pass

    with serving(t, t.web.Application([("/a", Echo), ("/b", Silent)], websocket_ping_interval=0.01)) as base:
        url = base.replace("http", "ws")

        def go():
            for message in ("text", b"bytes", "x" * 200, "x" * 70000):
                opened = yield t.websocket.websocket_connect(url + "/a")
                opened.write_message(message, binary=isinstance(message, bytes))
                yield opened.read_message()
                while not done:
                    yield t.gen.sleep(0.005)
                del done[:]
                opened.write_message("leave")
                yield opened.read_message()
            opened = yield t.websocket.websocket_connect(url + "/a", ping_interval=0.01)
            while not done:
                yield t.gen.sleep(0.005)
            # A ping of the client's own and its pong, whichever of the two intervals came first.
            opened.protocol.write_ping(b"")
            opened.write_message("text")
            yield opened.read_message()
            opened.write_message("wrong")
            yield opened.read_message()
            opened = yield t.websocket.websocket_connect(url + "/b", on_message_callback=done.append)
            opened.write_message("x")
            yield turns(t)
            opened.close()
            with contextlib.suppress(Exception):
                yield t.websocket.websocket_connect(url + "/nowhere")
            with contextlib.suppress(Exception):
                yield t.websocket.websocket_connect("ws://127.0.0.1:1/", connect_timeout=1)
            request = t.httpclient.HTTPRequest(url + "/a", headers={"Origin": "http://b.example"})
            with contextlib.suppress(Exception):
                yield t.websocket.websocket_connect(request)
            yield t.httpclient.AsyncHTTPClient().fetch(base + "/a", raise_error=False)

        run_sync(t, go)


def run(t, folder):
    handlers(t, folder)
    sockets_of_handlers(t)
