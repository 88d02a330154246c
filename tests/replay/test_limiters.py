"""Start limits count as systemd's do; limiters keep what people start and lose no start."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.model.values import LOST
from forensics.policy.breaker import Limits
from forensics.policy.restart_setting import POLICIES
from forensics.replay.limiters import StartLimit, gate, restart_policy, start_limit, what_is_left
from tests.replay.histories import history


@st.composite
def histories(draw):
    gaps = draw(st.lists(st.floats(0.1, 400), min_size=0, max_size=60))
    began = np.cumsum([0.0, *gaps])
    by_hand = draw(st.sets(st.integers(0, len(began) - 1), max_size=8)) | {0}
    results = draw(st.lists(st.sampled_from(["exit-code", "signal", "success", "watchdog"]), min_size=len(began), max_size=len(began)))
    boots = np.sort(draw(st.lists(st.integers(0, 2), min_size=len(began), max_size=len(began))))
    return history(list(began), tuple(by_hand), result=np.array(results, dtype=object), boot=boots)


limits = st.builds(StartLimit, st.integers(1, 12), st.floats(1, 4000))
limiters = st.one_of(
    st.builds(lambda limit: lambda of: start_limit(of, limit), limits),
    st.builds(lambda policy: lambda of: restart_policy(of, policy), st.sampled_from(sorted(POLICIES))),
    st.builds(lambda n: lambda of: gate(of, Limits(any_class=n, cooldown_s=50.0)), st.integers(1, 6)),
    st.builds(lambda n: lambda of: gate(of, Limits(futile=n), lambda _: False), st.integers(1, 6)),
)


@given(histories(), limiters)
def test_avoided_and_kept_starts_are_all_starts(unit, limiter):
    limited = limiter(unit)
    avoided_or_kept = limited.avoided | limited.kept
    by_hand_and_refused = limited.refused & ~unit.automatic
    assert np.array_equal(avoided_or_kept | by_hand_and_refused, np.ones(len(unit.began), dtype=bool))
    assert not (limited.avoided & limited.kept).any()


@given(histories(), limiters)
def test_a_start_by_hand_is_kept_or_refused(unit, limiter):
    limited = limiter(unit)
    by_hand = ~unit.automatic
    assert (limited.kept[by_hand] | limited.refused[by_hand]).all()
    assert not limited.avoided[by_hand].any()


@given(histories(), st.floats(1, 4000))
def test_a_limit_without_end_avoids_nothing(unit, interval):
    limited = start_limit(unit, StartLimit(10**9, interval))
    assert limited.kept.all()


@given(histories(), st.integers(1, 12), st.floats(1, 4000))
def test_a_limit_of_a_shorter_window_reaches_no_more_starts_before_it_first_acts(unit, burst, interval):
    first = [np.flatnonzero(start_limit(unit, StartLimit(burst, length)).refused)[:1].tolist() for length in (interval, interval / 2)]
    assert not first[1] or (first[0] and first[0][0] <= first[1][0])


@given(histories(), limits)
def test_a_limit_refuses_nothing_of_what_it_has_kept(unit, limit):
    left = unit.only(start_limit(unit, limit).kept)
    assert start_limit(left, limit).kept.all()


@given(histories(), limiters)
def test_what_is_left_is_what_was_kept(unit, limiter):
    limited = limiter(unit)
    left = what_is_left(unit, limited)
    assert np.array_equal(left.began, unit.began[limited.kept])
    down = np.append(limited.avoided[1:] & ~limited.refused[1:], False)[limited.kept]
    assert np.isnan(left.restart[down]).all()


CASES = [
    # starts, by hand, limit, refused, avoided, why
    ([0, 10, 20, 30], (0,), (5, 10), [], 0, "systemd's default never trips with RestartSec=10"),
    ([0, 1, 2, 3, 4, 5, 6, 7], (0,), (5, 10), [5], 3, "the sixth start within ten seconds is refused"),
    ([0, 1, 2, 3, 4, 10.5, 11], (0,), (5, 10), [], 0, "the window is over: it began with the first start"),
    ([0, 9, 9.5, 10.1, 10.2, 10.3, 10.4], (0,), (3, 10), [6], 1, "the window is fixed, not sliding: 10.1 opens the second one"),
    ([0, 1, 2, 3, 3.5], (0, 4), (3, 10), [3, 4], 1, "a start by hand within the window is refused too"),
    ([0, 1, 2, 3, 30], (0, 4), (3, 10), [3], 1, "a start by hand after it is kept"),
    ([0, 1, 2, 3, 4], (0,), (0, 10), [], 0, "a burst of 0 is no limit"),
    ([0, 1, 2, 3, 4], (0,), (3, 0), [], 0, "an interval of 0 is no limit"),
]


@pytest.mark.parametrize(("began", "by_hand", "limit", "refused", "avoided", "why"), CASES, ids=[case[-1] for case in CASES])
def test_a_window_is_fixed(began, by_hand, limit, refused, avoided, why):
    limited = start_limit(history(began, by_hand), StartLimit(*limit))
    assert np.flatnonzero(limited.refused).tolist() == refused
    assert limited.avoided.sum() == avoided


def test_a_boot_opens_the_window_again():
    unit = history([0, 1, 2, 3, 4, 5, 6], (0, 4), boot=[0, 0, 0, 0, 1, 1, 1])
    assert np.flatnonzero(start_limit(unit, StartLimit(3, 100)).refused).tolist() == [3]


def test_a_daemon_reload_opens_it_again_where_systemd_is_old():
    unit = history([0, 1, 2, 3, 4, 5, 6], row=[0, 10, 20, 30, 40, 50, 60])
    assert np.flatnonzero(start_limit(unit, StartLimit(4, 100)).refused).tolist() == [4]
    assert start_limit(unit, StartLimit(4, 100), np.array([25])).kept.all()


def test_a_start_that_a_dependency_stopped_does_not_count():
    unit = history([0, 1, 2, 3, 4], counts=[True, True, False, True, True])
    assert np.flatnonzero(start_limit(unit, StartLimit(3, 100)).refused).tolist() == [4]


def test_starts_without_lines_count_with_their_weight():
    unit = history([0, 1, 2], weight=[1, 5, 1])
    assert np.flatnonzero(start_limit(unit, StartLimit(5, 100)).refused).tolist() == [1]


POLICY_CASES = [
    ("no", ["exit-code", "signal", "watchdog", "success"], 0),
    ("on-abort", ["exit-code", "watchdog", "success"], 0),
    ("on-abort", ["signal", "core-dump", "signal", "signal"], 3),
    ("on-watchdog", ["watchdog", "watchdog", "signal", "signal"], 2),
    ("on-abnormal", ["signal", "watchdog", "timeout", "exit-code"], 3),
    ("on-failure", ["exit-code", "signal", "success", "exit-code"], 2),
    ("always", ["success", "exit-code", "signal", "success"], 3),
]


@pytest.mark.parametrize(("policy", "results", "kept"), POLICY_CASES)
def test_a_policy_restarts_by_the_result(policy, results, kept):
    unit = history(list(range(len(results))), result=np.array(results, dtype=object))
    assert restart_policy(unit, policy).kept[1:].sum() == kept


ANY, FUTILE = Limits(futile=10**9, any_class=4), Limits(futile=3, any_class=10**9)


def opened(unit, limits, helps=lambda _: None):
    return np.flatnonzero(gate(unit, limits, helps).acts).tolist()


def test_a_gate_counts_failures_of_one_class_only_while_nothing_holds():
    unit = history(list(range(8)), signature=np.array(list("aabbbcaa"), dtype=object))
    assert opened(unit, FUTILE, {"a": False, "b": False, "c": True}.get) == [4]
    held = history([0, 1, 2, 710, 711, 712, 713, 714], lived_s=[1, 1, 700, 1, 1, 1, 1, 1])
    assert opened(held, ANY) == [5]  # the failure after a run that held is the first


def test_failures_whose_lines_are_lost_count_and_have_no_class():
    unit = history([0, 10, 20, 30], weight=[1, 9, 1, 1], signature=np.array(["a", LOST.id, "a", "a"], dtype=object))
    assert opened(unit, FUTILE, {"a": False}.get) == []
    assert opened(unit, ANY) == [1]


def test_tries_come_after_cooldowns_that_double():
    limited = gate(history([10.0 * n for n in range(3000)]), Limits(any_class=3))
    tried = np.flatnonzero(limited.tried) * 10
    assert tried.tolist() == [630, 1840, 4250, 7860, 11470, 15080, 18690, 22300, 25910, 29520]
    assert limited.kept.sum() == 3 + len(tried)


def test_a_try_that_holds_closes_the_gate():
    began = [*(10.0 * n for n in range(64)), 2000, 2010, 2020, 2030]
    lives = [*[1.0] * 63, 1300, 1, 1, 1, 1]
    limited = gate(history(began, lived_s=np.array(lives)), Limits(any_class=3))
    assert np.flatnonzero(limited.tried).tolist() == [63]
    assert np.flatnonzero(limited.acts).tolist() == [2, 65]


def test_a_start_by_hand_is_let_through_and_does_not_close_a_gate():
    limited = gate(history(list(range(9)), (0, 5)), Limits(any_class=3))
    assert np.flatnonzero(limited.acts).tolist() == [2]
    assert np.flatnonzero(limited.kept).tolist() == [0, 1, 2, 5]


def test_what_a_gate_counted_is_gone_after_a_boot():
    unit = history(list(range(8)), (0, 4), boot=[0, 0, 0, 0, 1, 1, 1, 1])
    assert opened(unit, Limits(any_class=3)) == [2, 6]


def test_a_stop_on_request_lets_a_closed_gate_count_anew():
    ends = np.array(["failed", "failed", "stopped", "failed", "failed", "failed"], dtype=object)
    unit = history(list(range(6)), outcome=ends, failed=ends == "failed")
    assert opened(unit, Limits(any_class=3)) == [5]
