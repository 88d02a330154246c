"""Define what a user may choose about how a report looks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """figures: charts in HTML; redact: replace secrets by pseudonyms; color, width, brief and encoding: for the terminal."""

    figures: bool = True
    redact: bool = True
    color: bool = False
    width: int = 100
    brief: bool = False
    encoding: str = "utf-8"
