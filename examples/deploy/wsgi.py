"""A WSGI file: the part of the chat that waits for nothing, for gunicorn's own workers, uWSGI, mod_wsgi.

    gunicorn wsgi:application

Under WSGI nothing can be waited for, in 4.5.3 as here: ``/listen``, ``/status`` and ``/feed`` are for `deployed.py`,
beside this. Both have the same messages.
"""

from tornado4.migrate import alias

alias.install()  # before the first "import tornado"

import os  # noqa: E402

from chat import ChatApplication, ListenHandler, StatusHandler  # noqa: E402
from shared_wall import SharedWall  # noqa: E402
from tornado.web import HTTPError  # noqa: E402
from tornado.wsgi import WSGIAdapter  # noqa: E402


class SynchronousChat(ChatApplication):
    """The chat without what waits; the news of other processes are looked for before each answer."""

    def __init__(self):
        ChatApplication.__init__(self, io_loop=None)
        data = os.path.abspath(os.environ.get("CHAT_DATA", "."))
        self.wall = SharedWall(os.path.join(data, "chat.sqlite"), io_loop=None)

    def find_handler(self, request, **kwargs):
        self.wall.look()
        return ChatApplication.find_handler(self, request, **kwargs)


def not_here(handler, *args):
    raise HTTPError(501, "what waits is served by deployed.py")


ListenHandler.get = StatusHandler.get = not_here
application = WSGIAdapter(SynchronousChat())
