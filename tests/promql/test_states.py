"""Alerts become pending, fire, are kept and resolve at the evaluations at which Prometheus does it."""

import random
import shutil
import subprocess

import numpy as np
import pytest
import yaml

from forensics.promql import Firing, RefusedError, Scraped, Scrapes, StepSeries, Vector, evaluate, firings, parse


def vector(pattern, **labels):
    present = np.array([sign == "x" for sign in pattern])
    return Vector(labels, present.astype(float), present)


def followed(pattern, hold_s=0.0, keep_firing_s=0.0, **settings):
    """Write each alert as (pending, fires, resolves) in evaluations 15 s apart."""
    at = 15.0 * np.arange(len(pattern))
    found = firings([vector(pattern)], at, hold_s=hold_s, keep_firing_s=keep_firing_s, **settings)
    return [tuple(None if time is None else time / 15 for time in (each.pending, each.fires, each.resolves)) for each in found]


@pytest.mark.parametrize(
    ("pattern", "hold_s", "keep_firing_s", "expected", "why"),
    [
        ("..xx..", 0, 0, [(2, 2, 4)], "without `for` it fires at once"),
        ("..xx..", 15, 0, [(2, 3, 4)], "fires once the condition has held for `for`"),
        ("..xx..", 30, 0, [], "too short"),
        ("..xx.x", 10, 0, [(2, 3, 4)], "`for` is over at the next evaluation; pending again at the end"),
        ("xx.xxx", 30, 0, [(3, 5, None)], "a pending alert begins anew"),
        ("xx....", 0, 30, [(0, 0, 4)], "kept firing for 30 s from the first evaluation without it"),
        ("xx..xx....", 0, 45, [(0, 0, 9)], "back before it is resolved: one alert"),
        ("xx..x.....", 0, 30, [(0, 0, 7)], "back at the evaluation that would have resolved it"),
        ("xx...x....", 0, 30, [(0, 0, 4), (5, 5, 8)], "back one later: a new alert"),
        ("xxx.x....", 30, 30, [(0, 2, 7)], "kept alerts need no `for` again"),
        ("xx.xxx...", 30, 30, [(3, 5, 8)], "a pending alert is not kept"),
        ("xx", 0, 0, [(0, 0, None)], "still firing at the end"),
        ("xx..", 0, 60, [(0, 0, None)], "still kept at the end"),
        ("", 0, 0, [], "never evaluated"),
    ],
)
def test_an_alert_follows_its_expression(pattern, hold_s, keep_firing_s, expected, why):
    assert followed(pattern, hold_s, keep_firing_s) == expected, why


def test_alerts_that_never_fire_are_listed_where_that_is_asked_for():
    assert followed("x..xxx.x", hold_s=30.0, with_pending=True) == [(0, None, 1), (3, 5, 6), (7, None, None)]


def test_alerts_are_in_the_order_in_which_they_fire_and_have_no_metric_name():
    at = 15.0 * np.arange(4)
    found = firings([vector("..xx", __name__="a", job="late"), vector(".xx.", __name__="b", job="early")], at)
    assert found == (Firing({"job": "early"}, 15.0, 15.0, 45.0), Firing({"job": "late"}, 30.0, 30.0, None))


def test_two_alerts_with_the_same_labels_at_one_evaluation_are_refused():
    at = 15.0 * np.arange(4)
    assert len(firings([vector("xx..", __name__="a"), vector("..xx", __name__="b")], at)) == 1
    with pytest.raises(RefusedError, match="two alerts with the same labels"):
        firings([vector("xx..", __name__="a"), vector(".xxx", __name__="b")], at)


MINUTE = 60.0


def step_series(name, pattern):
    values = {"0": 0.0, "1": 1.0, "s": np.nan}
    return StepSeries(name, {"name": name}, MINUTE * np.arange(len(pattern)), np.array([values[sign] for sign in pattern]))


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_the_same_alerts_at_every_evaluation(tmp_path):
    """Random series that go stale and come back, with every pair of `for` and `keep_firing_for`."""
    chance = random.Random(7)  # noqa: S311
    length = 40
    patterns = {f"series{number}": "".join(chance.choices("0111s", k=length)) for number in range(8)}
    settings = [(hold, keep) for hold in (0, 1, 3) for keep in (0, 1, 4)]
    rules = [
        {"alert": f"Held{hold}Kept{keep}", "expr": '{__name__=~"series.+"} == 1', "for": f"{hold}m", "keep_firing_for": f"{keep}m"}
        for hold, keep in settings
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    at = MINUTE * np.arange(length)
    scraped = Scraped([step_series(*each) for each in patterns.items()], Scrapes(0.0, MINUTE * length, MINUTE))
    vectors = evaluate(parse('{__name__=~"series.+"} == 1'), scraped, at, version=2)
    expected = []
    for hold, keep in settings:
        found = firings(vectors, at, hold_s=hold * MINUTE, keep_firing_s=keep * MINUTE)
        for time in at.tolist():
            firing = [each for each in found if each.fires <= time and (each.resolves is None or time < each.resolves)]
            alerts = [{"exp_labels": dict(each.labels)} for each in firing]
            expected.append({"eval_time": f"{time / MINUTE:.0f}m", "alertname": f"Held{hold}Kept{keep}", "exp_alerts": alerts})
    assert sum(len(each["exp_alerts"]) for each in expected) > 500
    words = {"0": "0", "1": "1", "s": "stale"}
    series = [
        {"series": f'{name}{{name="{name}"}}', "values": " ".join(words[sign] for sign in pattern)} for name, pattern in patterns.items()
    ]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}))
    judged = subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[:3000] + judged.stderr[:3000]
