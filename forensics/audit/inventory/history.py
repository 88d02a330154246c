"""Describe what the journal shows about the unit that is audited and about its controls: the incident, and what acted when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from forensics.audit.inventory.subject import AfterSwitch, FailedClass, Journal, Signs, Subject
from forensics.boots import machine_or_host
from forensics.errors import UsageError
from forensics.incidents.detection import alert_lines, naming
from forensics.model.values import Incident, Report
from forensics.pipeline import History
from forensics.query import unit_pattern
from forensics.speakers import is_any, of_manager

MOST_SWITCHES, MOST_STARTED, MOST_PORTS = 50, 300, 5
AFTER_SWITCH = timedelta(minutes=30)
DEPLOYS = ("system-switch", "package")
COMMANDS = ("ExecStartPre", "ExecCondition", "ExecStartPost")
VERSION = r"^systemd (\d+)\S* running in "
ON_FAILURE = r"^\S+: Triggering OnFailure="
GATE = r"(?i)\bgate\b.*\b(?:open|clos|trip|stop|hold|probe)"
OWN_GATE = ("gate-opened", "gate-probed", "gate-closed")
LISTENS = r"(?i)\b(?:listen|running on|serving|server|bind|bound|available at|started on|in use|switching to)"
PORT = r"(?:https?://[\w.\[\]:-]*?:|(?i:\bport[ =:]+))(\d{2,5})\b"


def choose_subject(report: Report, units: Sequence[str]) -> Subject:
    """Choose the unit to audit: of the incidents the one with the most failures, else the unit named. Raises UsageError for neither."""
    if report.incidents:
        worst = max(report.incidents, key=lambda incident: (incident.failures, incident.downtime_s, incident.unit))
        return _of_incident(worst, report)
    if report.isolated:
        worst_class = max(report.isolated, key=lambda row: (row.failures, row.unit))
        rows = [row for row in report.isolated if row.unit == worst_class.unit and row.machine == worst_class.machine]
        classes = tuple(FailedClass(row.signature, row.title, row.failures, row.restarts) for row in rows)
        return Subject(
            worst_class.unit,
            "the unit with the most failures; none of them is part of an incident",
            worst_class.manager,
            worst_class.machine,
            worst_class.host,
            restarts=sum(row.restarts for row in rows),
            failures=sum(row.failures for row in rows),
            classes=classes,
        )
    return named_subject(units)


def named_subject(units: Sequence[str]) -> Subject:
    """Return a unit without failures that the user names. Raises UsageError unless it is a single name."""
    if len(units) != 1 or any(mark in units[0] for mark in "*?["):
        raise UsageError("No unit failed in this history; name the one to audit with --unit.")
    return Subject(unit_pattern(units[0]), "named with --unit; it did not fail in this history")


def _of_incident(incident: Incident, report: Report) -> Subject:
    others = {other.unit for other in report.incidents} - {incident.unit}
    return Subject(
        unit=incident.unit,
        reason="the unit with the largest incident" if others else "the unit that failed",
        manager=incident.manager,
        machine=incident.machine,
        host=incident.host,
        incident=incident.id,
        kind=incident.kind,
        start=incident.start,
        end=incident.end,
        restarts=incident.restarts,
        failures=incident.failures,
        classes=tuple(
            FailedClass(row.signature, row.title, row.failures, row.restarts, row.cycle_s, row.restart_helps) for row in incident.classes
        ),
        others=tuple(sorted(others)),
    )


def read_signs(history: History, subject: Subject) -> Journal:
    """Find in the journal what the unit's controls did."""
    of_unit = _rows_of(history, subject)
    managers = history.entries.with_row_index("row").filter(of_manager(history.entries) & history.entries["message"].is_not_null())
    own = managers.filter(pl.col("row").is_in(of_unit["row"].implode()))
    attempts = _about(history.assembly.attempts, subject).filter(outcome="failed")
    refusals = _about(history.assembly.lifecycle, subject).filter(kind="refused")
    skipped = _about(history.assembly.lifecycle, subject).filter(kind="skipped")
    version = managers["message"].str.extract(VERSION).drop_nulls()
    return Journal(
        since=history.entries["time"].min(),  # type: ignore[arg-type]
        until=history.entries["time"].max(),  # type: ignore[arg-type]
        systemd=int(version[-1]) if len(version) else None,
        ports=_ports(of_unit),
        alerts=_alerts(history, history.whole_lifecycle, subject),
        refused=_signs(history, refusals["row"]),
        on_failure=_signs(history, own.filter(pl.col("message").str.contains(ON_FAILURE))["row"]),
        gate=_signs(history, _gate_rows(history, subject, of_unit)),
        failed_commands={name: _signs(history, attempts.filter(command=name)["last_row"]) for name in COMMANDS},
        skipped=_signs(history, skipped["row"]),
        switches=_switches(history.changes, history.whole_lifecycle, subject),
        started=_started(history.whole_lifecycle, subject),
    )


