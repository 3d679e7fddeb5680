"""Noise hides nothing: each stable token of a recorded run is changed, and none may pass; unchanged runs are the same.

A noisy program is run some times, and what it answers is kept. What is stable in it is found here, by other means than
those of the comparison, and from more runs than the three that it is given.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tornado4.migrate.diff import tokens
from tornado4.migrate.diff.client import Client
from tornado4.migrate.diff.compare import Comparer
from tornado4.migrate.diff.model import Answer, Outcome, Send, Step, Verdict
from tornado4.migrate.diff.served import Program, Served, start_all
from tornado4.migrate.diff.traffic import read_websocket

NOISY = '''
import base64, datetime, logging, random, uuid
import tornado.web, tornado.websocket

# The tests say which random numbers a request gets: each run of theirs is the same.
class Seeded:
    def prepare(self):
        random.seed(self.request.headers["Seed"] + self.request.path)

def uuid4(): return uuid.UUID(int=random.getrandbits(128), version=4)
def hexed(): return random.randbytes(16).hex()
def url64(): return base64.urlsafe_b64encode(random.randbytes(16)).decode().rstrip("=")
def b64(): return base64.b64encode(random.randbytes(20)).decode()
def shuffled(*items): return random.sample(items, len(items))

class Page(Seeded, tornado.web.RequestHandler):
    def get(self):
        self.write("<h1>Shop &amp; more</h1>\\n<p>total 3, ok %s</p>\\n" % uuid4())
        self.write(self.xsrf_form_html() + "\\n<p class=a>plain line</p>\\n<ul>\\n")
        self.write("".join("<li>%s</li>\\n" % n for n in shuffled("pear", "plum", "fig", "nut", "kiwi", "date")))
        self.write("</ul>\\n<a href='/items/7/%s?page=2&t=%s#top'>next</a>\\n" % (url64(), hexed()))
        self.write("<i>%s at %s, state=done</i>\\n" % (b64(), datetime.datetime.now().isoformat()))

class Json(Seeded, tornado.web.RequestHandler):
    def get(self):
        self.write({"id": str(uuid4()), "n": 3, "ok": True, "none": None, "text": "row 5 of %s is new" % hexed(),
                    "tags": shuffled(*"abcdefghij"), "list": [1, 2, {"a b": "x"}], "took": random.random() + 1,
                    "url": "http://shop.example/a/b?sort=up&key=%s" % url64(),
                    "serial": random.randint(10**11, 10**12 - 1)})

class Cookies(Seeded, tornado.web.RequestHandler):
    def get(self):
        self.set_cookie("sid", hexed(), httponly=True, secure=True, expires_days=3)
        self.set_cookie("lang", "de", path="/shop")
        self.set_secure_cookie("user", "ann", httponly=True)
        self.redirect("/there/%s?token=%s&page=2" % (random.randint(10**8, 10**9), url64()))

class Headers(Seeded, tornado.web.RequestHandler):
    def get(self):
        self.set_header("X-Request-Id", uuid4().hex)
        self.set_header("X-State", "build 7; ok; id=%s; last" % hexed())
        self.set_header("Link", "</next?c=%s&n=4>; rel=next" % url64())
        self.write("plain")

class Logs(Seeded, tornado.web.RequestHandler):
    def get(self):
        logging.getLogger("shop").warning("order %s of 5 items: paid by card", uuid4())
        logging.getLogger("shop").info("quiet")
        self.set_status(202)
        raise ValueError("no row 4 for " + hexed())

class Socket(Seeded, tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message("got %s, number 8, as %s" % (message, uuid4()))
        self.close(4001, "bye " + hexed())

def make_app():
    logging.getLogger("shop").setLevel("DEBUG")
    return tornado.web.Application(
        [("/page", Page), ("/json", Json), ("/cookies", Cookies), ("/headers", Headers),
         ("/logs", Logs), ("/ws", Socket)],
        cookie_secret="s", xsrf_cookies=True)
'''
TRANSCRIPT = "header Seed: {}\nconnect /ws\nsend hello\nexpect 1\nexpect close\n"
RUNS = 23  # twenty triples, of which each begins one run later
ROUTES = ("page", "json", "cookies", "headers", "logs")

Answers = list[Answer]


def request(path: str, seed: int) -> Step:
    data = f"GET /{path} HTTP/1.1\r\nHost: x\r\nSeed: {seed}\r\n\r\n".encode()
    return Step(f"GET /{path}", (Send(data),), new_connection=True)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Step, Answers]]:
    """Each step, and what was answered to it in every run."""
    folder = tmp_path_factory.mktemp("noisy")
    (folder / "noisy.py").write_text(NOISY)
    program = Program(f"{folder / 'noisy.py'}:make_app")
    sides = [Served(name, program, None) for name in ("one", "two", "three")]
    start_all(sides)
    try:
        runs = []
        for number in range(RUNS):
            (folder / "talk.ws").write_text(TRANSCRIPT.format(number))
            steps = [*(request(path, number) for path in ROUTES), *read_websocket(folder / "talk.ws").steps]
            client = Client(sides[number % 3], keep_cookies=False)
            runs.append([client.perform(step, last=step is steps[-1]) for step in steps])
    finally:
        for side in sides:
            side.stop()
    return [(step, [run[at] for run in runs]) for at, step in enumerate(steps)]


def outcome(step: Step, old: Answer, again: Answer, new: Answer) -> Verdict:
    return Verdict(1, "", step, {}, Comparer().compare(step, old, new, again))


def test_twenty_runs_of_an_unchanged_noisy_program_are_no_difference(
    recorded: list[tuple[Step, Answers]],
) -> None:
    wrong = []
    for step, answers in recorded:
        assert not any(answer.failure for answer in answers), [answer.failure for answer in answers]
        for number in range(RUNS - 2):
            verdict = outcome(step, *answers[number : number + 3])
            wrong += [(step.name, d) for d in verdict.differences if not d.rule]
    assert wrong == []


# -- The generator -----------------------------------------------------------------------------------------

_WORD = re.compile(r"\d+\.\d+|[A-Za-z0-9]+|\s|.", re.DOTALL)
# Readings of the clock, which are compared by form or by nearness: another second there is no change.
_CLOCK = re.compile(
    r"Date: [^\r]*|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT|\d{4}-\d\d-\d\dT[\d:.]+|[\d.]+ms$|\|\d{10}\b|:\d{10}\b"
)


def stable_tokens(texts: list[str]) -> Iterator[tuple[int, str]]:
    """(where, token) of the last text that stands in all the others, too, between the same tokens."""
    last = texts[-1]
    words = _WORD.findall(last)
    counts = [0] * len(words)
    for text in texts[:-1]:
        matcher = difflib.SequenceMatcher(None, _WORD.findall(text), words, autojunk=False)
        for _, start, size in matcher.get_matching_blocks():
            for at in range(start, start + size):
                counts[at] += 1
    clocks = [match.span() for match in _CLOCK.finditer(last)]
    at = 0
    for word, count in zip(words, counts, strict=True):
        in_clock = any(first <= at < end for first, end in clocks)
        if count == len(texts) - 1 and not word.isspace() and not in_clock:
            yield at, word
        at += len(word)


def other_tokens(token: str) -> list[str]:
    """A character, a word, a number, a kind, a sign; less, and more."""
    if token.replace(".", "").isdigit():
        others = [str(float(token) + 1) if "." in token else str(int(token) + 1), token + "0", "x", "-" + token]
    elif token.isalnum():
        others = [token[:-1] + ("x" if token[-1] != "x" else "y"), "FAILED", "7", token.swapcase(), token + token]
    else:
        others = [sign for sign in ";-_/.\"+ " if sign != token] + [token + token]
    return [*others, ""]


def changed_texts(texts: list[str]) -> Iterator[tuple[str, str]]:
    """(what was done, the last text with one stable token changed)."""
    last = texts[-1]
    for at, token in stable_tokens(texts):
        for instead in other_tokens(token):
            yield f"{token!r} at {at} -> {instead!r} in {last[max(0, at - 20) : at + 20]!r}", (
                last[:at] + instead + last[at + len(token) :]
            )


def with_length(raw: str) -> str:
    """Content-Length as it must be, so that not it alone gives a changed body away."""
    head, blank, body = raw.partition("\r\n\r\n")
    return re.sub(r"(Content-Length: )\d+", rf"\g<1>{len(body.encode('latin1'))}", head) + blank + body


def changed_answers(step: Step, answers: Answers) -> Iterator[tuple[str, Answer]]:
    last = answers[-1]
    if not step.frames:
        yield from changed_responses(answers)
    yield "closed", replace(last, closed=not last.closed)
    yield "failure", replace(last, failure="no answer within 10 s")
    for number, record in enumerate(last.log):
        for name in ("logger", "level", "message", "exception"):
            for what, text in changed_texts([getattr(answer.log[number], name) for answer in answers]):
                log = [*last.log[:number], replace(record, **{name: text}), *last.log[number + 1 :]]
                yield f"log {name} {what}", replace(last, log=tuple(log))
        yield f"no record {number}", replace(last, log=last.log[:number] + last.log[number + 1 :])
    for number, frame in enumerate(last.frames):
        head = 2 if frame.opcode == 8 else 0
        payloads = [answer.frames[number].payload[head:].decode("latin1") for answer in answers]
        changes = [
            (what, replace(frame, payload=frame.payload[:head] + text.encode("latin1")))
            for what, text in changed_texts(payloads)
        ]
        changes.append(("opcode", replace(frame, opcode=2)))
        changes.append(("compressed", replace(frame, compressed=not frame.compressed)))
        if frame.close_code:
            changes.append(("close code", replace(frame, close_code=frame.close_code + 1)))
        for what, other in changes:
            frames = (*last.frames[:number], other, *last.frames[number + 1 :])
            yield f"frame {what}", replace(last, frames=frames)


def changed_responses(answers: Answers) -> Iterator[tuple[str, Answer]]:
    last = answers[-1]
    raws = [answer.raw.decode("latin1") for answer in answers]
    head = raws[-1].find("\r\n\r\n")
    for what, text in changed_texts(raws):
        is_body = text[: head + 4] == raws[-1][: head + 4]
        yield what, replace(last, raw=(with_length(text) if is_body else text).encode("latin1"))
    lines = raws[-1][:head].split("\r\n")
    for at in range(1, len(lines) - 1):
        swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
        raw = "\r\n".join(swapped) + raws[-1][head:]
        yield f"order of {lines[at : at + 2]}", replace(last, raw=raw.encode("latin1"))


def test_no_change_of_a_stable_token_passes(recorded: list[tuple[Step, Answers]]) -> None:
    passed, tried = [], 0
    for step, answers in recorded:
        for what, changed in changed_answers(step, answers[:6]):
            if changed == answers[5]:
                continue
            tried += 1
            if outcome(step, answers[0], answers[1], changed).outcome is not Outcome.DIFFERENT:
                passed.append(f"{step.name}: {what}")
    assert not passed, "\n".join(passed)
    assert tried > 4000


@pytest.mark.parametrize("values", [
    ["9f86d081884c7d659a2feaa0c55ad015", "2c26b46b68ffc68ff99b453c1d304134", "fcde2b2edba56bf408601fb721fe9b5c"],
    [
        "f1e3d6b2-54b5-4b7f-9e0e-8d5a3c7c1f10",
        "0d9b3c2a-8a55-4be2-b7a7-97f0b7f1c2d3",
        "7a7f9b1e-1111-4c2d-8e3f-aaaabbbbcccc",
    ],
])  # fmt: skip
def test_a_piece_that_varies_keeps_its_kind(values: list[str]) -> None:
    old, again, new = values
    assert tokens.covers(f"id {old}.", f"id {again}.", f"id {new}.")
    for other in (new.upper(), new.replace("-", "_") + "0", new[:-1], "none", "", new[:-1] + "x", new + " " + new):
        assert not tokens.covers(f"id {old}.", f"id {again}.", f"id {other}."), other


def test_a_random_number_may_have_fewer_digits() -> None:
    """As an ``entropy`` of sockjs: of ten, one is shorter."""
    for new in ("3507836453", "507836453", "50783645", "7836453"):
        assert tokens.covers('{"entropy": 1289473655}', '{"entropy": 2984736551}', f'{{"entropy": {new}}}')
    for new in ("350", "", "abc", "-3507836453"):
        assert not tokens.covers('{"entropy": 1289473655}', '{"entropy": 2984736551}', f'{{"entropy": {new}}}')
