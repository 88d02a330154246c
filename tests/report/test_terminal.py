"""The terminal's text: as wide as asked, coloured only when asked, and nothing of a log line is obeyed."""

import re
from functools import cache

import pytest

from forensics.report import REPORTERS, RenderOptions
from tests.report import kinds, sample


@cache
def made(make):
    return make()


def rendered(make=sample.seed, **options):
    return REPORTERS["term"](made(make), RenderOptions(**options))


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_is_wider_than_asked(width):
    assert max(len(line) for line in rendered(width=width).splitlines()) <= width


def test_the_first_screen_starts_with_scope_verdict_and_figures():
    lines = [line for line in rendered(width=120).splitlines() if line]
    assert lines[0].startswith("tabbyapi.service · hydra-ai")
    assert lines[1].startswith("tabbyapi was down 4 d 2 h (13,936 restarts)")
    assert [line.strip().startswith("13,936") for line in lines[:8]].count(True) == 1


def test_the_sections_are_in_the_order_of_the_questions():
    text = rendered()
    positions = [
        text.index(name)
        for name in ("What failed", "Phases", "Changes and fix attempts", "Detection", "What to do", "Cost", "Method and limits")
    ]
    assert positions == sorted(positions)


def test_without_colour_there_is_no_escape_sequence():
    assert "\x1b" not in rendered()


def test_with_colour_only_colours_are_set():
    text = rendered(sample.hostile, color=True)
    assert "\x1b[" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f]", text)
    assert set(re.findall(r"\x1b(.)(?:[\d;]*)(.)", text)) == {("[", "m")}


@pytest.mark.parametrize("name", ["COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM"])
def test_the_environment_changes_nothing(name, monkeypatch):
    before = rendered(color=True)
    monkeypatch.setenv(name, "33")
    assert rendered(color=True) == before


def test_markup_of_rich_in_a_log_line_stays_text():
    assert "[bold red]markup[/bold red]" in re.sub(r"\s+", " ", rendered(sample.hostile, width=400))


@pytest.mark.parametrize("width", [80, 110])
def test_no_unit_of_the_index_is_broken(width):
    assert "nightly-backup.service" in rendered(kinds.all_kinds, width=width)


def test_an_encoding_gets_only_what_it_has():
    assert rendered(encoding="ascii").isascii()
    assert len(rendered(encoding="ascii").splitlines()) == len(rendered().splitlines())
