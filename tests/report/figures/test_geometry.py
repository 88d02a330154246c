"""In every figure and at every width no text overlaps another or a mark, and none leaves the drawing."""

from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.model.controls import CANNOT_JUDGE, FIRES, NEVER, Replayed
from forensics.model.values import Bin
from forensics.report import charts, grouped, incident_lanes, replayed
from forensics.report.figures import bars, incidents, lanes
from forensics.report.figures.description import LAYOUTS
from forensics.sanitize import sanitized
from tests.report import controls, many, sample
from tests.report.figures.geometry import faults

SEED = sample.seed().incidents[0]
EACH = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
TITLES = st.sampled_from(["", "W" * 200, "漢字 " * 40, "i", "Extension built against another PyTorch", "a\u200fb<img src=x>"])
SECONDS = st.floats(0, 3e7)
few = settings(max_examples=25)


@st.composite
def incidents_over_time(draw):
    """An incident with 1 to 40 phases, 1 to 1,000 bins, and several fix attempts at one time."""
    titles = draw(st.lists(TITLES, min_size=1, max_size=3))
    classes = tuple(replace(SEED.classes[0], signature=f"s{k}", title=title) for k, title in enumerate(titles))
    number, step = draw(st.integers(1, 1000)), draw(st.sampled_from([60, 600, 3600, 86400]))
    counts = draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=3))
    made = tuple(Bin(SEED.start + timedelta(seconds=step * k), "s0", counts[k % len(counts)]) for k in range(number))
    length = timedelta(seconds=step * number)
    cuts = sorted(draw(st.lists(st.floats(0, 1), max_size=39)))
    edges = [SEED.start + length * part for part in (0.0, *cuts, 1.0)]
    phases = tuple(
        replace(SEED.phases[0], start=start, end=end, primary=f"s{k % len(titles)}") for k, (start, end) in enumerate(pairwise(edges))
    )
    at = SEED.start + length * draw(st.floats(0, 1))
    fixes = tuple(replace(SEED.fix_attempts[0], time=at) for _ in range(draw(st.integers(0, 20))))
    return replace(SEED, classes=classes, bins=made, bin_s=step, phases=phases, fix_attempts=fixes)


@few
@given(incidents_over_time())
def test_bars_and_growth(incident):
    drawn = charts.histogram(incident, 240)
    for layout in LAYOUTS:
        for figure in (bars.restarts(incident, drawn, UTC, layout), bars.growth(incident, drawn, UTC, layout)):
            assert faults(figure) == []
            assert len(figure.bars.starts) <= layout.bins


@few
@given(st.lists(st.tuples(TITLES, st.lists(SECONDS, max_size=3)), min_size=1, max_size=6))
def test_milestones(rows):
    made = [charts.Row(name, tuple(charts.Point(s, "fix", "T+98 h 22 min") for s in times), f"never: {name}") for name, times in rows]
    for layout in LAYOUTS:
        assert faults(lanes.milestones(made, layout)) == []


CONTROLS = st.tuples(st.floats(0, 4e5), st.floats(0, 1), st.floats(1, 3), st.sampled_from([FIRES, FIRES, NEVER, CANNOT_JUDGE]), TITLES)


@few
@given(st.lists(CONTROLS, min_size=1, max_size=4), st.none() | st.floats(0, 3e5), st.none() | st.floats(0, 3e5))
def test_controls(rows, operator_s, alert_s):
    made = [
        Replayed(
            f"rule:{k}", title, "rule", "shipped: x", status, reason=f"why {title}", after_s=after if status == FIRES else None,
            earliest_s=after * low, latest_s=after * high, delivered_after_s=after * high + 30, restarts_avoided=k or None,
        )
        for k, (after, low, high, status, title) in enumerate(rows)
    ]  # fmt: skip
    operator, alert = (None if second is None else SEED.start + timedelta(seconds=second) for second in (operator_s, alert_s))
    incident = replace(controls.incident(*made), detection=replace(SEED.detection, operator=operator, alert=alert))
    for layout in LAYOUTS:
        assert faults(lanes.controls(incident, replayed.rows(incident), layout)) == []


@EACH
@pytest.mark.parametrize(
    "report", [many.report(), sample.several(), sanitized(sample.hostile(), redact=True)], ids=["many", "several", "hostile"]
)
def test_all_incidents(report, layout):
    values = incident_lanes.lanes(report, grouped.groups(report), 60)
    assert faults(incidents.draw(values, UTC, layout)) == []
