"""Access lines: their records are what `logging` itself would make, though it makes only one a second."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tornado4.log import access_log
from tornado4.web import access

CALLER = access.log.__code__


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[logging.LogRecord]]:
    """What the access log is given; no model is there at first."""
    seen: list[logging.LogRecord] = []
    monkeypatch.setattr(access_log, "handle", seen.append)
    access._models.clear()
    level = access_log.level
    access_log.setLevel(logging.INFO)
    yield seen
    access_log.setLevel(level)
    access._models.clear()


def log(status: int = 200) -> None:
    access.log(logging.INFO, (status, "GET / (1.2.3.4)", 0.5), CALLER)


def test_the_second_record_is_as_the_first(records: list[logging.LogRecord]) -> None:
    log()
    log(304)
    first, second = (record.__dict__ for record in records)
    assert first.keys() == second.keys()
    differ = {name for name in first if first[name] != second[name]}
    assert {"args"} <= differ <= {"args", "created", "msecs", "relativeCreated"}
    assert second["created"] - first["created"] == pytest.approx(
        (second["relativeCreated"] - first["relativeCreated"]) / 1000, abs=1e-4
    )
    assert second["msecs"] == second["created"] % 1 * 1000 // 1
    assert records[1].getMessage() == "304 GET / (1.2.3.4) 0.50ms"
    assert (second["module"], second["funcName"], second["levelname"]) == ("web", "log", "INFO")


def test_what_handlers_write_into_a_record_stays_there(records: list[logging.LogRecord]) -> None:
    log()
    records[0].asctime = "then"
    log()
    assert not hasattr(records[1], "asctime")


def test_another_thread_is_told_as_such(records: list[logging.LogRecord]) -> None:
    log()
    thread = threading.Thread(target=log, name="other")
    thread.start()
    thread.join()
    assert [record.threadName for record in records] == [threading.current_thread().name, "other"]


def test_a_record_is_too_old_after_a_second(
    records: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    log()
    threading.current_thread().name, before = "renamed", threading.current_thread().name
    try:
        log()
        monkeypatch.setattr(access.time, "time", lambda: records[0].created + 1)
        log()
    finally:
        threading.current_thread().name = before
    assert [record.threadName for record in records] == [before, before, "renamed"]


def test_a_record_factory_of_somebodys_own_is_asked_each_time(records: list[logging.LogRecord]) -> None:
    class Own(logging.LogRecord):
        pass

    usual = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Own)
    try:
        log()
        log()
    finally:
        logging.setLogRecordFactory(usual)
    log()
    assert [type(record) for record in records] == [Own, Own, logging.LogRecord]


def test_a_method_of_somebodys_own_is_called(
    records: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(access_log, "info", lambda *args: calls.append(args))
    log()
    assert calls == [("%d %s %.2fms", 200, "GET / (1.2.3.4)", 0.5)] and not records


def test_the_name_of_the_task_is_that_of_the_moment(records: list[logging.LogRecord]) -> None:
    async def main() -> None:
        log()
        await asyncio.create_task(asyncio.to_thread(lambda: None))
        await asyncio.create_task(named(), name="named")

    async def named() -> None:
        log()

    log()
    if not hasattr(records[0], "taskName"):
        return  # Python 3.11 knows no such field
    asyncio.run(main())
    names = [record.taskName for record in records]  # type: ignore[attr-defined,unused-ignore]
    assert (names[0], names[2]) == (None, "named") and names[1] is not None


def test_a_level_that_is_off_makes_no_record(records: list[logging.LogRecord]) -> None:
    access_log.setLevel(logging.WARNING)
    log()
    assert not records
