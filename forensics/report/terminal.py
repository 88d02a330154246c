"""Render a report for a terminal; the first screen answers what broke, how badly and who noticed."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forensics import wording
from forensics.model.values import FailureClass, Incident, IsolatedFailures, Report
from forensics.report import breakdown, causes, headline, summary, terminal_controls, timeline
from forensics.report.options import RenderOptions
from forensics.report.terminal_table import add_row, heading, new_table, with_rest
from forensics.sanitize import one_line

_HELP_STYLE = {True: "green", False: "red", None: ""}
_MOST_CLASSES, _MOST_INCIDENTS, _MOST_STEPS, _MOST_DAMAGE = 20, 20, 20, 10


def render(report: Report, options: RenderOptions) -> str:
    return printed(_parts(report, options), options)


def printed(parts: Iterable[RenderableType], options: RenderOptions) -> str:
    """Print for a terminal; environment variables (COLUMNS, NO_COLOR, …) are ignored, as the caller has decided."""
    out = StringIO()
    console = Console(
        file=out,
        width=max(40, options.width),
        force_terminal=options.color,
        color_system="standard" if options.color else None,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(report: Report, options: RenderOptions) -> list[RenderableType]:
    several = len(report.incidents) > 1
    parts: list[RenderableType] = [
        Text(" · ".join(summary.scope(report)), style="dim"),
        *([] if options.redact else [Text(wording.NOT_REDACTED, style="bold red")]),
        Text(),
        Text(one_line(summary.verdict(report)), style="bold"),
    ]
    if several:
        parts += [heading("Incidents"), _overview(report)]
    helped = breakdown.restart_helped(report)
    if not report.incidents:
        parts += _isolated(report)
    if report.classes and len(report.incidents) != 1:
        parts += [heading("Failure classes over the whole window"), _breakdown(report.classes, None, {}, helped)]
    if not report.incidents and any(row.remedy for row in report.classes):
        parts += [heading("What to do"), _remedies(report.classes, None, helped)]
    for number, incident in enumerate(report.incidents[:_MOST_INCIDENTS], 1):
        parts += _incident(report, incident, number if several else None, helped)
    if len(report.incidents) > _MOST_INCIDENTS:
        parts.append(
            Text(
                f"… and {wording.plural(len(report.incidents) - _MOST_INCIDENTS, 'more incident')}; "
                "narrow the window or use --format json.",
                style="dim",
            )
        )
    parts += terminal_controls.audit(report)
    if report.incidents:
        parts += _isolated(report)
    return [*parts, heading("Method and limits"), _method(report)]


def _overview(report: Report) -> Table:
    where = wording.zone(report.timezone)
    right = ("Failures", "Restarts", "Downtime", "Alert", "Noticed", "Recovered")
    table = new_table(("#", "right"), ("Unit", "left"), ("Start", "left"), *((name, "right") for name in right))
    linked = causes.causes(report)
    for number, incident in enumerate(report.incidents[:_MOST_INCIDENTS], 1):
        name = Text(one_line(summary.unit_name(incident.unit, incident.manager), 200))
        because = f", because of {linked[number - 1] + 1}" if number - 1 in linked else ""
        name.append(f"\n{wording.kind(incident.kind).lower()}{because}", style="dim")
        add_row(
            table,
            str(number),
            name,
            wording.minute(incident.start, where),
            headline.failures(incident),
            headline.restarts(incident),
            headline.downtime(incident),
            wording.since_start(incident.detection.alert, incident.start),
            headline.noticed(incident),
            headline.recovered(incident),
        )
    return table


def _isolated(report: Report) -> list[RenderableType]:
    if not report.isolated:
        return []
    where = wording.zone(report.timezone)
    table = new_table(("Unit", "left"), ("Class", "left"), ("Failures", "right"), ("Restarts", "right"), ("Last", "left"))
    for row in report.isolated[:_MOST_CLASSES]:
        unit = Text(one_line(summary.unit_name(row.unit, row.manager), 200))
        if len(report.hosts) > 1:
            unit.append(f"\n{one_line(row.host, 80)}", style="dim")
        add_row(table, unit, _class(row), wording.count(row.failures), wording.count(row.restarts), wording.minute(row.last, where))
    rest = with_rest(table, len(report.isolated) - _MOST_CLASSES, "rows; --format html or md lists them")
    return [heading("Isolated failures"), Text(summary.isolated(report)), rest]


def _class(row: FailureClass | IsolatedFailures) -> Text:
    name = Text(one_line(row.title, 200))
    name.append(f"\n{one_line(row.signature, 200)}", style="dim")
    return name


def _incident(report: Report, incident: Incident, number: int | None, helped: breakdown.Helped) -> list[RenderableType]:
    where = wording.zone(report.timezone)
    stamp = wording.precise_enough(incident.start, incident.end)
    ends = "ongoing" if incident.ongoing else stamp(incident.end, where)
    title = f"{summary.incident_title(incident)} on {incident.host}: {stamp(incident.start, where)} → {ends}"
    parts: list[RenderableType] = [heading(f"{number}. {title}" if number else title)]
    if number:
        parts.append(Text(one_line(incident.verdict)))
    if because := summary.caused_by(report, incident):
        parts.append(Text(because))
    if gated := summary.gate(incident):
        parts.append(Text(gated))
    window = breakdown.over_the_window(report, incident)
    brief = breakdown.restart_helped(report, here="here")
    parts.append(_figures(report, incident))
    if caveats := summary.caveats(incident):
        parts.append(Text(caveats, style="dim"))
    parts += [heading("What failed"), _breakdown(incident.classes, incident, window, brief)]
    if incident.beside:
        lines = [f"  {one_line(line)}" for line in summary.co_occurring(incident)[:_MOST_CLASSES]]
        parts.append(Text("\n".join([summary.CO_OCCURRING, *lines])))
    if summary.has_phases(incident):
        parts += [heading("Phases"), _phases(report, incident)]
    parts += [heading("Changes and fix attempts"), Text(one_line(summary.trigger(incident))), _steps(report, incident)]
    parts += [heading("Detection"), _detection(report, incident)]
    parts += [heading("Why it happened, and why it lasted"), terminal_controls.causes(report, incident)]
    parts += terminal_controls.controls(report, incident)
    if any(row.remedy for row in incident.classes):
        parts += [heading("What to do"), _remedies(incident.classes, incident, helped)]
    return [
        *parts,
        heading("Cost"),
        Text(summary.cost(incident)),
    ]


def _figures(report: Report, incident: Incident) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_column()
    for figure in headline.figures(report, incident):
        add_row(grid, figure.value, figure.label)
    return grid


def _breakdown(
    classes: tuple[FailureClass, ...], incident: Incident | None, over_the_window: dict[str, int], helped: breakdown.Helped
) -> RenderableType:
    """over_the_window: count by class in the whole window; empty for no such column."""
    secondary = any(row.secondary for row in classes)
    counted = breakdown.counted(classes)
    optional = [*["In window"] * bool(over_the_window), *["Also in"] * secondary]
    share = breakdown.share_heading(classes).replace("of ", "of\n")  # narrow: the class names need the width
    right = [*(name.capitalize() for name in counted), share, *optional, "Cycle"]
    table = new_table(("Class", "left"), *((name, "right") for name in right), ("Restart helps", "left"))
    for row in classes[:_MOST_CLASSES]:
        helps = Text(wording.helps(row.restart_helps, row.restart_helps_when), style=_HELP_STYLE[row.restart_helps])
        helps.append("".join(f"\n{part}" for part in helped(row, incident)), style="dim")
        cells = [wording.count(breakdown.number(row, name)) for name in counted]
        cells.append(wording.share(row.share))
        cells += [wording.count(over_the_window.get(row.signature, breakdown.number(row, counted[-1])))] * bool(over_the_window)
        cells += [wording.count(row.secondary) if row.secondary else "–"] * secondary
        add_row(table, _class(row), *cells, wording.duration(row.cycle_s), helps)
    return with_rest(table, len(classes) - _MOST_CLASSES, "classes")


def _phases(report: Report, incident: Incident) -> Table:
    where = wording.zone(report.timezone)
    stamp = wording.precise_enough(incident.start, incident.end)
    table = new_table(("#", "right"), ("From", "left"), ("To", "left"), ("Restarts", "right"), ("Cycle", "right"), ("Main class", "left"))
    for number, phase in enumerate(incident.phases, 1):
        span = stamp(phase.start, where), stamp(phase.end, where)
        add_row(table, str(number), *span, wording.count(phase.restarts), wording.duration(phase.cadence_s), phase.primary)
    return table


def _steps(report: Report, incident: Incident) -> RenderableType:
    if not timeline.steps(incident):
        return Text("No change, fix attempt or recovery is on record.", style="dim")
    where = wording.zone(report.timezone)
    table = new_table(("", "left"), ("Time", "left"), ("After", "right"), ("What", "left"), ("Outcome", "left"))
    listed = timeline.marks(incident, _MOST_STEPS)
    for step in listed:
        after = wording.since_start(step.time, incident.start)
        add_row(table, timeline.GLYPHS[step.mark], wording.instant(step.time, where), after, one_line(step.what, 300), step.detail)
    return with_rest(table, len(timeline.steps(incident)) - len(listed), "steps (logins, commands); --format html or md lists them")


def _detection(report: Report, incident: Incident) -> Table:
    where = wording.zone(report.timezone)
    table = new_table(("Milestone", "left"), ("After", "right"), ("Time", "left"))
    for lane in timeline.lanes(incident):
        if lane.time is None:
            add_row(table, lane.label, Text("never", style="bold red"), lane.note)
        else:
            add_row(table, lane.label, wording.since_start(lane.time, incident.start), wording.instant(lane.time, where))
    return table


def _remedies(classes: tuple[FailureClass, ...], incident: Incident | None, helped: breakdown.Helped) -> RenderableType:
    parts: list[RenderableType] = []
    for row in [row for row in classes if row.remedy][:_MOST_CLASSES]:
        parts.append(Text(f"{one_line(row.title, 200)} ({wording.count(row.restarts or row.failures)})", style="bold"))
        if measured := helped(row, incident):
            parts.append(Padding(Text(f"A restart helped: {', '.join(measured)}."), (0, 0, 0, 2)))
        parts.append(Padding(Text(wording.reflowed(row.remedy)), (0, 0, 0, 2)))
    return Group(*parts)


def _method(report: Report) -> RenderableType:
    return Text("\n".join(one_line(line) for line in summary.limits(report, _MOST_DAMAGE)))
