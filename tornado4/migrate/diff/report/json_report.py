"""A run as JSON, and back: for other tools, and for ``tornado4 diff --replay``.

The document is an object with ``format`` and ``version``, the fields of `Run` and what follows from them (``counts``,
``slower_steps``, each step's ``outcome`` and ``milliseconds`` by side), so that a reader needs no arithmetic. Bytes
are ``{"base64": ..., "text": ...}``; ``text`` is there where they are text, and only base64 is read back. Fields that
the reader does not know are passed over, and those with a default may be absent: a report of an older tool of the
same version can be read.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import functools
import json
import types
import typing
from typing import Any

from tornado4.migrate.diff.model import Outcome, Run, Verdict
from tornado4.migrate.diff.report import times
from tornado4.migrate.diff.report.printable import text_of

#: What the member ``format`` of each report says.
FORMAT = "tornado4-diff"
#: Of that format; changed when a member changes its meaning.
VERSION = 1


class ReportError(ValueError):
    """The text is not a report, or not one that this release can read; the message says where and why."""


def to_json(run: Run) -> str:
    """The run as a JSON document, ASCII only, ending in a newline. The same run always gives the same text."""
    document = {"format": FORMAT, "version": VERSION, **_encoded(run)}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def from_json(text: str | bytes) -> Run:
    """The run that `to_json` wrote. Raises `ReportError`.

    :arg text: what the file holds.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReportError(f'not a report of tornado4 diff: it has no "format": "{FORMAT}"')
    if document.get("version") != VERSION:
        raise ReportError(f"version {document.get('version')!r} of the report format; this tornado4 reads {VERSION}")
    run: Run = _decoded(Run, document, "report")
    return run


def _encoded(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _encoded(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {**fields, **_derived(value)}
    if isinstance(value, bytes):
        text = text_of(value)
        shown = {} if text is None else {"text": text}
        return {"base64": base64.b64encode(value).decode("ascii"), **shown}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    return value


def _derived(value: object) -> dict[str, Any]:
    if isinstance(value, Verdict):
        took = {side: round(answer.seconds * 1000, 3) for side, answer in value.answers.items() if not answer.failure}
        return {"outcome": value.outcome.value, "milliseconds": took}
    if isinstance(value, Run):
        counts = {outcome.value: value.count(outcome) for outcome in Outcome}
        return {"counts": counts, "slower_steps": [verdict.number for verdict, _, _ in times.slower(value)]}
    return {}


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _decoded(hint: Any, value: Any, where: str) -> Any:
    """The value that `_encoded` made ``value`` of; the model's annotations say what it was."""
    if typing.get_origin(hint) in (tuple, list, dict):
        return _container(typing.get_origin(hint), typing.get_args(hint), value, where)
    if isinstance(hint, types.UnionType):
        (wanted,) = (choice for choice in typing.get_args(hint) if choice is not type(None))
        return None if value is None else _decoded(wanted, value, where)
    if dataclasses.is_dataclass(hint):
        return _instance(typing.cast(type, hint), value, where)
    if hint is bytes:
        return _bytes(value, where)
    if issubclass(hint, enum.Enum):
        try:
            return hint(value)
        except ValueError as error:
            raise ReportError(f"{where}: {error}") from error
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise _expected(hint.__name__, value, where)
    return value


def _container(origin: Any, arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    if origin is dict:
        if not isinstance(value, dict):
            raise _expected("object", value, where)
        return {key: _decoded(arguments[1], item, f"{where}[{key!r}]") for key, item in value.items()}
    if not isinstance(value, list):
        raise _expected("array", value, where)
    return origin(_decoded(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))


def _instance(cls: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _expected("object", value, where)
    hints = _hints(cls)
    names = [field.name for field in dataclasses.fields(cls) if field.name in value]
    arguments = {name: _decoded(hints[name], value[name], f"{where}.{name}") for name in names}
    try:
        return cls(**arguments)
    except TypeError as error:  # a field without a default is absent
        raise ReportError(f"{where}: {error}") from error


def _bytes(value: Any, where: str) -> bytes:
    encoded = value.get("base64") if isinstance(value, dict) else None
    if not isinstance(encoded, str):
        raise _expected('{"base64": ...}', value, where)
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ReportError(f"{where}: {error}") from error


def _expected(what: str, value: Any, where: str) -> ReportError:
    return ReportError(f"{where}: {what} expected, not {json.dumps(value)[:60]}")
