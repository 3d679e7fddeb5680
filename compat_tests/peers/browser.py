"""Headless Chromium talks to a WebSocket handler: compression, text and binary, fragments, pings, close codes.

    apt-get install chromium
    python -m compat_tests.peers.browser

A page is served, its script does the talking and posts what it saw; this prints that, and what the handlers saw.
The last line says "N passed, N failed".
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from tornado4 import httpserver, netutil, web, websocket

SECONDS = 60
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

PAGE = """<!DOCTYPE html><title>talking</title><script>
"use strict";
const results = [];
const check = (name, right, seen) => results.push([name, Boolean(right), String(seen)]);
const open = (path, protocols) => new Promise((resolve, reject) => {
  const socket = new WebSocket("ws://" + location.host + path, protocols);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => resolve(socket);
  socket.onerror = () => reject(new Error("could not open " + path));
});
const next = socket => new Promise(resolve => { socket.onmessage = event => resolve(event.data); });
const echo = (socket, data) => { const answer = next(socket); socket.send(data); return answer; };
const closed = socket => new Promise(resolve => { socket.onclose = resolve; });

async function talk(path, compressed) {
  const socket = await open(path, ["first", "second"]);
  check(path + " subprotocol", socket.protocol === "second", socket.protocol);
  check(path + " extensions", socket.extensions.startsWith("permessage-deflate") === compressed, socket.extensions);
  for (const text of ["hello", "", "gr\\u00fc\\u00dfe \\u2603 \\ud83d\\ude00", "x".repeat(1000000), "ab".repeat(40000)])
    check(path + " text of " + text.length, await echo(socket, text) === text, Array.from(text).slice(0, 9).join(""));
  for (const size of [0, 1, 125, 126, 65535, 65536, 300000]) {
    const bytes = new Uint8Array(size).map((_, i) => (i * 7) % 256);
    const back = new Uint8Array(await echo(socket, bytes));
    check(path + " binary of " + size, back.length === size && back.every((b, i) => b === bytes[i]), back.length);
  }
  check(path + " fragments", await echo(socket, "fragments") === "fragments", "");
  const many = [];
  const all = new Promise(resolve => {
    socket.onmessage = event => { many.push(event.data); if (many.length === 500) resolve(); };
  });
  for (let i = 0; i < 500; i++) socket.send("message " + i);
  await all;
  check(path + " 500 in order", many.every((m, i) => m === "message " + i), many.length);
  const end = closed(socket);
  socket.close(4001, "from the browser");
  const event = await end;
  // As in 4.5.3 the server's answer repeats the code, not the reason.
  check(path + " our close", event.wasClean && event.code === 4001 && event.reason === "", event.code);
}

async function ended(how, code, reason) {
  const socket = await open("/echo");
  const end = closed(socket);
  socket.send(how);
  const event = await end;
  check(how, event.code === code && event.reason === reason && event.wasClean === (code !== 1006),
        event.code + " " + event.reason);
}

async function refused(path) {
  const socket = new WebSocket("ws://" + location.host + path);
  const event = await closed(socket);
  check("refused " + path, event.code === 1006 && !event.wasClean, event.code);
}

(async () => {
  try {
    await talk("/echo", false);
    await talk("/deflate", true);
    await ended("close 1000", 1000, "");
    await ended("close 4321 as you wish", 4321, "as you wish");
    await ended("close 1011 gr\\u00fc\\u00dfe", 1011, "gr\\u00fc\\u00dfe");
    await ended("drop", 1006, "");
    await ended("bad text", 1006, "");
    await refused("/strange-origin");
    await refused("/nowhere");
    const left = await open("/echo");
    left.send("leave me open");
    await next(left);
  } catch (error) { check("the script", false, error); }
  const headers = {"Content-Type": "application/json"};
  await fetch("/results", {method: "POST", body: JSON.stringify(results), headers});
})();
</script>"""


class Page(web.RequestHandler):
    def get(self) -> None:
        self.write(PAGE)


class Results(web.RequestHandler):
    arrived: asyncio.Future[Any]

    def post(self) -> None:
        self.arrived.set_result(json.loads(self.request.body))


class Echo(websocket.WebSocketHandler):
    pongs = 0
    ends: list[Any] = []

    def initialize(self, compression: Any = None) -> None:
        self.compression = compression

    def get_compression_options(self) -> Any:
        return self.compression

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "second" if "second" in subprotocols else None

    def open(self) -> None:  # type: ignore[override]
        self.ping(b"are you there")

    def on_pong(self, data: bytes) -> None:
        Echo.pongs += data == b"are you there"

    def on_message(self, message: Any) -> None:
        words = message.split(" ", 2) if isinstance(message, str) else [""]
        if words[0] == "close":
            self.close(int(words[1]), words[2] if len(words) > 2 else None)
        elif message == "drop":
            self.stream.close()
        elif message == "bad text":
            protocol: Any = self.ws_connection
            protocol._write_frame(True, 1, b"\xff\xfe")  # no UTF-8: the browser must fail the connection
        elif message == "fragments":
            protocol = self.ws_connection
            protocol._write_frame(False, 1, b"frag")
            protocol._write_frame(False, 0, b"")
            protocol._write_frame(True, 0, b"ments")
        else:
            self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        Echo.ends.append((self.close_code, self.close_reason))


class StrangeOrigin(Echo):
    def check_origin(self, origin: str) -> bool:
        return False


async def talk(browser: str, profile: str) -> list[list[Any]]:
    Results.arrived = asyncio.get_running_loop().create_future()
    application = web.Application(
        [
            ("/", Page), ("/results", Results), ("/echo", Echo), ("/deflate", Echo, {"compression": {}}),
            ("/strange-origin", StrangeOrigin),
        ],
        websocket_max_message_size=4 << 20,
    )  # fmt: skip
    server = httpserver.HTTPServer(application)
    (sock,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/"
    process = subprocess.Popen([browser, *FLAGS, f"--user-data-dir={profile}", url], stderr=subprocess.DEVNULL)
    try:
        results: list[list[Any]] = await asyncio.wait_for(Results.arrived, SECONDS)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
    for _ in range(200):  # the connection that the browser left open
        await asyncio.sleep(0.01)
        if len(Echo.ends) == 8:
            break
    ends = {(4001, "from the browser"), (1000, None), (4321, "as you wish"), (1011, "grüße"), (None, None)}
    results.append(["what the handlers saw", set(Echo.ends) >= ends, Echo.ends])
    results.append(["pongs", Echo.pongs >= 7, Echo.pongs])
    server.stop()
    await server.close_all_connections()
    return results


def main() -> int:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print("no Chromium here: apt-get install chromium")
        return 2
    version = subprocess.run([browser, "--version"], capture_output=True, text=True).stdout.strip()
    print(version)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        results = asyncio.run(talk(browser, profile))
    for name, right, seen in results:
        print(f"{'ok' if right else 'FAILED':7}{name}: {seen}")
    failed = sum(not right for _, right, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
