"""Scheduled restarts are counted as they are; a jump of N_RESTARTS shows how many lines are lost."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.assembly import assemble
from tests.attempts.building import Journal, frames

# steps: a number is a scheduled restart with that counter; "stop" and "restart" are a client's hand; "252" makes every restart say Stopped
CASES: list[tuple[str, list[int | str], list[int]]] = [
    ("one after the other", [1, 2, 3], []),
    ("the first of the data proves nothing", [7, 8], []),
    ("a jump", [1, 2, 6], [3]),
    ("two jumps", [1, 3, 6], [1, 2]),
    ("a reset nobody saw", [5, 1, 2], []),
    ("a reset nobody saw, then a gap", [5, 3], [2]),
    ("the same number again is a reset too", [3, 3], [2]),
    ("a client's restart, nothing lost", [4, "restart", 1], []),
    ("a client's restart, then a gap", [4, "restart", 9], [8]),
    ("a client's restart that did not reset (252, 254)", [4, "restart", 5], []),
    ("a client's stop, then a gap", [4, "stop", 3], [2]),
    ("a Stopped without Stopping (254 on)", [4, "stopped", 8], [7]),
    ("252 says Stopped at every restart", ["252", 1, 2, 6], [3]),
]


def play(journal: Journal, steps: list[int | str]) -> None:
    legacy = False
    for n, step in enumerate(steps):
        run = f"r{n}"
        if step == "252":
            legacy = True
        elif isinstance(step, int):
            journal.fails(run, counter=step)
            if legacy:
                journal.manager("stopped", run, JOB_TYPE="restart")
        else:
            journal.manager("started", run)
            if step != "stopped":
                journal.manager("stopping", run, JOB_TYPE="stop")
            journal.manager("well", run)
            journal.manager("stopped", run, JOB_TYPE="stop" if step == "stop" else "restart")


@pytest.mark.parametrize(("steps", "lost"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_lost_restarts_follow_from_the_counter(steps: list[int | str], lost: list[int]) -> None:
    journal = Journal()
    play(journal, steps)
    made = assemble(journal.frame()).restarts
    assert made.filter("lost")["count"].to_list() == lost
    assert made.filter(~pl.col("lost"))["count"].sum() == sum(isinstance(step, int) for step in steps)


def test_a_new_boot_starts_at_nought() -> None:
    first, second = Journal(boot="b1"), Journal(boot="b2")
    play(first, [1, 2])
    second.now = first.now + 1_000_000
    play(second, [3])
    assert assemble(frames([first, second])).restarts.filter("lost")["count"].to_list() == [2]


def test_lost_restarts_have_no_attempt_and_the_time_of_the_line_that_reveals_them() -> None:
    journal = Journal()
    play(journal, [1, 4])
    frame = journal.frame()
    made = assemble(frame).restarts
    assert made["lost"].to_list() == [False, True, False]
    assert made["attempt"].to_list() == [0, None, 1]
    assert frame["restart_counter"].gather(made["row"]).to_list() == [1, 4, 4]
    assert made["time"][1] == made["time"][2]


def test_each_unit_has_its_own_counter() -> None:
    a, b = Journal("a.service"), Journal("b.service")
    play(a, [1, 2])
    play(b, [9, 10])
    assert not assemble(frames([a, b])).restarts["lost"].any()


@settings(max_examples=25)
@given(st.lists(st.one_of(st.integers(1, 5), st.sampled_from(["stop", "restart", "stopped"])), max_size=12), st.randoms())
def test_every_scheduled_restart_is_one_row_whatever_else_is_lost(steps: list[int | str], random: object) -> None:
    journal = Journal()
    play(journal, steps)
    kept = [line for line in journal.lines if line.get("N_RESTARTS") or random.random() < 0.7]  # type: ignore[attr-defined]
    journal.lines = kept
    frame = journal.frame()
    made = assemble(frame).restarts.filter(~pl.col("lost"))
    assert made["row"].to_list() == [n for n, line in enumerate(kept) if line.get("N_RESTARTS")]
    assert (made["count"] == 1).all()
