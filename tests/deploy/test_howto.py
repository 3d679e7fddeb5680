"""The commands of docs/howto as they stand there, by root, with Debian's nginx, supervisor and systemd.

Each runs in namespaces of its own, with copies of ``/etc`` and the other folders that it changes: nothing of it is
left, and nothing of this machine is touched. The network is one of its own as well, where port 80 is free.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from programs import ROOT
from serving import PATIENCE

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.skipif(
        sys.platform != "linux" or os.getuid() != 0, reason="namespaces, and what the pages do in them, are for root"
    ),
]

#: Folders of the namespace are in memory, below /mnt; the tree and the wheels that pip needs are put there.
SETTLE = """
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/etc /mnt/srv /mnt/lib /mnt/log/nginx /mnt/log/supervisor /mnt/home /mnt/units
mkdir /mnt/out /mnt/src /mnt/wheels
mount --bind {tmp}/out /mnt/out
mount --bind {tmp}/src /mnt/src
mount --bind {tmp}/wheels /mnt/wheels
cp -a /etc/. /mnt/etc/
mount --bind /mnt/etc /etc
cp -a /var/lib/nginx /mnt/lib/
mount --bind /mnt/lib /var/lib
mount --bind /mnt/log /var/log
mount --bind /mnt/srv /srv
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
ip link set lo up
export HOME=/mnt/home PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PIP_NO_INDEX=1 PIP_FIND_LINKS=/mnt/wheels PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
cd /mnt/src
"""

#: systemd with the units that a service and a socket stand on, and no other: above all nothing that tidies folders up.
AS_SYSTEMD = """
for unit in basic sysinit sockets multi-user shutdown umount final network timers paths slices local-fs; do
    cp /lib/systemd/system/$unit.target /mnt/units/
