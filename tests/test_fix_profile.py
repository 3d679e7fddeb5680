"""``tornado4 fix --native --profile``: what a recorded run may turn a coroutine native for, and what it may not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from compat_tests.oracle import OracleUnavailable, oracle

pytest.importorskip("libcst")

from compat_tests.fixes.unawaited import unawaited
from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.fix import recorded
from tornado4.migrate.fix.command import main
from tornado4.migrate.fix.fixer import Outcome, fix
from tornado4.migrate.fix.steps import Options
from tornado4.migrate.profile import ProfileError

PROFILE = "tornado4-profile.json"

#: Whether this Python tells which calls have run: else a call that may be one of a coroutine stays a doubt.
TELLS_CALLS = sys.version_info >= (3, 12)
NO_LINES = "what has not run is not in a profile that was recorded on Python 3.11"

HEAD = """\
import sys
from tornado import gen
from tornado.ioloop import IOLoop

"""


class Folder:
    """A program, its runs, and what fix makes of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, text: str, name: str = "app.py", head: str = HEAD) -> None:
        (self.path / name).write_text(head + textwrap.dedent(text))

    def text(self, name: str = "app.py") -> str:
        return (self.path / name).read_text()

    def run(self, *arguments: str, python: tuple[str, ...] = (), **environ: str) -> str:
        """What a run of app.py prints. A coroutine that nobody waits for ends it."""
        command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tornado4", "run", *python, "app.py"]
        done = subprocess.run(
            [*command, *arguments],
            cwd=self.path, env=os.environ | environ, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "never awaited" not in done.stderr, done.stderr
        return done.stdout

    def record(self, *arguments: str, profile: str = PROFILE) -> str:
        return self.run(*arguments, python=(f"--migrate-profile={profile}", "--migrate=record"))

    def fix(self, *profiles: str, unsafe: bool = False, paths: tuple[str, ...] = (".",)) -> Outcome:
        """Fix, write, and hold the result against what must be true of every fix."""
        known = recorded.read([self.path / each for each in profiles], self.path) if profiles else None
        options = Options(unsafe=unsafe, choice=Choice(native=True), markers=False, strict=True, profile=known)
        before = unawaited([self.path])
        outcome = fix([self.path / each for each in paths], options)
        for shown in outcome.changed:
            outcome.paths[shown].write_bytes(outcome.after[shown])
        assert unawaited([self.path]) == before
        return outcome


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


def native(outcome: Outcome) -> list[str]:
    """The functions that became native because of the profile."""
    return sorted(each.function for each in outcome.made if each.recorded)


def reasons(outcome: Outcome) -> dict[str, str]:
    return {each.function: each.reason for each in outcome.left if each.rule_id in ("TND301", "TND318")}


FORMS = """\
    from concurrent.futures import ThreadPoolExecutor

    workers = ThreadPoolExecutor(1)

    @gen.coroutine
    def one(x):
        yield gen.sleep(0.001)
        raise gen.Return(x)

    @gen.coroutine
    def forms(box):
        made = yield box["future"]
        listed = yield box["list"]
        named = (yield box["dict"])["a"]
        worked = yield box["job"]; pause = gen.moment
        yield pause
        both = yield (
            box["list"]  # both
        )
        raise gen.Return([made, listed, named, worked, both])

    def start():
        return forms({
            "future": one(1), "list": [one(2), gen.moment, None], "dict": {"a": one(3)},
            "job": workers.submit(int, "4"),
        })

    print(IOLoop.current().run_sync(start))
"""


def test_each_kind_of_what_is_waited_for_gets_its_form(folder):
    folder.write(FORMS)
    before = folder.record()
    outcome = folder.fix(PROFILE)
    assert native(outcome) == []
    assert reasons(outcome)["forms"].endswith("does not wait for it: an async def would not start there")
    folder.write(FORMS.replace("run_sync(start)", "run_sync(lambda: gen.multi([start()]))").replace(
        "return forms(", "return (yield forms(").replace("        })", "        }))").replace(
        "    def start", "    @gen.coroutine\n    def start"))  # fmt: skip
    before = folder.record(profile="second.json")
    outcome = folder.fix("second.json")
    assert native(outcome) == ["forms"]
    text = folder.text()
    assert textwrap.dedent("""\
        async def forms(box):
            made = await box["future"]
            listed = await gen.multi(box["list"])
            named = (await gen.multi(box["dict"]))["a"]
            worked = await asyncio.wrap_future(box["job"]); pause = gen.moment
            await asyncio.sleep(0)
            both = await gen.multi((
                box["list"]  # both
            ))
            return [made, listed, named, worked, both]
        """) in text  # fmt: skip
    assert folder.run() == before
    assert folder.fix().changed == []
    try:
        real = oracle("6.6.1")
    except OracleUnavailable as error:
        pytest.skip(f"the real Tornado cannot be had here: {error}")
    command = real.command("-W", "error::RuntimeWarning", "app.py")
    done = subprocess.run(command, env=real.environ(), capture_output=True, text=True, check=False, timeout=300)
    assert (done.stdout, done.stderr) == (before, "")


TWO_PLACES = """\
    @gen.coroutine
    def get(box):
        yield box["x"]

    @gen.coroutine
    def main():
        yield get({"x": gen.sleep(0)})
        if "--rare" in sys.argv:
            yield get({"x": [gen.sleep(0)]} if "--list" in sys.argv else {"x": gen.sleep(0)})
        print("done")

    IOLoop.current().run_sync(main)
"""


def test_a_call_that_never_ran_keeps_the_function_as_it_is(folder):
    folder.write(TWO_PLACES)
    folder.record()
    assert reasons(folder.fix(PROFILE))["get"] == (
        "it leans on the profile, in which app.py:12 has not called it, or not given it on"
    )
    folder.write(TWO_PLACES)
    folder.record("--rare")
    outcome = folder.fix(PROFILE)
    assert native(outcome) == ["get"]
    assert 'await box["x"]' in folder.text()
    assert folder.run("--rare") == "done\n"


def test_a_yield_that_waits_for_this_and_that_is_left(folder):
    folder.write(TWO_PLACES)
    folder.record("--rare", "--list")
    assert reasons(folder.fix(PROFILE))["get"] == (
        "app.py:7 waits for Future, list[Future] in the profile: no one way to write it takes that"
    )


RARE = """\
    @gen.coroutine
    def main(box):
        yield box["x"]
        if "--rare" in sys.argv:
            yield box["y"]
        print("done")

    IOLoop.current().run_sync(lambda: main({"x": gen.sleep(0), "y": [gen.sleep(0)]}))
"""


def test_a_rare_branch_is_refused_until_a_run_has_taken_it(folder):
    folder.write(RARE)
    folder.record(profile="one.json")
    outcome = folder.fix("one.json")
    assert (outcome.changed, native(outcome)) == ([], [])
    assert "app.py:9 has not run in the profile" in reasons(outcome)["main"]
    folder.record("--rare", profile="two.json")
    outcome = folder.fix("one.json", "two.json")
    assert native(outcome) == ["main"]
    assert 'await gen.multi(box["y"])' in folder.text()
    assert folder.run() == folder.run("--rare") == "done\n"


def test_a_rare_branch_that_names_alone_prove_counts_as_well(folder):
    folder.write(RARE.replace('box["y"]', "gen.sleep(0)"))
    folder.record()
    outcome = folder.fix(PROFILE)
    assert outcome.changed == []
    assert reasons(outcome)["main"] == "it leans on the profile, in which the yield at app.py:9 has not run"
    # Where names prove all of it, no run is asked for.
    folder.write(RARE.replace('box["y"]', "gen.sleep(0)").replace('box["x"]', "gen.sleep(0)"))
    folder.record(profile="two.json")
    outcome = folder.fix("two.json")
    assert native(outcome) == []
    assert "async def main(box):" in folder.text()


def test_a_profile_of_another_text_is_refused_with_the_files_name(folder, capsys):
    folder.write(TWO_PLACES)
    folder.record("--rare")
    folder.write(TWO_PLACES + "\n    # changed\n")
    before = folder.text()
    message = "app.py has changed since .* was recorded, .* record a run of the program as it is now, into a new file"
    with pytest.raises(ProfileError, match=message):
        folder.fix(PROFILE)
    assert main(["--native", "--profile", PROFILE, "--force", "."]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"tornado4 fix: app.py has changed since {PROFILE} was recorded")
    assert (captured.out, folder.text()) == ("", before)


def test_of_two_profiles_each_must_be_of_the_program_as_it_is(folder):
    folder.write(TWO_PLACES)
    folder.record("--rare", profile="old.json")
    folder.write(TWO_PLACES + "\n    # changed\n")
    folder.record("--rare", profile="new.json")
    with pytest.raises(ProfileError, match=r"changed since .*old\.json"):
        folder.fix("old.json", "new.json")
    assert native(folder.fix("new.json")) == ["get"]


def test_what_an_older_version_of_a_file_called_is_forgotten(folder):
    folder.write("@gen.coroutine\ndef get(box):\n    yield box['x']\n", "lib.py")
    calls = "from lib import get\nIOLoop.current().run_sync(lambda: gen.multi([get({'x': gen.sleep(0)})]))\n"
    folder.write(calls)
    folder.record()
    folder.write("# moved\n" + calls.replace("gen.sleep(0)", "[gen.sleep(0)]"))
    folder.record()
    files = json.loads(folder.text(PROFILE))["files"]
    assert files["lib.py"]["functions"]["5"]["called_from"] == {"app.py:7:71": {"callback": 1}}
    # What lib.py itself waited for was so in both runs.
    assert "Future, list[Future]" in reasons(folder.fix(PROFILE))["get"]


def test_recursion(folder):
    source = """\
        @gen.coroutine
        def down(n, box):
            yield box["x"]
            if n > 0:
                yield down(n - 1, box)
            raise gen.Return(n)

        depth = 3 if "--deep" in sys.argv else 0
        print(IOLoop.current().run_sync(lambda: gen.multi([down(depth, {"x": gen.sleep(0)})])))
        """
    folder.write(source)
    folder.record()
    assert "the yield at app.py:9 has not run" in reasons(folder.fix(PROFILE))["down"]
    folder.write(source)
    before = folder.record("--deep", profile="deep.json")
    assert native(folder.fix("deep.json")) == ["down"]
    assert "await down(n - 1, box)" in folder.text()
    assert folder.run("--deep") == before == "[3]\n"


UNRELATED = """\
    class Store:
        @gen.coroutine
        def close(self):
            yield gen.moment
            raise gen.Return("stored")

    class File:
        def close(self):
            print("closed")

    def tidy(thing):
        thing.close()

    @gen.coroutine
    def main():
        tidy(File())
        print((yield Store().close()))
        if "--both" in sys.argv:
            tidy(Store())

    if "--not" in sys.argv:
        tidy = print
    IOLoop.current().run_sync(main)
"""


def test_methods_of_one_name_in_unrelated_classes(folder):
    folder.write(UNRELATED)
    before = folder.record()
    outcome = folder.fix(PROFILE)
    if not TELLS_CALLS:
        assert NO_LINES in reasons(outcome)["Store.close"]
        return
    assert native(outcome) == ["Store.close"]
    assert folder.run() == before


def test_a_place_that_calls_now_one_and_now_the_other_is_refused(folder):
    folder.write(UNRELATED)
    folder.record()
    folder.record("--both")
    outcome = folder.fix(PROFILE, unsafe=True)
    assert reasons(outcome)["Store.close"] == "app.py:16 may call it and does not wait: it does, in the profile"
    assert folder.text().count("gen.coroutine") == 1


def test_a_place_that_may_call_it_and_has_not_run_is_refused(folder):
    folder.write(UNRELATED)
    folder.record("--not")
    reason = reasons(folder.fix(PROFILE))["Store.close"]
    assert reason.startswith("app.py:16 may call it and does not wait; ")
    assert ("app.py:16 has not run in the profile" if TELLS_CALLS else NO_LINES) in reason


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ('getattr(sys.modules[__name__], "".join(("w", "ork")))()',
         "in the profile app.py:10 calls it by another name, and does not wait at once"),
        ("alias = work; alias()", "app.py:10 hands it on: whether somebody waits then cannot be seen"),
        ("[f() for f in [work]]", "app.py:10 hands it on: whether somebody waits then cannot be seen"),
    ],
)  # fmt: skip
def test_a_coroutine_that_is_called_by_another_name(folder, call, reason):
    folder.write(f"""\
        @gen.coroutine
        def work():
            yield gen.moment

        def other():
            {call}

        @gen.coroutine
        def main():
            other()
            yield work()
            print("done")

        IOLoop.current().run_sync(main)
        """)  # fmt: skip
    folder.record()
    outcome = folder.fix(PROFILE, unsafe=True)
    assert reasons(outcome)["work"].startswith(reason)
    assert folder.run() == "done\n"


