"""Writes docs/support.md: which of 4.5.3's names are there, module by module, counted by `inventory`.

    python -m compat_tests.api.support          # print it
    python -m compat_tests.api.support write    # write docs/support.md

What stands in the page from its line "## Run now and then" on is written by hand, and kept.

pycurl, pycares and Twisted must be installed for the modules that stand on them.
"""

import json
import sys
from pathlib import Path

from compat_tests.api import inventory, reasons

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "support.md"

EXTRAS = {
    "curl_httpclient": "`curl` (pycurl)",
    "platform.caresresolver": "`cares` (pycares)",
    "platform.twisted": "`twisted`",
}
TYPING = "a name of the standard library's `typing`, left over from annotations; import it from there"
GENERIC = "`typing.Generic` among its bases came from an annotation; it is a plain class here"

#: Why a name differs or is absent. One without a reason here fails the test.
REASONS = {
    **{f"util.{name}": TYPING for name in "AnyStr Callable Dict Mapping Match Optional Tuple Union".split()},
    **{f"{module}.ObjectDict": GENERIC for module in "httputil template util web".split()},
    "httputil.HTTPFile": GENERIC,
}

BY_HAND = "\n## Run now and then\n"

HEAD = """\
# What is supported

The API is 4.5.3's: each module, each public name, each signature. This page is made by comparing an inventory of
the real Tornado 4.5.3 with one of tornado4 (`compat_tests/api`); a test holds it up to date. What behaves otherwise,
on purpose, is in [the table of deviations](deviations.md).

| | |
|---|---|
| Python | {pythons}; [what of it was run where](pythons.md#what-was-run) |
| event loops | asyncio's, and uvloop (extra `uvloop`) |
| systems | Linux is where the tests run; [Windows and macOS](pythons.md#windows-and-macos) were read, checked by mypy \
and run on stand-ins, not on the systems |

A name counts with its members: a class with ten public methods is eleven names. *As in 4.5.3* means that it is there,
of the same kind, with the same bases, and takes every call that 4.5.3 took. Names that a module only passes on
(`tornado.web.HTTPServerRequest`) are counted apart, since old programs import them from there, too.

| module | names | as in 4.5.3 | differ | absent | passed on | of these there | needs |
|---|--:|--:|--:|--:|--:|--:|---|
"""


def findings(module, want, got):
    """Of one module: (names, those that differ, those absent), of its own and of those passed on."""
    found = []
    for imported in (False, True):
        missing, wrong, total = inventory.diff({module: want[module]}, {module: got[module]}, imported=imported)
        found.append((total, [text.split(": ", 1) for text in wrong], missing))
    return found


def row(module, want, got):
    """The module's row of the table."""
    (total, wrong, missing), (passed_on, wrong_on, missing_on) = findings(module, want, got)
    same = total - len(wrong) - len(missing)
    there = passed_on - len(wrong_on) - len(missing_on)
    cells = [f"`{module}`", total, same, len(wrong), len(missing), passed_on, there, EXTRAS.get(module, "")]
    return "| " + " | ".join(map(str, cells)) + " |"


def exceptions(want, got):
    """Every name that differs or is absent: {name: (how, why)}."""
    found = {}
    for module in want:
        for _, wrong, missing in findings(module, want, got):
            found.update({name: (how, REASONS.get(name, "")) for name, how in wrong})
            found.update({name: ("absent", REASONS.get(name, "")) for name in missing})
    return found


def page(want, got, pythons):
    """The whole text, but for the part that is written by hand."""
    text = HEAD.format(pythons=pythons) + "".join(row(module, want, got) + "\n" for module in sorted(want))
    found = exceptions(want, got)
    if not found:
        return text + "\nNothing differs, and nothing is absent.\n" + beneath()
    text += "\n## Names that differ or are absent\n\n| name | how | why |\n|---|---|---|\n"
    text += "".join(f"| `{name}` | {how} | {why} |\n" for name, (how, why) in sorted(found.items()))
    return text + beneath()


BENEATH = """
## Beneath the public API

Private names, values of constants, parameters of private methods, and `callback=` of coroutines are 4.5.3's, and
what a program replaces (`web.utf8 = mine`, `IOStream.read_from_fd = mine`) takes effect where it did: a test replaces
{effects} functions and methods that the real one calls in the same programs. These are otherwise:

| name | how | why |
|---|---|---|
"""


def beneath():
    """What `reasons` explains."""
    effects = json.loads((Path(__file__).with_name("effects-4.5.3.json")).read_text("utf-8"))
    tables = {
        "absent": reasons.ABSENT,
        "spelled otherwise": reasons.SPELLED,
        "takes no `callback=`": reasons.NO_CALLBACK,
        "replaced without effect": reasons.INERT,
    }
    rows = [f"| `{name}` | {how} | {why} |\n" for how, table in tables.items() for name, why in table.items()]
    return BENEATH.format(effects=len(effects)) + "".join(rows)


def by_hand(text):
    """The end of the page that nobody generates."""
    return text[text.index(BY_HAND) :]


def supported_pythons():
    """ "3.11, 3.12, 3.13", from pyproject.toml's classifiers."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    start = "Programming Language :: Python :: 3."
    return ", ".join("3." + text[len(start) :] for text in project["classifiers"] if text.startswith(start))


def inventories():
    """What 4.5.3 has, and what tornado4 has here."""
    want = json.loads((Path(__file__).with_name("api-4.5.3.json")).read_text("utf-8"))
    return want, inventory.dump("tornado4")


if __name__ == "__main__":
    made = page(*inventories(), supported_pythons())
    if sys.argv[1:] == ["write"]:
        PAGE.write_text(made + by_hand(PAGE.read_text("utf-8")), "utf-8")
    else:
        sys.stdout.write(made)
