"""What changed between two windows, and what the numbers can bear."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forensics.compare import Facts, compare
from forensics.compare.facts import PastIncident
from forensics.compare.windows import chance

WEEK = timedelta(days=7)
SINCE = datetime(2026, 3, 8, tzinfo=UTC)


def facts(since=SINCE, length=WEEK, incidents=(), **classes):
    """Make a window with these counts of classes."""
    counts = {name: (f"title of {name}", number) for name, number in classes.items()}
    return Facts(since, since + length, 1000, True, sum(classes.values()), 0, ("web1",), (), counts, incidents)


def incident(start, hours, unit="a.service", *, ongoing=False, kind="restart-loop", **classes):
    end = None if ongoing else start + timedelta(hours=hours)
    return PastIncident(f"{unit}/{start}", unit, "system", "web1", "", kind, ongoing, start, end, hours * 3600.0, classes)


def before(**more):
    return facts(SINCE - WEEK, **more)


def status_of(comparison, name="a"):
    return {row.signature: row.status for row in comparison.classes}.get(name)


@pytest.mark.parametrize(
    ("earlier", "later", "status"),
    [
        (0, 3, "new"),
        (3, 0, "gone"),
        (10, 11, "same"),
        (10, 19, "same"),  # less than twofold
        (1, 3, "unclear"),  # chance does that often
        (2, 14, "more"),
        (40, 10, "fewer"),
        (1000, 5000, "more"),
    ],
)
def test_a_class_changes_when_its_numbers_can_bear_it(earlier, later, status):
    assert status_of(compare(before(a=earlier), facts(a=later))) == status


def test_the_failures_of_one_incident_count_once():
    one = incident(SINCE, 10, a=700)
    assert status_of(compare(before(a=10), facts(a=710, incidents=(one,)))) == "unclear"
    assert status_of(compare(before(a=10), facts(a=710))) == "more"


def test_rates_are_per_recorded_day():
    twice = facts(SINCE - 2 * WEEK, 2 * WEEK, a=140)
    (row,) = compare(twice, facts(a=70)).classes
    assert (row.status, row.before_per_day, row.now_per_day, row.factor) == ("same", 10, 10, 1)
    gap = (SINCE, SINCE + timedelta(days=5))
    (row,) = compare(before(a=70), replace(facts(a=70), gaps=(gap, gap))).classes
    assert (row.status, row.now_per_day) == ("more", 35)


@pytest.mark.parametrize(
    ("counts", "lengths", "expected"),
    [((0, 0), (1, 1), 1.0), ((5, 5), (1, 1), 1.0), ((0, 10), (1, 1), 2 / 1024), ((1, 9), (1, 1), 22 / 1024), ((0, 2), (3, 1), 2 / 16)],
)
def test_the_test_is_exact(counts, lengths, expected):
    assert chance([float(count) for count in counts], [float(length) for length in lengths]) == pytest.approx(expected)


def test_many_occurrences_are_scaled_down_and_stay_significant():
    assert chance([1e9, 3e9], [1.0, 1.0]) < 1e-6
    assert chance([1e9, 1e9], [1.0, 1.0]) > 0.9


@pytest.mark.parametrize(
    ("earlier", "later", "statuses"),
    [
        ((), (incident(SINCE, 2),), ["new"]),
        ((incident(SINCE - timedelta(days=3), 2),), (), ["gone"]),
        ((incident(SINCE - timedelta(days=3), 2),), (incident(SINCE + timedelta(days=2), 2),), ["again"]),
        ((incident(SINCE - timedelta(days=3), 72, ongoing=True),), (incident(SINCE + timedelta(minutes=1), 2),), ["continued"]),
        ((incident(SINCE - WEEK, 2),), (incident(SINCE, 2, unit="b.service"),), ["new", "gone"]),
        (
            (incident(SINCE - timedelta(days=3), 72, ongoing=True, kind="failing-job"),),
            (incident(SINCE + timedelta(hours=20), 2, kind="failing-job"),),
            ["continued"],
        ),
    ],
)
def test_an_incident_is_new_again_continued_or_gone(earlier, later, statuses):
    made = compare(before(incidents=earlier), facts(incidents=later))
    assert [row.status for row in made.incidents] == statuses


@pytest.mark.parametrize(
    ("earlier", "later", "words"),
    [
        (before(), facts(length=3 * WEEK), "not equally long (7 d and 21 d)"),
        (facts(SINCE - WEEK / 2), facts(), "overlap by 84 h"),
        (replace(before(), hosts=("db1",)), facts(), "The hosts differ: db1 before, web1 now"),
        (replace(before(), complete=False), facts(), "Data of the earlier window are incomplete"),
        (replace(before(), recorded_since=SINCE - timedelta(days=2)), facts(), "Of the earlier window only 48 h of 7 d are recorded"),
    ],
)
def test_what_makes_windows_unequal_has_a_note(earlier, later, words):
    assert any(words in note for note in compare(earlier, later).notes)


def test_equal_windows_have_no_note():
    assert compare(before(a=1), facts(a=1)).notes == ()


def test_downtime_and_counts_of_both_sides():
    made = compare(before(incidents=(incident(SINCE - WEEK, 2),)), facts(incidents=(incident(SINCE, 5, ongoing=True),)))
    assert (made.before.downtime_s, made.now.downtime_s) == (7200, 18_000)
    assert (made.before.ongoing, made.now.ongoing) == (0, 1)


def test_new_classes_come_first():
    made = compare(before(gone=9, more=2, same=5), facts(more=20, same=5, new=1))
    assert [row.signature for row in made.classes] == ["new", "more", "gone", "same"]
