"""Find who did what to the machines and their units; the lines of one action are one change.

Only lines of programs that change something are read, and of those each distinct one once.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forensics.boots import boot_ends, machine_or_host
from forensics.changes.rules import ANYONE, CHATTY, CHATTY_LINES, IDENTIFIERS, KERNEL, LONGEST, MANAGER, classify_change
from forensics.changes.shell import is_read_only
from forensics.model.frames import CHANGES
from forensics.policy.limits import CONSEQUENCE_S, SHUTDOWN_S
from forensics.speakers import may_report_changes

# The kind with the lowest rank names an action of several lines
RANK = {
    "boot": 0,
    "system-switch": 1,
    "package": 2,
    "driver": 3,
    "configuration": 4,
    "operator": 5,
    "unit-job": 6,
    "unit-reload": 7,
    "login": 8,
}
READING = 9
ONE_ACTION, ONE_ACTION_AT_MOST = 20, 300  # seconds between its lines; seconds in all
ROUTINE = 30  # the same person doing the same thing this often, and on average hourly, is a program
SCHEMA = pl.Schema(
    {"time": CHANGES["time"], "machine": pl.String(), "kind": pl.String(), "unit": pl.String(), "summary": pl.String(), "row": pl.UInt32()}
)


def find_changes(entries: pl.DataFrame, lifecycle: pl.DataFrame) -> pl.DataFrame:
    """Find CHANGES, by time; `row` is the line that shows most of the action. lifecycle: of all units in `entries`."""
    lines = (
        entries.lazy()
        .with_row_index("row")
        .select("row", "time", "machine", "host", "boot", "identifier", "comm", "pid", "transport", "writer", "message")
        .collect()
    )
    parts = [_logged(lines), _without_routine(_jobs(lifecycle, boot_ends(entries))), _boots(lines)]
    return _folded(pl.concat([frame.select(list(SCHEMA)).cast(SCHEMA) for frame in parts])).select(list(CHANGES)).cast(CHANGES)


def _logged(lines: pl.DataFrame) -> pl.DataFrame:
    """Classify the lines by which programs, the manager and the kernel report changes."""
    message = pl.col("message")
    quiet, chatty = (pl.col("identifier").is_in(sorted(names)) for names in (IDENTIFIERS - CHATTY, CHATTY))
    anyones = message.str.starts_with("switching to ") | message.str.starts_with("finished sw") | message.str.starts_with("[ALPM]")
    managers = (pl.col("identifier") == "systemd") & message.str.starts_with("Re")
    # few entries come from these: only their lines are searched
    lines = lines.filter(quiet | chatty | managers | (pl.col("transport") == "kernel") | anyones)
    by_name = quiet | (chatty & message.str.contains(CHATTY_LINES))
    manager = managers & message.str.contains(MANAGER)
    kernel = (pl.col("transport") == "kernel") & message.str.contains(KERNEL)
    anyone = anyones & message.str.contains(ANYONE)
    kept = lines.filter(by_name | manager | kernel | anyone).with_columns(
        pl.col("message").str.head(LONGEST), pl.col("identifier").cast(pl.String).fill_null("")
    )
    kept = kept.with_columns(
        machine_or_host(), pl.when(pl.col("transport") == "kernel").then(pl.lit("kernel")).otherwise("identifier").alias("identifier")
    )
    kept = kept.filter(may_report_changes(kept))
    distinct = kept.select("identifier", "message").unique().drop_nulls().sort("identifier", "message")
    answers = [classify_change(identifier, message) for identifier, message in distinct.iter_rows()]
    classified = pl.DataFrame(
        [answer or (None, None, None) for answer in answers],
        schema={"kind": pl.String, "summary": pl.String, "unit": pl.String},
        orient="row",
    )
    return _new_drivers(_without_routine(kept.join(distinct.hstack(classified).drop_nulls("kind"), on=["identifier", "message"])))


def _without_routine(changes: pl.DataFrame) -> pl.DataFrame:
    """Drop what a program does around the clock, in a person's name or as a client of systemd (backups, monitoring, watchdogs)."""
    human = pl.col("kind").is_in(["operator", "login", "unit-job"])
    often, span = pl.len().over("machine", "summary"), (pl.col("time").max() - pl.col("time").min()).over("machine", "summary")
    return changes.filter(~human | (often < ROUTINE) | (often.cast(pl.Float64) * 3600 < span.dt.total_seconds()))


def is_routine(times: Sequence[int]) -> bool:
    """Whether acts of one kind, at these times in µs, are a program's."""
    return len(times) >= ROUTINE and len(times) * 3600 >= (max(times) - min(times)) / 1e6


def _new_drivers(changes: pl.DataFrame) -> pl.DataFrame:
    """Drop driver versions, logged at every boot, that do not differ from the last one."""
    drivers = changes.filter(pl.col("identifier") == "kernel").sort("machine", "row")
    subject = pl.col("summary").str.extract(r"^kernel driver: (\S+)")
    before = pl.col("summary").shift(1).over("machine", subject)
    new = drivers.filter((before.is_not_null() & (before != pl.col("summary"))).fill_null(value=False))
    return pl.concat([changes.filter(pl.col("identifier") != "kernel"), new])


