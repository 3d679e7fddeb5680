"""The ledger: what was told, where and how often; it warns the first time, or raises."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

from tornado4.migrate.live import places
from tornado4.migrate.live.categories import BY_SEVERITY, SilentChange
from tornado4.migrate.live.places import Place
from tornado4.migrate.live.wanted import Wanted
from tornado4.migrate.rules import Rule, rules

#: The version of the report's form; a reader may rely on what it knows of it.
SCHEMA = 1


class Ledger:
    """All that one run has told.

    ``tell`` is called by the functions that stand in for the framework's, from any thread: what it does is one
    look-up, one sum, and a warning the first time.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.counts: dict[tuple[str, str, int], int] = {}
        #: What has no line in the program, by rule.
        self.elsewhere: dict[str, int] = {}
        self._rules = rules()
        self._pid = os.getpid()
        self._started_in = os.getcwd() + os.sep  # files below are named from here; it may be gone at the end
        self._raises = wanted.mode == "error"
        self._warns = wanted.mode == "warn"

    def tell(
        self, rule_id: str, place: Place | None, error: Callable[[], BaseException] | None = None, detail: str = ""
    ) -> None:
        """A rule is met at a place.

        ``error`` makes what Tornado 6 raises there; without it, it says nothing. ``detail`` is added to the warning.
        """
        if place is None:
            self.elsewhere[rule_id] = self.elsewhere.get(rule_id, 0) + 1
            return
        rule = self._rules[rule_id]
        if rule.severity == "style" and not self.wanted.native:
            return
        key = (rule_id, place.file, place.line)
        seen = self.counts.get(key, 0)
        self.counts[key] = seen + 1
        foreign = not self.wanted.packages and places.distribution_of(place.file)
        if foreign:
            return
        if self._raises and rule.required:
            raise SilentChange(rule_id, text_of(rule, detail)) if error is None else error()
        if self._warns and not seen:
            self._warn(rule, place, detail)

    def _warn(self, rule: Rule, place: Place, detail: str) -> None:
        category = BY_SEVERITY[rule.severity]
        warning = category(text_of(rule, detail))
        warning.rule = rule.id
        module = place.module or os.path.basename(place.file).removesuffix(".py")  # without one nothing is shown
        warnings.warn_explicit(warning, category, place.file, place.line, module, place.registry)

    # -- at the end -----------------------------------------------------------------------------------------

    @property
    def is_mine(self) -> bool:
        """Whether this is the process that began it: forked children have a copy."""
        return os.getpid() == self._pid

    def report(self) -> dict[str, Any]:
        """The summary, as it is written as JSON: see docs/migrate.md."""
        own: dict[str, list[dict[str, Any]]] = {}
        packages: dict[str, dict[str, int]] = {}
        for (rule_id, file, line), count in sorted(self.counts.items()):
            distribution = places.distribution_of(file)
            if distribution:
                sums = packages.setdefault(distribution, {})
                sums[rule_id] = sums.get(rule_id, 0) + count
            if not distribution or self.wanted.packages:
                own.setdefault(rule_id, []).append({"file": self._shown(file), "line": line, "count": count})
        return {
            "schema": SCHEMA,
            "mode": self.wanted.mode,
            "rules": {
                rule_id: {
                    "title": self._rules[rule_id].title,
                    "severity": self._rules[rule_id].severity,
                    "places": found,
                }
                for rule_id, found in own.items()
            },
            "packages": packages,
            "elsewhere": dict(sorted(self.elsewhere.items())),
        }

    def _shown(self, file: str) -> str:
        return file.removeprefix(self._started_in).replace(os.sep, "/")

    def write_report(self, path: str) -> None:
        """Write the summary as JSON."""
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.report(), file, indent=1)
            file.write("\n")

    def summary(self) -> str:
        """The summary as text; "" when there is nothing to say."""
        report = self.report()
        lines = []
        for rule_id, found in report["rules"].items():
            times = sum(place["count"] for place in found["places"])
            lines.append(f"  {rule_id}  {_counted(len(found['places']), 'place')}, {times} times  {found['title']}")
        for distribution, sums in sorted(report["packages"].items()):
            listed = ", ".join(f"{rule_id} {count} times" for rule_id, count in sorted(sums.items()))
            lines.append(f"  in the package {distribution}: {listed}")
        if report["elsewhere"]:
            listed = ", ".join(f"{rule_id} {count} times" for rule_id, count in report["elsewhere"].items())
            lines.append(f"  at no line of the program: {listed}")
        if not lines:
            return ""
        hint = "" if self.wanted.packages or not report["packages"] else "; --migrate-packages lists those of packages"
        return "\n".join(
            ["tornado4: what Tornado 6 does otherwise ('tornado4 explain ID' tells more" + hint + ")", *lines]
        )

    def finish(self) -> None:
        """What is due at the end of the process."""
        if not self.is_mine:
            return
        if self.wanted.report:
            self.write_report(self.wanted.report)
        text = self.summary()
        if text and sys.stderr is not None:
            print(text, file=sys.stderr)


def text_of(rule: Rule, detail: str = "") -> str:
    """What a warning says: the rule's id, what changes, and what to write."""
    text = f"{rule.id}: {rule.title}"
    if detail:
        text += f" ({detail})"
    if rule.advice:
        text += f". Instead: {rule.advice}"
    return text


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
