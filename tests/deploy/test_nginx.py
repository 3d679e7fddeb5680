"""The chat of examples/deploy in two processes, behind nginx with the configuration file that is there."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine import DEPLOY, Client, Machine
from serving import PATIENCE, Peer, Served, serve

pytestmark = pytest.mark.deploy

CONF = (DEPLOY / "nginx/chat.conf").read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@contextlib.contextmanager
def behind_nginx(machine: Machine, conf: str = CONF, *more: str, ready: str = "all workers ready") -> Iterator[Served]:
    """Two processes on a Unix socket, unless the options say otherwise, and nginx."""
    options = ("deployed:make_app", "--alias", "--unix", str(machine.socket), "--processes", "2", "--xheaders", *more)
    with (
        serve(*options, cwd=machine.srv, app=None, ready=ready, env=machine.environ) as served,
        machine.nginx(machine.adapted(conf)),
    ):
        yield served


@pytest.fixture
def chat(machine: Machine) -> Iterator[Served]:
    """As the files have it."""
    with behind_nginx(machine) as served:
        yield served


def pids(chat: Served) -> list[str]:
    return re.findall(r"worker \d \(pid (\d+)\) ready", "\n".join(chat.lines))


def feed(machine: Machine) -> Peer:
    peer = Peer(socket.create_connection(("127.0.0.1", machine.port)))
    peer.upgrade("/feed")
    return peer


def test_pages_and_files(machine: Machine, chat: Served) -> None:
    with Client(machine.port) as client:
        status, headers, page = client.ask("GET", "/")
        assert (status, headers["Server"].split("/")[0]) == (200, "nginx")
        style = re.search(rb'href="(/static/chat.css\?v=\w+)"', page)
        assert style is not None
        status, headers, packed = client.ask("GET", style[1].decode(), Accept_Encoding="gzip")
        assert status == 200 and "max-age=" in headers["Cache-Control"]
        # nginx itself gives it, and packs it.
        assert gzip.decompress(packed) == (machine.srv / "static/chat.css").read_bytes()
        assert client.ask("POST", "/say", b"text=" + b"long+" * 100)[0] == 201
        status, headers, packed = client.ask("GET", "/listen?after=0", Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip" and b"long long" in gzip.decompress(packed)
        # It asks itself by the Host that nginx has handed on.
        assert json.loads(client.ask("GET", "/status")[2])["ping"] == "pong"
        assert client.ask("GET", "/nothing")[0] == 404


def test_a_long_poll_hears_what_another_process_was_told(machine: Machine, chat: Served) -> None:
    answers: list[bytes] = []

    def listen() -> None:
        with Client(machine.port) as client:
            answers.append(client.ask("GET", "/listen?after=0")[2])

    listeners = [threading.Thread(target=listen) for _ in range(8)]
    for thread in listeners:
        thread.start()
    with Client(machine.port) as client:
        assert client.ask("POST", "/say", b"name=ann&text=hello")[0] == 201
        for thread in listeners:
            thread.join()
        assert [json.loads(answer)["messages"][0]["text"] for answer in answers] == ["hello"] * 8


def test_a_websocket(machine: Machine, chat: Served) -> None:
    peers = [feed(machine) for _ in range(4)]
    peers[0].send_frame(1, b'{"text": "by the feed"}')
    for peer in peers:
        opcode, payload = peer.frame()
        assert opcode == 1 and json.loads(payload)["text"] == "by the feed"
        peer.close()


def test_the_origin_of_a_websocket_is_compared_with_the_address_that_the_client_has(
    machine: Machine, chat: Served
) -> None:
    for origin, expected in ((f"http://localhost:{machine.port}", 101), ("http://evil.example", 403)):
        peer = Peer(socket.create_connection(("127.0.0.1", machine.port)))
        peer.sock.sendall(
            f"GET /feed HTTP/1.1\r\nHost: localhost:{machine.port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert peer.answer()[0] == expected
        peer.close()


def test_the_clients_address_is_in_the_access_log_and_cannot_be_made_up(machine: Machine, chat: Served) -> None:
    with Client(machine.port, "127.0.0.3") as client:
        forged = {"X_Real_Ip": "9.9.9.9", "X_Forwarded_For": "9.9.9.8"}
        forged |= {"X_Scheme": "https", "X_Forwarded_Proto": "https"}
        status, _, answer = client.ask("PUT", "/files/small.txt", b"hello", **forged)
        assert (status, json.loads(answer)["by"]) == (201, "127.0.0.3 by http")
    chat.wait_for(r"201 PUT /files/small.txt \(127\.0\.0\.3\)")
    machine.wait_for_access("127.0.0.3 - - ")


def test_with_another_proxy_before_nginx(machine: Machine) -> None:
    """As the page says: nginx adds to X-Forwarded-For, and --trusted names the proxy that is skipped in it."""
    conf = CONF.replace("X-Real-Ip $remote_addr;", 'X-Real-Ip "";')
    conf = conf.replace("X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;")
    with behind_nginx(machine, conf, "--trusted", "127.0.0.5") as chat:
        for address, expected in (("127.0.0.5", "203.0.113.7"), ("127.0.0.6", "127.0.0.6")):
            with Client(machine.port, address) as client:
                assert client.ask("GET", "/ping", X_Forwarded_For="203.0.113.7", X_Real_Ip="9.9.9.9")[0] == 200
            chat.wait_for(rf"200 GET /ping \({expected}\)")


def test_a_large_upload_arrives_and_comes_back_through_nginx(machine: Machine, chat: Served) -> None:
    body = bytes(range(256)) * 4 * 64 * 1024  # 64 MiB
    with Client(machine.port, "127.0.0.4") as client:
        status, _, answer = client.ask("PUT", "/files/large.bin", body)
        expected = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "by": "127.0.0.4 by http"}
        assert (status, json.loads(answer)) == (201, expected)
        status, headers, found = client.ask("GET", "/files/large.bin")
        assert status == 200 and found == body
        # The application has sent no byte of it: what it says is taken by nginx, and ranges are nginx's.
        assert "X-Accel-Redirect" not in headers and headers["Content-Disposition"] == "attachment"
        status, headers, found = client.ask("GET", "/files/large.bin", Range="bytes=10-19")
        assert (status, found) == (206, body[10:20])
        assert client.ask("GET", "/stored/large.bin")[0] == 404
        assert client.ask("POST", "/say", b"text=" + b"x" * (1 << 20))[0] == 413
    assert not list(machine.data.glob("files/*.part"))


#: Heads that two servers may read otherwise: where the request ends, or what it is. Behind each comes what would be
#: another request to the one, and a body to the other.
AMBIGUOUS = [
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    b"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n",
    b"Transfer_Encoding: chunked\r\nContent-Length: 4\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"X: y\nTransfer-Encoding: chunked\r\n",
    b"X: y\rTransfer-Encoding: chunked\r\n",
    b"Content-Length: 4\r\nContent-Length: 0\r\n",
    b"Content-Length: +4\r\n",
    b"Content-Length: 4, 4\r\n",
    b"Content-Length: 0x4\r\n",
    b"Content-Length:\r\n 4\r\n",
    b"Connection: Content-Length\r\nContent-Length: 4\r\n",
    b"Connection: X-Real-Ip, X-Forwarded-For\r\n",
    b"Expect: 100-continue\r\nContent-Length: 4\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 9\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
]


def test_no_request_gets_past_nginx_within_another(machine: Machine, chat: Served) -> None:
    """The application has seen none that nginx has not, and the next one on a kept connection has its own answer."""
    for number, ambiguous in enumerate(AMBIGUOUS):
        hidden = b"GET /smuggled-%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
        for line, body in (
            (b"POST /say", b"0\r\n\r\n" + hidden),
            (b"POST /say", b"%x\r\n" % len(hidden) + hidden),
            (b"GET /feed", hidden),
        ):
            sock = socket.create_connection(("127.0.0.1", machine.port), timeout=PATIENCE)
            head = line + b" HTTP/1.1\r\nHost: a\r\n" + ambiguous + b"\r\n"
            with contextlib.closing(Peer(sock)) as peer, contextlib.suppress(OSError):
                peer.sock.sendall(head + body)
                peer.sock.shutdown(socket.SHUT_WR)
                peer.file.read()
        with Client(machine.port) as client:
            for _ in range(4):
                assert client.ask("GET", "/ping")[::2] == (200, b"pong"), ambiguous
    chat.signal(signal.SIGTERM)
    assert chat.end() == 0
    seen = machine.accessed.read_text()
    for line in chat.lines:
        found = re.search(r"GET (/smuggled-\d+)", line)
        assert found is None or f'"GET {found[1]} HTTP' in seen, line


class Load(threading.Thread):
    """Asks one request after the other, on one connection or on a new one each, until it is told to stop."""

    def __init__(self, machine: Machine, method: str, path: str, body: bytes | None, keep: bool) -> None:
        super().__init__()
        self.machine = machine
        self.request = (method, path, body)
        self.keep = keep
        self.over = threading.Event()
        self.answers: list[int] = []
        self.failures: list[str] = []

    def run(self) -> None:
        client = Client(self.machine.port)
        while not self.over.is_set():
            try:
                self.answers.append(client.ask(*self.request)[0])
            except OSError as error:
                self.failures.append(repr(error))
                client.connection.close()
            if not self.keep:
                client.connection.close()
        client.connection.close()


RESTARTS = 5


@contextlib.contextmanager
def under_load(machine: Machine) -> Iterator[None]:
    """30 connections, while inside; afterwards each request has had its answer, and each POST was carried out once."""
    requests = [("GET", "/", None), ("POST", "/say", b"text=hi"), ("GET", "/listen?after=1000000", None)]
    loads = [Load(machine, *request, keep) for request in requests for keep in (True, False) for _ in range(5)]
    for load in loads:
        load.start()
    said = 0
    try:
        yield
    finally:
        for load in loads:
            load.over.set()
        with Client(machine.port) as client:
            while any(load.is_alive() for load in loads):  # those who listen end with what is said
                said += client.ask("POST", "/say", b"text=the+end")[0] == 201
                for load in loads:
                    load.join(0.05)
    assert [load.failures for load in loads] == [[]] * len(loads)
    for load in loads:
        assert len(load.answers) > 1 and set(load.answers) <= {200, 201}, (load.request, load.answers)
    with Client(machine.port) as client:
        number = json.loads(client.ask("POST", "/say", b"text=count")[2])["number"]
    assert number == sum(len(load.answers) for load in loads if load.request[0] == "POST") + said + 1


def told_to_go(machine: Machine, chat: Served) -> None:
    """SIGHUP, as a WebSocket sees it."""
    websocket = feed(machine)
    chat.signal(signal.SIGHUP)
    while (frame := websocket.frame())[0] == 1:  # what is said meanwhile
        pass
    assert (frame[0], frame[1][:2]) == (8, b"\x03\xe9")  # 1001
    websocket.send_frame(8, frame[1][:2])
    assert websocket.at_end()
    websocket.close()


def test_a_rolling_restart_loses_no_request(machine: Machine, chat: Served) -> None:
    with under_load(machine):
        for _ in range(RESTARTS):
            former = pids(chat)[-2:]
            told_to_go(machine, chat)
            chat.wait_for("all workers ready")
            while not all(f"(pid {pid}) has left" in "\n".join(chat.lines) for pid in former):
                chat.wait_for("has left")
    assert len(set(pids(chat))) == 2 + 2 * RESTARTS


def test_one_process_that_becomes_a_new_program_loses_no_request(machine: Machine) -> None:
    with behind_nginx(machine, CONF, "--processes", "1", ready=r"ready \(pid") as chat, under_load(machine):
        for _ in range(RESTARTS):
            told_to_go(machine, chat)
            chat.wait_for("restarting")
            chat.wait_for(r"ready \(pid")
