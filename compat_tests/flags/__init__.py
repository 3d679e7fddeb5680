"""Scenarios of the future flags, and what runs them (see ``test_flags.py`` above)."""
