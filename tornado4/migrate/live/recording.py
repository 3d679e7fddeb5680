"""``--migrate=record``: which coroutines ran, what became of their results, and what each ``yield`` waited for."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tornado4.concurrent import Future
from tornado4.gen import coroutines, moment, runner
from tornado4.migrate import profile
from tornado4.migrate.live import places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

#: What becomes of a result, the strongest first: a later one that is stronger takes the place of an earlier one.
FATES = ("yielded", "awaited", "callback", "asked", "dropped")
_GENERATOR = 0x20  # of a code object's flags


class _Function:
    """What is known of one coroutine."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.calls = 0
        self.called_from: dict[str, dict[str, int]] = {}
        self.yields: dict[str, dict[str, int]] = {}


class _Call:
    """One call, until its Future is gone."""

    __slots__ = ("__weakref__", "_fates", "fate")

    def __init__(self, fates: dict[str, int]) -> None:
        self._fates = fates
        self.fate = "dropped"

    def met(self, fate: str) -> None:
        if FATES.index(fate) < FATES.index(self.fate):
            self.fate = fate

    def count(self) -> None:
        """What became of it is certain now, or as certain as it gets."""
        fates, self._fates = self._fates, {}
        fates[self.fate] = fates.get(self.fate, 0) + 1

    __del__ = count


class Recorder:
    """The facts of this process."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.root = os.getcwd() + os.sep
        self.functions: dict[tuple[str, int], _Function] = {}
        self._open: weakref.WeakSet[_Call] = weakref.WeakSet()

    def function(self, code: Any, kind: str = "coroutine") -> _Function:
        """What is known of the function with that code."""
        key = code.co_filename, code.co_firstlineno
        known = self.functions.get(key)
        if known is None:
            known = self.functions[key] = _Function(code.co_qualname, kind)
        return known

    def is_ours_to_tell(self, file: str) -> bool:
        """Whether a file lies below where the program was started, and is no installed package's."""
        return file.startswith(self.root) and not places.distribution_of(file)

    def call(self, func: Any, future: Any, frame: Any) -> None:
        """A coroutine is called from ``frame``."""
        code = places.code_of(func)
        if code is None or not code.co_flags & _GENERATOR or not self.is_ours_to_tell(code.co_filename):
            return
        function = self.function(code)
        function.calls += 1
        file = frame.f_code.co_filename
        by_program = places.kind_of(file) is places.Kind.PROGRAM
        site = f"{self.shown(file)}:{frame.f_lineno}" if by_program else ""
        future._recorded = call = _Call(function.called_from.setdefault(site, {}))
        self._open.add(call)
        if future.__dict__.pop("_has_callback", False):
            call.met("callback")

    def yielded(self, gen: Any, value: Any) -> None:
        """A coroutine waits for something."""
        several = list(value.values()) if isinstance(value, dict) else value
        for each in several if isinstance(several, list | tuple) else (value,):
            met(each, "yielded")
        frame = getattr(gen, "gi_frame", None)
        if frame is None or not self.is_ours_to_tell(frame.f_code.co_filename):
            return
        counts = self.function(frame.f_code).yields.setdefault(_position(frame), {})
        name = _type_name(value)
        counts[name] = counts.get(name, 0) + 1

    def shown(self, file: str) -> str:
        """A file's name, from where the program was started; of others, only the last part."""
        if file.startswith(self.root):
            return file[len(self.root) :].replace(os.sep, "/")
        return os.path.basename(file)

    # -- at the end ------------------------------------------------------------------------------------------

    def profile(self) -> profile.Profile:
        """The facts, as they are written."""
        for call in list(self._open):
            call.count()
        result = profile.empty() | {"runs": 1}
        files: dict[str, Any] = result["files"]
        for (path, line), function in self.functions.items():
            described = self._file(files, path)
            described["functions"][str(line)] = {
                "name": function.name,
                "kind": function.kind,
                "calls": function.calls,
                "called_from": function.called_from,
                "yields": function.yields,
                "yields_not_run": [],
            }
        for (rule, path, line), count in self.ledger.counts.items():
            if self.is_ours_to_tell(path):
                rules = self._file(files, path)["rules"]
                rules.setdefault(rule, {})[str(line)] = count
        for name, described in files.items():
            _add_what_did_not_run(described, Path(self.root, name))
        return result

    def _file(self, files: dict[str, Any], path: str) -> dict[str, Any]:
        name = self.shown(path)
        if name not in files:
            files[name] = {"sha256": profile.digest(Path(path)), "functions": {}, "rules": {}, "not_run": []}
        described: dict[str, Any] = files[name]
        return described

    def write(self, path: str) -> None:
        """Write the facts; those of earlier runs that are in the file already stay."""
        target = Path(path)
        with _locked(target):
            earlier = [profile.load(target)] if target.stat().st_size else []
            profile.save(profile.merge([*earlier, self.profile()]), target)


