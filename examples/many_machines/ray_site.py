"""An application under Ray Serve, by way of ASGI:  serve run ray_site:site

Ray starts the replicas, on whichever machines it has, and replaces those that die; its proxy, uvicorn, speaks HTTP.
"""

from __future__ import annotations

import os

from ray import serve

import tornado4.gen
import tornado4.web
from tornado4.asgi import ASGIAdapter


class Main(tornado4.web.RequestHandler):
    async def get(self) -> None:
        await tornado4.gen.sleep(0.05)
        self.write({"pid": os.getpid(), "number": int(self.get_argument("number", "0"))})


def make_app() -> tornado4.web.Application:
    return tornado4.web.Application([("/", Main)])


# By a factory: the application is made in each replica, on the replica's loop.
@serve.deployment(num_replicas=2, max_ongoing_requests=100, health_check_period_s=1, health_check_timeout_s=5)
@serve.ingress(ASGIAdapter(factory=make_app))
class Site:
    pass


site = Site.bind()
