"""tornado4.log; formats and levels were compared with the real 4.5.3."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys

import pytest

from tornado4 import log
from tornado4.log import LogFormatter, define_logging_options, enable_pretty_logging
from tornado4.options import Error, OptionParser


@pytest.fixture
def logger():
    made = logging.Logger("test_log")
    yield made
    for handler in made.handlers:
        handler.close()


@pytest.fixture
def options():
    parser = OptionParser()
    define_logging_options(parser)
    return parser


def record(message, *args, level=logging.INFO, exc_info=None):
    return logging.LogRecord("name", level, "/dir/module_x.py", 12, message, args, exc_info)


class TestFormatter:
    def formatted(self, *args, **kwargs):
        text = LogFormatter(color=False).format(record(*args, **kwargs))
        head, _, rest = text.partition("] ")
        assert re.fullmatch(r"\[I \d{6} \d\d:\d\d:\d\d module_x:12", head)
        return rest

    def test_one_line(self):
        assert self.formatted("hi %s", "x") == "hi x"

    def test_later_lines_are_indented_so_that_no_text_passes_for_a_line(self):
        assert self.formatted("a\n[I 000101 forged]\n") == "a\n    [I 000101 forged]\n    "

    def test_the_second_changes_with_the_record(self):
        formatter = LogFormatter(color=False, fmt="%(asctime)s", datefmt="%S")
        one = record("x")
        for created, shown in ((60.2, "00"), (60.9, "00"), (61.1, "01"), (60.5, "00")):
            one.created = created
            assert formatter.format(one) == shown
        formatter.datefmt = "%M:%S"
        assert formatter.format(one) == "01:00"

    def test_a_format_time_of_ones_own_is_asked_each_time(self):
        class Counting(LogFormatter):
            count = 0

            def formatTime(self, record, datefmt=None):
                self.count += 1
                return str(self.count)

        formatter = Counting(color=False, fmt="%(asctime)s")
        assert [formatter.format(record("x")) for _ in range(3)] == ["1", "2", "3"]

    def test_bytes_are_shown_as_their_repr(self):
        assert self.formatted(b"\xff") == r"b'\xff'"

    def test_a_message_that_cannot_be_formatted_is_not_lost(self):
        text = self.formatted("%s %s", "only one")
        assert text.startswith("Bad message (TypeError('not enough arguments for format string')): {'name'")

    def test_traceback_is_indented(self):
        try:
            raise ValueError("böse")
        except ValueError:
            text = self.formatted("oh\n", exc_info=sys.exc_info())
        lines = text.split("\n")
        assert lines[0] == "oh"
        assert lines[1] == "    Traceback (most recent call last):"
        assert lines[-1] == "    ValueError: böse"

    def test_colors_by_level(self):
        formatter = LogFormatter(fmt="%(color)s%(levelname)s%(end_color)s %(message)s", color=False)
        formatter._colors, formatter._normal = {logging.ERROR: "<"}, ">"
        assert formatter.format(record("x", level=logging.ERROR)) == "<ERROR> x"
        assert formatter.format(record("x", level=logging.INFO)) == "INFO x"

    @pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
    def test_a_terminal_with_colors_gets_them(self, monkeypatch):
        monkeypatch.setenv("TERM", "xterm-256color")
        ours, theirs = os.openpty()
        with os.fdopen(ours, "rb"), os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", terminal)
            if not log._stderr_supports_color():
                pytest.skip("no terminal descriptions here")
            colored = LogFormatter().format(record("x", level=logging.ERROR))
        assert re.match(r"\x1b\[31m\[E .*\]\x1b\S+ x$", colored)

    def test_no_color_without_a_terminal(self, monkeypatch, tmp_path):
        with open(tmp_path / "err", "w") as plain:
            monkeypatch.setattr(sys, "stderr", plain)
            assert LogFormatter()._colors == {}

    def test_ansi_codes_where_there_is_no_curses(self, monkeypatch):
        monkeypatch.setattr(log, "curses", None)
        assert log._terminal_codes({10: 4}) == ({10: "\033[2;34m"}, "\033[0m")

    def test_style_is_accepted_and_percent_kept(self):
        assert LogFormatter(fmt="%(message)s", style="{", color=False).format(record("x")) == "x"


class TestEnable:
    def test_default_is_info_to_stderr(self, options, logger):
        enable_pretty_logging(options, logger)
        assert logger.level == logging.INFO
        assert [type(handler) for handler in logger.handlers] == [logging.StreamHandler]
        assert isinstance(logger.handlers[0].formatter, LogFormatter)

    @pytest.mark.parametrize("level", ["none", "None", None])
    def test_none_leaves_logging_alone(self, options, logger, level):
        options.logging = level
        enable_pretty_logging(options, logger)
        assert (logger.level, logger.handlers) == (logging.NOTSET, [])

    def test_stderr_is_left_alone_where_handlers_are(self, options, logger):
        logger.addHandler(logging.NullHandler())
        enable_pretty_logging(options, logger)
        assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]

    def test_file_by_size(self, options, logger, tmp_path):
        options.log_file_prefix = str(tmp_path / "log")
        options.log_file_max_size, options.log_to_stderr = 99, True
        enable_pretty_logging(options, logger)
        first, second = logger.handlers
        assert (type(first), first.maxBytes, first.backupCount) == (
            logging.handlers.RotatingFileHandler,
            99,
            10,
        )
        assert type(second) is logging.StreamHandler
        first.emit(record("héllo"))
        assert "] h" in (tmp_path / "log").read_text()

    @pytest.mark.parametrize("mode", ["size", "time"])
    def test_no_character_keeps_a_line_out_of_a_file(self, options, logger, tmp_path, mode, monkeypatch):
        """4.5.3 lost the line, with a traceback on standard error."""
        monkeypatch.setattr("io.text_encoding", lambda encoding, stacklevel=2: encoding or "ascii")
        options.log_file_prefix, options.log_rotate_mode = str(tmp_path / "log"), mode
        enable_pretty_logging(options, logger)
        (handler,) = logger.handlers
        assert handler.encoding == "ascii"
        handler.emit(record("404 GET /h\xe9\u2603"))
        handler.close()
        assert "404 GET /h\\xe9\\u2603\n" in (tmp_path / "log").read_text()

    def test_file_by_time(self, options, logger, tmp_path):
        options.log_file_prefix, options.log_rotate_mode = str(tmp_path / "log"), "time"
        options.log_rotate_when, options.log_rotate_interval = "H", 3
        enable_pretty_logging(options, logger)
        (handler,) = logger.handlers
        assert (handler.when, handler.interval, handler.backupCount) == ("H", 3 * 3600, 10)

    def test_unknown_rotation_is_refused_in_words_of_453(self, options, logger, tmp_path):
        options.log_file_prefix, options.log_rotate_mode = str(tmp_path / "log"), "moon"
        with pytest.raises(ValueError) as caught:
            enable_pretty_logging(options, logger)
        assert str(caught.value) == (
            'The value of log_rotate_mode option should be "size" or "time", not "moon".'
        )

    def test_unknown_level_is_an_attribute_error_as_in_453(self, options, logger):
        options.logging = "bogus"
        with pytest.raises(AttributeError, match=r"BOGUS"):
            enable_pretty_logging(options, logger)


def test_global_options_have_them_already():
    with pytest.raises(Error, match=r"Option 'logging' already defined in .*log\.py"):
        define_logging_options()


def test_loggers_keep_the_names_of_453():
    names = [logger.name for logger in (log.access_log, log.app_log, log.gen_log)]
    assert names == ["tornado.access", "tornado.application", "tornado.general"]


def in_new_process(code, *args):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args], capture_output=True, text=True, check=True
    )
    return done.stderr


class TestWholeProcess:
    def test_parsing_turns_logging_on(self):
        code = "import logging, tornado4.options as o; o.parse_command_line(); logging.info('hello')"
        assert "] hello" in in_new_process(code)
        assert in_new_process(code, "--logging=none") == ""

    def test_log_alone_needs_no_options_module(self):
        code = (
            "import logging, sys, tornado4.log as l; l.define_logging_options(); l.enable_pretty_logging();"
            "assert 'tornado4.options' not in sys.modules; logging.info('hello')"
        )
        assert "] hello" in in_new_process(code)

    def test_replaced_global_options_are_asked(self):
        code = (
            "import logging, tornado4.options as o, tornado4.log as l; o.options = o.OptionParser();"
            "l.define_logging_options(o.options); o.options.logging = 'error';"
            "l.enable_pretty_logging(); logging.info('hello')"
        )
        assert in_new_process(code) == ""
