"""One helper for all HTTP/1 tests: the same bytes, cut in every way, must read the same.

``read(reader_factory, data)`` feeds ``data`` whole, byte by byte, and with a stranger's bytes behind it, and
gives back what came out, once all three agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tornado4._wire.http1 import END, NEED_DATA, Head, MessageReader
from tornado4.httputil import HTTPInputError

TRAILING = b"GET /next HTTP/1.1\r\nHost: trailing\r\n\r\n"


class Message(NamedTuple):
    start_line: Any
    headers: list[tuple[str, str]]
    body: bytes
    complete: bool
    keep_alive: bool


class Outcome(NamedTuple):
    messages: list[Message]
    error: str | None
    status: int | None


def drain(reader: MessageReader, into: list[Any]) -> HTTPInputError | None:
    """Append all events that ``reader`` has to ``into``."""
    while True:
        try:
            event = reader.next_event()
        except HTTPInputError as error:
            return error
        if event is NEED_DATA:
            return None
        into.append(event)


def gather(events: list[Any], error: HTTPInputError | None) -> Outcome:
    messages: list[Message] = []
    for event in events:
        if isinstance(event, Head):
            messages.append(
                Message(event.start_line, list(event.headers.get_all()), b"", False, event.keep_alive)
            )
        elif event is END:
            messages[-1] = messages[-1]._replace(complete=True)
        else:
            assert event, "an empty piece of body"
            messages[-1] = messages[-1]._replace(body=messages[-1].body + event)
    return Outcome(
        messages, None if error is None else str(error), None if error is None else error.status_code
    )


def feed(make: Callable[[], MessageReader], pieces: list[bytes], eof: bool = False) -> Outcome:
    reader = make()
    events: list[Any] = []
    error: HTTPInputError | None = None
    for piece in pieces:
        reader.feed(piece)
        error = drain(reader, events)
        if error is not None:
            break
    if eof and error is None:
        reader.feed_eof()
        error = drain(reader, events)
    return gather(events, error)


def read(make: Callable[[], MessageReader], data: bytes, eof: bool = False) -> Outcome:
    """What ``data`` says, however it is cut. With ``eof`` the connection ends behind it."""
    whole = feed(make, [data], eof)
    one_by_one = feed(make, [data[i : i + 1] for i in range(len(data))], eof)
    assert one_by_one.messages == whole.messages
    assert one_by_one.status == whole.status
    halves = feed(make, [data[: len(data) // 2], data[len(data) // 2 :]], eof)
    assert halves.messages == whole.messages
    assert halves.status == whole.status
    if not eof and whole.error is None and whole.messages and whole.messages[-1].complete:
        trailed = feed(make, [data + TRAILING])
        assert trailed.messages[: len(whole.messages)] == whole.messages
    return whole