def test_an_import_under_another_name_is_seen_without_a_profile(folder):
    folder.write("@gen.coroutine\ndef work():\n    yield gen.moment\n", "lib.py")
    folder.write("""\
        from lib import work as job
        job()
        IOLoop.current().run_sync(lambda: gen.sleep(0.01))
        """)  # fmt: skip
    assert reasons(folder.fix())["work"] == "app.py:6 does not wait for it: an async def would not start there"


def test_a_call_by_a_string_that_waits_at_once(folder):
    source = """\
        class Jobs:
            @gen.coroutine
            def work(self):
                yield gen.moment
                raise gen.Return(1)

        @gen.coroutine
        def main(name):
            print((yield getattr(Jobs(), name)()))

        @gen.coroutine
        def start():
            yield main("work")

        IOLoop.current().run_sync(start)
        """
    folder.write(source)
    folder.record()
    outcome = folder.fix(PROFILE)
    if not TELLS_CALLS:
        assert NO_LINES in reasons(outcome)["Jobs.work"]
    else:
        assert native(outcome) == ["Jobs.work", "main"]
        assert "await getattr(Jobs(), name)()" in folder.text()
    assert folder.run() == "1\n"
    # One that keeps the result is refused, although the string has run.
    folder.write(source.replace("(yield getattr(Jobs(), name)())", "getattr(Jobs(), name)()"))
    folder.record(profile="kept.json")
    assert "Jobs.work" in reasons(folder.fix("kept.json"))


