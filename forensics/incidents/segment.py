"""Cut the history of every unit into incidents, as policy decides, and assign each attempt and restart to its incident.

A unit's attempts are followed in journal order, not by the wall clock, so that a clock that is set back splits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import polars as pl

from forensics.attempt_facts import attempts_of, moments, optional_moments, with_facts
from forensics.attempts import asks_to_stop
from forensics.boots import boot_ends
from forensics.clocks import AwakeTime
from forensics.incidents.inputs import Inputs
from forensics.model.moments import Moment
from forensics.model.own_entries import ON_HOLD
from forensics.model.values import LOST
from forensics.policy import unit_state
from forensics.policy.templates import FAMILY, INSTANCE, TEMPLATE
from forensics.policy.unit_state import Attempt, Last, Span, UnitState

UNIT_KEY = ("machine", "manager", "unit")
INCIDENTS = pl.Schema(
    {
        "machine": pl.String(), "manager": pl.String(), "unit": pl.String(), "host": pl.String(), "kind": pl.String(),
        "first": pl.Int64(), "last": pl.Int64(), "start": pl.Int64(), "end": pl.Int64(), "recovery": pl.Int64(), "ongoing": pl.Boolean(),
        "data_end": pl.Int64(), "down_s": pl.Float64(), "group": pl.Int64(),
    }
)  # fmt: skip
_Restart = tuple[Moment, int, bool]  # when, how many, whether the start limit refused it
_GateTurn = tuple[Moment, str, str | None]  # when, what a gate did, for which class or reason


class After(NamedTuple):
    """What followed each attempt, by its number, in order."""

    restarts: dict[int, list[_Restart]]
    gates: dict[int, list[_GateTurn]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """attempts: ATTEMPTS in journal order with number, signature, failed, restarted, incident, and whether a gate made the next start.

    restarts: with number, signature, incident.

    incidents: INCIDENTS with `incident`, their number in order of start; first and last are attempts' numbers, times µs since 1970.
    """

    attempts: pl.DataFrame
    restarts: pl.DataFrame
    incidents: pl.DataFrame


def timeline(inputs: Inputs, useless: list[str], awake: AwakeTime) -> Timeline:
    """Follow every unit. useless: boots whose monotonic clock cannot be trusted; awake: the time in which a unit can be down."""
    boots = boot_ends(inputs.entries).with_row_index("boot_number")
    attempts = _attempts(inputs, useless, boots)
    restarts = _restarts(inputs, attempts, useless)
    after = After(_restarts_after(restarts), _gates_after(inputs.lifecycle, attempts, useless))
    followed = list(_followed(_in_trouble(attempts, restarts), after, boots))
    groups = _grouped([last.span for _, last in followed])
    attempts = attempts.join(_decided(followed, groups), on="number", how="left", maintain_order="left")
    attempts = attempts.with_columns(pl.col("failed", "restarted", "held").fill_null(value=False))
    incidents = _incidents(attempts, groups, awake)
    of_group = incidents.select("group", "incident", first_failure="first", is_recurring=pl.col("kind") == "recurring")
    attempts = attempts.join(of_group, on="group", how="left", maintain_order="left")
    tried = _placed(inputs.lifecycle.filter(pl.col("kind") == "gate-probed"), attempts)["number"]
    attempts = attempts.with_columns(pl.col("number").is_in(tried.unique().implode()).alias("is_before_try"))
    inside = (pl.col("number").cast(pl.Int64) >= pl.col("first_failure")) & (pl.col("failed") | ~pl.col("is_recurring"))
    attempts = attempts.with_columns(pl.when(inside).then("incident").alias("incident")).drop("first_failure", "is_recurring")
    restarts = restarts.join(attempts.select("number", "group"), on="number", how="left", maintain_order="left")
    restarts = restarts.join(of_group.select("group", "incident"), on="group", how="left", maintain_order="left")
    return Timeline(attempts.drop("group"), classed(restarts, attempts), incidents.drop("group"))


def _attempts(inputs: Inputs, useless: list[str], boots: pl.DataFrame) -> pl.DataFrame:
    """Order attempts per unit as in the journal, with the facts for policy and the moment of a stop on request."""
    facts = with_facts(inputs.attempts, inputs.lifecycle, inputs.labels, inputs.entries, useless)
    of_boot = boots.select("machine", "boot", "boot_number", "data_end")
    attempts = (
        facts.with_columns(_followed_as(facts["unit"]), pl.col("unit").is_in(_started_by_timers(inputs.entries)).alias("is_job"))
        .sort("machine", "manager", "followed", "first_row", "attempt")
        .with_row_index("number")
        .join(of_boot, on=["machine", "boot"], how="left", maintain_order="left", nulls_equal=True)
        .with_columns(
            pl.struct("machine", "manager", "followed").rank("dense").cast(pl.Int64).alias("unit_number"),
            (pl.col("is_job") | (pl.col("followed") != pl.col("unit"))).alias("is_job"),
            pl.col("first_row").cast(pl.Int64).alias("at_row"),
            pl.col("automatic").fill_null(value=True),
        )
        .with_columns(pl.int_range(pl.len()).over("unit_number").alias("position_in_unit"))
    )
    stops = _stops(inputs.lifecycle, attempts, useless)
    return attempts.join(stops, on="number", how="left", maintain_order="left")


def _followed_as(units: pl.Series) -> pl.Expr:
    """Name the unit that an attempt is a run of: the template, where each of its instances runs once, as jobs with an id in the name do."""
    if not units.str.contains("@", literal=True).any():
        return pl.col("unit").alias("followed")
    template = pl.col("unit").str.replace(INSTANCE, TEMPLATE)
    family = ["machine", "manager", template]
    is_run_once = (pl.col("unit").n_unique().over(family) == pl.len().over(family)) & (pl.len().over(family) >= FAMILY)
    return pl.when(pl.col("unit").str.contains(INSTANCE) & is_run_once).then(template).otherwise("unit").alias("followed")


def _started_by_timers(entries: pl.DataFrame) -> list[str]:
    units = entries["unit"].unique().cast(pl.String).drop_nulls()
    return units.filter(units.str.ends_with(".timer")).str.replace(r"\.timer$", ".service").sort().to_list()


def _stops(lifecycle: pl.DataFrame, attempts: pl.DataFrame, useless: list[str]) -> pl.DataFrame:
    """Find the first line after each attempt began by which a client's job stopped the unit: number, stop_time, stop_clock."""
    placed = _placed(lifecycle.filter(asks_to_stop()), attempts)
    return placed.group_by("number").agg(
        pl.col("time").first().alias("stop_time"),
        pl.when(~pl.col("boot").is_in(useless)).then("monotonic").first().alias("stop_clock"),
    )


