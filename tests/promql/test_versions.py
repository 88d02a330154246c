"""Prometheus 2 and 3 differ in what lies at the very edge of a window, and in nothing else that rules notice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.promql import Scraped, Scrapes, StepSeries, evaluate, parse

# without what one of them rounds differently, or extrapolates to zero in another order
SAME = (
    "up",
    "increase(restarts_total[5m]) > 2",
    "changes(up[5m]) > 1",
    "max_over_time(up[10m]) == 0",
    "min_over_time((up == 1)[10m:1m] offset 17s)",
    "count_over_time(up[90s]) < 6",
    "sum by (job) (up) == 0",
    "absent(up == 1)",
    "up == 0 unless on () (restarts_total > 3)",
)


def found(text, changes, offset, version):
    times = np.concatenate([[0.0], np.sort(np.array(sorted(changes), dtype=float))])
    series = [
        StepSeries("up", {"job": "a"}, times, np.arange(len(times)) % 2.0),
        StepSeries("restarts_total", {}, times, 100.0 + np.arange(len(times))),  # far from where it would have been zero
    ]
    at = 600.0 + offset + 15.0 * np.arange(200)
    vectors = evaluate(parse(text), Scraped(series, Scrapes(0.0, 3600.0)), at, version=version)
    return {tuple(sorted(vector.labels.items())): np.where(vector.present, vector.values, np.nan) for vector in vectors}


@pytest.mark.parametrize("text", SAME)
@settings(max_examples=25)
@given(st.sets(st.integers(1, 3600), max_size=40), st.sampled_from([0.004, 3.75, 7.5, 11.0]))
def test_between_scrapes_both_versions_agree(text, changes, offset):
    two, three = (found(text, changes, offset, version) for version in (2, 3))
    assert two.keys() == three.keys()
    for labels, values in two.items():
        assert np.allclose(values, three[labels], rtol=1e-12, equal_nan=True)


def test_at_the_moment_of_a_scrape_prometheus_2_has_one_sample_more():
    two, three = (found("count_over_time(up[5m])", (), 0.0, version) for version in (2, 3))
    (key,) = two
    assert (two[key] - three[key]).tolist() == [1.0] * 200