def test_generators_that_are_no_coroutines_stay(folder):
    folder.write("""\
        def walk(box):
            yield box["x"]
            yield [box["x"]]

        @gen.coroutine
        def main(box):
            for each in walk(box):
                yield each
            print("done")

        IOLoop.current().run_sync(lambda: main({"x": gen.sleep(0)}))
        """)  # fmt: skip
    before = folder.text()
    folder.record()
    outcome = folder.fix(PROFILE)
    assert "waits for Future, list[Future]" in reasons(outcome)["main"]
    assert folder.text() == before


def test_a_callback_that_is_perhaps_given(folder):
    folder.write("""\
        class Store:
            @gen.coroutine
            def load(self, box):
                yield box["x"]

        @gen.coroutine
        def main(thing, box):
            yield thing.load(box, callback=print)
            yield Store().load(box)

        @gen.coroutine
        def start():
            yield main(Store(), {"x": gen.sleep(0)})

        IOLoop.current().run_sync(start)
        """)  # fmt: skip
    folder.record()
    outcome = folder.fix(PROFILE, unsafe=True)
    assert reasons(outcome)["Store.load"] == "app.py:11 may give it a callback: it does, in the profile"


def test_what_is_decorated_is_left(folder):
    folder.write("""\
        import functools

        def timed(function):
            @functools.wraps(function)
            def inner(*args):
                result = function(*args)
                result.add_done_callback(lambda _: print("timed"))
                return result
            return inner

        @timed
        @gen.coroutine
        def work(box):
            yield box["x"]

        @gen.coroutine
        def main():
            yield work({"x": gen.sleep(0)})

        IOLoop.current().run_sync(main)
        """)  # fmt: skip
    folder.record()
    outcome = folder.fix(PROFILE)
    assert reasons(outcome)["work"] == "what the decorator above does with a coroutine cannot be seen"
    assert folder.run() == "timed\n"


