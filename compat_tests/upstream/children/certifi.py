"""Stands in for certifi, which the suites of 4.0 and 4.1 import for a file that nothing trusted by us is in."""

import ssl


def where():
    return ssl.get_default_verify_paths().cafile or ssl.get_default_verify_paths().openssl_cafile
