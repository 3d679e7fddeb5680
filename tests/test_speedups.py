"""tornado4.speedups: the masking in C holds to the RFC and to its memory, and is used where it is and may be."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import masks
import pytest
from programs import ROOT, environment

from tornado4 import util
from tornado4.web import xsrf

SOURCE = ROOT / "tornado4" / "speedups.c"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
#: Objects of Python come from the system's allocator, whose blocks are watched; what the interpreter leaves behind at
#: its end is its own.
WATCHED = {"PYTHONMALLOC": "malloc", "ASAN_OPTIONS": "detect_leaks=0"}


def compiler() -> list[str]:
    """The C compiler, with what it needs to find Python's headers; skips where there is none."""
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(command[0]) is None:
        pytest.skip(f"no C compiler: {command[0]} is not installed")
    headers = sysconfig.get_path("include")
    if not Path(headers, "Python.h").exists():
        pytest.skip(f"no Python.h in {headers}")
    return [command[0], "-shared", "-fPIC", f"-I{headers}"]


def compiled(folder: Path, *options: str) -> Path:
    """The extension, compiled into ``folder`` without a warning."""
    made = folder / "speedups.abi3.so"
    done = subprocess.run(
        [*compiler(), *STRICT, *options, str(SOURCE), "-o", str(made)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return made


def run(*args: str, **variables: str) -> str:
    env = {name: value for name, value in environment().items() if not name.startswith("TORNADO_")} | variables
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout.strip()


def test_the_one_in_python_masks_each_length_at_each_alignment() -> None:
    masks.check(util._websocket_mask_python)


def test_the_one_in_use_masks_each_length_at_each_alignment() -> None:
    masks.check(util._websocket_mask)


@pytest.mark.source_tree
def test_the_one_in_c_masks_each_length_at_each_alignment(tmp_path: Path) -> None:
    compiled(tmp_path, "-O3")
    assert run(str(ROOT / "tests" / "masks.py"), str(tmp_path)) == "checked"


def sanitizer() -> Path:
    """The library that watches memory, which has to be there before Python is."""
    command = compiler()[0]
    asked = [command, "-print-file-name=libasan.so"]
    found = Path(subprocess.run(asked, capture_output=True, text=True).stdout.strip())
    if not (sys.platform.startswith("linux") and found.is_absolute()):
        pytest.skip(f"{command} has no libasan.so that could be loaded before Python")
    return found


@pytest.mark.source_tree
def test_no_length_and_no_alignment_reads_or_writes_beside_its_memory(tmp_path: Path) -> None:
    library = sanitizer()
    compiled(tmp_path, *SANITIZERS)
    checks = str(ROOT / "tests" / "masks.py")
    assert run(checks, str(tmp_path), LD_PRELOAD=str(library), **WATCHED) == "checked"


@pytest.mark.source_tree
def test_the_sanitizer_would_tell(tmp_path: Path) -> None:
    """A copy of the source that lets any mask pass reads beyond a short one: CVE-2026-49854 as it was."""
    library = sanitizer()
    careless = tmp_path / "careless.c"
    careless.write_text(re.sub(r"mask->len != MASK_SIZE", "0", SOURCE.read_text("utf-8")), "utf-8")
    made = str(tmp_path / "speedups.abi3.so")
    subprocess.run([*compiler(), *SANITIZERS, str(careless), "-o", made], check=True, capture_output=True)
    env = environment() | WATCHED | {"LD_PRELOAD": str(library)}
    code = "import array, sys; sys.path.insert(0, sys.argv[1]); from speedups import websocket_mask as mask; "
    code += "mask(array.array('B', b'abc')[:], b'text')"
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode != 0 and "heap-buffer-overflow" in done.stderr


def test_a_cookie_with_a_mask_of_another_length_is_no_token() -> None:
    """Whoever sends the request chooses it: the one place where a mask is not our own."""
    assert xsrf.decode(b"2|01020304|0506|7") == (2, b"\x04\x04", 7)
    for mask in (b"", b"01", b"010203", b"0102030405"):
        assert xsrf.decode(b"2|" + mask + b"|0506|7") == (None, None, None)


# -- which one is used ----------------------------------------------------------------------------------------

CHOICE = """
import sys, types
if {there}:
    sys.modules["tornado4.speedups"] = types.SimpleNamespace(websocket_mask="the one in C")
else:
    sys.modules["tornado4.speedups"] = None
try:
    from tornado4 import util
except ImportError as error:
    print(*error.__notes__)
else:
    print("the one in Python" if util._websocket_mask is util._websocket_mask_python else util._websocket_mask)
"""


@pytest.mark.parametrize(
    ("there", "variables", "chosen"),
    [
        (True, {}, "the one in C"),
        (True, {"TORNADO_EXTENSION": "1"}, "the one in C"),
        (True, {"TORNADO_EXTENSION": "0"}, "the one in Python"),
        (True, {"TORNADO_NO_EXTENSION": "1"}, "the one in Python"),
        (False, {}, "the one in Python"),
        (False, {"TORNADO_EXTENSION": "0"}, "the one in Python"),
    ],
)
def test_the_environment_chooses(there: bool, variables: dict[str, str], chosen: str) -> None:
    assert run("-c", CHOICE.format(there=there), **variables) == chosen


def test_what_is_insisted_on_and_missing_is_an_error_with_the_way_out() -> None:
    said = run("-c", CHOICE.format(there=False), TORNADO_EXTENSION="1")
    assert "Install it again with TORNADO_EXTENSION=1" in said


@pytest.mark.source_tree
def test_the_old_name_finds_it(tmp_path: Path) -> None:
    compiled(tmp_path)
    code = f"""
import tornado4
tornado4.__path__.insert(0, {str(tmp_path)!r})
from tornado4.migrate import alias
alias.install()
from tornado.speedups import websocket_mask
from tornado.util import _websocket_mask
import tornado4.speedups, tornado.speedups
assert tornado.speedups is tornado4.speedups and websocket_mask is _websocket_mask
assert tornado.speedups.__name__ == "tornado4.speedups"
print(websocket_mask(b"abcd", b"hello"), websocket_mask.__doc__.splitlines()[0])
"""
    assert run("-c", code).startswith(r"b'\t\x07\x0f\x08\x0e' ``data`` XOR")


def test_a_websocket_masks_with_it_on_both_sides(tmp_path: Path) -> None:
    """A message of ours to ourselves, with a mask that counts."""
    code = """
import sys
sys.modules["tornado4.speedups"] = speedups = type(sys)("tornado4.speedups")
sizes = []
def websocket_mask(mask, data):
    sizes.append(len(data))
    return bytes(octet ^ mask[i % 4] for i, octet in enumerate(data))
speedups.websocket_mask = websocket_mask
from tornado4._wire import websocket as wire
frame = wire.encode_frame(True, wire.BINARY, b"x" * 300, mask=True)
reader = wire.FrameReader(masked=True, max_message_size=1000)
reader.receive(frame)
print(reader.next_event().data == b"x" * 300, sizes)
"""
    assert run("-c", code) == "True [300, 300]"
