"""Cut labelled attempts into incidents, explain them, and prove that no restart is lost or counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import polars as pl

from forensics.clocks import awake_time
from forensics.incidents.build import Scene, build_incident, loss_times, window_span
from forensics.incidents.classes import breakdown, breakdowns
from forensics.incidents.completeness import data_notes, judge_completeness
from forensics.incidents.context import with_context
from forensics.incidents.cost import logged_by_machine
from forensics.incidents.dependents import caused_by
from forensics.incidents.detection import alert_lines, declared_in, detection_summary
from forensics.incidents.gaps import find_gaps
from forensics.incidents.helped import with_helped
from forensics.incidents.inputs import Analysis, Inputs, checked_inputs
from forensics.incidents.isolated import isolated_failures
from forensics.incidents.ledger import check_failures, check_sums, failure_totals, totals
from forensics.incidents.links import find_candidates
from forensics.incidents.segment import Timeline, timeline
from forensics.incidents.slice import cases, cycled
from forensics.incidents.trigger import unseen_triggers
from forensics.model.frames import CLASSED_RESTARTS, checked
from forensics.model.values import Incident, Window

__all__ = ["Analysis", "Inputs", "analyse"]


def analyse(inputs: Inputs, window: Window, declared: datetime | None = None, where: tzinfo = UTC) -> Analysis:
    """Find the incidents of the window in order of start, break down all restarts, and check the sums. where: the reader's time zone."""
    entries = checked_inputs(inputs).entries
    gaps = find_gaps(entries, inputs.outside)
    useless, clock_steps = gaps.clocks
    awake = awake_time(entries, clock_steps)
    cut = timeline(inputs, useless, awake)
    line = Timeline(with_helped(cycled(cut.attempts, entries, useless)), cut.restarts, cut.incidents)
    sliced = list(cases(line, inputs))
    noticed = declared_in(declared, sliced)
    alerts, span = alert_lines(entries, inputs.of_all_units), window_span(window, entries)
    named = find_candidates(line.attempts, inputs)
    scene = Scene(inputs, window, alerts, loss_times(gaps), awake, span, logged_by_machine(entries), named, where)
    tables = breakdowns(line.restarts, line.attempts, inputs)
    incidents = tuple(
        build_incident(case, tables[i], scene, declared if i == noticed else None, caused_by(case, line.attempts, entries))
        for i, case in enumerate(sliced)
    )
    sums, failures = totals(line.restarts), failure_totals(line.attempts, line.restarts)
    classes = breakdown(line.restarts, line.attempts, inputs).classes
    isolated = isolated_failures(line.attempts, line.restarts, inputs)
    classes, incidents, isolated = with_context((classes, incidents, isolated), inputs)
    units = sorted({*inputs.attempts["unit"].drop_nulls(), *inputs.restarts["unit"].drop_nulls()})
    checks = check_sums(entries, units, inputs.restarts, sums, classes, incidents)
    failing = pl.concat([line.attempts.filter("failed")["unit"], inputs.restarts["unit"]]).drop_nulls().unique().sort()
    return Analysis(
        completeness=judge_completeness(entries, gaps, inputs.damage),
        failures=failures,
        isolated=isolated,
        units=tuple(failing),
        restarts=sums,
        classes=classes,
        incidents=incidents,
        detection_summary=detection_summary(incidents),
        ledger=(*checks, *check_failures(failures, classes, incidents, isolated)),
        notes=(*data_notes(entries, gaps), *unseen_triggers(incidents, entries)),
        classed_restarts=checked(_classed_restarts(line, incidents), CLASSED_RESTARTS, "classed restarts"),
    )


def _classed_restarts(line: Timeline, incidents: Sequence[Incident]) -> pl.DataFrame:
    """Make CLASSED_RESTARTS: each restart with its failure class and its incident's id."""
    ids = pl.Series([incident.id for incident in incidents], dtype=pl.String)
    named = line.restarts.with_columns(incident=ids.gather(line.restarts["incident"]) if len(ids) else pl.lit(None, pl.String))
    ordered = named.select(pl.col(name).cast(kind) for name, kind in CLASSED_RESTARTS.items())
    return ordered.sort("time", "host", "unit", maintain_order=True)
