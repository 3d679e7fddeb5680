"""Route by route: tornado4 and the real Tornado 6 in one process, on one loop.

Handlers that have moved, under our server, beside those that have not::

    from tornado4.migrate.bridge import Tornado6
    from tornado4.routing import AnyMatches, PathMatches, Rule, RuleRouter

    router = RuleRouter([Rule(PathMatches("/new/.*"), Tornado6(new_application)), Rule(AnyMatches(), old_application)])
    HTTPServer(router).listen(8888)

The other way round, the last of the old handlers under Tornado 6's server::

    from tornado4.migrate.bridge import Tornado4

    router = tornado.routing.RuleRouter([(r"/old/.*", Tornado4(old_application)), (r".*", new_application)])

Old code that says ``import tornado`` keeps its alias, limited to its packages: ``tornado4 run --alias-for oldapp``.

This file lists names. Inside: ``under_ours`` (a Tornado 6 application under our server), ``under_theirs`` (an
application of ours under Tornado 6's), ``streams`` (a connection that changes sides, for WebSockets), ``loops``, and
``real``, the one place that imports the real Tornado, when it is first needed.
"""

from __future__ import annotations

from tornado4.migrate.bridge.loops import one_loop
from tornado4.migrate.bridge.under_ours import Tornado6
from tornado4.migrate.bridge.under_theirs import Tornado4
from tornado4.util import set_public_module

__all__ = ["Tornado4", "Tornado6", "one_loop"]

set_public_module(globals(), __name__)
