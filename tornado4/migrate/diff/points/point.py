"""A point in which two answers differ."""

from __future__ import annotations

from tornado4.migrate.diff.model import Kind

#: A point, before rules: kind, where, the old side's text, the new one's, the old side's when asked again.
Point = tuple[Kind, str, str, str, str]
