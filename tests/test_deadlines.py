"""Many who wait, one timer: who is told that it was too late, when, and in whose context."""

from __future__ import annotations

import contextvars
import gc
import weakref
from collections.abc import Callable

from tornado4._core.deadlines import Deadlines, deadlines_of
from tornado4.ioloop import IOLoop


class Clock:
    """As much of a loop as is needed; `pass_by` runs what becomes due."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> object:
        self.timers.append((self.now + delay, callback))
        return self.timers[-1]

    def remove_timeout(self, timer: tuple[float, Callable[[], None]]) -> None:
        self.timers.remove(timer)

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while self.timers and min(self.timers)[0] <= end:
            self.timers.sort(key=lambda timer: timer[0])
            self.now, callback = self.timers.pop(0)
            callback()
        self.now = end


def test_who_does_not_end_in_time_is_told_once() -> None:
    clock, late = Clock(), []
    deadlines = Deadlines(clock, 10)
    for moment in range(5):
        deadlines.begin(moment, lambda moment=moment: late.append((moment, clock.now)))
        clock.pass_by(1)
    deadlines.end(2)
    deadlines.end("nobody")
    clock.pass_by(100)
    assert late == [(0, 10.0), (1, 11.0), (3, 13.0), (4, 14.0)]
    assert len(deadlines) == 0 and not clock.timers


def test_there_is_one_timer_however_many_wait_and_it_does_not_run_for_each() -> None:
    clock, late = Clock(), []
    deadlines = Deadlines(clock, 10)
    for number in range(1000):
        deadlines.begin(number, lambda number=number: late.append(number))
        assert len(clock.timers) == 1
        clock.pass_by(0.001)
    runs = 0
    while clock.timers:
        runs += 1
        clock.pass_by(clock.timers[0][0] - clock.now)
    assert late == list(range(1000)) and runs <= 4


def test_where_nobody_waits_there_is_no_timer() -> None:
    clock = Clock()
    deadlines = Deadlines(clock, 10)
    for _ in range(3):
        deadlines.begin("first", lambda: None)
        deadlines.begin("second", lambda: None)
        deadlines.end("first")
        assert len(clock.timers) == 1
        deadlines.end("second")
        assert not clock.timers


def test_one_who_is_late_may_end_another_and_begin_again() -> None:
    clock, late = Clock(), []
    deadlines = Deadlines(clock, 10)

    def first_is_late() -> None:
        late.append("first")
        deadlines.end("second")
        deadlines.begin("third", lambda: late.append("third"))

    deadlines.begin("first", first_is_late)
    deadlines.begin("second", lambda: late.append("second"))
    clock.pass_by(15)
    assert late == ["first"]
    clock.pass_by(10)
    assert late == ["first", "third"] and not clock.timers


def test_the_timer_is_in_nobodys_context() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")
    seen = []
    loop = IOLoop()
    loop.make_current()
    variable.set("the first one's")

    def look() -> None:
        seen.append(variable.get())
        loop.stop()

    deadlines_of(loop, 0.001).begin("who", look)
    loop.start()
    loop.clear_current()
    loop.close()
    assert seen == ["nothing"]


def test_a_loop_is_not_kept_alive() -> None:
    loop = IOLoop(make_current=False)
    assert deadlines_of(loop, 5) is deadlines_of(loop, 5)
    assert deadlines_of(loop, 6) is not deadlines_of(loop, 5)
    gone = weakref.ref(loop)
    loop.close()
    del loop
    gc.collect()
    assert gone() is None
