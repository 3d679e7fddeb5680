"""The public names of a Tornado, and their arguments, as JSON: to find what Tornado 6 has and tornado4 has not.

Run by the interpreter of a side, with the package's name.
"""

import importlib
import inspect
import json
import sys
import types
import warnings

MODULES = """auth autoreload concurrent escape gen http1connection httpclient httpserver httputil ioloop iostream locale
locks log netutil options platform.asyncio process queues routing simple_httpclient tcpclient tcpserver template
testing util web websocket wsgi""".split()


def main():
    package = sys.argv[1]
    warnings.simplefilter("ignore")
    json.dump({name: names(importlib.import_module(package + "." + name), package) for name in MODULES}, sys.stdout)


def names(module, package):
    found = {}
    for name, value in vars(module).items():
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            found[name] = arguments(value)
        elif inspect.isclass(value):
            found[name] = arguments(value.__init__)
            for member in dir(value):
                owner = next((cls for cls in value.__mro__ if member in vars(cls)), None)
                if member.startswith("_") or owner is None or not owner.__module__.startswith(package):
                    continue
                raw = vars(owner)[member]
                raw = getattr(raw, "__func__", raw)
                found[name + "." + member] = arguments(raw) if inspect.isfunction(raw) else None
    return found


def arguments(function):
    """Their names; None where any keyword is taken, or nothing can be told."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters if not parameter.name.startswith("_")]


if __name__ == "__main__":
    main()
