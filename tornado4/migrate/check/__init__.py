"""``tornado4 check``: reads a program, without running it, and lists what Tornado 6 would break in it.

From files to findings: ``files`` reads, ``scopes`` notes what names are bound to, ``project`` says what an expression
stands for, ``walk`` goes over each tree and asks the detectors in ``detect/``; ``tornado`` knows the names of both
releases, ``guards`` which branches are for old ones. ``report/`` writes, ``command`` is the command line.
"""

from __future__ import annotations
