"""examples/many_machines: that its files agree with `tornado4 serve`, and with each other.

``nox -s many_machines ray`` runs it: Redis, nginx, four processes; Ray Serve; the manifest held against its schema.
"""

from __future__ import annotations

import re

from programs import ROOT

from tornado4.serve import command, config, health

FOLDER = ROOT / "examples/many_machines"
MANIFEST = (FOLDER / "kubernetes.yaml").read_text("utf-8")


def served() -> config.Config:
    """The options of the manifest's container."""
    words = re.findall(r"^            - (\S+)", MANIFEST.partition("command:\n")[2].partition("env:")[0], re.MULTILINE)
    assert words[:2] == ["tornado4", "serve"]
    options = vars(command._parser().parse_args(words[2:]))
    return config.combine({key: options[key] for key in options if hasattr(config.Config(), key)}, None, "")


def number(pattern: str) -> int:
    (found,) = re.findall(pattern, MANIFEST)
    return int(found)


def test_kubernetes_waits_for_longer_than_the_drain_may_take() -> None:
    before = number(r'command: \["sleep", "(\d+)"\]')
    assert number(r"terminationGracePeriodSeconds: (\d+)") >= before + served().grace + 5


def test_the_probes_ask_where_the_server_answers() -> None:
    ports = dict(re.findall(r"- name: (\w+)\n +containerPort: (\d+)", MANIFEST))
    chosen = served()
    assert ports == {"http": str(chosen.port), "health": str(chosen.health)}
    assert chosen.host == chosen.health_host == "0.0.0.0"  # the kubelet comes from outside
    probes = re.findall(r"(\w+)Probe:.*\n +httpGet:\n +path: (\S+)\n +port: (\w+)", MANIFEST)
    assert {name for name, _, _ in probes} == {"startup", "readiness", "liveness"}
    for name, path, port in probes:
        status, _ = health.answer(path, {"ready": False})
        assert port == "health" and status == (200 if name == "liveness" else 503)


def test_nginx_and_the_script_know_the_same_sockets() -> None:
    sockets = re.findall(r"server unix:run/(\d)\.sock max_fails=0;", (FOLDER / "nginx.conf").read_text("utf-8"))
    (processes,) = re.findall(r"^PROCESSES = (\d)$", (FOLDER / "measure.py").read_text("utf-8"), re.MULTILINE)
    assert sockets == [str(number + 1) for number in range(int(processes))]
