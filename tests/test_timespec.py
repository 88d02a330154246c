"""Every notation of a time is parsed, and a wrong one is refused with examples."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import UsageError
from forensics.timespec import BootStart, month_hint, parse_time

NOW = datetime(2025, 12, 18, 12, 0, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("30d", datetime(2025, 11, 18, 12, tzinfo=UTC), "a bare span is that long ago, which journalctl refuses"),
        ("-30d", datetime(2025, 11, 18, 12, tzinfo=UTC), "journalctl's own way"),
        ("30 days ago", datetime(2025, 11, 18, 12, tzinfo=UTC), "in words"),
        ("1h30m", datetime(2025, 12, 18, 10, 30, tzinfo=UTC), "parts add up, m is a minute"),
        ("1 h 30 min", datetime(2025, 12, 18, 10, 30, tzinfo=UTC), "spaces do not matter"),
        ("1.5h", datetime(2025, 12, 18, 10, 30, tzinfo=UTC), "fractions"),
        ("+1h", datetime(2025, 12, 18, 13, tzinfo=UTC), "forward"),
        ("now", NOW, "the clock"),
        ("today", datetime(2025, 12, 17, 23, tzinfo=UTC), "midnight in the zone of the user"),
        ("yesterday", datetime(2025, 12, 16, 23, tzinfo=UTC), "the midnight before"),
        ("@1765143000", datetime(2025, 12, 7, 21, 30, tzinfo=UTC), "epoch seconds"),
        ("2025-12-07", datetime(2025, 12, 6, 23, tzinfo=UTC), "a date is its midnight in the zone"),
        ("2025-12-07 21:30", datetime(2025, 12, 7, 20, 30, tzinfo=UTC), "naive times are in the zone"),
        ("2025-12-07 21:30 UTC", datetime(2025, 12, 7, 21, 30, tzinfo=UTC), "as journalctl prints them"),
        ("2025-12-07T21:30:00Z", datetime(2025, 12, 7, 21, 30, tzinfo=UTC), "RFC 3339"),
        ("2025-12-07T21:30:00-05:00", datetime(2025, 12, 8, 2, 30, tzinfo=UTC), "any offset"),
        ("9:05", datetime(2025, 12, 18, 8, 5, tzinfo=UTC), "a time of today"),
    ],
)
def test_a_time_is_read_as_meant(text, expected, reason):
    assert parse_time(text, now=NOW, zone=BERLIN) == expected, reason


@pytest.mark.parametrize(("text", "ago"), [("boot", 0), ("boot-1", 1), ("boot-12", 12)])
def test_a_boot_is_left_to_the_journal(text, ago):
    assert parse_time(text, now=NOW, zone=UTC) == BootStart(ago)


@pytest.mark.parametrize("text", ["", "30", "soon", "30 q", "2025-13-01", "@x", "1h-2", "99999999999d", "25:61"])
def test_anything_else_gets_one_sentence_with_examples(text):
    with pytest.raises(UsageError, match="Examples"):
        parse_time(text, now=NOW, zone=UTC)


@given(st.integers(1, 5000), st.sampled_from(["s", "min", "h", "d", "weeks"]))
def test_a_span_is_the_same_in_every_notation(number, unit):
    moments = {parse_time(f"{form}", now=NOW, zone=UTC) for form in (f"{number}{unit}", f"-{number} {unit}", f"{number} {unit} ago")}
    assert len(moments) == 1
    assert moments.pop() < NOW + timedelta(0)


def test_a_month_gets_a_hint_and_a_minute_none():
    assert "month" in (month_hint("3M") or "")
    assert month_hint("3m") is None
