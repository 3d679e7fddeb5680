"""Small tools that every other module may use; this one imports nothing of tornado4.

Among them: `Configurable`, the one place where an implementation is chosen for a public class
(``IOLoop``, ``AsyncHTTPClient``, ``Resolver``); `ObjectDict`; `GzipDecompressor`; and
`set_public_module`, with which a package's face signs the names it hands on.

Some names speak of Python 2 (``unicode_type``, ``basestring_type``, ``PY3``, ``u``). They are kept
because applications written for Tornado 4 import them.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import os
import re
import sys
import zlib
from collections.abc import MutableMapping, Sequence
from types import CodeType, FunctionType, ModuleType, TracebackType

# Those of typing that collections.abc has too, and those that nothing here needs, are names of 4.5.3's module.
from typing import (  # noqa: F401, UP035
    TYPE_CHECKING,
    Any,
    AnyStr,
    Callable,
    ClassVar,
    Dict,
    Mapping,
    Match,
    NoReturn,
    Optional,
    Self,
    Tuple,
    Union,
)

from tornado4 import _handed_on

if TYPE_CHECKING:
    import datetime
    import unittest

#: Always true: what asks runs on Python 3.
PY3 = True
unicode_type = str
basestring_type = str
bytes_type = bytes
xrange = range

_ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def u(s: str) -> str:
    """Return ``s``. Earlier 4.x releases spelled ``u'...'`` so, for Python 3.2."""
    return s


class TimeoutError(Exception):
    """A wait was longer than its limit. The name under which Tornado 5 and later raise it."""


class ObjectDict(Dict[str, Any]):  # noqa: UP006  (4.5.3: typing.Dict, so Generic is a base)
    """A dictionary whose items are also attributes.

    Reading an absent attribute raises `AttributeError`; setting one stores an item.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class GzipDecompressor:
    """Streaming gzip decoder with the interface of `zlib.decompressobj`.

    One gzip member is read. What follows its end is dropped, as in 4.5.3; it never comes back as
    `unconsumed_tail`, so a loop "until the tail is empty" ends whatever a peer appends.
    """

    def __init__(self) -> None:
        # 16 added to the window bits asks zlib for a gzip header and trailer around the data.
        self.decompressobj = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def decompress(self, value: bytes, max_length: int | None = None) -> bytes:
        """Decode ``value`` and return what came out, possibly nothing yet.

        At most ``max_length`` bytes are returned (``None`` or 0: no limit); input left over is then
        found in `unconsumed_tail` and must be passed in again.

        :raises zlib.error: ``value`` is not gzip data.
        """
        decoder = self.decompressobj
        if decoder.eof:
            return b""
        return decoder.decompress(value, max_length or 0)

    @property
    def unconsumed_tail(self) -> bytes:
        """Input not decoded yet because ``max_length`` was reached; empty after the member's end."""
        # zlib itself would report trailing garbage here again and again.
        return b"" if self.decompressobj.eof else self.decompressobj.unconsumed_tail

    def flush(self) -> bytes:
        """Return what is still buffered. Call it once, after the last input.

        No limit applies here: whoever bounds the output drains `unconsumed_tail` first. As in
        4.5.3, a stream that was cut off is no error.
        """
        return b"" if self.decompressobj.eof else self.decompressobj.flush()


def import_object(name: str) -> Any:
    """Import by dotted name: a module, or something inside a module.

    ``import_object("xml.sax")`` is the module, ``import_object("os.path.join")`` the function.

    :raises ImportError: there is no such module, or the module has no such member.
    """
    module_name, dot, member = name.rpartition(".")
    if not dot:
        __import__(name)
        return sys.modules[name]
    # Asking for the member with ``fromlist`` also imports it where it is a submodule.
    module = __import__(module_name, None, None, [member])
    try:
        return getattr(module, member)
    except AttributeError:
        raise ImportError(f"No module named {member}") from None