def _add_what_did_not_run(described: dict[str, Any], path: Path) -> None:
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for line, name, yields in profile.generators(source):
        function = described["functions"].get(str(line))
        if function is None:
            described["not_run"].append(name)
        else:
            function["yields_not_run"] = [each for each in yields if each not in function["yields"]]


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Several processes (workers of a test's runner) write one after the other. Makes the file."""
    with open(target, "a") as lock:
        try:
            import fcntl
        except ImportError:  # Windows
            pass
        else:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def met(future: Any, fate: str) -> None:
    """Somebody waits for what may be a coroutine's Future."""
    call = getattr(future, "_recorded", None)
    if call is not None:
        call.met(fate)


def _position(frame: Any) -> str:
    """Where the yield that a generator waits at begins, as `profile.generators` has it."""
    positions = itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    line, _, column, _ = next(positions, (None, None, None, None))
    return f"{frame.f_lineno}:" if line is None or column is None else f"{line}:{column}"


def _type_name(value: Any) -> str:
    if value is None:
        return "None"
    if value is moment:
        return "moment"
    kind = type(value)
    if kind.__module__ in ("builtins", "tornado4.concurrent"):
        return kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}".replace("tornado4.", "tornado.")


def install(patches: Patches, ledger: Ledger) -> Recorder:
    """Put the recording functions in place."""
    recorder = Recorder(ledger)

    def make_begin(original: Callable[..., Any]) -> Any:
        def _begin(func: Any, args: Any, kwargs: Any, future: Any) -> Any:
            recorder.call(func, future, sys._getframe(2))
            return original(func, args, kwargs, future)

        return _begin

    def make_run_callback(original: Callable[..., None]) -> Any:
        def _run_callback_later(future: Any, callback: Any) -> None:
            future._has_callback = True
            original(future, callback)

        return _run_callback_later

    def make_first(original: Callable[..., Any]) -> Any:
        def _first_unresolved(gen: Any) -> Any:
            return original(_Noting(recorder, gen))

        return _first_unresolved

    def make_handle_yield(original: Callable[..., bool]) -> Any:
        def handle_yield(self: runner.Runner, yielded: Any) -> bool:
            recorder.yielded(self.gen, yielded)
            return original(self, yielded)

        return handle_yield

    patches.put(coroutines, "_begin", make_begin)
    patches.put(coroutines, "_run_callback_later", make_run_callback)
    patches.put(coroutines, "_first_unresolved", make_first)
    patches.put(runner.Runner, "handle_yield", make_handle_yield)
    for name, fate in (("__await__", "awaited"), ("add_done_callback", "callback"), ("result", "asked")):
        patches.put(Future, name, _maker(fate))
    return recorder


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


def _maker(fate: str) -> Callable[[Callable[..., Any]], Any]:
    def make(original: Callable[..., Any]) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            call = self.__dict__.get("_recorded")
            if call is not None:
                call.met(fate)
            try:
                return original(self, *args, **kwargs)
            finally:
                del self, call  # a traceback may hold this frame

        return method

    return make
