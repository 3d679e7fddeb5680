"""Small programs for ``apps/programs.py``, made up by chance: the same ones each time, since the seed is fixed.

They find what nobody thinks of: an error page behind a flush, a second finish out of a queued callback, a cookie
that cannot be sent. What is known to differ is not made: answers to HTTP/1.0 that keep the connection (WIRE-1.0-END),
and answers without a body that are flushed (WIRE-BODYLESS).
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

PROGRAMS = 300
Step = list[Any]

WAYS = ["plain", "head", "coroutine", "native", "asynchronous", "engine"]
NAMES = ["X-A", "Content-Type", "content-length", "Etag", "Cache-Control", "Location", "Content-Encoding", "Vary", "Connection", "Transfer-Encoding"]
VALUES = ["a", "5", "chunked", "text/html", "gzip", 7, 'b"q"', '"tag"']
ERRORS = ["ValueError", "HTTPError", "reason", "unknown", "Finish", "FinishText", "Missing", "KeyError"]


def steps(chance: random.Random) -> list[Callable[[], Step]]:
    one = chance.choice
    return [
        lambda: ["write", one(["hello", "x" * 1200, "é", {"a": 1}, ""])],
        lambda: ["write", one([5, None, ["l"]])],
        lambda: ["set_status", one([200, 201, 404, 500, 599, 799])],
        lambda: ["set_status", one([200, 299, 799]), one(["Fine", "Ünder", "No \u20ac"])],
        lambda: ["set_header", one(NAMES), one(VALUES)],
        lambda: ["add_header", one(["X-A", "Set-Cookie", "Vary"]), one(["one", "two", 3])],
        lambda: ["clear_header", one(["X-A", "Server", "Content-Type", "Date", "Nope"])],
        lambda: ["clear"],
        lambda: ["flush"],
        lambda: ["flush_callback"],
        lambda: ["finish"],
        lambda: ["finish", one(["end", {"e": 2}, ""])],
        lambda: ["redirect", one(["/x", "http://h/é", "?q"]), one([True, False])],
        lambda: ["redirect", "/y", False, one([301, 303, 307, 399, 200])],
        lambda: ["send_error", one([400, 404, 500, 503, 799])],
        lambda: ["raise", one(ERRORS)],
        lambda: ["set_cookie", one(["c", "d", "bad name"]), one(["v", "v;w", "é", '"q"', ""])],
        lambda: ["clear_cookie", one(["c", "zz"])],
        lambda: ["clear_all_cookies"],
        lambda: ["headers"],
        lambda: ["status_of"],
        lambda: ["queue_write"],
        lambda: ["queue_finish"],
        lambda: ["argument", one(["q", "nope"])],
        lambda: ["cookie_of", one(["c", "s"])],
        lambda: ["require_setting", one(["cookie_secret", "nothing"])],
        lambda: ["set_etag_header"],
    ]


def some_steps(chance: random.Random, most: int) -> list[Step]:
    made = [chance.choice(steps(chance))() for _ in range(chance.randrange(most + 1))]
    return [["try", *step] if chance.random() < 0.35 else step for step in made]


def program(chance: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {"method": some_steps(chance, 5)}
    if chance.random() < 0.25:
        made["prepare"] = some_steps(chance, 2)
    for name, share in (("prepare_waits", 0.15), ("waits", 0.5), ("own_error", 0.2)):
        if chance.random() < share:
            made[name] = True
    if chance.random() < 0.15:
        made["etag"] = chance.choice([None, '"own"', "plain", 'W/"w"'])
    if chance.random() < 0.1:
        made["on_finish"] = some_steps(chance, 1)
    return made


def request(chance: random.Random) -> bytes:
    made = program(chance)
    flushes = "flush" in json.dumps(made)
    verbs = {"GET": 10, "HEAD": 0 if flushes else 2, "POST": 3, "PUT": 1, "OPTIONS": 1, "BREW": 1}
    verb = chance.choices(list(verbs), list(verbs.values()))[0]
    version = chance.choice(["1.1", "1.1", "1.1", "1.0"])
    query = urlencode({"p": json.dumps(made), "q": "a b", **({"default": "1"} if chance.random() < 0.2 else {})})
    body = chance.choice(["", "a=1&b=2", "{}"]) if verb in ("POST", "PUT") else None
    lines = [f"{verb} /{chance.choice(WAYS)}?{query} HTTP/{version}", "Host: a"]
    offers = [
        (0.2, "If-None-Match: " + chance.choice(["*", '"own"', 'W/"own"', '"2c7a6f3d", "x"'])),
        (0.3, "Accept-Encoding: gzip"),
        (0.15, "Connection: close"),
        (0.2, 'Cookie: c=1; s="q"'),
        (0.5 if body else 0, "Content-Type: application/x-www-form-urlencoded"),
    ]
    lines += [line for share, line in offers if chance.random() < share]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", body or ""]).encode()


def exchanges() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(45)
    for number in range(PROGRAMS):
        yield f"program {number}", request(chance)


EXCHANGES = list(exchanges())
