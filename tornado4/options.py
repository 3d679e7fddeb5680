"""Options of an application, from its command line and from configuration files.

Each module defines the options it needs, next to the code that needs them::

    define("cache_size", default=64, help="megabytes for thumbnails")
    ...
    cache = Cache(options.cache_size << 20)

The main program fills them in with `parse_command_line`, `parse_config_file`, or both.

Options are written ``--name=value``; in names ``-`` and ``_`` mean the same. A configuration file is
Python code, whose variables are the options. After parsing, logging is set up as the options of
`tornado4.log` say; ``--logging=none`` prevents that.

The global parser is `options`; an `OptionParser` made by hand is independent of it.
"""

from __future__ import annotations

import datetime
import numbers
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TextIO

from tornado4 import _handed_on, _hints, log, stack_context
from tornado4.escape import _unicode, native_str
from tornado4.log import define_logging_options
from tornado4.util import basestring_type, exec_in

_Type = type  # `type` is the name of an argument below
_Text = str | None


class Error(Exception):
    """An option is unknown, defined twice, or given a value of the wrong type."""


class OptionParser:
    """A collection of options, read and set as attributes or as items.

    An instance always has one option, ``help``, which prints the others and exits. The module's
    `options` object is the instance that applications normally use.
    """

    _options: dict[str, _Option]
    _parse_callbacks: list[Callable[[], Any]]

    def __init__(self) -> None:
        # Past __setattr__, which knows options only.
        self.__dict__.update(_options={}, _parse_callbacks=[])
        self.define("help", type=bool, help="show this help information", callback=self._help_callback)

    def _normalize_name(self, name: str) -> str:
        return name.replace("_", "-")

    def _find(self, name: str) -> _Option:
        # By way of __dict__, which copy and pickle have not filled yet when they ask.
        known = self.__dict__.get("_options", {})
        name = self._normalize_name(name)
        try:
            return known[name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"Unrecognized option {name!r}") from None

    def __getattr__(self, name: str) -> Any:
        return self._find(name).value()

    def __setattr__(self, name: str, value: Any) -> None:
        self._find(name).set(value)

    def __getitem__(self, name: str) -> Any:
        return self._find(name).value()

    def __setitem__(self, name: str, value: Any) -> None:
        self._find(name).set(value)

    def __contains__(self, name: str) -> bool:
        return self._normalize_name(name) in self._options

    def __iter__(self) -> Iterator[str]:
        return (option.name for option in self._options.values())

    def items(self) -> list[tuple[str, Any]]:
        """Return ``(name, value)`` pairs of all options, in order of definition."""
        return [(option.name, option.value()) for option in self._options.values()]

    def groups(self) -> set[str]:
        """Return the names of all groups that options were defined in."""
        return {option.group_name for option in self._options.values()}

    def group_dict(self, group: str) -> dict[str, Any]:
        """Return names and values of one group's options, or of all for an empty ``group``.

        The result is handy for settings, once options are parsed::

            define("template_path", group="application")
            define("static_path", group="application")
            application = Application(handlers, **options.group_dict("application"))
        """
        members = (option for option in self._options.values() if not group or group == option.group_name)
        return {option.name: option.value() for option in members}

    def as_dict(self) -> dict[str, Any]:
        """Return names and values of all options."""
        return dict(self.items())

    def define(
        self,
        name: str,
        default: Any = None,
        type: Any = None,
        help: str | None = None,
        metavar: str | None = None,
        multiple: bool = False,
        group: str | None = None,
        callback: Callable[[Any], Any] | None = None,
    ) -> None:
        """Define an option.

        :param type: what values from outside are converted to: `str`, `int`, `float`, `bool`,
            `datetime.datetime`, `datetime.timedelta`, or any callable that takes the text. Without one,
            the type of ``default``, or `str`.
        :param help: shown by ``--help``, with ``metavar`` standing for the value.
        :param multiple: the value is a list. It is given separated by commas; for integers
            ``x:y`` is the range from x to y, both included.
        :param group: headline that the option is listed under; by default the defining file's path.
        :param callback: called with each new value, both from parsing and from code. It may parse a
            configuration file, so that ``--config=...`` works; pass ``final=False`` there.
        :raises Error: the name is taken.
        """
        normalized = self._normalize_name(name)
        taken = self._options.get(normalized)
        if taken is not None:
            raise Error(f"Option {normalized!r} already defined in {taken.file_name}")
        file_name = _defining_file(sys._getframe(0))
        if type is None:
            type = str if multiple or default is None else default.__class__
        self._options[normalized] = _Option(
            name, default, type, help, metavar, multiple, file_name, group or file_name, callback
        )

    def parse_command_line(self, args: list[str] | None = None, final: bool = True) -> list[str]:
        """Set options from a command line, and return the arguments that follow the options.

        Options end at the first argument without a leading dash, or after ``--``.

        :param args: by default `sys.argv`. The first one, the program's name, is ignored.
        :param final: run the parse callbacks; false where more sources of options are to come.
        :raises Error: an option is unknown, or lacks its value.
        """
        words = sys.argv if args is None else args
        rest: list[str] = []
        for position, word in enumerate(words[1:], 1):
            if word == "--":
                rest = words[position + 1 :]
                break
            if not word.startswith("-"):
                rest = words[position:]
                break
            self._parse_argument(word.lstrip("-"))
        if final:
            self.run_parse_callbacks()
        return rest

    def _parse_argument(self, argument: str) -> None:
        name, equals, value = argument.partition("=")
        name = self._normalize_name(name)
        if name not in self._options:
            self.print_help()
            raise Error(f"Unrecognized command line option: {name!r}")
        option = self._options[name]
        if not equals:
            if option.type is not bool:
                raise Error(f"Option {name!r} requires a value")
            value = "true"
        try:
            option.parse(value)
        except (ValueError, Error) as error:
            _hints.add(error, "option-value", name=name, type=option.type.__name__, value=value)
            raise

    def parse_config_file(self, path: str, final: bool = True) -> None:
        """Run a file of Python code (UTF-8) and set the options its variables are named after.

        Values must have their option's type; no text is converted. The code finds its own
        absolute path in ``__file__``. Variables that are no options are ignored.

        :raises Error: a value is of the wrong type.
        :arg final: run the callbacks of `add_parse_callback`; False when more is to be parsed.
        """
        namespace: dict[str, Any] = {"__file__": os.path.abspath(path)}
        try:
            file = open(path, "rb")
        except OSError as error:
            _hints.add(error, "option-file", path=path, folder=os.getcwd())
            raise
        with file:
            exec_in(native_str(file.read()), namespace, namespace)
        for name, value in namespace.items():
            option = self._options.get(self._normalize_name(name))
            if option is not None:
                try:
                    option.set(value)
                except Error as error:
                    wanted = f"a list of {option.type.__name__}" if option.multiple else option.type.__name__
                    _hints.add(error, "option-type", name=name, path=path, type=wanted)
                    raise
        if final:
            self.run_parse_callbacks()

    def print_help(self, file: TextIO | None = None) -> None:
        """Write the list of options, as ``--help`` does; by default to standard error.

        :arg file: what is written to.
        """
        out = sys.stderr if file is None else file
        groups: dict[str, list[_Option]] = {}
        for option in self._options.values():
            groups.setdefault(option.group_name, []).append(option)
        print(f"Usage: {sys.argv[0]} [OPTIONS]\n\nOptions:\n", file=out)
        for group_name in sorted(groups):
            if group_name:
                print(f"\n{os.path.normpath(group_name)} options:\n", file=out)
            for option in sorted(groups[group_name], key=lambda option: option.name):
                print(self._help_text(option), file=out)
        print(file=out)

    def _help_text(self, option: _Option) -> str:
        """Return an option's lines: its name in a column of 34 characters, its help in one of 44."""
        flag = self._normalize_name(option.name)
        if option.metavar:
            flag = f"{flag}={option.metavar}"
        text = option.help or ""
        if option.default is not None and option.default != "":
            text += f" (default {option.default})"
        column = textwrap.wrap(text, 44)
        if len(flag) > 30 or not column:
            column = ["", *column]
        return f"  --{flag:<30} " + ("\n" + " " * 35).join(column)

    def _help_callback(self, value: bool) -> None:
        if value:
            self.print_help()
            sys.exit(0)

    def add_parse_callback(self, callback: Callable[[], Any]) -> None:
        """Have ``callback()`` called when parsing is finished."""
        self._parse_callbacks.append(stack_context.wrap(callback))

    def run_parse_callbacks(self) -> None:
        """Call what `add_parse_callback` was given, in order; each final parse does."""
        for callback in self._parse_callbacks:
            callback()

    def mockable(self) -> _Mockable:
        """Return a stand-in on which `unittest.mock.patch` can set options.

        ``patch`` deletes the attributes it has set, which options do not allow::

            with mock.patch.object(options.mockable(), "port", 8001):
                run_the_test()
        """
        return _Mockable(self)


