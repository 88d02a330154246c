"""Figures of lanes: marks lie in order on the log axis, and what never happened is a text."""

from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import pytest

from forensics.report import charts, grouped, incident_lanes, replayed
from forensics.report.figures import incidents, lanes
from forensics.report.figures.description import LAYOUTS, NARROW, WIDE
from forensics.report.figures.placing import beside
from tests.report import controls, kinds, many, sample

EACH = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
SEED = sample.seed().incidents[0]
INCIDENT = controls.incident()
SHOWN = replayed.chosen(replayed.rows(INCIDENT), 10)


def texts(figure):
    return [label.text for label in figure.labels]


def test_a_log_axis_puts_a_decade_on_equal_width():
    ticks = {tick.labels[0].text: tick.at for tick in lanes.milestones(charts.detection_rows(SEED), WIDE).x_ticks}
    assert ticks["10 s"] - ticks["1 s"] == pytest.approx(ticks["10 min"] - ticks["1 min"], abs=0.2)


@EACH
def test_a_milestone_that_never_came_is_shown_as_text(layout):
    drawn = lanes.milestones(charts.detection_rows(SEED), layout)
    absent = next(label for label in drawn.labels if label.style == "bad")
    assert absent.text == "never: no alert is on record"
    line = [stroke for stroke in drawn.strokes if stroke.y == absent.y - 4]
    assert [stroke.style for stroke in line] == ["never", "never"]
    assert line[0].to_x < absent.left < absent.right < line[1].x


def test_an_action_before_the_start_is_drawn_at_the_edge_with_its_true_time():
    early = replace(SEED, detection=replace(SEED.detection, operator=sample.START - timedelta(minutes=3)))
    drawn = lanes.milestones(charts.detection_rows(early), WIDE)
    mark = next(mark for mark in drawn.marks if mark.name == "operator")
    assert mark.x == 250.0
    assert "T−3 min" in texts(drawn)


def test_a_name_is_above_its_lane_on_a_telephone_and_beside_it_on_a_wide_page():
    rows = charts.detection_rows(SEED)
    for layout, anchor in ((NARROW, "start"), (WIDE, "end")):
        drawn = lanes.milestones(rows, layout)
        name = next(label for label in drawn.labels if label.text == "First actionable log line")
        mark = next(mark for mark in drawn.marks if mark.name == "signal")
        assert name.anchor == anchor
        assert (name.bottom < mark.y) == (anchor == "start")


@pytest.mark.parametrize(
    ("points", "placed"),
    [
        ([(50.0, "2 h")], [("2 h", "start")]),
        ([(190.0, "2 h")], [("2 h", "end")]),
        ([(50.0, "2 h"), (150.0, "3 h")], [("2 h", "start"), ("3 h", "start")]),
        ([(100.0, "2 h"), (114.0, "3 h")], [("2 h", "end"), ("3 h", "start")]),
        ([(8.0, "2 h 10 min"), (22.0, "3 h")], [("2 h 10 min, 3 h", "start")]),
    ],
)
def test_texts_are_placed_where_there_is_room(points, placed):
    assert [(label.text, label.anchor) for label in beside(points, 0, 0, 200)] == placed


@EACH
def test_what_fires_first_is_left(layout):
    drawn = lanes.controls(INCIDENT, SHOWN, layout)
    places = [mark.x for mark in drawn.marks if mark.name in {"fires", "limit"}]
    assert places == sorted(places)
    assert len(places) == sum(row.fires for row in SHOWN)
    assert places[-1] <= drawn.plot.right


@EACH
def test_lanes_keep_a_distance_and_stay_inside(layout):
    drawn = lanes.controls(INCIDENT, SHOWN, layout)
    heights = sorted({stroke.y for stroke in drawn.strokes if stroke.y == stroke.to_y})
    assert len(heights) == len(SHOWN)
    assert all(later - earlier >= 20 for earlier, later in pairwise(heights))
    assert heights[-1] + 7 < drawn.plot.bottom < drawn.height


@EACH
def test_the_first_operator_action_and_the_first_alert_are_lines(layout):
    alerted = replace(INCIDENT, detection=replace(INCIDENT.detection, alert=INCIDENT.start + timedelta(hours=3)))
    drawn = lanes.controls(alerted, SHOWN, layout)
    assert texts(drawn)[:2] == ["first alert, 3 h", "first operator action, 2 h 24 min"]
    assert {stroke.style for stroke in drawn.strokes if stroke.x == stroke.to_x} == {"milestone s-alert", "milestone s-operator"}
    assert len({label.y for label in drawn.labels[:2]}) == 2
    silent = replace(INCIDENT, detection=replace(INCIDENT.detection, operator=None))
    assert "milestone" not in "".join(stroke.style for stroke in lanes.controls(silent, SHOWN, layout).strokes)


def test_a_limit_names_the_restarts_it_would_have_avoided():
    drawn = texts(lanes.controls(INCIDENT, SHOWN, WIDE))
    assert "26 s · 12,176 restarts avoided" in drawn
    assert "45 s · delivered 75 s" in drawn
    assert "never: failed at 0 of 172,319 scrapes: the loop shows activating and active" in drawn


def test_an_incident_without_phases_has_an_axis():
    incident = replace(kinds.failing_job(), replay=controls.replay())
    assert lanes.controls(incident, replayed.rows(incident), WIDE).x_ticks


@EACH
def test_every_incident_of_a_window_is_a_box_at_its_time(layout):
    report = many.report()
    values = incident_lanes.lanes(report, grouped.groups(report), 60)
    drawn = incidents.draw(values, UTC, layout)
    assert len(drawn.boxes) == len(report.incidents) == 12
    starts = sorted((box.x, box.title) for box in drawn.boxes)
    by_time = sorted((incident.start, k) for k, incident in enumerate(report.incidents, 1))
    assert starts[0][1].startswith(f"{by_time[0][1]}. ")
    assert all(box.width >= 3 and drawn.plot.left <= box.x and box.x + box.width <= drawn.plot.right + 0.1 for box in drawn.boxes)
    assert sum(mark.name == "goes-on" for mark in drawn.marks) == 2
