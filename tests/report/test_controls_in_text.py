"""Controls, their chain of causes and the audit in the terminal and in Markdown, and in all readable formats."""

import re
from dataclasses import replace

import pytest

from forensics.model.values import Cost
from forensics.report import REPORTERS, RenderOptions
from tests.report import controls, sample

READABLE = ["term", "md", "html"]


def text(name, report, **options):
    page = REPORTERS[name](report, RenderOptions(figures=False, **({"width": 240} | options)))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page).replace("\\", ""))


@pytest.fixture(scope="module")
def pages():
    return {name: text(name, controls.audited()) for name in READABLE}


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize(
    "words",
    [
        "Of 24 controls replayed on this incident, 19 would have fired.",
        "would have acted 26 s after the start, 2 h 16 min before the first operator action",
        "None of your 2 would have fired.",
        "30–52 s",
        "13,928",
        "can never fire",
        "tabby-forensics generate rules --unit tabbyapi.service",
        "tabby-forensics generate limits --unit tabbyapi.service",
        "Why it happened, and why it lasted",
        "Extension built against another PyTorch: 7,000 restarts, none of which helped; from T+2 h 30 min on, after fix attempt 1",
        "Contributing factors",
        "3 of 4 did not hold: 2 changed the class, 1 had no effect",
        "1 of 14 controls is effective: 2 unwired, 1 unreachable, 8 missing, 2 unknown.",
        "Audit of controls in four layers",
        "2. Detect",
        "node_exporter runs without --collector.systemd.enable-restarts-metrics",
    ],
)
def test_every_readable_format_has_the_same_words(pages, name, words):
    page = pages[name].replace("&#39;", "'")
    assert words in page


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("basis", ["measured", "inferred"])
def test_every_link_of_the_chain_is_marked(pages, name, basis):
    assert basis in pages[name]


@pytest.mark.parametrize("name", READABLE)
def test_without_a_replay_there_is_no_section_of_controls(name):
    assert "Recommended" not in text(name, sample.seed())


@pytest.mark.parametrize("name", READABLE)
def test_without_an_audit_one_line_has_its_command(name, pages):
    command = "tabby-forensics audit --unit tabbyapi.service --prometheus http://localhost:9090"
    assert text(name, controls.seed()).count(command) == 1
    assert command not in pages[name]


@pytest.mark.parametrize("name", ["term", "md"])
def test_text_has_at_most_eight_controls_and_names_where_the_others_are(name):
    page = text(name, controls.seed())
    assert sum(page.count(mark) for mark in ("○ never", "✕ can never fire", "● T+")) == 8
    assert re.search(r"… and 16 more controls; .{0,2}--format html", page)


@pytest.mark.parametrize("name", READABLE)
def test_the_cost_names_the_history_that_it_displaced(name):
    spent = Cost(cpu_s=61_240.0, journal_bytes=212_000_000, entries=431_004, journal_share=0.894, displaced_s=21 * 86_400.0)
    report = replace(sample.seed(), incidents=(replace(sample.seed().incidents[0], cost=spent),))
    words = "212.0 MB of journal in 431,004 entries; 89.4 % of what this host logged in the window: room for 21 d of ordinary history"
    assert words in text(name, report)
    assert "of what this host logged" not in text(name, sample.seed())


@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_line_of_the_terminal_is_wider_than_asked(width):
    for report in (controls.audited(), sample.poisoned(controls.audited())):
        lines = REPORTERS["term"](report, RenderOptions(width=width)).splitlines()
        assert max(map(len, lines)) <= width


HOSTILE = "<b>`x`</b> | [y](z)\x1b[31m\n# head " + "n" * 300


@pytest.mark.parametrize("name", READABLE)
def test_a_name_from_a_users_file_stays_one_short_text(name):
    row = replace(controls.replay()[0], control=HOSTILE, source=HOSTILE, reason=HOSTILE, kind=HOSTILE)
    page = REPORTERS[name](controls.with_replay(sample.seed(), (row,)), RenderOptions(figures=False, width=200))
    assert "\x1b" not in page
    assert "n" * 301 not in page
    assert "<b>`x`" not in page if name != "term" else "<b>`x`</b>" in page
    if name == "md":
        (heading,) = re.findall(r"^\| Control \|.*?\n\n", page, re.DOTALL | re.MULTILINE)
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in heading.strip().splitlines()}) == 1


def test_commands_in_markdown_are_a_block_of_code():
    odd = replace(controls.seed().incidents[0], unit="a b;`x`.service")
    page = REPORTERS["md"](replace(controls.seed(), incidents=(odd,)), RenderOptions())
    assert re.search(r"^```text\ntabby-forensics generate rules --unit 'a b;`x`\.service'   # alert rules", page, re.MULTILINE)