def _defining_file(frame: FrameType) -> str:
    """Return the file that a call of ``define``, running in ``frame``, comes from.

    Our own file counts as none: the name is then empty.
    """
    this_file = frame.f_code.co_filename
    caller = frame.f_back
    if caller is not None and (caller.f_code.co_filename, caller.f_code.co_name) == (this_file, "define"):
        caller = caller.f_back  # that was the module's function, which passes its arguments on
    file_name = caller.f_code.co_filename if caller is not None else ""
    return "" if file_name == this_file else file_name


class _Mockable:
    """Sets options of a parser, remembers what they were, and puts that back on ``del``.

    Each object serves one ``patch``: it has room for one original an option.
    """

    _options: OptionParser
    _originals: dict[str, Any]

    def __init__(self, options: OptionParser) -> None:
        self.__dict__.update(_options=options, _originals={})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._options, name)

    def __delattr__(self, name: str) -> None:
        setattr(self._options, name, self._originals.pop(name))

    def __setattr__(self, name: str, value: Any) -> None:
        assert name not in self._originals, "don't reuse mockable objects"
        before = getattr(self._options, name)
        self._originals[name] = before
        setattr(self._options, name, value)


class _Option:
    """One option: its definition, and its value once it has one."""

    def __init__(
        self,
        name: str,
        default: Any = None,
        type: Any = basestring_type,
        help: _Text = None,
        metavar: _Text = None,
        multiple: bool = False,
        file_name: _Text = None,
        group_name: _Text = None,
        callback: Callable[[Any], Any] | None = None,
    ) -> None:
        self.name, self.type = name, type
        self.help, self.metavar = help, metavar
        self.multiple = multiple
        self.default = [] if multiple and default is None else default
        self.file_name = file_name
        self.group_name: str = group_name  # type: ignore[assignment]
        self.callback = callback
        self._value: Any = self.UNSET

    UNSET = object()

    def value(self) -> Any:
        """Return the value, or the default if none was set."""
        return self.default if self._value is self.UNSET else self._value

    def parse(self, value: str) -> Any:
        """Convert text from outside, set and return the result."""
        convert = self._CONVERTERS.get(self.type)
        read = self.type if convert is None else getattr(self, convert)
        if self.multiple:
            self._value = []  # before conversion, as in 4.5.3: a failure leaves the list empty
            whole_numbers = isinstance(self.type, _Type) and issubclass(self.type, numbers.Integral)
            for part in value.split(","):
                self._value += self._parse_range(part, read) if whole_numbers else [read(part)]
        else:
            self._value = read(value)
        return self._announce()

    def _parse_range(self, text: str, read: Callable[[str], Any]) -> range:
        low, _, high = text.partition(":")
        first = read(low)
        return range(first, (read(high) if high else first) + 1)

    def set(self, value: Any) -> None:
        """Set the value from code.

        :raises Error: it is not of the option's type. ``None`` always is.
        """
        if self.multiple:
            items = value if isinstance(value, list) else [self.UNSET]
            if not all(item is None or isinstance(item, self.type) for item in items):
                raise Error(f"Option {self.name!r} is required to be a list of {self.type.__name__}")
        elif value is not None and not isinstance(value, self.type):
            wanted, given = self.type.__name__, _Type(value)
            raise Error(f"Option {self.name!r} is required to be a {wanted} ({given} given)")
        self._value = value
        self._announce()

    def _announce(self) -> Any:
        if self.callback is not None:
            self.callback(self._value)
        return self.value()

    # Tried from top to bottom.
    _DATETIME_FORMATS = (
        "%a %b %d %H:%M:%S %Y|%Y-%m-%d %H:%M:%S|%Y-%m-%d %H:%M|%Y-%m-%dT%H:%M|"
        "%Y%m%d %H:%M:%S|%Y%m%d %H:%M|%Y-%m-%d|%Y%m%d|%H:%M:%S|%H:%M"
    ).split("|")

    def _parse_datetime(self, value: str) -> datetime.datetime:
        for form in self._DATETIME_FORMATS:
            try:
                return datetime.datetime.strptime(value, form)
            except ValueError:
                continue  # not this form, then
        raise Error(f"Unrecognized date/time format: {value!r}")

    # Python's own names for the parts of a timedelta are known besides.
    _TIMEDELTA_ABBREV_DICT = {
        "": "seconds",
        "us": "microseconds",
        "ms": "milliseconds",
        "s": "seconds",
        "sec": "seconds",
        "m": "minutes",
        "min": "minutes",
        "h": "hours",
        "d": "days",
        "w": "weeks",
    }
    #: The same the other way round, as 4.0 to 4.2 had it.
    _TIMEDELTA_ABBREVS = [
        ("hours", ["h"]),
        ("minutes", ["m", "min"]),
        ("seconds", ["s", "sec"]),
        ("milliseconds", ["ms"]),
        ("microseconds", ["us"]),
        ("days", ["d"]),
        ("weeks", ["w"]),
    ]
    _TIMEDELTA_PATTERN = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\w*)\s*")

    def _parse_timedelta(self, value: str) -> datetime.timedelta:
        """Add up parts such as ``1h 30m``; a number alone counts seconds."""
        total = datetime.timedelta()
        position = 0
        while position < len(value):
            part = self._TIMEDELTA_PATTERN.match(value, position)
            if part is None:
                # As in 4.5.3, a plain Exception.
                raise Exception(f"Unrecognized time span: {value!r}")
            number, unit = part.groups()
            unit = self._TIMEDELTA_ABBREV_DICT.get(unit, unit)
            total += datetime.timedelta(**{unit: float(number)})
            position = part.end()
        return total

    def _parse_bool(self, value: str) -> bool:
        return value.lower() not in {"false", "0", "f"}

    def _parse_string(self, value: str) -> str:
        return _unicode(value)

    # What other types do with text, they do in their own constructors.
    #: By name, so that a method that somebody replaces takes effect.
    _CONVERTERS: dict[Any, str] = {
        datetime.datetime: "_parse_datetime",
        datetime.timedelta: "_parse_timedelta",
        bool: "_parse_bool",
        basestring_type: "_parse_string",
    }


