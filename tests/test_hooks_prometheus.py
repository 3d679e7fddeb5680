"""Metrics, by the client of Prometheus, in a registry of the test's."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import python
from serving import serve
from watched import Bench, watching

pytest.importorskip("prometheus_client")

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tornado4 import gen, queues, web, websocket
from tornado4.hooks import prometheus


class Main(web.RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Fails(web.RequestHandler):
    def get(self) -> None:
        raise ValueError("on purpose")


class Echo(websocket.WebSocketHandler):
    def on_message(self, message: Any) -> None:
        self.write_message(message)


@pytest.fixture
def metrics() -> prometheus.Metrics:
    return prometheus.Metrics(CollectorRegistry())


@pytest.fixture
def bench(metrics: prometheus.Metrics) -> Iterator[Bench]:
    rules: list[Any] = [("/", Main), ("/fails", Fails), ("/ws", Echo), ("/metrics", metrics.handler)]
    bench = Bench(rules)
    yield bench
    bench.close()


def samples(text: bytes) -> dict[str, float]:
    """``name{label="value"}`` and what is there."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_requests_errors_and_fetches(bench: Bench, metrics: prometheus.Metrics) -> None:
    with watching(metrics):
        for path in ("/", "/", "/fails", "/nosuch"):
            bench.fetch(path)
        response = bench.fetch("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain")
    found = samples(response.body)
    name = "tornado4_request_seconds_count{handler=test_hooks_prometheus."
    assert found[f"{name}Main,method=GET,status=200}}"] == 2
    assert found[f"{name}Fails,method=GET,status=500}}"] == 1
    assert found["tornado4_request_seconds_count{handler=tornado4.web.ErrorHandler,method=GET,status=404}"] == 1
    assert found["tornado4_requests_in_progress"] == 1  # this one
    assert found["tornado4_request_errors_total{handler=test_hooks_prometheus.Fails}"] == 1
    assert found["tornado4_fetch_seconds_count{method=GET,status=200}"] == 2
    assert found["tornado4_fetch_seconds_count{method=GET,status=404}"] == 1
    assert samples(metrics.exposition())["tornado4_requests_in_progress"] == 0


def test_a_method_of_a_clients_own_making_is_no_label_of_its_own(bench: Bench, metrics: prometheus.Metrics) -> None:
    with watching(metrics):
        bench.fetch("/", method="BREW", allow_nonstandard_methods=True)
    assert any("method=other,status=405" in name for name in samples(metrics.exposition()))


def test_websockets_connections_and_queues(bench: Bench, metrics: prometheus.Metrics) -> None:
    queue: Any = queues.Queue()
    queue.put_nowait(1)
    queue.put_nowait(2)
    metrics.watch_server(bench.server)
    metrics.watch_queue("work", queue)
    name = "tornado4_websockets{handler=test_hooks_prometheus.Echo}"

    @gen.coroutine
    def go() -> Any:
        connection = yield websocket.websocket_connect(f"ws://127.0.0.1:{bench.port}/ws")
        connection.write_message("hello")
        yield connection.read_message()
        assert samples(metrics.exposition())[name] == 1
        connection.close()
        while samples(metrics.exposition())[name]:
            yield gen.moment

    with watching(metrics):
        bench.loop.run_sync(go)
        found = samples(bench.fetch("/metrics").body)
    assert found["tornado4_connections"] == 1 and found["tornado4_queue_length{queue=work}"] == 2


def test_loop_lag(bench: Bench, metrics: prometheus.Metrics) -> None:
    timer = metrics.watch_loop(bench.loop, seconds=0.01)

    @gen.coroutine
    def go() -> Any:
        yield gen.sleep(0.02)
        time.sleep(0.1)  # the loop is blocked
        while not samples(metrics.exposition())["tornado4_loop_lag_seconds_sum"] >= 0.05:
            yield gen.sleep(0.01)

    bench.loop.run_sync(go)
    timer.stop()


def test_install_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from tornado4 import hooks

    first = prometheus.install()
    try:
        assert prometheus.install() is first is prometheus.installed()
    finally:
        hooks.remove(first)


