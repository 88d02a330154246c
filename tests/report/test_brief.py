"""The report in brief: what a person acts on, on one screen, at any width, in any encoding."""

import re
from functools import cache

import pytest

from forensics.report import REPORTERS, RenderOptions
from forensics.report.terminal_lines import continued, steps_in_brief
from tests.report import controls, kinds, many, sample

MAKERS = {
    "one": controls.seed, "several": lambda: sample.several(12), "many": many.report, "isolated": kinds.only_isolated,
    "kinds": kinds.all_kinds, "quiet": sample.quiet, "nothing": sample.empty, "hostile": sample.hostile, **kinds.KINDS,
}  # fmt: skip


@cache
def made(name):
    return MAKERS[name]()


@cache
def rendered(name, width=80, encoding="utf-8"):
    return REPORTERS["term"](made(name), RenderOptions(brief=True, width=width, encoding=encoding))


@pytest.mark.parametrize(("name", "most"), [("one", 60), ("several", 75), ("many", 75), ("kinds", 75), ("quiet", 12)])
def test_it_fits_the_screen(name, most):
    assert len(rendered(name).splitlines()) <= most


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("name", list(MAKERS))
def test_no_line_is_wider_than_asked(name, width):
    assert max(map(len, rendered(name, width=width).splitlines())) <= width


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", ["one", "several", "many", "kinds", "isolated"])
def test_no_id_unit_or_command_is_broken(name, width):
    text = rendered(name, width=width)
    for row in made(name).classes[:5]:
        assert row.signature in text
    for incident in made(name).incidents:
        assert incident.unit in text
    for command in re.findall(r"^  (tabby-forensics .*)", text, re.MULTILINE):
        assert command.count("'") % 2 == 0


def test_each_class_has_one_row_and_the_line_that_decides():
    lines = rendered("one").splitlines()
    start = lines.index("What failed")
    rows = lines[start + 2 : start + 2 + 2 * 5]
    assert [re.sub(r" {2,}", " | ", row.strip()) for row in rows[::2]][:2] == [
        "7,000 | 50.2 % | Extension built against another PyTorch | torch.abi-mismatch",
        "3,496 | 25.1 % | GPU memory exhausted | cuda.out-of-memory",
    ]
    assert rows[1].strip().startswith("ImportError: …/exllamav2_ext.cpython-311-x86_64-linux-gnu.so: undefined sym")
    assert rows[9].strip().startswith("ImportError: libstdc++.so.6: cannot open")
    assert lines[start + 12] == "… and 1 smaller class; `report --full` lists them."


def test_the_sparkline_is_one_line_between_start_and_end():
    (line,) = [line for line in rendered("one").splitlines() if "█" in line]
    assert re.fullmatch(r"2025-12-07 21:30 [▁▂▃▄▅▆▇█ ]{20,46} 2025-12-11 23:52", line)
    levels = ["▁▂▃▄▅▆▇█".index(bar) for bar in line[17:-17]]
    assert max(levels[:9]) == 7  # the fast phases come first
    assert max(levels[-9:]) < 4


def test_an_encoding_without_bars_gets_a_plain_sparkline():
    text = rendered("one", encoding="ascii")
    assert text.isascii()
    assert "?" not in text.split("What failed")[0]
    (line,) = [line for line in text.splitlines() if re.search(r"\d [.:=+*%# -]{20,} 2025", line)]
    assert len(set(line[17:-17])) >= 3
    assert len(text.splitlines()) == len(rendered("one").splitlines())


def test_the_questions_come_in_their_order():
    text = rendered("one")
    words = ("Restart loop of", "What failed", "Likely trigger", "End ", "First control", "What to do first", "Next")
    positions = [text.index(name) for name in words]
    assert positions == sorted(positions)
    assert "inferred" in text
    assert "tabby-forensics show E1" in text
    assert "tabby-forensics report --full" in text
    assert "tabby-forensics generate rules --unit tabbyapi.service" in text


def test_of_several_the_index_comes_first_with_what_goes_on_first():
    text = rendered("kinds")
    assert text.index("Incidents") < text.index("What failed")
    numbers = re.findall(r"^(\d)  [\w.-]+service", text, re.MULTILINE)
    assert numbers[0] == "3"
    assert sorted(numbers) == ["1", "2", "3", "4", "5"]
    assert "ongoing: Some files could not be copied" in text
    assert "shop-api.service was down because postgresql.service failed" in text
    assert "tabby-forensics show 3" in text


def test_steps_get_six_lines_and_code_is_not_cut_within():
    text = "\n".join(f"{k}. Look at what holds it, then run `rm -rf /srv/cache/{'x' * 20}` as root." for k in range(1, 9))
    lines = steps_in_brief(text, 60, 6).splitlines()
    assert len(lines) == 6
    assert lines[-1] == "… and 3 more steps"
    assert all(line.count("`") % 2 == 0 for line in lines)
    assert max(map(len, lines)) <= 60


def test_a_long_command_goes_on_behind_a_backslash():
    lines = continued("tabby-forensics show E1 --file 'a b/seed.export' --since 2025-11-18T00:00:00Z", 44)
    assert lines == ["tabby-forensics show E1 \\", "  --file 'a b/seed.export' \\", "  --since 2025-11-18T00:00:00Z"]


def test_the_full_report_is_another_and_longer():
    full = REPORTERS["term"](made("one"), RenderOptions(width=80))
    assert "Method and limits" in full
    assert "Method and limits" not in rendered("one")