def exec_in(code: str | CodeType, glob: dict[str, Any], loc: Mapping[str, Any] | None = None) -> None:
    """Execute source or compiled code in the given namespaces.

    Source is compiled without the ``__future__`` flags of this module.

    :arg glob: the globals; ``loc`` the locals, the same by default.
    """
    program = compile(code, "<string>", "exec", dont_inherit=True) if isinstance(code, str) else code
    exec(program, glob, loc)


def raise_exc_info(exc_info: _ExcInfo) -> NoReturn:
    """Raise what `sys.exc_info` returned, with its original traceback.

    The caller's ``exc_info`` tuple is not kept alive by the raised exception's frames.

    :raises TypeError: there is no exception in it.
    """
    error = exc_info[1]
    if error is None:
        raise TypeError("raise_exc_info called with no exception")
    try:
        raise error.with_traceback(exc_info[2])
    finally:
        # This frame is part of the traceback; dropping both names breaks the reference circle.
        del error, exc_info


def errno_from_exception(e: BaseException) -> Any:
    """Return the error number of an exception, or ``None``.

    Where there is no ``errno`` attribute, the first argument is taken, as in 4.5.3.

    :arg e: an exception.
    """
    if hasattr(e, "errno"):
        return e.errno
    return e.args[0] if e.args else None


_alphanum = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_re_unescape_pattern = re.compile(r"\\(.)", re.DOTALL)


def _re_unescape_replacement(match: re.Match[str]) -> str:
    char = match[1]
    if char in _alphanum:
        raise ValueError(f"cannot unescape '\\\\{char}'")
    return char


def re_unescape(s: str) -> str:
    r"""Undo `re.escape`.

    :raises ValueError: ``s`` holds something `re.escape` would not write, such as ``\d``.
    """
    return _re_unescape_pattern.sub(_re_unescape_replacement, s)


def timedelta_to_seconds(td: datetime.timedelta) -> float:
    """Return a time span in seconds.

    :arg td: a `datetime.timedelta`.
    """
    return td.total_seconds()


class Configurable:
    """A class whose constructor makes an instance of some other, configured class.

    ``IOLoop()`` may make an ``EPollIOLoop``: `configure` on the base class says which class, and
    with which keyword arguments. Subclasses of the base can always be made directly; the
    configured arguments do not apply to them.

    A base class defines `configurable_base` and `configurable_default`. Implementations define
    `initialize` in place of ``__init__``.
    """

    # Found under their mangled names by code that saves and restores them by hand.
    __impl_class: ClassVar[type[Configurable] | None] = None
    __impl_kwargs: ClassVar[dict[str, Any] | None] = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        base = cls.configurable_base()
        if cls is not base:
            made = super().__new__(cls)
            made.initialize(*args, **kwargs)
            return made
        made = super().__new__(cls.configured_class())
        made.initialize(*args, **{**(base.__impl_kwargs or {}), **kwargs})
        return made

    @classmethod
    def configurable_base(cls) -> Any:
        """Return the class whose configuration counts, usually the one that defines this method."""
        raise NotImplementedError()

    @classmethod
    def configurable_default(cls) -> Any:
        """Return the class to use when nothing was configured."""
        raise NotImplementedError()

    def initialize(self) -> None:
        """Set up the instance; receives the constructor's arguments. Defined instead of ``__init__``."""

    @classmethod
    def configure(cls, impl: str | type[Any] | None, **kwargs: Any) -> None:
        """Choose the class that the base's constructor makes, and extra keyword arguments for it.

        ``impl`` is a class, its dotted name, or ``None`` for the default. A name under
        ``tornado.`` means ours of the same name where there is one.

        :raises ValueError: the class is no subclass of this one.
        """
        chosen = _import_implementation(impl) if isinstance(impl, str) else impl
        if chosen is not None and not issubclass(chosen, cls):
            raise ValueError(f"Invalid subclass of {cls}")
        base = cls.configurable_base()
        base.__impl_kwargs = kwargs
        base.__impl_class = chosen

    @classmethod
    def configured_class(cls) -> Any:
        """Return the configured class; the default becomes the configured one when first asked for."""
        base = cls.configurable_base()
        chosen = base.__impl_class
        if chosen is None:
            chosen = base.__impl_class = cls.configurable_default()
        return chosen

    @classmethod
    def _save_configuration(cls) -> tuple[Any, dict[str, Any] | None]:
        base = cls.configurable_base()
        return base.__impl_class, base.__impl_kwargs

    @classmethod
    def _restore_configuration(cls, saved: tuple[Any, dict[str, Any] | None]) -> None:
        base = cls.configurable_base()
        base.__impl_class, base.__impl_kwargs = saved


