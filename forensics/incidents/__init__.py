"""Labelled attempts in, incidents out: cut, dated, explained, with the ledger that proves that nothing is counted twice or lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from forensics.changes.find import find_changes
from forensics.incidents.build import Scene, gaps_of, story, window_span
from forensics.incidents.classes import breakdown, breakdowns
from forensics.incidents.completeness import completeness, notes
from forensics.incidents.detection import alert_lines, declared_in, detection_summary
from forensics.incidents.gaps import clock_jumps, holes, losses
from forensics.incidents.inputs import Analysis, Material, at_the_door
from forensics.incidents.ledger import ledger, totals
from forensics.incidents.segment import Timeline, timeline
from forensics.incidents.slice import cases, cycled
from forensics.incidents.trigger import unseen_triggers
from forensics.model.frames import CLASSED_RESTARTS, checked
from forensics.model.values import Incident, Window

__all__ = ["Analysis", "Material", "analyse", "completeness", "find_changes"]


def analyse(material: Material, window: Window, declared: datetime | None = None) -> Analysis:
    """The incidents of the window in order of their start, the breakdown over all of it, and the sums that must come out."""
    entries = at_the_door(material).entries
    cut = timeline(material)
    line = Timeline(cycled(cut.runs, entries), cut.falls, cut.loops)
    found = list(cases(line, material))
    noticed = declared_in(declared, found)
    gaps = pl.concat([clock_jumps(entries), holes(entries)[0], losses(entries)])
    scene = Scene(material, window, alert_lines(entries), gaps_of(gaps), window_span(window, entries))
    tables = breakdowns(line.falls, line.runs, material)
    incidents = tuple(story(case, tables[i], scene, declared if i == noticed else None) for i, case in enumerate(found))
    sums = totals(line.falls)
    classes = breakdown(line.falls, line.runs, material).classes
    units = sorted({*material.attempts["unit"].drop_nulls(), *material.restarts["unit"].drop_nulls()})
    proof = ledger(entries, units, material.restarts, sums, classes, incidents)
    falls = checked(_falls(line, incidents), CLASSED_RESTARTS, "falls")
    words = (*notes(entries), *unseen_triggers(incidents, entries))
    return Analysis(sums, classes, incidents, detection_summary(incidents), proof, words, falls)


def _falls(line: Timeline, incidents: Sequence[Incident]) -> pl.DataFrame:
    """Each restart with its failure class and its incident's id."""
    ids = pl.Series([incident.id for incident in incidents], dtype=pl.String)
    named = line.falls.with_columns(incident=ids.gather(line.falls["incident"]) if len(ids) else pl.lit(None, pl.String))
    return named.select(pl.col(name).cast(kind) for name, kind in CLASSED_RESTARTS.items()).sort("time", "host", "unit", maintain_order=True)
