"""Give the attempts of a Tale lines that patterns know, with what these capture."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from forensics.incidents import Inputs
from forensics.model.frames import EVENTS
from forensics.signatures.match import CAPTURES
from tests.incidents.making import Tale, inputs_of

CAPTURED = pl.Schema({"event": pl.UInt32(), "signature": pl.String(), "captures": CAPTURES})


def naming(tale: Tale, *told: tuple[str, dict[str, str]] | None, signatures=None) -> Inputs:
    """The inputs of a tale whose attempts log these, in their order: a line, and what its pattern captured; None: nothing."""
    made = inputs_of(tale, signatures=signatures)
    events, captured, deciding = [], [], []
    for attempt, line in enumerate(told):
        if line is None:
            continue
        text, captures = line
        proof, row = made.labels.filter(pl.col("attempt") == attempt), made.attempts["first_row"][attempt]
        number, at = len(events), made.entries["time"][row]
        told_by = {"event": number, "attempt": attempt, "kind": "line", "time": at, "until": at, "row": row, "rows": 1, "pid": 77}
        events.append(told_by | {"text": text})
        signature = proof["signature"][0] if proof.height else "a"
        captured.append({"event": number, "signature": signature, "captures": [{"name": k, "value": v} for k, v in captures.items()]})
        deciding.append((attempt, number))
    of = pl.DataFrame(deciding, schema={"attempt": pl.UInt32, "found": pl.UInt32}, orient="row")
    labels = made.labels.join(of, on="attempt", how="left", maintain_order="left").with_columns(event="found").drop("found")
    frame = pl.DataFrame([{name: event.get(name) for name in EVENTS} for event in events], schema=EVENTS)
    return replace(made, events=frame, captured=pl.DataFrame(captured, schema=CAPTURED), labels=labels)
