"""The names that the public inventory leaves out: private ones, values of constants, parameter names of every method.

    python deep.py tornado > deep-4.5.3.json     # from the real one, on Python 3.9
    python deep.py tornado4                      # the same of this tree

Runs on Python 3.9 too, where the real Tornado runs untouched. Written down, of each module: every name that it defines
(private ones included); of each class, every member that it or a base within the package has.
"""

import importlib
import inspect
import json
import os
import sys
import warnings

MODULES = """auth autoreload concurrent escape gen http1connection httpclient httpserver httputil
ioloop iostream locale locks log netutil options platform.asyncio platform.auto
platform.interface process queues routing simple_httpclient stack_context tcpclient tcpserver
template testing util web websocket wsgi platform.epoll platform.select platform.posix platform.common""".split()
#: What every class or module has, and what annotations leave behind.
LANGUAGE = set(
    "__module__ __qualname__ __dict__ __weakref__ __doc__ __annotations__ __slots__ __hash__ __orig_bases__ "
    "__parameters__ __abstractmethods__ _abc_impl __static_attributes__ __firstlineno__ __args__ __origin__ "
    "__extra__ __next_in_mro__ __tree_hash__ __init_subclass__ __class_getitem__ __subclasshook__ "
    "__match_args__".split()
)
SIMPLE = (bool, int, float, str, bytes, type(None))


def value_of(value):
    """A constant as text, if it is plain enough to be compared; None otherwise."""
    if isinstance(value, SIMPLE):
        return repr(value)
    if isinstance(value, (tuple, frozenset, set, list)) and all(isinstance(each, SIMPLE) for each in value):
        each = [repr(each) for each in value]
        return "[" + ", ".join(each if isinstance(value, (tuple, list)) else sorted(each)) + "]"
    if hasattr(value, "pattern") and hasattr(value, "flags"):
        return "pattern"
    return None


def parameters(function):
    """Names in order, with ``*`` and ``**``; those with a default end in ``=``."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [stars.get(p.kind, "") + p.name + ("" if p.default is p.empty else "=") for p in found]


def entry(raw):
    """Kind and particulars of one name."""
    if isinstance(raw, (classmethod, staticmethod)):
        return dict(entry(raw.__func__), bound=type(raw).__name__)
    if isinstance(raw, property):
        return {"kind": "property"}
    if inspect.isclass(raw):
        return {"kind": "class"}
    if inspect.isroutine(raw):
        made = {"kind": "function", "parameters": parameters(raw)}
        if getattr(raw, "__tornado_coroutine__", False):
            made["coroutine"] = True
        return made
    return {"kind": "value", "type": type(raw).__name__, "value": value_of(raw)}


def members(cls, namespace):
    found = {}
    for name in dir(cls):
        owner = next((each for each in cls.__mro__ if name in vars(each)), None)
        if owner is None or name in LANGUAGE or owner.__module__.partition(".")[0] != namespace:
            continue
        found[name] = entry(vars(owner)[name])
    return found


def dump(namespace):
    """``{module: {name: entry}}``, a class's entry with its ``members``."""
    found = {}
    for module in MODULES:
        loaded = importlib.import_module(namespace + "." + module)
        found[module] = names = {}
        for name in sorted(dir(loaded)):  # what is made when somebody asks for it is among these
            value = getattr(loaded, name)
            home = getattr(value, "__module__", None)
            if (name.startswith("__") and name.endswith("__")) or inspect.ismodule(value):
                continue
            if (inspect.isclass(value) or inspect.isroutine(value)) and (home or "").partition(".")[0] != namespace:
                continue
            if type(value).__module__ in ("__future__", "typing"):
                continue
            names[name] = entry(value)
            if inspect.isclass(value) and home == loaded.__name__:
                names[name]["members"] = members(value, namespace)
    return found


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    warnings.simplefilter("ignore")
    json.dump(dump(sys.argv[1]), sys.stdout, indent=0, sort_keys=True)
