"""Programs of other people at the other end.

``test_peers.py`` and the ``test_asgi`` files run in the test suite, with what the dependency group ``peers`` installs.
``browser.py`` (headless Chromium) and ``proxy.py`` (nginx) are started by hand, as ``python -m
compat_tests.peers.browser``: they need Debian's packages of those names.
"""
