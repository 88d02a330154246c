"""Markdown in which log lines stay text."""

import re

import pytest

from forensics.report import REPORTERS, RenderOptions
from forensics.sanitize.markdown import plain
from tests.report import sample


@pytest.fixture(scope="module")
def hostile():
    return REPORTERS["md"](sample.hostile(), RenderOptions())


def outside_code(text):
    return re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a|b", r"a\|b"),
        ("`x`", r"\`x\`"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("&lt;", "&amp;lt;"),
        ("[x](y)", r"\[x\](y)"),
        ("![x](y)", r"\!\[x\](y)"),
        ("http://x", r"http\://x"),
        ("www.x.org", r"www\.x.org"),
        (":smile:", r"\:smile:"),
        ("@simon", r"\@simon"),
        ("# head", r"\# head"),
        ("- list", r"\- list"),
        ("1. list", r"1\. list"),
        ("two\nlines", "two lines"),
        ("tabbyapi.service, 12.9 s", "tabbyapi.service, 12.9 s"),
    ],
)
def test_text_shows_exactly_itself(raw, expected):
    assert plain(raw) == expected


def test_no_html_is_left_outside_of_code(hostile):
    assert not re.search(r"<[a-z/!]", outside_code(hostile), re.IGNORECASE)


def test_no_link_is_made_of_a_log_line(hostile):
    assert not re.search(r"(?<!\\)\]\(", outside_code(hostile))


def test_a_fence_is_longer_than_any_inside():
    report = sample.seed()
    text = REPORTERS["md"](report, RenderOptions())
    assert len(re.findall(r"^```text$", text, re.MULTILINE)) == len(re.findall(r"^```$", text, re.MULTILINE))


def test_every_row_of_a_table_has_the_columns_of_its_head(hostile):
    tables = re.findall(r"(?:^\|.*\|\n?)+", hostile, re.MULTILINE)
    assert len(tables) >= 8
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
