"""Logging: three loggers, a formatter for people, and the options that set both up.

- ``tornado.access``: one line a request served;
- ``tornado.application``: errors that come from the application's code;
- ``tornado.general``: everything else, errors and warnings of tornado4 itself.

The names are 4.5.3's, as logging configurations mention them. All three are plain `logging` loggers
and propagate to the root logger; nothing is configured until `enable_pretty_logging` runs, which
`tornado4.options.parse_command_line` does by itself.

This module lies below `tornado4.options`, which announces its global options object here
(`_use_options`), so that neither imports the other in a circle.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Literal

from tornado4 import _handed_on
from tornado4.escape import _unicode
from tornado4.util import basestring_type, unicode_type

#: A line for each request that was answered: INFO below 400, WARNING below 500, else ERROR.
access_log = logging.getLogger("tornado.access")
#: Exceptions of handlers and callbacks that nobody has caught.
app_log = logging.getLogger("tornado.application")
#: All else: connections, malformed requests, closed streams.
gen_log = logging.getLogger("tornado.general")

# Name, default, type, metavar and help of the options; the words are part of --help as in 4.5.3.
_OPTIONS: tuple[tuple[str, Any, type, str | None, str], ...] = (
    (
        "logging",
        "info",
        str,
        "debug|info|warning|error|none",
        "Set the Python log level. If 'none', tornado won't touch the logging configuration.",
    ),
    (
        "log_to_stderr",
        None,
        bool,
        None,
        (
            "Send log output to stderr (colorized if possible). By default use stderr if "
            "--log_file_prefix is not set and no other logging is configured."
        ),
    ),
    (
        "log_file_prefix",
        None,
        str,
        "PATH",
        (
            "Path prefix for log files. Note that if you are running multiple tornado processes, "
            "log_file_prefix must be different for each of them (e.g. include the port number)"
        ),
    ),
    ("log_file_max_size", 100 * 1000 * 1000, int, None, "max size of log files before rollover"),
    ("log_file_num_backups", 10, int, None, "number of log files to keep"),
    (
        "log_rotate_when",
        "midnight",
        str,
        None,
        "specify the type of TimedRotatingFileHandler interval other options:('S', 'M', 'H', 'D', 'W0'-'W6')",
    ),
    ("log_rotate_interval", 1, int, None, "The interval value of timed rotating"),
    ("log_rotate_mode", "size", str, None, "The mode of rotating files(time or size)"),
)

_DEFAULTS = SimpleNamespace(**{name: default for name, default, *_ in _OPTIONS})


def _process_options() -> Any:
    """Return what functions here use when they are given no options."""
    return _DEFAULTS


def _use_options(find_options: Callable[[], Any]) -> None:
    """Define our options in the global `.OptionParser`, and ask ``find_options`` for it from now on.

    A function and not the object, for the sake of tests that replace ``tornado.options.options``.
    """
    global _process_options
    define_logging_options(find_options())
    _process_options = find_options


def _terminal_library(name: str) -> Any:
    """The module's ``curses`` or ``colorama``, imported when a terminal is there; None where there is none."""
    return _handed_on.own(globals(), name)


def _stderr_supports_color() -> bool:
    stream = sys.stderr
    try:
        if not stream.isatty():
            return False
        curses, colorama = _terminal_library("curses"), _terminal_library("colorama")
        if curses is not None:
            curses.setupterm()
            return bool(curses.tigetnum("colors") > 0)
        return colorama is not None and stream is getattr(colorama.initialise, "wrapped_stderr", None)
    except Exception:
        # A terminal that is unknown, or no real stream at all, has its own errors (curses.error,
        # AttributeError, ValueError, ...). All mean the same: write plain text.
        return False


def _safe_unicode(s: str | bytes) -> str:
    try:
        text = _unicode(s)
    except UnicodeDecodeError:
        text = repr(s)
    return text


