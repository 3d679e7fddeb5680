"""The run on a terminal, or in a log file: progress, then a summary, then each difference beside its request.

On a terminal the progress is one line, written over and over, and there is colour unless ``NO_COLOR`` is set
(no-color.org) or ``TERM`` is ``dumb``; elsewhere it is a plain line at every tenth of the way. All text is made safe
first, see `printable.visible`.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from tornado4.migrate.diff.model import Difference, Outcome, Run, Verdict
from tornado4.migrate.diff.report import times
from tornado4.migrate.diff.report.printable import columns, decoded, fit, hex_lines, one_line, text_of, wrapped
from tornado4.migrate.diff.report.replay import Replay, Standing
from tornado4.migrate.diff.report.summary import Tally, plural

_STYLES = {"bold": "1", "dim": "2", "same": "32", "ignored": "33", "different": "31", "untested": "35"}
_SIGNS = {Outcome.SAME: "=", Outcome.IGNORED: "~", Outcome.DIFFERENT: "!", Outcome.UNTESTED: "?"}
_STANDING_STYLES = {
    Standing.FIXED: "same", Standing.STILL: "different", Standing.NEW: "different", Standing.NOT_RUN: "ignored"
}  # fmt: skip
_REDRAW = 0.05  # seconds between two states of the progress line; more often is flicker
_REQUEST_LINES = 12  # of a request, shown beside its differences
_VALUE_LINES = 6  # of one side's value


class Terminal:
    """Writes to ``stream`` while a run goes on. The order of calls: `start`, `step` for each verdict, `finish`.

    ``width`` (columns), ``environ`` and ``clock`` (seconds) are the terminal's, the process's and the machine's unless
    given.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        width: int | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._stream = stream
        self._tty = stream.isatty() and environ.get("TERM") != "dumb"
        self._colour = self._tty and not environ.get("NO_COLOR")
        self._width = max(width or shutil.get_terminal_size((100, 24)).columns, 20)
        self._clock = clock
        self._tally = Tally()
        self._total: int | None = None
        self._drawn_at = float("-inf")
        self._line_is_open = False  # the progress line stands there without its newline

    # While the run goes on

    def start(self, app: str, old: str, new: str, total: int | None = None) -> None:
        """Say what is compared. ``total`` is the number of steps to come, None where nobody knows yet."""
        self._tally, self._total = Tally(), total
        self._say(self._styled("bold", fit(one_line(f"tornado4 diff {app}"), self._width)))
        for label, text in (("old", old), ("new", new)):
            self._say(f"  {label}  {fit(one_line(text), self._width - 7)}")

    def step(self, verdict: Verdict) -> None:
        """Count one more step, and show how far the run is.

        :arg verdict: what the step has come to.
        """
        self._tally.add(verdict)
        if self._tty:
            self._redraw(verdict.step.name)
        elif self._is_milestone():
            self._say(self._progress())

    def note(self, text: str) -> None:
        """A line of its own above the progress: a side starts, a side crashed.

        :arg text: without a line end.
        """
        self.clear()
        self._say(one_line(text))

    def clear(self) -> None:
        """Take the progress line away; to be called before anything else writes to the terminal, and on Ctrl-C."""
        if self._line_is_open:
            self._write("\r\x1b[K")
            self._line_is_open = False

    def _redraw(self, name: str) -> None:
        now = self._clock()
        if now - self._drawn_at < _REDRAW and self._tally.steps != self._total:
            return
        self._drawn_at = now
        # One column stays free: a terminal that wraps at the margin would leave the line behind.
        line = fit(f"{self._progress()}  {one_line(name)}", self._width - 1)
        self._write(f"\r{line}\x1b[K")
        self._line_is_open = True

    def _is_milestone(self) -> bool:
        every = max(self._total // 10, 1) if self._total else 100
        return self._tally.steps % every == 0 or self._tally.steps == self._total

    def _progress(self) -> str:
        tally = self._tally
        rules = ", ".join(f"{one_line(rule)} {number:,}" for rule, number in tally.by_rule(tally.ignored_by)[:4])
        rules = f" ({rules}{', ...' if len(tally.ignored_by) > 4 else ''})" if rules else ""
        of = f"/{self._total}" if self._total else ""
        counts = f"{tally.same:,} same, {tally.ignored:,} differ but ignored{rules}, {tally.different:,} different"
        counts += f", {tally.untested:,} untested" if tally.untested else ""
        return f"[{tally.steps:>{len(of) - 1 if of else 1}}{of}] {counts}"

    # When it is over

    def finish(self, run: Run) -> None:
        """The summary, then each step that differs beside its request.

        :arg run: the whole run.
        """
        self.clear()
        self._summary(run)
        self._untested(run)
        self._slower(run)
        for verdict in run.verdicts:
            if verdict.outcome is Outcome.DIFFERENT:
                self._verdict(run, verdict)
        self._stream.flush()

    def replayed(self, replay: Replay) -> None:
        """One line for each step that differs now or did: FIXED, STILL, NEW or NOT RUN."""
        self.clear()
        counts = ", ".join(f"{replay.count(standing)} {standing.value}" for standing in Standing)
        self._say("", self._styled("bold", f"Against the earlier report: {counts}"))
        for entry in replay.entries:
            word = self._styled(_STANDING_STYLES[entry.standing], f"{entry.standing.value:<7}")
            self._say(f"  {word}  {fit(one_line(entry.name), self._width - 11)}")
            if entry.explained_by:
                self._more(f"now ignored by {', '.join(entry.explained_by)}")
            elif entry.standing is Standing.STILL:
                for label, differences in (("fixed", entry.fixed), ("still", entry.still), ("new", entry.new)):
                    if differences and (label != "still" or entry.fixed or entry.new):
                        self._more(f"{label}: {', '.join(map(_point, differences))}")
        self._stream.flush()

    def _summary(self, run: Run) -> None:
        tally = Tally.of(run.verdicts)
        kinds = ", ".join(f"{kind.value} {number:,}" for kind, number in tally.by_kind())
        rules = ", ".join(f"{rule} {number:,}" for rule, number in tally.by_rule(tally.ignored_by))
        self._say("", self._styled("bold", f"{plural(tally.steps, 'step')} in {run.seconds:.1f} s"))
        self._count_line(Outcome.SAME, tally.same, "")
        self._count_line(Outcome.IGNORED, tally.ignored, rules)
        self._count_line(Outcome.DIFFERENT, tally.different, kinds)
        if tally.untested:
            self._count_line(Outcome.UNTESTED, tally.untested, "failed alike on both sides")
        if tally.statuses:
            statuses = ", ".join(f"{status} {number:,}" for status, number in sorted(tally.statuses.items()))
            self._say(fit(f"  statuses  {statuses}", self._width))
        for line in times.summary(run):
            self._say(fit(f"  time  {one_line(line)}", self._width))
        if tally.failures:
            self._say(f"  a side crashed, hung or did not answer in {plural(tally.failures, 'step')}")
        if run.skipped:
            self._say(f"  {plural(run.skipped, 'step')} with unsafe methods left out")
        for note in run.notes:
            self._say(fit(f"  {one_line(note)}", self._width))
        if tally.rules:
            self._say("", self._styled("bold", "Ignored, by rule"))
            width = min(max(map(columns, tally.rules)), 30)
            for rule, number in tally.by_rule():
                label = _padded(fit(one_line(rule), width), width)
                text = f"  {label}  {number:>6,}  {one_line(run.rules.get(rule, ''))}"
                self._say(fit(text.rstrip(), self._width))

    def _slower(self, run: Run) -> None:
        found = times.slower(run)
        if found:
            title = f"Slower: {plural(len(found), 'step')}, by more than {run.slower:g} times"
            self._say("", self._styled("bold", title))
        for verdict, old, new in found:
            took = f"{times.milliseconds(old)} -> {times.milliseconds(new)}"
            self._say(fit(one_line(f"  #{verdict.number} {verdict.step.name}: {took}"), self._width))

    def _untested(self, run: Run) -> None:
        untested = [verdict for verdict in run.verdicts if verdict.outcome is Outcome.UNTESTED]
        if untested:
            self._say("", self._styled("bold", "Untested: these steps failed alike on both sides"))
        for verdict in untested:
            text = f"? #{verdict.number} {verdict.step.name}: {verdict.untested}"
            text += f" (status {verdict.status})" if verdict.status else ""
            self._say(self._styled("untested", fit(one_line(text), self._width)))

    def _count_line(self, outcome: Outcome, number: int, detail: str) -> None:
        style = outcome.name.lower() if number else "dim"
        start = f"  {_SIGNS[outcome]} {number:>7,}  {_padded(outcome.value, 19) if detail else outcome.value}"
        rest = fit(one_line(detail), self._width - columns(start) - 2) if detail else ""
        self._say(self._styled(style, start) + (f"  {rest}" if rest else ""))

    def _verdict(self, run: Run, verdict: Verdict) -> None:
        facts = ", ".join(filter(None, (verdict.status, times.shown(run, verdict))))
        title = one_line(f"#{verdict.number} {verdict.step.name}{f'  ({facts})' if facts else ''}")
        origin = one_line(verdict.step.origin or verdict.sequence)
        self._say("", self._styled("different", fit(f"! {title}", self._width)))
        self._say(self._styled("dim", fit(f"  {origin}", self._width)))
        for line in _request_lines(verdict):
            self._say(self._styled("dim", "  > ") + fit(line, self._width - 4))
        sides = (run.sides[0], run.sides[-1]) if run.sides else ("old", "new")
        for difference in sorted(verdict.differences, key=lambda difference: bool(difference.rule)):
            self._difference(difference, sides)

    def _difference(self, difference: Difference, sides: tuple[str, str]) -> None:
        style = "ignored" if difference.rule else "different"
        ignored = f"  (ignored: {one_line(difference.rule)})" if difference.rule else ""
        if difference.explained:
            ignored = f"  ({one_line(difference.explained)})"
        point, old, new = _point(difference), *map(one_line, (difference.old, difference.new))
        short = f"{point}:  {old or '(nothing)'} -> {new or '(nothing)'}{ignored}"
        if columns(short) <= self._width - 6:
            self._say(f"    {self._styled(style, point)}{short[len(point) :]}")
            return
        self._say(f"    {self._styled(style, fit(point + ignored, self._width - 4))}")
        label_width = max(columns(one_line(side)) for side in sides)
        for side, value in zip(sides, (difference.old, difference.new), strict=True):
            label = _padded(one_line(side), label_width)
            for line in self._value_lines(value, self._width - label_width - 8):
                self._say(f"      {self._styled('dim', label)}  {line}")
                label = " " * label_width

    def _value_lines(self, value: str, width: int) -> list[str]:
        lines = [piece for line in value.split("\n") for piece in wrapped(one_line(line), width)]
        if len(lines) > _VALUE_LINES:
            lines = [*lines[: _VALUE_LINES - 1], f"... {plural(len(lines) - _VALUE_LINES + 1, 'more line')}"]
        return lines if value else ["(nothing)"]

    # Writing

    def _more(self, text: str) -> None:
        self._say(fit(f"           {one_line(text)}", self._width))

    def _styled(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour else text

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._write(line + "\n")

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._stream.flush()  # a pipe's reader follows the run as well


def _point(difference: Difference) -> str:
    return one_line(f"{difference.kind.value} {difference.where}".strip())


def _padded(text: str, width: int) -> str:
    return text + " " * max(width - columns(text), 0)


def _request_lines(verdict: Verdict) -> list[str]:
    """What was sent, readable: text by line, anything else as a hex dump, at most `_REQUEST_LINES`."""
    lines: list[str] = []
    for send in verdict.step.send:
        if send.opcode is not None:
            lines.append(f"frame, opcode {send.opcode}: {one_line(decoded(send.data))}")
        elif text_of(send.data) is None and b" HTTP/1." not in send.data[:4096]:
            lines += hex_lines(send.data[: 16 * _REQUEST_LINES])
        else:
            lines += [one_line(line) for line in decoded(send.data).replace("\\r\n", "\n").rstrip("\n").split("\n")]
    if len(lines) > _REQUEST_LINES:
        lines = [*lines[: _REQUEST_LINES - 1], f"... {plural(len(lines) - _REQUEST_LINES + 1, 'more line')}"]
    return lines
