"""ASGI, both ways.

An application of ours under any ASGI server (uvicorn, hypercorn, granian)::

    from tornado4.asgi import ASGIAdapter
    asgi_application = ASGIAdapter(tornado4.web.Application([...]))

An ASGI application (FastAPI, Starlette, Django) as the target of a rule, or behind an `.HTTPServer`::

    from tornado4.asgi import ASGIContainer
    from tornado4.routing import PathMatches, Rule, RuleRouter
    router = RuleRouter([Rule(PathMatches("/api.*"), ASGIContainer(fastapi_application)), (".*", application)])

This file only lists names. Inside: ``adapter`` and its ``exchange``, ``sockets`` and ``frames`` for the first,
``container`` and its ``relay`` for the second, ``types`` for what both speak. The specification is that of ASGI 3.0.
"""

from __future__ import annotations

from tornado4.asgi.adapter import ASGIAdapter
from tornado4.asgi.container import ASGIContainer
from tornado4.asgi.types import ASGIApplication, Receive, Scope, Send
from tornado4.util import set_public_module

__all__ = ["ASGIAdapter", "ASGIApplication", "ASGIContainer", "Receive", "Scope", "Send"]

set_public_module(globals(), __name__)
