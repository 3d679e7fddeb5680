"""Applications, decorators, transforms, ready-made handlers and pages of UI modules."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from web_fakes import fetch, serve

from tornado4 import template, web
from tornado4.web import (
    Application,
    ErrorHandler,
    FallbackHandler,
    RedirectHandler,
    RequestHandler,
    StaticFileHandler,
    UIModule,
    addslash,
    authenticated,
    is_absolute,
    removeslash,
)


def test_static_path_installs_three_rules_before_all_others() -> None:
    app = Application([("/x", RequestHandler)], static_path="/srv")
    patterns = [rule.matcher.regex.pattern for rule in app.wildcard_router.rules]
    assert patterns == [r"/(robots\.txt)$", r"/(favicon\.ico)$", "/static/(.*)$", "/x$"]


def test_debug_is_four_settings_each_of_which_may_be_set_alone() -> None:
    app = Application(debug=True, autoreload=False)
    assert app.settings == {
        "debug": True,
        "autoreload": False,
        "compiled_template_cache": False,
        "static_hash_cache": False,
        "serve_traceback": True,
    }


def test_ui_methods_and_modules_are_picked_by_kind() -> None:
    class Module(UIModule):
        pass

    app = Application(
        ui_methods=[{"good": len, "_private": len, "Upper": len, "number": 3}],
        ui_modules={"Module": Module, "other": 5},
    )
    assert sorted(app.ui_methods) == ["good"]
    assert sorted(app.ui_modules) == ["Module", "Template", "linkify", "xsrf_form_html"]


def test_unmatched_requests_go_to_the_default_handler_else_404() -> None:
    class Default(RequestHandler):
        def initialize(self, word: str) -> None:  # type: ignore[override]
            self.word = word

        def prepare(self) -> None:
            self.finish(self.word)

    assert fetch(Application(), "POST").status == 404
    app = Application(default_handler_class=Default, default_handler_args={"word": "w"})
    assert fetch(app).body == b"w"


def test_ready_made_handlers() -> None:
    class Inner(RequestHandler):
        def get(self) -> None:
            self.write("inner")

    app = Application(
        [
            ("/r/(.*)/(.*)", RedirectHandler, {"url": "/to/{1}/{0}"}),
            ("/temporary", RedirectHandler, {"url": "/x", "permanent": False}),
            ("/e", ErrorHandler, {"status_code": 418}),
            ("/fallback", FallbackHandler, {"fallback": Application([("/fallback", Inner)])}),
        ],
        xsrf_cookies=True,
    )
    moved = fetch(app, path="/r/a/b%20c")
    assert (moved.status, moved.headers["Location"]) == (301, "/to/b c/a")
    assert fetch(app, path="/temporary").status == 302
    assert fetch(app, "POST", path="/e").status == 418
    assert fetch(app, path="/fallback").body == b"inner"


class Slashes(RequestHandler):
    @removeslash
    def get(self) -> None:
        self.write("none")

    head = get

    @addslash
    def put(self) -> None:
        self.write("slash")

    @removeslash
    def post(self) -> None:
        self.write("posted")


def test_removeslash() -> None:
    app = serve(Slashes)
    assert fetch(app, path="/a").body == b"none"
    moved = fetch(app, path="/a//?b=c")
    assert (moved.status, moved.headers["Location"]) == (301, "/a?b=c")
    assert fetch(app, path="/").body == b"none"
    assert fetch(app, "POST", path="/a/").status == 404


def test_addslash() -> None:
    class Added(RequestHandler):
        @addslash
        def get(self) -> None:
            self.write("slash")

    moved = fetch(serve(Added), path="/a?x=1")
    assert (moved.status, moved.headers["Location"]) == (301, "/a/?x=1")
    assert fetch(serve(Added), path="/a/").body == b"slash"
    assert fetch(serve(Slashes), "PUT", path="/a").status == 404


@pytest.mark.parametrize("path", ["//evil.com/", "/\\evil.com/", "//evil.com/?q"])
def test_sec_slash_redirects_stay_on_this_host(path: str) -> None:
    answer = fetch(serve(Slashes), path=path)
    assert answer.status == 403
    assert "Location" not in answer.headers


def test_authenticated() -> None:
    class Private(RequestHandler):
        def get_current_user(self) -> Any:
            return self.get_argument("u", None)

        @authenticated
        def get(self) -> None:
            self.write("in " + self.current_user)

        post = get

    def location(login_url: str) -> str:
        answer = fetch(serve(Private, login_url=login_url), path="/p?a=b")
        assert answer.status == 302
        return str(answer.headers["Location"])

    assert location("/login") == "/login?next=%2Fp%3Fa%3Db"
    assert location("http://x.y/in") == "http://x.y/in?next=http%3A%2F%2Fexample.com%2Fp%3Fa%3Db"
    assert location("/login?a=b") == "/login?a=b"
    app = serve(Private, login_url="/login")
    assert fetch(app, "POST").status == 403
    assert fetch(app, path="/?u=bob").body == b"in bob"


class Text(RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", self.get_argument("type", "text/plain"))
        self.write("a" * int(self.get_argument("n", "2000")))
        if self.get_argument("flush", ""):
            self.flush()
            self.write("b")


@pytest.mark.parametrize(
    ("query", "compressed"),
    [("", True), ("?n=1024", True), ("?n=1023", False), ("?type=image/png", False), ("?n=5&flush=1", True)],
)
def test_compression(query: str, compressed: bool) -> None:
    app = serve(Text, compress_response=True)
    answer = fetch(app, path="/" + query, headers={"Accept-Encoding": "gzip, deflate"})
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert (answer.headers.get("Content-Encoding") == "gzip") is compressed
    if compressed:
        assert gzip.decompress(answer.body).startswith(b"aaaa")
    if "Content-Length" in answer.headers:
        assert answer.headers["Content-Length"] == str(len(answer.body))
    assert "Content-Encoding" not in fetch(app, path="/" + query).headers


def test_pages_get_what_their_modules_need_in_the_order_of_4_5_3() -> None:
    class Module(UIModule):
        def render(self, *args: Any) -> str:
            return f"[{args}]"

        def embedded_javascript(self) -> str:
            return "js();"

        def javascript_files(self) -> list[str]:
            return ["a.js", "/b.js"]

        def embedded_css(self) -> str:
            return ".c{}"

        def css_files(self) -> str:
            return "m.css"

        def html_head(self) -> str:
            return "<head-piece>"

        def html_body(self) -> str:
            return "<body-piece>"

    class Static(StaticFileHandler):
        @classmethod
        def make_static_url(cls, settings: Any, path: str, include_version: bool = True) -> str:
            return "/S/" + path

    class Page(RequestHandler):
        def get(self) -> None:
            self.render("p.html")

    loader = template.DictLoader(
        {"p.html": "<head></head><body>{% module Module(1) %}{{ modules.Module(2) }}</body>"}
    )
    app = serve(
        Page,
        template_loader=loader,
        ui_modules={"Module": Module},
        static_path="/srv",
        static_handler_class=Static,
    )
    app.wildcard_router.rules[:] = app.wildcard_router.rules[-1:]
    assert fetch(app).body.decode() == (
        '<head><link href="/S/m.css" type="text/css" rel="stylesheet"/>\n'
        '<style type="text/css">\n.c{}\n</style>\n<head-piece>\n</head>'
        '<body>[(1,)][(2,)]<script src="/S/a.js" type="text/javascript"></script>'
        '<script src="/b.js" type="text/javascript"></script>\n'
        '<script type="text/javascript">\n//<![CDATA[\njs();\n//]]>\n</script>\n<body-piece>\n</body>'
    )


def test_absolute_addresses() -> None:
    assert all(map(is_absolute, ("/a", "http:x", "https:")))
    assert not any(map(is_absolute, ("a", "ftp:")))


def test_the_face_claims_what_it_hands_on() -> None:
    assert RequestHandler.__module__ == "tornado4.web"
    assert web.create_signed_value.__module__ == "tornado4.web"
    assert web.url is web.URLSpec
    missing = [name for name in web.__all__ if not hasattr(web, name)]
    assert missing == []


def test_answers_without_a_body_are_not_compressed() -> None:
    class Nothing(RequestHandler):
        def get(self) -> None:
            self.set_status(204)
            self.flush()

    answer = fetch(serve(Nothing, compress_response=True), path="/", headers={"Accept-Encoding": "gzip"})
    assert (answer.status, answer.body) == (204, b"")
    assert "Content-Encoding" not in answer.headers
