"""The run itself: every side goes through all sequences, on a thread of its own; verdicts come out in order.

No side waits for another. What one does is deterministic: its steps go out one after the other, each when the one
before is answered. A side that crashes or hangs is started again and goes on with the next step; one that does not
start again answers the rest with that failure.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Rows
from itertools import zip_longest

from tornado4.migrate.diff.client import Client
from tornado4.migrate.diff.compare import Comparer
from tornado4.migrate.diff.model import Answer, Sequence, Step, Verdict
from tornado4.migrate.diff.served import DoesNotStart, Served

Report = Callable[[str], None]


def without_unsafe(sequences: Rows[Sequence]) -> tuple[list[Sequence], int]:
    """(the sequences without their unsafe steps, how many those were)."""
    kept, skipped = [], 0
    for sequence in sequences:
        steps = tuple(step for step in sequence.steps if not step.unsafe)
        skipped += len(sequence.steps) - len(steps)
        if steps:
            kept.append(dataclasses.replace(sequence, steps=steps))
    return kept, skipped


class Runner:
    """Sends sequences to started sides: the old one, perhaps the old one again, and the new one, in this order.

    :arg seconds: the most that one answer may take.
    :arg note: told of restarts, from any thread.
    """

    def __init__(
        self, sides: Rows[Served], comparer: Comparer, *, seconds: float = 10.0, note: Report = lambda text: None
    ) -> None:
        self._sides, self._comparer, self._seconds, self._note = sides, comparer, seconds, note
        self._stopped = threading.Event()

    def verdicts(self, sequences: Rows[Sequence]) -> Iterator[Verdict]:
        """One a step, in order. When this is left before its end (an error, Ctrl-C), the sides are stopped."""
        answers: list[queue.SimpleQueue[Answer | BaseException]] = [queue.SimpleQueue() for _ in self._sides]
        workers = [
            threading.Thread(target=self._work, args=(side, sequences, into), daemon=True)
            for side, into in zip(self._sides, answers, strict=True)
        ]
        for worker in workers:
            worker.start()
        number = 0
        try:
            for sequence in sequences:
                for step in sequence.steps:
                    number += 1
                    yield self._verdict(number, sequence, step, [_taken(one) for one in answers])
        except BaseException:
            self._stopped.set()
            for side in self._sides:
                side.stop()
            raise
        for worker in workers:
            worker.join()

    def _verdict(self, number: int, sequence: Sequence, step: Step, answers: list[Answer]) -> Verdict:
        again = answers[1] if len(answers) > 2 else None
        differences = self._comparer.compare(step, answers[0], answers[-1], again)
        named = {side.name: answer for side, answer in zip(self._sides, answers, strict=True)}
        return Verdict(number, sequence.name, step, named, differences)

    def _work(
        self, side: Served, sequences: Rows[Sequence], into: queue.SimpleQueue[Answer | BaseException]
    ) -> None:
        try:
            dead = ""
            for sequence in sequences:
                client = Client(side, sequence.keep_cookies, self._seconds)
                failed = ""
                for step, following in zip_longest(sequence.steps, sequence.steps[1:]):
                    if self._stopped.is_set():
                        return
                    if dead or failed:
                        into.put(Answer(b"", False, failure=dead or failed))
                        continue
                    answer = client.perform(step, last=following is None or following.new_connection)
                    if client.gone:
                        dead = self._restart(side, client, step, answer)
                    if answer.failure and sequence.until_failure:
                        failed = f"not asked: {answer.failure}, to {step.name}"
                    into.put(answer)
                client.disconnect()
        except BaseException as error:
            into.put(error)

    def _restart(self, side: Served, client: Client, step: Step, answer: Answer) -> str:
        """Nothing, or why it cannot be started again."""
        if self._stopped.is_set():
            return "stopped"
        self._note(f"{side.name} {answer.failure}, at {step.name}; started again")
        client.gone = False
        try:
            side.start()
        except DoesNotStart as error:
            self._note(str(error))
            return "does not start again"
        return ""


def _taken(answers: queue.SimpleQueue[Answer | BaseException]) -> Answer:
    answer = answers.get()
    if isinstance(answer, BaseException):
        raise answer
    return answer
