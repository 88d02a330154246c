"""Judge what the data lacks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forensics.boots import host_names
from forensics.incidents.gaps import Gaps, clock_jumps
from forensics.manager_fields import written_before_235
from forensics.model.values import Completeness, Damage, Gap
from forensics.wording import duration


def judge_completeness(entries: pl.DataFrame, gaps: Gaps, damage: Sequence[Damage]) -> Completeness:
    """Complete means: nothing dropped by journald, no missing sequence numbers, nothing unreadable. A clock jump loses nothing."""
    dropped = int(gaps.dropped["number"].sum())
    incomplete = pl.concat([gaps.missing, clock_jumps(gaps.clocks.steps)]).sort("start", "end", "reason")
    listed = tuple(Gap(*row) for row in incomplete.select("start", "end", "reason", "kind").iter_rows())
    complete = not dropped and gaps.missing.height == 0 and not damage
    return Completeness(entries.height, complete, dropped, listed, tuple(damage))


def data_notes(entries: pl.DataFrame, gaps: Gaps) -> tuple[str, ...]:
    """Write the notes that a reader needs about the data besides gaps."""
    filtered = (
        "Sequence numbers are missing throughout: the input was filtered, so lost entries cannot be distinguished from filtered ones."
    )
    asleep = gaps.clocks.steps.filter("slept")
    return (*_sleep_notes(entries, asleep), *_notes_of_old_systemd(entries), *((filtered,) if gaps.is_filtered else ()))


def _notes_of_old_systemd(entries: pl.DataFrame) -> list[str]:
    """Write what a journal of a systemd before 235 does not show."""
    hosts = host_names(entries[written_before_235(entries)])
    if not hosts:
        return []
    names = ", ".join(hosts)
    unseen = "lost restarts are not counted, and a service that ended without an error seems to run until its next start"
    return [f"The systemd of {names} is older than 235, numbers no restarts and logs no success: {unseen}."]


def _sleep_notes(entries: pl.DataFrame, asleep: pl.DataFrame) -> list[str]:
    """Write how long each machine slept. asleep: STEPS."""
    slept = asleep.group_by("machine").agg((pl.col("end") - pl.col("start")).dt.total_microseconds().sum()).sort("machine")
    notes = []
    for machine, us in slept.iter_rows():
        hosts = host_names(entries.filter((pl.col("machine") == machine) | (pl.col("machine").is_null() & (pl.col("host") == machine))))
        notes.append(f"The host {', '.join(hosts) or machine} slept {duration(us / 1e6)} in this window; durations leave sleep out.")
    return notes
