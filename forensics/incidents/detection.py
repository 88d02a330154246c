"""Bracket the detection of an incident: when a machine could have noticed it, and who did."""

from __future__ import annotations

from datetime import datetime
from statistics import fmean, median

import polars as pl

from forensics.boots import machine_or_host
from forensics.incidents.inputs import microseconds, moment, quote
from forensics.incidents.slice import Case
from forensics.model.values import Detection, DetectionSummary, Evidence, Incident

HUMAN = ("operator", "configuration", "package", "driver", "system-switch", "unit-job", "login")
# What programs log when they have sent an alert; the line must name the unit as well
SENDERS = r"(?i)alertmanager|grafana|tabby-forensics|monit|healthchecks|uptime-kuma|ntfy|nagios|icinga|zabbix"
SENT = r"(?i)notify success|notifications? (?:was |were )?(?:sent|delivered)|alert (?:was )?(?:sent|delivered|raised)|service notification"
NOTIFIES = r"(?i)notif|alert|mail|discord|ntfy|telegram|slack|pushover|gotify|pager"  # an OnFailure= unit that notifies an operator


def alert_lines(entries: pl.DataFrame, lifecycle: pl.DataFrame) -> pl.DataFrame:
    """Find lines by which programs report that they sent an alert, for all incidents at once: row, us, machine, text."""
    sender = pl.any_horizontal(pl.col(name).is_in(_named(entries, name, SENDERS)) for name in ("identifier", "unit")).fill_null(value=False)
    lines = entries.select("time", "machine", "host", "unit", "message", sender.alias("sender")).with_row_index("row")
    sent = lines.filter("sender").filter(pl.col("message").str.contains(SENT))
    by_unit = lifecycle.filter(pl.col("kind").is_in(["started", "finished"]) & pl.col("unit").str.contains(NOTIFIES))["row"]
    lines = pl.concat([sent, lines[by_unit]]).unique("row").sort("row")
    text = pl.concat_str(pl.col("unit").cast(pl.String).fill_null(""), pl.col("message").fill_null(""), separator=" ").str.to_lowercase()
    return lines.select("row", pl.col("time").dt.timestamp("us").alias("us"), machine_or_host(), text.alias("text"))


def _named(entries: pl.DataFrame, column: str, expression: str) -> list[str]:
    """Return the distinct values of a column that match."""
    names = entries[column].unique().cast(pl.String).drop_nulls().sort()
    return names.filter(names.str.contains(expression)).to_list()


def detection(case: Case, entries: pl.DataFrame, alerts: pl.DataFrame, declared: datetime | None) -> Detection:
    """Find signal (the first failure's deciding line), alert (the first that names the unit) and operator (the first action)."""
    proof = case.attempts["proof"][0]
    rows: dict[str, int] = {"signal": case.attempts["last_row"][0] if proof is None else proof}
    signal_line = quote(entries, rows["signal"])
    signal = moment(case.start) if signal_line is None else signal_line.time
    acts = [(us, row) for us, row in [*_human(case, signal), *case.by_hand] if microseconds(signal) < us <= case.until]
    marks = {"operator": min(acts, default=None), "alert": _delivered(case, alerts)}
    rows |= {name: row for name, hit in marks.items() if hit is not None for row in hit[1:]}
    evidence: dict[str, Evidence] = {name: line for name, row in sorted(rows.items()) if (line := quote(entries, row)) is not None}
    times = {name: None if hit is None else moment(hit[0]) for name, hit in marks.items()}
    return Detection(signal, times["alert"], times["operator"], declared, evidence)


def _human(case: Case, signal: datetime) -> list[tuple[int, int]]:
    """List changes after the signal that a person makes: commands, logins, jobs and reloads that a client asked for."""
    after = microseconds(signal)
    return [(act.us, act.row) for act in case.changes if act.us > after and (act.kind in HUMAN or "requested by systemctl" in act.summary)]


def _delivered(case: Case, alerts: pl.DataFrame) -> tuple[int, int] | None:
    """Find (time, row) of the first alert about the unit."""
    if alerts.height == 0:
        return None
    inside = pl.col("machine").eq_missing(pl.lit(case.machine, pl.String)) & pl.col("us").is_between(case.start, case.until)
    about = pl.col("text").str.contains(_stem(case.unit), literal=True)
    return min(alerts.filter(inside & about).select("us", "row").rows(), default=None)


def _stem(unit: str) -> str:
    return unit.rsplit(".", 1)[0].lower()


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
