"""Compare a report with the window before it, or with an earlier report, for `report --compare`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from forensics.errors import NothingRecordedError, UsageError
from forensics.query import STREAM, Query

if TYPE_CHECKING:
    from forensics.compare import Facts
    from forensics.ingest.files import Progress
    from forensics.model.values import Report

PREVIOUS = "previous"  # what --compare without a file means
Compare = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="[REPORT.json]",
        help="Compare with an earlier `report --format json`; without a file, with the equally long window before this one.",
    ),
]


class WithCompare(TyperCommand):
    """A command whose --compare needs no value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_value(args))


def with_value(words: Sequence[str]) -> list[str]:
    """Give each --compare that no file follows its value."""
    given: list[str] = []
    for k, word in enumerate(words):
        given.append(word)
        following = words[k + 1] if k + 1 < len(words) else "-"
        if word == "--compare" and following.startswith("-"):
            given.append(PREVIOUS)
    return given


def comparison(asked: str | None, query: Query, progress: Callable[[str], Progress | None]) -> Callable[[Report], Report]:
    """Check what was asked for, before any analysis; return what adds the comparison to a report. Raises UsageError."""
    if asked is None:
        return lambda report: report
    if asked != PREVIOUS:
        from forensics.compare import read_earlier

        earlier = read_earlier(Path(asked))
        return lambda report: _with(report, earlier)
    if query.since is None:
        raise UsageError("--compare needs the start of a window, as in `report --since 7d --compare`: without one, nothing is before it.")
    if STREAM in query.sources.files:
        raise UsageError("--compare reads the journal twice and standard input can be read once: name a file, or an earlier REPORT.json.")
    return lambda report: _with_previous(report, query, progress("reading the window before"))


def _with(report: Report, earlier: Facts | None, notes: tuple[str, ...] = ()) -> Report:
    from forensics.compare import compare, facts_of

    now = facts_of(report)
    return report if now is None else replace(report, compare=compare(earlier, now, notes))


def _with_previous(report: Report, query: Query, progress: Progress | None) -> Report:
    """Compare with the window of equal length before the report's own."""
    from forensics.compare import facts_of
    from forensics.model.values import FailureTotals, RestartTotals
    from forensics.pipeline import investigate

    since, until = report.window.since, report.window.until
    if since is None or until is None:
        return report
    earlier = replace(query, since=since - (until - since), until=since, declared=None)
    try:
        found = investigate(earlier, progress)
    except NothingRecordedError:
        return _with(report, None, ("Nothing is recorded of the window before this one.",))
    except UsageError:  # the named units do not appear there
        if not query.units:
            raise
        found = investigate(replace(earlier, units=()), progress)
        bare = replace(found.report, classes=(), incidents=(), failures=FailureTotals(), restarts=RestartTotals(0, 0, 0, 0))
        facts = facts_of(bare, found.history.entries["time"].min())  # type: ignore[arg-type]
        return _with(report, facts, (f"No entry of the window before is about {', '.join(query.units)}.",))
    return _with(report, facts_of(found.report, found.history.entries["time"].min()))  # type: ignore[arg-type]
