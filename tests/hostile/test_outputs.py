"""What is written for people and programs: no formula runs, nothing that cannot be seen is hidden, no name breaks a format."""

import csv
import io
import re
import unicodedata
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from forensics.cli.export import TABLES
from forensics.export import files, tables
from forensics.export.openmetrics import openmetrics_text
from forensics.export.textfile import prometheus_text
from forensics.report import REPORTERS, RenderOptions
from forensics.sanitize import sanitizer
from forensics.sanitize.characters import visible_name
from forensics.watch.metrics import Metrics
from tests.export.failing_unit import investigate_journal

safe = sanitizer((), redact=False)
SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫−﬩"

FORMULAS = [
    ("{}1+1", "{}"),
    (" {}1", "a blank before it"),
    ("\u00a0\u3000{}1", "other blanks"),
    ('"{}1', "a quote"),
    ("'{}1", "an apostrophe"),
    ('` "{}1', "blanks and quotes"),
    ("line\n{}1", "after a line end"),
    ("line\n\n  {}1", "after several, indented"),
    ("line\r{}1", "after a carriage return"),
    ("line\u2028{}1", "after a separator of lines"),
    ("line\x0b{}1", "after a vertical tab"),
    ("a;{}1", "where a semicolon ends a cell"),
    ("a\t{}1", "where a tab ends a cell"),
    ("\t{}1", "a tab first"),
    ("\ufeff{}1", "a byte order mark first"),
]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(("text", "reason"), FORMULAS, ids=[reason for _, reason in FORMULAS])
def test_a_formula_is_text_to_every_spreadsheet(sign, text, reason):
    written = files.csv(pl.DataFrame({"a": [text.format(sign)]})).decode()
    cell = next(csv.DictReader(io.StringIO(written, newline="")))["a"]
    for part in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029;\t]", cell):
        assert not part.lstrip("\"'` \u00a0\u3000\ufeff").startswith(sign) or part.lstrip('"` \u00a0\u3000\ufeff').startswith("'"), reason
    assert cell.replace("'", "") == text.format(sign).replace("'", "")


@pytest.mark.parametrize("text", ["ordinary", "a=b -c +d", "exit status 1 - failed", "user@host", "a, b; c", "", "1\n2", "é=1", "日本語"])
def test_ordinary_text_is_written_as_it_is(text):
    written = files.csv(pl.DataFrame({"a": [text]})).decode()
    assert next(csv.reader(io.StringIO(written.partition("\r\n")[2], newline=""))) == [text]


HIDDEN = [
    *("\u00ad", "\u034f", "\u061c", "\u115f", "\u1160", "\u17b4", "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\u202a", "\u202e"),
    *("\u2060", "\u2061", "\u2064", "\u2066", "\u2069", "\u206a", "\u206f", "\u2800", "\u3164", "\ufe00", "\ufe0f", "\ufeff", "\uffa0"),
    *("\ufff0", "\ufff9", "\ufffb", "\U0001bca0", "\U0001d159", "\U0001d173", "\U000e0001", "\U000e0041", "\U000e007f", "\U000e0100"),
    *("\U000e01ef", "\U000e0fff", "\U00013430"),
]


@pytest.mark.parametrize("hidden", HIDDEN, ids=[f"U+{ord(hidden):04X}" for hidden in HIDDEN])
@pytest.mark.parametrize("around", [("a", "b"), ("", ""), (" ", " "), ("é", "é"), ("model", ".service")])
def test_what_cannot_be_seen_is_written_out(hidden, around):
    before, after = around
    assert safe(f"{before}{hidden}{after}") == f"{before}⟨U+{ord(hidden):04X}⟩{after}"


def test_a_word_of_tags_and_variation_selectors_cannot_be_smuggled():
    tags = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all rules")
    selectors = "".join(chr(0xFE00 + number) for number in range(16))
    assert safe(tags).count("⟨U+E00") == len(tags)
    assert safe("👍" + selectors).count("⟨U+FE0") == len(selectors) - 1


