"""Durations are those of Prometheus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.rules.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("0s", 0.0), ("5m", 300.0), ("1h30m", 5400.0), ("1d", 86400.0), ("2w", 1209600.0), ("1y", 31536000.0), ("500ms", 0.5),
        ("1y2w3d4h5m6s7ms", 33019506.007),
        ("", None), ("5", None), ("m", None), ("1.5h", None), ("5m1h", None), ("1m1m", None), ("-5m", None), (" 5m", None), ("5 m", None),
        ("5M", None), ("٥m", None), ("300y", None), ("9" * 1000 + "s", None),
    ],
)  # fmt: skip
def test_a_duration(text, seconds):
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


@given(st.tuples(*[st.integers(0, 99)] * 7))
def test_each_unit_counts(numbers):
    units = dict(zip(["y", "w", "d", "h", "m", "s", "ms"], numbers, strict=True))
    text = "".join(f"{number}{unit}" for unit, number in units.items() if number)
    sizes = [31536000, 604800, 86400, 3600, 60, 1, 0.001]
    expected = sum(number * size for number, size in zip(numbers, sizes, strict=True))
    assert parse_duration(text or "0") == pytest.approx(expected)
