"""Which functions and methods of Tornado take effect when a program replaces them.

    python effect.py tornado > effects-4.5.3.json            # the real one, on Python 3.9
    python effect.py tornado4 effects-4.5.3.json             # of these, what takes no effect on this tree
    python effect.py tornado4 effects-4.5.3.json alone       # the same, each replaced alone (two minutes)

Each function that a module shows (its own, and those that it has from other modules of the package: ``web.utf8`` is
one, ``escape.utf8`` another) and each method is replaced by one that notes that it was called and calls the former
one. Then the `programs` run. What was called then is what a wrapper in a real program would see.
"""

import functools
import importlib
import inspect
import json
import logging
import os
import sys
import tempfile
import types
import warnings

try:
    from compat_tests.api import programs
    from compat_tests.api.deep import MODULES
except ImportError:
    import programs
    from deep import MODULES

CALLED = set()


def counting(key, function):
    @functools.wraps(function)
    def counted(*args, **kwargs):
        CALLED.add(key)
        return function(*args, **kwargs)

    return counted


def targets(namespace):
    """``module.name`` and ``module.Class.method`` of all that can be replaced."""
    for module in MODULES:
        loaded = importlib.import_module(namespace + "." + module)
        for name, value in sorted(vars(loaded).items()):
            home = (getattr(value, "__module__", None) or "").partition(".")[0]
            if home != namespace or name.startswith("__"):
                continue
            if isinstance(value, types.FunctionType):
                yield module + "." + name
            elif inspect.isclass(value) and value.__module__ == loaded.__name__:
                for each, raw in sorted(vars(value).items()):
                    raw = getattr(raw, "__func__", raw)
                    if isinstance(raw, types.FunctionType) and not (each.startswith("__") and each.endswith("__")):
                        yield module + "." + name + "." + each


def replace(namespace, wanted):
    """Put a counting one in each place, found first so that one replacement does not wrap another."""
    found = []
    for key in wanted:
        module = max((each for each in MODULES if key.startswith(each + ".")), key=len)
        holder = importlib.import_module(namespace + "." + module)
        *classes, name = key[len(module) + 1 :].split(".")
        for each in classes:
            holder = getattr(holder, each, None)
        raw = inspect.getattr_static(holder, name, None)
        if callable(getattr(raw, "__func__", raw)) and raw is not None:
            found.append((holder, name, key, raw))
    for holder, name, key, raw in found:
        if isinstance(raw, (classmethod, staticmethod)):
            setattr(holder, name, type(raw)(counting(key, raw.__func__)))
        else:
            setattr(holder, name, counting(key, raw))


def main(namespace, wanted=None, only=None):
    """Replace, run, and say what was called: by name, the first program that called it."""
    t = types.SimpleNamespace()
    for module in MODULES:
        loaded = importlib.import_module(namespace + "." + module)
        if "." not in module:
            setattr(t, module, loaded)
    replace(namespace, list(targets(namespace)) if wanted is None else wanted)
    logging.disable(logging.CRITICAL)
    called = {}
    for name in programs.NAMES if only is None else [only]:
        with tempfile.TemporaryDirectory() as folder:
            importlib.import_module(programs.__name__ + "." + name).run(t, folder)
        for key in sorted(CALLED.difference(called)):
            called[key] = name
    return called


def alone(namespace, wanted):
    """As `main`, each replaced by itself, in a process of its own: a shorter way may be taken then.

    Of the programs, the first runs that calls it on the real one; then, where that takes a shorter way, all of them.
    """
    for module in MODULES:
        importlib.import_module(namespace + "." + module)
    called = []
    for key, program in wanted.items():
        if is_called(namespace, key, program) or is_called(namespace, key, None):
            called.append(key)
    return called


def is_called(namespace, key, program):
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if key in main(namespace, [key], program) else 3
        finally:
            os._exit(code)
    code = os.WEXITSTATUS(os.waitpid(child, 0)[1])
    if code not in (0, 3):
        raise RuntimeError(f"{program or 'a program'} failed with {key} replaced")
    return code == 0


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    warnings.simplefilter("ignore")
    if len(sys.argv) == 2:
        json.dump(main(sys.argv[1]), sys.stdout, indent=0, sort_keys=True)
    else:
        with open(sys.argv[2]) as file:
            stored = json.load(file)
        run = alone if sys.argv[3:] == ["alone"] else main
        json.dump(sorted(set(stored) - set(run(sys.argv[1], stored))), sys.stdout, indent=0)
