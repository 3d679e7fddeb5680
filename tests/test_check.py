"""``tornado4 check``: what is found, where, and how sure."""

from __future__ import annotations

import io
import json
import sys
import textwrap

import pytest

from tornado4.migrate.check.checker import check
from tornado4.migrate.check.command import main
from tornado4.migrate.check.requirements import check_requirements


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
        "app.py:9 TND601 likely",
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
            def get(self): super().get()
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


def findings_of(capsys, *argv):
    code = main([*argv])
    return code, capsys.readouterr().out


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("from tornado import gen\nx = gen.Task\ny = gen.engine\nz = gen.sleep\n")
    return tmp_path


def rules_in(text):
    return [finding["rule"] for finding in json.loads(text)["findings"]]


def test_noqa_of_a_rule_and_of_all(program, capsys):
    lines = ["x = gen.Task  # noqa: TND103", "y = gen.engine  # noqa", "z = gen.Wait  # noqa: TND103"]
    (program / "app.py").write_text("\n".join(["from tornado import gen", *lines]))
    assert rules_in(findings_of(capsys, "--format=json", "app.py")[1]) == ["TND104"]


def test_select_and_ignore(program, capsys):
    assert rules_in(findings_of(capsys, "--format=json", "--select=TND102", "app.py")[1]) == ["TND102"]
    assert rules_in(findings_of(capsys, "--format=json", "--ignore=TND102,TND9", "app.py")[1]) == ["TND103"]
    assert rules_in(findings_of(capsys, "--format=json", "--native", "app.py")[1]) == ["TND103", "TND102", "TND320"]
    assert main(["--select=XYZ", "app.py"]) == 2
    assert "no rule begins with 'XYZ'" in capsys.readouterr().err


def test_a_baseline_knows_what_was_there_and_tells_what_is_gone(program, capsys):
    assert main(["--write-baseline=known.json", "app.py"]) == 0
    assert findings_of(capsys, "--baseline=known.json", "app.py")[0] == 0
    (program / "app.py").write_text("from tornado import gen\n\n\nx = gen.Task\nw = gen.Wait\n")
    code = main(["--baseline=known.json", "--format=json", "app.py"])
    captured = capsys.readouterr()
    assert code == 1
    assert rules_in(captured.out) == ["TND104"]
    assert "1 of the baseline are gone" in captured.err
    (program / "known.json").write_text("{}")
    assert main(["--baseline=known.json", "app.py"]) == 2
    assert "known.json is no baseline of tornado4 check" in capsys.readouterr().err


def test_configuration(program, capsys):
    (program / "pyproject.toml").write_text('[tool.tornado4.check]\nignore = ["TND102"]\n')
    assert rules_in(findings_of(capsys, "--format=json", "app.py")[1]) == ["TND103"]
    (program / "pyproject.toml").write_text('[tool.tornado4.check]\nignroe = ["TND102"]\n')
    assert main(["app.py"]) == 2
    assert "[tool.tornado4.check] has no 'ignroe'; it has native, select" in capsys.readouterr().err
    (program / "pyproject.toml").write_text('[tool.tornado4.check]\nignore = "TND102"\n')
    assert main(["app.py"]) == 2
    assert "a list is wanted" in capsys.readouterr().err


def test_aliases_of_the_configuration(program, capsys):
    (program / "app.py").write_text("from theirs import coro\n@coro\ndef f(): yield\n")
    (program / "pyproject.toml").write_text(
        '[tool.tornado4.check]\naliases = { "theirs.coro" = "tornado.gen.engine" }\n'
    )
    assert rules_in(findings_of(capsys, "--format=json", "app.py")[1]) == ["TND102"]


def test_sarif_is_what_code_scanning_takes(program, capsys):
    document = json.loads(findings_of(capsys, "--format=sarif", "app.py")[1])
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"]["uri"] == "app.py"
        assert location["region"]["startLine"] in (2, 3)
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == "error"
        assert result["partialFingerprints"]["tornado4/v1"]


