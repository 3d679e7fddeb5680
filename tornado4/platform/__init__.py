"""What differs from one operating system, or event loop, to another. Most programs need nothing from here."""

from typing import TYPE_CHECKING

if not TYPE_CHECKING:  # a checker is to find misspelled modules

    def __getattr__(name):
        """Submodules that came along with other imports in 4.5.3."""
        import tornado4._handed_on as handed_on  # late: most programs never come here

        return handed_on.submodule(__name__, name)
