"""Samples are those that scrapes would have taken; windows and sums over them are as if each were counted alone."""

import math
from bisect import bisect_left, bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.promql import Scraped, Scrapes, Selector, StepSeries, evaluate, parse
from forensics.promql.grid import Grid, scrape_grid
from forensics.promql.samples import samples_of
from forensics.promql.scraped import sample
from forensics.promql.spans import numbers_in, united
from tests.promql.oracle import scrape_times

AT = 15.0 * np.arange(80)
values = st.sampled_from([0.0, 1.0, -2.0, 0.1, 1e9, 1.7e9, 1e15, 3.3])


def series(*steps, name="up"):
    times, shown = zip(*steps, strict=True)
    return StepSeries(name, {}, np.array(times, dtype=float), np.array(shown, dtype=float))


def as_string(vectors):
    """Write a result of one series: its values, a dot where it is absent."""
    if not vectors:
        return ""
    (vector,) = vectors
    return "".join(f"{value:.0f}" if there else "." for value, there in zip(vector.values, vector.present, strict=True))


@pytest.mark.parametrize(
    ("steps", "expression", "expected", "why"),
    [
        ([(0, 1), (31, 2)], "up", "11122222", "a change is scraped at the next scrape"),
        ([(0, 1), (30, 2)], "up", "11222222", "at the moment of a change its new value is scraped"),
        ([(0, 1), (31, 2), (40, 1)], "up", "11111111", "between two scrapes nobody sees a change"),
        ([(40, 1)], "up", "...11111", "a series begins with its first scrape"),
        ([(0, 1), (40, math.nan)], "up", "111.....", "the first scrape without it marks it stale"),
        ([(0, 1), (40, math.nan), (70, 3)], "up", "111..333", "it comes back"),
        ([(0, 1), (40, math.nan), (41, 3)], "up", "11133333", "gone for less than a scrape"),
        ([(0, math.nan), (40, 3)], "up", "...33333", "not shown from the beginning"),
        ([(0, 1), (40, math.nan)], "count_over_time(up[45s])", "12321...", "a stale marker is no sample of a range"),
        ([(0, math.nan)], "up", "", "never shown"),
        ([(1000, 1)], "up", "", "not before the last scrape"),
    ],
)
def test_a_series_is_scraped(steps, expression, expected, why):
    found = evaluate(parse(expression), Scraped([series(*steps)], Scrapes(0.0, 105.0)), AT[:8])
    assert as_string(found) == expected, why


@pytest.mark.parametrize(
    ("version", "samples"),
    [(2, 20 + 1), (3, 20)],
)
def test_after_the_last_scrape_a_sample_is_used_for_five_minutes(version, samples):
    found = evaluate(parse("up"), Scraped([series((0, 1))], Scrapes(0.0, 60.0)), AT, version=version)
    assert as_string(found).rstrip(".") == "1" * (4 + samples)


def test_a_missing_span_leaves_neither_samples_nor_stale_markers():
    scraped = Scraped([series((0, 1), (450, 2))], Scrapes(0.0, 1200.0, missing=((100.0, 460.0),)))
    assert as_string(evaluate(parse("up"), scraped, AT)) == "1" * 26 + "." * 5 + "2" * 49
    assert as_string(evaluate(parse("count_over_time(up[1m])"), scraped, AT))[:36] == "1234444321" + "." * 21 + "12344"


scrapes = st.builds(
    Scrapes,
    st.just(1000.0),
    st.integers(1000, 3000).map(float),
    st.sampled_from([15.0, 7.5, 60.0, 1.0]),
    st.sampled_from([0.0, 3.75, 0.5]),
    st.lists(st.tuples(st.integers(900, 3000), st.integers(0, 500)).map(lambda span: (span[0], span[0] + span[1])), max_size=3).map(tuple),
)


@given(scrapes, st.lists(st.integers(0, 4_000_000), max_size=30))
def test_a_grid_counts_the_scrapes_up_to_any_time(scrapes, times):
    grid = scrape_grid(scrapes)
    expected = [round(time * 1000) for time in scrape_times(scrapes)]
    assert grid.times.tolist() == expected
    assert grid.up_to(np.array(times, np.int64)).tolist() == [bisect_right(expected, time) for time in times]
    assert grid.before(np.array(times, np.int64)).tolist() == [bisect_left(expected, time) for time in times]


@given(scrapes, st.lists(st.tuples(st.integers(0, 3_200_000), st.sampled_from([0.0, 1.0, 2.5, math.nan])), min_size=1, max_size=20))
def test_each_scrape_finds_the_value_that_held(scrapes, steps):
    steps = sorted({time / 1000: value for time, value in steps}.items())
    found = sample(series(*steps), scrape_grid(scrapes))
    expected = {}
    for time in scrape_times(scrapes):
        held = [value for began, value in steps if began <= time]
        if held and not math.isnan(held[-1]):
            expected[round(time * 1000)] = held[-1]
    if found is None:
        assert expected == {}
    else:
        shown = found.value_at(np.arange(len(found.grid)))
        assert dict(zip(found.grid.times.tolist(), np.broadcast_to(shown, len(found.grid)).tolist(), strict=True)) == expected


@given(st.lists(st.tuples(values, st.integers(1, 30)), min_size=1, max_size=30), st.data())
def test_a_sum_is_as_exact_as_if_its_window_were_summed_alone(spans, data):
    samples = [value for value, times in spans for _ in range(times)]
    first = data.draw(st.integers(0, len(samples) - 1))
    end = data.draw(st.integers(first + 1, len(samples)))
    found = samples_of(Grid(np.arange(len(samples))), np.array(samples)).sums(np.array([first]), np.array([end]))
    assert np.ravel(found)[0] == pytest.approx(math.fsum(samples[first:end]), rel=1e-15, abs=1e-12)


@pytest.mark.parametrize("special", [math.inf, -math.inf, math.nan])
def test_what_is_infinite_or_no_number_stays_in_its_own_windows(special):
    samples = samples_of(Grid(np.arange(6)), np.array([1.0, special, 2.0, -math.inf, 3.0, 4.0]))
    with np.errstate(invalid="ignore"):
        sums = samples.sums(np.array([0, 0, 2, 4, 0]), np.array([1, 2, 3, 6, 6]))
    expected = [1.0, special, 2.0, 7.0, math.nan if special != -math.inf else -math.inf]
    assert np.array_equal(sums, expected, equal_nan=True)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-3, 20)).map(lambda span: (span[0], span[0] + span[1])), max_size=12))
def test_united_spans_cover_the_same_numbers(spans):
    first, last = (np.array([span[side] for span in spans], np.int64) for side in (0, 1))
    covered = sorted({number for start, end in spans for number in range(start, end + 1)})
    assert numbers_in(*united(first, last)).tolist() == covered


def test_a_selector_finds_series_by_their_labels_sorted():
    scraped = Scraped([StepSeries("up", {"job": job, "empty": ""}, np.zeros(1), np.zeros(1)) for job in "bac"], Scrapes(0.0, 60.0))
    found = scraped.select(Selector("up", ()))
    assert [labels for labels, _ in found] == [(("__name__", "up"), ("job", job)) for job in "abc"]
