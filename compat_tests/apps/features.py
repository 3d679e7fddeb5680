"""The parts of web that one application has by settings: modules, locales, signing, tokens, errors, streaming."""
import base64
import datetime
import os

import tornado.auth
import tornado.gen
import tornado.httputil
import tornado.ioloop
import tornado.locale
import tornado.template
import tornado.web

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "secret of the features"


def fixed_clock():
    return 1400000000.0


class Module(tornado.web.UIModule):
    def render(self, value, times=1):
        return "<i>%s</i>" % (str(value) * times)

    def embedded_javascript(self):
        return "alert(1)"

    def javascript_files(self):
        return ["/a.js", "b.js", "//c.org/c.js"]

    def embedded_css(self):
        return ".x {}"

    def css_files(self):
        return "one.css"

    def html_head(self):
        return "<meta>"

    def html_body(self):
        return "<p>end</p>"


class Nested(tornado.web.UIModule):
    def render(self, text):
        return self.render_string("module.html", text=text)


def method_shout(handler, text):
    return text.upper() + "!"


TEMPLATES = {
    "modules.html": "<html><head></head><body>{% module Module(x, times=2) %}{% module Nested('<n>') %}{{ shout('a') }}</body></html>",
    "module.html": "<b>{{ text }}</b>{{ handler.request.path }}",
    "names.html": "{{ request.method }} {{ current_user }} {{ locale.code }} {{ _('x') }} {{ pgettext('c', 'x') }} {{ static_url('robots.txt') }} {{ reverse_url('named', 1) }}",
    "form.html": "{% raw xsrf_form_html() %}",
    "broken.html": "a\n{{ 1/0 }}",
    "syntax.html": "{% if %}",
    "raw.html": "{% raw x %}{{ x }}{% autoescape None %}{{ x }}",
}


class Base(tornado.web.RequestHandler):
    def get_current_user(self):
        return self.get_cookie("user")

    def get_user_locale(self):
        code = self.get_argument("user_locale", None)
        return tornado.locale.get(code) if code else None


class Render(Base):
    def compute_etag(self):
        # A token is other bytes each time.
        return None if self.request.path.endswith("form") else super(Render, self).compute_etag()

    def get(self, name):
        self.render(name + ".html", x=self.get_argument("x", "<x>"))


class RenderString(Base):
    def get(self):
        self.write(self.render_string("raw.html", x="<&>"))


class Locale(Base):
    def get(self):
        self.write({"code": self.locale.code, "browser": self.get_browser_locale().code, "default": self.get_browser_locale("fr").code,
                    "text": self.locale.translate("school")})


class Sign(Base):
    def get(self):
        version = int(self.get_argument("version", "2"))
        value = tornado.web.create_signed_value(SECRET, self.get_argument("name", "n"), self.get_argument("value", "v"),
                                                version=version, clock=fixed_clock)
        self.write(value)


class KeyedSign(Base):
    def get(self):
        secrets = {0: "old", 1: "new"}
        value = tornado.web.create_signed_value(secrets, "n", "v", version=2, clock=fixed_clock, key_version=int(self.get_argument("key")))
        self.write(value)
        self.write(b" " + tornado.web.decode_signed_value(secrets, "n", value, clock=fixed_clock))
        self.write(" %r" % tornado.web.decode_signed_value({0: "old"}, "n", value, clock=fixed_clock))
        self.write(" %r" % tornado.web.get_signature_key_version(value))


class Decode(Base):
    def get(self):
        def clock():
            return fixed_clock() + float(self.get_argument("later", "0"))

        value = tornado.web.decode_signed_value(SECRET, self.get_argument("name", "n"), self.get_argument("signed"), max_age_days=31, clock=clock,
                                                min_version=int(self.get_argument("min", "1")))
        self.write(repr(value))


class SecureCookie(Base):
    def get(self):
        self.write(repr(self.get_secure_cookie("n", max_age_days=1e6)) + repr(self.get_secure_cookie_key_version("n")))


