"""Figures: every restart is drawn, marks keep apart, texts cannot become markup, and Plotly itself accepts what it gets."""

import re
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import plotly.graph_objects
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.model.values import Bin
from forensics.report import charts, plotly_figures, svg, timeline
from forensics.sanitize import sanitized
from tests.report import sample

INCIDENT = sample.seed().incidents[0]
HOURLY = charts.histogram(INCIDENT, 240)


def figures(incident):
    found = charts.histogram(incident, 240)
    return [
        plotly_figures.restarts_per_bin(incident, found, UTC),
        plotly_figures.cumulative(incident, found, UTC),
        plotly_figures.lanes(charts.detection_rows(incident)),
    ]


def test_every_restart_is_in_one_bar():
    assert sum(HOURLY.totals) == HOURLY.cumulative[-1] == 13_936
    assert HOURLY.per == "hour"
    assert len(HOURLY.starts) == 99


@given(st.integers(1, 300))
def test_merging_bins_loses_no_restart(most):
    found = charts.histogram(INCIDENT, most)
    assert sum(found.totals) == 13_936
    assert len(found.starts) <= most


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


def test_bars_reach_as_high_as_their_counts():
    drawn = svg.restarts_per_bin(INCIDENT, HOURLY, UTC)
    heights = sum(-float(height) for _, path in drawn.paths for height in re.findall(r"v(-[\d.]+)", path))
    zero, hundred = drawn.y_ticks[0].at, drawn.y_ticks[1].at
    assert heights / (zero - hundred) * 100 == pytest.approx(13_936, rel=0.01)


def test_marks_keep_apart_and_inside():
    drawn = svg.restarts_per_bin(INCIDENT, HOURLY, UTC)
    places = [mark.x for mark in drawn.marks]
    assert min(b - a for a, b in pairwise(places)) >= 13.9
    assert drawn.left <= places[0]
    assert places[-1] <= drawn.right


def test_every_kind_of_mark_is_drawn():
    alerted = replace(INCIDENT, detection=replace(INCIDENT.detection, alert=sample.START + timedelta(hours=9)))
    assert {step.mark for step in timeline.marks(alerted)} == {"change", "fix", "success", "operator", "alert"}


def test_a_log_axis_puts_a_decade_on_equal_width():
    ticks = {tick.text: tick.at for tick in svg.lanes(charts.detection_rows(INCIDENT)).ticks}
    assert ticks["10 s"] - ticks["1 s"] == pytest.approx(ticks["10 min"] - ticks["1 min"], abs=0.2)


def test_a_milestone_that_never_came_is_shown_as_text():
    line = svg.lanes(charts.detection_rows(INCIDENT)).lines[1]
    assert line.dots == ()
    assert line.absent == "never: no alert is on record"


def test_an_action_before_the_start_is_drawn_at_the_edge_with_its_true_time():
    early = replace(INCIDENT, detection=replace(INCIDENT.detection, operator=sample.START - timedelta(minutes=3)))
    dot = svg.lanes(charts.detection_rows(early)).lines[2].dots[0]
    assert (dot.x, dot.text) == (250.0, "T−3 min")


@pytest.mark.parametrize("incident", [INCIDENT, *sample.several().incidents[1:]])
def test_plotly_accepts_every_figure(incident):
    for figure in figures(incident):
        plotly.graph_objects.Figure(sample.with_texts(figure, lambda text: re.sub(r"var\(--[\w-]+\)", "#123456", text)))


def test_no_log_text_is_markup_in_a_figure():
    texts = []
    for incident in sanitized(sample.hostile(), redact=True).incidents:
        for figure in figures(incident):
            sample.with_texts(figure, texts.append)
    allowed = {"<br>", "<extra>", "</extra>"}
    assert {tag for text in texts for tag in re.findall(r"<[^>]*>", text)} <= allowed
    assert not [text for text in texts if "&" in text]


@pytest.mark.parametrize("largest", [1, 2, 3, 7, 9, 10, 99, 309, 13_936, 10**9])
def test_an_axis_of_counts_has_round_ticks_and_covers_the_largest(largest):
    ceiling, ticks = svg.count_axis(largest)
    assert ceiling >= largest
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == 0
