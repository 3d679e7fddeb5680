"""The differences on purpose: the rows of docs/deviations.md, and how an exchange shows that one is at work.

The table's ids and texts lie beside this file as ``deviations.json``, so that an installed tornado4 knows them; after
a change of the table, ``python -m tornado4.migrate.diff.deviations docs/deviations.md`` writes it anew. Not every row
shows on the wire: those that do have a :class:`Sign` here.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tornado4.migrate.diff.follows import header_follows, header_name, is_of_tornado
from tornado4.migrate.diff.model import Answer, Difference, Kind, Step

DATA = Path(__file__).with_name("deviations.json")
_ROW = re.compile(r"\| ([A-Z][A-Z0-9.-]+) \| (.+?) \| .* \|")


@dataclass(frozen=True)
class Sign:
    """A row is at work in a step when all that is given here is found.

    ``request`` in what was sent, ``status`` first in the new side's answer, ``log`` in one of the new side's messages,
    ``old`` in the old side's answer; all but ``status`` are regular expressions. ``kinds``: where what was sent alone
    shows it, the kinds of difference that it can make; anything else in that step counts. None: all.
    """

    row: str
    status: tuple[int, ...] = ()
    log: str = ""
    request: str = ""
    old: str = ""
    kinds: tuple[Kind, ...] = ()

    def explains(self, difference: Difference, others: Iterable[Difference], new: Answer) -> bool:
        """Whether the row, at work in a step, can have made this difference; ``others``: all of the step's."""
        if self.kinds and difference.kind not in self.kinds:
            return False
        # Of headers it is the one that tells the connection's end; of log records, those that the old side has more.
        if self.kinds and difference.kind is Kind.HEADER:
            return header_name(difference) == "connection"
        if difference.kind is Kind.HEADER:
            return header_follows(difference, others, any(one.kind is Kind.STATUS for one in others))
        if difference.kind in (Kind.LOG, Kind.EXCEPTION):
            return not difference.new or (not self.kinds and is_of_tornado(difference, new.log))
        return True

    def shows(self, request: str, old: str, new: Answer) -> bool:
        if self.status and not new.raw.startswith(tuple(f"HTTP/1.1 {code} ".encode() for code in self.status)):
            return False
        if self.log and not any(re.search(self.log, record.message, re.DOTALL) for record in new.log):
            return False
        return bool(re.search(self.request, request)) and bool(re.search(self.old, old))


_MALFORMED = r"^Malformed HTTP message from .*?: "

# The first that shows is taken: what says more stands before what says less.
SIGNS = (
    Sign("WIRE-HOST", (400,), _MALFORMED + r"(?:Missing|Multiple|Invalid) Host header"),
    Sign("WIRE-CHUNK", (400, 413), _MALFORMED + r"(?:Invalid|Malformed) chunk"),
    Sign("WIRE-501", (501,), _MALFORMED + r"Unsupported Transfer-Encoding: '[^,]*'$"),
    Sign("WIRE-TE", (400, 501), _MALFORMED + r"(?:Unsupported Transfer-Encoding|Transfer-Encoding in an HTTP/1\.0)"),
    Sign("WIRE-LENGTH", (400,), _MALFORMED + r"Only integer Content-Length is allowed: [\d+_-]"),
    Sign("WIRE-505", (505,), _MALFORMED + "Malformed HTTP version"),
    Sign("WIRE-431", (431,), "^Unsatisfiable read"),
    Sign("WIRE-413", (413,), _MALFORMED + "(?:Content-Length too long|chunked body too large|body too large)"),
    Sign("WIRE-GZIP", (400, 413), _MALFORMED + "(?:Invalid gzip body|decompressed body too large)"),
    Sign("WIRE-FOLD", (400,), request=r"(?i)\n(?:host|content-length|transfer-encoding|connection):[^\n]*\n[ \t]"),
    Sign("WIRE-400", (400,), _MALFORMED),
    Sign("WIRE-100", request=r"(?is)^\S+ \S+ HTTP/1\.0\r\n.*expect: 100-continue", old="^HTTP/1.1 100 "),
    Sign("WIRE-EXT", request=r"\r\n[0-9A-Fa-f]+[ \t]*;", old="^$"),
    Sign("WIRE-TRAILER", request=r"\n0+\r?\n[^\s:]+:", old=r"^$"),
    Sign("WIRE-BODYLESS", request="^HEAD ", old=r"\r\n\r\n0\r\n\r\n"),
    Sign("WSGI-BODILESS", request="^HEAD ", old="^$"),
    Sign("WIRE-SPACE", request=r":[ \t]*[\x85\xa0]|[\x85\xa0][ \t]*\r?\n"),
    Sign("SEC-REDIRECT", (403,), request=r"^\S+ /[/\\]", old=r"^HTTP/1\.1 30[12] "),
    Sign("WEB-RANGE", (200, 304), request=r"(?i)\nrange:", old=r"^HTTP/1\.1 500 "),
    Sign("WEB-RANGE", (200, 304), request=r"(?i)\nrange:[^\n]*(?:[+_]|--)", old=r"^HTTP/1\.1 (?:206|416) "),
    Sign("WEB-DATE", request=r"(?i)\nif-modified-since:", old=r"^HTTP/1\.1 500 "),
    Sign("WS-OFFER", (101,), request=r"(?i)\nsec-websocket-extensions:", old=r"^HTTP/1\.1 500 "),
    Sign("WS-1.0", (101,), request=r"(?i)^\S+ \S+ HTTP/1\.0\r\n.*"),
    Sign("WIRE-BLANK", request=r"^(?:\r?\n){2}", old="^(?:$|HTTP/1.1 400 )"),
    Sign(
        "WIRE-1.0-END",
        request=r"(?is)^\S+ \S+ HTTP/1\.0\r\n.*connection: *keep-alive",
        kinds=(Kind.CONNECTION, Kind.HEADER),
    ),
    Sign(
        "WIRE-CLOSE",
        request=r"(?is)(?:connection: *close\r\n.*|HTTP/1\.0\r\n.*)\r\n\r\n\S+ \S+ HTTP/1",
        kinds=(Kind.LOG, Kind.EXCEPTION),
    ),
)


_FORBIDDEN = Sign("SEC-WEBSOCKET")


def explain(step: Step, old: Answer, new: Answer, differences: Iterable[Difference]) -> list[Difference]:
    """What counts in a step is given the row that shows in it; without one, all stays as it is."""
    request = b"".join(send.data for send in step.send).decode("latin1")
    answer = old.raw.decode("latin1")
    if step.frames:
        # Forbidden frames can only be sent as raw bytes.
        sign = _FORBIDDEN if new.closed and any(send.opcode is None for send in step.send) else None
    else:
        sign = next((sign for sign in SIGNS if sign.shows(request, answer, new)), None)
    if sign is None:
        return list(differences)
    found = list(differences)
    return [replace(one, rule=sign.row) if not one.rule and sign.explains(one, found, new) else one for one in found]


@functools.cache
def table() -> dict[str, str]:
    """Every row's id, and what it says."""
    rows: dict[str, str] = json.loads(DATA.read_text("utf-8"))
    return rows


def read_table(markdown: str) -> dict[str, str]:
    """The same, from the text of docs/deviations.md."""
    lines = markdown.partition("\n## ")[0].splitlines()
    return {row[1]: row[2] for line in lines if (row := _ROW.fullmatch(line))}


if __name__ == "__main__":
    DATA.write_text(json.dumps(read_table(Path(sys.argv[1]).read_text("utf-8")), indent=1) + "\n", "utf-8")
