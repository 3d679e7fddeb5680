"""nginx as a reverse proxy before an ``xheaders`` server: addresses, schemes, keep-alive, bodies, WebSockets.

    apt-get install nginx-light
    python -m compat_tests.peers.proxy

nginx runs in the foreground with a configuration of its own in a scratch folder, on a port of the loopback interface.
Every check goes through it; the last line says "N passed, N failed".
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from compat_tests.peers.programs import free_port, running
from tornado4 import gen, httpclient, httpserver, iostream, netutil, web, websocket

CONFIGURATION = """{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 64m;
  upstream app {{ server 127.0.0.1:{app}; keepalive 4; }}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{                       # HTTP/1.1 with keep-alive to the application
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Real-IP $http_x_pretended;
      proxy_set_header X-Scheme https;
    }}
    location /forwarded/ {{             # what most tutorials say, and HTTP/1.0
      proxy_pass http://app/;
      proxy_http_version 1.0;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $http_x_pretended;
    }}
    location /unbuffered/ {{
      proxy_pass http://app/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_buffering off;
    }}
  }}
}}
"""


class Who(web.RequestHandler):
    """Tells how the request arrived, and on which connection."""

    def get(self) -> None:
        context: Any = self.request.connection.context  # type: ignore[attr-defined]
        self.write(
            {
                "ip": self.request.remote_ip, "protocol": self.request.protocol, "host": self.request.host,
                "version": self.request.version, "peer": context.address[1], "url": self.request.full_url(),
            }
        )  # fmt: skip


class Size(web.RequestHandler):
    def post(self) -> None:
        self.write({"size": len(self.request.body), "sha": hashlib.sha256(self.request.body).hexdigest()})


@web.stream_request_body
class Streamed(web.RequestHandler):
    def prepare(self) -> None:
        self.seen, self.digest = 0, hashlib.sha256()

    async def data_received(self, chunk: bytes) -> None:
        self.seen += len(chunk)
        self.digest.update(chunk)
        await asyncio.sleep(0)

    def put(self) -> None:
        chunked = self.request.headers.get("Transfer-Encoding") == "chunked"
        self.write({"size": self.seen, "sha": self.digest.hexdigest(), "chunked": chunked})


class Large(web.RequestHandler):
    @gen.coroutine
    def get(self) -> Any:
        try:
            for _ in range(200):
                self.write(b"0123456789abcdef" * 4096)
                yield self.flush()
        except iostream.StreamClosedError:
            pass  # the client has gone


class Compressed(web.RequestHandler):
    def get(self) -> None:
        self.write("compress me " * 1000)


class Conditional(web.RequestHandler):
    def get(self) -> None:
        self.write("the same each time")

    head = get


class Nothing(web.RequestHandler):
    def delete(self) -> None:
        self.set_status(204)


class Echo(websocket.WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return True

    def get_compression_options(self) -> Any:
        return {}

    def open(self) -> None:  # type: ignore[override]
        self.write_message(f"hello {self.request.remote_ip} over {self.request.protocol}")

    def on_message(self, message: Any) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


def serve(port: int) -> None:
    """The application, in a process of its own."""
    from tornado4.ioloop import IOLoop

    handlers = [
        ("/who", Who), ("/size", Size), ("/streamed", Streamed), ("/large", Large), ("/compressed", Compressed),
        ("/conditional", Conditional), ("/nothing", Nothing), ("/echo", Echo),
    ]  # fmt: skip
    application = web.Application(handlers, compress_response=True)
    server = httpserver.HTTPServer(application, xheaders=True)
    server.add_sockets(netutil.bind_sockets(port, "127.0.0.1"))
    IOLoop.current().start()


class Report:
    def __init__(self) -> None:
        self.failed = self.passed = 0

    def check(self, name: str, right: bool, seen: Any = "") -> None:
        print(f"{'ok' if right else 'FAILED':7}{name}: {seen}")
        self.passed += bool(right)
        self.failed += not right


async def ask(port: int, report: Report) -> None:
    client = httpclient.AsyncHTTPClient(max_clients=50, defaults={"request_timeout": 60})
    base = f"http://127.0.0.1:{port}"

    async def get(path: str, **kwargs: Any) -> Any:
        return await client.fetch(base + path, raise_error=False, **kwargs)

    who = json.loads((await get("/who", headers={"X-Pretended": "4.4.4.4"})).body)
    report.check("X-Real-IP and X-Scheme", (who["ip"], who["protocol"]) == ("4.4.4.4", "https"), who)
    report.check("the URL is the client's", who["url"] == f"https://127.0.0.1:{port}/who", who["url"])
    who = json.loads((await get("/who", headers={"X-Pretended": "2001:db8::1"})).body)
    report.check("an IPv6 address", who["ip"] == "2001:db8::1", who["ip"])
    who = json.loads((await get("/who", headers={"X-Pretended": "not an address"})).body)
    report.check("no address is not believed", who["ip"] == "127.0.0.1", who["ip"])
    forwarded = {"X-Forwarded-For": "1.2.3.4, 5.6.7.8", "X-Pretended": "https"}
    who = json.loads((await get("/forwarded/who", headers=forwarded)).body)
    report.check("X-Forwarded-For, over HTTP/1.0", (who["ip"], who["version"]) == ("127.0.0.1", "HTTP/1.0"), who)
    report.check("X-Forwarded-Proto", who["protocol"] == "https", who["protocol"])
    who = json.loads((await get("/forwarded/who", headers={"X-Pretended": "gopher"})).body)
    report.check("a strange scheme is not believed", who["protocol"] == "http", who["protocol"])

    peers = [json.loads((await get("/who")).body)["peer"] for _ in range(50)]
    report.check("50 requests share connections to the application", len(set(peers)) <= 4, len(set(peers)))
    ips = await asyncio.gather(*(get("/who", headers={"X-Pretended": f"10.0.0.{i}"}) for i in range(200)))
    right = [json.loads(answer.body)["ip"] for answer in ips] == [f"10.0.0.{i}" for i in range(200)]
    report.check("200 clients at once keep their addresses apart on shared connections", right)

    body = os.urandom(20 << 20)
    sha = hashlib.sha256(body).hexdigest()
    plain = {"Content-Type": "application/octet-stream"}  # by default it would be a form, with too many fields
    for path in ("/size", "/forwarded/size", "/unbuffered/size"):
        answer = json.loads((await get(path, method="POST", body=body, headers=plain)).body)
        report.check(f"20 MiB to {path}", answer == {"size": len(body), "sha": sha}, answer["size"])

    async def produce(write: Any) -> None:
        for at in range(0, len(body), 1 << 16):
            await write(body[at : at + (1 << 16)])

    answer = json.loads((await get("/unbuffered/streamed", method="PUT", body_producer=produce)).body)
    report.check("20 MiB in chunks, streamed", answer == {"size": len(body), "sha": sha, "chunked": True}, answer)

    for path in ("/large", "/forwarded/large", "/unbuffered/large"):
        large = await get(path)
        report.check(f"12.5 MiB from {path}", large.body == b"0123456789abcdef" * 4096 * 200, len(large.body))
    packed = await get("/compressed", headers={"Accept-Encoding": "gzip"}, decompress_response=False)
    report.check(
        "gzip passes",
        packed.headers.get("Content-Encoding") == "gzip" and gzip.decompress(packed.body) == b"compress me " * 1000,
        len(packed.body),
    )
    first = await get("/conditional")
    again = await get("/conditional", headers={"If-None-Match": first.headers["Etag"]})
    report.check("304 has no body", (again.code, again.body) == (304, b""), again.code)
    nothing = await get("/nothing", method="DELETE")
    report.check("204 has no body", (nothing.code, nothing.body) == (204, b""), nothing.code)
    head = await get("/conditional", method="HEAD")
    report.check("HEAD", (head.code, head.body, head.headers["Content-Length"]) == (200, b"", "18"), head.code)
    after = await get("/who")
    report.check("the connections are in step after all that", after.code == 200, after.code)

    request = httpclient.HTTPRequest(f"ws://127.0.0.1:{port}/echo", headers={"X-Pretended": "4.4.4.4"})
    connection = await websocket.websocket_connect(request, compression_options={})
    hello = await connection.read_message()
    report.check("a WebSocket through nginx", hello == "hello 4.4.4.4 over https", hello)
    for message in ("text", b"\0\xff" * 1000, "x" * 1_000_000):
        await connection.write_message(message, binary=isinstance(message, bytes))
        report.check(f"  echo of {len(message)}", await connection.read_message() == message)
    connection.close(4000, "enough")
    report.check("  closed", await connection.read_message() is None, connection.close_code)

    with socket.create_connection(("127.0.0.1", port)) as sock:  # a client that goes away in the middle
        sock.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.to_thread(sock.recv, 1000)
    report.check("after a client that went away", (await get("/who")).code == 200)
    client.close()


def main() -> int:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        print("no nginx here: apt-get install nginx-light")
        return 2
    print(subprocess.run([nginx, "-v"], capture_output=True, text=True).stderr.strip())
    report = Report()
    app, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # Started by root, its workers would be somebody who may not look into the scratch folder.
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(CONFIGURATION.format(user=user, folder=folder, app=app, port=port))
        start = [nginx, "-p", scratch, "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]
        program = [sys.executable, "-W", "error", "-m", "compat_tests.peers.proxy", "--serve", str(app)]
        with running(program, app, folder) as said, running(start, port, folder):
            asyncio.run(ask(port, report))
            log = said.read_text()
    report.check("the application's log has no traceback", "Traceback" not in log, log[-2000:])
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
    sys.exit(main())