class SetCookies(Base):
    def get(self):
        how = self.get_argument("how")
        if how == "plain":
            self.set_cookie("a", "b")
        elif how == "odd":
            self.set_cookie("a", 'sp ace;"quote",\\')
        elif how == "unicode":
            self.set_cookie("a", u"\u00e9")
        elif how == "bad":
            self.set_cookie("a", "x\ny")
        elif how == "badname":
            self.set_cookie("a b", "x")
        elif how == "kwargs":
            self.set_cookie("a", "b", max_age=5, HttpOnly=True, Secure=True, version=1, comment="c")
        elif how == "expires":
            self.set_cookie("a", "b", expires=(2030, 1, 2, 3, 4, 5, 0, 0, 0))
        elif how == "days":
            self.set_cookie("a", "b", expires_days=3)
        elif how == "twice":
            self.set_cookie("a", "1")
            self.set_cookie("a", "2", path="/p")
            self.clear_cookie("b", path="/q", domain="d.org")
        elif how == "clearall":
            self.clear_all_cookies()
        elif how == "domain":
            self.set_cookie("a", "b", domain="example.org", path=None)


class Token(Base):
    def compute_etag(self):
        return None

    def get(self):
        how = self.get_argument("how", "cookie")
        if how == "form":
            self.render("form.html")
        else:
            self.write("%d" % len(self.xsrf_token))


class Checked(Base):
    def post(self):
        self.check_xsrf_cookie()
        self.write("passed")

    put = delete = patch = post


class Arguments(Base):
    def get(self):
        a = self
        self.write({
            "one": a.get_argument("a", None), "all": a.get_arguments("a"), "raw": a.get_arguments("a", strip=False), "query": a.get_query_argument("a", "none"),
            "body": a.get_body_argument("a", "none"), "bodies": a.get_body_arguments("a"), "queries": a.get_query_arguments("a"),
        })

    post = put = get


class Missing(Base):
    def get(self, kind):
        if kind == "any":
            self.get_argument("absent")
        if kind == "query":
            self.get_query_argument("absent")
        if kind == "body":
            self.get_body_argument("absent")
        if kind == "cookie":
            self.write(repr(self.get_cookie("absent")))


class Write(Base):
    def get(self, what):
        if what == "bytes":
            self.write(b"\xff\x00")
        elif what == "unicode":
            self.write(u"\u00e9")
        elif what == "dict":
            self.write({"a": 1})
        elif what == "list":
            self.write([1])
        elif what == "number":
            self.write(5)
        elif what == "none":
            self.write(None)
        elif what == "twice":
            self.write("a")
            self.write("b")
        elif what == "afterfinish":
            self.finish("done")
            self.write("more")
        elif what == "finishtwice":
            self.finish("done")
            self.finish()
        elif what == "finishdict":
            self.finish({"b": [2]})
        elif what == "nothing":
            pass
        elif what == "jsonthenfinish":
            self.write({"a": 1})
            self.finish("x")
        elif what == "html":
            self.set_header("Content-Type", "text/plain")
            self.write("<html>")


