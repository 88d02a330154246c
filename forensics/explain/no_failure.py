"""The events of a pasted text in which no attempt failed in, the one that tells of a problem out: a service may go on, the manager and
the kernel may complain of what nobody here started.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forensics.model.frames import EVENTS
from forensics.model.values import Signature
from forensics.signatures import naming
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.nonfatal import UNKNOWN, problems

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
    candidates = problems(said, catalogue).sort("rule", "row")
    # of exceptions that nobody knows the last one counts
    candidates = pl.concat([candidates.filter(pl.col("rule") != UNKNOWN), candidates.filter(pl.col("rule") == UNKNOWN).tail(1)])
    if candidates.is_empty():
        return None
    best = candidates.row(0, named=True)
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
