"""What changed since an earlier window: totals, classes and incidents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from forensics import wording
from forensics.model.comparison import ClassChange, Comparison, IncidentChange, Side
from forensics.model.values import Report
from forensics.report import summary
from forensics.report.blocks import Block, Cell, Column, Detail, Section, Style, Table, paragraph
from forensics.report.room import Room
from forensics.sanitize import one_line

TITLE, ANCHOR = "Compared with before", "compare"
_CRITERION = (
    "More and fewer: the rate changed at least twofold, and by more than chance would change it; the failures of one incident "
    "count as one event there. Unclear: at least twofold, but too few or all in one incident."
)
_WORDS = {"new": "new", "more": "more", "fewer": "fewer", "gone": "gone", "unclear": "unclear", "same": "same"}
_STYLES: dict[str, Style] = {"new": "bad", "more": "bad", "again": "bad", "fewer": "good", "gone": "good", "unclear": "dim"}
_COUNTED = (("new", "new class", "new classes"), ("more", "class more often", "classes more often"),
            ("fewer", "class less often", "classes less often"), ("gone", "class gone", "classes gone"))  # fmt: skip
_INCIDENTS = (("new", "new incident", "new incidents"), ("again", "unit with an incident again", "units with an incident again"),
              ("continued", "incident that goes on", "incidents that go on"), ("gone", "incident gone", "incidents gone"))  # fmt: skip
_CLASS_COLUMNS = (
    Column("Change"),
    Column("Before", "number"),
    Column("Now", "number"),
    Column("Per day", "number"),
    Column("Class", "wide"),
)
_MOST_IN_BRIEF = 5


def section(report: Report, room: Room, anchors: Mapping[int, str]) -> Section | None:
    """Show what changed since an earlier window; nothing where none was asked for. anchors: index → anchor of incidents."""
    if report.compare is None:
        return None
    return Section(ANCHOR, TITLE, tuple(_blocks(report, report.compare, room, anchors)), brief="Compared")


def in_brief(report: Report) -> Section | None:
    """Show the same in a few lines."""
    if report.compare is None:
        return None
    comparison = report.compare
    rows = [row for row in comparison.classes if row.status != "same"]
    blocks: list[Block] = [*paragraph(_lead(report, comparison))]
    if rows:
        blocks.append(_classes(comparison, _MOST_IN_BRIEF, tight=True))
    return Section(ANCHOR, TITLE, (*blocks, *_notes(comparison)), brief="Compared")


def _blocks(report: Report, comparison: Comparison, room: Room, anchors: Mapping[int, str]) -> Iterator[Block]:
    yield from paragraph(_lead(report, comparison), "lead")
    if comparison.before is not None:
        yield _totals(comparison.before, comparison.now)
        if any(row.status != "same" for row in comparison.classes):
            yield _classes(comparison, room.classes, tight=False)
            yield from paragraph(_CRITERION, "note", Detail.TEXT)
        if comparison.incidents:
            yield _incidents(report, comparison, room, anchors)
    yield from _notes(comparison)


def _notes(comparison: Comparison) -> Iterator[Block]:
    for note in comparison.notes:
        yield from paragraph(one_line(note, 400), "note")


def _lead(report: Report, comparison: Comparison) -> str:
    """Sum up: with which window, what is new, what is gone, how the downtime changed."""
    before, now = comparison.before, comparison.now
    if before is None:
        return "There is no earlier data to compare with."
    where, stamp = wording.zone(report.timezone), wording.precise_enough(before.since, before.until)
    length = wording.duration((before.until - before.since).total_seconds())
    classes, incidents = Counter(row.status for row in comparison.classes), Counter(row.status for row in comparison.incidents)
    changed = [wording.plural(classes[name], one, many) for name, one, many in _COUNTED if classes[name]]
    changed += [wording.plural(incidents[name], one, many) for name, one, many in _INCIDENTS if incidents[name]]
    down = f"downtime {wording.duration(before.downtime_s)} before, {wording.duration(now.downtime_s)} now"
    what = f"{', '.join(changed) or 'no class and no incident changed'}; {down}"
    return f"Since the {length} from {stamp(before.since, where)} to {stamp(before.until, where)}: {what}."


def _totals(before: Side, now: Side) -> Table:
    sides = (before, now)

    def row(name: str, *values: str) -> tuple[Cell, ...]:
        return (Cell(name, "strong"), *(Cell(value) for value in values))

    rows = (
        row("Recorded", *(wording.duration(side.recorded_s) for side in sides)),
        row("Complete", *("yes" if side.complete else "no" for side in sides)),
        row("Failures", *(wording.count(side.failures) for side in sides)),
        row("Failures a day", *(_rate(side.failures * 86400 / max(side.recorded_s, 1.0)) for side in sides)),
        row("Restarts", *(wording.count(side.restarts) for side in sides)),
        row("Incidents", *(wording.count(side.incidents) for side in sides)),
        row("Ongoing", *(wording.count(side.ongoing) for side in sides)),
        row("Downtime", *(wording.duration(side.downtime_s) for side in sides)),
    )
    return Table("Before and now", (Column(""), Column("Before", "number"), Column("Now", "number")), rows, cards=False)


def _rate(per_day: float) -> str:
    """Write a rate with two digits, or as a whole number."""
    return wording.count(round(per_day)) if per_day >= 9.95 or per_day == 0 else f"{per_day:.2g}"


def _classes(comparison: Comparison, most: int, *, tight: bool) -> Table:
    """List what changed, new classes first."""
    changed = [row for row in comparison.classes if row.status != "same"]
    rows = tuple(_class(row) for row in changed[:most])
    more = (len(changed) - len(rows), "more class that changed", "more classes that changed")
    return Table("Classes that changed", _CLASS_COLUMNS, rows, more=more, named=len(_CLASS_COLUMNS) - 1, tight=tight)


def _class(row: ClassChange) -> tuple[Cell, ...]:
    factor = f" ×{_factor(row.factor)}" if row.factor is not None and row.status in {"more", "fewer"} else ""
    change = f"{_WORDS.get(row.status, row.status)}{factor.replace('×', '÷') if row.status == 'fewer' else factor}"
    return (
        Cell(change, _STYLES.get(row.status, "")),
        Cell(wording.count(row.before)),
        Cell(wording.count(row.now)),
        Cell(f"{_rate(row.before_per_day)} → {_rate(row.now_per_day)}"),
        Cell(one_line(row.title, 300), "strong", id=one_line(row.signature, 200)),
    )


def _factor(factor: float) -> str:
    return wording.count(round(factor)) if factor >= 9.95 else f"{factor:.1f}".removesuffix(".0")


def _incidents(report: Report, comparison: Comparison, room: Room, anchors: Mapping[int, str]) -> Table:
    numbers = {incident.id: k for k, incident in enumerate(report.incidents)}
    rows = tuple(_incident(report, row, numbers, anchors) for row in comparison.incidents[: room.rows])
    more = (len(comparison.incidents) - len(rows), "more incident", "more incidents")
    columns = (Column("Change"), Column("Incident"), Column("Start", "time"), Column("Downtime", "number"))
    return Table("Incidents before and now", columns, rows, more=more, named=1)


def _incident(report: Report, row: IncidentChange, numbers: Mapping[str, int], anchors: Mapping[int, str]) -> tuple[Cell, ...]:
    k = numbers.get(row.id) if row.status != "gone" else None
    ongoing = ", ongoing" if row.ongoing and row.status != "gone" else ""
    kind = wording.kind(one_line(row.kind, 40)).lower()
    return (
        Cell(f"{row.status}{ongoing}", _STYLES.get(row.status, "")),
        Cell(
            one_line(summary.unit_name(row.unit, row.manager), 200),
            "strong",
            below=(kind if k is None or len(report.incidents) == 1 else f"{kind}, number {k + 1}",),
            to=anchors.get(k, "") if k is not None and len(report.incidents) > 1 else "",
        ),
        Cell(wording.minute(row.start, wording.zone(report.timezone))),
        Cell("–" if row.kind == "failing-job" else wording.duration(row.downtime_s)),
    )
