"""docs/security.md, made of the list."""

from __future__ import annotations

from collections.abc import Iterable

from tornado4.migrate.security.table import FIXED, KEPT, NOT_AFFECTED, Entry, Listing, Peer

_HEAD = """\
# Every fix since Tornado 4.5.3

<!-- made by python -m tornado4.migrate.security.generate; a test holds it against the list -->

Each weakness that a later release of Tornado closed, to 6.6.1, and where tornado4 stands: {fixed} fixed,
{not_affected} that cannot occur, {kept} as in 4.5.3, each with its reason. Every row names the tests that prove it.
`tornado4 security` prints this list, and tells which weaknesses the switches that are set bring back; scanners read the
same from `sboms/tornado4.cdx.json` in the installed `.dist-info` (CycloneDX 1.6, with VEX) and from
`.vex/tornado4.openvex.json` (OpenVEX) in the source. How to report what is not here: [SECURITY.md](../SECURITY.md).
What differs from 4.5.3, whether for security or not: [deviations.md](deviations.md).
"""
_COLUMNS = """\
| id | what could be done | closed in | status | switch that brings it back | tests |
|---|---|---|---|---|---|"""


_PEERS = """
## What others have closed

Advisories of uvicorn, aiohttp, werkzeug, starlette, websockets and h11: each behaviour was tried on tornado4.

| id | of | what could be done there | here |
|---|---|---|---|"""


def page(listing: Listing, peers: Iterable[Peer]) -> str:
    """The whole page."""
    entries = list(listing.entries.values())
    counts = {status: sum(entry.status == status for entry in entries) for status in (FIXED, NOT_AFFECTED, KEPT)}
    public = [entry for entry in entries if entry.is_public]
    ours = [entry for entry in entries if entry.id.startswith("TORNADO4-")]
    notes = [entry for entry in entries if entry not in public and entry not in ours]
    parts = [
        _HEAD.format(fixed=counts[FIXED], not_affected=counts[NOT_AFFECTED], kept=counts[KEPT]),
        "## Public advisories\n",
        _rows(public),
        "\n## Release notes of Tornado 5.0 to 6.6.1\n\nTheir lines that matter for security, and are no advisories.\n",
        _rows(notes),
        "\n## What no release of Tornado has closed\n",
        _rows(ours),
        _PEERS,
        *map(_peer_row, peers),
    ]
    return "\n".join(parts) + "\n"


def _rows(entries: Iterable[Entry]) -> str:
    return "\n".join([_COLUMNS, *map(_row, entries)])


def _peer_row(peer: Peer) -> str:
    here = f"cannot occur: {peer.why}" if peer.why else "<br>".join(peer.tests)
    return f"| {peer.id.replace(', ', '<br>')} | {peer.of} | {peer.what} | {here} |"


def _row(entry: Entry) -> str:
    status = f"kept as in 4.5.3: {entry.why}. Instead: {entry.instead}" if entry.status == KEPT else entry.status
    if entry.status != KEPT and entry.why:
        status += f": {entry.why}"
    rows = f" ({', '.join(f'[{row}](deviations.md)' for row in entry.rows)})" if entry.rows else ""
    switches = ", ".join(f"`TORNADO4_ALLOW={name}`" for name in entry.switches) or "none"
    cells = ["<br>".join(entry.ids), entry.what, entry.fixed_in, status + rows, switches, "<br>".join(entry.tests)]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
