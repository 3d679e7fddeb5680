"""A site with forms, cookies, templates, static files and a WebSocket, and its client."""

import functools
import os


def site(t, folder):
    """An application with some of everything."""

    class Main(t.web.RequestHandler):
        def get_current_user(self):
            return self.get_secure_cookie("user")

        @t.web.removeslash
        def get(self):
            self.set_cookie("plain", "a", expires_days=1)
            self.set_secure_cookie("user", "me")
            self.check_etag_header()
            self.get_browser_locale()
            self.reverse_url("json")
            self.require_setting("cookie_secret")
            self.set_header("X-When", "now")
            self.add_header("X-When", "later")
            self.clear_header("X-When")
            self.render("page.html", text="<b>", url="http://example.com/", **{"from": "x"})

        @t.gen.coroutine
        def post(self):
            yield t.gen.sleep(0.001)
            self.write({"name": self.get_body_argument("name", None), "all": self.get_arguments("name"),
                        "files": sorted(self.request.files)})  # fmt: skip

        def write_error(self, status_code, **kwargs):
            self.finish(f"failed {status_code}")

    class Json(t.web.RequestHandler):
        def prepare(self):
            self.get_query_argument("missing", "")

        def get(self):
            self.clear_cookie("plain")
            self.write({"a": [1]})
            self.flush()

    class Broken(t.web.RequestHandler):
        def get(self):
            raise t.web.HTTPError(400, "no %s", "good") if self.get_argument("how", "") else ValueError("broken")

    class Private(t.web.RequestHandler):
        def get_current_user(self):
            return None

        @t.web.authenticated
        def get(self):
            self.write("private")

    @t.web.stream_request_body
    class Upload(t.web.RequestHandler):
        def data_received(self, chunk):
            pass

        def post(self):
            self.write("taken")

    class Gone(t.web.RequestHandler):
        @t.web.asynchronous
        def get(self):
            self.redirect("/json")

    class Box(t.web.UIModule):
        def render(self, text):
            return "<i>" + t.escape.xhtml_escape(text) + "</i>"

        def embedded_css(self):
            return "i {}"

        def javascript_files(self):
            return "a.js"

    class Echo(t.websocket.WebSocketHandler):
        def on_message(self, message):
            self.ping(b"x")
            self.write_message(message)

        def get_compression_options(self):
            return {}

    with open(os.path.join(folder, "page.html"), "w") as file:
        file.write("{% if text %}{{ text }}{% end %}{% for x in [1] %}{{ x }}{% end %}{% apply upper %}a{% end %}"
                   "{{ linkify(url) }}<head></head><body>{% module Box(text) %}{{ static_url('a.txt') }}"
                   "{% raw xsrf_form_html() %}{{ _('Sign in') }}</body>")  # fmt: skip
    with open(os.path.join(folder, "a.txt"), "w") as file:
        file.write("static " * 300)
    return t.web.Application(
        [t.web.url("/", Main), t.web.url("/json", Json, name="json"), ("/broken", Broken), ("/private", Private),
         ("/upload", Upload), ("/gone", Gone), ("/echo", Echo), ("/else", t.web.RedirectHandler, {"url": "/json"})],
        template_path=folder, static_path=folder, cookie_secret="secret", login_url="/json", ui_modules={"Box": Box},
        ui_methods={"upper": lambda handler, text: text}, gzip=True,
    )  # fmt: skip


def ask(t, folder):
    """A site and its client."""
    server = t.httpserver.HTTPServer(site(t, folder), xheaders=True)
    sockets = t.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    base = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    form = "application/x-www-form-urlencoded"
    parts = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\ndata\r\n--b--\r\n'

    @t.gen.coroutine
    def go():
        client = t.httpclient.AsyncHTTPClient(force_instance=True)
        fetch = functools.partial(client.fetch, raise_error=False)
        agreed = {"Accept-Encoding": "gzip", "Accept-Language": "en-US,fr;q=0.5", "X-Real-IP": "10.0.0.1"}
        first = yield fetch(base + "/", headers=agreed)
        cookies = [each.split(";")[0] for each in first.headers.get_list("Set-Cookie")]
        yield fetch(
            base + "/",
            headers=dict(agreed, Cookie="; ".join(cookies), **{"If-None-Match": first.headers.get("Etag", "x")}),
        )
        yield fetch(base + "/", method="POST", body="name=a&name=b", headers={"Content-Type": form})
        yield fetch(base + "/", method="POST", body=parts, headers={"Content-Type": "multipart/form-data; boundary=b"})
        for path in (
            "/json",
            "/broken",
            "/broken?how=1",
            "/private",
            "/gone",
            "/else",
            "/nowhere",
            "/static/a.txt",
            "/static/no",
        ):
            yield fetch(base + path)
        yield fetch(base + "/static/a.txt", headers={"Range": "bytes=0-9"})
        yield fetch(base + "/upload", method="POST", body=b"x" * 100)
        yield fetch(
            base + "/upload",
            method="POST",
            body_producer=lambda write: write(b"abc"),
            auth_username="a",
            auth_password="b",
        )
        opened = yield t.websocket.websocket_connect(base.replace("http", "ws") + "/echo", compression_options={})
        opened.write_message("hello")
        yield opened.read_message()
        opened.close()
        yield opened.read_message()
        client.close()

    t.ioloop.IOLoop.current().run_sync(go, timeout=20)
    server.stop()


def run(t, folder):
    ask(t, folder)
