"""What README and docs say is true: commands, code, links, and tables that agree with the code."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from programs import ROOT, environment, fetch, free_port, python, server

from tornado4.migrate import backfill_table, commands
from tornado4.migrate.diff import user_rules
from tornado4.migrate.diff.traffic.http_file import read_http_file
from tornado4.migrate.rules import pages
from tornado4.serve import config

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("[!r]*/**/*.md")),  # docs/rules is made of data, which has tests of its own
]
#: All that the site shows.
SITE = [*PAGES, *sorted((ROOT / "docs/rules").glob("*.md")), *sorted(ROOT.glob("[!.]*/**/README.md"))]


def blocks(page: Path, language: str) -> list[str]:
    found: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return found


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """What a heading is called behind ``#``, as code hosts and the site call it; and what is named by hand."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = set(re.findall(r'<a id="([^"]+)">|^\(([\w-]+)\)=$', text, re.MULTILINE))
    names = {one or other for one, other in found}
    for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        names.add(re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-"))
    return names


@pytest.mark.parametrize("page", SITE, ids=name_of)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://")):
            continue
        path, _, heading = target.partition("#")
        linked = page if not path else (page.parent / path)
        assert linked.exists(), target
        assert not heading or heading in anchors(linked), target


def test_hello_world_of_the_readme_runs_as_pasted(tmp_path: Path) -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    port = free_port()
    (tmp_path / "hello.py").write_text(code.replace("8888", str(port)))
    with server("-W", "error", "hello.py", port=port, cwd=tmp_path):
        assert fetch(port, "/") == (200, b"Hello, world")


@pytest.mark.parametrize(
    "code", [*blocks(ROOT / "docs/run.md", "python"), *blocks(ROOT / "docs/serve.md", "python")[2:],
             blocks(ROOT / "docs/watch.md", "python")[0]],
)  # fmt: skip
def test_code_of_the_guide_runs(code: str) -> None:
    python("-c", code)


def test_a_main_that_makes_the_application_is_refused_and_what_the_guide_does_instead_is_served(tmp_path: Path) -> None:
    head = "import tornado.ioloop, tornado.web\nfrom tornado.options import define, options, parse_command_line\n"
    head += "define('debug', default=False)\ndefine('port', default=0)\n"
    head += "class MainHandler(tornado.web.RequestHandler):\n    def get(self):\n        self.write('served')\n"
    before, after = blocks(ROOT / "docs/serve.md", "python")[:2]
    (tmp_path / "myapp.py").write_text(head + before)
    serve = ("-m", "tornado4", "serve", "--alias", "--port")
    assert "it starts an IOLoop" in python(*serve, "0", "myapp:main", cwd=tmp_path, code=1).stderr
    (tmp_path / "myapp.py").write_text(head + after)
    port = free_port()
    with server(*serve, str(port), "myapp:make_app", port=port, cwd=tmp_path):
        assert fetch(port, "/") == (200, b"served")


@pytest.mark.parametrize("code", blocks(ROOT / "docs/asgi.md", "python"))
def test_code_about_asgi_runs(code: str) -> None:
    python("-c", code, cwd=ROOT / "examples/legacy/chat")


# ---------------------------------------------------------------------------------------------------------
# Where each block was run

#: Blocks of what programs print, and what the site itself makes of a page: nobody runs them.
SHOWN = {"text", "json", "diff", "xml", "{toctree}", "{api}"}
RAN = re.compile(r"<!-- ran: (CI|nox|by hand), ([^;]+?)(?:; .+)? -->")


class Code(NamedTuple):
    """A block of code or commands, and what stands right above it."""

    page: Path
    line: int
    above: str


def code_blocks(page: Path) -> Iterator[Code]:
    """Fenced ones but for what is `SHOWN`, and indented ones."""
    lines = ["", *page.read_text("utf-8").split("\n")]
    number = 1
    while number < len(lines):
        line, before = lines[number], [text for text in lines[:number] if text]
        fence = re.match(r"(`{3,}|:{3,})(\S*)", line)
        if fence:
            if fence[2] not in SHOWN:
                yield Code(page, number, lines[number - 1])
            number = lines.index(fence[1], number + 1)
        elif line.startswith("    ") and not lines[number - 1] and not re.match(r"[-*] |\d\.", before[-1]):
            yield Code(page, number, before[-1])
            while lines[number + 1].startswith("    "):
                number += 1
        number += 1


#: The pages of the rules are left out: compat_tests/test_rules.py runs all their programs.
TAGGED = [code for page in SITE if page.parent.name != "rules" for code in code_blocks(page)]


@pytest.mark.parametrize("code", TAGGED, ids=lambda code: f"{name_of(code.page)}:{code.line}")
def test_each_block_says_where_it_was_run(code: Code) -> None:
    """``<!-- ran: CI, tests/test_run.py -->`` above it, or ``nox, SESSION``, or ``by hand, YYYY-MM-DD``."""
    ran = RAN.fullmatch(code.above)
    assert ran is not None, f"{name_of(code.page)}, line {code.line}: where was it run? {code.above!r} stands above"
    if ran[1] == "CI":
        assert (ROOT / ran[2]).is_file()
    elif ran[1] == "nox":
        assert f"\ndef {ran[2]}(session" in (ROOT / "noxfile.py").read_text("utf-8")
    else:
        assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", ran[2])


def test_less_than_a_tenth_was_run_by_hand() -> None:
    by_hand = [code for code in TAGGED if "ran: by hand" in code.above]
    assert len(by_hand) < len(TAGGED) / 10


@pytest.mark.parametrize("code", blocks(ROOT / "docs/watch.md", "python")[1:])
def test_code_with_an_sdk_runs(code: str) -> None:
    for sdk in re.findall(r"otel|sentry|prometheus", code)[:1]:
        pytest.importorskip({"otel": "opentelemetry", "sentry": "sentry_sdk", "prometheus": "prometheus_client"}[sdk])
    python("-W", "default", "-c", code.replace('dsn="..."', 'dsn=""'))  # SDKs have warnings of their own


@pytest.mark.parametrize("code", blocks(ROOT / "docs/migrate.md", "python"))
def test_code_about_migrate_runs(code: str) -> None:
    python("-c", code)


TABLES = [table for name in ("check", "diff", "migrate", "serve") for table in blocks(ROOT / f"docs/{name}.md", "toml")]


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_pyproject_are_taken(table: str, tmp_path: Path) -> None:
    """Each by the tool that it is for; an unknown key would be an error."""
    (tmp_path / "pyproject.toml").write_text(table)
    (tool,) = re.findall(r"^\[tool\.tornado4\.?(\w*)\]", table)
    if tool == "check":
        python("-m", "tornado4", "check", ".", cwd=tmp_path)
    elif tool == "diff":
        assert user_rules.find_user_rules(tmp_path)
    elif tool == "serve":
        options = tomllib.loads(table)["tool"]["tornado4"]["serve"]
        assert config.combine({}, options, "pyproject.toml").processes == "auto"
    else:
        python("-m", "tornado4", "run", "-c", "pass", cwd=tmp_path)


def test_shop_of_the_page_on_diff(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(blocks(ROOT / "docs/diff.md", "python")[0])
    (tmp_path / "shop.http").write_text(blocks(ROOT / "docs/diff.md", "http")[0])
    python("-m", "tornado4", "run", "-c", "import shop; shop.make_app()", cwd=tmp_path)
    assert len(read_http_file(tmp_path / "shop.http").steps) == 2


def shell_commands() -> list[str]:
    """But for those of docs/howto, whose tags say where they are run."""
    pages = [page for page in PAGES if page.parent.name != "howto"]
    return [line for page in pages for block in blocks(page, "sh") for line in block.splitlines()]


def test_every_command_is_one_that_is_tested() -> None:
    """What each of them does is tested elsewhere; a new one must be listed here, and tested."""
    assert {re.sub(r" --port=\d+", "", command) for command in shell_commands()} == {
        "tornado4 run app.py",  # test_run
        "tornado4 run -m mypackage.server",  # test_run
        "tornado4 run --backfill --verbose app.py",  # test_backfill
        "tornado4 run -c 'import tornado.web; print(tornado.version)'",  # test_run
        "generate | tornado4 run -",  # test_run
        'tornado4 startup install            # once in the environment; "remove" takes it away, "status" tells',
        "TORNADO4_ALIAS=1 myapp-server",  # test_startup, as the next one
        "TORNADO4_ALIAS=1 TORNADO4_BACKFILL=1 jupyter lab",
        "tornado4 serve myapp:application --alias --processes 4",
        "tornado4 serve myapp:application",  # test_serve, as all that follow
        "tornado4 serve myapp:make_app --alias --backfill --port 8888",
        "tornado4 serve myapp:application --processes 4 --health 8001",  # test_serve_master
        "gunicorn -k tornado4.serve.gunicorn.Worker myapp:application",  # test_serve_gunicorn
        "tornado4 doctor",  # test_doctor, as the next one
        "tornado4 doctor myapp:application",
        "pip install -r requirements.txt",  # examples/many_machines/measure.py, in nox, does these and the next three
        "mkdir run",
        "tornado4 serve everywhere:make_app --alias --xheaders --unix run/1.sock",
        "nginx -p . -c nginx.conf",
        'pip install "ray[serve]"',  # measure_ray.py there, as the next one
        "serve run ray_site:site",
        "nox -s many_machines ray",
        "python tools/release.py --dry-run",  # test_release, as the next one
        "python tools/release.py",
        "python -m pytest tests",  # what runs this; nox -s package does it as the next one wants it
        "mv tornado4 tornado4.away",
        "pip install .",  # ./run, below
        "./run demo",  # below
        "./run test",  # what runs this
    }


def test_tornado4_is_installed_as_a_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"]["tornado4"] == "tornado4.__main__:main"
    assert project["dependencies"] == []  # "There are no dependencies."
    from tornado4.__main__ import main

    assert main is commands.main


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None and newest[1] == project["version"]
    import tornado4

    assert project["version"].rpartition(".")[0] == tornado4.version


def test_each_command_has_its_line_among_the_tools() -> None:
    page = (ROOT / "docs/tools.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert listed == {command.name for command in commands.COMMANDS}


# ---------------------------------------------------------------------------------------------------------
# ./run


def run_script(*args: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(cwd / "run"), *args], env=environment() | env, capture_output=True, text=True, timeout=120
    )


def test_run_lists_its_commands_and_refuses_others() -> None:
    usage = run_script("help").stdout
    mentioned = set(re.findall(r"\./run (\w+)", "".join(page.read_text("utf-8") for page in PAGES)))
    assert mentioned == {"demo", "test", "check", "docs"} and all(f"\n  {name} " in usage for name in mentioned)
    assert run_script("nosuch").returncode == 1
    assert os.access(ROOT / "run", os.X_OK) and os.access(ROOT / ".ci/run", os.X_OK)


def copy_of_run(tmp_path: Path) -> None:
    (tmp_path / "run").write_text((ROOT / "run").read_text())
    (tmp_path / "pyproject.toml").write_text("")


@pytest.mark.parametrize(
    "interpreter, message",
    [
        ("exit 1", "no interpreter"),
        ("echo 3.10", "is Python 3.10; 3.11 or later is needed"),
        ("echo 2.7", "is Python 2.7"),
        ('[ "$1" = -c ] && echo 3.13', "-m venv' failed"),
    ],
)
def test_run_says_what_is_wrong_with_the_interpreter(tmp_path: Path, interpreter: str, message: str) -> None:
    copy_of_run(tmp_path)
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{interpreter}\n")
    fake.chmod(0o755)
    done = run_script("demo", cwd=tmp_path, PYTHON=str(fake))
    assert done.returncode == 1 and message in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_run_leaves_an_environment_of_others_alone(tmp_path: Path) -> None:
    copy_of_run(tmp_path)
    (tmp_path / ".venv").mkdir()
    done = run_script("demo", cwd=tmp_path)
    assert done.returncode == 1 and "made by something else" in done.stderr
    assert list((tmp_path / ".venv").iterdir()) == []


def test_demo_starts_the_legacy_chat_and_a_second_time_installs_nothing(tmp_path: Path) -> None:
    """With an interpreter that makes no real environment and notes what it is asked for."""
    copy_of_run(tmp_path)
    fake = tmp_path / "python"
    fake.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >> {tmp_path}/asked\n'
        'case "$1 $2" in\n'
        '"-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python"\n'
        '  printf "#!/bin/sh\\necho tornado4 \\$*" > "$3/bin/tornado4"\n'
        '  chmod +x "$3/bin/tornado4" ;;\n'
        '"-c "*) echo 3.13 ;;\n'
        "esac\n"
    )
    fake.chmod(0o755)
    first = run_script("demo", "--port=9000", cwd=tmp_path, PYTHON=str(fake))
    assert first.stdout == "tornado4 run examples/legacy/chat/chat.py --port=9000\n"
    asked = [line for line in (tmp_path / "asked").read_text().splitlines() if not line.startswith("-c")]
    assert asked == ["-m venv .venv", "-m pip install --quiet --disable-pip-version-check --editable ."]
    second = run_script("demo", cwd=tmp_path, PYTHON=str(fake))
    assert (
        second.stdout == "tornado4 run examples/legacy/chat/chat.py\n" and "installing" not in second.stderr
    )


# ---------------------------------------------------------------------------------------------------------
# Tables


def deviations() -> str:
    return (ROOT / "docs/deviations.md").read_text("utf-8")


def test_the_backfill_table_of_the_docs_is_the_one_of_the_code() -> None:
    shown = deviations().split("backfill_table.markdown() -->\n\n")[1].split("\n\n<!-- end -->")[0]
    assert shown == backfill_table.markdown()
    for module, package in backfill_table.ELSEWHERE.items():
        assert f"| `{module}` | `{package}` |" in deviations()


def test_rows_of_deviations_are_whole_and_their_tests_exist() -> None:
    table = deviations().split("\n## ")[0]
    rows = [
        re.split(r" *(?<!\\)\| *", line)[1:-1] for line in table.splitlines() if re.match(r"\| [A-Z]", line)
    ]
    assert len(rows) > 5 and len({row[0] for row in rows}) == len(rows)
    for row in rows:
        assert len(row) == 5 and all(row), row
        for path in re.findall(r"[\w/]+\.py", row[4]):
            assert (ROOT / path).exists(), row


def test_the_floors_of_the_tour_are_those_of_the_package() -> None:
    import tornado4

    def words(text: str) -> list[str]:
        return re.findall(r"[a-z_0-9]+", text)

    (shown,) = [
        block for block in blocks(ROOT / "docs/design.md", "text") if block.startswith("migrate, testing")
    ]
    said = (tornado4.__doc__ or "").split("floors below it:")[1]
    assert all(word in words(said) for word in words(shown))


def test_the_pages_of_the_rules_are_made_from_the_data() -> None:
    folder = ROOT / "docs" / "rules"
    made = pages.pages()
    assert sorted(made) == sorted(path.name for path in folder.iterdir())
    for name, text in made.items():
        assert (folder / name).read_text("utf-8") == text, "python -m tornado4.migrate.rules.pages docs/rules"
