"""The page's colours: texts and marks are readable in light, in dark and on paper, and classes differ without colour too."""

import re
from itertools import combinations

import pytest

from forensics.report.charts import COLORS
from forensics.report.figures.interactive import PATTERNS
from forensics.resources import folder

STYLE = (folder("reports") / "style.css").read_text(encoding="utf-8")
LIGHT, DARK, PAPER = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
)  # fmt: skip
SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
TEXTS = ("ink", "muted", "accent", "bad", "good")
MARKS = [*(f"c{k}" for k in range(COLORS)), *(name for name in LIGHT if name.startswith("m-")), "accent", "good", "bad"]


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """WCAG 2's ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@SCHEMES
def test_every_scheme_has_every_colour(scheme):
    assert set(scheme) == set(LIGHT)
    assert {"m-operator", "m-alert", "c5"} <= set(MARKS)


@SCHEMES
@pytest.mark.parametrize("behind", ["page", "band", "card"])
def test_a_text_has_four_and_a_half_to_one(scheme, behind):
    assert {name: ratio for name in TEXTS if (ratio := contrast(scheme[name], scheme[behind])) < 4.5} == {}


@SCHEMES
@pytest.mark.parametrize("behind", ["page", "band"])
def test_a_mark_has_three_to_one(scheme, behind):
    assert {name: ratio for name in MARKS if (ratio := contrast(scheme[name], scheme[behind])) < 3} == {}


def test_classes_differ_by_their_pattern_too():
    template = (folder("reports") / "drawings.html.j2").read_text(encoding="utf-8")
    static = re.findall(r'<pattern id="p\d" .*?</pattern>', template)
    assert len(static) == len(PATTERNS) == COLORS
    shapes = [re.sub(r'class="f\d"|id="p\d"', "", pattern) for pattern in static]
    assert all(one != other for one, other in combinations(shapes, 2))
    assert len(set(PATTERNS)) == COLORS
