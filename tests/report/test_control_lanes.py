"""The figure of controls: marks lie in order on the log axis, and no label leaves the drawing."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.model.controls import FIRES, NEVER, Replayed
from forensics.report import control_lanes, replayed
from forensics.report.control_lanes import NARROW, WIDE
from forensics.report.text_width import fitted, text_width
from tests.report import controls, kinds

LAYOUTS = pytest.mark.parametrize("layout", [WIDE, NARROW], ids=["wide", "narrow"])
INCIDENT = controls.incident()
SHOWN = replayed.chosen(replayed.rows(INCIDENT), 10)


def ends_of(text, x, anchor):
    wide = text_width(text)
    return (x, x + wide) if anchor == "start" else (x - wide, x)


@LAYOUTS
def test_what_fires_first_is_left(layout):
    drawn = control_lanes.draw(INCIDENT, SHOWN, layout)
    marks = [lane.at for lane in drawn.lanes if lane.fires]
    assert marks == sorted(marks)
    assert len(drawn.lanes) == 10
    assert all(lane.begin <= lane.at <= lane.end <= drawn.right for lane in drawn.lanes if lane.fires)


@LAYOUTS
def test_lanes_keep_apart_and_stay_inside(layout):
    drawn = control_lanes.draw(INCIDENT, SHOWN, layout)
    heights = [lane.y for lane in drawn.lanes]
    assert all(later - earlier >= 20 for earlier, later in pairwise(heights))
    assert drawn.top < heights[0] - 7
    assert heights[-1] + 7 < drawn.bottom < drawn.height


@LAYOUTS
def test_the_first_operator_action_and_the_first_alert_are_lines(layout):
    alerted = replace(INCIDENT, detection=replace(INCIDENT.detection, alert=INCIDENT.start + timedelta(hours=3)))
    drawn = control_lanes.draw(alerted, SHOWN, layout)
    assert [(line.mark, line.text) for line in drawn.lines] == [
        ("alert", "first alert, 3 h"),
        ("operator", "first operator action, 2 h 24 min"),
    ]
    assert len({line.text_y for line in drawn.lines}) == 2
    silent = replace(INCIDENT, detection=replace(INCIDENT.detection, operator=None))
    assert control_lanes.draw(silent, SHOWN, layout).lines == ()


def test_a_limit_names_the_restarts_it_would_have_avoided():
    texts = [lane.text for lane in control_lanes.draw(INCIDENT, SHOWN, WIDE).lanes]
    assert "26 s · 12,176 restarts avoided" in texts
    assert "45 s · delivered 75 s" in texts
    assert "never: failed at 0 of 172,319 scrapes: the loop shows activating and active" in texts


LANES = st.tuples(st.floats(0, 4e5), st.floats(0, 1), st.floats(1, 3), st.booleans(), st.integers(1, 300))


@LAYOUTS
@settings(max_examples=40)
@given(st.lists(LANES, min_size=1, max_size=4), st.none() | st.floats(0, 3e5))
def test_no_mark_and_no_label_leaves_the_drawing(layout, rows, operator_s):
    made = [
        Replayed(
            f"rule:{k}", "n" * length, "rule", "shipped: x", FIRES if is_firing else NEVER, reason="why " * length,
            after_s=after if is_firing else None,
            earliest_s=after * low, latest_s=after * high, delivered_after_s=after * high + 30,
        )
        for k, (after, low, high, is_firing, length) in enumerate(rows)
    ]  # fmt: skip
    operator = None if operator_s is None else INCIDENT.start + timedelta(seconds=operator_s)
    incident = replace(controls.incident(*made), detection=replace(INCIDENT.detection, operator=operator))
    drawn = control_lanes.draw(incident, replayed.rows(incident), layout)
    for lane in drawn.lanes:
        low, high = ends_of(lane.text, lane.text_x, lane.anchor)
        assert low >= -1
        assert high <= layout.width + 1
    for line in drawn.lines:
        low, high = ends_of(line.text, line.text_x, line.anchor)
        assert low >= -1
        assert high <= layout.width
    ticks = [tick.at for tick in drawn.ticks]
    assert all(later - earlier >= 24 for earlier, later in pairwise(ticks))


def test_an_incident_without_phases_has_an_axis():
    incident = replace(kinds.failing_job(), replay=controls.replay())
    assert control_lanes.draw(incident, replayed.rows(incident), WIDE).ticks


@given(st.text(max_size=80), st.floats(20, 400), st.booleans())
def test_a_text_is_cut_to_its_width(text, width, bold):
    short = fitted(text, width, bold=bold)
    assert text_width(short, bold=bold) <= width
    assert short == text or short.endswith("…")
