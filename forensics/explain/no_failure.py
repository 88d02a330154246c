"""Pick the event that best explains a pasted log in which no attempt failed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forensics.model.frames import EVENTS
from forensics.model.signature import Signature
from forensics.signatures.candidates import OWN
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.nonfatal import FATAL_ELSEWHERE, UNKNOWN, problems, signature_of

_OF_ENTRY = ("time", "priority", "transport", "identifier", "pid", "message_id", "command", "exit_code", "exit_status", "result", "errno")
_PREVENTED = "systemd.dependency"  # the class of a start that another unit's failure prevented


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a text without a failed attempt. row: of its entry; rule: a key of WHY."""

    signature: Signature
    rule: int
    row: int
    text: str
    key_text: str
    captures: dict[str, str]

    @property
    def explains_a_start(self) -> bool:
        """Whether it explains why a unit was not started: a known problem that stops services, not the prevented start itself."""
        return self.rule == FATAL_ELSEWHERE and self.signature.id != _PREVENTED


def find_problem(entries: pl.DataFrame, events: pl.DataFrame, catalogue: Catalogue) -> Problem | None:
    """Pick the problem with the best rule, the first of several. entries: ENTRIES of the text; events: EVENTS of its attempts."""
    own = events.filter(pl.col("kind").cast(pl.String).is_in(OWN))
    everything = pl.concat([_manager_and_kernel_events(entries), own]).sort("row", maintain_order=True)
    numbered = everything.drop("event").with_row_index("event")
    candidates = problems(numbered, catalogue).sort("rule", "row")
    # of several unknown exceptions the last one counts
    candidates = pl.concat([candidates.filter(pl.col("rule") != UNKNOWN), candidates.filter(pl.col("rule") == UNKNOWN).tail(1)])
    if candidates.is_empty():
        return None
    best = candidates.row(0, named=True)
    event = numbered.filter(pl.col("event") == best["event"]).row(0, named=True)
    return Problem(
        signature=signature_of(best, catalogue),
        rule=best["rule"],
        row=best["row"],
        text=event["text"],
        key_text=event["root"] or event["text"],
        captures={capture["name"]: capture["value"] for capture in best["captures"]},
    )


def _manager_and_kernel_events(entries: pl.DataFrame) -> pl.DataFrame:
    """Make an event of every line of the manager and the kernel, whether or not it is about an attempt."""
    lines = entries.with_row_index("row").filter((pl.col("pid") == 1) | (pl.col("transport") == "kernel"))
    kind = pl.when(pl.col("transport") == "kernel").then(pl.lit("kernel")).otherwise(pl.lit("manager"))
    events = lines.select(*[pl.col(name).cast(EVENTS[name]) for name in _OF_ENTRY], event="row", row="row", kind=kind, text="message")
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in EVENTS.items() if name not in events.columns]
    return events.with_columns(missing).select([pl.col(name).cast(dtype) for name, dtype in EVENTS.items()])
