"""Turn an investigation into Loki streams: a few bounded labels, everything else as structured metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from forensics.export import tables
from forensics.model.values import Window
from forensics.pipeline import ALWAYS, Investigation
from forensics.watch.metrics import LONGEST_VALUE, MOST_UNITS, OTHER

MOST_BYTES = 1 << 18  # of a request before compression: larger ones make Loki split a stream, see loki.py
LONGEST_LINE = 250_000  # bytes; Loki accepts 262,144
_OVERHEAD = 4096  # bytes of a request for the labels and the brackets
_ATTEMPT = ("invocation", "outcome", "signature", "result", "exit_code", "exit_status", "restart_counter")
_ENTRY = ("invocation", "identifier", "priority", "pid", "message_id")

CHANGING = ("file", "offset", "bytes")  # of an attempt: journald renames its files, and copies of an entry differ
OPENED = ("incident", "host", "unit", "ongoing", "start")  # of an incident that is not over

Line = tuple[int, str, str]  # nanoseconds, text, metadata as JSON


@dataclass(frozen=True, slots=True)
class LogStream:
    """lines: ns, line, metadata in ascending order of time."""

    labels: dict[str, str]
    lines: pl.DataFrame

    @property
    def name(self) -> str:
        return json.dumps(self.labels, sort_keys=True)


def streams(investigation: Investigation, *, entries: bool, redact: bool, window: Window = ALWAYS) -> list[LogStream]:
    """Make streams of attempts, failures and incidents, or with `entries` of log lines, in a window; sorted by name.

    Of an investigation of the whole history each line is the same in every window.
    """
    parts = [_entries(investigation, redact=redact)] if entries else _findings(investigation, redact=redact)
    lines = pl.concat(parts, how="vertical_relaxed").drop_nulls("time")
    largest = lines.group_by("unit").len().sort(["len", "unit"], descending=[True, False])["unit"].head(MOST_UNITS)
    lines = lines.filter(_inside(window)).with_columns(
        pl.when(pl.col("unit").is_in(largest.implode())).then("unit").otherwise(pl.lit(OTHER)).str.slice(0, LONGEST_VALUE),
        pl.col("host").fill_null("unknown").str.slice(0, LONGEST_VALUE),
        ns=pl.col("time").dt.timestamp("us") * 1000,
    )
    labels = ["source", "host", "unit"]
    # Loki stores lines of the same time and text once: each further one gets a nanosecond more, in an order that no window changes
    repetition = pl.int_range(pl.len()).over([*labels, "ns", "line"], order_by="metadata")
    ordered = lines.sort([*labels, "ns"], maintain_order=True).with_columns(ns=pl.col("ns") + repetition)
    by_stream = ordered.sort([*labels, "ns"], maintain_order=True).group_by(labels, maintain_order=True)
    made = [
        LogStream({"service_name": "tabby-forensics", "source": source, "host": host, "unit": unit}, part.select("ns", "line", "metadata"))
        for (source, host, unit), part in by_stream
    ]
    return sorted(made, key=lambda stream: stream.name)


def _inside(window: Window) -> pl.Expr:
    since = pl.lit(value=True) if window.since is None else pl.col("time") >= window.since
    return since if window.until is None else since & (pl.col("time") < window.until)


def batches(lines: pl.DataFrame) -> Iterator[list[Line]]:
    """Split the lines of a stream into requests of at most MOST_BYTES."""
    batch: list[Line] = []
    size = 0
    for line in lines.iter_rows():
        added = len(as_value(line)) + 1
        if batch and size + added > MOST_BYTES - _OVERHEAD:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += added
    if batch:
        yield batch


def as_value(line: Line) -> str:
    """An element of `values` in a push request."""
    return f'["{line[0]}",{json.dumps(line[1])},{line[2]}]'


def _findings(investigation: Investigation, *, redact: bool) -> list[pl.DataFrame]:
    attempts = tables.table(investigation, "attempts", redact=redact).filter(pl.col("outcome") != "running")
    end = pl.coalesce("ended", "started")
    failed = attempts.filter("failed").with_columns(line=pl.coalesce("evidence", "why", pl.lit("no log output")))
    incidents = tables.table(investigation, "incidents", redact=redact)
    of_incidents = (
        [] if incidents.is_empty() else [_lines(incidents, "incident", pl.col("start"), _incident_lines(incidents), ("incident", "kind"))]
    )
    return [
        _lines(attempts, "attempt", end, _json(attempts.drop(CHANGING)), _ATTEMPT),
        _lines(failed, "failure", end, failed["line"].to_list(), (*_ATTEMPT, "why")),
        *of_incidents,
    ]


def _incident_lines(incidents: pl.DataFrame) -> list[str]:
    """Write each incident as JSON without what the window or, while it is ongoing, each further entry changes."""
    lasting = _json(incidents.drop("availability"))
    opened = _json(incidents.select(OPENED))
    return [first if ongoing else whole for ongoing, first, whole in zip(incidents["ongoing"], opened, lasting, strict=True)]


def _entries(investigation: Investigation, *, redact: bool) -> pl.DataFrame:
    frame = tables.table(investigation, "entries", redact=redact)
    return _lines(frame, "entry", pl.col("time"), frame["message"].fill_null("").to_list(), _ENTRY)


def _json(frame: pl.DataFrame) -> list[str]:
    """Each row as a JSON object without its nulls."""
    return [json.dumps({k: v for k, v in row.items() if v is not None}, default=str) for row in frame.iter_rows(named=True)]


def _lines(frame: pl.DataFrame, source: str, time: pl.Expr, lines: Sequence[str], metadata: Sequence[str]) -> pl.DataFrame:
    """time, source, host, unit, line, metadata (JSON of texts that are not empty)."""
    cut = [line.encode()[:LONGEST_LINE].decode(errors="ignore") for line in lines]
    return frame.select(
        time=time,
        source=pl.lit(source),
        host="host",
        unit="unit",
        line=pl.Series(cut, dtype=pl.String),
        metadata=pl.Series([_metadata(row) for row in frame.select(metadata).iter_rows(named=True)], dtype=pl.String),
    )


def _metadata(row: dict[str, Any]) -> str:
    return json.dumps({k: str(v)[:1000] for k, v in row.items() if v not in (None, "")})
