"""Figures over time: bars are as high as their counts, marks keep a distance, phases without room for a name are in the key."""

from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import pytest

from forensics.model.values import Bin
from forensics.report import charts, svg
from forensics.report.figures import axes, bars
from forensics.report.figures.description import LAYOUTS, MIDDLE, NARROW, WIDE, Stack
from tests.report import sample

SEED = sample.seed().incidents[0]
HOURLY = charts.histogram(SEED, 240)
EACH = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)


@EACH
def test_bars_reach_as_high_as_their_counts(layout):
    drawn = bars.restarts(SEED, HOURLY, UTC, layout)
    plot = drawn.plot
    heights = sum(height for stack in drawn.bars.stacks for _, _, height in stack.boxes)
    assert heights / (plot.bottom - plot.top) * drawn.bars.ceiling == pytest.approx(13_936)
    assert sum(sum(stack.counts) for stack in drawn.bars.stacks) == 13_936


@EACH
def test_bars_lie_side_by_side_over_the_plot(layout):
    drawn = bars.restarts(SEED, HOURLY, UTC, layout)
    middles = sorted({x for stack in drawn.bars.stacks for x, _, _ in stack.boxes})
    width = drawn.bars.stacks[0].width
    assert all(later - earlier >= width for earlier, later in pairwise(middles))
    assert drawn.plot.left <= middles[0] - width / 2
    assert middles[-1] + width / 2 <= drawn.plot.right


@EACH
def test_marks_keep_a_distance_and_stay_inside(layout):
    drawn = bars.restarts(SEED, HOURLY, UTC, layout)
    places = [mark.x for mark in drawn.marks]
    assert len(places) == 7
    assert min(later - earlier for earlier, later in pairwise(places)) >= 13.9
    assert drawn.plot.left <= places[0]
    assert places[-1] <= drawn.plot.right


def test_a_telephone_has_fewer_bars_and_names_their_length():
    drawn = bars.restarts(SEED, HOURLY, UTC, NARROW)
    assert len(drawn.bars.starts) == 50
    assert drawn.key[0] == ("", "one bar: 2 h")


def test_a_phase_without_room_for_its_name_has_its_number_and_is_in_the_key():
    middle = bars.restarts(SEED, HOURLY, UTC, MIDDLE)
    assert middle.bands[2].labels[0].text == "3 GPU memory exhausted"
    assert [name for name, _ in middle.key] == ["1", "2", "4"]
    assert ("2", "Extension built against another PyTorch") in middle.key
    narrow = bars.restarts(SEED, HOURLY, UTC, NARROW)
    assert narrow.bands[1].labels[0].text == "2"
    assert [name for name, _ in narrow.key] == ["", "1", "2", "3", "4"]
    assert bars.restarts(SEED, HOURLY, UTC, WIDE).key == ()


def test_of_many_phases_the_key_lists_a_dozen_and_only_those_with_a_number_in_the_drawing():
    each = (SEED.end - SEED.start) / 40
    phases = tuple(replace(SEED.phases[0], start=SEED.start + each * k, end=SEED.start + each * (k + 1)) for k in range(40))
    many = replace(SEED, phases=phases)
    assert bars.restarts(many, HOURLY, UTC, NARROW).key == (("", "one bar: 2 h"), ("", "40 phases in the table"))
    key = bars.restarts(many, HOURLY, UTC, MIDDLE).key
    assert [name for name, _ in key] == [*(str(k) for k in range(1, 10)), ""]
    assert key[-1] == ("", "31 more phases in the table")


def test_the_cumulative_line_ends_at_the_sum():
    drawn = bars.growth(SEED, HOURLY, UTC, WIDE)
    plot = drawn.plot
    x, y = drawn.bars.line[-1]
    assert x == plot.right
    assert (plot.bottom - y) / (plot.bottom - plot.top) * drawn.bars.ceiling == pytest.approx(13_936, rel=0.01)


def test_one_bin_is_a_figure():
    incident = replace(SEED, bins=(Bin(SEED.start, "a", 7),), phases=())
    drawn = bars.restarts(incident, charts.histogram(incident, 240), UTC, NARROW)
    assert len(drawn.bars.stacks[0].boxes) == 1
    assert drawn.x_ticks


@pytest.mark.parametrize("largest", [1, 2, 3, 7, 9, 10, 99, 309, 13_936, 10**9])
def test_an_axis_of_counts_has_round_ticks_and_covers_the_largest(largest):
    ceiling, ticks = axes.count_scale(largest)
    assert ceiling >= largest
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == 0


def test_ticks_of_hours_have_the_date_where_it_changes():
    incident = replace(SEED, bins=tuple(Bin(SEED.start + timedelta(hours=k), "a", 1) for k in range(30)))
    ticks = bars.restarts(incident, charts.histogram(incident, 240), UTC, WIDE).x_ticks
    assert [label.text for tick in ticks[:2] for label in tick.labels] == ["00:00", "8 Dec", "03:00"]


def test_a_bar_is_drawn_from_its_bottom_to_its_top_and_the_smallest_is_seen():
    stack = Stack("a", 0, (2, 1), 9.0, ((10.0, 260.4, 100.2), (20.55, 160.2, 0.2)))
    assert svg.bars_path(stack) == "M10 260v-100M20.6 160v-1"
    assert svg.line_path([(1.0, 2.04), (3.5, 4.0)]) == "M1 2L3.5 4"
