"""Define which rules the user wants; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rules to write. within_s: of each incident's start; interval_s: of scrapes and evaluations; probes: the job of each unit's."""

    exporters: tuple[str, ...] = ("node",)
    within_s: float = 60.0
    interval_s: float = 15.0
    runbook_url: str = ""
    with_limits: bool = False
    with_probe: bool = False
    port: int | None = None
    unproven: bool = False
    probes: Mapping[str, str] = field(default_factory=dict)
