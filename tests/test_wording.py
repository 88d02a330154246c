"""Numbers, times and paragraphs in words."""

from datetime import UTC, datetime, timedelta

import pytest

from forensics import wording


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"), (0, "0 s"), (0.04, "0 s"), (12.9, "12.9 s"), (59.94, "59.9 s"), (59.99, "1 min"), (60, "1 min"), (374, "6 min 14 s"),
        (3599.9, "60 min"), (3600, "1 h"), (8640, "2 h 24 min"), (354_120, "98 h 22 min"),
        (120 * 3600, "5 d"), (30 * 86400, "30 d"), (31.5 * 86400, "31 d 12 h"),
    ],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds, words):
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"), (4.7, "5 s"), (95, "95 s"), (120, "2 min"), (374, "6 min 14 s"), (600, "10 min"), (659, "11 min"),
        (5400, "90 min"), (7190, "2 h"), (7200, "2 h"), (8191, "2 h 17 min"),
        (354_120, "98 h 22 min"), (240 * 3600, "10 d"), (31.5 * 86400, "31 d 12 h"),
    ],
)  # fmt: skip
def test_a_spoken_duration_has_no_fractions(seconds, words):
    assert wording.spoken_duration(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 entries"), (1, "1 entry"), (1234, "1,234 entries")])
def test_a_count_agrees_with_its_noun(number, words):
    assert wording.plural(number, "entry", "entries") == words


def test_a_paragraph_and_a_list_item_are_one_line_each():
    assert wording.reflowed("First\n  line.\n\n1. Do\n   this.\n- or that\n") == "First line.\n\n1. Do this.\n- or that"


@pytest.mark.parametrize(
    ("part", "words"), [(None, "–"), (0, "0.0 %"), (0.0003, "< 0.1 %"), (0.25, "25.0 %"), (0.99969, "> 99.9 %"), (1, "100.0 %")]
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(part, words):
    assert wording.share(part) == words


def test_time_since_the_start_has_a_sign():
    start = datetime(2025, 12, 7, tzinfo=UTC)
    assert wording.since_start(start + timedelta(seconds=29), start) == "T+29 s"
    assert wording.since_start(start - timedelta(seconds=40), start) == "T−40 s"
    assert wording.since_start(None, start) == "never"


def test_an_unknown_zone_is_utc():
    assert wording.zone("Mars/Olympus") is UTC
    assert wording.zone("../../etc/passwd") is UTC


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (15.0, 37.5, "15–38 s"),
        (60.0, 82.4, "60–82 s"),
        (2.74, 5.21, "2.7–5.2 s"),
        (45.0, 45.2, "45 s"),
        (60.0, 122.0, "60 s – 2 min 2 s"),
        (300.0, 322.5, "5 min – 5 min 22 s"),
        (145.0, 1160.0, "2 min 25 s – 19 min 20 s"),
        (16_428.75, 16_440.0, "4 h 34 min"),
    ],
)
def test_a_range_has_its_unit_once_where_it_can(low, high, words):
    assert wording.between(low, high) == words


def test_a_sparkline_has_a_bar_per_count_and_shows_the_smallest():
    assert wording.sparkline([0, 1, 50, 100]) == " ▁▄█"
    assert wording.sparkline([]) == ""
    assert wording.sparkline([0, 0]) == "  "
