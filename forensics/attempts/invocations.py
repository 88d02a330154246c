"""Find the invocation that each entry belongs to.

A candidate is one invocation id in one unit boot: an attempt, if something was started. Neighbouring entries nearly always share it, so
ids are compared with the neighbour's once per entry and joined once per block of equal neighbours.
"""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, is_kind, is_unmet_dependency
from forensics.speakers import Speaker, spoken


def with_candidates(entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find candidates, and add `candidate` (null where unknown) to the entries of `with_unit_keys`, in (unit_boot, row) order.

    Candidates: candidate, unit_boot, unit_key, boot, id_row (an entry that has the id).
    """
    ordered = entries.sort("unit_boot", maintain_order=True)  # entries come in row order; by both keys it would cost four times as much
    changed = ordered.select(
        (pl.col("unit_boot").ne_missing(pl.col("unit_boot").shift()) | pl.col("invocation").ne_missing(pl.col("invocation").shift())).alias(
            "new"
        )
    )["new"]
    block = changed.cast(pl.UInt32).cum_sum() - 1
    blocks = ordered.filter(changed).select("unit_boot", "unit_key", "boot", "invocation", id_row="row")
    ids = ["unit_boot", "invocation"]
    candidates = blocks.drop_nulls("invocation").unique(ids, keep="first", maintain_order=True).with_row_index("candidate")
    of_block = blocks.join(candidates.select("candidate", *ids), on=ids, how="left", maintain_order="left")["candidate"]
    if ordered.is_empty():
        return ordered.with_columns(pl.lit(None, pl.UInt32).alias("candidate")), candidates
    return ordered.with_columns(of_block.gather(block).alias("candidate")), candidates


def with_late_lines_returned(entries: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return a service's lines to the attempt that was about to end, where they carry the id of one that had not begun.

    journald looks an id up when it takes a line. With RestartSec=0 on a busy machine the next start has been made by then: 1-2 % of
    the last lines in such a loop (systemd 252). lines: the manager's.
    """
    written = spoken(entries, Speaker.SERVICE, "row", "unit_boot", "candidate")
    begins = _first_rows(lines).gather(written["candidate"], null_on_oob=True)
    early = written.with_columns(begins.alias("begins")).filter(pl.col("row") < pl.col("begins")).sort("row")
    ends = lines.filter(is_kind(ManagerMessage.EXIT, ManagerMessage.FAILED, ManagerMessage.ENDED_WELL) & pl.col("candidate").is_not_null())
    wrong = (
        early.join_asof(
            ends.select("unit_boot", end="row", ending="candidate").sort("end"),
            left_on="row", right_on="end", by="unit_boot", strategy="forward", check_sortedness=False,
        )
        .filter(pl.col("end") < pl.col("begins"))
        .select("row", candidate="ending")
    )  # fmt: skip
    return reassigned(entries, wrong)


def reassigned(entries: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Give entries the candidates that `changes` names: row, candidate. Only these two columns are joined, the others not copied."""
    if changes.is_empty():
        return entries
    new = changes.select("row", new="candidate")
    joined = entries.select("row", "candidate").join(new, on="row", how="left", maintain_order="left")
    return entries.with_columns(joined.select(pl.coalesce("new", "candidate").alias("candidate")).to_series())


def _first_rows(lines: pl.DataFrame) -> pl.Series:
    """Return the row of the first of `lines` about each candidate, in order of their numbers; 0 for none."""
    named = lines.select("candidate", "row").drop_nulls("candidate").reverse()  # rows rise within a candidate; the last assignment stays
    numbers = int(named["candidate"].max() or 0) + 1  # type: ignore[arg-type]
    return pl.repeat(0, numbers, dtype=pl.UInt32, eager=True).scatter(named["candidate"], named["row"])


def with_lines_without_id(entries: pl.DataFrame, openings: pl.DataFrame) -> pl.DataFrame:
    """Give a candidate to entries without an invocation id."""
    return reassigned(entries, _claimed(entries, openings).drop_nulls("candidate"))


def openings(entries: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Find from which row on a line without an id belongs to each candidate: unit_boot, candidate, row.

    After a scheduled restart it more likely belongs to the next one; none belongs to a start that was not even tried. lines: the manager's.
    """
    untried = lines.filter(is_unmet_dependency())["candidate"].drop_nulls()
    blocks = entries.select("candidate", "unit_boot", "row").filter(pl.col("candidate").ne_missing(pl.col("candidate").shift()))
    first = (
        blocks.drop_nulls("candidate")
        .group_by("candidate")
        .agg(pl.col("unit_boot").first(), pl.col("row").min())
        .filter(~pl.col("candidate").is_in(untried.implode()))
        .select("candidate", "unit_boot", "row")
    )
    scheduled = lines.filter(is_kind(ManagerMessage.RESTART)).select("unit_boot", restarted="row").sort("restarted")
    return (
        first.sort("row")
        .join_asof(scheduled, left_on="row", right_on="restarted", by="unit_boot", check_sortedness=False)
        .sort("unit_boot", "row")
        .with_columns(pl.col("row").shift().over("unit_boot").alias("previous"))
        .with_columns(pl.when(pl.col("restarted") > pl.col("previous")).then(pl.col("restarted")).otherwise(pl.col("row")).alias("row"))
        .select("unit_boot", "candidate", "row")
    )


def _claimed(entries: pl.DataFrame, openings: pl.DataFrame) -> pl.DataFrame:
    """Attribute lines without an id by their stream, else by their process, else by what was open then: row, candidate.

    On a slow machine journald finds no id for up to half of the lines of processes that live for milliseconds.
    """
    speakers = [int(Speaker.SERVICE), int(Speaker.JOURNALD)]
    of_attempts = (
        entries.lazy().filter(pl.col("speaker").is_in(speakers)).select("row", "unit_boot", "pid", "stream", "candidate", "speaker")
    )
    nameless = of_attempts.filter(pl.col("candidate").is_null()).collect()
    if nameless.is_empty():
        return nameless.select("row").with_columns(pl.lit(None, pl.UInt32).alias("candidate"))
    named = of_attempts.filter(pl.col("candidate").is_not_null() & (pl.col("speaker") == int(Speaker.SERVICE))).collect()
    by_stream = (
        named.filter(pl.col("stream").is_in(nameless["stream"].drop_nulls().unique().implode()))
        .unique(["unit_boot", "stream"], keep="last", maintain_order=True)
        .select("unit_boot", "stream", by_stream="candidate")
    )
    of_pids = named.filter(pl.col("pid").is_in(nameless["pid"].drop_nulls().unique().implode())).select(
        "row", "unit_boot", "pid", by_pid="candidate"
    )
    before, after = (openings.select("row", "unit_boot", pl.col("candidate").alias(name)).sort("row") for name in ("before", "after"))
    joined = (
        nameless.join(by_stream, on=["unit_boot", "stream"], how="left")
        .sort("row")
        .join_asof(of_pids.sort("row"), on="row", by=["unit_boot", "pid"], strategy="nearest", check_sortedness=False)
        .join_asof(before, on="row", by="unit_boot", check_sortedness=False)
        .join_asof(after, on="row", by="unit_boot", strategy="forward", check_sortedness=False)
    )
    return joined.select("row", pl.coalesce("by_stream", "by_pid", "before", "after").alias("candidate"))
