"""Imports `tornado` as the environment asks: the real one, back-filled if need be, or tornado4 by its alias."""
import os

if os.environ.get("BENCH_ALIAS"):
    from tornado4.migrate import alias

    alias.install()
elif os.environ.get("BENCH_BACKFILL"):
    import collections
    import collections.abc
    import concurrent.futures.thread  # noqa: F401
    import ssl

    collections.MutableMapping = collections.abc.MutableMapping
    if not hasattr(ssl, "match_hostname"):
        ssl.match_hostname = None
