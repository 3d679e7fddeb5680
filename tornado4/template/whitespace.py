"""What becomes of white space in a template's text."""

from __future__ import annotations

import re

_BLANKS = re.compile(r"[\t ]+")
_RUN = re.compile(r"\s+")


def _newline_wins(run: re.Match[str]) -> str:
    return "\n" if "\n" in run[0] else run[0]


def filter_whitespace(mode: str, text: str) -> str:
    """Return ``text`` with its white space treated according to ``mode``:

    - ``all``: left as it is;
    - ``single``: a run of blanks and tabs becomes one space, a run with a line end one line end;
    - ``oneline``: any run becomes one space.

    :raises Exception: there is no such mode.
    """
    if mode == "all":
        return text
    if mode == "single":
        return _RUN.sub(_newline_wins, _BLANKS.sub(" ", text))
    if mode == "oneline":
        return _RUN.sub(" ", text)
    raise Exception(f"invalid whitespace mode {mode}")
