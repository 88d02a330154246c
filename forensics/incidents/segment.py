"""Cut the history of every unit into incidents, as policy decides, and assign each attempt and restart to its incident.

A unit's attempts are followed in journal order, not by the wall clock, so that a clock that is set back splits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from forensics.attempt_facts import TIMES, attempt_of, with_facts
from forensics.boots import boot_ends
from forensics.incidents.inputs import Inputs
from forensics.model.values import LOST
from forensics.policy import unit_state
from forensics.policy.moments import Moment
from forensics.policy.unit_state import Last, Span, UnitState

UNIT_KEY = ("machine", "manager", "unit")
INCIDENTS = pl.Schema(
    {
        "machine": pl.String(), "manager": pl.String(), "unit": pl.String(), "host": pl.String(), "kind": pl.String(),
        "first": pl.Int64(), "last": pl.Int64(), "start": pl.Int64(), "end": pl.Int64(), "recovery": pl.Int64(), "ongoing": pl.Boolean(),
        "data_end": pl.Int64(), "span": pl.Int64(),
    }
)  # fmt: skip
After = dict[int, list[tuple[int, int | None, int, bool]]]  # attempt's number → its restarts: time, clock, count, whether refused


@dataclass(frozen=True, slots=True)
class Timeline:
    """attempts: ATTEMPTS in journal order with number, signature, failed, restarted, incident. restarts: with number, signature, incident.

    incidents: INCIDENTS with `incident`, their number in order of start; first and last are attempts' numbers, times µs since 1970.
    """

    attempts: pl.DataFrame
    restarts: pl.DataFrame
    incidents: pl.DataFrame


def timeline(inputs: Inputs, useless: list[str]) -> Timeline:
    """Follow every unit. useless: boots whose monotonic clock cannot be trusted."""
    attempts = _attempts(inputs, useless)
    restarts = _restarts(inputs, attempts, useless)
    followed = list(_followed(_in_trouble(attempts, restarts), restarts))
    spans = {id(last.span): last.span for _, last in followed}
    attempts = attempts.join(_decided(followed, list(spans)), on="number", how="left", maintain_order="left")
    attempts = attempts.with_columns(pl.col("failed", "restarted").fill_null(value=False))
    incidents = _incidents(attempts, list(spans.values()))
    of_span = incidents.select("span", "incident", first_failure="first")
    attempts = attempts.join(of_span, on="span", how="left", maintain_order="left")
    inside = pl.col("number").cast(pl.Int64) >= pl.col("first_failure")
    attempts = attempts.with_columns(pl.when(inside).then(pl.col("incident")).alias("incident")).drop("first_failure")
    restarts = restarts.join(attempts.select("number", "span"), on="number", how="left", maintain_order="left")
    restarts = restarts.join(of_span.drop("first_failure"), on="span", how="left", maintain_order="left")
    return Timeline(attempts.drop("span"), _classed(restarts, attempts), incidents.drop("span"))


def _attempts(inputs: Inputs, useless: list[str]) -> pl.DataFrame:
    """Order attempts per unit as in the journal, with the facts for policy and the moment of a stop on request."""
    facts = with_facts(inputs.attempts, inputs.lifecycle, inputs.labels, inputs.entries, useless)
    attempts = (
        facts.sort(*UNIT_KEY, "first_row", "attempt")
        .with_row_index("number")
        .join(boot_ends(inputs.entries), on=["machine", "boot"], how="left", maintain_order="left", nulls_equal=True)
        .with_columns(
            pl.struct(UNIT_KEY).rank("dense").cast(pl.Int64).alias("unit_number"),
            pl.col("first_row").cast(pl.Int64).alias("at_row"),
            pl.col("automatic").fill_null(value=True),
        )
        .with_columns(pl.int_range(pl.len()).over("unit_number").alias("position_in_unit"))
    )
    stops = _stops(inputs.lifecycle, attempts, useless)
    return attempts.join(stops, on="number", how="left", maintain_order="left")


def _stops(lifecycle: pl.DataFrame, attempts: pl.DataFrame, useless: list[str]) -> pl.DataFrame:
    """Find the first line after each attempt began by which a client's job stopped the unit: number, stop_time, stop_clock."""
    lines = lifecycle.filter(pl.col("kind").is_in(["stopping", "stopped"]) & (pl.col("job") == "stop"))
    placed = _with_number(lines.with_columns(pl.col("row").cast(pl.Int64).alias("at_row")), attempts).drop_nulls("number").sort("row")
    return placed.group_by("number").agg(
        pl.col("time").first().dt.timestamp("us").alias("stop_time"),
        pl.when(~pl.col("boot").is_in(useless)).then("monotonic").first().alias("stop_clock"),
    )


