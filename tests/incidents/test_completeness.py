"""What the data lacks is told once, where it lacks it, and a clock that jumps is no loss."""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from forensics.clocks import useless_clocks
from forensics.incidents import analyse
from forensics.incidents.completeness import data_notes
from forensics.incidents.gaps import find_gaps
from forensics.model.frames import ENTRIES
from forensics.model.values import Damage, Window
from tests.incidents.making import BEGIN, Tale, completeness_of, inputs_of


def ticking(times: int = 1000) -> Tale:
    tale = Tale()
    for _ in range(times):
        tale.wait(10).host_says("clock", "tick")
    return tale


def test_whole_data_is_complete():
    told = completeness_of(inputs_of(ticking()).entries)
    assert (told.entries, told.complete, told.dropped, told.gaps) == (1000, True, 0, ())


def test_nothing_is_complete():
    assert completeness_of(inputs_of().entries).complete


def test_dropped_and_missed_lines_are_added_up():
    tale = ticking(5)
    tale.say("Suppressed 125 messages from app.service", message_id="a596d6fe7bfa4994828e72309e95d61e", dropped=125, unit="app.service")
    tale.say("Missed 7 kernel messages", message_id="e9bf28e6e834481bb6f48f548ad13606")
    told = completeness_of(inputs_of(tale).entries)
    assert (told.dropped, told.complete) == (132, False)


def test_damage_is_passed_on():
    damage = Damage("system.journal", 4096, "object is cut off")
    told = completeness_of(inputs_of(ticking(3)).entries, (damage,))
    assert (told.damage, told.complete) == ((damage,), False)


def test_a_hole_in_the_sequence_numbers_is_a_gap():
    entries = inputs_of(ticking()).entries
    told = completeness_of(entries.filter(~pl.col("seqnum").is_between(300, 499)))
    (gap,) = told.gaps
    assert gap.reason == "200 entries missing (sequence numbers)"
    assert (gap.start, gap.end) == (BEGIN + timedelta(seconds=3000), BEGIN + timedelta(seconds=5010))
    assert not told.complete


def test_the_order_of_sources_makes_no_hole():
    entries = inputs_of(ticking()).entries
    assert completeness_of(pl.concat([entries.slice(500), entries.slice(0, 500)])).gaps == ()


def test_a_filtered_stream_is_said_once_and_has_no_gaps():
    thinned = inputs_of(ticking()).entries.filter(pl.col("seqnum") % 10 == 0)
    made = inputs_of(ticking(1))
    told = completeness_of(thinned)
    assert (told.gaps, told.complete) == ((), True)
    analysis = analyse(replace(made, entries=thinned), Window(None, None))
    assert len(analysis.notes) == 1


def test_a_clock_jump_is_a_gap_but_no_loss():
    tale = ticking(500)
    tale.now += timedelta(hours=1)
    tale.booted += timedelta(hours=1)
    for _ in range(500):
        tale.wait(10).host_says("clock", "tick")
    told = completeness_of(inputs_of(tale).entries)
    assert [gap.reason.split(":")[0] for gap in told.gaps] == ["the wall clock moved 3600 s against the monotonic clock"]
    assert told.complete


def test_a_monotonic_clock_that_means_nothing_is_not_believed():
    entries = inputs_of(ticking()).entries.with_columns(pl.int_range(pl.len()).alias("monotonic"))
    wild = entries.with_columns((pl.col("monotonic") * 60_000_000).alias("monotonic"))
    assert useless_clocks(wild) == ["alpha-0001"]
    assert completeness_of(wild).gaps == ()


def test_a_small_jump_counts_where_systemd_says_that_the_clock_was_set():
    def gaps(message_id):
        tale = ticking(500)
        tale.now += timedelta(seconds=4)
        tale.booted += timedelta(seconds=4)
        tale.say("Time has been changed", message_id=message_id)
        return len(completeness_of(inputs_of(tale).entries).gaps)

    assert (gaps("c7a787079b354eaaa9e77b371893cd27"), gaps(None)) == (1, 0)


def sleeping() -> pl.DataFrame:
    tale = ticking(500)
    tale.now += timedelta(hours=8)
    tale.booted += timedelta(hours=8)
    for _ in range(500):
        tale.wait(10).host_says("clock", "tick")
    return inputs_of(tale).entries


