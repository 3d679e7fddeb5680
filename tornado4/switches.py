"""Switches that bring a behaviour of 4.5.3 back, set from outside: programs run with not one line changed.

    TORNADO4_ALLOW=missing-host,redirect-credentials tornado4 run app.py
    tornado4 run --allow missing-host app.py

or in the ``pyproject.toml`` beside the program (read by ``tornado4 run`` and its like)::

    [tool.tornado4]
    allow = ["missing-host"]

or from code, before the servers and clients are made::

    from tornado4 import switches
    switches.allow("missing-host")

Each switch stands for a row of ``docs/deviations.md``. A switch once set stays set for the life of the process:
what is loosened at start can be seen at start (`allowed`), and nothing is asked per request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tornado4._switchboard import Switchboard

#: The environment variable that is read when this module is imported: names with commas or blanks between them.
VARIABLE = "TORNADO4_ALLOW"


class Switch(NamedTuple):
    """One switch: its ``name``, the ``row`` of ``docs/deviations.md``, and what it ``allows``, in words."""

    name: str
    row: str
    allows: str


#: All switches, by name. A room that obeys one asks `is_allowed` where it would refuse, or gives an action to
#: `when_allowed` where the question would have to be asked too often.
SWITCHES = {
    switch.name: switch
    for switch in (
        Switch("missing-host", "WIRE-HOST", "HTTP/1.1 requests without a Host header"),
        Switch("chunked-http10", "WIRE-TE", "Transfer-Encoding: chunked in HTTP/1.0"),
        Switch("silent-refusals", "WIRE-400", "closing without an answer where a message is refused"),
        Switch("unbounded-forms", "SEC-LIMITS", "any number of parts, arguments and cookies"),
        Switch("cookie-attributes", "SEC-COOKIE-ATTR", "semicolons in the attributes that set_cookie is given"),
        Switch(
            "redirect-credentials", "SEC-REDIRECT-CREDENTIALS", "credentials that follow a redirect to another origin"
        ),
        Switch("redirect-groups", "SEC-REDIRECT-GROUPS", "RedirectHandler patterns whose groups choose host or scheme"),
        Switch("static-symlinks", "SEC-STATIC-LINK", "static files behind symbolic links that lead out of the root"),
        Switch("request-targets", "WIRE-TARGET", "request targets of no form of RFC 9112, absolute ones as path"),
        Switch("odd-hosts", "WIRE-HOST-TEXT", "commas and bare percent signs in Host"),
        Switch("broken-gzip", "SEC-GZIP-END", "gzip bodies that end too early, or go on behind their end"),
        Switch("unbounded-curl", "SEC-CURL-SIZE", "any number of bytes in a response that curl_httpclient gathers"),
        Switch("unverified-tls", "SEC-TLS-VERIFY", "TLS clients with a dictionary of options that verify nothing"),
        Switch("websocket-drafts", "SEC-WEBSOCKET-VERSION", "WebSocket handshakes of versions 7 and 8"),
        Switch("slow-heads", "WIRE-SLOW-HEAD", "request heads that take longer than a minute"),
        Switch("slow-handshakes", "TLS-SLOW-HANDSHAKE", "TLS handshakes with a server that take longer than a minute"),
        Switch("log-credentials", "SEC-LOG", "credentials in the representations of requests, and in log lines"),
    )
}

_board = Switchboard(VARIABLE, "switch", SWITCHES)


def allow(*names: str) -> None:
    """Set switches, as ``TORNADO4_ALLOW`` does. ValueError for a name that is none, before any is set.

    :arg names: as in the variable.
    """
    _board.set(*names)


def allowed() -> list[str]:
    """The names that are set, sorted."""
    return _board.all_set()


def is_allowed(name: str) -> bool:
    """Whether a switch is set. KeyError for a name that is none."""
    return _board.is_set(name)


def when_allowed(name: str, action: Callable[[], object]) -> None:
    """Call ``action`` when the switch is set: at once if it is already. Off, it costs nothing afterwards.

    :arg name: of the switch.
    """
    _board.when_set(name, action)


def hint(name: str) -> str:
    """For the log line or error of a refusal: the row of the table, and the switch that lets it pass.

    KeyError for a name that is none.
    """
    switch = SWITCHES[name]
    return f"({switch.row} of docs/deviations.md; {VARIABLE}={switch.name} allows it)"
