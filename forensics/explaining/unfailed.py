"""The events of a pasted text in which no attempt failed in, the one that tells of a problem out: a service may lose a task, a
configuration or a deployment and go on; the manager and the kernel may complain of what nobody here started.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forensics.model import EVENTS, Signature
from forensics.signatures import naming, tone
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.mask import LONGEST
from forensics.signatures.match import CAPTURES, find_hits

# Why, best first: what stops services, what only harms them, and an error that nobody knows.
FATAL_ELSEWHERE, FATAL_OWN, HARMFUL, UNKNOWN = range(4)
WHY = {
    FATAL_ELSEWHERE: "catalogue pattern, in the words of systemd or the kernel",
    FATAL_OWN: "catalogue pattern, in the words of a service that goes on",
    HARMFUL: "catalogue pattern, of a problem that ends no service",
    UNKNOWN: "last exception of the last traceback, of a service that goes on",
}
_OF_ENTRY = ("time", "priority", "transport", "identifier", "pid", "message_id", "command", "exit_code", "exit_status", "result", "errno")


@dataclass(frozen=True, slots=True)
class Found:
    """What the text tells of: the row of its entry, the words, and the rule's number in WHY."""

    signature: Signature
    rule: int
    row: int
    text: str
    key_text: str
    captures: dict[str, str]


def find(entries: pl.DataFrame, events: pl.DataFrame, catalogue: Catalogue) -> Found | None:
    """The best event by rule, the first one of several. entries: ENTRIES of the text; events: EVENTS of its attempts."""
    said = _numbered(pl.concat([_of_others(entries), events.filter(pl.col("kind").cast(pl.String).is_in(("line", "traceback")))]))
    candidates = pl.concat([_known(said, catalogue), _unknown(said)])
    if candidates.is_empty():
        return None
    best = candidates.sort("rule", "row").row(0, named=True)
    pattern = next((pattern for pattern in catalogue.patterns if pattern.id == best["signature"]), None)
    event = said.filter(pl.col("event") == best["event"]).row(0, named=True)
    return Found(
        signature=pattern.signature if pattern is not None else naming.mined_signature(best["signature"], best["title"]),
        rule=best["rule"],
        row=best["row"],
        text=event["text"],
        key_text=event["root"] or event["text"],
        captures={one["name"]: one["value"] for one in best["captures"]},
    )


def _of_others(entries: pl.DataFrame) -> pl.DataFrame:
    """Every line of the manager and the kernel as an event, whether or not it is about somebody who was started."""
    told = entries.with_row_index("row").filter((pl.col("pid") == 1) | (pl.col("transport") == "kernel"))
    kind = pl.when(pl.col("transport") == "kernel").then(pl.lit("kernel")).otherwise(pl.lit("manager"))
    events = told.select(*[pl.col(name).cast(EVENTS[name]) for name in _OF_ENTRY], event="row", row="row", kind=kind, text="message")
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in EVENTS.items() if name not in events.columns]
    return events.with_columns(missing).select([pl.col(name).cast(dtype) for name, dtype in EVENTS.items()])


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    return events.sort("row", maintain_order=True).drop("event").with_row_index("event")


def _known(said: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """rule, row, event, signature, title, captures of the known problems in the text."""
    severities = {pattern.id: pattern.severity for pattern in catalogue.patterns}
    fatal = pl.col("signature").is_in([pattern.id for pattern in catalogue.patterns if pattern.is_fatal])
    own = pl.col("kind").cast(pl.String).is_in(("line", "traceback"))
    short = pl.col("text").str.slice(0, LONGEST)
    severe = pl.col("signature").replace_strict(severities, default=None, return_dtype=pl.String) != "info"
    rule = (
        pl.when(fatal & ~own)
        .then(FATAL_ELSEWHERE)
        .when(fatal & (tone.reports_error(short) | (pl.col("kind").cast(pl.String) == "traceback")))
        .then(FATAL_OWN)
        .when(~fatal & severe)
        .then(HARMFUL)
    )
    return (
        said.join(find_hits(said, catalogue).frame, on="event", maintain_order="left")
        .with_columns(rule=rule, title=pl.lit(""))
        .filter(pl.col("rule").is_not_null())
        .select("rule", "row", "event", "signature", "title", "captures")
    )


def _unknown(said: pl.DataFrame) -> pl.DataFrame:
    """The last traceback that nobody asked for, unless the line before it is a warning: then somebody expected it."""
    before = pl.col("text").str.slice(0, LONGEST).shift(1).over("attempt")
    raised = said.filter(
        (pl.col("kind").cast(pl.String) == "traceback")
        & ~tone.comes_from_stopping(pl.coalesce("last", "root", pl.lit("")))
        & ~tone.warns(before).fill_null(value=False)
    ).tail(1)
    return (
        raised.join(naming.mined(raised), on="event")
        .with_columns(rule=pl.lit(UNKNOWN), captures=pl.lit([], CAPTURES))
        .select("rule", "row", "event", "signature", "title", "captures")
    )
