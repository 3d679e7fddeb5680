"""examples/deploy, as far as no other program is needed: that it runs, and that its files agree with each other.

With nginx, supervisor and the rest it is tests/deploy, which ``nox -s deploy`` runs.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
from programs import ROOT, python
from serving import serve

from tornado4.serve import command, config

DEPLOY = ROOT / "examples/deploy"
CHAT = ROOT / "examples/legacy/chat"


@pytest.fixture
def srv(tmp_path: Path) -> Path:
    """The chat's folder, as the examples want it."""
    shutil.copytree(CHAT, tmp_path / "srv")
    for file in DEPLOY.glob("*.py"):
        shutil.copy(file, tmp_path / "srv")
    (tmp_path / "data").mkdir()
    return tmp_path / "srv"


FORM = "Content-Type: application/x-www-form-urlencoded"


def test_two_processes_have_the_same_messages(srv: Path) -> None:
    options = ("deployed:make_app", "--alias", "--port", "0", "--processes", "2")
    env = {"CHAT_DATA": str(srv.parent / "data")}
    with serve(*options, cwd=srv, app=None, ready="all workers ready", env=env) as served:
        listeners = [served.connect() for _ in range(8)]
        for number, peer in enumerate(listeners):
            assert peer.get("/ping")[2] == b"pong"
            peer.ask("/listen?after=0" if number else "/feed", *(() if number else UPGRADE))
        assert listeners[0].answer()[0] == 101
        peer = served.connect()
        peer.sock.sendall(f"POST /say HTTP/1.1\r\nHost: a\r\n{FORM}\r\nContent-Length: 8\r\n\r\ntext=one".encode())
        assert peer.answer()[0] == 201
        assert json.loads(listeners[0].frame()[1])["text"] == "one"
        assert {json.loads(peer.answer()[2])["messages"][0]["text"] for peer in listeners[1:]} == {"one"}
        peer.sock.sendall(b"PUT /files/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        assert json.loads(peer.answer()[2])["size"] == 5
        assert peer.get("/files/a.txt")[2] == b"hello"
        assert peer.get("/files/..")[0] == 404
        for each in (peer, *listeners):
            each.close()


def test_what_a_client_has_already_is_no_news(srv: Path) -> None:
    """Whichever process told it. A process that drains has nobody wait."""
    code = """
import shared_wall
from shared_wall import SharedWall
ours, other = (SharedWall("messages", io_loop=None) for _ in range(2))
ours.say("ann", "one")
told = []
other.listen("a key", 1, told.append)
assert (told, list(other.waiting)) == ([], ["a key"])
ours.say("ann", "two")
other.look()
assert [message["text"] for message in told[0]] == ["two"]
other.listen("a key", 1, told.append)
assert [message["number"] for message in told[1]] == [2]
other.listen("a key", 2, told.append)
other.let_go()
shared_wall.is_draining = lambda: True
other.listen("another key", 2, told.append)  # it has come on a connection that was open
assert told[2:] == [[], []]
"""
    python("-m", "tornado4", "run", "-c", code, cwd=srv)


UPGRADE = (
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip


def test_the_wsgi_file_is_the_part_that_waits_for_nothing(srv: Path) -> None:
    code = f"""
import io, os
os.environ["CHAT_DATA"] = {str(srv.parent / "data")!r}
from wsgi import application

def ask(method, path, body=b"", query=""):
    environ = {{
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "a",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "a", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
    }}
    said = []
    body = b"".join(application(environ, lambda status, headers: said.append(status)))
    return said[0], body

print(ask("POST", "/say", b"text=by+wsgi")[0])
print(b"by wsgi" in ask("GET", "/")[1])
print(ask("GET", "/listen", query="after=0")[0])
"""
    assert python("-c", code, cwd=srv).stdout.splitlines() == ["201 Created", "True", "501 Not Implemented"]


def command_lines() -> dict[str, list[str]]:
    """What each file gives to ``tornado4 serve``."""
    dockerfile = (DEPLOY / "docker/Dockerfile").read_text()
    (listed,) = re.findall(r"(?ms)^CMD (\[.*\])$", dockerfile)
    found = {"Dockerfile": list(json.loads(listed.replace("\\\n", "")))}
    for file in ("systemd/chat.service", "supervisor/chat.conf"):
        (line,) = re.findall(r"(?m)^(?:ExecStart|command)=(.*)$", (DEPLOY / file).read_text())
        found[file] = shlex.split(line)
    return found


@pytest.mark.parametrize("file", ["Dockerfile", "systemd/chat.service", "supervisor/chat.conf"])
def test_each_command_line_is_one_that_serve_takes(file: str) -> None:
    argv = command_lines()[file]
    assert argv[0].endswith("/bin/tornado4") and argv[1] == "serve"
    options = vars(command._parser().parse_args(argv[2:]))
    chosen = config.combine({key: value for key, value in options.items() if hasattr(config.Config, key)}, None, file)
    assert (options["app"], options["alias"], chosen.workers) == ("deployed:make_app", True, 2)
    assert chosen.xheaders and (chosen.fd == "systemd" or chosen.unix == "/run/chat/chat.sock")


def test_the_files_agree_on_the_socket_and_the_folders() -> None:
    nginx = (DEPLOY / "nginx/chat.conf").read_text()
    for place in ("server unix:/run/chat/chat.sock;", "alias /srv/chat/static/;", "alias /var/lib/chat/files/;"):
        assert place in nginx
    assert "ListenStream=/run/chat/chat.sock\n" in (DEPLOY / "systemd/chat.socket").read_text()
    assert 'bind = "unix:/run/chat/chat.sock"' in (DEPLOY / "gunicorn/gunicorn.conf.py").read_text()
    for file in ("systemd/chat.service", "supervisor/chat.conf", "docker/Dockerfile"):
        text = (DEPLOY / file).read_text().replace('"', "")
        assert "CHAT_DATA=/var/lib/chat" in text and "CHAT_ACCEL=/stored/" in text, file


SHOWN = {
    "howto/systemd.md": ["systemd/chat.service"],
    "howto/supervisor.md": ["supervisor/chat.conf"],
    "howto/nginx.md": ["nginx/chat.conf"],
    "howto/docker.md": ["docker/Dockerfile"],
    "mixed-fleet.md": ["nginx/fleet.conf"],
}


@pytest.mark.parametrize("page", SHOWN)
def test_what_the_pages_show_stands_in_the_files(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    lines = {line.strip() for file in SHOWN[page] for line in (DEPLOY / file).read_text().splitlines()}
    shown = "".join(re.findall(r"(?ms)^```(?:ini|nginx|dockerfile)\n(.*?)^```$", text)).splitlines()
    assert shown and [line for line in shown if line.strip() not in lines and not line.startswith("#")] == []


def test_whoever_ends_the_service_waits_longer_than_the_drain() -> None:
    patience = [
        re.search(pattern, (DEPLOY / file).read_text())
        for file, pattern in (
            ("systemd/chat.service", r"TimeoutStopSec=(\d+)"),
            ("supervisor/chat.conf", r"stopwaitsecs=(\d+)"),
            ("docker/compose.yaml", r"stop_grace_period: (\d+)s"),
        )
    ]
    for found in patience:
        assert found is not None and int(found[1]) > config.Config.grace + 5  # a master's mercy


def test_what_the_image_copies_is_there() -> None:
    dockerfile = (DEPLOY / "docker/Dockerfile").read_text()
    copied = [word for line in re.findall(r"(?m)^COPY (?!--from|\. )(.*) \S+$", dockerfile) for word in line.split()]
    assert len(copied) == 3
    ignored = (DEPLOY / "docker/Dockerfile.dockerignore").read_text().split()
    for name in copied:
        assert (ROOT / name).exists() and name.partition("/")[0] not in ignored
    # What is built from must not be left out either.
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    for names in setuptools["data-files"].values():
        assert not {name.partition("/")[0] for name in names} & set(ignored)
