"""Entries in, attempts, events and restarts out: the order of the stage's steps.

Every step works on one (host, boot, unit) at a time, as group or sort key, never on pairs of entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forensics.attempts import build, ends, restarts, stop_reasons
from forensics.attempts.invocations import not_before_their_run, with_runs, without_id
from forensics.attempts.kernel_and_coredumps import witnesses
from forensics.attempts.manager_messages import Says, what_is_said
from forensics.attempts.unit_keys import Speaker, boots_of, placed
from forensics.events.build import events_of
from forensics.model.frames import ATTEMPTS, ENTRIES, EVENTS, RESTARTS, checked

SAID = (
    "time",
    "message_id",
    "message",
    "code_func",
    "exit_code",
    "exit_status",
    "command",
    "result",
    "restart_counter",
    "job_type",
    "cpu_ns",
    "memory_peak",
    "priority",
)


@dataclass(frozen=True, slots=True)
class Assembly:
    """Frames with the schemas of model; their `row` columns index the entries they were made from."""

    attempts: pl.DataFrame
    events: pl.DataFrame
    restarts: pl.DataFrame


def assemble(entries: pl.DataFrame, *, told_by_running: bool = False) -> Assembly:
    """model.ENTRIES in canonical order → model.ATTEMPTS, model.EVENTS of them, model.RESTARTS.

    told_by_running: whether attempts that still run have events too.
    """
    checked(entries, ENTRIES, "entries")
    boots = boots_of(entries)
    owned, runs = with_runs(placed(entries, boots))
    lines = manager_lines(entries, owned)
    owned = owned_by_all(not_before_their_run(owned, lines), lines)
    found = known_runs(runs, owned, lines)
    witnessed = witnesses(entries, owned, found, lines, boots)
    found = (
        build.with_witnesses(found, entries, witnessed)
        .join(build.boots_over(entries, boots), on="boot", how="left")
        .with_columns(
            pl.col("run").is_in(witnessed.filter(pl.col("oom"))["run"].implode()).alias("kernel_oom"),
            pl.col("run").is_in(witnessed.filter(pl.col("kind") == "coredump")["run"].implode()).alias("dumped_core"),
        )
        .with_columns((pl.col("said_oom").fill_null(value=False) | pl.col("kernel_oom")).alias("oom_killed"))
    )
    attempts = build.attempts_table(entries, build.with_outcomes(found))
    numbers = attempts.select("run", "attempt")
    telling = attempts if told_by_running else attempts.filter(pl.col("outcome") != "running")
    return Assembly(
        attempts=checked(attempts.drop("run"), ATTEMPTS, "attempts"),
        events=checked(events_of(entries, telling, owned, lines, witnessed), EVENTS, "events"),
        restarts=checked(restarts_table(entries, numbers, lines), RESTARTS, "restarts"),
    )


def manager_lines(entries: pl.DataFrame, owned: pl.DataFrame) -> pl.DataFrame:
    """The manager's lines in (spell, row) order with what they say and what their order means."""
    lines = owned.filter(pl.col("speaker") == int(Speaker.MANAGER)).select("row", "place", "spell", "boot", "run", "pid")
    said = what_is_said(lines.hstack(entries.select(SAID)[lines["row"]]))
    return stop_reasons.with_order(said)


def owned_by_all(owned: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Entries with their runs, those without an invocation id included."""
    first = owned.drop_nulls("run").group_by("run").agg(pl.col("spell").first(), pl.col("row").min()).select("run", "spell", "row")
    # after a scheduled restart a line without an id is more likely the next run's
    scheduled = lines.filter(pl.col("says") == int(Says.RESTART)).select("spell", restarted="row").sort("restarted")
    openings = (
        first.sort("row")
        .join_asof(scheduled, left_on="row", right_on="restarted", by="spell", check_sortedness=False)
        .sort("spell", "row")
        .with_columns(pl.col("row").shift().over("spell").alias("previous"))
        .with_columns(pl.when(pl.col("restarted") > pl.col("previous")).then(pl.col("restarted")).otherwise(pl.col("row")).alias("row"))
    )
    claimed = without_id(owned, openings.select("spell", "run", "row"))
    if claimed.is_empty():
        return owned
    return (
        owned.join(claimed.rename({"run": "claimed"}), on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("run", "claimed").alias("run"))
        .drop("claimed")
    )


def known_runs(runs: pl.DataFrame, owned: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The runs that are attempts: something was started. Skipped starts are none."""
    ended = ends.endings(lines.filter(~pl.col("echo") & pl.col("run").is_not_null()))
    joined = runs.join(build.tallied(owned), on="run", how="inner").join(ended, on="run", how="left")
    proven = (pl.col("proven").fill_null(value=False) | pl.col("spoke")) & ~pl.col("skipped").fill_null(value=False)
    kept = joined.filter(proven)
    began = pl.col("starting_row").is_not_null() | pl.col("started_row").is_not_null()
    return (
        kept.join(build.automatic(kept, lines), on="run", how="left")
        .with_columns(pl.when(pl.col("automatic") | began).then(pl.col("automatic")).alias("automatic"))
        .with_columns(pl.col("requested").fill_null(value=False), pl.col("refused").fill_null(value=False))
    )


def restarts_table(entries: pl.DataFrame, numbers: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    found = restarts.both_kinds(restarts.scheduled(lines)).join(numbers, on="run", how="left", maintain_order="left")
    about = entries.select("time", "host", "manager", "unit", "boot")[found["row"]]
    return found.hstack(about).select([pl.col(name).cast(kind) for name, kind in RESTARTS.items()])
