"""tornado4.migrate.alias: `tornado` is tornado4. Each test is a program of its own."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest
from programs import python

from tornado4.migrate import alias


def check(program: str, *, cwd: Path | None = None) -> str:
    """Run the program after ``alias.install()``; it asserts for itself. Its output is returned."""
    source = "from tornado4.migrate import alias\nalias.install()\n" + textwrap.dedent(program)
    return python("-c", source, cwd=cwd).stdout


def check_plain(program: str) -> str:
    return python("-c", textwrap.dedent(program)).stdout


@pytest.mark.parametrize("first, second", [("tornado", "tornado4"), ("tornado4", "tornado")])
def test_both_names_are_one_module_whichever_came_first(first: str, second: str) -> None:
    check(
        f"""
        import {first}.util, {second}.util
        import {second}.template as a
        from {first} import template as b
        assert a is b
        import tornado, tornado4, sys
        assert tornado is tornado4 and tornado.util is tornado4.util
        assert sys.modules["tornado.util"] is sys.modules["tornado4.util"]
        assert tornado.util.ObjectDict is tornado4.util.ObjectDict
        """
    )


def test_a_new_name_imported_before_the_alias_is_the_same_module() -> None:
    check_plain(
        """
        import tornado4.options
        tornado4.options.define("x", default=1)
        from tornado4.migrate import alias
        alias.install()
        from tornado.options import options
        assert options.x == 1 and options is tornado4.options.options
        """
    )


def test_what_an_import_brings_along_has_its_old_name_too() -> None:
    check(
        """
        import sys, tornado.ioloop
        for name in list(sys.modules):
            if name.startswith("tornado4."):
                assert sys.modules["tornado" + name[8:]] is sys.modules[name], name
        assert "tornado.util" in sys.modules
        """
    )


def test_strings_that_name_old_modules_work() -> None:
    check(
        """
        from tornado.util import import_object
        import tornado4.ioloop, tornado4.simple_httpclient, tornado4.httpclient
        assert import_object("tornado.ioloop.IOLoop") is tornado4.ioloop.IOLoop
        tornado4.httpclient.AsyncHTTPClient.configure("tornado.simple_httpclient.SimpleAsyncHTTPClient")
        chosen = tornado4.httpclient.AsyncHTTPClient.configured_class()
        assert chosen is tornado4.simple_httpclient.SimpleAsyncHTTPClient
        """
    )


def test_modules_keep_their_own_spec_and_can_be_reloaded() -> None:
    check(
        """
        import importlib, tornado.escape as escape
        assert escape.__spec__.name == escape.__name__ == "tornado4.escape"
        assert escape.__spec__.loader is escape.__loader__
        again = importlib.reload(escape)
        import tornado.escape, tornado4.escape
        assert again is escape is tornado.escape is tornado4.escape
        import tornado; importlib.reload(tornado)
        """
    )


def test_specs_can_be_asked_for_without_loading() -> None:
    check(
        """
        import sys, importlib.util
        spec = importlib.util.find_spec("tornado.locale")
        assert "tornado4.locale" not in sys.modules
        assert spec.name == "tornado.locale" and spec.parent == "tornado" and spec.has_location
        assert spec.origin.endswith("locale.py") and spec.submodule_search_locations is None
        assert spec.loader.get_filename("tornado.locale") == spec.origin
        assert spec.loader.get_code("tornado.locale").co_filename == spec.origin
        assert "def " in spec.loader.get_source("tornado.locale")
        package = importlib.util.find_spec("tornado.template")
        assert package.submodule_search_locations and package.loader.is_package("tornado.template")
        """
    )


def test_pickles_by_either_name() -> None:
    check(
        """
        import pickle
        from tornado.util import ObjectDict
        old = b"ctornado.util\\nObjectDict\\n."
        assert pickle.loads(old) is ObjectDict
        assert pickle.loads(pickle.dumps(ObjectDict(a=1))) == {"a": 1}
        """
    )


def test_pkgutil_walks_the_old_name() -> None:
    check(
        """
        import pkgutil, tornado
        found = {name for _, name, _ in pkgutil.iter_modules(tornado.__path__, "tornado.")}
        assert {"tornado.util", "tornado.template", "tornado.options"} <= found
        """
    )


@pytest.mark.parametrize("name", ["tornado.nosuch", "tornado.util.deeper", "tornado.no.such"])
def test_what_is_missing_is_missing_by_its_old_name(name: str) -> None:
    output = check(
        f"""
        try:
            import {name}
        except ModuleNotFoundError as error:
            print(error.name, "|", error)
        """
    )
    named = ".".join(name.split(".")[:2]) if name == "tornado.no.such" else name
    assert output.startswith(f"{named} | No module named '{named}'")


def test_an_import_error_inside_a_module_is_not_mistaken_for_a_missing_module() -> None:
    check(
        """
        import sys
        sys.modules["urllib.parse"] = None
        sys.modules.pop("tornado4.escape", None)
        try:
            import tornado.escape
        except ModuleNotFoundError as error:
            assert error.name == "urllib.parse", error
        else:
            raise AssertionError("it imports urllib.parse no more; take another module for this test")
        """
    )


@pytest.mark.parametrize(
    "game",
    [
        "sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != 'tornado4.migrate.alias']",
        "m = importlib.machinery; sys.meta_path = [m.BuiltinImporter, m.FrozenImporter, m.PathFinder]",
        "sys.meta_path.insert(0, importlib.machinery.PathFinder)",
        "importlib.invalidate_caches(); sys.meta_path.reverse()",
    ],
)
def test_no_second_copy_whatever_happens_to_meta_path(game: str) -> None:
    check(
        f"""
        import sys, importlib, importlib.machinery
        {game}
        import tornado.template, tornado4.template
        assert tornado.template is tornado4.template
        from tornado.template import Template
        assert Template.__module__.startswith("tornado4.")
        """
    )


def test_imports_cost_nothing_afterwards() -> None:
    check(
        """
        import tornado.util
        alias.AliasFinder.find_spec = None  # would raise if it were called
        import tornado, tornado.util
        from tornado import util
        from tornado.util import ObjectDict
        """
    )


def test_threads_that_import_at_once_get_the_module_itself() -> None:
    check(
        """
        import threading, importlib, sys
        sys.setswitchinterval(1e-6)
        names = ["tornado.options", "tornado4.options"] * 8
        start, got = threading.Barrier(len(names)), []
        def work(name):
            start.wait()
            got.append(importlib.import_module(name).options)
        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for t in threads: t.start()
        for t in threads: t.join()
        assert len(got) == len(names) and len(set(map(id, got))) == 1
        """
    )


def test_too_late_is_an_error_that_names_the_modules(tmp_path: Path) -> None:
    package = tmp_path / "tornado"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "web.py").write_text("")
    output = python(
        "-c",
        textwrap.dedent(
            """
            import sys
            sys.path.insert(0, ".")
            import tornado.web
            before = list(sys.meta_path), list(sys.path_hooks)
            from tornado4.migrate import alias
            try:
                alias.install()
            except alias.TornadoAlreadyImported as error:
                print(error.modules, error)
            assert before == (sys.meta_path, sys.path_hooks) and not alias.is_installed()
            """
        ),
        cwd=tmp_path,
    ).stdout
    assert output.startswith("['tornado', 'tornado.web'] ")
    assert "(tornado, tornado.web)" in output and "before the first 'import tornado'" in output


def test_the_name_comes_back_to_a_real_tornado(tmp_path: Path) -> None:
    package = tmp_path / "tornado"
    package.mkdir()
    (package / "__init__.py").write_text("version = 'another'")
    (package / "util.py").write_text("")
    python(
        "-c",
        textwrap.dedent(
            """
            import sys
            sys.path.insert(0, ".")
            from tornado4.migrate import alias
            before = list(sys.meta_path), list(sys.path_hooks)
            with alias.installed():
                import tornado.util
                assert tornado.version == "4.5.3"
                with alias.installed():
                    pass
                assert alias.is_installed()
            assert before == (sys.meta_path, sys.path_hooks) and not alias.is_installed()
            assert not [name for name in sys.modules if name.split(".")[0] == "tornado"]
            import tornado.util
            assert tornado.version == "another" and "tornado4.util" in sys.modules
            """
        ),
        cwd=tmp_path,
    )


def test_install_twice_and_uninstall_once_leave_nothing() -> None:
    before = list(sys.meta_path), list(sys.path_hooks), set(sys.modules)
    alias.install()
    alias.install()
    assert sys.modules["tornado"] is sys.modules["tornado4"]
    alias.uninstall()
    alias.uninstall()
    assert (list(sys.meta_path), list(sys.path_hooks)) == before[:2]
    assert not {name for name in set(sys.modules) - before[2] if alias.is_old_name(name)}


def test_names_that_only_begin_alike_are_left_alone() -> None:
    assert alias.is_old_name("tornado.web") and alias.is_old_name("tornado")
    assert not alias.is_old_name("tornadoredis") and not alias.is_old_name("tornado4.web")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_have_the_alias(tmp_path: Path, method: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            import tornado.util, tornado.options

            def work(queue):
                import tornado4.util
                assert tornado.util is tornado4.util
                queue.put((tornado.version, sys.argv))

            if __name__ == "__main__":
                context = multiprocessing.get_context(sys.argv[1])
                queue = context.Queue()
                child = context.Process(target=work, args=(queue,))
                child.start()
                print(queue.get(timeout=120))
                child.join()
                raise SystemExit(child.exitcode)
            """
        )
    )
    done = python("-m", "tornado4", "run", "parent.py", method, cwd=tmp_path)
    assert done.stdout == f"('4.5.3', ['parent.py', {method!r}])\n"


