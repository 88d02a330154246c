"""Describe a kind of event: a module of its own, because the values of a report take a while to define."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """Describes a kind of event: with the texts of a catalogue pattern, or as well as an unknown one can be described."""

    id: str
    title: str
    severity: str  # critical, high, medium, low, info
    restart_helps: bool | None = None
    cause: str = ""
    remedy: str = ""
    references: tuple[str, ...] = ()
    restart_helps_when: str = ""  # completes "yes, …" where restart_helps: "once the memory is free"


LOST = Signature(
    id="journal.lost",
    title="Restarts whose log lines are lost",
    severity="medium",
    restart_helps=None,
    cause="The restart counter jumped: journald dropped, rotated away or never stored the lines of these attempts.",
    remedy="Raise the journal's size and rate limits (journald.conf: SystemMaxUse=, RateLimitBurst=), or stop the loop earlier.",
)
