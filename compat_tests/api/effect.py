"""Which functions and methods of Tornado take effect when a program replaces them.

    python effect.py tornado > effects-4.5.3.json            # the real one, on Python 3.9
    python effect.py tornado4 effects-4.5.3.json             # of these, what takes no effect on this tree
    python effect.py tornado4 effects-4.5.3.json alone       # the same, each replaced alone (two minutes)

Each function that a module shows (its own, and those that it has from other modules of the package: ``web.utf8`` is
one, ``escape.utf8`` another) and each method is replaced by one that notes that it was called and calls the former
one. Then programs run: a site with forms, cookies, templates, static files and a WebSocket, asked by a client; streams,
coroutines, queues, locks, options, translations. What was called then is what a wrapper in a real program would see.
"""

import functools
import importlib
import inspect
import io
import json
import logging
import os
import sys
import tempfile
import types
import warnings

try:
    from compat_tests.api.deep import MODULES
except ImportError:
    from deep import MODULES

CALLED = set()


def counting(key, function):
    @functools.wraps(function)
    def counted(*args, **kwargs):
        CALLED.add(key)
        return function(*args, **kwargs)

    return counted


def targets(namespace):
    """``module.name`` and ``module.Class.method`` of all that can be replaced."""
    for module in MODULES:
        loaded = importlib.import_module(namespace + "." + module)
        for name, value in sorted(vars(loaded).items()):
            home = (getattr(value, "__module__", None) or "").partition(".")[0]
            if home != namespace or name.startswith("__"):
                continue
            if isinstance(value, types.FunctionType):
                yield module + "." + name
            elif inspect.isclass(value) and value.__module__ == loaded.__name__:
                for each, raw in sorted(vars(value).items()):
                    raw = getattr(raw, "__func__", raw)
                    if isinstance(raw, types.FunctionType) and not (each.startswith("__") and each.endswith("__")):
                        yield module + "." + name + "." + each


def replace(namespace, wanted):
    """Put a counting one in each place, found first so that one replacement does not wrap another."""
    found = []
    for key in wanted:
        module = max((each for each in MODULES if key.startswith(each + ".")), key=len)
        holder = importlib.import_module(namespace + "." + module)
        *classes, name = key[len(module) + 1 :].split(".")
        for each in classes:
            holder = getattr(holder, each, None)
        raw = inspect.getattr_static(holder, name, None)
        if callable(getattr(raw, "__func__", raw)) and raw is not None:
            found.append((holder, name, key, raw))
    for holder, name, key, raw in found:
        if isinstance(raw, (classmethod, staticmethod)):
            setattr(holder, name, type(raw)(counting(key, raw.__func__)))
        else:
            setattr(holder, name, counting(key, raw))


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


def streams(t):
    class Server(t.tcpserver.TCPServer):
        @t.gen.coroutine
        def handle_stream(self, stream, address):
            line = yield stream.read_until(b"\n")
            yield stream.write(line + b"12345rest|tail")
            stream.close()

    server = Server()
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]

    @t.gen.coroutine
    def go():
        stream = yield t.tcpclient.TCPClient().connect("127.0.0.1", port)
        stream.set_nodelay(True)
        stream.set_close_callback(lambda: None)
        yield stream.write(b"line\n")
        yield stream.read_until(b"\n", max_bytes=100)
        yield stream.read_bytes(5)
        yield stream.read_until_regex(b"[|]")
        yield stream.read_until_close()
        stream.closed()

    t.ioloop.IOLoop.current().run_sync(go, timeout=20)
    server.stop()


def coroutines(t):
    loop = t.ioloop.IOLoop.current()

    @t.gen.coroutine
    def one():
        yield t.gen.moment
        raise t.gen.Return(1)

    @t.gen.engine
    def old(callback):
        yield t.gen.Task(loop.add_callback)
        callback(2)

    @t.gen.coroutine
    def go():
        yield [one(), one()]
        yield {"a": one()}
        yield t.gen.Task(old)
        yield t.gen.with_timeout(loop.time() + 5, one())
        waiting = t.gen.WaitIterator(one(), one())
        while not waiting.done():
            yield waiting.next()
        queue = t.queues.Queue(maxsize=1)
        yield queue.put(1)
        full = queue.put(2)
        yield [queue.get(), queue.get(), full]
        queue.task_done()
        queue.task_done()
        yield queue.join()
        ordered = t.queues.PriorityQueue()
        ordered.put_nowait(1)
        ordered.get_nowait()
        lock = t.locks.Lock()
        with (yield lock.acquire()):
            pass
        condition = t.locks.Condition()
        loop.add_callback(condition.notify)
        yield condition.wait()
        event = t.locks.Event()
        loop.call_later(0.001, event.set)
        yield event.wait(timeout=loop.time() + 5)
        handle = loop.add_timeout(loop.time() + 50, go)
        loop.remove_timeout(handle)
        ticks = t.ioloop.PeriodicCallback(event.clear, 1)
        ticks.start()
        yield t.gen.sleep(0.01)
        ticks.stop()
        with t.stack_context.StackContext(lambda: t.stack_context.NullContext()):
            loop.add_callback(lambda: None)

    loop.run_sync(go, timeout=20)