#: The global options; all that are defined are attributes of this object.
options = OptionParser()


def define(
    name: str,
    default: Any = None,
    type: Any = None,
    help: str | None = None,
    metavar: str | None = None,
    multiple: bool = False,
    group: str | None = None,
    callback: Callable[[Any], Any] | None = None,
) -> None:
    """Define an option in the global parser; see `OptionParser.define`."""
    options.define(name, default, type, help, metavar, multiple, group, callback)


def parse_command_line(args: list[str] | None = None, final: bool = True) -> list[str]:
    """Set global options from the command line; see `OptionParser.parse_command_line`."""
    return options.parse_command_line(args, final)


def parse_config_file(path: str, final: bool = True) -> None:
    """Set global options from a file; see `OptionParser.parse_config_file`."""
    options.parse_config_file(path, final)


def print_help(file: TextIO | None = None) -> None:
    """Write help for the global options; see `OptionParser.print_help`."""
    options.print_help(file)


def add_parse_callback(callback: Callable[[], Any]) -> None:
    """Have ``callback()`` called after parsing; see `OptionParser.add_parse_callback`."""
    options.add_parse_callback(callback)


log._use_options(lambda: options)


__all__ = [
    "Error",
    "OptionParser",
    "add_parse_callback",
    "define",
    "define_logging_options",
    "options",
    "parse_command_line",
    "parse_config_file",
    "print_help",
]

_handed_on.complete(globals())
