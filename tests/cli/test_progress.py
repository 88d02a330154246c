"""A progress bar is drawn at most four times a second, with the time left once that can be estimated."""

import io
import sys

import pytest

from forensics.cli import output
from forensics.cli.progress import Progress


def drawn(steps, columns=100):
    """Draw the steps (time, done) of 1,000; return what each wrote."""
    clock = iter([time for time, _ in steps])
    stream = io.StringIO()
    progress = Progress("reading the journal", stream, lambda: columns, lambda: next(clock))
    written = []
    for _, done in steps:
        progress(done, 1000)
        written.append(stream.getvalue())
        stream.seek(0)
        stream.truncate()
    return written


def test_it_is_drawn_four_times_a_second_at_most():
    assert [bool(text) for text in drawn([(0.0, 0), (0.1, 1), (0.2, 2), (0.25, 3), (0.4, 4), (0.5, 5), (0.51, 1000)])] == [
        True, False, False, True, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "done", "left"),
    [
        (1.0, 500, None),  # too early
        (10.0, 10, None),  # too little
        (10.0, 500, "about 10 s left"),
        (30.0, 300, "about 70 s left"),
        (60.0, 100, "about 9 min left"),
        (600.0, 100, "about 90 min left"),
    ],
)
def test_the_time_left_is_estimated_from_the_share_that_is_done(time, done, left):
    shown = drawn([(0.0, 0), (time, done)])[1]
    assert f"{done / 1000:4.0%}" in shown
    assert (left or "%\033[K") in shown
    assert ("left" in shown) == (left is not None)


def test_it_fits_the_terminal_and_is_gone_at_the_end():
    first, last = drawn([(0.0, 400), (5.0, 1000)], columns=30)
    assert len(first.strip("\r").removesuffix("\033[K")) < 30
    assert last == "\r\033[K"


def test_there_is_none_without_a_terminal_and_when_quiet(monkeypatch):
    assert output.progress("reading") is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert output.progress("reading") is not None
    monkeypatch.setattr(output, "_is_quiet", True)
    assert output.progress("reading") is None


def test_a_notice_begins_on_a_line_of_its_own(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(output, "_bar", None)
    output.progress("reading")(1, 10)
    output.notice("something is missing.")
    assert terminal.getvalue().endswith("\r\033[Ktabby-forensics: something is missing.\n")
