"""Signed values of both formats; expected bytes come from the real 4.5.3."""

from __future__ import annotations

from typing import Any

import pytest

from tornado4.web import (
    _create_signature_v1,
    _create_signature_v2,
    _decode_fields_v2,
    _get_version,
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)

NOW = 1300000000
V1 = b"dmFs|1300000000|768407e7778a24b7726eba01e37d079e29c75b11"
V2 = b"2|1:0|10:1300000000|2:nm|4:dmFs|ffd991772f33a8af4548ab0e99e367732d2de72f8251c9397ebe23766378d376"
KEYED = b"2|1:2|10:1300000000|2:nm|4:dv8=|b2e38eaca32fc77d48ed1867155011e328203256002a3b546747180f65b705bd"
KEYS: Any = {1: "a", 2: "b"}


def clock() -> int:
    return NOW


def decode(value: Any, secret: Any = "sec", **kwargs: Any) -> bytes | None:
    return decode_signed_value(secret, "nm", value, **({"clock": clock} | kwargs))


def test_values_are_written_byte_for_byte_as_by_4_5_3() -> None:
    assert create_signed_value("sec", "nm", "val", version=1, clock=clock) == V1
    assert create_signed_value("sec", "nm", "val", version=2, clock=clock) == V2
    assert create_signed_value("sec", "nm", "val", clock=clock) == V2
    assert create_signed_value(KEYS, "nm", b"v\xff", clock=clock, key_version=2) == KEYED
    with pytest.raises(ValueError, match="Unsupported version 3"):
        create_signed_value("sec", "nm", "val", version=3)
    with pytest.raises(AssertionError, match="Key version must be set"):
        create_signed_value(KEYS, "nm", "val")


def test_values_are_read_back_and_min_version_is_a_floor() -> None:
    assert decode(V1) == decode(V2) == decode(V2.decode()) == b"val"
    assert decode(V1, min_version=2) is None
    assert decode(V2, min_version=2) == b"val"
    with pytest.raises(ValueError, match="Unsupported min_version 3"):
        decode(V2, min_version=3)


def test_key_versions_choose_the_secret() -> None:
    assert decode(KEYED, KEYS) == b"v\xff"
    assert decode(KEYED, {1: "a"}) is None
    assert decode(KEYED, "b") == b"v\xff"
    assert get_signature_key_version(KEYED) == 2
    assert get_signature_key_version(V1) is None
    assert get_signature_key_version(b"2|x") is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "garbage",
        "a|b",
        "3|x",
        "2|x",
        V2 + b"x",
        V2[:-1],
        V1.replace(b"|", b"||"),
        b"2|-1:0|" + V2[6:],
        b"2|+1:0|" + V2[6:],
        b"2|1_0:0|" + V2[6:],
        b"2|" + b"9" * 5000 + b":0|",
        "\xe9",
    ],
)
def test_what_is_malformed_gives_none(value: Any) -> None:
    assert decode(value) is None


def test_a_value_is_bound_to_its_name() -> None:
    assert decode_signed_value("sec", "other", V2, clock=clock) is None
    assert decode_signed_value("sec", "other", V1, clock=clock) is None


def test_age_limits_and_their_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    late = NOW + 32 * 86400
    assert decode(V2, clock=lambda: late) is None
    assert decode(V2, clock=lambda: late, max_age_days=40) == b"val"
    assert not caplog.messages
    assert decode(V1, clock=lambda: late) is None
    assert decode(V1, clock=lambda: NOW - 32 * 86400) is None
    assert [line.split(" b'")[0] for line in caplog.messages] == [
        "Expired cookie",
        "Cookie timestamp in future; possible tampering",
    ]
    assert {record.name for record in caplog.records} == {"tornado.general"}


def test_leading_zeros_in_a_v1_timestamp_are_tampering(caplog: pytest.LogCaptureFixture) -> None:
    value = b"dmFs|01300000000|" + _create_signature_v1("sec", "nm", "dmFs", "01300000000")
    assert decode(value) is None
    assert caplog.messages[0].startswith("Tampered cookie")


@pytest.mark.parametrize(
    ("value", "version"),
    [(b"2|1", 2), (b"1|", 1), (b"abc|d|e", 1), (b"01|x", 1), (b"12345|x", 1), (b"999|", 999), (b"2", 1)],
)
def test_format_versions(value: bytes, version: int) -> None:
    assert _get_version(value) == version


def test_the_private_helpers_that_people_call() -> None:
    assert _create_signature_v1("a", "b", b"c") == b"994376c04d8e02589cd70d8746e34c6227bd4625"
    assert _create_signature_v2("a", b"c").startswith(b"15dcb783fdf0812ba3715ce309377cee")
    assert _decode_fields_v2(KEYED)[:4] == (2, b"1300000000", b"nm", b"dv8=")
