"""The bridge: one application of each side, served by both servers, and what is sent to them.

``six.py`` is an application of the real Tornado 6, ``four.py`` one of tornado4's; ``served.py`` starts each of them
under each server.
"""