def test_annotations_csv_statistics_and_a_page(program, capsys):
    code, github = findings_of(capsys, "--format=github", "app.py")
    assert code == 1
    assert github.splitlines()[0].startswith("::error file=app.py,line=2,col=5,title=TND103::tornado.gen.Task: ")
    rows = findings_of(capsys, "--format=csv", "app.py")[1].splitlines()
    assert rows[0].startswith("path,line,column,rule")
    assert [row.split(",")[:4] for row in rows[1:]] == [["app.py", "2", "5", "TND103"], ["app.py", "3", "5", "TND102"]]
    assert "Tornado 6 needs 2 changes." in findings_of(capsys, "--statistics", "app.py")[1]
    main(["--format=html", "--output=page.html", "app.py"])
    page = (program / "page.html").read_text()
    assert "<h1>Tornado 6 needs 2 changes.</h1>" in page
    assert page.count('class="finding raises"') == 2
    assert "http://" not in page and "https://" not in page


def test_nothing_of_a_program_can_run_in_the_page(program):
    (program / "app.py").write_text("from tornado import gen\nx = gen.Task  # </pre><script>alert(1)</script>\n")
    main(["--format=html", "--output=page.html", "app.py"])
    page = (program / "page.html").read_text()
    assert "<script>alert" not in page
    assert page.count("<script>") == 1


@pytest.mark.parametrize(
    ("name", "line", "rule"),
    [
        ("requirements.txt", "tornado==4.5.3", "TND951"),
        ("requirements.txt", "tornado>=4.0,<5", "TND951"),
        ("requirements-dev.txt", "tornado~=4.5", "TND951"),
        ("requirements.txt", "tornado<6.0", "TND951"),
        ("requirements.txt", "tornado>=4.0", None),
        ("requirements.txt", "tornado>=4.0,<7", None),
        ("requirements.txt", "tornado==6.4", None),
        ("requirements.txt", "# tornado==4.5.3", None),
        ("requirements.txt", "pytest-tornado==0.8", None),
        ("requirements.txt", "tornado4", "TND951"),
        ("requirements.txt", "sockjs-tornado==1.0.3", "TND952"),
        ("requirements.txt", "sockjs-tornado<1.0.7", "TND952"),
        ("requirements.txt", "sockjs-tornado>=1.0.3,<2.0", None),
        ("pyproject.toml", '    "sockjs_tornado>=1.0.7",', None),
        ("setup.py", "install_requires=['tornado>=3.1,<5.0', 'six']", "TND951"),
        ("setup.cfg", "    tornado<5", "TND951"),
        ("pyproject.toml", 'dependencies = ["tornado<5"]', "TND951"),
        ("pyproject.toml", 'tornado = "^4.5"', "TND951"),
        ("Pipfile", 'tornado = "==4.5.3"', "TND951"),
        ("environment.yml", "  - tornado=4.5", "TND951"),
        ("tox.ini", "    tornado45: tornado>=4.5,<4.6", "TND951"),
        ("requirements.txt", "tornado>=4.2,<5.0 ; python_version <= '2.7'", None),
        ("requirements.txt", "tornado>=4.2,<5.0 ; python_version >= '3.4'", "TND951"),
        ("setup.py", "skip(reason='tornado < 4.3')", None),
        ("setup.py", "if sys.version_info[:2] == (3, 2): requires.append('tornado>=4.2,<4.4')", None),
        ("setup.py", "requires.append('tornado>=4.2,<4.4')", "TND951"),
        ("setup.py", 'requires = """\ntornado<5\n"""', "TND951"),
        ("setup.py", "install_requires=['raven', 'tornado']", "TND952"),
        ("setup.py", "setup(name='raven', url='http://example.com/raven', scripts=['raven = raven.main:run'])", None),
        ("setup.py", '"""Raven sends errors: raven>=6 does."""', None),
        ("setup.py", "setup(packages=['tornado_json'], install_requires=['tornado'])", None),
        ("setup.cfg", "name = momoko", None),
        ("poetry.lock", 'name = "momoko"', "TND952"),
    ],
)
def test_requirements(tmp_path, name, line, rule):
    (tmp_path / name).write_text(line + "\n")
    found = check_requirements(tmp_path / name, name)
    assert [finding.rule_id for finding in found] == ([rule] if rule else [])


