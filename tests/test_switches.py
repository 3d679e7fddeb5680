"""Switches without code: names, actions, the environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tornado4 import switches
from tornado4._switchboard import Switchboard


@pytest.fixture
def fresh(monkeypatch):
    """Nothing set, and what a test sets is forgotten."""
    monkeypatch.delenv("TORNADO4_ALLOW", raising=False)
    monkeypatch.setattr(switches, "_board", Switchboard("TORNADO4_ALLOW", "switch", switches.SWITCHES))


def test_a_switch_is_off_until_it_is_allowed(fresh):
    assert not switches.is_allowed("missing-host")
    switches.allow("missing-host")
    assert switches.is_allowed("missing-host")
    assert switches.allowed() == ["missing-host"]


def test_an_unknown_name_is_refused_and_sets_nothing(fresh):
    with pytest.raises(ValueError, match=r"no switch 'mising-host'; there are: .*missing-host"):
        switches.allow("chunked-http10", "mising-host")
    assert switches.allowed() == []


def test_an_action_runs_once_whenever_the_switch_is_set(fresh):
    ran = []
    switches.when_allowed("missing-host", lambda: ran.append("before"))
    assert ran == []
    switches.allow("missing-host")
    switches.allow("missing-host")
    switches.when_allowed("missing-host", lambda: ran.append("after"))
    assert ran == ["before", "after"]


def test_a_hint_names_row_and_switch():
    assert switches.hint("missing-host") == (
        "(WIRE-HOST of docs/deviations.md; TORNADO4_ALLOW=missing-host allows it)"
    )


# Switches of what refuses nothing, so that there is no line to say it in.
SILENT = {
    "silent-refusals": "it takes answers away",
    "redirect-credentials": "the request is sent, without them",
    "log-credentials": "the line is written, without them",
}


def test_each_refusal_names_its_row_and_switch():
    """A new switch is named where it would have let pass, or stands above with the reason."""
    sources = "".join(path.read_text("utf-8") for path in Path(switches.__file__).parent.rglob("*.py"))
    named = set(re.findall(r"\bhint\(\s*[\"']([a-z0-9-]+)[\"']", sources))
    assert named | set(SILENT) == set(switches.SWITCHES) and not named & set(SILENT)


def test_every_switch_stands_in_its_row_of_the_deviations():
    page = (Path(__file__).parent.parent / "docs" / "deviations.md").read_text()
    rows = dict(re.findall(r"^\| ([A-Z0-9.-]+) \| (.*)$", page, re.MULTILINE))
    for switch in switches.SWITCHES.values():
        assert f"`TORNADO4_ALLOW={switch.name}`" in rows[switch.row]


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | environment, check=False
    )


def test_the_environment_sets_what_servers_and_clients_obey():
    code = (
        "from tornado4 import http1connection, httputil, simple_httpclient\n"
        "p = http1connection.HTTP1ConnectionParameters()\n"
        "print(p.require_host, p.chunked_http10, p.answer_errors, httputil.limits.form_arguments,"
        " simple_httpclient.SimpleAsyncHTTPClient.forward_credentials)"
    )
    names = "missing-host, chunked-http10 silent-refusals,unbounded-forms,redirect-credentials"
    assert run_python(code, TORNADO4_ALLOW="").stdout.split() == ["True", "False", "True", "1000", "False"]
    assert run_python(code, TORNADO4_ALLOW=names).stdout.split() == ["False", "True", "False", "None", "True"]


def test_a_wrong_name_in_the_environment_is_named():
    done = run_python("import tornado4.web", TORNADO4_ALLOW="everything")
    assert done.returncode == 1
    assert "ValueError: environment variable TORNADO4_ALLOW: no switch 'everything'; there are: " in done.stderr


#: Rows whose way back is in the program, and why there is no switch for it.
IN_THE_PROGRAM = {
    "RELOAD-1": "how a program is started says it",
    "WIRE-GZIP": "a limit, which the program sets as it always did",
    "SEC-WEBSOCKET-SIZE": "a limit, which the program sets as it always did",
    "WS-QUEUE": "a limit, which the program sets as it always did",
    "SEC-REASON": "text of a peer's in a status line splits answers: nobody can mean it",
    "SEC-TLS-NAME": "one connection's options say it; TORNADO4_ALLOW=unverified-tls is for all",
    "SEC-STATIC-VERSION": "a file of another kind is served by what the program overrides",
    "MEDIA-TYPES": "a table of the standard library, which the program can change",
    "TLS-CONTEXT": "what a current OpenSSL refuses, no switch can bring back",
    "TLS-CLIENT": "the type that a private method returns; an override may return either",
    "TEST-CERT": "what OpenSSL refuses, no switch can bring back",
    "GEN-TASK": "each coroutine says by its decorator what it is",
    "TLS-13": "a version of the protocol, which the program's context chooses",
}


def test_every_row_with_a_way_back_has_a_switch_or_a_reason():
    page = (Path(__file__).parent.parent / "docs" / "deviations.md").read_text()
    rows = re.findall(r"^\| ([A-Z0-9.-]+) \| .* \| .*? \| (.*?) \| .*? \|$", page, re.MULTILINE)
    without = {row for row, back in rows if "TORNADO4_ALLOW=" not in back and not back.startswith("none")}
    assert without == IN_THE_PROGRAM.keys()