HANDED = """\
    class Clock:
        def __init__(self, runner):
            self.runner = runner
            self.hooks = []

        def start(self):
            self.runner.add_callback(self.tick, 1)
            self.hooks.append(self.tock)

        @gen.coroutine
        def tick(self, n):
            yield gen.moment
            print("ticked", n)

        @gen.coroutine
        def tock(self):
            yield gen.moment

    @gen.coroutine
    def main(clock):
        clock.start()
        yield gen.sleep(0.02)
        for each in clock.hooks:
            yield each()

    IOLoop.current().run_sync(lambda: gen.multi([main(Clock(IOLoop.current()))]))
"""


def test_a_function_that_a_loop_was_given_and_one_that_was_kept(folder):
    folder.write(HANDED)
    before = folder.record()
    assert "hands it on" in reasons(folder.fix())["Clock.tick"]
    folder.write(HANDED)
    outcome = folder.fix(PROFILE)
    assert native(outcome) == ["Clock.tick", "main"]
    assert "gave it to no loop in the profile" in reasons(outcome)["Clock.tock"]
    assert folder.run() == before == "ticked 1\n"


BASES = """\
    class Base(object):
        def run(self):
            return self.{called}()

        def work(self):
            pass
"""


@pytest.mark.parametrize(("called", "reason"), [("other", None), ("get", "a base class that is not read may call it")])
def test_a_base_class_that_is_not_read(folder, tmp_path_factory, called, reason):
    library = tmp_path_factory.mktemp("library")
    (library / "base.py").write_text(textwrap.dedent(BASES.format(called=called)))
    folder.write(f"""\
        sys.path.insert(0, {str(library)!r})
        from base import Base

        class Thing(Base):
            @gen.coroutine
            def get(self):
                yield gen.moment
                print("got")

        @gen.coroutine
        def main():
            yield Thing().get()

        IOLoop.current().run_sync(main)
        """)  # fmt: skip
    folder.record()
    outcome = folder.fix(PROFILE)
    if reason is None:
        assert native(outcome) == ["Thing.get"]
    else:
        assert reasons(outcome)["Thing.get"] == f"{reason}, or have it; base.Base does"
    assert folder.run() == "got\n"


