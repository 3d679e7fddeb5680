"""``tornado4 serve``: an application in production, in one process or several.

``command`` reads the command line and ``config`` the table ``[tool.tornado4.serve]``; ``target`` finds the application;
``sockets`` makes what is listened on, or takes it over. ``worker`` is a process that serves, ``drain`` how it comes to
its end, ``reloading`` how it begins again, ``master`` the process over several workers. ``health`` and ``accesslog``
are what they say; ``gunicorn`` is a worker for that server.
"""
