"""WebSockets: subprotocols that nobody offered, messages on closed connections, failures nobody looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4 import websocket
from tornado4.concurrent import Future
from tornado4.migrate.live import handled, places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches
from tornado4.migrate.live.streams import _watch_write
from tornado4.websocket import protocol


def install(patches: Patches, ledger: Ledger) -> None:
    """TND703, TND704, TND705."""

    def make_agree(original: Callable[..., None]) -> Any:
        own = websocket.WebSocketHandler.select_subprotocol

        def _agree_on_subprotocol(self: Any) -> None:
            handler = self.handler
            method = handler.select_subprotocol
            if self.request.headers.get("Sec-WebSocket-Protocol") or getattr(method, "__func__", None) is own:
                original(self)
                return
            # What is asked of the empty offer says whether [""] and [] are told apart.
            offer = _Offer([""])
            offer.ledger = ledger
            handler.select_subprotocol = lambda names: method(offer)
            try:
                original(self)
            finally:
                del handler.select_subprotocol

        return _agree_on_subprotocol

    def make_client_write(original: Callable[..., Any]) -> Any:
        def write_message(self: Any, message: Any, binary: bool = False) -> Any:
            if self.protocol is None:
                place = places.here()
                if place is not None and not handled.caught(place, ("WebSocketClosedError", "WebSocketError")):
                    text = "Client connection has been closed"
                    ledger.tell("TND704", place, lambda: websocket.WebSocketClosedError(text))
            return _watched(ledger, original(self, message, binary))

        return write_message

    def make_write(original: Callable[..., Any]) -> Any:
        def write_message(self: Any, message: Any, binary: bool = False) -> Any:
            return _watched(ledger, original(self, message, binary))

        return write_message

    patches.put(protocol.WebSocketProtocol13, "_agree_on_subprotocol", make_agree)
    patches.put(websocket.WebSocketClientConnection, "write_message", make_client_write)
    patches.put(websocket.WebSocketHandler, "write_message", make_write)


def _watched(ledger: Ledger, result: Any) -> Any:
    if isinstance(result, Future) and not result.done():
        place = places.here()
        if place is not None:
            _watch_write(ledger, result, place, "TND705")
    return result


class _Offer(list[str]):
    """The offer of a client that names no subprotocol: ``[""]``, which tells where it is not taken for an empty one."""

    ledger: Any = None

    def _tell(self) -> None:
        place = places.here()
        if place is not None:
            self.ledger.tell("TND703", place)

    def __eq__(self, other: object) -> bool:
        self._tell()
        return super().__eq__(other)

    __hash__ = None

    def __len__(self) -> int:
        self._tell()
        return super().__len__()

    def __getitem__(self, index: Any) -> Any:
        self._tell()
        return super().__getitem__(index)

    def __contains__(self, name: object) -> bool:
        if name == "":
            self._tell()
        return super().__contains__(name)
