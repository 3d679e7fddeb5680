"""Errors that Tornado 6 raises and tornado4 does not: by the text of one, the rule that it follows from."""

from __future__ import annotations

import functools
import json
import re
from importlib import resources

from tornado4.migrate.rules import rules

_MISSING = re.compile(r"module '(?P<module>tornado[\w.]*)' has no attribute '(?P<name>\w+)'")
_IMPORT = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>tornado[\w.]*)'")
_MEMBER = re.compile(r"'(?P<owner>\w+)' object has no attribute '(?P<name>\w+)'")
_KEYWORD = re.compile(r"(?:(?P<owner>\w+)\.)?\w+\(\) got an unexpected keyword argument '(?P<name>callback|io_loop)'")

#: What an error says, type included, and its rule. What other libraries could say as well stands not here.
_TEXTS = {
    r"^InvalidStateError: invalid state$": "TND404",
    r"^RuntimeError: There is no current event loop in thread '": "TND402",
    r"^RuntimeError: (?:This event loop is already running|Cannot run the event loop while another loop is running)$": (
        "TND408"
    ),
    r"^RuntimeError: Event loop is closed$": "TND415",
    r"^ValueError: fd \d+ added twice$": "TND416",
    r"^TypeError: object \w+ can't be used in 'await' expression$": "TND423",
    r"^TypeError: Future\.(?:result|exception)\(\) takes no (?:keyword )?arguments": "TND424",
    r"^RuntimeError: Cannot send body with status code HTTP\d+$": "TND502",
    r"^TypeError: can't (?:compare|subtract) offset-naive and offset-aware datetimes$": "TND504",
    r"^(?:HTTPTimeoutError|HTTPStreamClosedError): ": "TND601",
    r"^HTTPInputError: (?:Invalid header (?:name|value) |no colon in header line|header line cannot start with)": (
        "TND753"
    ),
    r"^HTTPInputError: Invalid multipart/form-data": "TND754",
    r"is not in root static directory$": "TND507",
}
_COMPILED = [(re.compile(text, re.MULTILINE), rule) for text, rule in _TEXTS.items()]


def rule_of(error: str) -> str:
    """The rule that an error (``Type: text``, or a message of the log) follows from; empty: none that is known."""
    found = _MISSING.search(error) or _IMPORT.search(error)
    if found is not None:
        return _by_name().get(f"{found['module']}.{found['name']}", "")
    if member := _MEMBER.search(error):
        rest = f".{member['name']}"
        candidates = {rule for name, rule in _by_name().items() if name.endswith(rest) and name.count(".") > 2}
        return candidates.pop() if len(candidates) == 1 else ""
    if keyword := _KEYWORD.search(error):
        if keyword["name"] == "io_loop":
            return "TND201" if keyword["owner"] in _classes() else ""
        return "TND202" if keyword["owner"] in _classes() else "TND210"
    return next((rule for text, rule in _COMPILED if text.search(error)), "")


@functools.cache
def _by_name() -> dict[str, str]:
    return {name: rule.id for rule in rules().values() for name in rule.names}


@functools.cache
def _classes() -> frozenset[str]:
    """The classes of Tornado 4.5.3, without their modules."""
    text = resources.files("tornado4.migrate.check").joinpath("tornado_names.json").read_text("utf-8")
    return frozenset(name.rpartition(".")[2] for name in json.loads(text)["classes"])
