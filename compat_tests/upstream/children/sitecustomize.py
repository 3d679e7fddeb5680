"""What Python imports first in the processes that upstream's tests start: the alias, as their parent has it.

``run.py`` puts this folder on PYTHONPATH.
"""

import os

if os.environ.get("TORNADO4_UPSTREAM_VERSION"):
    from compat_tests.upstream.run import install

    install(os.environ["TORNADO4_UPSTREAM_VERSION"])
