"""What changed since an earlier window, first after the verdict, in every format."""

import re
from dataclasses import replace

import pytest

from forensics.compare import compare, facts_of
from forensics.report import REPORTERS, RenderOptions
from tests.report import comparisons, sample


@pytest.fixture(scope="module")
def report():
    return comparisons.compared()


@pytest.fixture(scope="module")
def hostile():
    return comparisons.hostile()


def page(name, report, **options):
    return REPORTERS[name](report, RenderOptions(figures=False, **options))


@pytest.mark.parametrize("brief", [True, False])
def test_in_a_terminal_it_comes_before_everything_but_the_verdict(report, brief):
    text = page("term", report, width=100, brief=brief)
    assert text.index("5 incidents with") < text.index("Compared with before") < text.index("Incidents\n")
    assert "5 new classes" in re.sub(r"\s+", " ", text)
    assert "gpu.vram-exhausted" in text
    assert "1 class gone" in re.sub(r"\s+", " ", text)
    assert brief or "disk.full" in text


@pytest.mark.parametrize("name", ["md", "html"])
def test_pages_have_the_same_words(report, name):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page(name, report)).replace("\\", ""))
    assert "Compared with before" in text
    assert "5 new classes" in text
    assert "1 class gone" in text
    assert "downtime 3 min 2 s before, 101 h 23 min now" in text
    assert text.index("Compared with before") < text.index("Recovered")


def test_of_one_incident_it_comes_before_its_heading():
    before, now = comparisons.earlier(), sample.seed()
    text = page("term", replace(now, compare=compare(facts_of(before), facts_of(now))), brief=True, width=80)
    assert text.index("Compared with before") < text.index("Restart loop of")


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("brief", [True, False])
def test_no_line_is_wider_than_asked(report, hostile, width, brief):
    for made in (report, hostile):
        assert max(map(len, page("term", made, width=width, brief=brief).splitlines())) <= width


@pytest.mark.parametrize("name", ["term", "md", "html", "json"])
def test_nothing_of_an_earlier_report_is_obeyed(hostile, name):
    text = page(name, hostile)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if name == "html":
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text


def test_without_earlier_data_one_sentence_says_so(report):
    only_now = replace(report, compare=replace(report.compare, before=None, classes=(), incidents=(), notes=("Nothing is recorded.",)))
    text = page("term", only_now, width=100, brief=True)
    assert "There is no earlier data to compare with." in text
    assert "Nothing is recorded." in text
