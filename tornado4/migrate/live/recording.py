"""``--migrate=record``: which coroutines ran, what became of their results, and what each ``yield`` waited for."""

from __future__ import annotations

import ast
import asyncio
import concurrent.futures
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeAlias

from tornado4 import stack_context
from tornado4.concurrent import Future
from tornado4.gen import coroutines, moment, runner
from tornado4.ioloop import IOLoop, PeriodicCallback, PollIOLoop
from tornado4.migrate import profile
from tornado4.migrate.live import places
from tornado4.migrate.live.coverage import Coverage
from tornado4.migrate.live.futures import is_own
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

_state = stack_context._state

#: What becomes of a result, the strongest first: a later one that is stronger takes the place of an earlier one.
FATES = ("yielded", "awaited", "callback", "asked", "dropped")
_YIELDED, _AWAITED, _CALLBACK, _ASKED, _DROPPED = range(len(FATES))
_GENERATOR = 0x20  # of a code object's flags

#: What takes a function and runs it, by its name and where the function stands among the arguments (self is 0).
RUNNERS = {"add_callback": 1, "add_callback_from_signal": 1, "spawn_callback": 1, "run_sync": 1,
           "call_later": 2, "call_at": 2, "add_timeout": 2}  # fmt: skip

#: Where something happened: the code's id (codes that are alike are equal, whatever their files), and the instruction.
#: What that is in the source is found at the end.
Spot: TypeAlias = tuple[int, int]
#: How often each of the `FATES` was met. A coroutine's Future has those of where it was called as ``_recorded``, and as
#: ``_rank`` which one it is counted under: no object more for each call, nor a look at a ``__dict__``, which makes one.
Fates: TypeAlias = list[int]


