"""Entries in, attempts, their events and their restarts out. `assemble` is the door."""

from forensics.attempts.assembly import Assembly, assemble

__all__ = ["Assembly", "assemble"]
