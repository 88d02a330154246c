"""An investigation in, pushed to Loki: bounded labels, the rest as structured metadata; every line is accounted for.

What Loki does with a request was measured on 3.4.6 and 3.7.6: a 400 may have stored a part; 429 comes without Retry-After; a stream takes
lines up to an hour behind its newest; a line that it has already is stored once, so that sending again does no harm.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from forensics.alerting.sinks.http import post
from forensics.alerting.sinks.sink import RefusedError, UnreachableError
from forensics.errors import ForensicsError
from forensics.export import tables
from forensics.pipeline import Investigation
from forensics.watch.metrics import LONGEST_VALUE, MOST_UNITS, OTHER

MOST_BYTES = 1 << 20  # of a request before compression; 4 MiB would be answered 500, for ever
LONGEST_LINE = 250_000  # bytes; Loki takes 262,144
TRIES = 8  # in a row without an answer that counts; the waits between them double
MOST_PROBES = 64  # requests that look for the bad lines of one refused batch
_PARTLY = re.compile(r"total ignored: (\d+) out of (\d+)")
_TOO_OLD = re.compile(r"oldest acceptable timestamp is: (\S+Z)")
_ATTEMPT = ("invocation", "outcome", "signature", "result", "exit_code", "exit_status", "restart_counter")
_ENTRY = ("invocation", "identifier", "priority", "pid", "message_id")

Line = tuple[int, str, str]  # nanoseconds, text, metadata as JSON


@dataclass(slots=True)
class Pushed:
    """How far it went. reasons: what Loki said of refused lines, with how many. done: the last stream and time that are through."""

    accepted: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    done: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Loki:
    """send: POSTs a body, as sinks.http.post. wait: between tries, in seconds."""

    url: str
    tenant: str = ""
    token: str = ""
    wait: Callable[[float], object] = time.sleep

    def push(self, streams: Sequence[Stream], pushed: Pushed, kept: Callable[[Pushed], object]) -> None:
        """Push what is behind `pushed.done`; `kept` is called after each request, with how far it is.

        Raises ForensicsError when Loki does not answer; what was accepted until then is in `pushed`.
        """
        for stream in streams:
            for batch in batches(stream, pushed.done):
                self._batch(stream, batch, pushed, [MOST_PROBES])
                pushed.done = (stream.name, batch[-1][0])
                kept(pushed)

    def _batch(self, stream: Stream, batch: Sequence[Line], pushed: Pushed, probes: list[int]) -> None:
        try:
            self._send(stream, batch)
            pushed.accepted += len(batch)
        except RefusedError as error:
            self._refused(stream, batch, str(error), pushed, probes)

    def _refused(self, stream: Stream, batch: Sequence[Line], said: str, pushed: Pushed, probes: list[int]) -> None:
        """Which lines of a batch that was answered 400 are in: what Loki says, else what halves of it are answered."""
        partly, oldest = _PARTLY.search(said), _TOO_OLD.search(said)
        if partly and int(partly[2]) == len(batch):
            _count(pushed, len(batch) - int(partly[1]), int(partly[1]), said)
            return
        old = sum(1 for line in batch if line[0] < _nanoseconds(oldest[1])) if oldest else 0
        if old:
            _count(pushed, 0, old, said)
            if rest := batch[old:]:
                self._batch(stream, rest, pushed, probes)
            return
        probes[0] -= 2
        if len(batch) == 1 or probes[0] < 0:
            _count(pushed, 0, len(batch), said)
            return
        middle = len(batch) // 2
        self._batch(stream, batch[:middle], pushed, probes)
        self._batch(stream, batch[middle:], pushed, probes)

    def _send(self, stream: Stream, batch: Sequence[Line]) -> None:
        values = ",".join(_value(line) for line in batch)
        body = f'{{"streams":[{{"stream":{json.dumps(stream.labels)},"values":[{values}]}}]}}'
        headers = {"X-Scope-OrgID": self.tenant} if self.tenant else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        for turn in range(TRIES):
            try:
                post(f"{self.url.rstrip('/')}/loki/api/v1/push", body.encode(), headers, zipped=True)
            except UnreachableError as error:
                if turn == TRIES - 1:
                    raise ForensicsError(f"Loki does not take it: {error}") from None
                self.wait(min(2**turn, 60))
            else:
                return


@dataclass(frozen=True, slots=True)
class Stream:
    """lines: LINES in ascending order."""

    labels: dict[str, str]
    lines: pl.DataFrame

    @property
    def name(self) -> str:
        return json.dumps(self.labels, sort_keys=True)


def streams(found: Investigation, *, entries: bool, redact: bool) -> list[Stream]:
    """Attempts, failures and incidents, or with `entries` the log lines themselves; in order of their names."""
    parts = [_entries(found, redact=redact)] if entries else _told(found, redact=redact)
    lines = pl.concat(parts, how="vertical_relaxed").drop_nulls("time")
    known = lines.group_by("unit").len().sort(["len", "unit"], descending=[True, False])["unit"].head(MOST_UNITS)
    lines = lines.with_columns(
        pl.when(pl.col("unit").is_in(known.implode())).then("unit").otherwise(pl.lit(OTHER)).str.slice(0, LONGEST_VALUE),
        pl.col("host").fill_null("unknown").str.slice(0, LONGEST_VALUE),
        ns=pl.col("time").dt.timestamp("us") * 1000,
    )
    stream = ["source", "host", "unit"]
    # Loki keeps lines of one time and text once: the second of them is a nanosecond later
    again = pl.int_range(pl.len()).over([*stream, "ns", "line"])
    lines = (
        lines.sort([*stream, "ns"], maintain_order=True).with_columns(ns=pl.col("ns") + again).sort([*stream, "ns"], maintain_order=True)
    )
    found_streams = [
        Stream({"service_name": "tabby-forensics", "source": source, "host": host, "unit": unit}, part.select("ns", "line", "metadata"))
        for (source, host, unit), part in lines.group_by(stream, maintain_order=True)
    ]
    return sorted(found_streams, key=lambda one: one.name)


def batches(stream: Stream, done: tuple[str, int] | None) -> Iterator[list[Line]]:
    """The stream's lines behind `done` in requests of at most MOST_BYTES."""
    if done is not None and stream.name < done[0]:
        return
    lines = stream.lines.filter(pl.col("ns") > done[1]) if done is not None and stream.name == done[0] else stream.lines
    batch: list[Line] = []
    size = 0
    for line in lines.iter_rows():
        added = len(_value(line)) + 1
        if batch and size + added > MOST_BYTES - 4096:  # the labels and what stands around
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += added
    if batch:
        yield batch


