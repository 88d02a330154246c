"""Evaluating only near changes, group by group, raises the alerts that evaluating every step raises."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.promql import (
    Evaluations,
    RefusedError,
    Scraped,
    Scrapes,
    StepSeries,
    SyntaxMistakeError,
    UnsupportedError,
    alerts,
    evaluate,
    firings,
    parse,
    points_of_interest,
)
from tests.promql.excerpt import SCRAPES, SINCE, UNTIL, excerpt
from tests.promql.expressions import EXPRESSIONS
from tests.promql.generated import expressions

LENGTH = 3 * 3600.0


def every_step(expression, scraped, evaluations, **settings):
    """Do what `alerts` does without leaving anything out."""
    hold = {name: settings.pop(name) for name in ("hold_s", "keep_firing_s")}
    found = []
    for phase in evaluations.phases:
        at = np.arange(evaluations.since + phase, evaluations.until + 0.001, evaluations.interval)
        found.append(firings(evaluate(expression, scraped, at, **settings), at, interval=evaluations.interval, **hold))
    return tuple(found)


def small_series(changes):
    """Make series of all the names that generated expressions use; changes: (series, time, value)."""
    labels = [
        ("up", {"job": "node", "instance": "a"}),
        ("up", {"job": "systemd", "instance": "b"}),
        ("probe_success", {"instance": "x"}),
        ("late_gauge", {"kind": "x"}),
        ("machine_temperature_celsius", {}),
        ("node_systemd_unit_state", {"name": "tabbyapi.service", "state": "active", "job": "node"}),
        ("node_systemd_unit_state", {"name": "sshd.service", "state": "active", "job": "node"}),
        ("node_systemd_service_restart_total", {"name": "tabbyapi.service", "job": "node"}),
        ("systemd_service_restart_total", {"name": "tabbyapi.service", "job": "systemd"}),
        ("process_start_time_seconds", {"name": "tabbyapi.service"}),
    ]
    series = []
    for number, (name, own) in enumerate(labels):
        steps = sorted({time: value for at, time, value in changes if at % len(labels) == number}.items())
        times = np.array([0.0, *(time for time, _ in steps)])
        series.append(StepSeries(name, own, times, np.array([float(number % 3), *(value for _, value in steps)])))
    return series


changes = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, int(LENGTH)).map(float), st.sampled_from([0.0, 1.0, 2.0, 5.0, 55.0, np.nan])), max_size=25
)
missing = st.lists(st.tuples(st.integers(0, int(LENGTH)), st.integers(10, 2000)).map(lambda span: (span[0], span[0] + span[1])), max_size=2)


@given(
    expressions,
    changes,
    missing,
    st.sampled_from([15.0, 10.0, 60.0, 400.0]),
    st.sampled_from([15.0, 60.0, 20.0]),
    st.sampled_from([(0.0,), (0.0, 3.5, 7.0)]),
    st.sampled_from([0.0, 60.0, 100.0]),
    st.sampled_from([0.0, 90.0]),
    st.sampled_from([2, 3]),
)
def test_alerts_are_those_of_every_step(text, changes, missing, scrapes, interval, phases, hold_s, keep_firing_s, version):
    scraped = Scraped(small_series(changes), Scrapes(0.0, LENGTH, scrapes, 4.0, tuple(missing)))
    evaluations = Evaluations(0.0, LENGTH + 900, interval, phases)
    settings = {"hold_s": hold_s, "keep_firing_s": keep_firing_s, "version": version, "default_step": interval}
    with suppress(UnsupportedError, SyntaxMistakeError):
        expression = parse(text)
        expected = every_step(expression, scraped, evaluations, **settings)
        assert alerts(expression, scraped, evaluations, **settings) == expected


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_alerts_of_an_excerpt_are_those_of_every_step(text, version):
    scraped, expression = Scraped(excerpt(), SCRAPES), parse(text)
    evaluations = Evaluations(SINCE, UNTIL, 15.0, (0.0, 7.5))
    settings = {"hold_s": 30.0, "keep_firing_s": 0.0, "version": version, "default_step": 60.0}
    try:
        expected = every_step(expression, scraped, evaluations, **settings)
    except RefusedError as error:  # two alerts with the same labels
        with pytest.raises(RefusedError, match=str(error).split("{")[0]):
            alerts(expression, scraped, evaluations, **settings)
    else:
        assert alerts(expression, scraped, evaluations, **settings) == expected


def test_of_a_month_with_one_change_few_steps_are_of_interest():
    month = 30 * 86400.0
    scraped = Scraped([StepSeries("up", {}, np.array([0.0, 1e6]), np.array([1.0, 0.0]))], Scrapes(0.0, month))
    assert len(points_of_interest(parse("up == 0"), scraped, 15.0)) < 8
    assert len(points_of_interest(parse("changes(up[5m]) > 0"), scraped, 15.0)) < 50
    assert len(points_of_interest(parse("max_over_time((up == 0)[10m:1m])"), scraped, 15.0)) < 110


@pytest.mark.parametrize("text", ["vector(time()) > 5", "hour() == 3", "timestamp(up) > 1", "count_over_time(up[100s]) > 6"])
def test_what_changes_though_no_series_does_is_evaluated_at_every_step(text):
    scraped = Scraped([StepSeries("up", {}, np.array([0.0]), np.array([1.0]))], Scrapes(0.0, 3600.0))
    assert len(points_of_interest(parse(text), scraped, 20.0)) == 181


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_in_small_blocks_the_values_are_the_same(text, monkeypatch):
    scraped, expression, at = Scraped(excerpt(), SCRAPES), parse(text), np.arange(SINCE, UNTIL, 15.0)
    whole = evaluate(expression, scraped, at)
    monkeypatch.setattr("forensics.promql.engine.MOST_CELLS", 700)
    in_blocks = evaluate(expression, scraped, at)
    assert [vector.labels for vector in in_blocks] == [vector.labels for vector in whole]
    for one, other in zip(in_blocks, whole, strict=True):
        assert np.array_equal(one.present, other.present)
        assert np.array_equal(one.values[one.present], other.values[other.present], equal_nan=True)
