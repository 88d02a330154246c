"""Which profile comes next: the largest that fits, lower after each failure, higher only after a hold or by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.guard.ladder.choice import MARGIN, Last, Memory, choose, fits
from forensics.guard.ladder.profiles import GIB, Ladder, Profile

LADDER = Ladder((Profile("70b-32k", (40 * GIB,)), Profile("70b-8k", (24 * GIB,)), Profile("14b", (10 * GIB,))))
FAILED, HELD, STOPPED = Last(lacked_memory=True, life_s=9.0), Last(life_s=600.0), Last(life_s=599.9)
FIRST = Memory()


def after(profile, **more):
    return Memory(profile=profile, free=more.pop("free", 48 * GIB), **more)


@pytest.mark.parametrize(
    ("memory", "last", "free_gib", "expected", "reason"),
    [
        (FIRST, Last(), 40, "70b-32k", "exactly what is needed is free"),
        (FIRST, Last(), 39.999, "70b-8k", "a little less is free"),
        (FIRST, Last(), 4, "14b", "nothing fits: the smallest is tried"),
        (FIRST, Last(), None, "70b-32k", "not known, nothing held: the first"),
        (Memory(held="14b"), Last(), None, "14b", "not known: the last that held"),
        (after("70b-32k"), FAILED, 48, "70b-8k", "one lower after a failure, although the larger fits"),
        (after("70b-32k"), FAILED, 12, "14b", "lower still, as no more is free"),
        (after("70b-32k"), FAILED, None, "70b-8k", "one lower also where nothing is known"),
        (after("14b"), FAILED, 48, "14b", "there is none lower"),
        (after("70b-8k"), STOPPED, 48, "70b-8k", "it has not held: not higher"),
        (after("70b-8k"), Last(), 48, "70b-8k", "nothing is known of it: not higher"),
        (after("70b-8k"), HELD, 48, "70b-32k", "it held: one higher"),
        (after("14b"), HELD, 48, "70b-8k", "one higher at most"),
        (after("70b-8k"), HELD, 39, "70b-8k", "it held, but the larger does not fit"),
        (after("70b-8k"), HELD, None, "70b-8k", "not higher where nothing is known"),
        (after("70b-8k"), Last(), 12, "14b", "less is free than last time"),
        (after("14b", wanted="70b-8k"), STOPPED, 48, "70b-8k", "higher by hand"),
        (after("14b", wanted="70b-8k"), STOPPED, 12, "14b", "by hand, but it does not fit"),
        (after("14b", wanted="70b-8k"), STOPPED, None, "70b-8k", "by hand, and nothing is known"),
        (after("gone"), HELD, 48, "70b-32k", "that profile is not in the file any more"),
    ],
)
def test_the_next_profile(memory, last, free_gib, expected, reason):
    chosen = choose(LADDER, memory, last, None if free_gib is None else (int(free_gib * GIB),))
    assert chosen.memory.profile == expected, reason


@pytest.mark.parametrize(
    ("more", "expected", "reason"),
    [(0, "70b-8k", "as much is free as when it failed"), (MARGIN - 1, "70b-8k", "hardly more"), (MARGIN, "70b-32k", "more is free now")],
)
def test_what_failed_is_tried_again_only_when_more_is_free(more, expected, reason):
    failed = choose(LADDER, after("70b-32k", free=41 * GIB), FAILED, (41 * GIB,)).memory
    assert failed.failed_with == {"70b-32k": 41 * GIB}
    assert choose(LADDER, failed, HELD, (41 * GIB + more,)).memory.profile == expected, reason


def test_a_profile_that_holds_is_no_longer_known_to_fail():
    memory = after("70b-8k", failed_with={"70b-8k": 30 * GIB, "70b-32k": 41 * GIB})
    chosen = choose(LADDER, memory, HELD, (25 * GIB,)).memory
    assert (chosen.failed_with, chosen.held) == ({"70b-32k": 41 * GIB}, "70b-8k")


@pytest.mark.parametrize(
    ("needs", "free", "expected", "reason"),
    [
        ((40,), (20, 20), True, "together"),
        ((40,), (20, 19), False, "together too little"),
        ((20, 20), (30, 19), False, "one of them has too little"),
        ((20, 20), (20, 20), True, "each has enough"),
        ((20, 20), (48,), False, "there is only one"),
    ],
)
def test_memory_of_several_gpus(needs, free, expected, reason):
    assert fits(Profile("p", tuple(need * GIB for need in needs)), [have * GIB for have in free]) == expected, reason


@given(st.lists(st.tuples(st.sampled_from([FAILED, HELD, STOPPED, Last()]), st.none() | st.integers(0, 60)), max_size=30))
def test_without_a_hold_no_start_is_larger_than_the_one_before(starts):
    memory = FIRST
    for last, free in starts:
        before = LADDER.rung(memory.profile)
        choice = choose(LADDER, memory, last, None if free is None else (free * GIB,))
        if before is not None:
            assert choice.rung >= before - (last is HELD)
            assert choice.rung > before or last is not FAILED or before == 2
        memory = choice.memory
