"""Notes on errors: type and text are 4.5.3's, the note names the thing, the value and the way out."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tornado4 import _hints
from tornado4.ioloop import IOLoop
from tornado4.netutil import bind_sockets, ssl_options_to_context
from tornado4.options import Error, OptionParser
from tornado4.platform.asyncio import AsyncIOLoop
from tornado4.routing import PathMatches


def note_of(call: Callable[[], object], kind: type[BaseException], text: str | None = None) -> str:
    """The one note of the error that a call raises."""
    with pytest.raises(kind) as caught:
        call()
    if text is not None:
        assert str(caught.value) == text
    (note,) = caught.value.__notes__
    assert note.startswith("tornado4: ")
    return note


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port} is taken" in note_of(lambda: bind_sockets(port, "127.0.0.1"), OSError)


def test_an_address_of_another_machine() -> None:
    assert "192.0.2.1:0 is no address" in note_of(lambda: bind_sockets(0, "192.0.2.1"), OSError)


def test_options(tmp_path: Path) -> None:
    options = OptionParser()
    options.define("port", type=int)
    said = note_of(lambda: options.parse_command_line(["x", "--port=abc"]), ValueError)
    assert "--port is of type int, and 'abc'" in said
    path = tmp_path / "app.conf"
    assert repr(str(path)) in note_of(lambda: options.parse_config_file(str(path)), FileNotFoundError)
    path.write_text("port = '80'\n")
    text = "Option 'port' is required to be a int (<class 'str'> given)"
    said = note_of(lambda: options.parse_config_file(str(path)), Error, text)
    assert f"option 'port' in {path} has to be int" in said


def test_certificates(tmp_path: Path) -> None:
    path = tmp_path / "no.pem"
    path.write_text("no certificate")
    for given in ({"certfile": str(path)}, {"ca_certs": str(path)}, {"ca_certs": str(tmp_path / "none")}):
        assert next(iter(given.values())) in note_of(lambda given=given: ssl_options_to_context(given), OSError)
    assert "'no.pem', a str" in note_of(lambda: ssl_options_to_context("no.pem"), AssertionError, "")  # type: ignore[arg-type]


def test_a_pattern_that_is_none() -> None:
    assert "pattern '/(' is no" in note_of(lambda: PathMatches("/("), re.error)


def test_a_closed_loop() -> None:
    loop = AsyncIOLoop()
    loop.close()
    assert "was closed" in note_of(lambda: loop.add_callback(print), RuntimeError, "IOLoop is closing")
    assert "was closed" in note_of(lambda: loop.add_callback_from_signal(print), RuntimeError, "IOLoop is closing")


def test_a_closed_loop_of_the_default_kind() -> None:
    loop: Any = IOLoop(make_current=False)
    loop.close()
    for call in (loop.start, lambda: loop.run_sync(print)):
        assert "was closed" in note_of(call, RuntimeError, "Event loop is closed")
    # These stumbled over what close() had taken away in 4.5.3, too.
    assert "was closed" in note_of(lambda: loop.call_later(1, print), TypeError)
    assert "was closed" in note_of(lambda: loop.add_handler(0, print, loop.READ), ValueError)


def test_a_note_is_put_once() -> None:
    error = OSError(errno.EADDRINUSE, "x")
    for _ in range(2):
        _hints.of_bind(error, "/run/x.sock")
    assert len(error.__notes__) == 1