def _restarts(inputs: Inputs, attempts: pl.DataFrame, useless: list[str]) -> pl.DataFrame:
    """Add to restarts the attempt that they follow: the named one, else the one during which it is logged, else the unit's first."""
    clock = inputs.entries["monotonic"].gather(inputs.restarts["row"]).alias("clock")
    rows = inputs.restarts.with_columns(pl.col("row").cast(pl.Int64).alias("at_row"), clock)
    rows = rows.with_columns(pl.when(~pl.col("boot").is_in(useless)).then("clock").alias("clock"))
    named = rows.filter(pl.col("attempt").is_not_null()).join(attempts.select("attempt", "number"), on="attempt", how="left")
    other = _with_number(rows.filter(pl.col("attempt").is_null()), attempts)
    first = attempts.group_by(UNIT_KEY).agg(pl.col("number").min().alias("first_number"))
    placed = pl.concat([named, other.select(named.columns)]).join(first, on=list(UNIT_KEY), how="left")
    return (
        placed.with_columns(pl.coalesce("number", "first_number").alias("number"))
        .drop("first_number")
        .sort("at_row", *UNIT_KEY, "lost", nulls_last=True)
    )


def _in_trouble(attempts: pl.DataFrame, restarts: pl.DataFrame) -> pl.DataFrame:
    """Select the attempts of units in which anything failed: a busy host has thousands of others."""
    restarted = pl.col("number").is_in(restarts["number"].drop_nulls().unique().implode())
    return attempts.filter((pl.col("failed_by_itself") | restarted).any().over("unit_number"))


def _followed(attempts: pl.DataFrame, restarts: pl.DataFrame) -> Iterator[tuple[int, Last]]:
    """Yield every attempt's number, in order, with what policy decided about it; about 10 µs per attempt."""
    after = _restarts_after(restarts)
    columns = [
        "unit_number", "number", "boot", "invocation", "started", "start_clock", "stated", "stated_clock", "announced", "ready",
        "ready_clock", "ended", "end_clock", "uptime_s", "outcome", "failed_by_itself", "signature", "stop_time", "stop_clock", "boot_end",
        "boot_end_clock", "data_end",
    ]  # fmt: skip
    ends = pl.col("boot_end", "data_end").dt.timestamp("us")
    rows = attempts.with_columns(TIMES, ends).select(columns).iter_rows(named=True)
    for _, of_unit in groupby(rows, key=itemgetter("unit_number")):
        yield from _follow_unit(of_unit, after)


def _follow_unit(rows: Iterable[dict[str, Any]], after: After) -> Iterator[tuple[int, Last]]:
    state = UnitState()
    previous: dict[str, Any] | None = None
    for row in rows:
        if previous is not None and previous["boot"] != row["boot"]:
            unit_state.booted(state, _moment(previous, "boot_end", "boot_end_clock"))
        last = _follow_attempt(state, row, after.get(row["number"], []))
        yield row["number"], last
        previous = row
    if previous is not None:
        at_end = previous["boot_end"] == previous["data_end"]
        if not at_end:
            unit_state.booted(state, _moment(previous, "boot_end", "boot_end_clock"))
        end = _moment(previous, "boot_end", "boot_end_clock") if at_end else Moment(previous["data_end"])
        unit_state.data_ended(state, end)


