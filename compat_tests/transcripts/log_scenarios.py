"""tornado.log."""
import logging
import sys

from tornado import log
from tornado.options import OptionParser


def formatted(formatter, message, *args, **kwargs):
    record = logging.LogRecord("name", kwargs.pop("level", logging.INFO), "file.py", 7, message, args, kwargs.pop("exc_info", None))
    record.created = 0
    text = formatter.format(record)
    return text[:2] + text[text.index(" file:"):] if " file:" in text else text


def plain(record):
    f = log.LogFormatter(color=False)
    record(formatted(f, "hello %s", "x"), formatted(f, "error", level=logging.ERROR), formatted(f, "two\nlines"))


def byte_messages(record):
    f = log.LogFormatter(color=False)
    record(formatted(f, b"\xc3\xa9"), formatted(f, b"\xff"), formatted(f, u"\u00e9"))


def bad_messages(record):
    f = log.LogFormatter(color=False)
    record(formatted(f, "%s %s", "one")[:40])


def with_exception(record):
    f = log.LogFormatter(color=False)
    try:
        1 / 0
    except ZeroDivisionError:
        text = formatted(f, "failed", exc_info=sys.exc_info())
    record(text.splitlines()[0], text.splitlines()[-1])


def own_format(record):
    f = log.LogFormatter(fmt="%(color)s[%(levelname)s]%(end_color)s %(message)s", color=False)
    record(formatted(f, "x"), formatted(f, "y", level=logging.WARNING))
    f = log.LogFormatter(fmt="%(asctime)s", datefmt="%Y", color=False)
    record(formatted(f, "x"))


def defaults(record):
    record(log.LogFormatter.DEFAULT_FORMAT, log.LogFormatter.DEFAULT_DATE_FORMAT, sorted(log.LogFormatter.DEFAULT_COLORS.items()))
    record(log.access_log.name, log.app_log.name, log.gen_log.name)


def options(record):
    o = OptionParser()
    log.define_logging_options(o)
    record(sorted((k, v) for k, v in o.as_dict().items() if k != "help"))
    o.logging = "none"
    record(log.enable_pretty_logging(o))


def pretty_logging_level(record):
    logger = logging.Logger("own")
    o = OptionParser()
    log.define_logging_options(o)
    o.logging = "warning"
    log.enable_pretty_logging(options=o, logger=logger)
    record(logger.level, [type(h).__name__ for h in logger.handlers], [type(h.formatter).__name__ for h in logger.handlers])


def rotation_modes(record):
    import os
    import shutil
    import tempfile
    folder = tempfile.mkdtemp()
    for mode in ("size", "time", "other"):
        logger = logging.Logger("own")
        o = OptionParser()
        log.define_logging_options(o)
        o.log_file_prefix = os.path.join(folder, "log")
        o.log_rotate_mode = mode
        try:
            log.enable_pretty_logging(options=o, logger=logger)
            record([type(h).__name__ for h in logger.handlers], [getattr(h, "backupCount", None) for h in logger.handlers])
        except ValueError as e:
            record(e)
        for handler in logger.handlers:
            handler.close()
    shutil.rmtree(folder)
