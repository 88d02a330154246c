"""Export the present state of history for node_exporter's textfile collector, under the metric names of `watch`."""

from __future__ import annotations

import polars as pl

from forensics.pipeline import Investigation
from forensics.watch.metrics import Metrics


def prometheus_text(investigation: Investigation) -> bytes:
    """Prometheus text format without timestamps: node_exporter rejects a whole file that has one."""
    metrics = Metrics(live=False)
    restarts = investigation.restarts.group_by("unit").agg(pl.col("count").sum()).sort(["count", "unit"], descending=[True, False])
    for unit, count in restarts.iter_rows():
        metrics.counters["unit_restarts"].labels(metrics.unit_label(unit)).inc(count)
    attempts = investigation.history.assembly.attempts.sort("started", "attempt", nulls_last=True)
    failed = investigation.history.labelled.labels.filter("failed").join(attempts, on="attempt")
    end = pl.coalesce("ended", "started")
    sizes = failed.group_by("unit", "signature").agg(pl.len().alias("count"), end.min().alias("first"), end.max().alias("last"))
    for unit, signature, count, first, last in sizes.drop_nulls().sort(["count", "unit"], descending=[True, False]).iter_rows():
        metrics.failures(unit, signature, count, first.timestamp(), last.timestamp())
    for unit, uptime in attempts.select("unit", "uptime_s").drop_nulls().iter_rows():
        metrics.durations.labels(metrics.unit_label(unit)).observe(uptime)
    for unit, outcome in attempts.select("unit", pl.col("outcome").cast(pl.String)).iter_rows():  # the last attempt counts
        metrics.gauges["unit_up"].labels(metrics.unit_label(unit)).set(outcome == "running")
        metrics.gauges["unit_loop_active"].labels(metrics.unit_label(unit)).set(0)
    for incident in investigation.report.incidents:
        if incident.ongoing and incident.kind == "restart-loop":
            metrics.gauges["unit_loop_active"].labels(metrics.unit_label(incident.unit)).set(1)
    metrics.counters["journal_lost_lines"].inc(investigation.report.completeness.dropped)
    metrics.gauges["last_event_timestamp_seconds"].set(investigation.history.entries["time"].max().timestamp())  # type: ignore[union-attr]
    return metrics.text()