def test_templates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text(
        "<p>{{ name }}\n{{ handler.get_secure_cookie('x') }}\n"
        "{% import tornado.stack_context %}\n{{ a.b }} tornado.gen.Task"
    )
    found = [(finding.line, finding.rule_id) for finding in check([tmp_path]).findings]
    assert found == [(2, "TND147"), (3, "TND118")]


def test_native_coroutines(found):
    source = """
        from tornado import gen
        async def f():
            raise gen.Return(1)
        @gen.coroutine
        def g():
            raise gen.Return(2)
    """
    assert found(source) == ["app.py:4 TND303 certain"]


def test_tests_that_wait_by_stop(found):
    source = """
        from tornado.testing import AsyncHTTPTestCase
        class T(AsyncHTTPTestCase):
            def test(self):
                self.http_client.fetch("/", self.stop)
                self.wait()
    """
    assert found(source) == ["app.py:5 TND801 certain", "app.py:5 TND203 certain"]


def test_what_python_has_dropped(found):
    source = """
        import collections, imp, unittest
        from collections import Mapping
        class T(unittest.TestCase):
            def test(self):
                self.assertEquals(1, collections.MutableMapping)
    """
    assert found(source) == [
        "app.py:2 TND905 certain",
        "app.py:3 TND901 certain",
        "app.py:6 TND906 certain",
        "app.py:6 TND901 certain",
    ]


# -- kinds that old packages have shown


def test_names_that_ask_for_one_another_are_worked_out_once(found):
    binding = "    if value: value = first(value) or second(value) or third(value)\n"
    source = "def first(x): return x\ndef run(value, second, third):\n    first = second or third\n" + binding * 60
    assert found(source) == []


def test_what_a_name_stands_for_in_a_circle(found):
    source = """
        from tornado.httpclient import AsyncHTTPClient
        def f(url, got):
            one = AsyncHTTPClient()
            for _ in url:
                two = one
                one = two or one
                one.fetch(url, callback=got)
                two.fetch(url, callback=got)
    """
    assert [line.rpartition(" ")[0] for line in found(source)] == ["app.py:8 TND202", "app.py:9 TND202"]


@pytest.mark.parametrize(
    "condition",
    [
        "int(tornado.version[0]) < 5",
        "tornado.version.startswith('4.')",
        "tornado.version < '5'",
        "LooseVersion(tornado.version) < LooseVersion('5.0')",
        "int(tornado.version.split('.')[0]) < 5",
        "(3, 0) <= tornado.version_info < (5,)",
        "5 > tornado.version_info[0]",
        "OLD",
        "not NEW",
        "compat.OLD",
    ],
)
def test_conditions_that_are_true_on_old_releases_only(found, condition):
    source = f"""
        import compat, tornado
        from tornado import gen
        OLD = tornado.version_info < (5,)
        VERSION = tornado.version_info
        NEW = VERSION >= (5, 0)
        if {condition}:
            gen.Task(print)
    """
    assert found(source, compat="import tornado\nOLD = tornado.version_info[0] < 5\n") == []


def test_what_follows_the_way_out_of_a_new_release_is_for_old_ones(found):
    source = """
        import tornado, unittest
        from tornado import gen
        def f():
            if tornado.version_info >= (5,):
                return 1
            gen.Task(print)
        def g():
            return 1
            gen.Task(print)
        class T(unittest.TestCase):
            @unittest.skipIf(tornado.version_info >= (5,), "old")
            def test(self):
                gen.Task(print)
    """
    assert found(source) == []


def test_a_try_around_a_call_is_about_the_call(found):
    source = """
        from tornado.ioloop import PeriodicCallback
        try:
            PeriodicCallback(print, 5, io_loop=None)
        except Exception:
            pass
        try:
            PeriodicCallback(print, 5, io_loop=None)
        except TypeError:
            PeriodicCallback(print, 5)
        try:
            import imp
        except AttributeError:
            pass
    """
    assert found(source) == ["app.py:4 TND201 certain", "app.py:12 TND905 certain"]