def _jobs(lifecycle: pl.DataFrame, boots: pl.DataFrame) -> pl.DataFrame:
    """Find stops, restarts and reloads of services that a client asked for; not those of a shutdown."""
    kinds = ["started", "restart", "stopping", "stopped", "reloading"]
    ordered = _with_failures(lifecycle).filter(pl.col("kind").is_in(kinds))
    ordered = ordered.with_columns(pl.col("kind").shift(1).over("machine", "manager", "unit").cast(pl.String).alias("previous"))
    # `Stopped` ends what `Stopping` began, and goes with a restart that was scheduled
    alone = ~pl.col("previous").is_in(["restart", "stopping"]).fill_null(value=False) & pl.col("previous").is_not_null()
    consequence = pl.col("kind").is_in(["stopping", "stopped"]) & (
        pl.col("time") - pl.col("failed_at") <= pl.duration(seconds=CONSEQUENCE_S)
    )
    asked = pl.col("requested") & ((pl.col("kind") != "stopped") | alone) & ~consequence.fill_null(value=False)
    of_system = pl.col("unit").str.contains(r"^(?:user@|user-runtime-dir@|systemd-)")
    jobs = ordered.filter(asked & ~of_system).join(boots, on=["machine", "boot"], how="left", nulls_equal=True)
    shutdown = ~pl.col("last_boot") & ((pl.col("boot_end") - pl.col("time")) <= pl.duration(seconds=SHUTDOWN_S))
    stop = pl.when(pl.col("job") == "restart").then(pl.lit("restarted")).otherwise(pl.lit("stopped"))
    verb = (
        pl.col("kind").cast(pl.String).replace_strict({"reloading": "reloaded", "restart": "started"}, default=stop, return_dtype=pl.String)
    )
    return jobs.filter(~shutdown.fill_null(value=False)).with_columns(
        pl.format("{} {} on request", "unit", verb).alias("summary"), pl.lit("unit-job").alias("kind")
    )


def _with_failures(lifecycle: pl.DataFrame) -> pl.DataFrame:
    """Order statements, with the time of the failure that nothing was started after, else null."""
    unit = ("machine", "manager", "unit")
    ordered = lifecycle.sort("row").with_row_index("at")
    last = pl.when(pl.col("kind").is_in(["failed", "starting", "started"])).then("at").forward_fill().over(unit)
    decided = ordered.select(last.alias("last"))["last"]
    at = ordered.select("kind", "time")[decided.fill_null(0)]
    has_failed = (at["kind"] == "failed") & decided.is_not_null()
    return ordered.drop("at").with_columns(pl.when(has_failed).then(at["time"]).alias("failed_at"))


def _boots(lines: pl.DataFrame) -> pl.DataFrame:
    """Find the first entry of each further boot of a machine."""
    begins = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in ("machine", "host", "boot"))
    first = lines.filter(begins)  # a boot's lines are neighbours
    first = first.with_columns(machine_or_host()).group_by("machine", "boot").agg(pl.col("row", "time").first())
    further = first.drop_nulls("boot").sort("row").filter(pl.int_range(pl.len()).over("machine") > 0)
    return further.with_columns(
        pl.lit("boot").alias("kind"), pl.lit("the host booted").alias("summary"), pl.lit(None, pl.String).alias("unit")
    )


def _folded(changes: pl.DataFrame) -> pl.DataFrame:
    """Fold the lines of an action, within seconds of each other, into one change, described by those of the lowest rank.

    Commands that only read, and change nothing, are an action of their own.
    """
    reading = pl.col("summary").is_in([summary for summary in changes["summary"].unique() if is_read_only(summary)])
    rank = pl.when("reading").then(pl.lit(READING, pl.Int8)).otherwise(pl.col("kind").replace_strict(RANK, return_dtype=pl.Int8))
    changes = changes.with_columns(reading.alias("reading")).with_columns(rank.alias("rank"))
    changes = changes.sort("machine", "time", "row", nulls_last=True)
    pause = (pl.col("time").diff().over("machine") > pl.duration(seconds=ONE_ACTION)).fill_null(value=True) | (pl.col("kind") == "boot")
    changes = changes.with_columns(pause.cum_sum().over("machine").alias("action"))
    part = (pl.col("time") - pl.col("time").min().over("machine", "action")).dt.total_seconds() // ONE_ACTION_AT_MOST
    changes = changes.with_columns(part.alias("part"))
    # Jobs that no command or switch explains are one action per unit
    jobs_only = pl.col("rank").min().over("machine", "action", "part") == RANK["unit-job"]
    changes = changes.with_columns(pl.when(jobs_only).then("unit").alias("alone"))
    best = pl.col("rank") == pl.col("rank").min()
    summaries = pl.col("summary").filter(best).unique(maintain_order=True)
    more = pl.when(summaries.len() > 3).then(pl.format(" … and {} more", summaries.len() - 3)).otherwise(pl.lit(""))
    one_line = pl.col("rank").min().is_in([RANK["system-switch"], RANK["boot"], RANK["unit-reload"], RANK["login"]])
    joined = pl.when(one_line).then(summaries.first()).otherwise(summaries.head(3).str.join("; ") + more)
    about = pl.col("unit").drop_nulls().unique()
    host_wide = (
        (pl.col("rank").min() <= RANK["driver"])
        | (pl.col("unit").is_null() & best & (pl.col("kind") != "login")).any()
        | (about.len() != 1)
    )
    folded = changes.group_by("machine", "action", "part", "alone", "reading", maintain_order=True).agg(
        pl.col("time", "kind", "row").filter(best).first(), joined.alias("summary"), pl.when(~host_wide).then(about.first()).alias("unit")
    )
    return folded.sort("time", "machine", "row")