def _rows_of(history: History, subject: Subject) -> pl.DataFrame:
    """Select the entries about the unit that have a message: row, message."""
    about = history.entries if history.asked is None else history.asked
    rows = about.select("unit", "machine", "message", machine_key=machine_or_host()).with_row_index("row")
    is_unit = is_any(rows["unit"], [subject.unit])
    return rows.filter(is_unit & (pl.lit(not subject.machine) | (pl.col("machine_key") == subject.machine))).drop_nulls("message")


def _gate_rows(history: History, subject: Subject, of_unit: pl.DataFrame) -> pl.Series:
    """Return the rows of what this program's gate states about the unit; without any, of lines that look like those of a gate."""
    states = _about(history.assembly.lifecycle, subject).filter(pl.col("kind").is_in(OWN_GATE))["row"]
    return of_unit.filter(pl.col("message").str.contains(GATE))["row"] if states.is_empty() else states


def _about(frame: pl.DataFrame, subject: Subject) -> pl.DataFrame:
    rows = frame.filter(pl.col("unit") == subject.unit)
    if not subject.machine:
        return rows
    return rows.filter((pl.col("machine") == subject.machine) & (pl.col("manager") == subject.manager))


def _signs(history: History, rows: pl.Series) -> Signs:
    if rows.is_empty():
        return Signs()
    time, message = history.entries.select("time", "message").row(int(rows.max()))  # type: ignore[arg-type]
    return Signs(len(rows), time, message or "")


def _ports(of_unit: pl.DataFrame) -> tuple[int, ...]:
    """Find the ports on which the unit's lines say that it listens, the most frequent first."""
    counted = of_unit.group_by("message").len().filter(pl.col("message").str.contains(LISTENS))
    named = counted.with_columns(pl.col("message").str.head(1000).str.extract(PORT).cast(pl.Int64, strict=False).alias("port"))
    ports = (
        named.filter(pl.col("port").is_between(1, 65535))
        .group_by("port")
        .agg(pl.col("len").sum())
        .sort(["len", "port"], descending=[True, False])
    )
    return tuple(ports["port"].head(MOST_PORTS).to_list())


def _alerts(history: History, lifecycle: pl.DataFrame, subject: Subject) -> Signs:
    lines = alert_lines(history.entries, lifecycle)
    return _signs(history, lines.filter(pl.col("text").str.contains(naming(subject.unit)))["row"])


def _switches(changes: pl.DataFrame, lifecycle: pl.DataFrame, subject: Subject) -> tuple[AfterSwitch, ...]:
    """Find the last deployments to the unit's machine, each with the units that were started after it."""
    changes = changes.filter(pl.col("kind").is_in(DEPLOYS))
    if subject.machine:
        changes = changes.filter(pl.col("machine") == subject.machine)
    kinds = changes["kind"].unique().to_list()
    deploys = changes.filter(kind=DEPLOYS[0] if DEPLOYS[0] in kinds else DEPLOYS[1]).tail(MOST_SWITCHES)
    started = lifecycle.filter(pl.col("kind").is_in(["started", "finished"])).select("time", "unit", "machine")
    found = []
    for time, summary, machine in deploys.select("time", "summary", "machine").iter_rows():  # 50 at most
        after = started.filter(
            pl.col("time").is_between(time, time + AFTER_SWITCH) & pl.col("machine").eq_missing(pl.lit(machine, pl.String))
        )
        found.append(AfterSwitch(time, summary, tuple(sorted(after["unit"].unique().to_list())[:MOST_STARTED])))
    return tuple(found)


def _started(lifecycle: pl.DataFrame, subject: Subject) -> dict[str, Signs]:
    """Count how often each other unit was started."""
    rows = lifecycle.filter(pl.col("kind").is_in(["started", "finished"]) & (pl.col("unit") != subject.unit))
    counted = rows.group_by("unit").agg(pl.len(), pl.col("time").max()).sort(["len", "unit"], descending=[True, False]).head(MOST_STARTED)
    return {unit: Signs(count, time) for unit, count, time in sorted(counted.iter_rows())}