def test_an_import_that_is_stood_in_for(found):
    source = """
        try:
            from tornado import stack_context
        except ImportError:
            from theirs import stack_context
        stack_context.wrap(print)
    """
    assert found(source) == []


def test_instance_matters_in_threads_alone(found):
    source = """
        import threading
        from tornado.ioloop import IOLoop
        class Server(threading.Thread):
            def __init__(self):
                self.loop = IOLoop.instance()
            def run(self):
                IOLoop.instance().start()
        def work():
            IOLoop.instance().add_callback(print)
        def main():
            threading.Thread(target=work).start()
            IOLoop.instance().start()
    """
    assert found(source) == ["app.py:8 TND120 likely", "app.py:10 TND120 likely"]


def test_what_is_optional_shows_on_the_other_ladder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("from tornado.ioloop import IOLoop\nIOLoop.instance().start()\n")
    assert main(["app.py"]) == 0
    assert "Ready for Tornado 6." in capsys.readouterr().out
    assert main(["--native", "--format=json", "app.py"]) == 0
    (finding,) = [each for each in json.loads(capsys.readouterr().out)["findings"] if each["rule"] == "TND120"]
    assert (finding["certainty"], finding["required"], finding["fix"]) == ("certain", False, "safe")


def test_the_synchronous_client_matters_where_a_loop_runs(found):
    source = """
        from tornado import gen, web
        from tornado.httpclient import HTTPClient
        class H(web.RequestHandler):
            def get(self):
                HTTPClient().fetch("/")
        @gen.coroutine
        def f():
            HTTPClient()
        def main():
            HTTPClient().fetch("/")
    """
    assert found(source) == ["app.py:6 TND150 certain", "app.py:9 TND150 certain"]


def test_errors_that_are_caught_are_thought_of(found):
    source = """
        from tornado.httpclient import AsyncHTTPClient
        async def f():
            try:
                await AsyncHTTPClient().fetch("/", raise_error=False)
            except OSError:
                pass
    """
    assert found(source) == []


def test_setuptools_brings_distutils_to_a_setup_file(found):
    source = "from distutils.core import setup\n"
    assert found(source, setup=source) == ["app.py:1 TND905 certain"]


def test_get_event_loop_by_where_it_is_asked_for(found):
    source = """
        import asyncio
        loop = asyncio.get_event_loop()
        async def f():
            asyncio.get_event_loop()
        def g():
            asyncio.get_event_loop()
    """
    assert found(source) == ["app.py:3 TND903 likely"]


def test_origins_that_are_all_let_in(found):
    source = """
        from tornado import websocket
        class W(websocket.WebSocketHandler):
            def check_origin(self, origin):
                return True
    """
    assert found(source) == []


def test_inherited_coroutines_that_are_waited_for(found):
    source = """
        from tornado import gen, websocket
        class W(websocket.WebSocketHandler):
            def get(self):
                return super().get()
        class V(websocket.WebSocketHandler):
            @gen.coroutine
            def get(self):
                yield super(V, self).get()
    """
    assert found(source) == []


def test_streams_take_no_loop(found):
    source = """
        from tornado.iostream import IOStream, SSLIOStream
        IOStream(sock, io_loop=loop)
        SSLIOStream(sock, io_loop=loop)
    """
    assert found(source) == ["app.py:3 TND201 certain", "app.py:4 TND201 certain"]


def test_a_callback_of_none_is_an_argument_all_the_same(found):
    source = """
        from tornado.httpclient import AsyncHTTPClient
        AsyncHTTPClient().fetch("/", callback=None)
    """
    assert found(source) == ["app.py:3 TND202 certain"]


def test_futures_that_cannot_be_traced(found):
    source = """
        import sys
        def done(future, answer):
            answer.set_exc_info(sys.exc_info())
            future.exc_info()
            if hasattr(future, "exc_info"):
                future.exc_info()
    """
    assert found(source) == ["app.py:4 TND125 likely", "app.py:5 TND129 likely"]