def _follow_attempt(state: UnitState, row: dict[str, Any], restarts: list[tuple[int, int | None, int, bool]]) -> Last:
    boot = row["boot"] or ""
    attempt = attempt_of(row)
    unit_state.started(state, attempt.started, row["invocation"] or "", announced=row["announced"])
    unit_state.ended(state, attempt)
    last = state.last
    assert last is not None  # noqa: S101 - `ended` has just set it
    for time, clock, count, is_refused in restarts:
        unit_state.restarted(state, Moment(time, clock, boot), count)
        if is_refused:
            unit_state.refused(state)
    if row["stop_time"] is not None and (not restarts or row["stop_time"] >= restarts[0][0]):
        unit_state.stopped(state, Moment(row["stop_time"], row["stop_clock"], boot))
    return last


def _moment(row: dict[str, Any], time: str, clock: str) -> Moment:
    return Moment(row[time] or 0, row[clock], row["boot"] or "")


def _restarts_after(restarts: pl.DataFrame) -> After:
    after: After = {}
    columns = ("number", pl.col("time").dt.timestamp("us"), "clock", "count", "refused")
    for number, time, clock, count, is_refused in restarts.drop_nulls("number").select(columns).iter_rows():
        after.setdefault(number, []).append((time, clock, count, is_refused))
    return after


def _with_number(rows: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Add `number` to rows (UNIT_KEY, at_row): of the unit's last attempt that began at or before that row, else null."""
    left = rows.sort("at_row")
    right = attempts.select(*UNIT_KEY, "at_row", "number").sort("at_row")
    return left.join_asof(right, on="at_row", by=list(UNIT_KEY), strategy="backward", check_sortedness=False)


def _decided(followed: list[tuple[int, Last]], spans: list[int]) -> pl.DataFrame:
    """List number, failed, restarted and span of each attempt that was followed."""
    number_of = {span: number for number, span in enumerate(spans)}
    rows = [(number, last.failed, last.restarted, number_of[id(last.span)]) for number, last in followed]
    schema = {"number": pl.UInt32, "failed": pl.Boolean, "restarted": pl.Boolean, "span": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _incidents(attempts: pl.DataFrame, spans: list[Span]) -> pl.DataFrame:
    """Make INCIDENTS of the spans that are incidents, in order of start."""
    failures = pl.col("number").filter("failed")
    by_span = attempts.group_by("span").agg(
        pl.col(*UNIT_KEY, "host").first(),
        pl.col("data_end").first().dt.timestamp("us"),
        failures.min().cast(pl.Int64).alias("first"),
        pl.col("number").max().cast(pl.Int64).alias("last"),
    )
    incidents = pl.DataFrame(
        [
            (number, span.kind, span.start, span.end, span.recovery, span.end is None)
            for number, span in enumerate(spans)
            if span.kind is not None and span.start is not None
        ],
        schema={name: INCIDENTS[name] for name in ("span", "kind", "start", "end", "recovery", "ongoing")},
        orient="row",
    )
    joined = incidents.join(by_span, on="span").with_columns(pl.max_horizontal("data_end", "start").alias("data_end"))
    return joined.sort("start", *UNIT_KEY, "first").select(list(INCIDENTS)).cast(INCIDENTS).with_row_index("incident")


def _classed(restarts: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Add the failure class: the attempt's signature, or LOST."""
    named = restarts.join(attempts.select("attempt", "signature"), on="attempt", how="left", maintain_order="left")
    recorded = pl.when(~pl.col("lost")).then(pl.col("signature"))
    return named.with_columns(recorded.fill_null(LOST.id).alias("signature"))
