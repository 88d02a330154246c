"""Entries in, CHANGES out: what happened to the hosts and their units, lines of one action folded into one change.

Only lines of programs that change something are looked at, and of those each distinct one once.
"""

from __future__ import annotations

import polars as pl

from forensics.changes.rules import ANYONE, IDENTIFIERS, KERNEL, LONGEST, MANAGER, TALKERS, TELLING, told
from forensics.incidents.segment import SHUTDOWN, boot_ends
from forensics.model import systemd
from forensics.model.frames import CHANGES

JOB_IDS = [
    systemd.UNIT_STARTED,
    systemd.UNIT_STOPPING,
    systemd.UNIT_STOPPED,
    systemd.UNIT_RELOADING,
    systemd.UNIT_RESTART_SCHEDULED,
]
# What an action of several lines is named after
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
ONE_ACTION, ONE_ACTION_AT_MOST = 20, 300  # seconds between its lines; seconds in all
ROUTINE = 30  # the same person doing the same thing this often, and on average hourly, is a program
SCHEMA = pl.Schema(
    {"time": CHANGES["time"], "host": pl.String(), "kind": pl.String(), "unit": pl.String(), "summary": pl.String(), "row": pl.UInt32()}
)


def find_changes(entries: pl.DataFrame) -> pl.DataFrame:
    """CHANGES, by time; `row` is the line that says most about the action."""
    lines = (
        entries.lazy()
        .with_row_index("row")
        .select("row", "time", "host", "boot", "manager", "unit", "identifier", "pid", "transport", "message_id", "job_type", "message")
        .collect()
    )
    boots = boot_ends(entries)
    found = [_told(lines), _jobs(lines, boots), _boots(lines)]
    return _folded(pl.concat([frame.select(list(SCHEMA)).cast(SCHEMA) for frame in found])).select(list(CHANGES)).cast(CHANGES)


def _told(lines: pl.DataFrame) -> pl.DataFrame:
    """What programs, the manager and the kernel say in words."""
    said = pl.col("message")
    quiet, talkers = (pl.col("identifier").is_in(sorted(names)) for names in (IDENTIFIERS - TALKERS, TALKERS))
    anyones = said.str.starts_with("switching to ") | said.str.starts_with("finished sw") | said.str.starts_with("[ALPM]")
    managers = (pl.col("identifier") == "systemd") & said.str.starts_with("Re")
    # few entries come from these: only their lines are searched
    lines = lines.filter(quiet | talkers | managers | (pl.col("transport") == "kernel") | anyones)
    by_name = quiet | (talkers & said.str.contains(TELLING))
    manager = managers & said.str.contains(MANAGER)
    kernel = (pl.col("transport") == "kernel") & said.str.contains(KERNEL)
    anyone = anyones & said.str.contains(ANYONE)
    kept = lines.filter(by_name | manager | kernel | anyone).with_columns(
        pl.col("message").str.head(LONGEST), pl.col("identifier", "host").cast(pl.String).fill_null("")
    )
    kept = kept.with_columns(
        pl.when(pl.col("transport") == "kernel").then(pl.lit("kernel")).otherwise("identifier").alias("identifier")
    ).drop("unit")
    distinct = kept.select("identifier", "message").unique().drop_nulls().sort("identifier", "message")
    answers = [told(identifier, message) for identifier, message in distinct.iter_rows()]
    words = pl.DataFrame(
        [a or (None, None, None) for a in answers], schema={"kind": pl.String, "summary": pl.String, "unit": pl.String}, orient="row"
    )
    named = kept.join(distinct.hstack(words).drop_nulls("kind"), on=["identifier", "message"])
    return _new_drivers(_people(named))


def _people(found: pl.DataFrame) -> pl.DataFrame:
    """Without what a program does around the clock in a person's name (backups over ssh, monitoring by sudo)."""
    human = pl.col("kind").is_in(["operator", "login"])
    often, span = pl.len().over("host", "summary"), (pl.col("time").max() - pl.col("time").min()).over("host", "summary")
    return found.filter(~human | (often < ROUTINE) | (often.cast(pl.Float64) * 3600 < span.dt.total_seconds()))


def _new_drivers(found: pl.DataFrame) -> pl.DataFrame:
    """A driver says its version at every boot: that is a change only where it differs from the last time it was said."""
    drivers = found.filter(pl.col("identifier") == "kernel").sort("host", "row")
    subject = pl.col("summary").str.extract(r"^kernel driver: (\S+)")
    before = pl.col("summary").shift(1).over("host", subject)
    new = drivers.filter((before.is_not_null() & (before != pl.col("summary"))).fill_null(value=False))
    return pl.concat([found.filter(pl.col("identifier") != "kernel"), new])


