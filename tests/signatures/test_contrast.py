"""What attempts of a unit that held logged too explains no failure; what the failure before logged too probably does."""

from __future__ import annotations

import polars as pl

from forensics.signatures import Labelled, contrast, label
from tests.signatures.making import CATALOGUE, TRACEBACK, attempt, attempts_frame, event, events_frame, traceback

HELD = {"outcome": "stopped", "uptime": 7200.0}


def labelled(attempts: list[dict[str, object]], events: list[dict[str, object]], past: pl.DataFrame = contrast.NO_PAST) -> Labelled:
    return label(events_frame(*events), attempts_frame(*attempts), CATALOGUE, past)


def why(found: Labelled, number: int) -> tuple[object, object]:
    row = found.labels.row(number, named=True)
    return row["why"], row["event"]


NOISE = "ERROR: the sensor 17 does not answer"


def test_an_error_that_is_logged_in_good_times_too_yields_to_one_that_is_not():
    events = [event(NOISE.replace("17", "3"), 100, 0), event(NOISE, 8, 1), event("the lock file is damaged", 9, 1)]
    assert why(labelled([attempt(0, **HELD), attempt(1)], events), 1) == ("line that mentions a problem", 2)
    assert why(labelled([attempt(0), attempt(1)], events[1:]), 1) == ("error line", 0), "without a good time there is nothing to compare"


def test_a_known_problem_of_good_times_yields_to_an_unknown_one():
    events = [event("ERROR: port 80 taken", 100, 0), event("ERROR: port 81 taken", 8, 1), traceback(TRACEBACK, 9, 1)]
    assert why(labelled([attempt(0, **HELD), attempt(1)], events), 1) == ("exception of a traceback", 2)
    assert why(labelled([attempt(0), attempt(1)], events[1:]), 1)[1] == 0


def test_an_attempt_is_compared_with_its_own_good_time():
    events = [event(NOISE, 100), event(NOISE, 7195), event("the lock file is damaged", 7199)]
    assert why(labelled([attempt(uptime=7200.0)], events), 0) == ("line that mentions a problem", 2)


def test_what_is_logged_long_after_a_failure_is_no_comparison():
    events = [event(NOISE, 8, 0), event("the lock file is damaged", 9, 0), event(NOISE, 100, 1)]
    assert why(labelled([attempt(0), attempt(1, **HELD)], events), 0) == ("error line", 0)


def test_an_attempt_that_was_stopped_soon_has_not_held():
    events = [event(NOISE, 8, 0), event(NOISE, 8, 1), event("the lock file is damaged", 9, 1)]
    assert why(labelled([attempt(0, outcome="stopped"), attempt(1)], events), 1) == ("error line", 1)


def test_a_good_time_of_another_unit_is_no_comparison():
    events = [event(NOISE, 100, 0), event(NOISE, 8, 1), event("the lock file is damaged", 9, 1)]
    other = attempt(0, **HELD) | {"unit": "other.service"}
    assert why(labelled([other, attempt(1)], events), 1) == ("error line", 1)


def test_of_two_errors_the_one_that_the_failure_before_logged_too_decides():
    twice = [event("ERROR: no route to the widget", 9, 0), event("ERROR: a client sent nonsense", 2, 1)]
    found = labelled([attempt(0), attempt(1)], [*twice, event("ERROR: no route to the widget", 9, 1)])
    assert found.ranked.filter(pl.col("attempt") == 1).select("event", "repeated").rows() == [(2, True), (1, False)]


def test_a_stream_that_sees_one_attempt_at_a_time_finds_what_history_finds():
    attempts = [attempt(0, **HELD), attempt(1), attempt(2)]
    events = [event(NOISE, 100, 0), event(NOISE, 8, 1), event("the lock file is damaged", 9, 1), event("the lock file is broken", 9, 2)]
    history = labelled(attempts, events)
    past = contrast.NO_PAST
    for number in range(3):
        alone = labelled([attempts[number] | {"attempt": 0}], [one | {"attempt": 0} for one in events if one["attempt"] == number], past)
        assert alone.labels["signature"].item() == history.labels["signature"][number]
        assert alone.labels["why"].item() == history.labels["why"][number]
        past = contrast.remembered(past, alone.logged)
    assert past.schema == contrast.PAST


def test_no_more_is_remembered_than_is_compared_with():
    lines = [f"ERROR: widget {word}{other} is broken" for word in "abcdefghij" for other in "klmnopqrst"]
    long = attempt(0, outcome="stopped", uptime=72000.0)
    past = contrast.NO_PAST
    for begin in range(0, 3000, 100):
        found = labelled([long], [event(f"{line} in {begin:b}x{begin // 100 * 'y'}", 100 + n, 0) for n, line in enumerate(lines)], past)
        past = contrast.remembered(past, found.logged)
    assert past.height <= contrast.MOST_PROBLEMS
    assert past["key"].n_unique() == past.height
