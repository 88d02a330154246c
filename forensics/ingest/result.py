"""The result of an ingest, and the error of one that could read nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import ForensicsError, JournalPermissionError
from forensics.ingest.leads import HEAD, is_text, text_error
from forensics.journal.directory import HINT
from forensics.journal.format import NotAJournal
from forensics.model.values import Damage
from forensics.store.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest added. `sources` and `damage` cover everything that was asked for, unchanged sources included."""

    sources: tuple[str, ...] = ()  # the store's ids
    new_entries: int = 0
    files_read: int = 0
    files_unchanged: int = 0
    damage: tuple[Damage, ...] = ()
    present: tuple[str, ...] = ()  # those of `sources` that were just read or found unchanged, and so could be ingested again
    errors: tuple[Exception, ...] = ()  # one per file or directory that could not be read at all; each has a damage record too


def added(manifest: Manifest, new_entries: int) -> Ingested:
    return Ingested((manifest.source,), new_entries, files_read=1, damage=manifest.damage, present=(manifest.source,))


def unchanged(manifest: Manifest) -> Ingested:
    return Ingested((manifest.source,), files_unchanged=1, damage=manifest.damage, present=(manifest.source,))


def unreadable(path: Path, error: ForensicsError | OSError) -> Ingested:
    reason = str(error) if isinstance(error, ForensicsError) else f"cannot be read: {error.strerror or error}"
    return Ingested(damage=(Damage(str(path), None, reason),), errors=(error,))


def total(parts: Iterable[Ingested]) -> Ingested:
    """Add results up; sources and damage keep the order of the parts."""
    parts = list(parts)
    return Ingested(
        sources=tuple(dict.fromkeys(source for part in parts for source in part.sources)),
        new_entries=sum(part.new_entries for part in parts),
        files_read=sum(part.files_read for part in parts),
        files_unchanged=sum(part.files_unchanged for part in parts),
        damage=tuple(record for part in parts for record in part.damage),
        present=tuple(dict.fromkeys(source for part in parts for source in part.present)),
        errors=tuple(error for part in parts for error in part.errors),
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def as_one_error(errors: Sequence[Exception], wanted: Sequence[Path]) -> ForensicsError:
    """The error for the user when not one of the `wanted` files could be read."""
    if all(isinstance(error, PermissionError) for error in errors):
        names = ", ".join(str(path) for path in wanted[:3])
        return JournalPermissionError(f"{names}: permission denied. {HINT}")
    first = next(error for error in errors if not isinstance(error, PermissionError))
    if isinstance(first, NotAJournal) and (texts := [path for path in wanted if path.is_file() and is_text(_head(path))]):
        return text_error(str(texts[0]))
    if isinstance(first, ForensicsError):
        return first
    return ForensicsError(f"{wanted[0]} cannot be read: {getattr(first, 'strerror', None) or first}.")
