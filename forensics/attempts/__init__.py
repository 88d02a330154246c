"""Assemble entries into attempts, restarts and the manager's statements; `assemble_attempts` is the door."""

from forensics.attempts.assembly import Attempts, assemble_attempts, lifecycle_of
from forensics.attempts.lifecycle import asks_to_stop

__all__ = ["Attempts", "asks_to_stop", "assemble_attempts", "lifecycle_of"]
