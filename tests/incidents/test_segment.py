"""Which attempts and restarts make an incident, when it begins and what closes it."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import polars as pl
import pytest

from forensics.incidents import Inputs, analyse
from forensics.model.values import Incident, Window
from tests.incidents.making import BEGIN, Tale, inputs_of


class Found(NamedTuple):
    kind: str
    start: float  # seconds after the tale's begin
    end: float | None
    recovery: float | None
    restarts: int


def incidents(*tales: Tale) -> tuple[Incident, ...]:
    return analyse(inputs_of(*tales), Window(None, None)).incidents


def found(tale: Tale) -> list[Found]:
    def after(time):
        return None if time is None else (time - BEGIN).total_seconds()

    return [Found(i.kind, after(i.start), after(i.end), after(i.recovery), i.restarts) for i in incidents(tale)]


def crash_loop(times: int = 10) -> Tale:
    return Tale().fail(times)


TABLE = [
    ("two restarts are no loop", Tale().fail(2).hold(), []),
    ("three are", Tale().fail(3).hold(), [("restart-loop", 0, 36, 36, 3)]),
    ("and so are three that take an hour each", Tale().fail(3, every=3600, lives=240).hold(), [("restart-loop", 0, 10_800, 10_800, 3)]),
    (
        "a start that is late to be ready recovers when it is ready",
        Tale(announces=True).fail(3).hold(ready=BEGIN + timedelta(seconds=90)),
        [("restart-loop", 0, 90, 90, 3)],
    ),
    ("back-dated through slow failures before the fast ones", Tale().fail(2, every=200).fail(4).hold(), [("restart-loop", 0, 448, 448, 6)]),
    (
        "a run that had held begins the loop with its crash",
        Tale().hold(20, then="failed", klass="a").fail(3).hold(),
        [("restart-loop", 1200, 1246, 1246, 4)],
    ),
    ("a run that had held and was stopped does not", Tale().hold(20).fail(3).hold(), [("restart-loop", 1200, 1236, 1236, 3)]),
    (
        "two loops with a success between them are two",
        Tale().fail(3).hold(20).fail(5).hold(),
        [("restart-loop", 0, 36, 36, 3), ("restart-loop", 1236, 1296, 1296, 5)],
    ),
    ("a short run between is none", Tale().fail(3).hold(5, then="failed", klass="a").fail(3).hold(), [("restart-loop", 0, 382, 382, 7)]),
    ("a start by hand that fails does not close", Tale().fail(3).stopped().wait(10).fail(3).hold(), [("restart-loop", 0, 87, 87, 6)]),
    ("a stop without a restart closes, without recovery", Tale().fail(3).stopped(5).wait(3600).hold(), [("restart-loop", 0, 41, None, 3)]),
    ("and one that takes the place of a scheduled restart", Tale().fail(3).stop().wait(3600).hold(), [("restart-loop", 0, 36, None, 3)]),
    ("so does a stop while the restart waits", Tale().fail(3).fall().wait(5).stop().wait(3600).hold(), [("restart-loop", 0, 43, None, 3)]),
    (
        "a stop in the second of the failure is what the manager makes of it",
        Tale().fail(3).fall().stop().wait(3600).hold(),
        [("restart-loop", 0, 3638, 3638, 3)],
    ),
    (
        "after a stop a later loop begins afresh",
        Tale().fail(3).stopped(5).wait(3600).fail(3),
        [("restart-loop", 0, 41, None, 3), ("restart-loop", 3641, None, None, 3)],
    ),
    ("a loop at the end of the data is ongoing", Tale().fail(8), [("restart-loop", 0, None, None, 8)]),
    ("a reboot does not close it", Tale().fail(4).hold(0.2, then="cut").reboot().fail(4).hold(), [("restart-loop", 0, 168, 168, 8)]),
    (
        "nor does the stop that belongs to a reboot",
        Tale().fail(4).stopped(5).reboot(900).fail(4).hold(),
        [("restart-loop", 0, 1001, 1001, 8)],
    ),
    (
        "a unit refused by the start limit stays down until it holds",
        Tale().fail(4).refuse().wait(7200).hold(),
        [("restart-loop", 0, 7251, 7251, 5)],
    ),
    (
        "an outage: it had held, fell, and nothing restarted it",
        Tale().hold(20).wait(5).fall().wait(3600).hold(),
        [("outage", 1205, 4807, 4807, 0)],
    ),
    ("a unit that never held is in an outage too", Tale().fall().wait(3600).fall().wait(3600).fall(), [("outage", 0, None, None, 0)]),
    ("a job that fails now and then has no outage", Tale().finish().wait(3600).finish(900).wait(3600).fall().wait(3600).finish(), []),
    ("a failure that is started again within ten minutes is no outage", Tale().hold(20).fall().wait(300).hold(), []),
    (
        "a job that is restarted until it finishes has recovered",
        Tale().finish().wait(3600).fail(5).finish(),
        [("restart-loop", 3605, 3665, 3665, 5)],
    ),
    ("lost restarts count at the line that shows them", Tale().fail(1).lose(5).hold(), [("restart-loop", 0, 84, 84, 7)]),
    (
        "an outage that nobody ended is ongoing",
        Tale().hold(20, then="stopped").fall().wait(4000).host_says("cron", "tick"),
        [("outage", 1200, None, None, 0)],
    ),
    (
        "long starts that never get ready do not hold",
        Tale(announces=True).hold(1, ready=BEGIN).fail(3).fail(1, lives=900, every=910).fail(3),
        [("restart-loop", 60, None, None, 7)],
    ),
]


@pytest.mark.parametrize(("why", "tale", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_incidents_are_cut_by_the_rules(why, tale, expected):
    assert found(tale) == [Found(*row) for row in expected], why


def test_a_clock_that_is_set_back_does_not_tear_the_loop_apart():
    tale = Tale().fail(10)
    tale.booted -= timedelta(hours=2)
    tale.now -= timedelta(hours=2)
    one = incidents(tale.fail(10).hold())
    assert [(i.restarts, i.exact) for i in one] == [(20, True)]


def test_a_counter_that_is_reset_by_hand_changes_nothing():
    tale = Tale().fail(10)
    tale.counter = 0
    assert [i.restarts for i in incidents(tale.fail(10).hold())] == [20]


def test_a_loop_that_was_going_before_the_data_begins_is_no_exact_figure():
    tale = Tale()
    tale.counter = 400
    assert [i.exact for i in incidents(tale.fail(10).hold())] == [False]
    assert [i.exact for i in incidents(Tale().fail(10).hold())] == [True]


def test_lines_dropped_for_this_unit_make_it_a_lower_bound_and_those_of_another_do_not():
    def with_drop(unit):
        tale = Tale().fail(5)
        tale.manager_says(
            "Suppressed 12 messages", "a596d6fe7bfa4994828e72309e95d61e", dropped=12, unit=unit, identifier="systemd-journald"
        )
        return incidents(tale.fail(5).hold())[0].exact

    assert (with_drop("app.service"), with_drop("other.service")) == (False, True)


def test_an_incident_keeps_its_name_when_other_units_and_hosts_are_added():
    alone = incidents(crash_loop().hold())[0]
    among = incidents(Tale("z.service").fail(4), crash_loop().hold(), Tale(host="beta").fail(5))
    assert alone.id in {i.id for i in among}
    assert len({i.id for i in among}) == 3


def test_the_same_unit_name_of_a_user_is_another_unit():
    mine = Tale(manager="user:1000").fail(2)
    assert incidents(Tale().fail(2), mine) == ()


def test_nothing_in_gives_nothing_out():
    analysis = analyse(inputs_of(), Window(None, None))
    assert (analysis.incidents, analysis.classes, analysis.restarts.total) == ((), (), 0)
    assert all(check.holds for check in analysis.ledger)


def test_an_attempt_whose_start_is_not_recorded_is_taken_as_it_comes():
    made = inputs_of(Tale().fail(6).hold())
    unknown = made.attempts.with_columns(pl.when(pl.col("attempt") == 0).then(None).otherwise("automatic").alias("automatic"))
    (incident,) = analyse(replace(made, attempts=unknown), Window(None, None)).incidents
    assert incident.restarts == 6


def test_a_host_without_a_name_is_a_host():
    made = inputs_of(Tale().fail(6).hold())

    def nameless(frame):
        return frame.with_columns(pl.lit(None).cast(frame.schema["host"]).alias("host"))

    frames = {name: nameless(getattr(made, name)) for name in ("entries", "attempts", "restarts", "lifecycle")}
    (incident,) = analyse(replace(made, **frames), Window(None, None)).incidents
    assert (incident.restarts, incident.ongoing) == (6, False)


def renamed(inputs: Inputs, name: str, until_row: int) -> Inputs:
    """The same machine, which had another name until that entry."""

    def with_names(frame: pl.DataFrame, row: str) -> pl.DataFrame:
        host = pl.when(pl.col(row) < until_row).then(pl.lit(name)).otherwise(pl.col("host").cast(pl.String))
        return frame.with_columns(
            host.cast(frame.schema["host"]).alias("host"), pl.lit("m1").cast(frame.schema["machine"]).alias("machine")
        )

    return replace(
        inputs,
        entries=with_names(inputs.entries.with_row_index("row"), "row").drop("row"),
        attempts=with_names(inputs.attempts, "first_row"),
        restarts=with_names(inputs.restarts, "row"),
        lifecycle=with_names(inputs.lifecycle, "row"),
    )


def test_a_host_that_is_renamed_in_an_incident_has_one_which_carries_the_last_name_and_keeps_its_id():
    inputs = inputs_of(Tale().fail(10).hold())
    (before,) = analyse(renamed(inputs, "localhost", 0), Window(None, None)).incidents
    (after,) = analyse(renamed(inputs, "localhost", 20), Window(None, None)).incidents
    assert (after.host, after.restarts, after.id) == ("alpha", 10, before.id)
