"""The values of the figures: every restart is in one bar, merging loses none, and every kind of mark is there."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from forensics.model.values import Bin
from forensics.report import charts, timeline
from tests.report import sample

INCIDENT = sample.seed().incidents[0]
HOURLY = charts.histogram(INCIDENT, 240)


def test_every_restart_is_in_one_bar():
    assert sum(HOURLY.totals) == HOURLY.cumulative[-1] == 13_936
    assert HOURLY.per == "hour"
    assert len(HOURLY.starts) == 99


@given(st.integers(1, 300))
def test_merging_bins_loses_no_restart(most):
    found = charts.histogram(INCIDENT, most)
    assert sum(found.totals) == 13_936
    assert len(found.starts) <= most
    again = charts.merged(HOURLY, most)
    assert sum(again.totals) == 13_936
    assert len(again.starts) <= most
    assert again.end >= HOURLY.end


def test_an_hour_without_restarts_keeps_its_place():
    bins = (Bin(sample.START, "a", 1), Bin(sample.START + timedelta(hours=5), "a", 2))
    assert charts.histogram(replace(INCIDENT, bins=bins), 240).totals == (1, 0, 0, 0, 0, 2)


def test_without_bins_there_is_no_figure():
    assert charts.histogram(replace(INCIDENT, bins=()), 240) is None


def test_more_classes_than_colours_share_the_last_one():
    rows = tuple(replace(INCIDENT.classes[0], signature=f"s{k}", title=f"t{k}") for k in range(9))
    bins = tuple(Bin(sample.START, f"s{k}", 1) for k in range(9))
    found = charts.histogram(replace(INCIDENT, classes=rows, bins=bins), 240)
    assert [layer.name for layer in found.layers] == ["t0", "t1", "t2", "t3", "t4", "other classes"]
    assert found.totals == (9,)


def test_every_kind_of_mark_is_drawn():
    alerted = replace(INCIDENT, detection=replace(INCIDENT.detection, alert=sample.START + timedelta(hours=9)))
    assert {step.mark for step in timeline.marks(alerted)} == {"change", "fix", "success", "operator", "alert"}