APP = """
import os
from tornado4 import web
from tornado4.hooks import prometheus


class Main(web.RequestHandler):
    def get(self):
        self.write(str(os.getpid()))


prometheus.install()
application = web.Application([("/", Main)])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
@pytest.mark.parametrize("processes", [1, 2])
def test_serve_answers_metrics_beside_health(tmp_path: Path, processes: int) -> None:
    shared = tmp_path / "metrics"
    shared.mkdir()
    options = ("app:application", "--port", "0", "--health", "0", "--processes", str(processes))
    env = {"PROMETHEUS_MULTIPROC_DIR": str(shared)} if processes > 1 else {}
    ready = "all workers ready" if processes > 1 else "ready"
    with serve(*options, cwd=tmp_path, app=APP, env=env, ready=ready) as served:
        found = re.search(r"health on http://127.0.0.1:(\d+)", "\n".join(served.lines))
        assert found
        for _ in range(5):
            peer = served.connect()
            assert peer.get("/", "Connection: close")[0] == 200
            peer.close()
        peer = served.connect(int(found[1]))
        status, headers, body = peer.get("/metrics")
        peer.close()
        assert status == 200 and headers["content-type"].startswith("text/plain")
        assert samples(body)["tornado4_request_seconds_count{handler=app.Main,method=GET,status=200}"] == 5
        assert processes == 2 or samples(body)["tornado4_connections"] == 0
        assert "tornado4_loop_lag_seconds_sum" in samples(body)
        if processes == 2:
            killed = int(re.findall(r"worker \d \(pid (\d+)\) ready", "\n".join(served.lines))[0])
            assert list(shared.glob(f"gauge_livesum_{killed}.db"))
            os.kill(killed, signal.SIGKILL)
            served.wait_for("all workers ready")
            assert not list(shared.glob(f"gauge_livesum_{killed}.db"))
        served.signal(signal.SIGTERM)
        assert served.end() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
@pytest.mark.parametrize("processes", [1, 2])
def test_serve_counts_for_an_application_that_does_not(
    tmp_path: Path, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers have a folder of the master's for it, which goes with the master, not with one of them."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    app = APP.replace("prometheus.install()\n", "").replace("from tornado4.hooks import prometheus\n", "")
    options = ("app:application", "--port", "0", "--health", "0", "--metrics", "--processes", str(processes))
    ready = "all workers ready" if processes > 1 else "ready"
    with serve(*options, cwd=tmp_path, app=app, env={"TMPDIR": str(temporary)}, ready=ready) as served:
        found = re.search(r"health on http://127.0.0.1:(\d+)", "\n".join(served.lines))
        assert found

        def ask_and_be_counted(number: int) -> None:
            peer = served.connect()
            assert peer.get("/", "Connection: close")[0] == 200
            peer.close()
            count = 0.0
            while count < number:  # the answer has left before it is counted
                peer = served.connect(int(found[1]))
                body = peer.get("/metrics")[2]
                peer.close()
                name = "tornado4_request_seconds_count{handler=app.Main,method=GET,status=200}"
                count = samples(body).get(name, 0.0)
            assert count == number

        ask_and_be_counted(1)
        if processes > 1:
            served.signal(signal.SIGHUP)
            served.wait_for("all workers ready")
            ask_and_be_counted(2)  # those that have left count on
            assert len(list(temporary.iterdir())) == 1
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        assert not list(temporary.iterdir())


def test_serve_says_what_metrics_need(tmp_path: Path) -> None:
    done = python("-m", "tornado4", "serve", "app:application", "--metrics", cwd=tmp_path, code=2)
    assert "--metrics: it needs --health" in done.stderr
    code = (
        "import sys\n"
        "import importlib.util\n"
        "importlib.util.find_spec = lambda name: None\n"
        "from tornado4.serve import command\n"
        "sys.exit(command.main(['app:application', '--metrics', '--health', '0']))\n"
    )
    done = python("-c", code, cwd=tmp_path, code=2)
    assert "--metrics: there is no prometheus_client: pip install 'tornado4[prometheus]'" in done.stderr
