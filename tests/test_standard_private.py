"""Private names of the standard library: asked for in two rooms alone, and nothing breaks where one is gone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tornado4

PACKAGE = Path(tornado4.__file__).parent
ROOMS = {"_core/private_asyncio.py", "_core/private_names.py"}

#: With an underscore in front, and in the documentation of the standard library all the same.
DOCUMENTED = {
    *("sys._getframe", "os._exit"),
    *("_replace", "_asdict", "_fields"),  # of every named tuple
    "_value_",  # of every member of an enumeration
}
#: Of others than the standard library.
OTHERS = {
    *("_asyncioEventloop", "_disconnectSelectable", "_removeAll"),  # Twisted
    *("_marked_for_rewrite_cache", "_must_rewrite"),  # pytest
    "_provider",  # pkg_resources
}
#: Elsewhere than in the rooms, with the reason.
LEFT = {
    "_core/loops.py": {"_ready", "_scheduled", "_stopping", "_cancelled", "_debug"},  # HANDLE, CALL_SOON, LOOP_QUEUE
    "migrate/diff/old_library/sitecustomize.py": {  # for Python 3.11 to 3.13 with the library of 3.9 in its place
        "ssl._create_default_https_context",
        "urllib.parse._check_bracketed_netloc",
        "urllib.parse._check_bracketed_host",
    },
    "migrate/stand_ins.py": {"_formatMessage"},  # unittest's assert methods: the back-fill adds one
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def parsed() -> dict[str, ast.Module]:
    files = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in files}


def made_by(tree: ast.Module) -> Iterator[str]:
    """The names that a module makes, of whatever."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def from_the_library(tree: ast.Module) -> dict[str, str]:
    """What names of a module stand for in the standard library."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({(a.asname or a.name).partition(".")[0]: a.name.partition(".")[0] for a in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
    return {name: path for name, path in found.items() if path.partition(".")[0] in sys.stdlib_module_names}


def asked_for(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Private names that a module asks for; whether it asks a module of the standard library for them."""
    library = from_the_library(tree)
    for path in library.values():
        if is_private(path.rpartition(".")[2]) and "." in path:
            yield path, True
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, value=value) if is_private(name):
                path = ast.unparse(value)
                if path.partition(".")[0] in library:
                    yield f"{library[path.partition('.')[0]]}{path[len(path.partition('.')[0]) :]}.{name}", True
                else:
                    yield name, False
            case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[_, ast.Constant(value=str(name)), *_]):
                if is_private(name):
                    yield name, False


def test_they_are_asked_for_in_two_rooms() -> None:
    trees = parsed()
    assert ROOMS < set(trees) and "web/handler.py" in trees
    ours = {name for tree in trees.values() for name in made_by(tree)}
    elsewhere = {}
    for file, tree in trees.items():
        names = {name for name, of_library in asked_for(tree) if of_library or name not in ours}
        names -= DOCUMENTED | OTHERS | LEFT.get(file, set())
        if names and file not in ROOMS:
            elsewhere[file] = names
    assert elsewhere == {}


def test_the_lists_of_this_file_are_true() -> None:
    asked = {file: {name for name, _ in asked_for(tree)} for file, tree in parsed().items()}
    for file, names in LEFT.items():
        assert names <= asked[file]
    assert DOCUMENTED | OTHERS <= set().union(*asked.values())


SERVES = """
import asyncio, sys
from tornado4 import gen, httpclient, httpserver, ioloop, netutil, web
order = []
class Main(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(0)
        self.write("hello ")
        await_it = yield self.more()
        self.write(await_it)
    async def more(self):
        await asyncio.sleep(0)
        return "world"
sockets = netutil.bind_sockets(0, "127.0.0.1")
server = httpserver.HTTPServer(web.Application([("/", Main)]))
server.add_sockets(sockets)
port = sockets[0].getsockname()[1]
async def fetch():
    response = await httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:%d/" % port)
    return response.body.decode()
loop = ioloop.IOLoop.current()
print(loop.run_sync(fetch), *sorted({"select"} & set(vars(loop.asyncio_loop._selector))))
print(*sorted({"_call_soon"} & set(vars(loop.asyncio_loop))))
"""

#: In a running loop, one inside another: `tornado4.ioloop` hides the outer one.
NESTED = """
async def outer():
    inner = ioloop.IOLoop(make_current=False)
    try:
        print(inner.run_sync(lambda: gen.sleep(0)))
    except RuntimeError as error:
        print(str(error)[:60])
    finally:
        inner.close()
    await asyncio.sleep(0)
    return asyncio.current_task() is not None
print(asyncio.run(outer()))
"""