def test_what_only_looks_like_a_stream_takes_functions_as_callbacks_alone(found):
    source = """
        from functools import partial
        class Port:
            def __init__(self, stream):
                self.stream = stream
            def go(self, data, timeout):
                self.stream.write(data, timeout)
                self.stream.write(data, self.went)
                self.stream.write(data, partial(print, 1))
            def went(self): pass
    """
    assert found(source) == ["app.py:8 TND205 likely", "app.py:9 TND205 likely"]


def test_wsgi_environments_are_made_by_an_object(found):
    source = """
        from tornado.wsgi import WSGIContainer
        class Ours(WSGIContainer):
            def __call__(self, request):
                WSGIContainer.environ(request)
                self.environ(request)
    """
    assert found(source) == ["app.py:5 TND224 certain"]


def test_the_callback_of_a_coroutine_is_no_argument_of_its_decorator(found):
    source = """
        from tornado import gen
        f = gen.coroutine(print, False)
        g = gen.coroutine(print, replace_callback=True)
        h = gen.coroutine(print)
    """
    assert found(source) == ["app.py:3 TND228 certain", "app.py:4 TND228 certain"]


def test_a_name_that_is_set_another_way_where_it_is_gone(found):
    source = """
        from tornado import concurrent
        try:
            Future = concurrent.TracebackFuture
        except AttributeError:
            Future = concurrent.Future
        Future().set_exc_info(None)
    """
    assert found(source) == ["app.py:7 TND125 certain"]


def test_handlers_for_what_cannot_be_imported_stand_in_for_it(found):
    source = """
        try:
            from inspect import signature
            def names(f):
                return list(signature(f).parameters)
        except ImportError:
            from inspect import getargspec
            def names(f):
                return getargspec(f).args
        import sys
        if "setuptools" in sys.modules:
            from setuptools import Command
        else:
            from distutils.core import Command
    """
    assert found(source) == []


def test_a_copy_of_the_loop_alone_is_left_out(found):
    copy = {f"lib__mini__{name}": "from tornado import gen; gen.Task\n" for name in ("ioloop", "stack_context")}
    assert found("", **copy) == []


def test_a_thread_with_a_loop_of_its_own(found):
    source = """
        import threading
        from tornado.ioloop import IOLoop
        def work():
            IOLoop().make_current()
            IOLoop.instance().start()
        threading.Thread(target=work).start()
    """
    assert found(source) == []


def test_the_stream_that_a_websocket_handler_held(found):
    source = """
        from tornado import websocket
        class W(websocket.WebSocketHandler):
            def open(self):
                self.stream.set_nodelay(True)
                self.ws_connection.stream.set_nodelay(True)
        class V(websocket.WebSocketHandler):
            def open(self):
                self.stream = object()
                self.stream.set_nodelay(True)
    """
    assert found(source) == ["app.py:5 TND133 certain"]


def test_names_that_the_program_puts_in_place(found):
    source = """
        import tornado.concurrent
        from tornado.concurrent import return_future
        def patch():
            if not hasattr(tornado.concurrent, "return_future"):
                setattr(tornado.concurrent, "return_future", print)
        @return_future
        def f(callback): pass
    """
    assert found(source) == []


def test_overrides_by_what_they_take(found):
    source = """
        from tornado import netutil, websocket
        from tornado.httpclient import AsyncHTTPClient
        class One(netutil.Resolver):
            def resolve(self, host, port, family=0, callback=None): pass
        class Two(netutil.Resolver):
            def resolve(self, host, port, family=0): pass
        class Three(AsyncHTTPClient):
            def initialize(self, io_loop, defaults=None): pass
        class Four(AsyncHTTPClient):
            def initialize(self, defaults=None): pass
            def fetch_impl(self, request, callback): pass
        class Five(websocket.WebSocketHandler):
            def select_subprotocol(self, subprotocols): pass
    """
    assert found(source) == ["app.py:5 TND220 certain", "app.py:9 TND221 certain"]


# -- the optional ladder


