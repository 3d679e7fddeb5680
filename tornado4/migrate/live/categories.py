"""The warnings of a running program, a class a severity, and the error of ``--migrate=error``.

::

    Tornado6Warning (a UserWarning: shown unless a filter says otherwise)
    ├── Tornado6Raises        Tornado 6 raises there
    ├── Tornado6Silent        Tornado 6 does something else, and says nothing
    ├── Tornado6Deprecated    works in Tornado 6, and is to go
    ├── Tornado6Style         optional: both ways are fine
    └── Tornado6Info          worth knowing

Filters take them by name: ``-W error::tornado4.migrate.live.Tornado6Raises``, or ``filterwarnings`` of pytest.
"""

from __future__ import annotations


class Tornado6Warning(UserWarning):
    """Something that Tornado 6 does otherwise. ``rule`` is the id of what ``tornado4 explain`` explains."""

    rule = ""


class Tornado6Raises(Tornado6Warning):
    """Tornado 6 raises an exception there."""


class Tornado6Silent(Tornado6Warning):
    """Tornado 6 does something else there, and says nothing."""


class Tornado6Deprecated(Tornado6Warning):
    """Tornado 6 does it still, and it is to go."""


class Tornado6Style(Tornado6Warning):
    """Tornado 6 takes it; coroutines are written otherwise today. Only with ``native``."""


class Tornado6Info(Tornado6Warning):
    """Worth knowing: other log lines, and the like."""


class SilentChange(Exception):
    """Under ``--migrate=error``: Tornado 6 would have gone on, and done something else. ``rule`` is the rule's id."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule

    def __reduce__(self) -> tuple[type[SilentChange], tuple[str, str]]:
        return type(self), (self.rule, str(self))


#: The category of a rule's warnings, by its severity.
BY_SEVERITY: dict[str, type[Tornado6Warning]] = {
    "raises": Tornado6Raises,
    "silent": Tornado6Silent,
    "deprecated": Tornado6Deprecated,
    "style": Tornado6Style,
    "info": Tornado6Info,
}

# Their public home is the package: that is the name that filters are given.
for _public in (*BY_SEVERITY.values(), Tornado6Warning, SilentChange):
    _public.__module__ = "tornado4.migrate.live"
