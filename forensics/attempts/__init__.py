"""Assemble entries into attempts, restarts and the manager's statements; `assemble_attempts` is the door."""

from forensics.attempts.assembly import Attempts, assemble_attempts

__all__ = ["Attempts", "assemble_attempts"]