@pytest.fixture
def native(tmp_path, monkeypatch, found):
    def run(source, *rules):
        found(source)
        return [
            f"{finding.line} {finding.certainty} {finding.message}"
            for finding in check([tmp_path]).findings
            if finding.rule_id in rules
        ]

    return run


def test_coroutines_whose_callers_all_wait_could_be_native(native):
    source = """
        from tornado import gen, web
        class H(web.RequestHandler):
            @gen.coroutine
            def get(self):
                yield [self.one(), two()]
                return_value = yield dict(x=two())
                loop.spawn_callback(two)
            @gen.coroutine
            def one(self):
                return two()
        @gen.coroutine
        def two():
            yield []
        @gen.coroutine
        def three():
            raise gen.Return((yield two()))
    """
    assert native(source, "TND301") == [
        "5 certain get: async def will do: all that call it wait: Tornado",
        "10 certain one: async def will do: all that call it wait: app.py:6",
        "13 certain two: async def when these wait for it, too: app.py:7 (kept)",
        "16 certain three: async def, when whoever calls it waits: no caller is seen",
    ]


def test_callers_that_do_not_wait_are_named(native):
    source = """
        from tornado import gen
        @gen.coroutine
        def work():
            yield []
        class Own:
            @gen.coroutine
            def run(self):
                work()
                self.kept = work()
                loop.add_future(work(), print)
                yield work()
        def main(thing):
            thing.run()
    """
    assert native(source, "TND301", "TND315", "TND316", "TND317") == [
        "4 certain work: async def when these wait for it, too: app.py:9 (dropped), app.py:10 (kept), app.py:11 (kept)",
        "8 certain run: async def, if what may be calls of it wait: app.py:14 (dropped)",
        "9 certain work: IOLoop.current().spawn_callback(f) / asyncio.create_task, reference kept",
        "10 likely work is kept: keep @gen.coroutine or asyncio.ensure_future",
        "11 certain work: asyncio.ensure_future / spawn_callback",
    ]


def test_arguments_that_have_moved_or_are_spelled_otherwise(found):
    source = """\
        from tornado import gen, web, wsgi
        from tornado.tcpserver import TCPServer
        class Handler(web.RequestHandler):
            def get(self):
                self.clear_cookie("a", "/")
                self.clear_all_cookies("/")
                self.set_cookie("a", "b", HttpOnly=True)
                self.clear_cookie("a", path="/")
        class Server(TCPServer):
            def __init__(self, name, io_loop=None):
                super().__init__()
        Server("a").bind(80, "", 0, 128, True)
        wsgi.WSGIContainer.environ(None)
        wsgi.WSGIContainer(None).environ(None)
        @gen.coroutine
        def double(x):
            return x
        double(1, callback=print)
        def fail(future):
            future.set_exc_info(None)
    """
    assert found(source) == [
        "app.py:5 TND212 certain",
        "app.py:6 TND212 certain",
        "app.py:10 TND222 certain",
        "app.py:12 TND227 certain",
        "app.py:13 TND224 certain",
        "app.py:18 TND210 certain",
        "app.py:20 TND125 likely",
    ]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number in range(60):
        (tmp_path / f"m{number:02}.py").write_text("")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert main(["."]) == 0
    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "reading: 25 files, m24.py",
        "reading: 50 files, m49.py",
        "looking: 25 of 60 files, 41 %",
        "looking: 50 of 60 files, 83 %",
        "",
    ]
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert main(["."]) == 0
    assert sys.stderr.getvalue() == ""


def test_files_that_nobody_waits_to_be_sent(found):
    source = """
        from tornado import web
        class Download(web.StaticFileHandler):
            def get(self):
                super(Download, self).get("a.txt")
        class Logo(web.StaticFileHandler):
            def get(self):
                return super().get("")
    """
    assert found(source) == ["app.py:4 TND526 certain"]


def test_a_tree_that_is_deep(found):
    source = "from tornado import gen\nx = " + " + ".join(["gen.Task"] + ["'a'"] * 2500) + "\n"
    assert found(source) == ["app.py:2 TND103 certain"]