class Head(Base):
    def set_default_headers(self):
        self.set_header("X-Default", "d")

    def get(self, what):
        if what == "set":
            self.set_header("X-A", "1")
            self.set_header("x-a", "2")
        elif what == "add":
            self.add_header("X-A", "1")
            self.add_header("X-A", 2)
        elif what == "types":
            self.set_header("X-Int", 5)
            self.set_header("X-Bytes", b"b")
            self.set_header("X-Unicode", u"\u00e9")
            self.set_header("X-Date", datetime.datetime(2000, 1, 2))
        elif what == "bad":
            self.set_header("X-A", "a\r\nX-B: 1")
        elif what == "list":
            self.set_header("X-A", ["x"])
        elif what == "float":
            self.set_header("X-A", 1.5)
        elif what == "clear":
            self.clear_header("X-Default")
            self.clear_header("Content-Type")
            self.clear_header("X-Absent")
        elif what == "all":
            self.set_header("X-A", "1")
            self.set_status(202)
            self.clear()
        elif what == "length":
            self.set_header("Content-Length", "3")
            self.write("abc")
        elif what == "shortlength":
            self.set_header("Content-Length", "2")
            self.write("abc")
        elif what == "longlength":
            self.set_header("Content-Length", "4")
            self.write("abc")
        elif what == "etag":
            self.set_header("Etag", '"mine"')
            self.write("x")
        elif what == "after":
            self.write("x")
            self.flush()
            self.set_header("X-Late", "1")
        elif what == "server":
            self.clear_header("Server")
            self.clear_header("Date")
        elif what == "connection":
            self.set_header("Connection", "close")
            self.write("x")
        elif what == "type":
            self.set_header("Content-Type", "text/css")
            self.write("x")


class State(Base):
    def get(self, code):
        self.set_status(int(code), self.get_argument("reason", None))
        if self.get_argument("body", None):
            self.write(self.get_argument("body"))


class Raise(Base):
    def get(self, what):
        args = {"reason": "Own Reason"} if self.get_argument("reason", None) else {}
        if what.isdigit():
            raise tornado.web.HTTPError(int(what), **args)
        if what == "message":
            raise tornado.web.HTTPError(400, "text %s %d", "a", 5)
        if what == "percent":
            raise tornado.web.HTTPError(400, "100% wrong")
        if what == "finish":
            self.write("kept")
            raise tornado.web.Finish()
        if what == "finishvalue":
            raise tornado.web.Finish("value")
        if what == "missing":
            raise tornado.web.MissingArgumentError("name")
        if what == "input":
            raise tornado.httputil.HTTPInputError("input")
        if what == "system":
            raise ValueError("value")
        if what == "unicode":
            raise ValueError(u"\u00e9")
        if what == "written":
            self.write("lost")
            self.set_header("X-Lost", "1")
            raise ValueError("after write")
        if what == "flushed":
            self.write("kept")
            self.flush()
            raise ValueError("after flush")
        if what == "finished":
            self.finish("whole")
            raise ValueError("after finish")

    @tornado.gen.coroutine
    def post(self, what):
        yield tornado.gen.moment
        self.get(what)


class OwnErrors(tornado.web.RequestHandler):
    def get(self, what):
        if what == "twice":
            self.send_error(400)
            self.send_error(500)
            return
        if what == "kwargs":
            self.send_error(402, extra="more")
            return
        raise tornado.web.HTTPError(409, "log text")

    def write_error(self, status_code, **kwargs):
        if self.request.path.endswith("broken"):
            raise ValueError("in write_error")
        self.finish("own %d %s" % (status_code, sorted(k for k in kwargs if k != "exc_info")))

    def log_exception(self, typ, value, tb):
        tornado.web.app_log.warning("own log: %s", value)


class Prepare(Base):
    @tornado.gen.coroutine
    def prepare(self):
        how = self.get_argument("how", "")
        if how == "wait":
            yield tornado.gen.moment
        if how == "finish":
            self.finish("in prepare")
        if how == "fail":
            raise tornado.web.HTTPError(403)
        if how == "redirect":
            self.redirect("/x")

    def get(self):
        self.write("method")

    def on_finish(self):
        if self.get_argument("how", "") == "onfinish":
            raise ValueError("in on_finish")


class Gen(Base):
    @tornado.gen.coroutine
    def get(self, what):
        yield tornado.gen.moment
        if what == "value":
            raise tornado.gen.Return("ignored")
        if what == "error":
            raise ValueError("coroutine")
        if what == "http":
            raise tornado.web.HTTPError(410)
        if what == "flush":
            for n in range(3):
                self.write(str(n))
                yield self.flush()
        if what == "finish":
            self.finish("early")
            yield tornado.gen.moment
        if what == "many":
            got = yield [tornado.gen.moment, tornado.gen.maybe_future(5)]
            self.write(str(got))

    def post(self, what):
        return "not a future"


