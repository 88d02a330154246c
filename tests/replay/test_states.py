"""The state of a unit, and what exporters would have shown of it, follow from its starts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.replay.series import METRICS, Model, restart_counter
from forensics.replay.states import STATES, answering, steps, unit_state
from tests.incidents.making import Tale
from tests.replay.histories import history, scene_of


def shown(state) -> list[tuple[float, str]]:
    return [(time, STATES[int(code)]) for time, code in zip(state.times, state.values, strict=True)]


def of(tale: Tale, *others: Tale) -> list[str]:
    (unit,) = scene_of(tale, *others).histories
    return [state for _, state in shown(unit_state(unit))]


def test_a_simple_service_is_active_until_it_crashes_and_activating_while_it_waits():
    unit = history([0, 10, 20], lives=2)
    assert shown(unit_state(unit)) == [
        (0, "active"), (2, "activating"), (10, "active"), (12, "activating"), (20, "active"), (22, "failed"),
    ]  # fmt: skip


def test_a_service_that_announces_readiness_is_activating_until_then():
    unit = history([0, 10], announced=[True, True], ready=[np.nan, 14], lives=6)
    assert [state for _, state in shown(unit_state(unit))] == ["activating", "active", "failed"]


def test_a_stop_takes_its_time():
    unit = history([0], outcome=["stopped"], ended_failed=[False], stopping=[5.0], lives=7)
    assert shown(unit_state(unit)) == [(0, "active"), (5, "deactivating"), (7, "inactive")]


def test_a_refused_restart_waits_and_is_then_failed():
    unit = history([0, 10], refused=[False, True], restart=[10, 21], lives=2)
    assert shown(unit_state(unit))[-2:] == [(12, "activating"), (21, "failed")]


def test_a_start_by_hand_during_the_wait_does_not_make_it_failed():
    unit = history([0, 10, 20, 25], (0, 3), lives=2)
    assert "failed" not in [state for time, state in shown(unit_state(unit)) if time < 27]


def test_a_start_by_hand_long_after_a_failure_finds_it_failed():
    unit = history([0, 10, 20, 500], (0, 3), lives=2)
    assert (22, "failed") in shown(unit_state(unit))


def test_a_stop_during_the_wait_makes_it_inactive():
    unit = history([0, 10, 20], lives=2, stops=[25.0])
    assert shown(unit_state(unit))[-2:] == [(22, "activating"), (25, "inactive")]


def test_a_boot_begins_inactive():
    unit = history([0, 10, 100], (0, 2), boot=[0, 0, 1], boot_begins=[0.0, 90.0], lives=2)
    assert shown(unit_state(unit))[-3:] == [(90, "inactive"), (100, "active"), (102, "failed")]


def test_a_tale_of_a_loop_that_a_person_ends():
    tale = Tale().hold(20).wait(60).fail(3).stop()
    assert of(tale) == ["active", "inactive", *["active", "activating"] * 3, "inactive"]


def test_a_clock_that_is_set_back_stands_still():
    assert steps(np.array([1.0, 5.0, 3.0, 7.0]), np.array([0.0, 1.0, 2.0, 3.0])).times.tolist() == [1, 5, 7]


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=30), st.floats(0.01, 5))
def test_times_ascend_and_neighbours_differ(gaps, lives):
    state = unit_state(history(list(np.cumsum(gaps)), lives=lives))
    assert (np.diff(state.times) > 0).all()
    assert (np.diff(state.values) != 0).all()


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=30))
def test_a_unit_is_in_one_state_at_a_time(gaps):
    unit = history(list(np.cumsum(gaps)))
    series = METRICS["node_systemd_unit_state"].rebuild(unit, Model())
    at = np.linspace(unit.began[0], unit.began[-1] + 10, 50)
    values = [one.values[np.searchsorted(one.times, at, side="right") - 1] for one in series]
    assert np.sum(values, axis=0) == pytest.approx(np.ones(len(at)))


def test_the_counter_goes_up_at_a_restart_and_falls_at_a_start_by_hand():
    unit = history([0, 10, 20, 30, 40], (0, 3), counter=[1, 2, np.nan, 1, np.nan])
    counter = restart_counter(unit)
    assert counter.times.tolist() == [0, 10, 20, 30, 40]
    assert counter.values.tolist() == [0, 1, 2, 0, 1]


def test_a_counter_that_began_before_the_data_begins_where_it_was():
    unit = history([0, 10, 20], counter=[57, 58, np.nan], counts=[False, True, True])
    assert restart_counter(unit).values.tolist() == [56, 57, 58]


def test_a_service_answers_some_time_after_its_start_or_when_it_is_ready():
    assert answering(history([0, 10, 20], lived_s=[2, 2, 100], ended=[2, 12, 120]), 45).times.tolist() == [0, 65, 120]
    assert answering(history([0], announced=[True], ready=[7.0], ended=[50.0]), 45).times.tolist() == [0, 7, 50]


def test_a_loop_is_active_from_the_third_restart_to_the_next_stable_start():
    unit = history([0, 10, 20, 30, 40], lived_s=[1, 1, 1, 1, 900], restart=[10, 20, 30, 40, np.nan])
    (series,) = METRICS["tabby_forensics_unit_loop_active"].rebuild(unit, Model())
    assert (series.times.tolist(), series.values.tolist()) == ([0, 30, 40], [0, 1, 0])


def test_systemd_without_a_restart_counter_shows_none():
    assert METRICS["node_systemd_service_restart_total"].rebuild(history([0, 10], counter=[np.nan, np.nan]), Model()) == []


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_every_metric_of_a_tale_ascends_and_names_its_unit(metric):
    (unit,) = scene_of(Tale().hold(20).fail(5).hold(20)).histories
    series = METRICS[metric].rebuild(unit, Model())
    assert series
    for one in series:
        assert (np.diff(one.times) > 0).all()
        assert not np.isnan(one.values).any()
        assert set(METRICS[metric].labels) <= set(one.labels)


def test_no_starts_give_no_series():
    empty = history([], ())
    for metric in METRICS.values():
        assert all(len(series.times) <= 1 for series in metric.rebuild(empty, Model()))
