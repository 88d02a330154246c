"""Cut attempts by the order of the manager's statements, where invocation ids are missing or do not change.

A cycle is what the manager logs about one attempt, from its start to the next one. systemd before 232 writes no invocation ids. From 254
on the lines of a service with RestartMode=direct carry the id of its first attempt in all later ones.
"""

from __future__ import annotations

import polars as pl

from forensics.attempts.ends import HARMLESS
from forensics.attempts.invocations import reassigned
from forensics.attempts.manager_messages import ManagerMessage, is_kind, is_unmet_dependency
from forensics.speakers import Speaker

STATEMENTS = (
    ManagerMessage.STARTING,
    ManagerMessage.STARTED,
    ManagerMessage.FINISHED,
    ManagerMessage.EXIT,
    ManagerMessage.FAILED,
    ManagerMessage.ENDED_WELL,
    ManagerMessage.RESTART,
    ManagerMessage.STOPPING,
    ManagerMessage.STOPPED,
    ManagerMessage.JOB_FAILED,
)
ENDS = (
    ManagerMessage.FAILED,
    ManagerMessage.ENDED_WELL,
    ManagerMessage.RESTART,
    ManagerMessage.STOPPED,
    ManagerMessage.JOB_FAILED,
)


def cut_by_order(entries: pl.DataFrame, candidates: pl.DataFrame, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the three with a candidate for each cycle. entries: of `with_candidates`, as `candidates`; lines: the manager's."""
    cycled = _cycles(lines)
    if cycled.is_empty():
        return entries, candidates, lines
    parts = cycled.unique("part", keep="first", maintain_order=True).with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("new") + candidates.height
    )
    numbers = cycled.join(parts.select("part", "new"), on="part").select("row", candidate="new")
    created = parts.select("unit_boot", "unit_key", "boot", candidate="new")
    return (
        reassigned(entries, numbers),
        pl.concat([candidates, created], how="diagonal"),
        reassigned(lines, numbers),
    )


def _cycles(lines: pl.DataFrame) -> pl.DataFrame:
    """Find the manager's lines that need a candidate of their own: row, unit_boot, unit_key, boot, part (equal within one cycle)."""
    with_ids = lines.drop_nulls("candidate")["unit_boot"].unique()
    keep = pl.col("candidate").is_not_null() | ~pl.col("unit_boot").is_in(with_ids.implode())
    unmet = is_unmet_dependency()
    stated = lines.filter(
        keep & is_kind(*STATEMENTS) & ~pl.col("echo") & ~unmet & ~pl.col("command").cast(pl.String).is_in(HARMLESS).fill_null(value=False)
    )
    numbered = (
        stated.select("row", "unit_boot", "candidate", "kind", "time")
        .sort("unit_boot", "candidate", "row")
        .with_columns(_is_first().alias("first"), _opens().alias("opens"))
        .with_columns((pl.col("first") | pl.col("opens")).cum_sum().alias("part"))
    )
    cut = numbered.filter(pl.col("opens"))["candidate"].drop_nulls().unique()
    dependent = lines.filter(unmet).select("row", "unit_boot", "unit_key", "boot", (-1 - pl.col("row").cast(pl.Int64)).alias("part"))
    affected = lines.filter(keep & ~unmet & (pl.col("candidate").is_null() | pl.col("candidate").is_in(cut.implode()))).select(
        "row", "unit_boot", "unit_key", "boot", "candidate"
    )
    if affected.is_empty():
        return dependent
    points = numbered.select("row", "unit_boot", "candidate", pl.col("part").cast(pl.Int64)).with_columns(_null_as_code()).sort("row")
    by = ["unit_boot", "code"]
    placed = affected.with_columns(_null_as_code()).sort("row").join_asof(points.drop("candidate"), on="row", by=by, check_sortedness=False)
    first_parts = numbered.filter(pl.col("candidate").is_not_null() & pl.col("first"))["part"]
    ours = placed.filter(pl.col("part").is_not_null() & ~pl.col("part").is_in(first_parts.cast(pl.Int64).implode()))
    return pl.concat([ours.select(dependent.columns), dependent])


