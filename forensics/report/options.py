"""What a user may choose about how a report looks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """figures: charts in HTML; redact: secrets become pseudonyms; color and width: of the terminal's text."""

    figures: bool = True
    redact: bool = True
    color: bool = False
    width: int = 100
