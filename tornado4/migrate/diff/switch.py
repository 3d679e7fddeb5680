"""Across the switch to Tornado 6: which rule of the table explains a difference. It counts all the same."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from urllib.parse import urlsplit

from tornado4.migrate.diff.message import responses
from tornado4.migrate.diff.model import Answer, Difference, Kind, Step
from tornado4.migrate.rules import rules

_REQUEST_LINE = re.compile(rb"(?m)^[A-Z]+ (\S+) HTTP/1\.\d\r?$")
_MISSING = re.compile(r"module '(?P<module>tornado[\w.]*)' has no attribute '(?P<name>\w+)'")
_IMPORT = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>tornado[\w.]*)'")
_ETAGS = (r'"[0-9a-f]{32}"', r'"[0-9a-f]{128}"')
_MEMBER = re.compile(r"'(?P<owner>\w+)' object has no attribute '(?P<name>\w+)'")


def explain(step: Step, old: Answer, new: Answer, differences: list[Difference]) -> list[Difference]:
    """The differences, those that a rule explains with its id and title."""
    whole = _of_the_step(step, old, new)
    explained = []
    for difference in differences:
        rule = "" if difference.rule else _of(step, difference) or _of_hashes(difference, old, new) or whole
        explained.append(replace(difference, explained=_named(rule)) if rule else difference)
    return explained


def _named(rule_id: str) -> str:
    return f"{rule_id}: {rules()[rule_id].title}"


def _of(step: Step, difference: Difference) -> str:
    """The rule that a single difference follows from."""
    if difference.kind is Kind.HEADER and difference.where.rpartition(": ")[2].lower() == "location":
        query = _query(step)
        added = difference.new.removeprefix(difference.old)
        if query and difference.new.startswith(difference.old) and added.lstrip("?&"):
            return "TND508"
    return ""


_SHORT, _LONG = re.compile(r"\?v=[0-9a-f]{32}\b"), re.compile(r"\?v=[0-9a-f]{128}\b")


def _of_hashes(difference: Difference, old: Answer, new: Answer) -> str:
    """A static file's hash, in its Etag or its URL; and the length and the Etag of a page that has some."""
    name = difference.where.rpartition(": ")[2].lower() if difference.kind is Kind.HEADER else ""
    if name == "etag" and re.fullmatch(_ETAGS[0], difference.old) and re.fullmatch(_ETAGS[1], difference.new):
        return "TND505"
    if name in ("etag", "content-length"):
        count = len(_SHORT.findall(old.raw.decode("latin-1")))
        same = count == len(_LONG.findall(new.raw.decode("latin-1")))
        if name == "content-length" and difference.old.isdigit() and difference.new.isdigit():
            same = same and int(difference.new) - int(difference.old) == count * 96
        return "TND505" if count and same else ""
    before, after = _SHORT.subn("?v=", difference.old), _LONG.subn("?v=", difference.new)
    return "TND505" if before == after and before[1] else ""


def _of_the_step(step: Step, old: Answer, new: Answer) -> str:
    """The rule that all differences of a step follow from."""
    for record in new.log:
        rule = _of_error(f"{record.exception}\n{record.message}")
        if rule:
            return rule
    sent = b"".join(send.data for send in step.send)
    if b"multipart/form-data" in sent and _status(old, sent) != 400 and _status(new, sent) == 400:
        return "TND512"
    if old.raw != new.raw and b"&#39;" in old.raw and _hexed(old, sent) == _bodies(new, sent):
        return "TND514"
    return ""


def _of_error(text: str) -> str:
    """The rule about the name that an exception says is missing."""
    found = _MISSING.search(text) or _IMPORT.search(text)
    if found is not None:
        return _by_name().get(f"{found['module']}.{found['name']}", "")
    member = _MEMBER.search(text)
    if member is not None:
        rest = f".{member['name']}"
        candidates = {rule for name, rule in _by_name().items() if name.endswith(rest) and name.count(".") > 2}
        return candidates.pop() if len(candidates) == 1 else ""
    return ""


@functools.cache
def _by_name() -> dict[str, str]:
    return {name: rule.id for rule in rules().values() for name in rule.names}


def _query(step: Step) -> str:
    found = _REQUEST_LINE.search(b"".join(send.data for send in step.send))
    return urlsplit(found[1].decode("latin-1")).query if found else ""


def _status(answer: Answer, sent: bytes) -> int:
    parsed = responses(answer.raw, _methods(sent))[0]
    return int(parsed[0].status) if parsed else 0


def _bodies(answer: Answer, sent: bytes) -> list[bytes]:
    return [response.body for response in responses(answer.raw, _methods(sent))[0]]


def _hexed(answer: Answer, sent: bytes) -> list[bytes]:
    return [body.replace(b"&#39;", b"&#x27;") for body in _bodies(answer, sent)]


def _methods(sent: bytes) -> list[str]:
    return [found[0].split(b" ")[0].decode("ascii") for found in _REQUEST_LINE.finditer(sent)]
