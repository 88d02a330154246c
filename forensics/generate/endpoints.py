"""Find the address that a unit answers on, as the lines of its healthy attempts show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from forensics.pipeline import Investigation
from forensics.policy.limits import HELD_S

_HOST = r"(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|\[[0-9a-fA-F:]+\]|\*)"
_ADDRESS = rf"(?:^|[\s(\"'=]|//)({_HOST}):(\d{{2,5}})\b"
_LISTENS = r"(?i)https?://|\blisten|\brunning on\b|\bserv(?:ing|er|ed)\b|\bbound\b|\bstarted\b"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A port of this host. lines: how many lines of healthy attempts name it; others: ports named by other attempts only."""

    port: int
    lines: int
    others: tuple[int, ...] = ()


def endpoint_of(investigation: Investigation, unit: str) -> Endpoint | None:
    """Find the port named most often while the unit was stable; None where no line names one."""
    history = investigation.history
    attempts = history.assembly.attempts.filter(pl.col("unit") == unit)
    held = attempts.filter(pl.col("uptime_s") >= HELD_S)["invocation"].drop_nulls().implode()
    named = (
        history.entries.lazy()
        .filter(
            (pl.col("unit").cast(pl.String) == unit) & pl.col("message").str.contains(_ADDRESS) & pl.col("message").str.contains(_LISTENS)
        )
        .select(
            pl.col("message").str.extract(_ADDRESS, 2).cast(pl.Int32, strict=False).alias("port"),
            pl.col("invocation").is_in(held).fill_null(value=False).alias("held"),
        )
        .drop_nulls()
        .filter(pl.col("port").is_between(1, 65535))
        .collect()
    )
    counts = Counter(named.filter("held")["port"].to_list())
    if not counts:
        return None
    port, lines = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return Endpoint(port, lines, tuple(sorted(set(named["port"].to_list()) - set(counts))))
