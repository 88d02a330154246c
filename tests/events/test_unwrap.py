"""Which lines are pieces of one line: hard-wrapped ones, and a message below its heading."""

from __future__ import annotations

import io
import textwrap

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from forensics.assembly import assemble
from tests.attempts.building import Journal

LONG = "ERROR:    The YAML config from 'config.yml' could not load because of the following error: while parsing a block mapping in line 3"
WIDE = "2025-12-07 21:30:00.123 INFO:     " + "loading the model from the directory of models onto the first device " * 4


def wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False, drop_whitespace=True)


FULL = wrapped(LONG, 80)[0]
WRAPPED = [
    (
        "rich at 80 columns",
        ["2025-12-07 21:30:00.123 WARNING:  Port 5000 is currently in use. Switching to", "5001."],
        ["2025-12-07 21:30:00.123 WARNING:  Port 5000 is currently in use. Switching to 5001."],
    ),
    ("pieces and whole lines", [*wrapped(LONG, 80), "INFO:     next"], [LONG, "INFO:     next"]),
    ("another width, found from the stream", [*wrapped(WIDE, 120), *wrapped(WIDE, 120), *wrapped(WIDE, 120)], [WIDE.strip()] * 3),
    (
        "a word longer than the console",
        ["INFO:     loading", "/" + "m" * 79, "m" * 9 + " done"],
        ["INFO:     loading /" + "m" * 88 + " done"],
    ),
    ("a short line is whole", ["INFO:     short", "next"], ["INFO:     short", "next"]),
    ("a new record is no piece", [FULL, "ERROR:    because"], [FULL, "ERROR:    because"]),
    ("what would have fitted is no piece", [FULL[:60], "for"], [FULL[:60], "for"]),
    ("without a header nothing is joined", ["x" * 30 + " " + "y" * 48, "unrelated"], ["x" * 30 + " " + "y" * 48, "unrelated"]),
    ("indented lines are no pieces", [FULL, "    indented"], [FULL, "    indented"]),
    (
        "the longest record of a stream that is not wrapped",
        ["INFO:     " + "a word " * 20, "unrelated", "INFO:     x"],
        ["INFO:     " + "a word " * 20, "unrelated", "INFO:     x"],
    ),
]


@pytest.mark.parametrize(("texts", "expected"), [case[1:] for case in WRAPPED], ids=[case[0] for case in WRAPPED])
def test_hard_wrapped_lines_are_joined(texts: list[str], expected: list[str]) -> None:
    journal = Journal()
    journal.writes("r1", *texts)
    journal.dies("r1")
    made = assemble(journal.frame()).events
    assert made.filter(pl.col("kind") == "line").sort("time")["text"].to_list() == expected


def test_the_evidence_of_a_heading_is_its_message() -> None:
    journal = Journal()
    journal.writes("r1", "fail: Acme.Host[3]", "      the share is gone")
    journal.dies("r1")
    frame = journal.frame()
    found = assemble(frame).events.filter(pl.col("kind") == "line")
    assert found["text"].item() == "fail: Acme.Host[3] the share is gone"
    assert frame["message"][found["row"].item()] == "      the share is gone"


def printed_by_rich(text: str, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(text, markup=False, highlight=False)
    return out.getvalue().removesuffix("\n").split("\n")


@settings(max_examples=30)
@given(st.lists(st.text("abcdefgh.,/'", min_size=1, max_size=20), min_size=1, max_size=60))
def test_what_rich_wraps_is_joined_again(words: list[str]) -> None:
    text = "2025-12-07 21:30:00.123 ERROR:    " + " ".join(words)
    journal = Journal()
    journal.writes("r1", *printed_by_rich(text, 80))
    journal.dies("r1")
    assert assemble(journal.frame()).events.filter(pl.col("kind") == "line")["text"].to_list() == [text]
