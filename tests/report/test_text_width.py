"""Texts in figures: their width is estimated on the safe side, and they are cut to the room there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.text_width import fitted, text_width


@given(st.text(max_size=80), st.floats(20, 400), st.booleans())
def test_a_text_is_cut_to_its_width(text, width, bold):
    short = fitted(text, width, bold=bold)
    assert text_width(short, bold=bold) <= width
    assert short == text or short.endswith("…")


@pytest.mark.parametrize(
    ("text", "measured"),
    [("2 Extension built against another PyTorch", 249.2), ("4,082 restarts, every 42.3 s", 166.6), ("WWW", 35.6), ("iiii", 13.3)],
)
def test_a_width_is_that_of_a_browser_or_little_more(text, measured):
    """`measured`: in Chromium, DejaVu Sans at 12 px."""
    assert measured <= text_width(text) <= measured * 1.06
