"""tornado.web: signed values."""
from tornado import web

ROWS = {"read_back": "SEC-LOG", "signed_names_beyond_ascii": "SIGN-NAME", "too_old_or_too_new": "SEC-LOG"}


def clock():
    return 1300000000


def signed(record):
    for secret, key_version in (("secret", None), ({0: "a", 1: "b"}, 1), ({0: "a"}, 1), ("secret", 1), (u"\u00e9", None)):
        for version in (None, 1, 2, 3):
            try:
                record(web.create_signed_value(secret, "name", "value", version=version, clock=clock, key_version=key_version))
            except Exception as e:
                record(type(e))


def read_back(record):
    keys = {0: "a", 1: "b"}
    values = [web.create_signed_value("b", "n", b"\xff", version=1, clock=clock), web.create_signed_value("b", "n", "", clock=clock),
              web.create_signed_value(keys, "n", "x", clock=clock, key_version=1)]
    for value in values:
        for changed in (value, value + b" ", value[:-1], value.replace(b"|", b"||", 1), value.replace(b"1300000000", b"1300000001"), b"3|" + value, b""):
            for secret in ("b", keys, {0: "a"}):
                record(changed, web.decode_signed_value(secret, "n", changed, clock=clock), web.decode_signed_value(secret, "m", changed, clock=clock))
            record(web.get_signature_key_version(changed))


def too_old_or_too_new(record):
    for version in (1, 2):
        value = web.create_signed_value("s", "n", "x", version=version, clock=clock)
        for days in (0, 31, 32, -31, -32):
            record(version, days, web.decode_signed_value("s", "n", value, clock=lambda: clock() + days * 86400 + 1), web.decode_signed_value("s", "n", value, clock=clock, min_version=2))


def signed_names_beyond_ascii(record):
    value = web.create_signed_value("s", u"\u00e9", "x", clock=clock)
    record(value, web.decode_signed_value("s", u"\u00e9", value, clock=clock))
