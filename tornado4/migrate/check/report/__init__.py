"""What a check found, as text and as data."""

from __future__ import annotations
