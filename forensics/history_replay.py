"""Replay controls on a history: Investigation → Report with what each control would have done in each incident."""

from __future__ import annotations

from dataclasses import replace

from forensics.ingest.files import Progress
from forensics.model.values import Report
from forensics.pipeline import Investigation, Notice, investigate, span_of
from forensics.query import Query
from forensics.replay import Asked, ReplayInputs, replay, shipped


def make_report(query: Query, progress: Progress | None = None, notice: Notice = lambda _: None, asked: Asked | None = None) -> Report:
    """Make the report that `query` asks for, with the asked controls replayed, or the shipped ones. Raises what `investigate` does."""
    investigation = investigate(query, progress, notice)
    found = replay(for_replay(investigation), asked or shipped())
    incidents = tuple(replace(incident, replay=found.get(incident.id, ())) for incident in investigation.report.incidents)
    return replace(investigation.report, incidents=incidents)


def for_replay(investigation: Investigation) -> ReplayInputs:
    """Return what controls are replayed on."""
    history = investigation.history
    since, until = span_of(history.entries, investigation.window)
    return ReplayInputs(
        entries=history.entries,
        attempts=history.assembly.attempts,
        restarts=history.assembly.restarts,
        lifecycle=history.assembly.lifecycle,
        labels=history.labelled.labels,
        signatures=history.labelled.signatures,
        incidents=investigation.report.incidents,
        window=(since.timestamp(), until.timestamp()),
    )
