"""The request corpora of llhttp and gunicorn against our server: which requests that these call invalid we accept.

    python -m compat_tests.corpora                                  # both
    python -m compat_tests.corpora llhttp --source PATH_OR_URL      # one, from another place

Each corpus is fetched by git when this runs, at the commit named below, into ``.cache/corpora``; nothing of it is in
the tree. Each request is sent to a server of ours on the loopback, which then sees the end of the connection; that
server takes HTTP/1.1 without Host, which most of these requests lack, so that it is not the reason for a refusal.
An invalid request is accepted if the application is asked and nothing but successes is answered. ``corpora.toml`` has
a row for each of these, with the reason why it is harmless; printed is what has none, and each row without its
request. Exit code 1 if there is either, or if the server logged a traceback; 2 if a corpus cannot be had.
"""

from __future__ import annotations

import argparse
import collections
import json
import logging
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / ".cache" / "corpora"
REASONS = Path(__file__).with_suffix(".toml")
#: Where each is, and the commit that the reasons were written for.
SOURCES = {
    "llhttp": ("https://github.com/nodejs/llhttp", "01e105a30fd06e248bc8ac73c4adb34a63d4114a"),
    "gunicorn": ("https://github.com/benoitc/gunicorn", "65ac1a3a4c0aa00960968c720d6e6bd2ac32f1b9"),
}
PATIENCE = 10  # seconds

ACCEPTED, REFUSED, UNFINISHED = "accepted", "refused", "unfinished"


class CorpusUnavailable(Exception):
    """It could not be fetched: the text says why, and what to do."""


class Case(NamedTuple):
    """One request (or several in a row) as sent, and whether its corpus calls it valid."""

    name: str
    data: bytes
    valid: bool


# -- the corpora ----------------------------------------------------------------------------------------------


def fetch(corpus: str, source: str | None) -> Path:
    """The corpus's tree at its commit. CorpusUnavailable if git cannot bring it."""
    default, commit = SOURCES[corpus]
    folder = FOLDER / f"{corpus}-{commit[:12]}"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in (
            ["init", "--quiet"],
            ["fetch", "--quiet", "--depth", "1", source or default, commit],
            ["checkout", "--quiet", "FETCH_HEAD"],
        ):
            done = subprocess.run(["git", "-C", folder, *command], capture_output=True, text=True)
            if done.returncode:
                raise CorpusUnavailable(
                    f"{corpus}: git {command[0]} failed: {done.stderr.strip()}; "
                    f"where {default} cannot be reached, name a clone: {corpus} --source PATH"
                )
        (folder / "ready").touch()
    return folder


#: Of llhttp's pages: a heading, the kind of a test, a request, what the parser reports of it.
_LLHTTP_PART = re.compile(
    r"^#+ (?P<title>[^\n]+)$|^<!-- meta=(?P<meta>\{.*?\}) -->|^```(?P<kind>http|log)\n(?P<block>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: What its log has for a request that is refused: not the codes of pauses (21 to 24), which callbacks ask for.
_LLHTTP_ERROR = re.compile(r"error code=(?!2[1-4]\b)")
_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}


def llhttp_cases(tree: Path) -> Iterator[Case]:
    """Those of the strict mode; lenient ones are told by their switches to accept, and say nothing of validity."""
    for path in sorted((tree / "test/request").glob("*.md")):
        titles: collections.Counter[str] = collections.Counter()
        strict, request = False, ""
        for part in _LLHTTP_PART.finditer(path.read_text("utf-8")):
            if part["title"]:
                title, strict = part["title"], False
                titles[title] += 1
            elif part["meta"]:
                strict = json.loads(part["meta"])["type"] == "request"
            elif part["kind"] == "http":
                request = part["block"]
            if part["kind"] != "log" or not strict or "${" in request:
                continue
            text = request.removesuffix("\n")
            text = re.sub(r"\\\n", "", text).replace("\n", "\r\n")
            text = re.sub(r"\\([rntf])", lambda escape: _ESCAPES[escape[1]], text)
            text = re.sub(r"\\x([0-9a-fA-F]+)", lambda escape: chr(int(escape[1], 16)), text)
            text = re.sub(r"\\([0-7]{1,3})", lambda escape: chr(int(escape[1], 8)), text)
            name = f"{path.stem}: {title}" + (f" ({titles[title]})" if titles[title] > 1 else "")
            yield Case(name, text.encode(), _LLHTTP_ERROR.search(part["block"]) is None)


