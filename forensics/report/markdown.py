"""Render a report as GitHub-flavoured Markdown in which no log line can become markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo

from forensics import wording
from forensics.model.values import FailureClass, Incident, Report
from forensics.report import summary, timeline
from forensics.report.options import RenderOptions
from forensics.sanitize import cut, one_line

Stamp = Callable[[datetime | None, tzinfo], str]

# GitHub also turns http://, www., user@host, :emoji: and @mentions into markup, and a list or heading at the start of a line.
_SPECIAL = re.compile(r"([\\`*_{}\[\]#!|~$@]|:(?=//|\w+:)|(?<=www)\.|^[-+=](?=\s|$)|(?<=^\d)[.)](?=\s))", re.IGNORECASE)
_LONGEST_CELL, _LONGEST_QUOTE, _MOST_ROWS, _MOST_INCIDENTS = 300, 1024, 60, 50


def render(report: Report, _options: RenderOptions) -> str:
    return "\n\n".join(part for part in _parts(report) if part) + "\n"


def plain(text: str, longest: int = _LONGEST_CELL) -> str:
    """Escape text so that inline Markdown shows exactly it: HTML as entities, everything that could be markup escaped."""
    text = one_line(text, longest).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def _quoted(text: str) -> str:
    """Write a code block; its fence is longer than any backticks inside."""
    text = cut(text, _LONGEST_QUOTE)
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall(r"`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _table(heads: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    """Write a table; a heading that ends with ":" is aligned right. Cells are Markdown already."""
    rule = ["---:" if head.endswith(":") else "---" for head in heads]
    lines = [[head.removesuffix(":") for head in heads], rule, *rows[:_MOST_ROWS]]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return table + (f"\n\n… and {wording.plural(len(rows) - _MOST_ROWS, 'more row')}." if len(rows) > _MOST_ROWS else "")


def _parts(report: Report) -> Iterable[str]:
    yield "# " + plain(_title(report))
    yield plain(" · ".join(summary.scope(report)), 1000)
    yield f"**{plain(summary.verdict(report), 1000)}**"
    several = len(report.incidents) > 1
    if several:
        yield "## Incidents"
        yield _overview(report)
    if report.classes and len(report.incidents) != 1:
        yield "## Failure classes over the whole window"
        yield _breakdown(report, report.classes, None, wording.precise_enough(report.window.since, report.window.until), {})
    for number, incident in enumerate(report.incidents[:_MOST_INCIDENTS], 1):
        yield from _incident(report, incident, number if several else None)
    if len(report.incidents) > _MOST_INCIDENTS:
        yield f"… {wording.plural(len(report.incidents) - _MOST_INCIDENTS, 'more incident')} without a section: see the table above."
    yield "## Method and limits"
    yield "\n".join(f"- {plain(line, 1000)}" for line in summary.limits(report, _MOST_ROWS))


def _title(report: Report) -> str:
    if len(report.incidents) == 1:
        return f"{wording.kind(report.incidents[0].kind)} of {report.incidents[0].unit}"
    return f"{wording.count(len(report.incidents))} incidents" if report.incidents else "No incident"


def _overview(report: Report) -> str:
    where = wording.zone(report.timezone)
    stamp = wording.precise_enough(report.window.since, report.window.until)
    rows = []
    for number, incident in enumerate(report.incidents, 1):
        figures = summary.headline(report, incident)
        alert = wording.since_start(incident.detection.alert, incident.start)
        cells = (stamp(incident.start, where), figures[0].value, figures[1].value, alert, figures[2].value, figures[3].value)
        rows.append((str(number), plain(incident.unit), *cells))
    return _table(("#:", "Unit", "Start", "Restarts:", "Downtime:", "Alert:", "Noticed after:", "Recovered after:"), rows)


def _incident(report: Report, incident: Incident, number: int | None) -> Iterable[str]:
    quotes = summary.Quotes("E" if number is None else f"E{number}.")
    where = wording.zone(report.timezone)
    level = "##" if number is None else "###"
    if number is not None:
        yield f"## {number}. {plain(f'{wording.kind(incident.kind)} of {incident.unit}')}"
        yield f"**{plain(incident.verdict, 1000)}**"
    yield "\n".join(f"- **{figure.value}** {plain(figure.label)}" for figure in summary.headline(report, incident))
    yield f"{level} What failed"
    stamp = wording.precise_enough(incident.start, incident.end)
    yield _breakdown(report, incident.classes, quotes, stamp, summary.over_the_window(report, incident))
    if incident.beside:
        yield "\n".join([f"{summary.CO_OCCURRING}\n", *(f"- {plain(line)}" for line in summary.co_occurring(incident)[:_MOST_ROWS])])
    if incident.phases:
        yield f"{level} Phases"
        yield _phases(incident, where, stamp)
        yield _matrix(incident)
    yield f"{level} Changes and fix attempts"
    yield plain(summary.trigger(incident), 1000)
    yield _steps(incident, where, quotes)
    yield f"{level} Detection"
    yield _detection(incident, where, quotes)
    yield from _remedies(incident.classes, level)
    yield f"{level} Evidence"
    for name, evidence in quotes.items():
        location = plain(summary.location(evidence.file, evidence.offset))
        yield f"**{name}** {wording.instant(evidence.time, where)} {location}\n\n{_quoted(evidence.message)}"


def _breakdown(
    report: Report, classes: Sequence[FailureClass], quotes: summary.Quotes | None, stamp: Stamp, over_the_window: dict[str, int]
) -> str:
    """over_the_window: restarts by class in the whole window; empty for no such column."""
    where = wording.zone(report.timezone)
    rows = [
        (
            f"{plain(row.title)} ({plain(row.signature)})",
            wording.count(row.restarts),
            wording.share(row.share),
            *([wording.count(over_the_window.get(row.signature, row.restarts))] * bool(over_the_window)),
            wording.count(row.secondary),
            stamp(row.first, where),
            stamp(row.last, where),
            wording.duration(row.cycle_s),
            wording.helps(row.restart_helps),
            quotes.ref(row.sample) if quotes else "",
        )
        for row in classes[:_MOST_ROWS]
    ]
    window = ["In window:"] * bool(over_the_window)
    return _table(("Class", "Restarts:", "Share:", *window, "Also seen in:", "First", "Last", "Cycle:", "Restart helps", "Sample"), rows)


def _phases(incident: Incident, where: tzinfo, stamp: Stamp) -> str:
    rows = [
        (
            str(n),
            stamp(p.start, where),
            stamp(p.end, where),
            wording.count(p.restarts),
            wording.duration(p.cadence_s),
            plain(p.primary),
        )
        for n, p in enumerate(incident.phases, 1)
    ]
    return _table(("Phase:", "From", "To", "Restarts:", "Cycle:", "Main class"), rows)


def _matrix(incident: Incident) -> str:
    names, counts = summary.phase_matrix(incident)
    heads = ("Class", *(f"Phase {n}:" for n in range(1, len(incident.phases) + 1)), "Total:")
    rows = [
        (plain(name), *(wording.count(number) for number in row), wording.count(sum(row))) for name, row in zip(names, counts, strict=True)
    ]
    return _table(heads, rows) if len(incident.phases) <= _MOST_ROWS else ""


def _steps(incident: Incident, where: tzinfo, quotes: summary.Quotes) -> str:
    rows = [
        (
            timeline.GLYPHS[step.mark],
            wording.instant(step.time, where),
            wording.since_start(step.time, incident.start),
            plain(step.what),
            plain(step.detail),
            quotes.ref(step.evidence),
        )
        for step in timeline.steps(incident)[:_MOST_ROWS]
    ]
    return _table(("", "Time", "After:", "What", "Outcome", "Evidence"), rows) if rows else ""


def _detection(incident: Incident, where: tzinfo, quotes: summary.Quotes) -> str:
    rows = [
        (
            plain(lane.label),
            wording.since_start(lane.time, incident.start),
            wording.instant(lane.time, where) if lane.time else plain(lane.note),
            quotes.ref(lane.evidence),
        )
        for lane in timeline.lanes(incident)
    ]
    return _table(("Milestone", "After:", "Time", "Evidence"), rows)


def _remedies(classes: Sequence[FailureClass], level: str) -> Iterable[str]:
    explained = [row for row in classes if row.remedy or row.cause]
    if explained:
        yield f"{level} What to do"
    for row in explained[:_MOST_ROWS]:
        yield f"{level}# {plain(row.title)} ({wording.count(row.restarts)})"
        yield plain(row.cause, 4096)
        yield "\\\n".join(plain(line, 4096) for line in wording.reflowed(row.remedy).splitlines())