def _value(line: Line) -> str:
    return f'["{line[0]}",{json.dumps(line[1])},{line[2]}]'


def _count(pushed: Pushed, accepted: int, refused: int, said: str) -> None:
    pushed.accepted += accepted
    pushed.refused += refused
    pushed.reasons[re.sub(r"\s+", " ", said)[:200]] += refused


def _nanoseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def _told(found: Investigation, *, redact: bool) -> list[pl.DataFrame]:
    attempts = tables.table(found, "attempts", redact=redact)
    at = pl.coalesce("ended", "started")
    failed = attempts.filter("failed").with_columns(line=pl.coalesce("evidence", "why", pl.lit("no word")))
    incidents = tables.table(found, "incidents", redact=redact)
    whole = [] if incidents.is_empty() else [_lines(incidents, "incident", pl.col("start"), _json(incidents), ("incident", "kind"))]
    return [
        _lines(attempts, "attempt", at, _json(attempts), _ATTEMPT),
        _lines(failed, "failure", at, failed["line"].to_list(), (*_ATTEMPT, "why")),
        *whole,
    ]


def _entries(found: Investigation, *, redact: bool) -> pl.DataFrame:
    frame = tables.table(found, "entries", redact=redact)
    return _lines(frame, "entry", pl.col("time"), frame["message"].fill_null("").to_list(), _ENTRY)


def _json(frame: pl.DataFrame) -> list[str]:
    """Each row as an object, without what is absent."""
    return [json.dumps({k: v for k, v in row.items() if v is not None}, default=str) for row in frame.iter_rows(named=True)]


def _lines(frame: pl.DataFrame, source: str, at: pl.Expr, lines: Sequence[str], metadata: Sequence[str]) -> pl.DataFrame:
    """LINES: time, source, host, unit, line, metadata (JSON of texts, none of them empty)."""
    told = [json.dumps({k: str(v)[:1000] for k, v in row.items() if v not in (None, "")}) for row in _rows(frame, metadata)]
    cut = [line.encode()[:LONGEST_LINE].decode(errors="ignore") for line in lines]
    return frame.select(
        time=at,
        source=pl.lit(source),
        host="host",
        unit="unit",
        line=pl.Series(cut, dtype=pl.String),
        metadata=pl.Series(told, dtype=pl.String),
    )


def _rows(frame: pl.DataFrame, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    return frame.select(columns).iter_rows(named=True)
