"""The access log: a line for each finished request, in as little time as `logging` allows.

For each line `logging` looks up the stack for the caller, and asks for thread, process and the parts of the file's
name. None of that differs from one request to the next, so it is asked for once a second, and the records in
between are copies of that one with a time and values of their own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from threading import get_ident
from types import CodeType

from tornado4._core.private_asyncio import get_running_loop
from tornado4.log import access_log

_Values = tuple[int, str, float]

_MESSAGE = "%d %s %.2fms"
_METHODS = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}

#: By level, the last record that `logging` made by itself. A forked child begins anew: it is another process.
_models: dict[int, logging.LogRecord] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_models.clear)


def log(level: int, values: _Values, caller: CodeType) -> None:
    """Log status, summary and milliseconds as ``access_log.info(...)`` and its like would, called by ``caller``.

    The record's ``module`` is ``web``, as in 4.5.3, since that is what the start of each log line shows.
    """
    method = _METHODS[level]
    if type(access_log) is not logging.Logger or method in access_log.__dict__:
        getattr(access_log, method)(_MESSAGE, *values)  # somebody has a way of logging of his own
    elif access_log.isEnabledFor(level):
        access_log.handle(_record(level, values, caller))


def _record(level: int, values: _Values, caller: CodeType) -> logging.LogRecord:
    now = time.time()
    model = _models.get(level)
    if (
        model is None
        or not 0 <= now - model.created < 1
        or model.thread != get_ident()
        or type(model) is not logging.getLogRecordFactory()
    ):
        return _make(level, values, caller)
    record = logging.LogRecord.__new__(logging.LogRecord)
    fields = record.__dict__
    fields.update(model.__dict__)
    fields["args"] = values
    fields["created"] = now
    fields["msecs"] = int(now % 1 * 1000) + 0.0  # whole ones, as `logging` has them
    fields["relativeCreated"] += (now - model.created) * 1000
    if "taskName" in fields and logging.logAsyncioTasks:  # type: ignore[attr-defined,unused-ignore]  # of 3.12
        fields["taskName"] = _task_name()
    return record


def _make(level: int, values: _Values, caller: CodeType) -> logging.LogRecord:
    """A record by `logging`; the next ones are made like it, if they may."""
    where = caller.co_filename, caller.co_firstlineno
    record = access_log.makeRecord(access_log.name, level, *where, _MESSAGE, values, None, caller.co_name)
    record.module = "web"
    if type(record) is logging.LogRecord:
        model = _models[level] = logging.LogRecord.__new__(logging.LogRecord)
        model.__dict__.update(record.__dict__)  # handlers write into what they are given
    return record


def _task_name() -> str | None:
    loop = get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    return None if task is None else task.get_name()
