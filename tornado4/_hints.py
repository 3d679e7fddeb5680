"""What we know besides, where an error is raised: notes on it (PEP 678), which tracebacks show below its text.

Type and text of the error stay 4.5.3's. Each note names the thing, the value and the way out. This is read when an
error occurs; no other code asks for it.
"""

from __future__ import annotations

import errno

TEXTS = {
    "port-in-use": "{address} is taken: another process listens there, or an earlier one of this program still does. "
    "'ss -ltnp' (Linux) or 'lsof -i' names it; end it, or choose another port.",
    "port-forbidden": "{address} may not be opened by this user: ports below 1024 want root or CAP_NET_BIND_SERVICE. "
    "Choose a higher one, or put a proxy in front.",
    "no-such-address": "{address} is no address of this machine; '' or '0.0.0.0' is all of them.",
    "option-value": "option --{name} is of type {type}, and {value!r} cannot be read as one; give --{name}={type}.",
    "option-type": "option {name!r} in {path} has to be {type}: in a file of options values are Python, "
    "strings in quotes and numbers without.",
    "option-file": "{path!r} is a file of options (Python code) and cannot be read from {folder}; "
    "check the path, and that this user may read it.",
    "certificate": "ssl_options: certfile={certfile!r}, keyfile={keyfile!r} cannot be loaded: certfile is a PEM file "
    "with the certificate, keyfile one with its key (or the same file); 'openssl x509 -in FILE -noout -text' "
    "shows what OpenSSL reads.",
    "authorities": "ssl_options: ca_certs={path!r} cannot be loaded: it is a PEM file with the certificates that are "
    "trusted.",
    "ssl-options": "ssl_options is {value!r}, a {type}; it is to be an ssl.SSLContext, or a dictionary with "
    "certfile, keyfile, ca_certs, cert_reqs, ssl_version, ciphers.",
    "url-pattern": "the URL pattern {pattern!r} is no regular expression; a character that is meant literally, "
    "such as ( [ * + ?, wants a backslash, and the pattern an r in front of its quotes.",
    "closed-loop": "{loop!r} was closed, and runs nothing any more; make another one with IOLoop(), or ask for "
    "IOLoop.current() after it, rather than keeping one for longer than it lives.",
    "backfill": "{name} is gone since Python {gone}: 'tornado4 run --backfill', 'pytest --tornado4-backfill' or "
    "TORNADO4_BACKFILL=1 puts it back; today one writes {today}.",
    "alias-pytest": "'import tornado' is tornado4 under 'pytest --tornado4-alias' (addopts may have it, too).",
}


def add(error: BaseException, name: str, /, **values: object) -> None:
    """Put a note of `TEXTS` onto an error, once."""
    note = "tornado4: " + TEXTS[name].format(**values)
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def of_bind(error: OSError, address: object) -> None:
    """For what ``bind`` and ``listen`` raise."""
    shown = ":".join(map(str, address[:2])) if isinstance(address, tuple) else repr(address)
    names = {
        errno.EADDRINUSE: "port-in-use",
        errno.EACCES: "port-forbidden",
        errno.EADDRNOTAVAIL: "no-such-address",
    }
    if error.errno in names:
        add(error, names[error.errno], address=shown)
