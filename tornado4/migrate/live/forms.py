"""Headers and forms that are malformed: errors of another type, or where there was none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from tornado4 import httputil
from tornado4.httputil import body as body_room
from tornado4.migrate.live import handled, places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

_READY = ("HTTPInputError", "Exception", "BaseException")


#: The texts that Tornado 6 has in other words.
_AS_IN_6 = {"Invalid multipart/form-data: no final boundary": "Invalid multipart/form-data: no final boundary found"}


def install(patches: Patches, ledger: Ledger) -> None:
    """TND753, TND754."""

    def make_parse(original: Callable[..., Any]) -> Any:
        def parse(cls: Any, headers: str) -> Any:
            try:
                return original(cls, headers)
            except (ValueError, KeyError) as error:
                place = places.here()
                if place is not None and not handled.caught(place, _READY):
                    text = (
                        "no colon in header line"
                        if isinstance(error, ValueError)
                        else "header line cannot start with whitespace, folding not supported"
                    )
                    ledger.tell("TND753", place, lambda: httputil.HTTPInputError(text))
                raise

        return parse

    def make_form(original: Callable[..., None]) -> Any:
        def parse_form(*args: Any, **kwargs: Any) -> None:
            place = places.caller()
            if place is None or handled.caught(place, _READY):
                original(*args, **kwargs)
                return
            complaints: list[str] = []
            with _Listening(body_room, complaints):
                original(*args, **kwargs)
            if complaints:
                ledger.tell("TND754", place, lambda: httputil.HTTPInputError(complaints[0]))

        return parse_form

    patches.put(httputil.HTTPHeaders, "parse", make_parse)
    for name in ("parse_multipart_form_data", "parse_body_arguments"):
        patches.put(httputil, name, make_form)


class _Listening:
    """Within its block, what the parser of forms complains of goes into a list as well as into the log."""

    def __init__(self, room: Any, complaints: list[str]) -> None:
        self._room = room
        self._complaints = complaints

    def __enter__(self) -> None:
        self._log = self._room.gen_log
        self._room.gen_log = self

    def __exit__(self, *exc_info: Any) -> None:
        self._room.gen_log = self._log

    def warning(self, text: str, *args: Any) -> None:
        complaint = text % args if args else text
        self._complaints.append(_AS_IN_6.get(complaint, complaint))
        self._log.log(logging.WARNING, text, *args)
