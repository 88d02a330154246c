"""Find who did what to the machines: switches, packages, commands, boots; `find_changes` is the door."""

from forensics.changes.find import find_changes

__all__ = ["find_changes"]