def _null_as_code() -> pl.Expr:
    """Select the candidate with -1 for null, which no join matches."""
    return pl.col("candidate").cast(pl.Int64).fill_null(-1).alias("code")


def _earlier(by: int) -> pl.Expr:
    """Select the kind of the statement `by` earlier about the same unit boot and candidate."""
    same = (pl.col("unit_boot") == pl.col("unit_boot").shift(by)) & pl.col("candidate").eq_missing(pl.col("candidate").shift(by))
    return pl.when(same).then(pl.col("kind").shift(by))


def _is_first() -> pl.Expr:
    return _earlier(1).is_null()


def _opens() -> pl.Expr:
    """Decide which statements begin another cycle.

    Before 246 a oneshot that ended well logs `Started` last. Where the start's line is lost, what follows a scheduled restart begins one.
    """
    before, without_id = _earlier(1), pl.col("candidate").is_null()
    after_end = before.is_in([int(kind) for kind in ENDS]) | (without_id & (before == int(ManagerMessage.EXIT)))
    of_oneshot = (before == int(ManagerMessage.ENDED_WELL)) & (_earlier(2) == int(ManagerMessage.STARTING)).fill_null(value=False)
    over = before.is_in([int(ManagerMessage.RESTART), int(ManagerMessage.STOPPED)])
    start_lost = is_kind(ManagerMessage.EXIT, ManagerMessage.FAILED) & over & without_id
    starts = is_kind(ManagerMessage.STARTING) & before.is_not_null()
    started = is_kind(ManagerMessage.STARTED, ManagerMessage.FINISHED) & after_end & ~of_oneshot
    is_repeated = pl.col("time") < pl.col("time").shift()  # the same lines, read once more
    return (starts | started | start_lost).fill_null(value=False) & (without_id | ~is_repeated.fill_null(value=False))


def with_stale_ids_corrected(entries: pl.DataFrame, lines: pl.DataFrame, openings: pl.DataFrame) -> pl.DataFrame:
    """Give a service's lines to the attempt that was open, where they carry the id of an earlier one and it has no lines of its own.

    Lines of a process that the manager reports as left over stay. openings: unit_boot, candidate, row.
    """
    of_service = pl.col("speaker") == int(Speaker.SERVICE)
    begun = lines.drop_nulls("candidate").group_by("candidate").agg(began=pl.col("row").min())
    stated = openings.join(begun, on="candidate", how="semi")
    written_in = entries.select(pl.col("candidate").filter(of_service).unique())["candidate"]
    silent = stated.filter(~pl.col("candidate").is_in(written_in.implode()))
    if silent.is_empty():
        return entries
    doubtful = pl.col("unit_boot").is_in(silent["unit_boot"].unique().implode()) & pl.col("candidate").is_not_null() & of_service
    written = entries.lazy().filter(doubtful).select("row", "unit_boot", "pid", "candidate").collect()
    open_then = stated.select("unit_boot", "row", open="candidate", opened="row").sort("row")
    stale = (
        written.join_asof(open_then, on="row", by="unit_boot", check_sortedness=False)
        .join(begun, on="candidate", how="left")
        .filter(pl.col("open").is_in(silent["candidate"].implode()) & (pl.col("began").is_null() | (pl.col("began") < pl.col("opened"))))
        .join(_left_over(lines), on=["unit_boot", "pid"], how="anti")
        .select("row", candidate="open")
    )
    return reassigned(entries, stale)


def _left_over(lines: pl.DataFrame) -> pl.DataFrame:
    """Find the processes that the manager found in the unit's control group at a start: unit_boot, pid."""
    others = lines.filter(is_kind(ManagerMessage.OTHER) & pl.col("message").str.contains("Found left-over process", literal=True))
    return others.select(
        "unit_boot", pl.col("message").str.extract(r"Found left-over process (\d+)").cast(pl.Int64, strict=False).alias("pid")
    ).unique()
