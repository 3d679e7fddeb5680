"""``tornado4 check``: what is found, where, and how sure."""

from __future__ import annotations

import json
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
        "app.py:9 TND601 certain",
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
        ("setup.py", "install_requires=['tornado>=3.1,<5.0', 'six']", "TND951"),
        ("setup.cfg", "    tornado<5", "TND951"),
        ("pyproject.toml", 'dependencies = ["tornado<5"]', "TND951"),
        ("pyproject.toml", 'tornado = "^4.5"', "TND951"),
        ("Pipfile", 'tornado = "==4.5.3"', "TND951"),
        ("environment.yml", "  - tornado=4.5", "TND951"),
        ("tox.ini", "    tornado45: tornado>=4.5,<4.6", "TND951"),
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
