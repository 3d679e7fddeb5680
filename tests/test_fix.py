"""``tornado4 fix``: the command, and that a step is made as a whole or not at all."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import textwrap

import pytest
from programs import ROOT

from compat_tests.oracle import OracleUnavailable, oracle

pytest.importorskip("libcst")

from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.fix.command import main
from tornado4.migrate.fix.fixer import fix
from tornado4.migrate.fix.steps import Options

LOOP_KEYWORD = """\
    from tornado.ioloop import IOLoop, PeriodicCallback

    ticker = PeriodicCallback(print, 1, io_loop=IOLoop.current())  # each millisecond
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Write files, and work beside them."""
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return tmp_path

    return write


def git(folder, *arguments):
    identity = ["-c", "user.email=a@example.com", "-c", "user.name=a", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_in_place_and_a_second_time_nothing(program, capsys):
    folder = program(app=LOOP_KEYWORD)
    assert main(["--force", "."]) == 0
    after = (folder / "app.py").read_text()
    assert after == (
        "from tornado.ioloop import PeriodicCallback\n\nticker = PeriodicCallback(print, 1)  # each millisecond\n"
    )
    assert "1  TND201" in capsys.readouterr().out
    assert main(["--force", "."]) == 0
    assert (folder / "app.py").read_text() == after
    assert "0 fixes; 0 of 1 Python files changed" in capsys.readouterr().out


def test_check_and_diff_change_nothing(program, capsys):
    folder = program(app=LOOP_KEYWORD)
    before = (folder / "app.py").read_text()
    assert main(["--check", "."]) == 1
    assert main(["--diff", "."]) == 0
    captured = capsys.readouterr()
    assert "+ticker = PeriodicCallback(print, 1)  # each millisecond\n" in captured.out
    assert "would change" in captured.err
    assert (folder / "app.py").read_text() == before
    assert main(["--force", "."]) == 0
    assert main(["--check", "."]) == 0


def test_the_diff_is_one_that_git_applies(program, capsys):
    folder = program(app=LOOP_KEYWORD)
    main(["--diff", "."])
    (folder / "fix.diff").write_text(capsys.readouterr().out)
    git(folder, "init", ".")
    git(folder, "apply", "fix.diff")
    assert main(["--check", "."]) == 0


def test_json_says_what_was_done_and_what_was_not(program, capsys):
    program(app=LOOP_KEYWORD + "    ioloop = object()\n    PeriodicCallback(print, 1, io_loop=ioloop)\n")
    assert main(["--check", "--format", "json", "."]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "tornado4-fix" and document["version"] == 1 and document["written"] is False
    assert document["rules"] == {"TND201": 1} and document["changed"] == ["app.py"]
    (left,) = document["left"]
    assert (left["rule_id"], left["unsafe"], left["function"]) == ("TND201", True, "<module>")


def test_a_dirty_tree_is_refused(program, capsys):
    folder = program(app=LOOP_KEYWORD)
    git(folder, "init", ".")
    git(folder, "add", ".")
    assert main(["."]) == 2
    assert "commit them, or say --force" in capsys.readouterr().err
    git(folder, "commit", "-m", "all")
    assert main(["."]) == 0


def test_without_git_a_backup_is_wanted(program, capsys):
    folder = program(app=LOOP_KEYWORD)
    before = (folder / "app.py").read_text()
    assert main(["."]) == 2
    assert "--backup" in capsys.readouterr().err
    assert main(["--backup", "."]) == 0
    assert (folder / "app.py.orig").read_text() == before


def test_mode_link_encoding_and_line_ends_stay(program):
    folder = program()
    text = "# coding: latin-1\r\nfrom tornado.concurrent import TracebackFuture\r\nx = TracebackFuture()  # \xe9\r\n"
    (folder / "real.py").write_bytes(text.encode("latin-1"))
    os.chmod(folder / "real.py", 0o755)
    (folder / "link.py").symlink_to("real.py")
    assert main(["--force", "link.py"]) == 0
    after = (folder / "real.py").read_bytes()
    assert after == text.replace("TracebackFuture", "Future").encode("latin-1")
    assert stat.S_IMODE((folder / "real.py").stat().st_mode) == 0o755
    assert (folder / "link.py").is_symlink()


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(program, capsys):
    folder = program(app=LOOP_KEYWORD, old="print 'Python 2'\n")
    assert main(["--force", "."]) == 0
    assert "not read: old.py: not Python 3" in capsys.readouterr().out
    assert "io_loop" not in (folder / "app.py").read_text()


def test_a_path_that_is_not_there(program, capsys):
    program()
    assert main(["nowhere"]) == 2
    assert "no such file or folder: nowhere" in capsys.readouterr().err


def test_a_rule_that_is_none(program, capsys):
    program(app="")
    assert main(["--force", "--select", "TND999", "."]) == 2
    assert "no rule begins with 'TND999'" in capsys.readouterr().err


def test_select_and_ignore(program):
    source = LOOP_KEYWORD + "    from tornado.concurrent import TracebackFuture as F\n"
    folder = program(app=source)
    assert main(["--force", "--select", "TND107", "."]) == 0
    assert "io_loop" in (folder / "app.py").read_text() and "TracebackFuture" not in (folder / "app.py").read_text()
    assert main(["--force", "--ignore", "TND201", "."]) == 0
    assert "io_loop" in (folder / "app.py").read_text()


def test_a_marker_stands_where_a_person_is_needed_and_check_counts_it(program, capsys):
    from tornado4.migrate.check.checker import check

    source = """\
        from tornado.stack_context import ExceptionStackContext

        def f():
            with ExceptionStackContext(print):
                pass
    """
    folder = program(app=source)
    assert main(["--force", "."]) == 0
    after = (folder / "app.py").read_text()
    assert "    # TND108: stack_context (tornado4 explain TND108)\n    with ExceptionStackContext(print):\n" in after
    assert main(["--force", "."]) == 0
    assert (folder / "app.py").read_text() == after
    (folder / "app.py").write_text("# TND108: stack_context (tornado4 explain TND108)\nx = 1\n")
    assert [(each.rule_id, each.line) for each in check([folder]).open] == [("TND108", 1)]


def test_what_is_silenced_or_guarded_stays(program):
    source = """\
        import tornado
        from tornado.ioloop import IOLoop, PeriodicCallback
        PeriodicCallback(print, 1, io_loop=IOLoop.current())  # noqa: TND201
        if tornado.version_info < (5,):
            PeriodicCallback(print, 1, io_loop=IOLoop.current())
    """
    folder = program(app=source)
    assert main(["--force", "."]) == 0
    assert (folder / "app.py").read_text() == textwrap.dedent(source)


def fixed(folder, *, unsafe=False, native=False, leave=False, paths=(".",)):
    """The texts after a fix, by name; a rewrite that fails is an error."""
    options = Options(unsafe=unsafe, choice=Choice(native=native), leave=leave, markers=False, strict=True)
    outcome = fix([folder / path for path in paths], options)
    for name, data in outcome.after.items():
        if name.endswith(".py"):
            ast.parse(data)
    return {name: data.decode() for name, data in outcome.after.items()}, outcome


def test_requirement_files_change_when_one_leaves(program):
    folder = program(app="import tornado.web\n")
    (folder / "requirements.txt").write_text("# all\ntornado==4.5.3  # old\nrequests==2.0\ntornado4\n")
    texts, outcome = fixed(folder)
    assert texts == {} and [each.rule_id for each in outcome.left] == ["TND951", "TND951"]
    texts, _ = fixed(folder, leave=True)
    assert texts["requirements.txt"] == "# all\ntornado>=6.5,<7  # old\nrequests==2.0\ntornado>=6.5,<7\n"


def test_the_very_last_step_leaves_tornado4(program):
    source = """\
        import tornado4.web
        from tornado4 import gen, ioloop as loops
        from tornado4.httpclient import AsyncHTTPClient

        class Handler(tornado4.web.RequestHandler):
            pass
    """
    folder = program(app=source)
    texts, _ = fixed(folder)
    assert texts == {}
    texts, _ = fixed(folder, leave=True)
    assert texts["app.py"] == textwrap.dedent(source).replace("tornado4", "tornado")


def test_what_is_tornado4_s_own_is_left_for_a_person(program):
    folder = program(app="import tornado4.web\nfrom tornado4 import flags\nflags.turn_on('names')\n")
    texts, outcome = fixed(folder, leave=True)
    assert texts == {}
    assert "flags" in outcome.left[0].reason


def test_a_helper_is_written_once_and_only_when_it_is_needed(program, capsys):
    source = """\
        from tornado import gen

        @gen.coroutine
        def ask(service):
            first = yield gen.Task(service.ask, 1)
            second = yield gen.Task(service.ask, 2)
            return first, second
    """
    folder = program(app=source)
    (folder / "shop").mkdir()
    (folder / "shop/__init__.py").write_text("")
    assert main(["--force", "--helpers", "shop/compat.py", "."]) == 0
    assert not (folder / "shop/compat.py").exists()
    assert main(["--force", "--unsafe", "--no-markers", "--diff", "--helpers", "shop/compat.py", "."]) == 0
    assert "+++ b/shop/compat.py" in capsys.readouterr().out
    (folder / "app.py").write_text(textwrap.dedent(source))
    assert main(["--force", "--unsafe", "--helpers", "shop/compat.py", "."]) == 0
    after = (folder / "app.py").read_text()
    assert "from shop.compat import as_future\n" in after
    assert "second = yield as_future(service.ask, 2)\n" in after
    helper = (folder / "shop/compat.py").read_text()
    assert helper.count("def as_future(") == 1 and "tornado4" not in helper
    assert main(["--force", "--unsafe", "--helpers", "shop/compat.py", "."]) == 0
    assert (folder / "shop/compat.py").read_text() == helper
    assert main(["--force", "--helpers", "no-module.txt", "."]) == 2


def test_the_helper_gives_what_a_task_gave(program):
    from tornado4.migrate.fix import helpers

    folder = program()
    (folder / "compat.py").write_text(helpers.with_helpers("", ["as_future"]))
    code = (
        "from tornado.ioloop import IOLoop\nfrom compat import as_future\n"
        "def ask(*values, callback):\n    IOLoop.current().add_callback(callback, *values)\n"
        "for values in ((), (1,), (1, 2)):\n"
        "    print(IOLoop.current().run_sync(lambda: as_future(ask, *values)))\n"
    )
    command = [sys.executable, "-m", "tornado4", "run", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": f"{folder}:{ROOT}"})
    assert done.stdout == "None\n1\n(1, 2)\n", done.stderr


# -- the walk of docs/fix.md


def walk():
    """The commands of the page in their order, and the diff that is made by hand."""
    page = (ROOT / "docs/fix.md").read_text("utf-8")
    commands = [
        line.removeprefix("$ ")
        for block in re.findall(r"^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
    ]
    (diff,) = re.findall(r"^```diff\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    said = re.findall(r"^```text\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return commands, diff, said


def test_every_command_of_the_walk(tmp_path):
    try:
        real = oracle("6.6.1")
    except OracleUnavailable as error:
        pytest.skip(f"the real Tornado cannot be had here: {error}")
    commands, diff, said = walk()
    shop = tmp_path / "shop"
    shutil.copytree(ROOT / "examples/leaving", shop, ignore=shutil.ignore_patterns("__pycache__"))
    (shop / ".gitignore").write_text("__pycache__\n*.diff\n")
    (shop / "by-hand.diff").write_text(diff)
    git(shop, "init", ".")
    ours = f"{shlex.quote(sys.executable)} -m tornado4"
    # Tornado 6 is here already, in an environment of its own.
    theirs = [f"PYTHONPATH={real.environ().get('PYTHONPATH', '')}", *real.command()]
    head = [
        "set -e",
        f'tornado4() {{ PYTHONPATH={shlex.quote(str(ROOT))} {ours} "$@"; }}',
        f'python() {{ env -u TORNADO4_FUTURE {shlex.join(theirs)} "$@"; }}',
        "pip() { :; }",
    ]
    identity = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TORNADO4_")}
    done = subprocess.run(
        ["bash", "-c", "\n".join([*head, *commands])],
        cwd=shop,
        env=environ | identity | {"GIT_PAGER": "cat"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("\nOK\n") == 6
    for text in said:
        assert text in done.stdout
    assert "async def of(self, name):" in (shop / "shop/prices.py").read_text()
    assert (shop / "requirements.txt").read_text() == "tornado>=6.5,<7\n"
