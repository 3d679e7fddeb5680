"""``tornado4 check``: what is found, where, and how sure."""

from __future__ import annotations

import json
import textwrap

import pytest

from tornado4.migrate.check.checker import check
from tornado4.migrate.check.command import main


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Write files, check them, and give ``file:line rule certainty`` of each finding that is not guarded."""
    monkeypatch.chdir(tmp_path)

    def run(source="", **files):
        for name, text in {"app": source, **files}.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return [
            f"{finding.path}:{finding.line} {finding.rule_id} {finding.certainty}"
            for finding in check([tmp_path]).findings
            if not finding.guarded and finding.required
        ]

    return run


@pytest.mark.parametrize(
    "source",
    [
        "from tornado import gen\ngen.Task(print)",
        "from tornado import gen as g\ng.Task(print)",
        "import tornado.gen\ntornado.gen.Task(print)",
        "import tornado.gen as g\ng.Task(print)",
        "import tornado.web\ntornado.web.gen.Task(print)",
        "from tornado.gen import *\nTask(print)",
        "import tornado.gen\nTask = tornado.gen.Task; Task(print)",
    ],
)
def test_every_spelling_of_an_import(found, source):
    assert "app.py:2 TND103 certain" in found(source)


def test_a_name_handed_on_by_a_module_of_the_project(found):
    assert found(
        "from compat import sleepy\nsleepy.Task(print)\n",
        compat="from tornado import gen as sleepy\n",
    ) == ["app.py:2 TND103 certain"]


def test_relative_imports(found):
    files = {"pkg____init__": "", "pkg__compat": "from tornado.gen import engine\n"}
    assert found("", pkg__use="from .compat import engine\n@engine\ndef f(): yield\n", **files) == [
        "pkg/compat.py:1 TND102 certain",
        "pkg/use.py:2 TND102 certain",
    ]


def test_a_branch_for_old_releases_asks_for_nothing(found):
    source = """
        import tornado
        from tornado import gen
        if tornado.version_info < (5,):
            gen.Task(print)
        else:
            gen.Wait(1)
        if hasattr(gen, "engine"):
            gen.engine(print)
        try:
            from tornado.gen import Callback
        except ImportError:
            Callback = None
    """
    assert found(source) == ["app.py:7 TND104 certain"]


def test_what_is_imported_with_a_fallback_is_still_followed(found):
    source = """
        try:
            from tornado import gen
        except ImportError:
            gen = None
        def f():
            return gen.Task(print)
    """
    assert found(source) == ["app.py:7 TND103 certain"]


def test_callbacks_by_keyword_and_by_position(found):
    source = """
        from tornado.httpclient import AsyncHTTPClient
        from tornado.iostream import IOStream
        class Client(AsyncHTTPClient): pass
        def f(sock, unknown, on_data):
            client = Client()
            client.fetch("/", on_data)
            client.fetch("/", callback=on_data)
            client.fetch("/", raise_error=False)
            IOStream(sock).read_until(b"x", on_data)
            unknown.fetch("/", on_data)
            unknown.write(b"", callback=on_data)
    """
    assert found(source) == [
        "app.py:7 TND203 certain",
        "app.py:8 TND202 certain",
        "app.py:10 TND205 certain",
        "app.py:11 TND203 likely",
    ]


def test_io_loop_of_tornado_and_of_the_project(found):
    source = """
        from tornado.ioloop import IOLoop, PeriodicCallback
        from tornado.tcpserver import TCPServer
        from tornado.httpserver import HTTPServer
        class Own:
            def __init__(self, io_loop): pass
        class Server(TCPServer): pass
        loop = IOLoop.current()
        Own(io_loop=loop)
        Server(io_loop=loop)
        PeriodicCallback(print, 5, loop)
        HTTPServer(print, False, loop)
    """
    assert found(source) == [
        "app.py:10 TND201 certain",
        "app.py:11 TND208 certain",
        "app.py:12 TND206 certain",
    ]


def test_attributes_of_self_are_followed_through_base_classes(found):
    base = """
        from tornado.iostream import IOStream
        class Base:
            def __init__(self, sock):
                self.conn = IOStream(sock)
    """
    source = """
        from base import Base
        class Reader(Base):
            def go(self):
                self.conn.read_bytes(4, self.got)
    """
    assert found(source, base=base) == ["app.py:5 TND205 certain"]


def test_methods_of_handlers(found):
    source = """
        from tornado import web, websocket
        class H(web.RequestHandler):
            def get(self):
                self.flush(callback=self.done)
        class W(websocket.WebSocketHandler):
            def get(self): pass
    """
    assert found(source) == ["app.py:5 TND202 certain", "app.py:7 TND701 certain"]


def test_a_file_in_python_2_is_named_and_the_rest_goes_on(found, tmp_path):
    (tmp_path / "old.py").write_text("print 'x'\n")
    (tmp_path / "app.py").write_text("from tornado.gen import Task\n")
    result = check([tmp_path])
    assert [(finding.rule_id, finding.line) for finding in result.findings] == [("TND103", 1), ("TND004", 1)]


def test_a_copy_of_tornado_is_left_out(found):
    copy = {f"lib__tornado__{name}": "from tornado import gen; gen.Task\n" for name in ("ioloop", "web", "gen")}
    assert found("", **copy) == []


def test_json_and_exit_codes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("from tornado.web import asynchronous\n")
    assert main(["--format=json", "app.py"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ready"] is False
    (finding,) = document["findings"]
    assert (finding["path"], finding["line"], finding["column"]) == ("app.py", 1, 25)
    assert (finding["rule"], finding["certainty"], finding["fix"]) == ("TND101", "certain", "unsafe")
    assert main(["--exit-zero", "app.py"]) == 0
    assert main(["missing.py"]) == 2
    (tmp_path / "app.py").write_text("import tornado.web\n")
    capsys.readouterr()
    assert main(["app.py"]) == 0
    assert "Ready for Tornado 6." in capsys.readouterr().out