def test_sleep_is_named_and_loses_nothing():
    completeness = completeness_of(sleeping())
    (gap,) = completeness.gaps
    assert (gap.kind, completeness.complete) == ("asleep", True)
    assert gap.reason == "the wall clock moved 28800 s against the monotonic clock: the host slept 8 h"
    assert data_notes(sleeping(), find_gaps(sleeping())) == ("The host alpha slept 8 h in this window; durations leave sleep out.",)


def test_a_clock_that_was_set_is_named_and_loses_nothing():
    entries = sleeping()
    set_by = pl.when(pl.int_range(pl.len()) == 500).then(pl.lit("System clock was stepped by 28800.0 seconds")).otherwise("message")
    entries = entries.with_columns(set_by.alias("message"))
    completeness = completeness_of(entries)
    assert [(gap.kind, gap.reason.partition(": ")[2]) for gap in completeness.gaps] == [("clock-set", "it was set")]
    assert completeness.complete
    assert data_notes(entries, find_gaps(entries)) == ()


def of_user_files(entries: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """What systemd ≤ 253 makes of some entries: a user's file with an id of its own, numbered by the same counter."""
    own = pl.when(pl.col("seqnum").is_between(first, last)).then(pl.lit("user-1000")).otherwise(pl.col("seqnum_id").cast(pl.String))
    return entries.with_columns(own.cast(ENTRIES["seqnum_id"]).alias("seqnum_id"))


def test_a_number_that_another_file_of_the_machine_has_is_not_missing():
    entries = of_user_files(inputs_of(ticking()).entries, 300, 499)
    assert completeness_of(entries).gaps == ()
    of_system = entries.filter(pl.col("seqnum_id") != "user-1000")
    assert [gap.reason for gap in completeness_of(of_system).gaps] == ["200 entries missing (sequence numbers)"]


def test_numbers_that_no_file_has_are_missing_also_where_two_files_share_the_counter():
    entries = of_user_files(inputs_of(ticking()).entries, 300, 499).filter(~pl.col("seqnum").is_between(350, 549))
    completeness = completeness_of(entries)
    assert [gap.reason for gap in completeness.gaps] == ["200 entries missing (sequence numbers)"]
    assert not completeness.complete


def test_a_counter_of_its_own_fills_no_hole():
    """The copy that journal-remote keeps is numbered anew, and also has the numbers that the journal lacks."""
    entries = inputs_of(ticking()).entries.filter(~pl.col("seqnum").is_between(300, 499))
    copy = entries.slice(400).with_columns(
        pl.int_range(pl.len()).cast(pl.Int64).alias("seqnum"), pl.lit("copy").cast(ENTRIES["seqnum_id"]).alias("seqnum_id")
    )
    both = pl.concat([entries, copy]).sort("monotonic", maintain_order=True)
    assert [gap.reason for gap in completeness_of(both).gaps] == ["200 entries missing (sequence numbers)"]


def test_another_machines_numbers_fill_no_hole():
    entries = inputs_of(ticking()).entries.filter(~pl.col("seqnum").is_between(300, 499))
    other = of_user_files(inputs_of(ticking()).entries.with_columns(pl.lit("m2").cast(ENTRIES["machine"]).alias("machine")), 0, 2000)
    completeness = completeness_of(pl.concat([entries, other]))
    assert [gap.reason for gap in completeness.gaps] == ["200 entries missing (sequence numbers)"]


def test_a_number_that_is_recorded_outside_of_the_window_is_not_missing_in_it():
    """A boot that begins at a wrong time, until its clock is set, is not in the window by its time."""
    entries = inputs_of(ticking()).entries
    inside, outside = entries.filter(~pl.col("seqnum").is_between(300, 499)), entries.filter(pl.col("seqnum").is_between(300, 499))
    numbers = outside.select(pl.col("seqnum_id").cast(pl.String), "seqnum")
    assert completeness_of(inside, outside=numbers).gaps == ()
    half = completeness_of(inside, outside=numbers.filter(pl.col("seqnum") < 380))
    assert [gap.reason for gap in half.gaps] == ["120 entries missing (sequence numbers)"]
    assert not completeness_of(inside, outside=numbers.with_columns(pl.lit("another").alias("seqnum_id"))).complete
