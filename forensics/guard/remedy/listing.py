"""Write down which remedies are declared and which were started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from forensics.guard.remedy.declared import Remedy
from forensics.guard.remedy.ledger import DONE, Cause, Start

SHOWN = 12  # characters of an environment's fingerprint


def listing(remedies: Sequence[Remedy], causes: Iterable[Cause]) -> str:
    """Return the list, one line for each remedy and for each start."""
    declared = [f"  {one.classes} of {one.unit}: {one.start}, within {one.within_s:.0f} s" for one in remedies]
    started = [line for cause in causes for line in _started(cause)]
    parts = ["Declared:", *(declared or ["  none"]), "Started:", *(started or ["  none"])]
    return "\n".join(parts) + "\n"


def _started(cause: Cause) -> Iterator[str]:
    for start in cause.starts:
        when = datetime.fromtimestamp(start.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield f"  {when} UTC {start.remedy} for {cause.signature} of {cause.unit} (environment {start.before[:SHOWN]}): {_end(start)}"


def _end(start: Start) -> str:
    if not start.outcome:
        return "its end is not recorded"
    return f"{start.outcome}, {'the unit held' if start.held else 'not known to have held'}" if start.outcome == DONE else start.outcome