def test_a_caller_in_a_file_that_is_not_to_be_fixed(folder):
    folder.write("@gen.coroutine\ndef work():\n    yield gen.moment\n", "lib.py")
    folder.write("""\
        import lib
        lib.work()
        IOLoop.current().run_sync(lambda: gen.sleep(0.01))
        """)  # fmt: skip
    folder.record()
    outcome = folder.fix(PROFILE, paths=("lib.py",))
    assert reasons(outcome)["work"] == "in the profile app.py:6:10 calls it and does not wait"


CHAINED = """\
    class Thing:
        def get(self):
            return self

        @gen.coroutine
        def next(self, box):
            yield box["x"]
            raise gen.Return(self)

    class Pages:
        def next(self, box):
            return self

    @gen.coroutine
    def main(box):
        pages = {{"pages": Pages()}}["pages"]
        {call}
        yield Thing().get().next(box)
        print("done")

    IOLoop.current().run_sync(lambda: main({{"x": gen.sleep(0)}}))
"""


def test_calls_that_begin_at_one_place(folder):
    folder.write(CHAINED.format(call="pages.next(box).next(box)"))
    folder.record()
    outcome = folder.fix(PROFILE)
    if TELLS_CALLS:
        assert native(outcome) == ["Thing.next", "main"]
    else:
        assert NO_LINES in reasons(outcome)["Thing.next"]
    folder.run()
    # The second of the two does not run: it might be a call of a Thing.
    folder.write(CHAINED.format(call="pages.next(box) and None and pages.next(box).next(box)"))
    folder.record(profile="half.json")
    reason = reasons(folder.fix("half.json"))["Thing.next"]
    assert ("has not run in the profile" if TELLS_CALLS else NO_LINES) in reason


