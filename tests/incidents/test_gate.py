"""What a gate did in an incident: the whole outage is one, and the restarts that were avoided are an estimate."""

from __future__ import annotations

import pytest

from forensics.model.values import Incident
from tests.attempts.building import Journal
from tests.watch.both import Unit, merged, report_of, table_of

CASES = [  # the story; kind, failures, restarts, tries, minutes of downtime; reason
    ([("gate", 3, "library", 0.5, 0, "held")], ("outage", 3, 2, 1, 5), "a short outage is one because a gate decided so"),
    ([("gate", 3, "library", 8.0, 0, "held")], ("outage", 3, 2, 1, 6), "naming the failure took eight seconds"),
    ([("gate", 3, "library", 80.0, 0, "held")], ("outage", 3, 2, 1, 7), "a gate that hung until TimeoutStopSec="),
    (
        [("gate", 3, "library", 0.5, 20, "held")],
        ("outage", 23, 2, 21, 240),
        "four hours: tries that fail are failures of one incident",
    ),
    (
        [("gate", 5, "unknown", 0.5, 2, "held")],
        ("restart-loop", 7, 4, 3, 29),
        "five failures of any class are a loop before",
    ),
    ([("gate", 3, "library", 0.5, 1, "reset")], ("outage", 4, 2, 1, 13), "a person resets the gate"),
    ([("gate", 3, "library", 0.5, 1, "hold")], ("outage", 4, 2, 1, 13), "a person leaves the unit stopped"),
    ([("gate", 1, "library", 0.5, 0, "held")], ("outage", 1, 0, 1, 5), "a class that a user wants to stop at once"),
    ([("gate", 3, "library", 0.5, 1, "")], ("outage", 4, 2, 1, 87), "it goes on to the end of the data"),
]


def incident(story: list[tuple[object, ...]]) -> Incident:
    (found,) = report_of(table_of([story]))
    return found


@pytest.mark.parametrize(("story", "expected", "reason"), CASES, ids=[case[-1] for case in CASES])
def test_the_outage_lasts_until_the_unit_held_again(story, expected, reason):
    found = incident(story)
    assert found.gate is not None
    assert (found.kind, found.failures, found.restarts, found.gate.probes, round(found.downtime_s / 60)) == expected
    assert found.ongoing == (story[0][-1] == "")
    assert (found.gate.closed is None) == found.ongoing


@pytest.mark.parametrize(("story", "expected", "reason"), CASES, ids=[case[-1] for case in CASES])
def test_nobody_asked_for_a_gates_stop_or_try(story, expected, reason):
    found = incident(story)
    by_hand = 1 if story[0][-1] == "reset" else 0
    assert len(found.fix_attempts) == by_hand
    assert (found.detection.operator is not None) == bool(by_hand)


def test_avoided_restarts_are_the_stopped_time_over_the_cadence_before_it():
    gate = incident([("gate", 3, "library", 0.5, 20, "held")]).gate
    assert gate is not None
    assert (gate.failures, gate.signature) == (3, "loader.library-missing")
    assert gate.after_s == pytest.approx(28.5, abs=1)
    assert gate.cadence_s == pytest.approx(13, abs=0.1)
    assert gate.restarts_avoided == pytest.approx((20 * 700 + 300) / 13, abs=2)


def test_without_a_cadence_nothing_is_estimated():
    gate = incident([("gate", 1, "library", 0.5, 2, "held")]).gate
    assert gate is not None
    assert (gate.cadence_s, gate.restarts_avoided) == (None, None)


def test_waiting_for_a_try_is_no_cycle_of_the_class():
    (row,) = incident([("gate", 3, "library", 0.5, 20, "held")]).classes
    assert row.cycle_s == pytest.approx(13, abs=0.1)


def test_what_was_open_at_a_boot_is_closed_by_it():
    before, after = Unit(Journal("app.service", "alpha", boot="a" * 32)), Unit(Journal("app.service", "alpha", boot="b" * 32))
    before.gated(3, "library", 0.5, 0, "")
    after.journal.now = before.journal.now + 60_000_000
    after.stop(after.start(1), after=900)
    (found,) = report_of(merged([before, after]))
    assert (found.gate is not None, found.kind, found.recovery is not None) == (True, "outage", True)