HOOKS = """
import importlib.util, sys

heard = []

class Loader:
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        heard.append(module.__name__)
        if module.__name__ == "tornado.web":
            assert module.RequestHandler.__module__ and "RequestHandler" in dir(module)
            module.RequestHandler.patched = True
            module.added = "added"
            if hasattr(module, "asynchronous"):
                del module.asynchronous

class Finder:
    def __init__(self):
        self.at_work = set()

    def find_spec(self, name, path=None, target=None):
        if not name.startswith("tornado") or name.startswith("tornado4") or name in self.at_work:
            return None
        self.at_work.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.at_work.remove(name)
        if spec is not None:
            spec.loader = Loader(spec.loader)
        return spec

"""

HOOK_FIRST = "sys.meta_path.insert(0, Finder())\nalias.install()\n"
ALIAS_FIRST = "alias.install()\nsys.meta_path.insert(0, Finder())\n"
SOMETHING_FIRST = "import tornado4.web\n" + HOOK_FIRST
TWO_OF_THEM = "sys.meta_path.insert(0, Finder())\n" + ALIAS_FIRST


@pytest.mark.parametrize("order", [HOOK_FIRST, ALIAS_FIRST, SOMETHING_FIRST, TWO_OF_THEM])
def test_import_hooks_hear_of_modules_by_their_old_names(order: str) -> None:
    """As tracing agents have them, which go by ``module.__name__``."""
    times = 2 if order == TWO_OF_THEM else 1
    check_plain(
        "from tornado4.migrate import alias\n"
        + HOOKS
        + order
        + textwrap.dedent(
            f"""
            import tornado.httpserver, tornado.web, tornado4.web, tornado.auth
            from tornado import auth
            for name in ("tornado.web", "tornado.util", "tornado.httpserver", "tornado.auth"):
                new = sys.modules["tornado4" + name[7:]]
                assert heard.count(name) == {times}, (name, heard)
                assert sys.modules[name] is new, name
                assert new.__name__ == new.__spec__.name == "tornado4" + name[7:]
                assert getattr(tornado, name[8:]) is new
            assert tornado4.web.RequestHandler.patched and tornado4.web.added == "added"
            assert not hasattr(tornado4.web, "asynchronous")
            assert tornado.httputil.limits.form_arguments == 1000
            assert all(name.startswith("tornado.") or name == "tornado" for name in heard), heard
            """
        )
    )


def test_what_an_import_hook_raises_is_the_imports_error() -> None:
    check_plain(
        "from tornado4.migrate import alias\n"
        + HOOKS
        + HOOK_FIRST
        + textwrap.dedent(
            """
            def exec_module(self, module):
                raise KeyError("of the hook")

            Loader.exec_module, good = exec_module, Loader.exec_module
            try:
                import tornado.web
            except KeyError:
                pass
            else:
                raise AssertionError("not raised")
            assert "tornado.web" not in sys.modules
            Loader.exec_module = good
            import tornado.web, tornado4.web
            assert tornado.web is tornado4.web and "tornado.web" in heard
            """
        )
    )


def test_a_finder_that_knows_another_tornado_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "web.py").write_text("raise AssertionError('another tornado')\n")
    check_plain(
        f"""
        import importlib.util, sys
        from tornado4.migrate import alias

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "tornado.web":
                    return importlib.util.spec_from_file_location(name, {str(tmp_path / "web.py")!r})

        sys.meta_path.insert(0, Finder())
        alias.install()
        import tornado.web, tornado4.web
        assert tornado.web is tornado4.web
        """
    )