class Async(Base):
    @tornado.web.asynchronous
    def get(self, what):
        loop = tornado.ioloop.IOLoop.current()
        if what == "callback":
            loop.add_callback(self.finish, "later")
        elif what == "error":
            loop.add_callback(self.fail)
        elif what == "raise":
            raise ValueError("at once")
        elif what == "now":
            self.finish("now")
        elif what == "flushcallback":
            self.write("a")
            self.flush(callback=lambda: self.finish("b"))

    def fail(self):
        raise tornado.web.HTTPError(503)

    @tornado.web.asynchronous
    @tornado.gen.coroutine
    def post(self, what):
        yield tornado.gen.moment
        self.finish("both")

    @tornado.gen.coroutine
    @tornado.web.asynchronous
    def put(self, what):
        self.finish("other way")


class Auth(Base):
    @tornado.web.authenticated
    def get(self):
        self.write("hello " + self.current_user)

    post = head = get


class AuthElsewhere(Auth):
    def get_login_url(self):
        return self.get_argument("login", "http://sso.org/in?x=1")


class Redirect(Base):
    def get(self):
        status = self.get_argument("status", None)
        self.redirect(self.get_argument("to"), permanent=bool(self.get_argument("p", "")), status=int(status) if status else None)


class Etag(Base):
    def get(self, what):
        if what == "own":
            self.set_header("Etag", '"own"')
            self.write("x")
        elif what == "none":
            self.write("y")
        elif what == "empty":
            pass
        elif what == "big":
            self.write("z" * 5000)

    head = get

    def compute_etag(self):
        if self.request.path.endswith("none"):
            return None
        return super(Etag, self).compute_etag()


@tornado.web.stream_request_body
class Streamed(Base):
    def initialize(self):
        self.got = []

    def prepare(self):
        how = self.get_query_argument("how", "")
        if how == "limit":
            self.request.connection.set_max_body_size(10)
        if how == "refuse":
            raise tornado.web.HTTPError(401)
        if how == "answer":
            self.finish("before the body")

    def data_received(self, data):
        self.got.append(data)
        if self.get_query_argument("how", "") == "fail":
            raise ValueError("in data_received")
        if self.get_query_argument("how", "") == "wait":
            return tornado.gen.moment
        return None

    def post(self):
        self.write({"bytes": sum(map(len, self.got)), "body": self.request.body.decode(), "arguments": sorted(self.request.arguments)})

    put = post


class Paths(Base):
    def initialize(self, extra=None):
        self.extra = extra

    def get(self, *args, **kwargs):
        self.write({"args": args, "kwargs": kwargs, "extra": self.extra})


class NoMethods(tornado.web.RequestHandler):
    pass


class Own(tornado.web.RequestHandler):
    SUPPORTED_METHODS = ("GET", "PROPFIND")

    def propfind(self):
        self.write("found")


class Info(Base):
    def get(self):
        r = self.request
        self.write({"ip": r.remote_ip, "protocol": r.protocol, "host": r.host, "host_name": r.host_name, "full": r.full_url(), "uri": r.uri})


class Detach(Base):
    @tornado.web.asynchronous
    def get(self):
        stream = self.request.connection.detach()
        stream.write(b"raw bytes", callback=stream.close)


class Basic(Base):
    def get(self):
        header = self.request.headers.get("Authorization", "")
        if not header.startswith("Basic "):
            self.set_status(401)
            self.set_header("WWW-Authenticate", "Basic realm=x")
            return
        self.write(base64.b64decode(header[6:]))


class OpenId(Base, tornado.auth.OpenIdMixin):
    _OPENID_ENDPOINT = "http://id.org/openid"

    @tornado.gen.coroutine
    def get(self):
        yield self.authenticate_redirect(ax_attrs=["name", "email"])