def _placed(lines: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Add to statements the number of the attempt that they follow, in order; those before the first are dropped."""
    return _with_number(lines.with_columns(pl.col("row").cast(pl.Int64).alias("at_row")), attempts).drop_nulls("number").sort("row")


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
    return attempts.filter((pl.col("failed_by_itself") | pl.col("failed_stopping") | restarted).any().over("unit_number"))


class _Boot(NamedTuple):
    """When a boot ended, and the data of its machine."""

    end: Moment
    is_last: bool
    data_end: Moment


class _Row(NamedTuple):
    """An attempt as it is followed."""

    unit_number: int
    number: int
    invocation: str
    is_job: bool
    attempt: Attempt
    stop: Moment | None
    boot: _Boot


def _followed(attempts: pl.DataFrame, after: After, boots: pl.DataFrame) -> Iterator[tuple[int, Last]]:
    """Yield every attempt's number, in order, with what policy decided about it; about 7 µs per attempt."""
    ends = moments(boots, "boot_end", "boot_end_clock")
    of_number = [*map(_Boot, ends, boots["last_boot"].to_list(), map(Moment, boots["data_end"].dt.timestamp("us").to_list()))]
    rows = map(
        _Row,
        attempts["unit_number"].to_list(),
        attempts["number"].to_list(),
        attempts["invocation"].fill_null("").to_list(),
        attempts["is_job"].to_list(),
        attempts_of(attempts),
        optional_moments(attempts, "stop_time", "stop_clock"),
        map(of_number.__getitem__, attempts["boot_number"].to_list()),
    )
    for _, of_unit in groupby(rows, key=attrgetter("unit_number")):
        yield from _follow_unit(of_unit, after)


def _follow_unit(rows: Iterable[_Row], after: After) -> Iterator[tuple[int, Last]]:
    state = UnitState()
    boot: _Boot | None = None
    for row in rows:
        state.is_job |= row.is_job
        if boot is not None and boot is not row.boot:
            unit_state.booted(state, boot.end)
        boot = row.boot
        yield row.number, _follow_attempt(state, row, after)
    if boot is not None:
        if not boot.is_last:
            unit_state.booted(state, boot.end)
        unit_state.data_ended(state, boot.end if boot.is_last else boot.data_end)


def _follow_attempt(state: UnitState, row: _Row, after: After) -> Last:
    restarts = after.restarts.get(row.number, ())
    unit_state.started(state, row.attempt.started, row.invocation, announced=row.attempt.announced)
    unit_state.ended(state, row.attempt)
    last = state.last
    assert last is not None  # noqa: S101 - `ended` has just set it
    for at, count, is_refused in restarts:
        unit_state.restarted(state, at, count)
        if is_refused:
            unit_state.refused(state)
    for at, kind, about in after.gates.get(row.number, ()):
        if kind == "gate-opened":
            unit_state.gate_opened(state, at, is_stopping=False)  # `asks_to_stop` has left it out
        else:
            unit_state.gate_closed(state, at, on_request=about == ON_HOLD)
    if row.stop is not None and (not restarts or row.stop.time >= restarts[0][0].time):
        unit_state.stopped(state, row.stop)
    return last


def _gates_after(lifecycle: pl.DataFrame, attempts: pl.DataFrame, useless: list[str]) -> dict[int, list[_GateTurn]]:
    turns = lifecycle.filter(pl.col("kind").is_in(["gate-opened", "gate-closed"]))
    placed = _placed(turns, attempts).with_columns(pl.when(~pl.col("boot").is_in(useless)).then("monotonic").alias("clock"))
    after: dict[int, list[_GateTurn]] = {}
    for number, *turn in zip(placed["number"], moments(placed, "time", "clock"), placed["kind"], placed["about"], strict=True):
        after.setdefault(number, []).append(tuple(turn))
    return after


def _restarts_after(restarts: pl.DataFrame) -> dict[int, list[_Restart]]:
    after: dict[int, list[_Restart]] = {}
    placed = restarts.drop_nulls("number")
    each = zip(moments(placed, "time", "clock"), placed["count"].to_list(), placed["refused"].to_list(), strict=True)
    for number, restart in zip(placed["number"].to_list(), each, strict=True):
        after.setdefault(number, []).append(restart)
    return after


def _with_number(rows: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Add `number` to rows (UNIT_KEY, at_row): of the unit's last attempt that began at or before that row, else null."""
    left = rows.sort("at_row")
    right = attempts.select(*UNIT_KEY, "at_row", "number").sort("at_row")
    return left.join_asof(right, on="at_row", by=list(UNIT_KEY), strategy="backward", check_sortedness=False)


@dataclass(frozen=True, slots=True)
class _Group:
    """The spans that are one incident, or one that is none."""

    number: int
    spans: list[Span]

    def down_s(self, machine: str, awake: AwakeTime) -> float:
        """Add up how long the unit was down, in a group that is over."""
        return sum(awake.seconds(machine, Moment(span.start or 0), Moment(span.end or 0)) for span in self.spans if span.end)


def _grouped(spans: Iterable[Span]) -> dict[int, _Group]:
    """The group of each span, by the span's identity: recurring failures are one."""
    of_series: dict[int, _Group] = {}
    groups: dict[int, _Group] = {}
    for span in {id(span): span for span in spans}.values():
        new = _Group(len(groups), [])
        group = of_series.setdefault(id(span.series), new) if span.kind == "recurring" else new
        group.spans.append(span)
        groups[id(span)] = group
    return groups


def _decided(followed: list[tuple[int, Last]], groups: dict[int, _Group]) -> pl.DataFrame:
    """List what was decided about each attempt that was followed: number, failed, restarted, held, group."""
    rows = [(number, last.failed, last.restarted, last.held, groups[id(last.span)].number) for number, last in followed]
    schema = {"number": pl.UInt32, "failed": pl.Boolean, "restarted": pl.Boolean, "held": pl.Boolean, "group": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _incidents(attempts: pl.DataFrame, groups: dict[int, _Group], awake: AwakeTime) -> pl.DataFrame:
    """List the incidents, in order of start."""
    failures = pl.col("number").filter("failed")
    of_group = attempts.group_by("group").agg(
        pl.col("machine", "manager").first(),
        pl.col("host").drop_nulls().last(),
        pl.col("followed").first().alias("unit"),
        pl.col("data_end").first().dt.timestamp("us"),
        failures.min().cast(pl.Int64).alias("first"),
        pl.col("number").max().cast(pl.Int64).alias("last"),
        failures.max().cast(pl.Int64).alias("last_failure"),
    )
    machines = dict(attempts.select("group", "machine").drop_nulls("group").unique("group").iter_rows())
    rows = [
        _incident(group, group.down_s(machines[group.number] or "", awake))
        for group in {group.number: group for group in groups.values()}.values()
        if group.spans[0].kind is not None
    ]
    schema = {name: INCIDENTS[name] for name in ("group", "kind", "start", "end", "recovery", "ongoing", "down_s")}
    joined = pl.DataFrame(rows, schema=schema, orient="row").join(of_group, on="group")
    recurring = pl.col("kind") == "recurring"
    joined = joined.with_columns(
        pl.max_horizontal("data_end", "start").alias("data_end"), pl.when(recurring).then("last_failure").otherwise("last").alias("last")
    )
    return joined.sort("start", *UNIT_KEY, "first").select(list(INCIDENTS)).cast(INCIDENTS).with_row_index("incident")


def _incident(group: _Group, down_s: float) -> tuple[int, str | None, int, int | None, int | None, bool, float]:
    first, last = group.spans[0], group.spans[-1]
    return group.number, first.kind, first.start or 0, last.end, last.recovery, last.end is None, down_s


def classed(restarts: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Add the failure class of each restart: the signature of the attempt before it, or LOST."""
    named = restarts.join(attempts.select("attempt", "signature"), on="attempt", how="left", maintain_order="left")
    recorded = pl.when(~pl.col("lost")).then(pl.col("signature"))
    return named.with_columns(recorded.fill_null(LOST.id).alias("signature"))
