"""The gate's breaker: when it opens, how long it waits, and what closes it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.policy.breaker import (
    CLOSED,
    HALF_OPEN,
    HELD,
    OPEN,
    UNKNOWN,
    Breaker,
    Failure,
    Limits,
    asked,
    closed,
    failed,
    hold,
    needs_class,
    probed,
)

LIMITS = Limits()
FUTILE = Failure("torch.abi-mismatch", restart_helps=False)
OTHER_FUTILE = Failure("python.module-missing", restart_helps=False)
CURED = Failure("gpu.vram-exhausted", restart_helps=True)
UNJUDGED = Failure("mined:1", restart_helps=None)


def after(*failures, limits=LIMITS, start=None):
    """The breaker after these failures, and the number of the first that opened it."""
    breaker, opened_at = start or Breaker(), None
    for number, failure in enumerate(failures, 1):
        breaker, opens = failed(breaker, limits, failure)
        opened_at = number if opens and opened_at is None else opened_at
    return breaker, opened_at


@pytest.mark.parametrize(
    ("failures", "opens_at", "reason"),
    [
        ([FUTILE] * 3, 3, "three of a class that no restart cures"),
        ([FUTILE] * 2, None, "two may be chance"),
        ([CURED] * 5, 5, "five of any class"),
        ([CURED] * 4, None, "four that a restart may cure"),
        ([UNJUDGED] * 5, 5, "a class that nobody has judged counts as any"),
        ([UNKNOWN] * 5, 5, "classes that could not be found count as any"),
        ([CURED, FUTILE, FUTILE], None, "three in a row, but only two of the futile class"),
        ([CURED, FUTILE, FUTILE, FUTILE], 4, "three of it in a row"),
        ([FUTILE, OTHER_FUTILE] * 2, None, "two futile classes in turn"),
        ([FUTILE, OTHER_FUTILE, FUTILE, OTHER_FUTILE, FUTILE], 5, "but five are five"),
        ([UNKNOWN, UNKNOWN, replace(FUTILE, alike=3)], 3, "the first two were named with the third"),
        ([UNKNOWN, UNKNOWN, replace(FUTILE, alike=1)], None, "and were of other classes"),
        ([UNKNOWN, UNKNOWN, FUTILE], None, "what was not named is not proven to be the same"),
        ([replace(FUTILE, alike=9)], None, "failures before the last close do not count"),
    ],
)
def test_it_opens(failures, opens_at, reason):
    assert after(*failures)[1] == opens_at, reason


def test_a_try_that_fails_opens_at_once_and_doubles_the_cooldown_up_to_an_hour():
    breaker, waits = after(FUTILE, FUTILE, FUTILE)[0], []
    for _ in range(5):
        waits.append(breaker.cooldown_s)
        breaker, opens = failed(probed(breaker), LIMITS, CURED)
        assert opens
    assert waits == [600, 1200, 2400, 3600, 3600]
    assert breaker.opened == 6


def test_a_start_by_hand_that_fails_opens_again_with_the_same_cooldown():
    first = failed(probed(after(FUTILE, FUTILE, FUTILE)[0]), LIMITS)[0]
    again, opens = failed(first, LIMITS)
    assert opens
    assert (again.state, again.cooldown_s, again.opened) == (OPEN, first.cooldown_s, first.opened + 1)


def test_after_it_closed_it_counts_and_waits_anew_under_new_numbers():
    breaker = closed(probed(after(FUTILE, FUTILE, FUTILE)[0]))
    assert (breaker.state, breaker.failures, breaker.opened) == (CLOSED, 0, 1)
    reopened, opens_at = after(FUTILE, FUTILE, FUTILE, start=breaker)
    assert (opens_at, reopened.cooldown_s, reopened.opened) == (3, 600, 2)


@pytest.mark.parametrize(
    ("state", "failures_left", "reason"),
    [
        (CLOSED, 0, "a person looks after it"),
        (OPEN, 3, "a stop by hand says nothing about the cause"),
        (HALF_OPEN, 3, "nor does one during a try"),
        (HELD, 3, "nor during a hold"),
    ],
)
def test_what_a_client_asks_for_is_no_failure(state, failures_left, reason):
    assert asked(Breaker(state, failures=3)) == Breaker(state, failures=failures_left), reason


def test_a_unit_that_is_held_down_is_stopped_after_every_failure_and_never_tried():
    held = hold(Breaker())
    again, stops = failed(held, LIMITS, CURED)
    assert (stops, again.state, again.opened) == (True, HELD, held.opened)


@pytest.mark.parametrize(
    ("breaker", "needed", "reason"),
    [
        (Breaker(failures=0), False, "the first failure decides nothing"),
        (Breaker(failures=1), False, "nor the second"),
        (Breaker(failures=2), True, "the third can open it"),
        (Breaker(HALF_OPEN), True, "a try that failed is shown"),
        (Breaker(OPEN, failures=3), True, "so is one by hand"),
    ],
)
def test_a_failure_is_named_only_where_its_class_counts(breaker, needed, reason):
    assert needs_class(breaker, LIMITS) is needed, reason


KINDS = st.sampled_from([FUTILE, OTHER_FUTILE, CURED, UNJUDGED, UNKNOWN])
EVENTS = st.lists(st.one_of(KINDS, st.sampled_from(["probe", "close", "ask"])), max_size=60)
SIZES = st.builds(Limits, st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 1e4), st.floats(0.1, 1e4))


@given(EVENTS, SIZES)
def test_laws(events, limits):
    breaker = Breaker()
    for event in events:
        before = breaker
        if isinstance(event, Failure):
            breaker, opens = failed(breaker, limits, event)
            assert opens == (breaker.state == OPEN)
            assert breaker.opened == before.opened + opens
            assert opens or breaker.failures < limits.any_class
            assert breaker.alike <= breaker.failures
        else:
            breaker = {"probe": probed, "close": closed, "ask": asked}[event](breaker)
        assert breaker.opened >= before.opened
        assert breaker.cooldown_s <= limits.longest_s
