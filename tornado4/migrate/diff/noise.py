"""Three-way: the old side runs twice, and where old differs from old, a difference to the new side says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tornado4.migrate.diff.model import Difference, Kind

RULE = "noise"


def mark(differences: Iterable[Difference], between_old: Iterable[Difference]) -> list[Difference]:
    """Those differences that stand where old and old differ become ignored, by the rule "noise".

    A place is a kind with a name (a header, a JSON path, a line). A side that failed is never noise.
    """
    noisy = {(one.kind, one.where) for one in between_old if one.kind is not Kind.FAILURE}
    return [
        replace(one, rule=RULE) if not one.rule and (one.kind, one.where) in noisy else one for one in differences
    ]
