"""Who runs when: programs made up by chance, of everything that the loop can be given.

Callbacks, timeouts, Futures with several who wait for them, generator coroutines, native ones, engines, queues, locks and
stack contexts, started by each other. The chance is seeded, and drawn from by all of a program: two sides that once
run in another order part for good.
"""
import contextlib
import logging
import random

from tornado import gen, locks, queues, stack_context
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

PROGRAMS = 60  # in each scenario
STEPS = 60  # of a program
TURNS = 40  # of the loop


class Program(object):
    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.trace = []
        self.named = 0
        self.left = STEPS
        self.loop = IOLoop()
        self.loop.make_current()
        self.futures = [Future() for _ in range(4)]
        self.queue = queues.Queue(2)
        self.condition = locks.Condition()
        self.event = locks.Event()
        self.semaphore = locks.Semaphore(1)

    def note(self, *words):
        self.trace.append(" ".join(map(str, words)))

    def name(self):
        self.named += 1
        return self.named

    def run(self):
        self.loop.add_callback(self.act_often, "start", 4)
        self.turns = TURNS
        self.loop.add_callback(self.turn)
        self.loop.start()
        return self.trace

    def turn(self):
        """Once in each round: now and then resolve a Future, at last stop."""
        self.turns -= 1
        waiting = [future for future in self.futures if not future.done()]
        if self.turns % 8 == 0 and waiting:
            self.note("turn resolves")
            waiting[0].set_result(None)
        if self.turns:
            self.loop.add_callback(self.turn)
        else:
            self.loop.stop()

    # What may be done from anywhere

    def act_often(self, who, times):
        for _ in range(times):
            self.act(who)

    def act(self, who):
        if self.left <= 0:
            return
        self.left -= 1
        actions = [
            self.add_callback, self.call_later, self.add_timeout, self.resolve, self.add_future, self.add_done_callback,
            self.start_coroutine, self.start_native, self.spawn, self.start_engine, self.put, self.notify, self.in_context,
        ]
        action = self.chance.choice(actions)
        name = self.name()
        self.note(who, action.__name__, name)
        action(name)

    def add_callback(self, name):
        self.loop.add_callback(self.called, name)

    def call_later(self, name):
        self.loop.call_later(0, self.called, name)

    def add_timeout(self, name):
        self.loop.add_timeout(self.loop.time(), self.called, name)

    def resolve(self, name):
        future = self.chance.choice(self.futures)
        if not future.done():
            future.set_result(name)

    def add_future(self, name):
        self.loop.add_future(self.chance.choice(self.futures), lambda future: self.called(name))

    def add_done_callback(self, name):
        self.chance.choice(self.futures).add_done_callback(lambda future: self.note("resolved", name))

    def start_coroutine(self, name):
        self.watch(name, self.coroutine(name))

    def start_native(self, name):
        self.watch(name, gen.convert_yielded(self.native(name)))

    def spawn(self, name):
        self.loop.spawn_callback(self.coroutine, name)

    def start_engine(self, name):
        self.engine(name)

    def put(self, name):
        self.watch(name, self.queue.put(name))

    def notify(self, name):
        self.condition.notify()
        if self.chance.random() < 0.5:
            self.event.set()
        else:
            self.event.clear()

    def in_context(self, name):
        @contextlib.contextmanager
        def context():
            self.note("enter", name)
            try:
                yield
            except ZeroDivisionError:
                self.note("caught", name)
            finally:
                self.note("leave", name)

        with stack_context.StackContext(context):
            self.loop.add_callback(self.called, name, self.chance.random() < 0.3)

    def watch(self, name, future):
        future.add_done_callback(lambda future: self.note("done", name, type(future.exception()).__name__))

    def called(self, name, failing=False):
        self.note("called", name)
        self.act_often(name, self.chance.randrange(3))
        if failing:
            raise ZeroDivisionError

    # What may be waited for

    def something(self):
        chance = self.chance
        return chance.choice([
            lambda: gen.moment,
            lambda: None,
            lambda: chance.choice(self.futures),
            lambda: self.coroutine(self.name()),
            lambda: self.native(self.name()),
            lambda: [chance.choice(self.futures), self.coroutine(self.name())],
            lambda: [self.native(self.name()), self.native(self.name())],
            lambda: {"a": gen.moment, "b": self.coroutine(self.name())},
            lambda: gen.sleep(0),
            lambda: gen.with_timeout(self.loop.time() + 100, chance.choice(self.futures)),
            lambda: gen.maybe_future(5),
            lambda: gen.Task(self.loop.add_callback),
            self.queue.get,
            self.event.wait,
            self.condition.wait,
            self.semaphore.acquire,
        ])()

    def steps(self, name, most):
        for number in range(self.chance.randrange(most)):
            if self.left <= 0:
                return
            self.left -= 1
            self.note("step", name, number)
            if self.chance.random() < 0.4:
                self.act(name)
            yield self.something()

    def end(self, name):
        if self.chance.random() < 0.15:
            raise KeyError(name)
        self.note("end", name)

    @gen.coroutine
    def coroutine(self, name):
        for awaited in self.steps(name, 4):
            yield awaited
        self.end(name)

    async def native(self, name):
        for awaited in self.steps(name, 4):
            if not isinstance(awaited, gen.YieldPoint):
                await (awaited if hasattr(awaited, "__await__") else gen.convert_yielded(awaited))
        self.end(name)

    @gen.engine
    def engine(self, name):
        for number in range(self.chance.randrange(3)):
            self.note("step", name, number)
            yield gen.Task(self.loop.add_callback)
            if self.chance.random() < 0.4:
                self.act(name)
        self.note("end", name)


def run_programs(record, first):
    logging.disable(logging.CRITICAL)  # a failure that nobody looks at is told when it is garbage, which is by chance
    try:
        for seed in range(first, first + PROGRAMS):
            record(seed, Program(seed).run())
    finally:
        logging.disable(logging.NOTSET)


def programs_a(record):
    run_programs(record, 0)


def programs_b(record):
    run_programs(record, 1000)


def programs_c(record):
    run_programs(record, 2000)


def programs_d(record):
    run_programs(record, 3000)


def programs_e(record):
    run_programs(record, 4000)
