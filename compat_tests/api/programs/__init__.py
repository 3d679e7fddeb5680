"""Programs for `effect`: small, and together they call most of Tornado.

Each module has ``run(t, folder)``: ``t`` holds the modules of the package, ``folder`` is an empty one. They run on the
real Tornado 4.5.3 under Python 3.9 as well, hence their syntax.
"""

NAMES = (
    "site",
    "streaming",
    "coroutines",
    "everyday",
    "signing_in",
    "sockets",
    "waiting",
    "loops",
    "handlers",
    "connections",
    "seldom",
)
