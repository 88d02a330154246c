"""Bracket the detection of an incident: when a machine could have noticed it, and who did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from re import escape
from statistics import fmean, median

import polars as pl

from forensics.boots import machine_or_host
from forensics.changes.people import is_about, is_by_person
from forensics.incidents.fixes import manual_starts
from forensics.incidents.inputs import microseconds, moment, quote
from forensics.incidents.slice import Case, CaseChange
from forensics.incidents.unit_files import unit_files
from forensics.model.values import Detection, DetectionSummary, Evidence, Incident
from forensics.speakers import may_report_alerts

# What programs log when they have sent an alert; the line must name the unit as well
SENT = r"(?i)notify success|notifications? (?:was |were )?(?:sent|delivered)|alert (?:was )?(?:sent|delivered|raised)|service notification"
NOTIFIES = r"(?i)notif|alert|mail|discord|ntfy|telegram|slack|pushover|gotify|pager"  # an OnFailure= unit that notifies an operator


def alert_lines(entries: pl.DataFrame, lifecycle: pl.DataFrame) -> pl.DataFrame:
    """Find lines by which programs report that they sent an alert, for all incidents at once: row, us, machine, manager, text."""
    about = ("time", "machine", "host", "manager", "unit", "message")
    lines = entries.select(*about, may_report_alerts(entries).alias("sender")).with_row_index("row")
    sent = lines.filter("sender").filter(pl.col("message").str.contains(SENT))
    by_unit = lifecycle.filter(pl.col("kind").is_in(["started", "finished"]) & pl.col("unit").str.contains(NOTIFIES))["row"]
    lines = pl.concat([sent, lines[by_unit]]).unique("row").sort("row")
    # a sender is not what its alert is about; notify@app.service is
    instance = pl.col("unit").cast(pl.String).str.extract(r"@(.+)\.service$").fill_null("").str.replace_all(r"\x2d", "-", literal=True)
    text = pl.concat_str(instance, pl.col("message").fill_null(""), separator=" ")
    manager = pl.col("manager").cast(pl.String).fill_null("system")
    return lines.select("row", pl.col("time").dt.timestamp("us").alias("us"), machine_or_host(), manager, text.alias("text"))


def detection(case: Case, entries: pl.DataFrame, alerts: pl.DataFrame, declared: datetime | None) -> Detection:
    """Find signal (the first failure's deciding line), alert (the first that names the unit) and operator (the first action)."""
    proof = case.attempts["proof"][0]
    rows: dict[str, int] = {"signal": case.attempts["last_row"][0] if proof is None else proof}
    signal_line = quote(entries, rows["signal"])
    signal = moment(case.start) if signal_line is None else signal_line.time
    action = _first_action(case, entries, microseconds(signal))
    marks = {"operator": action and action[:2], "alert": _delivered(case, alerts)}
    rows |= {name: row for name, hit in marks.items() if hit is not None for row in hit[1:]}
    evidence: dict[str, Evidence] = {name: line for name, row in sorted(rows.items()) if (line := quote(entries, row)) is not None}
    times = {name: None if hit is None else moment(hit[0]) for name, hit in marks.items()}
    return Detection(signal, times["alert"], times["operator"], declared, evidence, action and action[2])


def _first_action(case: Case, entries: pl.DataFrame, after: int) -> tuple[int, int, str] | None:
    """Find (time, row, summary) of a person's first action about the unit or the system; a login is none, reading the log is one."""
    by_hand = next(((us, row, f"{case.unit} started manually") for us, row in manual_starts(case) if after < us <= case.until), None)
    later = [change for change in case.answers if after < change.us <= case.until]
    action = next(((act.us, act.row, act.summary) for act in _about_the_unit(case, entries, later)), None)
    return min((first for first in (action, by_hand) if first is not None), default=None)


def _about_the_unit(case: Case, entries: pl.DataFrame, changes: list[CaseChange]) -> Iterator[CaseChange]:
    """Yield the changes that a person made and that are about the unit, its files or the system, in order."""
    files: frozenset[str] | None = None
    for act in changes:
        writer = None if act.kind == "unit-job" else entries["unit"][act.row]
        if is_by_person(act.kind, act.summary, act.evidence.message, writer):
            files = unit_files(case, entries).directories if files is None else files
            if is_about(case.unit, files, act.kind, act.summary, act.evidence.message):
                yield act


def _delivered(case: Case, alerts: pl.DataFrame) -> tuple[int, int] | None:
    """Find (time, row) of the first alert about the unit; a user's service reports only on units of that user."""
    if alerts.height == 0:
        return None
    inside = pl.col("machine").eq_missing(pl.lit(case.machine, pl.String)) & pl.col("us").is_between(case.start, case.until)
    about = pl.col("text").str.contains(naming(case.unit))
    may_know = pl.col("manager").is_in(["system", case.manager])
    return min(alerts.filter(inside & may_know & about).select("us", "row").rows(), default=None)


def naming(unit: str) -> str:
    """Return a pattern, without look-around, of texts that name the unit: its whole name, or its stem as a word of its own."""
    before, after = r"(?:^|[^\w@.:{}\\-]|\\[nrt])", r"(?:$|[^\w@.:{}-]|[.:](?:[^\w{}]|$))"
    stem = unit.rsplit(".", 1)[0]
    whole, alone = (before.format(more) + escape(name) + after.format(more, more) for name, more in ((unit, ""), (stem, "/")))
    return f"(?i){whole}|{alone}"


def declared_in(declared: datetime | None, incidents: list[Case]) -> int | None:
    """Choose the incident that a user's time of noticing belongs to: the last one open then, else the last before."""
    if declared is None:
        return None
    us = microseconds(declared)
    open_then = [i for i, case in enumerate(incidents) if case.start <= us <= case.until]
    before = [i for i, case in enumerate(incidents) if case.start <= us]
    return (open_then or before or [None])[-1]  # type: ignore[list-item]


def _seconds_to_detect(incident: Incident) -> float | None:
    """Measure from the start to the first of alert, operator, declared; null when nobody noticed on record."""
    marks = (incident.detection.alert, incident.detection.operator, incident.detection.declared)
    return min(((mark - incident.start).total_seconds() for mark in marks if mark is not None), default=None)


def detection_summary(incidents: tuple[Incident, ...]) -> DetectionSummary:
    detected = [seconds for seconds in map(_seconds_to_detect, incidents) if seconds is not None]
    recovered = [i.time_to_recover_s for i in incidents if i.time_to_recover_s is not None]
    return DetectionSummary(
        len(incidents),
        fmean(detected) if len(detected) >= 3 else None,
        median(detected) if detected else None,
        fmean(recovered) if recovered else None,
    )
