"""What can follow from something else that differs: shared by the rows of deviations and the rules of the switch."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tornado4.migrate.diff.model import Difference, Kind, LogRecord

#: Headers that another page, or another body, has otherwise; an ETag stands for itself (`header_follows`).
_OF_THE_PAGE = frozenset({"content-type", "content-length", "connection", "transfer-encoding", "content-range"})
_LOGGER = re.compile(r"([\w.]+): [A-Z]+ ")


def header_name(one: Difference) -> str:
    """A header's name in small letters, without what stands before it (the response's number)."""
    return one.where.rpartition(": ")[2].partition(" ")[0].lower()


def header_follows(one: Difference, others: Iterable[Difference], other_page: bool) -> bool:
    """Whether a header may be otherwise because the answer is: one that only one side sends, or that is about the body.

    An ETag of both sides follows from another body, not from another status: that of a file stays what it is.
    """
    if not (one.old and one.new):
        return True
    if header_name(one) == "etag":
        return not other_page and any(each.kind is Kind.BODY for each in others)
    return header_name(one) in _OF_THE_PAGE


def is_of_tornado(one: Difference, records: Iterable[LogRecord]) -> bool:
    """Whether the new side's record is one of the framework's; ``records``: all of that side."""
    if one.kind is Kind.EXCEPTION:
        return any(record.exception == one.new and record.logger.startswith("tornado") for record in records)
    logger = _LOGGER.match(one.new)  # it stands before the text where the two sides' differ
    return (logger[1] if logger else one.where).startswith("tornado")
