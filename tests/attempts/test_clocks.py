"""An attempt lasts as long as its boot's clock shows, whatever happens to the wall clock and the host's name."""

import polars as pl
import pytest

from forensics.attempts import assemble_attempts
from tests.attempts.building import Journal, frames, only

HOUR_US = 3_600_000_000


def shifted(frame: pl.DataFrame, row: int, hours: float) -> pl.DataFrame:
    moved = pl.when(pl.int_range(pl.len()) >= row).then(pl.duration(microseconds=int(hours * HOUR_US))).otherwise(pl.duration(seconds=0))
    return frame.with_columns(pl.col("time") + moved)


@pytest.mark.parametrize("hours", [72, -5, 8])
def test_a_step_of_the_wall_clock_lengthens_no_attempt_of_a_short_boot(hours):
    journal = Journal()
    journal.fails("i1", 1)
    attempt = only(assemble_attempts(shifted(journal.frame(), 2, hours)).attempts)
    assert attempt["uptime_s"] == pytest.approx(1.0)


def test_a_clock_that_is_hardly_ever_recorded_is_not_used():
    journal = Journal()
    journal.fails("i1", 1)
    attempt = only(assemble_attempts(journal.frame().with_columns(pl.lit(None, pl.Int64).alias("monotonic"))).attempts)
    assert attempt["uptime_s"] == pytest.approx(1.0)


def test_attempts_of_a_renamed_machine_are_of_one_unit():
    journal = Journal()
    journal.fails("i1", 1)
    for line in journal.lines:
        line["_MACHINE_ID"] = "m"
    journal.host = "renamed"
    journal.fails("i2", 2)
    for line in journal.lines:
        line["_MACHINE_ID"] = "m"
    attempts = assemble_attempts(journal.frame()).attempts
    assert attempts["machine"].to_list() == ["m", "m"]
    assert attempts["automatic"].to_list()[1:] == [True]


def test_attempts_of_two_machines_with_one_name_are_of_two_units():
    first, second = Journal(boot="b1"), Journal(boot="b2")
    for journal, machine in ((first, "m1"), (second, "m2")):
        journal.fails("i1", 1)
        journal.fails("i2", 2)
        for line in journal.lines:
            line["_MACHINE_ID"] = machine
    assembled = assemble_attempts(frames([first, second]))
    assert assembled.attempts["machine"].to_list() == ["m1", "m1", "m2", "m2"]
    assert not assembled.restarts["lost"].any()