ORDINARY = [
    ("👩‍💻 🏳️‍🌈 ❤️‍🔥 👨‍👩‍👧 1️⃣ ☀️ ✔︎", "emoji with joiners and variants"),
    ("می‌خواهم नमस्‍ते ක්‍ෂ", "scripts with joiners"),
    ("⠋ ⠙⠀⠹ loading", "a spinner and Braille"),
    ("Grüße שלום 日本語 한국어 ไทย", "letters of any script"),
    ("─│┌ → ✓ × … – “quoted” ±5 µs", "symbols"),
    ("e\u0301 n\u0303", "combining accents"),
]


@pytest.mark.parametrize(("text", "reason"), ORDINARY, ids=[reason for _, reason in ORDINARY])
def test_ordinary_text_stays_readable(text, reason):
    assert safe(text) == text


@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_nothing_of_a_name_is_hidden(name):
    shown = visible_name(name)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert visible_name(shown) == shown
    shown.encode()


NAMES = [
    "a\x1b[31m.service",
    "a\x1b]0;x\x07.service",
    "a\nb_total 1\n.service",
    "a\r\n.service",
    'a"} 1\n#.service',
    "a\\.service",
    "a\x00\x7f\x9b.service",
    "a\u202eecivres.b",
    "a\u200b\u00ad\u3164\U000e0041.service",
    "a\u2028\u2029\x85.service",
    "a\udcff.service",
    "<script>alert(1)</script>.service",
    "a|b`c*d_e[f](g).service",
    "=cmd|' /C calc'!A0.service",
]
NOT_SHOWN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b\u202e\u2028\u2029\u3164\udcff\U000e0041]")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_of_a_unit_breaks_no_metrics(name):
    metrics = Metrics()
    metrics.restart(name)
    metrics.failures(name, name, 1, 1.0, 2.0)
    text = metrics.text().decode()
    assert not NOT_SHOWN.search(text)
    values = {label for family in text_string_to_metric_families(text) for sample in family.samples for label in sample.labels.values()}
    assert visible_name(name) in values
    assert {len(line.split(" ")) > 1 for line in text.splitlines()} == {True}


def test_two_names_that_differ_in_what_cannot_be_seen_are_two_labels():
    metrics = Metrics()
    assert len({metrics.unit_label(name) for name in ("a", "a\x00", "a\x01", "a\u200b", "a\u00ad", "a\udcff")}) == 6


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return investigate_journal(tmp_path_factory.mktemp("found"))


def renamed(found, name):
    """The same history, of a unit with another name."""
    history = found.history
    swap = pl.col("unit").cast(pl.String).replace("a.service", name).cast(history.assembly.attempts.schema["unit"])
    assembly = replace(history.assembly, attempts=history.assembly.attempts.with_columns(swap))
    incidents = tuple(replace(incident, unit=name) for incident in found.report.incidents)
    restarts = found.restarts.with_columns(pl.col("unit").cast(pl.String).replace("a.service", name).cast(found.restarts.schema["unit"]))
    return replace(found, history=replace(history, assembly=assembly), restarts=restarts, report=replace(found.report, incidents=incidents))


ENCODABLE = [name for name in NAMES if "\udcff" not in name]  # journald's names are UTF-8 where polars has them


@pytest.mark.parametrize("name", ENCODABLE, ids=range(len(ENCODABLE)))
def test_a_name_of_a_unit_breaks_no_output(found, name):
    other = renamed(found, name)
    options = RenderOptions(figures=False, redact=True, color=False, width=100)
    outputs = {format_: REPORTERS[format_](other.report, options) for format_ in REPORTERS}
    outputs |= {"textfile": prometheus_text(other).decode(), "openmetrics": "".join(openmetrics_text(other, 60))}
    outputs |= {table: files.csv(tables.table(other, table, redact=True)).decode().replace("\r\n", "\n") for table in TABLES}
    assert {format_: NOT_SHOWN.findall(text) for format_, text in outputs.items() if NOT_SHOWN.search(text)} == {}
    assert "<script>alert" not in outputs["html"]
    list(text_string_to_metric_families(outputs["textfile"]))
