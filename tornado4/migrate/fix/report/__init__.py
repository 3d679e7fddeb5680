"""What a fix did and what it left, as text, as data, and as a diff."""

from __future__ import annotations
