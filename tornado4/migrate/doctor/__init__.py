"""``tornado4 doctor``: what this environment is, for a look before a start and for a report of a bug.

``findings`` looks; ``command`` says it, as text and as JSON, together with what ``tornado4 security`` knows.
"""