def _import_implementation(name: str) -> Any:
    """Find a class for `Configurable.configure`; ``tornado.x.Y`` is ours before anyone else's.

    Only a subclass of our base class can be configured, so a modern Tornado's class of the same
    name, installed beside us, is never what was meant.
    """
    if name.startswith("tornado."):
        try:
            return import_object("tornado4." + name.removeprefix("tornado."))
        except ImportError:
            pass  # the alias layer may know it, or the plain import below tells what is missing
    return import_object(name)


class ArgReplacer:
    """Finds and replaces one named argument of a function in ``args`` and ``kwargs``.

    A decorator uses it that must look at an argument whether it was passed by position or by
    keyword.

    :arg func: the function.
    :arg name: of the argument.
    """

    def __init__(self, func: Callable[..., Any], name: str) -> None:
        self.name = name
        names = self._getargnames(func)
        self.arg_pos = names.index(name) if name in names else None  # None: can come by keyword only

    def _getargnames(self, func: Callable[..., Any]) -> list[str]:
        try:
            return inspect.getfullargspec(func).args
        except TypeError:
            # Cython functions are no functions to `inspect`, but have a code object's attributes.
            code = getattr(func, "__code__", None) or getattr(func, "func_code", None)
            if code is None:
                raise
            return list(code.co_varnames[: code.co_argcount])

    def get_old_value(self, args: Sequence[Any], kwargs: Mapping[str, Any], default: Any = None) -> Any:
        """Return the argument as it was passed, or ``default``."""
        position = self.arg_pos
        if position is not None and position < len(args):
            return args[position]
        return kwargs.get(self.name, default)

    def replace(
        self, new_value: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[Any, Sequence[Any], dict[str, Any]]:
        """Return ``(old_value, args, kwargs)`` with the argument set to ``new_value``.

        ``kwargs`` is changed in place; ``args`` comes back as a list if it held the argument.
        ``old_value`` is ``None`` if the argument was not passed.
        """
        old_value = self.get_old_value(args, kwargs)
        position = self.arg_pos
        if position is None or position >= len(args):
            kwargs[self.name] = new_value
            return old_value, args, kwargs
        changed = list(args)
        changed[position] = new_value
        return old_value, changed, kwargs


#: Bytes from which lanes are quicker than long integers.
_LANES_FROM = 2048


@functools.cache
def _xor_table(key: int) -> bytes:
    """What each byte becomes, XORed with ``key``: 256 bytes, kept for each of 256 keys."""
    return bytes(byte ^ key for byte in range(256))


def _websocket_mask_python(mask: bytes, data: bytes) -> bytes:
    """XOR ``data`` with the four bytes of ``mask``, repeated (RFC 6455 section 5.3).

    Short data by one XOR of two long integers; long data lane by lane: every fourth byte has the same key, and
    `bytes.translate` looks each up in a table. Both are linear, and each is the quicker one on its side.
    Raises `ValueError` for a mask of another length, as Tornado 6.5.6 does; 4.5.3's compiled one read beyond its end.
    """
    if len(mask) != 4:
        raise ValueError(f"mask must be 4 bytes, not {len(mask)}")
    size = len(data)
    if size >= _LANES_FROM:
        masked_lanes = bytearray(data)
        for lane, key_byte in enumerate(bytes(mask)):
            masked_lanes[lane::4] = masked_lanes[lane::4].translate(_xor_table(key_byte))
        return bytes(masked_lanes)
    key = bytes(mask) * (size + 3 >> 2)
    return (int.from_bytes(data) ^ int.from_bytes(key[:size])).to_bytes(size)


def _choose_mask() -> Callable[[bytes, bytes], bytes]:
    """The compiled function where there is one, and the environment does not say otherwise.

    As in 4.5.3, ``TORNADO_NO_EXTENSION`` or ``TORNADO_EXTENSION=0`` leaves it alone, and ``TORNADO_EXTENSION=1``
    insists: ImportError where it is missing.
    """
    wanted = os.environ.get("TORNADO_EXTENSION")
    if wanted == "0" or os.environ.get("TORNADO_NO_EXTENSION"):
        return _websocket_mask_python
    try:
        from tornado4.speedups import websocket_mask
    except ImportError as failure:
        if wanted != "1":
            return _websocket_mask_python
        failure.add_note(
            "note: TORNADO_EXTENSION=1 insists on tornado4.speedups, which this installation has not compiled. "
            "Install it again with TORNADO_EXTENSION=1, which shows what the compiler says, or unset that variable."
        )
        raise
    return websocket_mask


_websocket_mask = _choose_mask()

_finalizing = False


def _note_exit() -> None:
    global _finalizing
    _finalizing = True


# Ours, not sys.is_finalizing: that one turns true only after the exit handlers, and after the time
# when objects that log from ``__del__`` need the answer.
atexit.register(_note_exit)


def is_finalizing() -> bool:
    """Tell whether the interpreter has begun to shut down."""
    return _finalizing


class _Face(ModuleType):
    """A module whose rooms are files of their own, and which is to be patched like the one file of 4.5.3.

    ``mock.patch("tornado.web.app_log")`` and the like set a name on the face. A room that has the same thing
    under the same name gets what is set, and the earlier one back when the patch ends.
    """

    #: Where the rooms lie, as the beginning of their names.
    _rooms: str

    def __setattr__(self, name: str, value: Any) -> None:
        earlier = self.__dict__.get(name, self)
        super().__setattr__(name, value)
        if earlier is self or name.startswith("__"):
            return
        for path, room in list(sys.modules.items()):
            if path.startswith(self._rooms) and getattr(room, name, self) is earlier:
                setattr(room, name, value)


def set_public_module(namespace: MutableMapping[str, Any], name: str, rooms: str = "") -> None:
    """Let what a face hands on report the face as its home, and patches of the face reach its rooms.

    A package's ``__init__`` calls ``set_public_module(globals(), __name__)`` last. Classes and
    functions that come from the package's own rooms, or from a private package of tornado4
    (``_core``, ``_wire``), get ``__module__ = name``, so that tracebacks, pickles and ``repr`` show names
    that users can import. With ``__all__`` in the namespace, only what it lists is touched.

    Afterwards what is set on the module is set, too, in those rooms that have the same object under that
    name: the modules below it, or below the package ``rooms``.
    """
    module = sys.modules.get(name)
    if module is not None and module.__dict__ is namespace:
        namespace["_rooms"] = (rooms or name) + "."
        module.__class__ = _Face
    listed = namespace.get("__all__")
    for key in list(namespace) if listed is None else listed:
        value = namespace.get(key)
        if not isinstance(value, (type, FunctionType)):
            continue
        home = getattr(value, "__module__", None) or ""
        if home.startswith((name + ".", "tornado4._")):
            value.__module__ = name


def doctests() -> unittest.TestSuite:
    """Return this module's doctests as a suite, for test runners that ask for it."""
    import doctest  # pulls in pdb; only a test runner comes here

    return doctest.DocTestSuite(sys.modules[__name__])


__all__ = [
    "PY3",
    "ArgReplacer",
    "Configurable",
    "GzipDecompressor",
    "ObjectDict",
    "TimeoutError",
    "basestring_type",
    "bytes_type",
    "doctests",
    "errno_from_exception",
    "exec_in",
    "import_object",
    "is_finalizing",
    "raise_exc_info",
    "re_unescape",
    "set_public_module",
    "timedelta_to_seconds",
    "u",
    "unicode_type",
    "xrange",
]

_handed_on.complete(globals())
