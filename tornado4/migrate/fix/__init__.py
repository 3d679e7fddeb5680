"""``tornado4 fix``: rewrites what Tornado 6 would break in a program, as far as a tool can.

What is found, and where, is `tornado4.migrate.check`'s; what is done about it stands in ``rewrites``, a room a subject.
``program`` holds the files and what names in them mean, ``steps`` what a rewrite wants to change, ``tree`` changes it
(by LibCST, in the top-level statements that have a change), ``imports`` tidies up, ``fixer`` repeats that until nothing
more is to be done, ``verify`` looks at what came out, ``files`` writes it.

Needs LibCST: ``pip install tornado4[fix]``. Nothing else of tornado4 does.
"""

from __future__ import annotations