class _Function:
    """What is known of one coroutine."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.called_from: dict[Spot | str, Fates] = {}
        #: The same by the caller's instruction: several of the framework's are one place.
        self.callers: dict[Spot, Fates] = {}
        self.yields: dict[Spot, dict[str, int]] = {}
        self.handed: dict[Spot, dict[str, int]] = {}
        self.owners: set[type] = set()


class Recorder:
    """The facts of this process."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.root = os.getcwd() + os.sep
        self.functions: dict[tuple[str, int], _Function] = {}
        self.coverage = Coverage(self.is_ours_to_tell)
        self._known: dict[int, _Function | None] = {}
        #: What each yield has waited for; None for one that is nothing to us.
        self._yields: dict[Spot, dict[str, int] | None] = {}
        self.codes: dict[int, CodeType] = {}  # holds them, so that an id stays theirs

    def function(self, code: CodeType) -> _Function | None:
        """What is known of the function with that code; None for one that is nothing to us."""
        try:
            return self._known[id(code)]
        except KeyError:
            self.codes[id(code)] = code
            known = None
            if code.co_flags & _GENERATOR and self.is_ours_to_tell(code.co_filename):
                key = code.co_filename, code.co_firstlineno
                known = self.functions.get(key)
                if known is None:
                    known = self.functions[key] = _Function(code.co_qualname, "coroutine")
            self._known[id(code)] = known
            return known

    def is_ours_to_tell(self, file: str) -> bool:
        """Whether a file lies below where the program was started, and is no installed package's."""
        return file.startswith(self.root) and not places.distribution_of(file)

    def call(self, func: Any, args: tuple[Any, ...], future: Any, frame: FrameType) -> None:
        """A coroutine is called from ``frame``: it counts as dropped, until somebody does something with its Future."""
        code = func.__code__ if type(func) is FunctionType and not func.__dict__ else places.code_of(func)
        try:
            function = self._known[id(code)]
        except KeyError:
            function = None if code is None else self.function(code)
        if function is None:
            return
        if args:
            function.owners.add(type(args[0]))
        spot = id(frame.f_code), frame.f_lasti
        fates = function.callers.get(spot)
        if fates is None:
            self.codes[spot[0]] = frame.f_code
            fates = function.called_from.setdefault(self._site(frame), [0] * len(FATES))
            function.callers[spot] = fates
        future._recorded = fates
        rank = future._rank = _CALLBACK if future._has_callback else _DROPPED
        fates[rank] += 1

    def _site(self, frame: FrameType) -> Spot | str:
        """A place in the program; of an installed package's file, its name; "" for the framework and all others."""
        file = frame.f_code.co_filename
        if places.kind_of(file) is not places.Kind.PROGRAM:
            return ""
        if self.is_ours_to_tell(file):
            return self._spot(frame)
        return f"({places.distribution_of(file) or 'elsewhere'}) {os.path.basename(file)}:{frame.f_lineno}"

    def _spot(self, frame: FrameType) -> Spot:
        code = frame.f_code
        self.codes[id(code)] = code
        return id(code), frame.f_lasti

    def yielded(self, gen: Any, value: Any) -> None:
        """A coroutine waits for something."""
        if type(value) is Future:
            recorded: Any = value
            fates = recorded._recorded
            if fates is not None and recorded._rank:
                fates[recorded._rank] -= 1
                fates[_YIELDED] += 1
                recorded._rank = _YIELDED
            name = "moment" if value is moment else "Future"
        else:
            several = list(value.values()) if isinstance(value, dict) else value
            for each in several if isinstance(several, list | tuple) else (value,):
                met(each, _YIELDED)
            name = _kind(value)
        try:
            frame = gen.gi_frame
            code = frame.f_code
        except AttributeError:  # what is only like a generator
            return
        spot = id(code), frame.f_lasti
        try:
            counts = self._yields[spot]
        except KeyError:
            function = self.function(code)
            counts = self._yields[spot] = None if function is None else function.yields.setdefault(spot, {})
        if counts is not None:
            counts[name] = counts.get(name, 0) + 1

    def handed(self, callback: Any, runner: str, frame: FrameType) -> None:
        """A function is given to what runs it."""
        if places.kind_of(frame.f_code.co_filename) is not places.Kind.PROGRAM:
            return
        code = places.code_of(callback)
        function = self.function(code) if code is not None else None
        if function is not None and self.is_ours_to_tell(frame.f_code.co_filename):
            counts = function.handed.setdefault(self._spot(frame), {})
            counts[runner] = counts.get(runner, 0) + 1

    def shown(self, file: str) -> str:
        """A file's name, from where the program was started; of others, only the last part."""
        if file.startswith(self.root):
            return file[len(self.root) :].replace(os.sep, "/")
        return os.path.basename(file)

    # -- at the end ------------------------------------------------------------------------------------------

    def profile(self) -> profile.Profile:
        """The facts, as they are written."""
        self.coverage.stop()
        return _Writing(self).profile()

    def write(self, path: str) -> None:
        """Write the facts; those of earlier runs that are in the file already stay."""
        target = Path(path)
        with _locked(target):
            earlier = [profile.load(target)] if target.stat().st_size else []
            profile.save(profile.merge([*earlier, self.profile()]), target)


