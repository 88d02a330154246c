"""Render a report as GitHub-flavoured Markdown in which no log line can become markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo

from forensics import wording
from forensics.model.values import FailureClass, Incident, Report
from forensics.report import breakdown, causes, headline, markdown_controls, summary, timeline
from forensics.report.markdown_table import MOST_ROWS, table
from forensics.report.options import RenderOptions
from forensics.sanitize.markdown import plain, quoted

Stamp = Callable[[datetime | None, tzinfo], str]

_MOST_INCIDENTS = 50


def render(report: Report, options: RenderOptions) -> str:
    return "\n\n".join(part for part in _parts(report, options) if part) + "\n"


def _parts(report: Report, options: RenderOptions) -> Iterable[str]:
    yield "# " + plain(summary.title(report))
    yield plain(" · ".join(summary.scope(report)), 1000)
    yield "" if options.redact else plain(wording.NOT_REDACTED)
    yield f"**{plain(summary.verdict(report), 1000)}**"
    several = len(report.incidents) > 1
    if several:
        yield "## Incidents"
        yield _overview(report)
    helped = breakdown.restart_helped(report)
    if not report.incidents:
        yield from _isolated(report)
    if report.classes and len(report.incidents) != 1:
        yield "## Failure classes over the whole window"
        yield _breakdown(report, report.classes, None, None, wording.precise_enough(report.window.since, report.window.until), {}, helped)
    for number, incident in enumerate(report.incidents[:_MOST_INCIDENTS], 1):
        yield from _incident(report, incident, number if several else None, helped)
    if len(report.incidents) > _MOST_INCIDENTS:
        yield f"… {wording.plural(len(report.incidents) - _MOST_INCIDENTS, 'more incident')} without a section: see the table above."
    yield from markdown_controls.audit(report)
    if report.incidents:
        yield from _isolated(report)
    else:
        yield from _remedies(report.classes, "##", None, helped)
    yield "## Method and limits"
    yield "\n".join(f"- {plain(line, 1000)}" for line in summary.limits(report, MOST_ROWS))


def _overview(report: Report) -> str:
    where = wording.zone(report.timezone)
    stamp = wording.precise_enough(report.window.since, report.window.until)
    linked = causes.causes(report)
    rows = [
        (
            str(number),
            plain(summary.unit_name(incident.unit, incident.manager)),
            wording.kind(incident.kind) + (f" (because of {linked[number - 1] + 1})" if number - 1 in linked else ""),
            stamp(incident.start, where),
            headline.failures(incident),
            headline.restarts(incident),
            headline.downtime(incident),
            wording.since_start(incident.detection.alert, incident.start),
            headline.noticed(incident),
            headline.recovered(incident),
        )
        for number, incident in enumerate(report.incidents, 1)
    ]
    heads = ("#:", "Unit", "Kind", "Start", "Failures:", "Restarts:", "Downtime:", "Alert:", "Noticed after:", "Recovered after:")
    return table(heads, rows)


def _isolated(report: Report) -> Iterable[str]:
    if not report.isolated:
        return
    where = wording.zone(report.timezone)
    stamp = wording.precise_enough(report.window.since, report.window.until)
    quotes = summary.Quotes("I")
    rows = [
        (
            plain(summary.unit_name(row.unit, row.manager)),
            *([plain(row.host)] if len(report.hosts) > 1 else []),
            f"{plain(row.title)} ({plain(row.signature)})",
            wording.count(row.failures),
            wording.count(row.restarts),
            stamp(row.first, where),
            stamp(row.last, where),
            quotes.ref(row.sample),
        )
        for row in report.isolated
    ]
    host = ["Host"] if len(report.hosts) > 1 else []
    yield "## Isolated failures"
    yield plain(summary.isolated(report))
    yield table(("Unit", *host, "Class", "Failures:", "Restarts:", "First", "Last", "Sample"), rows)
    yield from _quotes(quotes, where)


def _incident(report: Report, incident: Incident, number: int | None, helped: breakdown.Helped) -> Iterable[str]:
    quotes = summary.Quotes("E" if number is None else f"E{number}.")
    where = wording.zone(report.timezone)
    level = "##" if number is None else "###"
    if number is not None:
        yield f"## {number}. {plain(summary.incident_title(incident))}"
        yield f"**{plain(incident.verdict, 1000)}**"
    yield plain(summary.caused_by(report, incident))
    yield plain(summary.gate(incident))
    yield "\n".join(f"- **{figure.value}** {plain(figure.label)}" for figure in headline.figures(report, incident))
    yield plain(summary.caveats(incident))
    yield f"{level} What failed"
    stamp = wording.precise_enough(incident.start, incident.end)
    yield _breakdown(report, incident.classes, incident, quotes, stamp, breakdown.over_the_window(report, incident), helped)
    if incident.beside:
        yield "\n".join([f"{summary.CO_OCCURRING}\n", *(f"- {plain(line)}" for line in summary.co_occurring(incident)[:MOST_ROWS])])
    if summary.has_phases(incident):
        yield f"{level} Phases"
        yield _phases(incident, where, stamp)
        yield _matrix(incident)
    yield f"{level} Changes and fix attempts"
    yield plain(summary.trigger(incident), 1000)
    yield _steps(incident, where, quotes)
    yield f"{level} Detection"
    yield _detection(incident, where, quotes)
    yield f"{level} Why it happened, and why it lasted"
    yield from markdown_controls.causes(report, incident, quotes)
    yield from markdown_controls.controls(report, incident, level)
    yield from _remedies(incident.classes, level, incident, helped)
    yield f"{level} Cost"
    yield plain(summary.cost(incident)) + "."
    yield f"{level} Evidence"
    yield from _quotes(quotes, where)


def _quotes(quotes: summary.Quotes, where: tzinfo) -> Iterable[str]:
    for name, evidence in quotes.items():
        location = plain(summary.location(evidence.file, evidence.offset))
        yield f"**{name}** {wording.instant(evidence.time, where)} {location}\n\n{quoted(evidence.message)}"


def _breakdown(
    report: Report,
    classes: Sequence[FailureClass],
    incident: Incident | None,
    quotes: summary.Quotes | None,
    stamp: Stamp,
    over_the_window: dict[str, int],
    helped: breakdown.Helped,
) -> str:
    """over_the_window: count by class in the whole window; empty for no such column."""
    where = wording.zone(report.timezone)
    counted = breakdown.counted(classes)
    rows = [
        (
            f"{plain(row.title)} ({plain(row.signature)})",
            *(wording.count(breakdown.number(row, name)) for name in counted),
            wording.share(row.share),
            *([wording.count(over_the_window.get(row.signature, breakdown.number(row, counted[-1])))] * bool(over_the_window)),
            wording.count(row.secondary),
            stamp(row.first, where),
            stamp(row.last, where),
            wording.duration(row.cycle_s),
            "; ".join([plain(wording.helps(row.restart_helps, row.restart_helps_when)), *helped(row, incident)]),
            quotes.ref(row.sample) if quotes else "",
        )
        for row in classes[:MOST_ROWS]
    ]
    counts = [f"{name.capitalize()}:" for name in counted]
    window = ["In window:"] * bool(over_the_window)
    share = f"{breakdown.share_heading(classes)}:"
    return table(("Class", *counts, share, *window, "Also seen in:", "First", "Last", "Cycle:", "Restart helps", "Sample"), rows)


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
    return table(("Phase:", "From", "To", "Restarts:", "Cycle:", "Main class"), rows)


def _matrix(incident: Incident) -> str:
    names, counts = summary.phase_matrix(incident)
    heads = ("Class", *(f"Phase {n}:" for n in range(1, len(incident.phases) + 1)), "Total:")
    rows = [
        (plain(name), *(wording.count(number) for number in row), wording.count(sum(row))) for name, row in zip(names, counts, strict=True)
    ]
    return table(heads, rows) if len(incident.phases) <= MOST_ROWS else ""


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
        for step in timeline.steps(incident)[:MOST_ROWS]
    ]
    return table(("", "Time", "After:", "What", "Outcome", "Evidence"), rows) if rows else ""


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
    return table(("Milestone", "After:", "Time", "Evidence"), rows)


def _remedies(classes: Sequence[FailureClass], level: str, incident: Incident | None, helped: breakdown.Helped) -> Iterable[str]:
    explained = [row for row in classes if row.remedy or row.cause]
    if explained:
        yield f"{level} What to do"
    for row in explained[:MOST_ROWS]:
        measured = helped(row, incident)
        yield f"{level}# {plain(row.title)} ({wording.count(row.restarts or row.failures)})"
        yield plain(f"A restart helped: {', '.join(measured)}.") if measured else ""
        yield plain(row.cause, 4096)
        yield "\\\n".join(plain(line, 4096) for line in wording.reflowed(row.remedy).splitlines())
