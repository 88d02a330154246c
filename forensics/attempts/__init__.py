"""Assemble entries into attempts, restarts and the manager's statements; `assemble_attempts` is the door."""

from forensics.attempts.assembly import Attempts, assemble_attempts, lifecycle_of

__all__ = ["Attempts", "assemble_attempts", "lifecycle_of"]
