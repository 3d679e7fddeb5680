"""Files of raw bytes: sent as they are, on a connection of their own. For what no client library would send.

A file may hold several pipelined requests, half a request, or none at all. No cookie is put in and nothing is counted.
"""

from __future__ import annotations

import re
from pathlib import Path

from tornado4.migrate.diff.model import Send, Sequence, Step
from tornado4.migrate.diff.traffic.request import SAFE_METHODS, TrafficError, read_bytes

# Anything that a lenient server might take for a request line, wherever in the bytes it stands.
_METHODS = re.compile(rb"(?m)(?:^|[^\x21-\x7e])([A-Za-z]{3,20})[ \t]+\S+[ \t]+HTTP/")


def read_raw(path: Path) -> Sequence:
    """One step. :raises TrafficError: the file cannot be read, or is empty."""
    data = read_bytes(path)
    if not data:
        raise TrafficError(f"{path}: empty")
    methods = {method.decode("ascii").upper() for method in _METHODS.findall(data)}
    step = Step(
        name=f"raw {path.name}",
        send=(Send(data),),
        origin=path.name,
        new_connection=True,
        unsafe=not methods <= SAFE_METHODS,
        raw=True,
    )
    return Sequence(path.name, (step,), keep_cookies=False)
