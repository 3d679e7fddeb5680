"""Across the switch to Tornado 6: which rule of the table explains a difference. It counts all the same.

Three ways, the narrowest first: what a single difference says by itself; a body that is the same but for what a rule
changes, with its length and ETag; an error or a refusal that makes another page of the answer, with what follows from
that. A header that both sides send with different values, or a log line of the program's own, follows from nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from tornado4.migrate.diff import causes
from tornado4.migrate.diff.follows import header_follows, header_name, is_of_tornado
from tornado4.migrate.diff.message import Response, responses
from tornado4.migrate.diff.model import Answer, Difference, Kind, LogRecord, Step
from tornado4.migrate.rules import rules

_REQUEST_LINE = re.compile(rb"(?m)^([A-Z]+) (\S+) HTTP/1\.\d\r?$")
_LOGGED_HEADERS = re.compile(r", headers=\{.*?\}\)", re.DOTALL)
_REASON = re.compile(r"(?<=<title>)\d{3}: [^<]*|(?<=<body>)\d{3}: [^<]*")
_WAY_OUT = re.compile(r" \(SEC-COOKIE-ATTR of docs/deviations\.md; [^()]*\)$")
_UNSUPPORTED = "Unsupported Content-Encoding: "
#: What `fetch(raise_error=False)` raises where there is no answer: errors that others raise as well.
_NO_ANSWER = re.compile(r"(?:ConnectionRefusedError|gaierror): \[Errno -?\d+\] ")
_REFUSED = re.compile(r"ConnectionRefusedError|Connection refused")
#: The old side's list of subprotocols for a client that offers none, in Python and in JSON, and Tornado 6's.
_NONE_OFFERED = re.compile(r"\[(?:''|\"\")\]")
_FIRST_OF_NONE = "IndexError: list index out of range"
_NOT_OFFERED = re.compile(r"AssertionError: subprotocol .* was selected but not offered: \[''\]$")
_AGENT = re.compile(r"Tornado/6\.\d+(?:\.\d+)?")
_MD5, _SHA512 = r"[0-9a-f]{32}", r"[0-9a-f]{128}"
#: What a 304 keeps since 6.1.
_KEPT = frozenset({"allow", "last-modified", "content-md5", "content-range"})
#: Headers that are computed from the body, and their form.
_FOLLOWS = {"etag": r'(?:W/)?"[0-9a-f]{40}"', "content-length": r"\d+"}


def explain(step: Step, old: Answer, new: Answer, differences: list[Difference]) -> list[Difference]:
    """The differences, those that a rule explains with its id and title."""
    sent = b"".join(send.data for send in step.send)
    exchange = _Exchange(step, sent, old, new)
    found = [_named(one, "" if one.rule else _single(exchange, one)) for one in differences]
    found = _bodies(exchange, found)
    return _whole(exchange, found)


class _Exchange:
    """A step with both answers, read."""

    def __init__(self, step: Step, sent: bytes, old: Answer, new: Answer) -> None:
        self.step = step
        self.sent = sent
        self.old = old
        self.new = new
        methods = [found[1].decode("ascii") for found in _REQUEST_LINE.finditer(sent)]
        self.old_pages, _ = responses(old.raw, methods)
        self.new_pages, _ = responses(new.raw, methods)

    @property
    def statuses(self) -> tuple[int, int]:
        """Of the first page on each side; 0 where there is none."""
        return _status(self.old_pages), _status(self.new_pages)

    def header(self, name: str) -> str:
        """The value of a field that was sent, in small letters; empty: it was not."""
        found = re.search(rb"(?im)^" + name.encode() + rb":[ \t]*([^\r\n]*)", self.sent)
        return found[1].decode("latin-1").lower() if found else ""

    @property
    def query(self) -> str:
        found = _REQUEST_LINE.search(self.sent)
        return urlsplit(found[2].decode("latin-1")).query if found else ""


def _status(pages: list[Response]) -> int:
    return pages[0].status if pages else 0


def _named(one: Difference, *rule_ids: str) -> Difference:
    texts = [f"{rule}: {rules()[rule].title}" for rule in rule_ids if rule]
    return replace(one, explained="; ".join(texts)) if texts else one


# -- What a difference says by itself -------------------------------------------------------------------------


def _single(exchange: _Exchange, one: Difference) -> str:
    if one.kind is Kind.HEADER:
        return _of_header(exchange, header_name(one), one)
    if one.kind is Kind.LOG:
        return _of_log(exchange, one)
    if one.kind is Kind.WEBSOCKET_FRAME:
        return "TND703" if one.new and _NONE_OFFERED.sub("[]", one.old) == one.new else ""
    return _of_exception(one) if one.kind is Kind.EXCEPTION else ""


def _of_header(exchange: _Exchange, name: str, one: Difference) -> str:
    if name == "location" and one.new.startswith(one.old):
        added = one.new[len(one.old) :]
        asked = parse_qsl(exchange.query, keep_blank_values=True)
        if asked and added[:1] in ("?", "&") and parse_qsl(added[1:], keep_blank_values=True) == asked:
            return "TND508"
    if name == "etag" and re.fullmatch(f'"{_MD5}"', one.old) and re.fullmatch(f'"{_SHA512}"', one.new):
        return "TND505"
    if name == "connection" and not one.old and one.new == "close" and exchange.header("connection") == "close":
        return "TND515"
    if name in _KEPT and not one.old and exchange.statuses == (304, 304):
        return "TND516"
    return ""


def _of_log(exchange: _Exchange, one: Difference) -> str:
    if _LOGGED_HEADERS.sub(")", one.old) == one.new:
        return "TND518"
    if one.old.startswith(f"WARNING {_UNSUPPORTED}") and not one.new and exchange.statuses[0] == exchange.statuses[1]:
        return "TND512"  # it was said of any body, and is of forms only
    if exchange.step.frames and one.old.startswith("ERROR Uncaught exception in /"):
        return "TND711" if one.new.startswith("ERROR Uncaught exception GET /") else ""
    return ""


def _of_exception(one: Difference) -> str:
    if one.old.startswith("HTTPError: HTTP ") and one.new == one.old.replace("HTTPError", "HTTPClientError", 1):
        return "TND139"
    said, _, text = one.old.partition("HTTP 599: ")
    if said == "HTTPError: " and text and one.new.partition(": ")[2] == text:
        return "TND603"
    if one.new and _WAY_OUT.sub("", one.old) == one.new:
        return "TND510"
    return causes.rule_of(one.new) if one.new else ""


# -- Bodies that are the same but for what a rule changes -----------------------------------------------------

_CHANGES: dict[str, Callable[[str], str]] = {
    "TND514": lambda text: text.replace("&#39;", "&#x27;"),
    "TND505": lambda text: re.sub(rf"(\?v=)(?:{_SHA512}|{_MD5})(?![0-9a-f])", r"\1<hash>", text),
    "TND511": lambda text: _REASON.sub(lambda reason: reason[0].replace("'", "&#x27;"), text),
    "TND518": lambda text: _LOGGED_HEADERS.sub(")", text),
    "TND603": lambda text: text.replace("HTTP 599: ", ""),
}


def _bodies(exchange: _Exchange, differences: list[Difference]) -> list[Difference]:
    """Bodies, each with its rules; and the ETag and the length of those of which all is explained."""
    of_bodies = [one for one in differences if one.kind is Kind.BODY and not one.rule]
    if not of_bodies or exchange.statuses[0] != exchange.statuses[1]:
        return differences
    used = [_changes_between(one.old, one.new) for one in of_bodies]
    if not all(used):
        used = [_other_changes(exchange, of_bodies)] * len(of_bodies)
    names = {rule: None for one in used for rule in one}  # a set in order
    of_one = {id(body): rule_ids for body, rule_ids in zip(of_bodies, used, strict=True)}
    return [_named(one, *of_one.get(id(one), names)) if _is_of_the_body(one) else one for one in differences]


def _is_of_the_body(one: Difference) -> bool:
    if one.rule or one.explained:
        return False
    if one.kind is not Kind.HEADER:
        return one.kind is Kind.BODY
    pattern = _FOLLOWS.get(header_name(one))
    return pattern is not None and all(re.fullmatch(pattern, value) for value in (one.old, one.new))


def _changes_between(old: str, new: str) -> list[str]:
    """The rules by which two texts are the same; none: they are not."""
    used = []
    for rule, change in _CHANGES.items():
        changed = change(old), change(new)
        if changed != (old, new):
            used.append(rule)
            old, new = changed
        if old == new:
            return used
    return []


def _other_changes(exchange: _Exchange, of_bodies: Iterable[Difference]) -> list[str]:
    """Where the request, or what differs, tells the rule: agents that the program wrote out, names of uploads."""
    if all("599" in one.old and _REFUSED.search(one.new) for one in of_bodies):
        return ["TND601"]
    if all(_AGENT.search(one.new) and not _AGENT.search(one.old) for one in of_bodies):
        return ["TND606"]
    sent = exchange.sent
    return ["TND521"] if b"multipart/form-data" in sent and re.search(rb";[ \t]*filename\*=", sent) else []


# -- Answers that are other ones altogether -------------------------------------------------------------------


def _whole(exchange: _Exchange, differences: list[Difference]) -> list[Difference]:
    """What follows from an error, or from a refusal, that makes an answer of its own."""
    rule = _cause(exchange)
    if not rule:
        return differences
    old, new = exchange.statuses
    other = old != new or bool(exchange.new.failure) != bool(exchange.old.failure)
    return [
        _named(one, rule) if not (one.rule or one.explained) and _follows(exchange, one, rule, other) else one
        for one in differences
    ]


def _follows(exchange: _Exchange, one: Difference, rule: str, other: bool) -> bool:
    if one.kind in (Kind.LOG, Kind.EXCEPTION):
        return (other and (not one.new or is_of_tornado(one, exchange.new.log))) or causes.rule_of(one.new) == rule
    if one.kind is Kind.BODY and not other:
        return causes.rule_of(one.new) == rule  # the page shows the error (serve_traceback)
    return other and (one.kind is not Kind.HEADER or header_follows(one, (), other))


def _cause(exchange: _Exchange) -> str:
    before = {_text(record) for record in exchange.old.log}
    for record in exchange.new.log:
        rule = "" if _text(record) in before else causes.rule_of(_text(record))
        if rule:
            return rule
    return _refusal(exchange) or _of_client(exchange) or _of_websocket(exchange)


def _text(record: LogRecord) -> str:
    return f"{record.exception}\n{record.message}"


def _of_client(exchange: _Exchange) -> str:
    """An error of `fetch(raise_error=False)`, that nobody caught, where the old side went on with a 599."""
    sides = exchange.old, exchange.new
    old, new = (any(_NO_ANSWER.match(record.exception) for record in side.log) for side in sides)
    return "TND601" if new and not old and exchange.statuses[1] == 500 else ""


def _refusal(exchange: _Exchange) -> str:
    sent, (old, new) = exchange.sent, exchange.statuses
    messages = " ".join(record.message for record in exchange.new.log)
    if b"multipart/form-data" in sent and old != 400 and new == 400 and "Invalid multipart/form-data" in messages:
        return "TND512"
    if old != 400 and new == 400 and f": Invalid body: {_UNSUPPORTED}" in messages:
        return "TND512"
    if (old, new) == (200, 416) and _backwards(exchange.header("range")):
        return "TND522"
    if old == 500 and any(record.exception == f"ValueError: unknown status code {new}" for record in exchange.old.log):
        return "TND503"
    return ""


def _backwards(value: str) -> bool:
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", value)
    return found is not None and int(found[1]) > int(found[2])


def _of_websocket(exchange: _Exchange) -> str:
    step, (old, new) = exchange.step, exchange.statuses
    if step.frames:
        too_big = all(any(frame.close_code == 1009 for frame in side.frames) for side in (exchange.old, exchange.new))
        return "TND706" if too_big and exchange.new.closed and not exchange.old.closed else ""
    if step.websocket and not exchange.header("sec-websocket-protocol"):
        first_of_none = any(record.exception == _FIRST_OF_NONE for record in exchange.new.log)
        not_offered = any(_NOT_OFFERED.match(record.exception) for record in exchange.old.log)
        if ((old, new) == (101, 500) and first_of_none) or ((old, new) == (500, 101) and not_offered):
            return "TND703"
    if step.websocket and (old, new) == (101, 200) and not exchange.new_pages[0].body:
        return "TND701"
    origin, host = exchange.header("origin"), exchange.header("host")
    return "TND702" if step.websocket and (old, new) == (403, 101) and urlsplit(origin).netloc == host else ""
