"""Run one of Tornado's own test modules on the real Tornado; print outcome by test, as ``run.py`` does.

    PYTHONPATH=.cache/oracle/real-4.4.3-tests-4.4.3:. python3.6 -m compat_tests.upstream.real web_test [Class.test ...]

``record.py`` starts this, to learn what passed on that release.
"""

import json
import sys

from compat_tests.upstream.running import run

if __name__ == "__main__":
    module, *only = sys.argv[1:]
    del sys.argv[1:]
    json.dump(run(module, only), sys.stdout, indent=1, sort_keys=True)
