"""What one ingest has met so far, and what it says when it could read nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import ForensicsError, JournalPermissionError
from forensics.store.manifest import Manifest

Record = tuple[str, int | None, str]  # of damage: file, offset, reason


@dataclass(slots=True)
class Tally:
    """What a run has met so far."""

    sources: list[str] = field(default_factory=list)
    new_entries: int = 0
    files_read: int = 0
    files_unchanged: int = 0
    damage: list[Record] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)  # files that could not be read at all

    def refuse(self, path: Path, error: ForensicsError | OSError) -> None:
        reason = str(error) if isinstance(error, ForensicsError) else f"cannot be read: {error.strerror or error}"
        self.damage.append((str(path), None, reason))
        self.refusals.append(error)

    def add(self, manifest: Manifest) -> None:
        self.sources.append(manifest.source)
        self.damage.extend((manifest.file, offset, reason) for offset, reason in manifest.damage)


def as_one_error(errors: Sequence[Exception], wanted: Sequence[Path]) -> ForensicsError:
    """The error of a run that could read nothing."""
    if all(isinstance(error, PermissionError) for error in errors):
        names = ", ".join(str(path) for path in wanted[:3])
        return JournalPermissionError(
            f"{names} may not be read by this user. Run it as root, or join the group systemd-journal "
            "(sudo usermod -aG systemd-journal $USER, then log in again)."
        )
    first = next(error for error in errors if not isinstance(error, PermissionError))
    if isinstance(first, ForensicsError):
        return first
    return ForensicsError(f"{wanted[0]} cannot be read: {getattr(first, 'strerror', None) or first}.")