class _Writing:
    """The facts in the terms of the source."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.files: dict[str, Any] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._calls: dict[str, set[str]] = {}

    def profile(self) -> profile.Profile:
        recorder = self.recorder
        for (path, line), function in recorder.functions.items():
            self._file(path)["functions"][str(line)] = {
                "name": function.name,
                "kind": function.kind,
                "calls": sum(map(sum, function.called_from.values())),
                "called_from": _counted(
                    (self._site(site), dict(zip(FATES, fates, strict=True)))
                    for site, fates in function.called_from.items()
                ),
                "yields": _counted((self._beginning(spot), kinds) for spot, kinds in function.yields.items()),
                "yields_not_run": [],
                "handed": _counted((self._site(site), runners) for site, runners in function.handed.items()),
                "outside": sorted(_outside(function, recorder.is_ours_to_tell)),
            }
        for (rule, path, line), count in recorder.ledger.counts.items():
            if recorder.is_ours_to_tell(path):
                self._file(path)["rules"].setdefault(rule, {})[str(line)] = count
        self._add_what_ran()
        for path in list(self._trees):
            self._add_what_did_not_run(path)
        return profile.empty() | {"runs": 1, "files": self.files, "coverage": bool(recorder.coverage.lines)}

    def _add_what_ran(self) -> None:
        """Of the calls that have a coroutine's name, and the strings that are one, those that ran."""
        coverage = self.recorder.coverage
        trees = {path: self._tree(path) for path in [*self._trees, *coverage.lines]}
        names = {
            name.rpartition(".")[2] for tree in trees.values() if tree for _, name, _ in profile.generators_in(tree)
        }
        calls = coverage.calls()
        for path, lines in coverage.lines.items():
            tree = trees[path]
            ran = profile.mentions_that_ran(tree, names, calls.get(path, set()), lines) if tree else []
            if ran:
                self._file(path)["ran"] = ran

    def _file(self, path: str) -> dict[str, Any]:
        name = self.recorder.shown(path)
        if name not in self.files:
            self._tree(path)
            digest = profile.digest(Path(path))
            self.files[name] = {"sha256": digest, "functions": {}, "rules": {}, "not_run": [], "ran": []}
        described: dict[str, Any] = self.files[name]
        return described

    def _tree(self, path: str) -> ast.Module | None:
        if path not in self._trees:
            self._trees[path] = profile.parsed(Path(path))
        return self._trees[path]

    def _site(self, site: Spot | str) -> str:
        """``file:line:column``, where a call ends; without the column where no call stands there in the source."""
        if isinstance(site, str):
            return site
        code, instruction = self.recorder.codes[site[0]], site[1]
        path = code.co_filename
        name = self.recorder.shown(path)
        self._file(path)
        if path not in self._calls:
            tree = self._tree(path)
            self._calls[path] = profile.calls_in(tree) if tree else set()
        first, last, _, end = _positions(code, instruction)
        ends = f"{last}:{end}"
        return f"{name}:{ends}" if ends in self._calls[path] else f"{name}:{first}"

    def _beginning(self, spot: Spot) -> str:
        """Where the yield that a generator waits at begins, as `profile.generators_in` has it."""
        first, _, begin, _ = _positions(self.recorder.codes[spot[0]], spot[1])
        return f"{first}:{begin}"

    def _add_what_did_not_run(self, path: str) -> None:
        described = self.files.get(self.recorder.shown(path))
        tree = self._trees[path]
        if tree is None or described is None:
            return
        for line, name, yields in profile.generators_in(tree):
            function = described["functions"].get(str(line))
            if function is None:
                described["not_run"].append(name)
            else:
                function["yields_not_run"] = [each for each in yields if each not in function["yields"]]