class LogFormatter(logging.Formatter):
    """Formats one line a message, its head coloured where the terminal can.

    A message of several lines, such as one with a traceback, has all lines but the first indented
    by four spaces, so that text from outside cannot pass for a line of its own. A message that
    cannot be formatted is shown with the reason instead of being lost.

    :param fmt: the line, in ``%`` style; besides the usual fields there are ``color`` and
        ``end_color``.
    :param datefmt: how to write ``asctime``, for `time.strftime`.
    :param style: accepted so that `logging.config` can pass it; only ``%`` has an effect.
    :param color: use colours if standard error is a terminal that supports them.
    :param colors: colour numbers by log level.
    """

    #: One letter for the level, the time, where it was logged, and the message.
    DEFAULT_FORMAT = "%(color)s[%(levelname)1.1s %(asctime)s %(module)s:%(lineno)d]%(end_color)s %(message)s"
    #: Year, month and day without anything between, then the time.
    DEFAULT_DATE_FORMAT = "%y%m%d %H:%M:%S"
    #: By level: blue, green, yellow, red, as numbers of a terminal's colours.
    DEFAULT_COLORS = {logging.DEBUG: 4, logging.INFO: 2, logging.WARNING: 3, logging.ERROR: 1}

    def __init__(
        self,
        fmt: str = DEFAULT_FORMAT,
        datefmt: str = DEFAULT_DATE_FORMAT,
        style: Literal["%", "{", "$"] = "%",
        color: bool = True,
        colors: Mapping[int, int] = DEFAULT_COLORS,
    ) -> None:
        super().__init__(datefmt=datefmt)
        self._fmt: str = fmt
        self._colors: dict[int, str] = {}
        self._normal = ""
        self._shown: tuple[Any, str] = (None, "")  # the last moment shown, and its text
        if color and _stderr_supports_color():
            self._colors, self._normal = _terminal_codes(colors)

    def format(self, record: Any) -> str:
        """Return the text of a record; sets its ``message``, ``asctime``, ``color`` and ``end_color``."""
        try:
            message = record.getMessage()
            record.message = _safe_unicode(message)
        except Exception as error:
            # Whatever goes wrong in somebody's __str__: a log call must not fail the caller.
            record.message = f"Bad message ({error!r}): {record.__dict__!r}"
        record.asctime = self._format_second(record)
        color = self._colors.get(record.levelno)
        record.color, record.end_color = ("", "") if color is None else (color, self._normal)

        text: str = self._fmt % record.__dict__
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            text = text.rstrip() + "\n" + _safe_unicode(record.exc_text)
        return text.replace("\n", "\n    ")

    def _format_second(self, record: Any) -> str:
        """`formatTime`, asked once a second, since a date format of `time.strftime` knows nothing smaller."""
        if not self.datefmt or type(self).formatTime is not logging.Formatter.formatTime:
            return self.formatTime(record, self.datefmt)  # with milliseconds, or of somebody's own making
        moment = int(record.created), self.datefmt, self.converter
        shown_moment, text = self._shown
        if shown_moment != moment:
            text = self.formatTime(record, self.datefmt)
            self._shown = moment, text
        return text


def _terminal_codes(colors: Mapping[int, int]) -> tuple[dict[int, str], str]:
    """Return what to write before a line of each level, and after it."""
    curses = _terminal_library("curses")
    if curses is None:
        # colorama, on Windows, translates ANSI sequences.
        return {level: f"\033[2;3{number}m" for level, number in colors.items()}, "\033[0m"
    foreground = curses.tigetstr("setaf") or curses.tigetstr("setf") or b""
    codes = {level: curses.tparm(foreground, number).decode("ascii") for level, number in colors.items()}
    return codes, (curses.tigetstr("sgr0") or b"").decode("ascii")


def enable_pretty_logging(options: Any = None, logger: logging.Logger | None = None) -> None:
    """Set a logger's level and give it handlers, as ``options`` say.

    Called through `tornado4.options.parse_command_line` and `parse_config_file`.

    :param options: where the logging options are read; by default the global ones.
    :param logger: by default the root logger.
    :raises ValueError: ``log_rotate_mode`` is neither ``size`` nor ``time``.
    """
    settings = _process_options() if options is None else options
    if settings.logging is None or settings.logging.lower() == "none":
        return
    if logger is None:
        logger = logging.getLogger()
    logger.setLevel(getattr(logging, settings.logging.upper()))
    if settings.log_file_prefix:
        _attach(logger, _file_handler(settings), color=False)
    to_stderr = settings.log_to_stderr
    if to_stderr or (to_stderr is None and not logger.handlers):
        _attach(logger, logging.StreamHandler(), color=True)


def _attach(logger: logging.Logger, handler: logging.Handler, *, color: bool) -> None:
    handler.setFormatter(LogFormatter(color=color))
    logger.addHandler(handler)


def _file_handler(settings: Any) -> logging.Handler:
    path, backups = settings.log_file_prefix, settings.log_file_num_backups
    mode = settings.log_rotate_mode
    # The encoding is the locale's, as in 4.5.3; but no character of a peer's can keep its line out of the file.
    errors = "backslashreplace"
    if mode == "size":
        return logging.handlers.RotatingFileHandler(
            path, maxBytes=settings.log_file_max_size, backupCount=backups, errors=errors
        )
    if mode == "time":
        when, interval = settings.log_rotate_when, settings.log_rotate_interval
        return logging.handlers.TimedRotatingFileHandler(path, when, interval, backups, errors=errors)
    raise ValueError(f'The value of log_rotate_mode option should be "size" or "time", not "{mode}".')


def define_logging_options(options: Any = None) -> None:
    """Define the logging options in an `.OptionParser`, and have them applied after parsing.

    Only an application with an option parser of its own needs to call this: the global one has
    them already, which is why without an argument the answer is an "already defined" error.
    """
    target = _process_options() if options is None else options
    if target is _DEFAULTS:
        return  # nobody has imported tornado4.options; it will come back here when somebody does
    for name, default, kind, metavar, text in _OPTIONS:
        target.define(name, default, kind, text, metavar)
    target.add_parse_callback(lambda: enable_pretty_logging(target))


__all__ = [
    "LogFormatter",
    "access_log",
    "app_log",
    "basestring_type",
    "define_logging_options",
    "enable_pretty_logging",
    "gen_log",
    "unicode_type",
]

_handed_on.complete(globals())