class OAuth2(Base, tornado.auth.OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "http://id.org/auth"

    @tornado.gen.coroutine
    def get(self):
        yield self.authorize_redirect(redirect_uri="http://me.org/back", client_id="c", scope=["a", "b"], extra_params={"x": "1"}, response_type="code")


class Google(Base, tornado.auth.GoogleOAuth2Mixin):
    @tornado.gen.coroutine
    def get(self):
        yield self.authorize_redirect("http://me.org/back", client_id="id", scope=["email"])


class Chunked(Base):
    def get(self, what):
        if what == "empty":
            self.flush()
        elif what == "one":
            self.write("one")
            self.flush()
        elif what == "footers":
            self.flush(include_footers=True)
        elif what == "204":
            self.set_status(204)
            self.flush()
        elif what == "304":
            self.set_status(304)
            self.flush()
        elif what == "emptypieces":
            self.write("a")
            self.flush()
            self.flush()
            self.write("")
            self.flush()
            self.write("b")


def load_locales():
    tornado.locale._translations = {"fr_FR": {"unknown": {"school": u"\u00e9cole"}}, "es_ES": {"unknown": {"school": "escuela"}}, "de": {"unknown": {"school": "Schule"}}}
    tornado.locale._supported_locales = frozenset(["fr_FR", "es_ES", "de", "en_US"])


def make_app():
    load_locales()
    return tornado.web.Application(
        [
            (r"/render/(\w+)", Render),
            (r"/render_string", RenderString),
            (r"/locale", Locale),
            (r"/sign", Sign),
            (r"/keyed", KeyedSign),
            (r"/decode", Decode),
            (r"/secure", SecureCookie),
            (r"/setcookies", SetCookies),
            (r"/token", Token),
            (r"/checked", Checked),
            (r"/arguments", Arguments),
            (r"/missing/(\w+)", Missing),
            (r"/write/(\w+)", Write),
            (r"/head/(\w+)", Head),
            (r"/state/(\d+)", State),
            (r"/raise/(\w+)", Raise),
            (r"/own/(\w+)", OwnErrors),
            (r"/prepare", Prepare),
            (r"/gen/(\w+)", Gen),
            (r"/async/(\w+)", Async),
            (r"/auth", Auth),
            (r"/elsewhere", AuthElsewhere),
            (r"/redirect", Redirect),
            (r"/etag/(\w+)", Etag),
            (r"/streamed", Streamed),
            (r"/nomethods", NoMethods),
            (r"/webdav", Own),
            (r"/info", Info),
            (r"/detach", Detach),
            (r"/basic", Basic),
            (r"/openid", OpenId),
            (r"/oauth2", OAuth2),
            (r"/google", Google),
            (r"/chunked/(\w+)", Chunked),
            tornado.web.url(r"/named/(\d+)", Paths, {"extra": "e"}, name="named"),
            (r"/opt(?:/(\w+))?", Paths),
            (r"/kw/(?P<a>\w+)/(?P<b>\w*)", Paths),
            (r"/escaped/(.*)", Paths),
            (r"/to/(.*)", tornado.web.RedirectHandler, {"url": "/from/{0}", "permanent": True}),
            (r"/fallback/.*", tornado.web.ErrorHandler, {"status_code": 418}),
            (r"/files/(.*)", tornado.web.StaticFileHandler, {"path": os.path.join(HERE, "static"), "default_filename": "style.css"}),
        ],
        cookie_secret=SECRET,
        login_url="/login?from=app",
        ui_modules={"Module": Module, "Nested": Nested},
        ui_methods={"shout": method_shout},
        template_loader=tornado.template.DictLoader(TEMPLATES),
        static_path=os.path.join(HERE, "static"),
        google_oauth={"key": "k", "secret": "s"},
    )


SERVER = {"xheaders": True}