def _counted(found: Iterator[tuple[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    result: dict[str, dict[str, int]] = {}
    for key, counts in found:
        known = result.setdefault(key, {})
        for name, count in counts.items():
            if count:
                known[name] = known.get(name, 0) + count
    return result


def _outside(function: _Function, is_ours: Callable[[str], bool]) -> Iterator[str]:
    """Classes that are not the program's, above those whose method this is, that have or say its name.

    They may call it. Tornado's own are left out: what they call is known.
    """
    name = function.name.rpartition(".")[2]
    for owner in function.owners:
        for cls in owner.__mro__:
            module = sys.modules.get(cls.__module__)
            file = getattr(module, "__file__", None) or ""
            if cls is object or is_ours(file) or places.kind_of(file) in (places.Kind.OURS, places.Kind.EDGE):
                continue
            if name in vars(cls) or any(_says(each, name) for each in vars(cls).values()):
                yield f"{cls.__module__}.{cls.__qualname__}"


def _says(member: Any, name: str) -> bool:
    """Whether a function of a class, or one within it, has a name in its code."""
    for each in (member, getattr(member, "fget", None), getattr(member, "__func__", None)):
        code = getattr(each, "__code__", None) if isinstance(each, FunctionType) else None
        waiting = [code] if code is not None else []
        while waiting:
            at = waiting.pop()
            if name in at.co_names or name in at.co_consts:
                return True
            waiting += [const for const in at.co_consts if isinstance(const, CodeType)]
    return False


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Several processes (workers of a test's runner) write one after the other. Makes the file."""
    with open(target, "a") as lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def met(future: Any, rank: int) -> None:
    """Somebody waits for what may be a coroutine's Future; ``rank`` is the fate's among `FATES`."""
    fates = getattr(future, "_recorded", None)
    if fates is not None and rank < future._rank:
        fates[future._rank] -= 1
        fates[rank] += 1
        future._rank = rank


def _positions(code: CodeType, instruction: int) -> tuple[int, int, int, int]:
    """Of an instruction, the first and last line and column in the source; -1 for what is not known."""
    for number, position in enumerate(code.co_positions()):
        if number == instruction // 2:
            first, last, begin, end = (-1 if each is None else each for each in position)
            return first, last, begin, end
    return -1, -1, -1, -1


#: The kinds of what yield takes, by type: each is worked out once.
_kinds: dict[type, str] = {}


def _kind(value: Any, depth: int = 1) -> str:
    """What was waited for: a type's name; of a list or dictionary also the kinds of what is in it."""
    if value is None:
        return "None"
    if value is moment:
        return "moment"
    cls = type(value)
    if depth and (cls is list or cls is dict):
        inside = {_kind(each, 0) for each in (value.values() if cls is dict else value)}
        return f"{cls.__name__}[{', '.join(sorted(inside))}]"
    try:
        return _kinds[cls]
    except KeyError:
        name = _kinds[cls] = _type_name(cls)
        return name


def _type_name(cls: type) -> str:
    """``Future``, ``executor future``, ``coroutine``; others by their names, with a mark if they can be awaited."""
    if issubclass(cls, concurrent.futures.Future):
        return "executor future"
    if cls.__module__ in ("builtins", "tornado4.concurrent"):
        return cls.__name__
    mark = " (awaitable)" if _gives_the_same_to_await(cls) else ""
    return f"{cls.__module__}.{cls.__qualname__}".replace("tornado4.", "tornado.") + mark


def _gives_the_same_to_await(cls: type) -> bool:
    """Whether await gets what yield does: asyncio does not ask a Future's own ``result``, a yield does."""
    for base in (Future, asyncio.Future):
        if issubclass(cls, base):
            return all(getattr(cls, name) is getattr(base, name) for name in ("result", "exception"))
    return hasattr(cls, "__await__")


_FIRST_UNRESOLVED = coroutines._first_unresolved


def install(patches: Patches, ledger: Ledger) -> Recorder:
    """Put the recording functions in place."""
    recorder = Recorder(ledger)

    def make_begin(original: Callable[..., Any]) -> Any:
        def _begin(func: Any, args: Any, kwargs: Any, future: Any) -> Any:
            recorder.call(func, args, future, sys._getframe(2))
            return original(func, args, kwargs, future)

        return _begin

    def make_run_callback(original: Callable[..., None]) -> Any:
        def _run_callback_later(future: Any, callback: Any) -> None:
            future._has_callback = True
            original(future, callback)

        return _run_callback_later

    def make_first(original: Callable[..., Any]) -> Any:
        if original is not _FIRST_UNRESOLVED:
            return lambda gen: original(_Noting(recorder, gen))

        def _first_unresolved(gen: Any) -> Any:
            # The same, for nobody else sees what is yielded here and done already; what the Runner gets is noted there.
            before = _state.contexts
            yielded = next(gen)
            try:
                while _state.contexts is before:
                    if type(yielded) is not Future or not yielded._done or yielded._exc_info is not None:
                        return yielded
                    recorder.yielded(gen, yielded)
                    yielded = gen.send(yielded._result)
                return coroutines._inconsistent()
            finally:
                del gen, yielded  # a traceback may hold this frame

        return _first_unresolved

    def make_handle_yield(original: Callable[..., bool]) -> Any:
        # Only the ledger of ``native`` and tests put something between; the Runner's own does no more for a Future.
        own = original is runner._HANDLE_YIELD

        def handle_yield(self: runner.Runner, yielded: Any) -> bool:
            recorder.yielded(self.gen, yielded)
            if own and type(yielded) is Future:
                self.future = yielded
                return self._ready_or_wait()
            return original(self, yielded)

        return handle_yield

    for name, default in (("_recorded", None), ("_rank", _DROPPED), ("_has_callback", False)):
        patches.put_missing(Future, name, default)
    patches.put(coroutines, "_begin", make_begin)
    patches.put(coroutines, "_run_callback_later", make_run_callback)
    patches.put(coroutines, "_first_unresolved", make_first)
    patches.put(runner.Runner, "handle_yield", make_handle_yield)
    patches.put(Future, "__await__", _make_await)
    patches.put(Future, "add_done_callback", _make_add_done_callback)
    patches.put(Future, "result", _make_result)
    _watch_runners(patches, recorder)
    recorder.coverage.start()
    return recorder


def _watch_runners(patches: Patches, recorder: Recorder) -> None:
    """What the program itself gives to a loop."""

    def make(name: str, position: int) -> Callable[[Callable[..., Any]], Any]:
        def make_runner(original: Callable[..., Any]) -> Any:
            def run(*args: Any, **kwargs: Any) -> Any:
                frame = sys._getframe(1)
                if frame.f_code.co_filename.startswith(recorder.root) and len(args) > position:
                    recorder.handed(args[position], name, frame)
                return original(*args, **kwargs)

            return run

        return make_runner

    for cls in (IOLoop, PollIOLoop):
        for name, position in RUNNERS.items():
            if name in vars(cls):
                patches.put(cls, name, make(f"IOLoop.{name}", position))
    patches.put(PeriodicCallback, "__init__", make("PeriodicCallback", 1))
    # The Runner's own calls are none of the program's: they go the short way as ever.
    patches.replace(runner, "_POLL_ADD_CALLBACK", PollIOLoop.add_callback)


class _Noting:
    """A generator in its first steps, whose yields of what is done already nobody else sees."""

    def __init__(self, recorder: Recorder, gen: Any) -> None:
        self._recorder = recorder
        self._gen = gen

    def __iter__(self) -> _Noting:
        return self

    def __next__(self) -> Any:
        return self._noted(next(self._gen))

    def send(self, value: Any) -> Any:
        return self._noted(self._gen.send(value))

    def _noted(self, value: Any) -> Any:
        # What the Runner gets is noted there.
        if type(value) is Future and value._done and value._exc_info is None:
            self._recorder.yielded(self._gen, value)
        return value


def _make_result(original: Callable[..., Any]) -> Any:
    def result(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._recorded is not None and self._rank > _ASKED:
            met(self, _ASKED)
        try:
            return original(self, *args, **kwargs)
        finally:
            del self  # a traceback may hold this frame

    return result


def _make_await(original: Callable[..., Any]) -> Any:
    def __await__(self: Any) -> Any:
        if self._recorded is not None:
            met(self, _AWAITED)
        return original(self)

    return __await__


def _make_add_done_callback(original: Callable[..., None]) -> Any:
    # Of one that is not done yet, the ledger's function tells nothing: then this is all that is to be done.
    own = is_own(getattr(original, "__wrapped__", original))

    def add_done_callback(self: Any, fn: Any, *, context: Any = None) -> None:
        if self._recorded is not None and self._rank > _CALLBACK:
            met(self, _CALLBACK)
        if own and context is None and not self._done and self._callbacks is not None:
            self._callbacks.append(fn)
        else:
            original(self, fn, context=context)

    return add_done_callback
