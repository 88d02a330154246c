"""Assemble entries into attempts: the order of the stage's steps.

Every step works on one (machine, boot, unit) at a time, as group or sort key, never on pairs of entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forensics.attempts import build
from forensics.attempts.cycles import cut_by_order, with_stale_ids_corrected
from forensics.attempts.ends import ends_of
from forensics.attempts.invocations import openings, with_candidates, with_late_lines_returned, with_lines_without_id
from forensics.attempts.kernel_and_coredumps import kernel_and_coredumps
from forensics.attempts.lifecycle import lifecycle_table, manager_lines
from forensics.attempts.manager_messages import ManagerMessage, is_kind, is_unmet_dependency
from forensics.attempts.restarts import scheduled, with_lost
from forensics.attempts.unit_keys import HostCodes, host_codes, with_unit_keys
from forensics.boots import machine_or_host
from forensics.manager_fields import with_manager_fields
from forensics.model.frames import ATTEMPT_ENTRIES, ATTEMPTS, ENTRIES, LIFECYCLE, RESTARTS, checked
from forensics.speakers import Speaker, spoken

EXPLAINING = (
    ManagerMessage.EXIT,
    ManagerMessage.FAILED,
    ManagerMessage.START_LIMIT,
    ManagerMessage.WATCHDOG,
    ManagerMessage.TIMEOUT,
    ManagerMessage.SPAWN_FAILED,
    ManagerMessage.OUT_OF_MEMORY,
)
WARNING = 4  # other manager lines count when they are at least a warning; the result of a job only repeats its causes


@dataclass(frozen=True, slots=True)
class Attempts:
    """ATTEMPTS, RESTARTS, LIFECYCLE and ATTEMPT_ENTRIES; their rows index the entries they were made from."""

    attempts: pl.DataFrame
    restarts: pl.DataFrame
    lifecycle: pl.DataFrame
    members: pl.DataFrame


def assemble_attempts(entries: pl.DataFrame, *, include_running: bool = False) -> Attempts:
    """Assemble ENTRIES in canonical order, as `with_manager_fields` completes them.

    include_running: whether `members` has the entries of attempts that still run.
    """
    checked(entries, ENTRIES, "entries")
    hosts = host_codes(entries)
    attributed, candidates = with_candidates(with_unit_keys(entries, hosts))
    attributed, candidates, lines = cut_by_order(attributed, candidates, manager_lines(entries, attributed))
    attributed = with_late_lines_returned(attributed, lines)
    opened = openings(attributed, lines)
    attributed = with_lines_without_id(with_stale_ids_corrected(attributed, lines, opened), opened)
    started = _attempts(candidates, attributed, lines)
    reports = kernel_and_coredumps(entries, attributed, started, lines, hosts.boot)
    numbered = build.attempts_table(entries, build.with_outcomes(_with_reports(started, entries, reports, hosts)))
    numbers = numbered.select("candidate", "attempt")
    members = numbered if include_running else numbered.filter(pl.col("outcome") != "running")
    return Attempts(
        attempts=checked(numbered.drop("candidate", "unit_key"), ATTEMPTS, "attempts"),
        restarts=checked(_restarts(entries, numbers, lines), RESTARTS, "restarts"),
        lifecycle=checked(lifecycle_table(entries, lines, numbers), LIFECYCLE, "lifecycle"),
        members=checked(_members(members, attributed, lines, reports), ATTEMPT_ENTRIES, "attempt entries"),
    )


def lifecycle_of(entries: pl.DataFrame) -> pl.DataFrame:
    """Read LIFECYCLE without assembling attempts: `attempt` is null throughout."""
    entries = with_manager_fields(entries)
    attributed, _ = with_candidates(with_unit_keys(entries, host_codes(entries)))
    no_attempts = pl.DataFrame(schema={"candidate": pl.UInt32, "attempt": pl.UInt32})
    return lifecycle_table(entries, manager_lines(entries, attributed), no_attempts)


def _attempts(candidates: pl.DataFrame, attributed: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Select the candidates in which something was started; a skipped start is not an attempt."""
    ends = ends_of(lines.filter(~pl.col("echo") & pl.col("candidate").is_not_null()))
    joined = candidates.join(build.tallied(attributed), on="candidate", how="inner").join(ends, on="candidate", how="left")
    started = (pl.col("started_something").fill_null(value=False) | pl.col("wrote")) & ~pl.col("skipped").fill_null(value=False)
    attempts = joined.filter(started)
    began = pl.col("starting_row").is_not_null() | pl.col("started_row").is_not_null() | pl.col("unmet_dependency").fill_null(value=False)
    return (
        attempts.join(build.automatic(attempts, lines), on="candidate", how="left")
        .with_columns(pl.when(pl.col("automatic") | began).then(pl.col("automatic")).alias("automatic"))
        .with_columns(pl.col("stopped_on_request").fill_null(value=False), pl.col("refused").fill_null(value=False))
    )


def _with_reports(attempts: pl.DataFrame, entries: pl.DataFrame, reports: pl.DataFrame, hosts: HostCodes) -> pl.DataFrame:
    """Add what kernel messages, core dumps and the boot's end show about attempts."""
    return (
        build.with_reports(attempts, entries, reports)
        .join(build.boots_judged(entries, hosts), on="boot", how="left")
        .with_columns(
            pl.col("candidate").is_in(reports.filter("oom")["candidate"].implode()).alias("kernel_oom"),
            pl.col("candidate").is_in(reports.filter(pl.col("source") == "coredump")["candidate"].implode()).alias("dumped_core"),
        )
        .with_columns((pl.col("logged_oom").fill_null(value=False) | pl.col("kernel_oom")).alias("oom_killed"))
    )


def _restarts(entries: pl.DataFrame, numbers: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    if not lines.select(is_kind(ManagerMessage.RESTART).any()).item():
        return RESTARTS.to_frame()
    restarts = with_lost(scheduled(lines)).join(numbers, on="candidate", how="left", maintain_order="left")
    about = entries.select("time", "machine", "host", "manager", "unit", "boot")[restarts["row"]]
    return restarts.hstack(about.with_columns(machine_or_host())).select([pl.col(name).cast(kind) for name, kind in RESTARTS.items()])


def _members(attempts: pl.DataFrame, attributed: pl.DataFrame, lines: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """List the ATTEMPT_ENTRIES of `attempts`: their own lines, those of the manager and the kernel, and core dumps."""
    warned = is_kind(ManagerMessage.OTHER) & (pl.col("priority") <= WARNING)
    sources = [
        lines.filter((is_kind(*EXPLAINING) | is_unmet_dependency() | warned) & ~pl.col("echo")).select(
            "row", "candidate", source=pl.lit("manager")
        ),
        reports.select("row", "candidate", "source"),
        spoken(attributed, Speaker.SERVICE, "row", "candidate").with_columns(source=pl.lit("service")),
    ]
    of_attempt = attempts.select("candidate", "attempt", "unit_key")
    joined = pl.concat([source.join(of_attempt, on="candidate") for source in sources])
    return joined.select([pl.col(name).cast(kind) for name, kind in ATTEMPT_ENTRIES.items()])
