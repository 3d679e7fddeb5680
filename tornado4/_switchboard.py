"""Named switches for a whole process, set by an environment variable or from code; what `switches` and `flags` share.

A switch once set stays set for the life of the process: what was chosen at start can be seen at start, and nothing
is asked per request.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping


class Switchboard:
    """The names that may be set, which of them are, and what is to be done when one is.

    ``variable`` is the environment variable that is read now; ``noun`` what a name is called in messages; ``groups``
    are names that stand for several.

    :raises ValueError: the variable has a name that is none.
    """

    def __init__(
        self, variable: str, noun: str, names: Iterable[str], groups: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        self.variable = variable
        self.noun = noun
        self.names = frozenset(names)
        self.groups = {group: tuple(members) for group, members in (groups or {}).items()}
        self._set: set[str] = set()
        self._actions: dict[str, list[Callable[[], object]]] = {}
        try:
            self.set(*names_in(os.environ.get(variable, "")))
        except ValueError as error:
            raise ValueError(f"environment variable {variable}: {error}") from None

    def set(self, *names: str) -> None:
        """Set names, or all of a group. ValueError for a name that is none, before any is set."""
        wanted: list[str] = []
        for name in names:
            if name in self.groups:
                wanted += self.groups[name]
            elif name in self.names:
                wanted.append(name)
            else:
                known = ", ".join([*sorted(self.groups), *sorted(self.names)])
                raise ValueError(f"no {self.noun} {name!r}; there are: {known}")
        for name in wanted:
            if name not in self._set:
                self._set.add(name)
                for action in self._actions.get(name, ()):
                    action()

    def all_set(self) -> list[str]:
        """The names that are set, sorted."""
        return sorted(self._set)

    def is_set(self, name: str) -> bool:
        """Whether a name is set. KeyError for one that is none."""
        return self._known(name) in self._set

    def when_set(self, name: str, action: Callable[[], object]) -> None:
        """Call ``action`` when the name is set: at once if it is already. Unset, it costs nothing afterwards."""
        self._actions.setdefault(self._known(name), []).append(action)
        if name in self._set:
            action()

    def _known(self, name: str) -> str:
        if name not in self.names:
            raise KeyError(name)
        return name


def names_in(text: str) -> list[str]:
    """The names in an environment variable: parted by commas, blanks or both."""
    return text.replace(",", " ").split()