def _jobs(lines: pl.DataFrame, boots: pl.DataFrame) -> pl.DataFrame:
    """Stops, restarts and reloads of services that a client asked for; not those of a shutdown.

    `Stopping` is logged only for a request. `Stopped` alone means one only where no automatic restart has just been scheduled:
    systemd 252 and 253 log it in every automatic restart, all versions when a client acts while the restart waits.
    """
    told_of = lines.filter(
        pl.col("message_id").is_in(
            [systemd.UNIT_STARTED, systemd.UNIT_STOPPING, systemd.UNIT_STOPPED, systemd.UNIT_RELOADING, systemd.UNIT_RESTART_SCHEDULED]
        )
        & pl.col("unit").is_not_null()
    )
    jobs = told_of.with_columns(pl.col("host", "boot", "unit", "manager", "message_id", "job_type").cast(pl.String)).sort(
        "host", "manager", "unit", "row"
    )
    previous = pl.col("message_id").shift(1).over("host", "manager", "unit")
    client = pl.col("message").str.contains("immediately on client request", literal=True)
    alone = (
        (pl.col("message_id") == systemd.UNIT_STOPPED)
        & ~previous.is_in([systemd.UNIT_RESTART_SCHEDULED, systemd.UNIT_STOPPING]).fill_null(value=False)
        & previous.is_not_null()
    )
    asked = (
        pl.col("message_id").is_in([systemd.UNIT_STOPPING, systemd.UNIT_RELOADING])
        | alone
        | ((pl.col("message_id") == systemd.UNIT_RESTART_SCHEDULED) & client)
    )
    jobs = jobs.filter(
        asked & pl.col("unit").str.ends_with(".service") & ~pl.col("unit").str.contains(r"^(?:user@|user-runtime-dir@|systemd-)")
    )
    jobs = jobs.join(boots, on=["host", "boot"], how="left", nulls_equal=True)
    shutdown = ~pl.col("last_boot") & ((pl.col("boot_end") - pl.col("time")) <= pl.duration(microseconds=SHUTDOWN))
    verbs = {systemd.UNIT_RELOADING: "reloaded", systemd.UNIT_RESTART_SCHEDULED: "started"}
    stop = pl.when(pl.col("job_type") == "restart").then(pl.lit("restarted")).otherwise(pl.lit("stopped"))
    verb = pl.col("message_id").replace_strict(verbs, default=stop, return_dtype=pl.String)
    return jobs.filter(~shutdown.fill_null(value=False)).with_columns(
        pl.format("{} {} on request", "unit", verb).alias("summary"), pl.lit("unit-job").alias("kind")
    )


def _boots(lines: pl.DataFrame) -> pl.DataFrame:
    """The first entry of each further boot of a host."""
    begins = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in ("host", "boot"))  # a boot's lines are neighbours
    first = lines.filter(begins).group_by("host", "boot").agg(pl.col("row", "time").first()).drop_nulls("boot").sort("row")
    further = first.filter(pl.int_range(pl.len()).over("host") > 0)
    return further.with_columns(
        pl.lit("boot").alias("kind"), pl.lit("the host booted").alias("summary"), pl.lit(None, pl.String).alias("unit")
    )


def _folded(found: pl.DataFrame) -> pl.DataFrame:
    """One change per action: lines of a host within seconds of each other, named after the weightiest, the first of those."""
    found = found.with_columns(pl.col("kind").replace_strict(RANK, return_dtype=pl.Int8).alias("rank")).sort(
        "host", "time", "row", nulls_last=True
    )
    pause = (pl.col("time").diff().over("host") > pl.duration(seconds=ONE_ACTION)).fill_null(value=True) | (pl.col("kind") == "boot")
    found = found.with_columns(pause.cum_sum().over("host").alias("action"))
    part = (pl.col("time") - pl.col("time").min().over("host", "action")).dt.total_seconds() // ONE_ACTION_AT_MOST
    found = found.with_columns(part.alias("part"))
    # Jobs of several units that nobody's command or switch explains are each their unit's
    jobs_only = pl.col("rank").min().over("host", "action", "part") == RANK["unit-job"]
    found = found.with_columns(pl.when(jobs_only).then("unit").alias("alone"))
    best = pl.col("rank") == pl.col("rank").min()
    said = pl.col("summary").filter(best).unique(maintain_order=True)
    more = pl.when(said.len() > 3).then(pl.format(" … and {} more", said.len() - 3)).otherwise(pl.lit(""))
    one_line = pl.col("rank").min().is_in([RANK["system-switch"], RANK["boot"], RANK["unit-reload"], RANK["login"]])
    joined = pl.when(one_line).then(said.first()).otherwise(said.head(3).str.join("; ") + more)
    about = pl.col("unit").drop_nulls().unique()
    host_wide = (
        (pl.col("rank").min() <= RANK["driver"])
        | (pl.col("unit").is_null() & best & (pl.col("kind") != "login")).any()
        | (about.len() != 1)
    )
    folded = found.group_by("host", "action", "part", "alone", maintain_order=True).agg(
        pl.col("time", "kind", "row").filter(best).first(), joined.alias("summary"), pl.when(~host_wide).then(about.first()).alias("unit")
    )
    return folded.sort("time", "host", "row")
