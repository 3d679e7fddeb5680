"""The line of the program that something happens at: never one of ours, nor of the standard library.

A stack is walked outwards from where it happens. Frames of tornado4 and of the standard library are passed over, and
the first other one is the place. The walk ends without a place where a loop calls its callbacks, or a test's runner its
tests: who is above has nothing to do with it.
"""

from __future__ import annotations

import enum
import functools
import os
import sys
import sysconfig
from types import CodeType, FrameType, MethodType, TracebackType
from typing import Any, NamedTuple

import tornado4


class Kind(enum.Enum):
    """Whose a file is."""

    OURS = "tornado4"
    STANDARD = "the standard library"
    EDGE = "where the walk ends: loops and runners of tests"
    PROGRAM = "the program's, or a package's"


#: A look at an enumeration's member is a look into its class: not for what runs with each callback.
_PROGRAM = Kind.PROGRAM
_PACKAGE = os.path.dirname(os.path.abspath(tornado4.__file__)) + os.sep
_STANDARD = tuple(
    {os.path.realpath(path) + os.sep for name in ("stdlib", "platstdlib") if (path := sysconfig.get_path(name))}
    | {path + os.sep for name in ("stdlib", "platstdlib") if (path := sysconfig.get_path(name))}
    | {os.path.dirname(os.path.abspath(os.__file__)) + os.sep}
)
_LIVE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_SITES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_EDGES = tuple(
    os.path.join(*parts)
    for parts in (
        ("tornado4", "_core", "loops.py"),
        ("asyncio", "events.py"),
        ("asyncio", "base_events.py"),
        ("unittest", "case.py"),
    )
)
_RUNNERS = tuple(f"{os.sep}{name}{os.sep}" for name in ("_pytest", "pluggy", "nose"))


class Place(NamedTuple):
    """A line; ``module`` and ``registry`` are what `warnings` wants to know of it."""

    file: str
    line: int
    module: str | None = None
    registry: Any = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@functools.cache
def kind_of(file: str) -> Kind:
    """Whose a file is, by its name as code objects have it."""
    if file.startswith(_PACKAGE):
        return Kind.EDGE if file.endswith(_EDGES) else Kind.OURS
    if file.endswith(_EDGES) or any(part in file for part in _RUNNERS):
        return Kind.EDGE
    if file.startswith(("<frozen ", "<attrs ")) or file == "<sysmodule>":
        return Kind.STANDARD
    if file.startswith(_STANDARD) and not any(part in file for part in _SITES):
        return Kind.STANDARD
    return Kind.PROGRAM


def here() -> Place | None:
    """The innermost line of the program on the stack of whoever calls; None when a loop or a runner has called."""
    frame = program_frame(sys._getframe(1))
    return None if frame is None else of_frame(frame)


def caller() -> Place | None:
    """The line that has called the function that calls this one, if that line is the program's own."""
    frame = sys._getframe(2)
    return of_frame(frame) if kind_of(frame.f_code.co_filename) is _PROGRAM else None


def maker(files: tuple[str, ...]) -> Place | None:
    """The line of the program that has made an object, where only these files of ours lie between."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        kind = kind_of(file)
        if kind is Kind.PROGRAM:
            return of_frame(frame)
        if kind is Kind.EDGE or (kind is Kind.OURS and not file.endswith(files) and not file.startswith(_LIVE)):
            return None
        frame = frame.f_back
    return None


def goes_through(code: CodeType) -> bool:
    """Whether a function of ours is on the stack, below the innermost line of the program."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and kind_of(frame.f_code.co_filename) is not Kind.PROGRAM:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


def program_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the program, from ``frame`` outwards."""
    while frame is not None:
        kind = kind_of(frame.f_code.co_filename)
        if kind is Kind.PROGRAM:
            return frame
        if kind is Kind.EDGE:
            return None
        frame = frame.f_back
    return None


def of_frame(frame: FrameType, line: int | None = None) -> Place:
    """Where a frame is now."""
    names = frame.f_globals
    registry = names.setdefault("__warningregistry__", {})
    return Place(frame.f_code.co_filename, line or frame.f_lineno, names.get("__name__"), registry)


def of_function(function: Any) -> Place | None:
    """Where a function, a method, or what wraps one, is defined; None for what is not the program's."""
    code = code_of(function)
    if code is None or kind_of(code.co_filename) is not Kind.PROGRAM:
        return None
    return Place(code.co_filename, code.co_firstlineno, getattr(function, "__module__", None))


def of_traceback(traceback: TracebackType | None) -> Place | None:
    """The innermost line of the program that an exception came through."""
    found: Place | None = None
    while traceback is not None:
        frame = traceback.tb_frame
        if kind_of(frame.f_code.co_filename) is Kind.PROGRAM:
            found = of_frame(frame, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def of_generator(generator: Any) -> Place | None:
    """Where a generator or native coroutine waits; None for one of ours."""
    frame = getattr(generator, "gi_frame", None) or getattr(generator, "cr_frame", None)
    if frame is None or kind_of(frame.f_code.co_filename) is not Kind.PROGRAM:
        return None
    return of_frame(frame)


def code_of(function: Any) -> CodeType | None:
    """The code of what is called in the end: behind partials, bound methods and ``__wrapped__``."""
    for _ in range(20):
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif getattr(function, "__wrapped__", None) is not None:
            function = function.__wrapped__
        else:
            break
    return getattr(function, "__code__", None)


def is_programs(function: Any) -> bool:
    """Whether a callback is the program's own, not one that the framework made."""
    try:
        code = function.__func__.__code__ if type(function) is MethodType else function.__code__
    except AttributeError:
        if isinstance(function, functools.partial):
            return is_programs(function.func)
        code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and kind_of(code.co_filename) is _PROGRAM


@functools.cache
def distribution_of(file: str) -> str:
    """The distribution that has installed a file, by name; "" for the program's own files."""
    for part in _SITES:
        _, found, inside = file.rpartition(part)
        if found:
            top = inside.split(os.sep)[0].removesuffix(".py")
            return _distributions().get(top, [top])[0]
    return ""


@functools.cache
def _distributions() -> dict[str, list[str]]:
    from importlib.metadata import packages_distributions

    return dict(packages_distributions())