done
cp /lib/systemd/system/systemd-journald*.so* /lib/systemd/system/systemd-journald.service /mnt/units/
mount --bind /mnt/units /lib/systemd/system
rm -rf /etc/systemd/system
mkdir /etc/systemd/system
cat > /etc/systemd/system/commands.service <<EOF
[Unit]
DefaultDependencies=no
Wants=systemd-journald.socket
After=systemd-journald.socket
[Service]
Type=oneshot
WorkingDirectory=/mnt/src
Environment=$(env | grep ^PIP_ | tr '\\n' ' ') PATH=$PATH HOME=$HOME
ExecStart=/bin/bash /mnt/out/commands
StandardOutput=file:/mnt/out/said
StandardError=inherit
EOF
exec env -i container=docker PATH=$PATH /lib/systemd/systemd --system --unit=commands.service
"""


def commands_of(page: str) -> list[str]:
    """Its blocks of commands."""
    text = (ROOT / "docs/howto" / page).read_text()
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tree, as git has it, and what pip needs, since there will be no network."""
    for name in ("out", "src", "wheels"):
        (tmp_path / name).mkdir()
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    pack = ("tar", "--null", "-T", "-", "-cf", "-")
    packed = subprocess.run(pack, input=files.stdout, cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-xf", "-", "-C", str(tmp_path / "src")], input=packed.stdout, check=True)
    wanted = ("setuptools>=77", "prometheus-client>=0.17")
    download = ("-m", "pip", "download", "-q", "--no-deps", "-d", str(tmp_path / "wheels"), *wanted)
    subprocess.run([sys.executable, *download], check=True, capture_output=True)
    return tmp_path


def run(folder: Path, script: str, last: str) -> str:
    """What bash says of ``script`` as the first process of the namespaces, until its last line is ``last``."""
    said = folder / "out" / "said"
    with open(said, "w") as output:
        process = subprocess.Popen(
            ["unshare", "--pid", "--mount", "--uts", "--ipc", "--net", "--fork", "--kill-child", "bash", "-c", script],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            end = time.monotonic() + PATIENCE
            while not (text := said.read_text(errors="replace")).rstrip().endswith(last):
                # A script that has failed has ended; as systemd it goes on until it is killed.
                assert process.poll() is None and time.monotonic() < end and "FAILED" not in text, text
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    return text


def test_nginx_and_supervisor(folder: Path) -> None:
    """The folder and the environment are made as the page on systemd says."""
    made = re.sub(r"(?m)^(cp examples/deploy/systemd|systemctl ).*\n", "", commands_of("systemd.md")[0])
    first, then = commands_of("supervisor.md")
    nginx = commands_of("nginx.md")[0].replace("apt-get install nginx\n", "")
    (folder / "out/ask").write_text(ASK)
    script = SETTLE.format(tmp=folder) + f"""
nginx
supervisord
set -x
{made}{first}
until supervisorctl status chat | grep RUNNING; do sleep 0.1; done
{nginx}
bash -ex /mnt/out/ask
{then}
set +x
grep -c 'all workers ready' /var/log/chat.log
echo OVER
"""
    said = run(folder, script, "OVER")
    for line in ("chat: signalled", "chat: stopped", "chat: started", "test is successful", "SAME"):
        assert line in said, said
    assert '{"number": 1}' in said and "Welcome to nginx" in said  # of the default site, as the page says


ASK = """
ask() { curl -sf --retry 5 --retry-all-errors -H "Host: chat.example.org" "$@"; }
curl -s http://localhost/ | head -5
ask http://localhost/ -o /dev/null
ask http://localhost/say -d text=hello
ask -T /bin/ls http://localhost/files/ls
ask http://localhost/files/ls | cmp - /bin/ls
echo SAME
"""


def test_systemd(folder: Path) -> None:
    start, then = commands_of("systemd.md")
    ask = "curl -sf --unix-socket /run/chat/chat.sock"
    between = {
        "reload": f"""
            {ask} http://x/say -d text=hello
            {ask} 'http://x/listen?after=1' &
            until curl -sf http://127.0.0.1:8001/ready; do sleep 0.1; done
        """,
        "restart": """
            wait $!  # the reload has let it go
            curl -sf http://127.0.0.1:8001/metrics | grep _count
        """,
        "stop": f"{ask} 'http://x/listen?after=0'",
    }
    script = ["set -e -o pipefail; trap 'echo FAILED' ERR"]
    for line in (start + then).splitlines():
        script += [between.get(line.split()[1], ""), f"{line} | cat"]  # no pager
    script.append("echo OVER")
    (folder / "out/commands").write_text("\n".join(script))
    said = run(folder, SETTLE.format(tmp=folder) + AS_SYSTEMD, "OVER")
    assert "Active: active (running)" in said and "replacing 2 workers" in said and "Traceback" not in said
    assert [json.loads(found) for found in re.findall(r'\{"messages": \[\]\}', said)] == [{"messages": []}]
    assert re.search(r'tornado4_request_seconds_count\{handler="chat.SayHandler".*\} 1.0', said)
    assert '"text": "hello"' in said  # after the restart, too
    assert said.count("master (pid ") >= 2 and "stopped" in said


# ---------------------------------------------------------------------------------------------------------
# Docker, without Docker


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, with lines that go on put together."""
    text = (ROOT / "examples/deploy/docker/Dockerfile").read_text()
    lines = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines if line]


def as_shell(instruction: str, rest: str) -> str:
    """What an instruction does, on this machine instead of the image; the context is in /mnt/src."""
    if instruction == "WORKDIR":
        return f"mkdir -p {rest}; cd {rest}"
    if instruction == "ENV":
        return f"export {rest}"
    if instruction == "COPY" and rest.startswith("--from=build "):
        same, place = rest.split()[1:]
        assert same == place  # it is there already
        return ""
    if instruction == "COPY":
        *sources, place = rest.split()
        return "".join(
            # A folder's content, as Docker has it.
            f"cp -r /mnt/src/{source}$([ -d /mnt/src/{source} ] && echo /.) {place}\n" for source in sources
        )
    if instruction == "USER":
        return f"as='setpriv --reuid {rest} --regid {rest} --clear-groups'"
    if instruction in ("CMD", "HEALTHCHECK"):
        words = " ".join(f"'{word.replace(chr(39), quote)}'" for word in json.loads(rest[rest.index("[") :]))
        return f"$as {words} &" if instruction == "CMD" else f"check() {{ $as {words}; }}"
    return {"RUN": rest, "FROM": "cd /", "VOLUME": "", "EXPOSE": ""}[instruction]


quote = "'\\''"


def test_the_instructions_of_the_dockerfile(folder: Path) -> None:
    """Each by its meaning, with this machine in the place of the image: what is copied is there, and it serves."""
    ignored = (ROOT / "examples/deploy/docker/Dockerfile.dockerignore").read_text().split()
    remove = " ".join(f"/mnt/src/{'.[!.]*' if name == '.*' else name}" for name in ignored if "**" not in name)
    steps = "\n".join(as_shell(*each) for each in instructions())
    ask = "curl -sf --unix-socket /run/chat/chat.sock"
    script = SETTLE.format(tmp=folder) + f"""
rm -rf {remove}
mkdir /tmp/bin
ln -s /usr/bin/python3 /tmp/bin/python
export PATH=/tmp/bin:$PATH
{steps}
master=$!
until check; do sleep 0.1; done
{ask} http://x/say -d text=hello
{ask} 'http://x/listen?after=0'
kill -TERM $master
wait $master
echo ended with $?
echo OVER
"""
    said = run(folder, script, "OVER")
    assert '{"number": 1}' in said and '"text": "hello"' in said and "ended with 0" in said
    assert json.loads(re.findall(r'(\{"time".*"uri": "/say".*\})', said)[0])["status"] == 201
