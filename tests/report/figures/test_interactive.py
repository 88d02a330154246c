"""Interactive figures: Plotly accepts them, nothing in them is markup, and everything is where the static drawing has it."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import plotly.graph_objects
import pytest

from forensics.report import charts, timeline
from forensics.report.figures import bars, interactive, lanes
from forensics.report.figures.description import WIDE, Mark
from forensics.resources import folder
from forensics.sanitize import sanitized
from tests.report import sample

SEED = sample.seed().incidents[0]


def described(incident):
    drawn = charts.histogram(incident, 240)
    return bars.restarts(incident, drawn, UTC, WIDE), bars.growth(incident, drawn, UTC, WIDE)


@pytest.mark.parametrize("incident", [SEED, *sample.several().incidents[1:]])
def test_plotly_accepts_every_figure(incident):
    for figure in described(incident):
        data = interactive.data(figure, UTC)
        plotly.graph_objects.Figure(sample.with_texts(data, lambda text: re.sub(r"var\(--[\w-]+\)", "#123456", text)))


def test_no_log_text_is_markup_in_a_figure():
    texts = []
    for incident in sanitized(sample.hostile(), redact=True).incidents:
        for figure in described(incident):
            sample.with_texts(interactive.data(figure, UTC), texts.append)
    assert len(texts) > 100
    assert {tag for text in texts for tag in re.findall(r"<[^>]*>", text)} <= {"<extra>", "</extra>"}
    assert not [text for text in texts if "&" in text]


def test_everything_is_where_the_static_drawing_has_it():
    for figure in described(SEED):
        layout = interactive.data(figure, UTC)["layout"]
        plot, margin = figure.plot, layout["margin"]
        assert (margin["l"], figure.width - margin["r"], figure.height - margin["b"]) == (plot.left, plot.right, plot.bottom)
        assert (1 - layout["yaxis"]["domain"][1]) * plot.bottom == pytest.approx(plot.top)
        labels = [label for band in figure.bands for label in band.labels]
        assert [note["text"] for note in layout["annotations"]] == [label.text for label in labels]
        for note, label in zip(layout["annotations"], labels, strict=True):
            assert figure.bars.axis.at(datetime.fromisoformat(note["x"] + "Z")) == pytest.approx(label.x, abs=0.3)
            assert (1 - note["y"]) * plot.bottom == pytest.approx(label.y - 4, abs=0.1)


def test_every_restart_and_every_mark_is_in_it():
    restarts, growth = (interactive.data(figure, UTC)["data"] for figure in described(SEED))
    assert sum(sum(trace["y"]) for trace in restarts if trace["type"] == "bar") == 13_936
    assert len(restarts[-1]["text"]) == 7
    assert growth[0]["y"][-1] == 13_936
    assert len(growth[0]["x"]) == len(growth[0]["y"])


def test_a_figure_with_nothing_to_point_at_stays_static():
    assert interactive.data(lanes.milestones(charts.detection_rows(SEED), WIDE), UTC) is None


def test_bars_and_marks_do_not_take_each_others_pointer():
    for figure in described(SEED):
        layout = interactive.data(figure, UTC)["layout"]
        assert layout["yaxis"]["domain"][1] == layout["yaxis2"]["domain"][0]


def test_every_colour_is_one_of_the_page():
    style = (folder("reports") / "style.css").read_text(encoding="utf-8")
    bars_figure, growth = described(SEED)
    marked = replace(bars_figure, marks=tuple(Mark(9, 9, name, glyph) for name, glyph in timeline.GLYPHS.items()))
    texts = []
    for figure in (marked, growth):
        sample.with_texts(interactive.data(figure, UTC), texts.append)
    used = {name for text in texts for name in re.findall(r"var\((--[\w-]+)\)", text)}
    assert {"--c0", "--m-fix", "--wash"} <= used
    assert [name for name in used if f"{name}:" not in style] == []
