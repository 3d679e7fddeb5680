"""Run one of Tornado's own test modules on the real Tornado; print outcome by test, as ``run.py`` does.

    PYTHONPATH=.cache/oracle/tornado-4.4.3:. python3.6 -m compat_tests.upstream.real SUITE_FOLDER web_test [Class.test ...]

``record.py`` starts this, to learn what passed on that release.
"""

import json
import sys

from compat_tests.upstream.running import UpstreamTests, run

if __name__ == "__main__":
    folder, module, *only = sys.argv[1:]
    sys.meta_path.insert(0, UpstreamTests(folder))
    json.dump(run(module, only), sys.stdout, indent=1, sort_keys=True)