OWN_QUEUE = "_call_soon"
HIDDEN = "an event loop runs in this thread already, and this Python's"


def run(code: str, folder: Path | None = None) -> list[str]:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=folder)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("gone", "shadowed", "nested"),
    [
        ("", ["", ""], "None"),
        ("del asyncio._get_running_loop", ["", ""], "None"),
        ("del asyncio._set_running_loop", ["", ""], HIDDEN),
        ("from asyncio import tasks as t; vars(t).pop('_swap_current_task', None)", ["", ""], "None"),
        ("from tornado4._core import private_asyncio as p; p.LOOP_QUEUE = ('_gone',)", [" select", ""], "None"),
        ("from tornado4._core import private_asyncio as p; p.HANDLE = ('_gone',)", ["", OWN_QUEUE], "None"),
        ("from tornado4._core import private_asyncio as p; p.CALL_SOON = ('_gone',)", ["", OWN_QUEUE], "None"),
        ("from tornado4._core import private_asyncio as p; p.HANDLE_SLOTS = frozenset()", ["", ""], "None"),
        ("from tornado4._core import private_asyncio as p; p.WAKE_UP = ('_gone',)", ["", ""], "None"),
    ],
)
def test_a_server_and_a_client_run_where_a_name_is_gone(gone: str, shadowed: list[str], nested: str) -> None:
    one_round, own_queue = shadowed
    assert run(f"import asyncio\n{gone}\n{SERVES}{NESTED}") == [f"hello world{one_round}", own_queue, nested, "True"]


WOKEN = """
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
from tornado4 import gen, ioloop
loop = ioloop.IOLoop.current()
@gen.coroutine
def main():
    asking, asked = ThreadPoolExecutor(1), asyncio.Event()
    for number in range(3):
        result = yield asking.submit(lambda: threading.current_thread() is not threading.main_thread())
        print(result)
    asyncio.get_running_loop().call_later(60, print)
    asking.submit(lambda: loop.asyncio_loop.call_soon_threadsafe(asked.set))
    yield asked.wait()
    asking.shutdown()
loop.run_sync(main)
"""


@pytest.mark.parametrize("gone", ["", "from tornado4._core import private_asyncio as p; p.WAKE_UP = ('_gone',)"])
def test_another_thread_wakes_the_loop(gone: str) -> None:
    assert run(gone + WOKEN) == ["True"] * 3


def test_a_loop_without_its_signal_socket_runs() -> None:
    gone = "from tornado4._core import loops\nloops.wakeup_end = lambda loop: None\n"
    assert run(gone + SERVES) == ["hello world", ""]


def test_a_task_that_cannot_be_set_aside_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from tornado4._core import private_asyncio

    monkeypatch.setattr(private_asyncio, "_swap_current_task", None)
    monkeypatch.setattr(private_asyncio, "_leave_task", None)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(RuntimeError, match="no _swap_current_task"):
            private_asyncio.leave_task(loop)
        assert asyncio.current_task() is not None

    asyncio.run(main())


@pytest.mark.parametrize("names", [["_leave_task", "_enter_task"], ["_swap_current_task"]])
def test_a_task_is_set_aside_and_taken_back(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from tornado4._core import private_asyncio

    if "_swap_current_task" not in names:
        monkeypatch.setattr(private_asyncio, "_swap_current_task", None)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        mine = asyncio.current_task()
        task = private_asyncio.leave_task(loop)
        assert task is mine and asyncio.current_task() is None
        assert private_asyncio.leave_task(loop) is None
        private_asyncio.enter_task(loop, task)
        assert asyncio.current_task() is mine

    asyncio.run(main())


def test_a_module_runs_without_runpys_private_function(tmp_path: Path) -> None:
    (tmp_path / "named.py").write_text("import sys, tornado; print(__name__, sys.argv[1:], tornado.version)")
    code = (
        "import runpy, sys; del runpy._run_module_as_main\n"
        "from tornado4.__main__ import main\nmain(['run', '-m', 'named', 'x'])\n"
    )
    assert run(code, tmp_path) == ["__main__ ['x'] 4.5.3"]


def test_a_spec_without_its_private_flag_is_a_finished_one() -> None:
    from types import ModuleType

    from tornado4._core.private_names import is_being_imported

    assert not is_being_imported(ModuleType("made"))
    assert not is_being_imported(sys)