def plain(t, folder):
    """What needs no loop."""
    options = t.options.OptionParser()
    options.define("port", default=1, type=int, help="which", group="g")
    options.define("span", type=__import__("datetime").timedelta)
    options.define("when", type=__import__("datetime").datetime)
    options.parse_command_line(["x", "--port=5", "--span=1h 2m", "--when=2020-01-02 03:04"], final=True)
    options.print_help(io.StringIO())
    options.as_dict(), options.group_dict("g"), options.items()
    with open(os.path.join(folder, "fr_FR.csv"), "w") as file:
        file.write('"Sign in","Entrer"\n')
    t.locale.load_translations(folder)
    french = t.locale.get("fr_FR", "en")
    french.translate("Sign in"), french.format_date(0), french.friendly_number(1000), french.list(["a", "b"])
    t.escape.xhtml_unescape("&amp;&#65;"), t.escape.url_escape("a b"), t.escape.url_unescape("a+b")
    t.escape.json_decode(t.escape.json_encode({"a": 1})), t.escape.squeeze(" a  b "), t.escape.recursive_unicode([b"a"])
    t.escape.linkify("see http://example.com/a-long-path/which/goes/on/and/on for it", shorten=True)
    t.escape.parse_qs_bytes("a=1")
    (
        t.httputil.url_concat("/a?b=1", {"c": "2"}),
        t.httputil.format_timestamp(0),
        t.httputil.HTTPHeaders.parse("A: b\r\n c\r\n"),
    )
    t.httputil.parse_cookie('a="b\\"c"')
    t.util.import_object("os.path"), t.util.re_unescape("a\\-b"), t.util.ArgReplacer(plain, "t").replace(1, (2, 3), {})
    t.template.Template("{% set a = 1 %}{{ a }}{% try %}{% except %}{% end %}{% while 0 %}{% end %}{# c #}").generate()
    t.template.DictLoader({"a": "{% block b %}{% end %}", "c": "{% extends a %}{% include 'd' %}", "d": "1"}).load(
        "c"
    ).generate()
    record = logging.makeLogRecord({"msg": "text", "levelno": 40, "levelname": "ERROR", "exc_info": None})
    t.log.LogFormatter(color=False).format(record)
    times = {}
    t.autoreload._reload_on_update(times)

    class Case(t.testing.AsyncHTTPTestCase):
        def get_app(self):
            return t.web.Application()

        def test(self):
            self.io_loop.add_callback(self.stop)
            self.wait()
            self.fetch("/")

        @t.testing.gen_test
        def test_later(self):
            yield t.gen.moment

    import unittest

    for name in ("test", "test_later"):
        result = unittest.TestResult()
        Case(name).run(result)
        assert result.wasSuccessful(), result


def main(namespace, wanted=None):
    """Replace, run, and say what was called."""
    t = types.SimpleNamespace()
    for module in MODULES:
        loaded = importlib.import_module(namespace + "." + module)
        if "." not in module:
            setattr(t, module, loaded)
    replace(namespace, list(targets(namespace)) if wanted is None else wanted)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        ask(t, folder)
        streams(t)
        coroutines(t)
        with tempfile.TemporaryDirectory() as empty:
            plain(t, empty)
    return sorted(CALLED)


def alone(namespace, wanted):
    """As `main`, each replaced by itself, in a process of its own: a shorter way may be taken then."""
    for module in MODULES:
        importlib.import_module(namespace + "." + module)
    called = []
    for key in wanted:
        child = os.fork()
        if not child:
            code = 1
            try:
                code = 0 if key in main(namespace, [key]) else 3
            finally:
                os._exit(code)
        code = os.WEXITSTATUS(os.waitpid(child, 0)[1])
        if code == 0:
            called.append(key)
        elif code != 3:
            raise RuntimeError(f"the programs failed with {key} replaced")
    return called


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    warnings.simplefilter("ignore")
    if len(sys.argv) == 2:
        json.dump(main(sys.argv[1]), sys.stdout, indent=0)
    else:
        with open(sys.argv[2]) as file:
            stored = json.load(file)
        run = alone if sys.argv[3:] == ["alone"] else main
        json.dump(sorted(set(stored) - set(run(sys.argv[1], stored))), sys.stdout, indent=0)
