"""The controls replayed on an incident, and the commands that write those it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import recommended, replayed
from forensics.report.blocks import Block, Cell, Column, Commands, Detail, Drawing, Folded, Section, Style, Table, paragraph
from forensics.report.room import Room

_STYLES: dict[str, Style] = {"fires": "good", "never": "bad", "dead": "bad"}
_OPTIONAL = {
    "delivered": Column("Delivered", "number", Detail.TEXT),
    "avoided": Column("Restarts avoided", "number", short="Avoids"),
}


def section(report: Report, incident: Incident, room: Room, anchor: str) -> Section | None:
    """Show which controls would have fired and when; nothing without a replay."""
    rows = replayed.rows(incident)
    if not rows:
        return None
    shown = replayed.chosen(rows, room.lanes)
    rest = replayed.remaining(rows, shown)
    listed = rest[: room.controls]
    assumed = replayed.assumptions([*shown, *listed])
    columns = replayed.columns(rows)
    more = (len(rest) - len(listed), "more control", "more controls")
    of = incident, tuple(shown)
    drawing = Drawing("controls", f"{anchor}-lanes", replayed.title(rows), of, legend=tuple(replayed.legend(shown)))
    blocks: list[Block] = [
        *paragraph(replayed.summary(rows), "lead"),
        *([drawing] if room.all_figures else []),
        _table("Replayed controls", shown, columns, assumed, (0, "", "") if listed else more),
    ]
    if listed:
        inside = _table("More replayed controls", listed, columns, assumed, more)
        blocks.append(Folded(wording.plural(len(rest), "more control"), (inside,), printed=False))
    if assumed:
        texts = " · ".join(f"{number} {text}" for text, number in assumed.items())
        blocks += paragraph(f"Assumed: {texts}.", "note", Detail.PAGE)
    return Section(f"{anchor}-controls", "Controls", (*blocks, *_commands(report, incident)), brief="Controls")


def _commands(report: Report, incident: Incident) -> Iterator[Block]:
    yield Commands(tuple(recommended.commands(incident)), title="Recommended")
    if not report.controls:
        yield Commands(((recommended.audit_command(incident), ""),), title="Which of your controls would really act?")
    yield from paragraph(recommended.NOTE, "note")


def _table(
    name: str, rows: Sequence[replayed.Row], optional: Sequence[str], assumed: Mapping[str, int], more: tuple[int, str, str]
) -> Table:
    columns = (
        Column("Control"),
        Column("First fires"),
        *(_OPTIONAL[column] for column in optional),
        Column("Restarts after", "number", Detail.TEXT),
        Column("Outside of incidents"),
        Column("Why", "wide", Detail.TEXT, beneath=True),
    )
    return Table(name, columns, tuple(_row(row, optional, assumed) for row in rows), more=more)


def _row(row: replayed.Row, optional: Sequence[str], assumed: Mapping[str, int]) -> tuple[Cell, ...]:
    style: Style = "" if row.fires else _STYLES.get(row.of.status, "dim")
    assumes = (f"Assumes {', '.join(str(assumed[text]) for text in row.assumes if text in assumed)}",) if row.assumes else ()
    return (
        Cell(row.name, "strong", below=(f"{row.kind} · {row.source}",)),
        Cell(
            row.first,
            style,
            below=(row.timing,) if row.timing else (),
            mark=("fires" if row.fires else row.of.status, row.mark),
            sort=row.of.after_s,
        ),
        *(Cell(getattr(row, name)) for name in optional),
        Cell(row.after),
        Cell(row.noise),
        Cell(row.why, below=assumes),
    )