def gunicorn_cases(tree: Path) -> Iterator[Case]:
    for path in sorted((tree / "tests/requests").glob("*/*.http")):
        data = path.read_bytes().replace(b"\n", b"").replace(b"\\r\\n", b"\r\n")
        data = data.replace(b"\\0", b"\0").replace(b"\\n", b"\n").replace(b"\\t", b"\t")
        data = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda escape: bytes([int(escape[1], 16)]), data)
        yield Case(f"{path.parent.name}/{path.stem}", data, path.parent.name == "valid")


CASES = {"llhttp": llhttp_cases, "gunicorn": gunicorn_cases}


# -- the subject ----------------------------------------------------------------------------------------------


class Tracebacks(logging.Handler):
    """Keeps what is logged with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or "Traceback" in record.getMessage():
            self.seen.append(self.format(record))


def verdict(answer: bytes) -> str:
    """Of all that a connection was answered."""
    statuses = re.findall(rb"^HTTP/1\.1 (\d)\d\d ", answer, re.MULTILINE)
    if any(status in b"45" for status in statuses):
        return REFUSED
    return ACCEPTED if b"2" in statuses else UNFINISHED


def judge_all(cases: Sequence[Case]) -> dict[str, str]:
    """The verdict on each case, by its name."""
    from tornado4 import gen, httpserver, httputil, ioloop, iostream, netutil

    def accept(request: httputil.HTTPServerRequest) -> None:
        start, headers = httputil.ResponseStartLine("", 200, "OK"), httputil.HTTPHeaders({"Content-Length": "0"})
        assert request.connection is not None
        request.connection.write_headers(start, headers)
        request.connection.finish()

    loop = ioloop.IOLoop()
    loop.make_current()
    server = httpserver.HTTPServer(accept)
    server.conn_params.require_host = False
    (listening,) = netutil.bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    server.add_socket(listening)

    @gen.coroutine
    def ask(data: bytes) -> Any:
        stream = iostream.IOStream(socket.socket())
        yield stream.connect(listening.getsockname())
        answer = stream.read_until_close()
        try:
            yield stream.write(data)
            stream.socket.shutdown(socket.SHUT_WR)
        except (iostream.StreamClosedError, OSError):
            pass  # it was refused before its end
        return (yield answer)

    found = {}
    for case in cases:
        for data in (case.data, case.data + b"\r\n\r\n"):
            found[case.name] = verdict(loop.run_sync(lambda sent=data: ask(sent), timeout=PATIENCE))
            if found[case.name] != UNFINISHED:
                break  # else it may be only that the end of a head is missing
    server.stop()
    loop.run_sync(server.close_all_connections)
    loop.clear_current()
    loop.close(all_fds=True)
    return found


# -- the report -----------------------------------------------------------------------------------------------


def report(corpus: str, cases: Sequence[Case], found: dict[str, str]) -> bool:
    """Print how the corpus fared; whether each invalid request that we accept has its reason, and no other."""
    reasons = tomllib.loads(REASONS.read_text("utf-8"))[corpus]
    accepted = {case.name for case in cases if not case.valid and found[case.name] == ACCEPTED}
    for kind in (True, False):
        counted = collections.Counter(found[case.name] for case in cases if case.valid is kind)
        figures = ", ".join(f"{counted[each]} {each}" for each in sorted(counted))
        print(f"{corpus}: {sum(counted.values())} {'valid' if kind else 'invalid'} requests: {figures}")
    wrong = [f"accepted, and no reason: {name}" for name in sorted(accepted - reasons.keys())]
    wrong += [f"a reason, and not accepted: {name}" for name in sorted(reasons.keys() - accepted)]
    for line in wrong:
        print(f"  {line}")
    return not wrong


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.corpora", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("corpus", nargs="?", choices=[*SOURCES], help="one of them; all by default")
    parser.add_argument("--source", help="where git fetches it from, instead of the place of its project")
    parser.add_argument("--show", action="store_true", help="print each request and its verdict")
    options = parser.parse_args(argv)
    if options.source and not options.corpus:
        parser.error("--source is for one corpus: name it")
    tracebacks = Tracebacks()
    logging.getLogger("tornado").addHandler(tracebacks)
    logging.getLogger("tornado").propagate = False
    well = True
    for corpus in [options.corpus] if options.corpus else SOURCES:
        try:
            cases = list(CASES[corpus](fetch(corpus, options.source)))
        except CorpusUnavailable as error:
            print(error, file=sys.stderr)
            return 2
        found = judge_all(cases)
        if options.show:
            for case in cases:
                print(
                    f"{'valid' if case.valid else 'invalid':8}{found[case.name]:11}{case.name}{os.linesep}{case.data!r}"
                )
        well = report(corpus, cases, found) and well
    print("\n".join(tracebacks.seen) or "nothing was logged with a traceback")
    return 0 if well and not tracebacks.seen else 1


if __name__ == "__main__":
    sys.exit(main())