def test_functions_that_are_alike_in_two_files(folder):
    for name in ("one", "two"):
        folder.write("@gen.coroutine\ndef work(box):\n    yield box['x']\n", f"{name}.py")
    folder.write("""\
        import one
        import two

        @gen.coroutine
        def main():
            yield one.work({"x": gen.sleep(0)})
            yield two.work({"x": [gen.sleep(0)]})

        IOLoop.current().run_sync(main)
        """)  # fmt: skip
    folder.record()
    assert native(folder.fix(PROFILE)) == ["work", "work"]
    assert "await box['x']" in folder.text("one.py")
    assert "await gen.multi(box['x'])" in folder.text("two.py")
    folder.run()


def test_a_future_with_a_result_of_its_own_is_left(folder):
    """Real code has those: await gets the plain result on Tornado 6, which asks asyncio; a yield asks the Future."""
    folder.write("""\
        from tornado.concurrent import Future

        class Doubled(Future):
            def result(self, timeout=None):
                return 2 * super().result()

        class Named(Future):
            name = "plain"

        @gen.coroutine
        def main(box):
            doubled = yield box["d"]
            raise gen.Return(doubled)

        @gen.coroutine
        def named(box):
            raise gen.Return((yield box["n"]))

        @gen.coroutine
        def start():
            box = {"d": Doubled(), "n": Named()}
            for each in box.values():
                IOLoop.current().call_later(0.001, each.set_result, 1)
            print((yield main(box)), (yield named(box)))

        IOLoop.current().run_sync(start)
        """)  # fmt: skip
    before = folder.record()
    outcome = folder.fix(PROFILE)
    assert native(outcome) == ["named"]
    assert "waits for __main__.Doubled in the profile" in reasons(outcome)["main"]
    assert folder.run() == before == "2 1\n"


def test_what_was_no_future_is_left(folder):
    folder.write("""\
        @gen.coroutine
        def nothing(box):
            yield box["x"]

        @gen.coroutine
        def main():
            yield nothing({"x": None})

        IOLoop.current().run_sync(main)
        """)  # fmt: skip
    folder.record()
    assert "app.py:7 waits for None in the profile" in reasons(folder.fix(PROFILE))["nothing"]


def test_a_second_record_and_fix_changes_nothing(folder):
    folder.write(UNRELATED)
    folder.record()
    folder.fix(PROFILE)
    folder.record(profile="again.json")
    assert folder.fix("again.json").changed == []


def test_the_report_says_what_the_profile_was_good_for(folder, capsys):
    folder.write(TWO_PLACES + HANDED.partition("    @gen.coroutine\n    def main")[0])
    folder.record("--rare")
    assert main(["--native", "--profile", PROFILE, "--force", "--check", "--format", "json", "."]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["by_profile"] == [{"path": "app.py", "line": 6, "function": "get"}]
    assert [each["function"] for each in document["made"] if each["recorded"]] == ["get"]
    assert main(["--native", "--profile", PROFILE, "--force", "."]) == 0
    out = capsys.readouterr().out
    assert "By what the profile tells:\n  app.py:6  get\n" in out
    assert "Clock.tick  TND301: app.py:21 hands it on: whether somebody waits then cannot be seen" in out
    assert "1 coroutines are native because of what the profile tells." in out


def test_what_is_no_profile_for_this(folder, capsys):
    folder.write(TWO_PLACES)
    folder.record("--rare")
    (folder.path / "inner").mkdir()
    (folder.path / "inner" / "other.py").write_text("")
    assert main(["--profile", PROFILE, "--force", "."]) == 2
    assert "say --native, too" in capsys.readouterr().err
    assert main(["--native", "--profile", "none.json", "--force", "."]) == 2
    assert "none.json" in capsys.readouterr().err
    assert main(["--native", "--profile", PROFILE, "--force", "inner"]) == 2
    assert "start tornado4 fix in the folder where the run was started" in capsys.readouterr().err


