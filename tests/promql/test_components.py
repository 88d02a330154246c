"""Series are evaluated apart only where no operator, aggregation or function lets them meet."""

import numpy as np
import pytest

from forensics.promql import Evaluations, RefusedError, Scraped, Scrapes, StepSeries, alerts, parse
from forensics.promql.components import components
from forensics.promql.tree import Instant, walk

CHANGES = np.array([0.0, 300.0]), np.array([0.0, 1.0])
CONSTANT = np.array([0.0]), np.array([1.0])


def scraped(*labels):
    """Make series `a` and `b` of each label set; those named q never change."""
    series = [StepSeries(name, own, *(CONSTANT if own["name"] == "q" else CHANGES)) for own in labels for name in "ab"]
    return Scraped(series, Scrapes(0.0, 900.0))


def groups(text):
    """Return the names of each group, those that do not change joined."""
    found = scraped(*({"name": name, "job": job} for name in "xyqq"[:3] for job in "jk"))
    tree = parse(text).tree
    selectors = {node.selector for node in walk(tree) if isinstance(node, Instant)}
    return sorted(
        sorted(
            {
                "".join(value for label, value in labels if label != "__name__")
                for selector in selectors
                for labels, _ in part.select(selector)
            }
        )
        for part in components(tree, found)
    )


APART = [["jq", "kq"], ["jx"], ["jy"], ["kx"], ["ky"]]
BY_NAME = [["jq", "kq"], ["jx", "kx"], ["jy", "ky"]]
BY_JOB = [["jq", "jx", "jy"], ["kq", "kx", "ky"]]
TOGETHER = [["jq", "jx", "jy", "kq", "kx", "ky"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("increase(a[5m]) > 0", APART),
        ("a == 0 and b == 1", APART),
        ("a * ignoring (job) group_left () b", BY_NAME),
        ("a * on (name) group_left (job) b", BY_NAME),
        ("sum by (name) (a) > on (name) sum by (name, job) (b)", BY_NAME),
        ("sum without (name) (a)", BY_JOB),
        ("topk by (job) (1, a)", BY_JOB),
        ('count_values without (job) ("value", a)', BY_NAME),
        ('label_replace(a, "job", "", "name", ".*")', BY_NAME),
        ('label_join(a, "job", "-", "name")', BY_NAME),
        ("sum(a)", TOGETHER),
        ("absent(a)", TOGETHER),
        ("a > scalar(b)", TOGETHER),
        ("a or vector(0)", TOGETHER),
        ("a and on () (hour() > 8)", TOGETHER),
        ("max_over_time(sum(a)[5m:])", TOGETHER),
    ],
)
def test_series_that_can_meet_are_one_group(text, expected):
    assert groups(text) == expected


def test_an_expression_without_series_is_evaluated_once():
    assert len(list(components(parse("1 > bool 2").tree, scraped()))) == 1


def test_two_partners_are_refused_even_if_only_another_group_has_somebody_to_match():
    """Prometheus looks at all series before it matches any."""
    series = [
        StepSeries("a", {"name": "x"}, *CHANGES),
        StepSeries("b", {"name": "y", "job": "j"}, *CHANGES),
        StepSeries("b", {"name": "y", "job": "k"}, *CHANGES),
    ]
    with pytest.raises(RefusedError, match="many-to-many matching"):
        alerts(parse("a * on (name) b"), Scraped(series, Scrapes(0.0, 900.0)), Evaluations(0.0, 900.0))
