"""A wall clock that is set, and a machine that sleeps, lengthen nothing."""

from __future__ import annotations

import pytest

from forensics.clocks import awake_time, steps, useless_clocks
from forensics.model.moments import Moment
from tests.attempts.building import T0, frames
from tests.clocked import Clocked

HOUR = 3600.0


def at(entries, row, *, clock=False):
    time, monotonic, boot = entries["time"].dt.timestamp("us")[row], entries["monotonic"][row], entries["boot"][row]
    return Moment(time, monotonic, boot) if clock else Moment(time)


def test_a_clock_that_is_right_is_measured_by_the_wall():
    entries = Clocked().ticks().frame()
    assert steps(entries).is_empty()
    assert awake_time(entries).seconds("h", at(entries, 0), at(entries, 4)) == 40.0


@pytest.mark.parametrize(
    ("line", "slept", "reason"),
    [
        (("systemd-timesyncd", "Initial synchronization to time server 10.0.0.1:123 (ntp)."), False, "timesyncd sets the clock"),
        (("chronyd", "System clock was stepped by 28800.000000 seconds"), False, "chronyd sets it"),
        (("ntpd", "0.0.0.0 c61c 0c clock_step time reset +28800.0 s"), False, "ntpd sets it"),
        (("kernel", "PM: suspend exit"), True, "the kernel resumes"),
        (("kernel", "PM: hibernation: hibernation exit"), True, "the kernel resumes from disk"),
        (("systemd-sleep", "System returned from sleep operation 'suspend'."), True, "systemd 254 resumes"),
        (("systemd-sleep", "System resumed."), True, "systemd 237 resumes"),
        (("app", "tick"), True, "nothing set the clock"),
    ],
)
def test_sleep_and_a_clock_that_was_set_differ_by_the_lines_about_it(line, slept, reason):
    journal = Clocked().ticks().wall_moves(8 * HOUR)
    journal.add(0.01, {"SYSLOG_IDENTIFIER": line[0], "MESSAGE": line[1]})
    entries = journal.ticks().frame()
    assert steps(entries)["slept"].to_list() == [slept], reason
    awake = awake_time(entries)
    assert awake.seconds("h", at(entries, 0), at(entries, 10)) == pytest.approx(90.01)
    assert awake.slept_s("h", at(entries, 0)[0], at(entries, 10)[0]) == (8 * HOUR if slept else 0)


def test_a_line_about_the_resume_outranks_the_managers_line_about_the_clock():
    journal = Clocked().ticks().wall_moves(8 * HOUR)
    journal.manager("Time has been changed", MESSAGE_ID="c7a787079b354eaaa9e77b371893cd27")
    journal.kernel("PM: suspend exit")
    assert steps(journal.ticks().frame())["slept"].to_list() == [True]
    journal.lines.pop(6)
    assert steps(journal.frame())["slept"].to_list() == [False]


def test_a_host_does_not_sleep_from_its_epoch_to_now():
    assert steps(Clocked().ticks().wall_moves(55 * 365 * 24 * HOUR).ticks().frame())["slept"].to_list() == [False]


def test_a_clock_that_is_set_back_shortens_nothing():
    entries = Clocked().ticks().wall_moves(-HOUR).ticks().frame()
    awake = awake_time(entries)
    assert awake.seconds("h", at(entries, 2), at(entries, 7)) == 50.0
    assert awake.seconds("h", at(entries, 2, clock=True), at(entries, 7, clock=True)) == 50.0


def test_boot_clocks_decide_where_the_wall_clock_shows_a_time_twice():
    entries = Clocked().ticks(20).wall_moves(-100).ticks(20).frame()
    awake = awake_time(entries)
    assert entries["time"][15] == entries["time"][25]
    assert awake.seconds("h", at(entries, 0, clock=True), at(entries, 15, clock=True)) == 150.0
    assert awake.seconds("h", at(entries, 0, clock=True), at(entries, 25, clock=True)) == 250.0


def test_time_between_boots_counts_and_a_boot_that_begins_at_an_earlier_time_takes_none():
    journal = Clocked(boot="b1").ticks()
    journal.boots("b2", wall_moves=60).ticks()
    journal.boots("b3", wall_moves=-10_000).ticks()
    entries = journal.frame()
    awake = awake_time(entries)
    assert awake.seconds("h", at(entries, 4, clock=True), at(entries, 5, clock=True)) == 70.0
    assert awake.seconds("h", at(entries, 9, clock=True), at(entries, 10, clock=True)) == 0.0
    assert awake.seconds("h", at(entries, 0, clock=True), at(entries, 14, clock=True)) == 40 + 70 + 40 + 0 + 40


def test_a_window_that_begins_before_the_data_or_ends_in_the_sleep_is_measured_too():
    entries = Clocked().ticks().wall_moves(8 * HOUR).ticks().frame()
    awake, (first, _, _) = awake_time(entries), at(entries, 0)
    assert awake.seconds("h", Moment(first - 60_000_000), at(entries, 9)) == 60 + 90
    assert awake.seconds("h", at(entries, 0), Moment(first + int(4 * HOUR * 1e6))) == 50.0
    assert awake.seconds("h", at(entries, 9), Moment(at(entries, 9)[0] + 5_000_000)) == 5.0


def test_two_machines_of_one_name_have_clocks_of_their_own():
    sleeper, other = Clocked().ticks().wall_moves(8 * HOUR).ticks(), Clocked(boot="b2").ticks(10)
    for line in other.lines:
        line["_MACHINE_ID"] = "m2"

    entries = frames([sleeper, other])
    awake = awake_time(entries)
    assert awake.seconds("h", at(entries, 0), at(entries, 9)) == 90.0
    assert awake.seconds("m2", at(entries, 10), at(entries, 19)) == 90.0
    assert awake.slept_s("m2", 0, 2 * T0) == 0


def test_a_few_steps_in_a_short_boot_do_not_make_its_clock_useless():
    journal = Clocked().ticks().wall_moves(8 * HOUR).ticks()
    assert useless_clocks(journal.frame()) == []
