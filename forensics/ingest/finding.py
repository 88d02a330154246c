"""Find the journal files of files and directories while journald renames them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from forensics.errors import ForensicsError
from forensics.ingest.result import Ingested, unreadable
from forensics.journal.directory import journal_files
from forensics.journal.file import header
from forensics.journal.format import Header
from forensics.store.manifest import FileState

JOURNAL = "*.journal*"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A journal file with its header, size and modification time as of one look at it."""

    path: Path
    header: Header
    size: int
    changed_ns: int

    @property
    def state(self) -> FileState:
        return FileState(self.header.tail_seqnum, self.header.n_entries, self.header.state, self.size, self.changed_ns)

    @property
    def content(self) -> tuple[int, int]:
        return self.header.tail_seqnum, self.header.n_entries


def find(wanted: Sequence[Path]) -> tuple[list[SourceFile], list[Ingested]]:
    """List every journal file of `wanted` files and directories once, sorted by path, and a result per unreadable one.

    Directories are listed until nothing new appears: a file that journald rotates between the listing and the reading of its
    header would be missing otherwise.
    """
    files: dict[str, SourceFile] = {}
    failures: dict[Path, Ingested] = {}
    visited: set[Path] = set()
    already_archived = _archived_siblings(wanted)
    while new := [path for path in _list_files(wanted, already_archived, failures) if path not in visited]:
        for path in new:
            visited.add(path)
            try:
                file = _inspect(path)
            except FileNotFoundError as error:
                if path in wanted:
                    failures[path] = unreadable(path, error)
            except (ForensicsError, OSError) as error:
                failures[path] = unreadable(path, error)
            else:
                other = files.get(file.header.file_id)
                if other is None or other.content <= file.content:  # two copies: the fuller one; two names: the newer one
                    files[file.header.file_id] = file
    return sorted(files.values(), key=lambda file: file.path), list(failures.values())


def find_renamed(file: SourceFile) -> SourceFile:
    """Find the same journal file under the name it has now. Raises FileNotFoundError when it is deleted."""
    for path in [file.path, *sorted(file.path.parent.glob(JOURNAL))]:
        try:
            other = _inspect(path)
        except (ForensicsError, OSError):
            continue
        if other.header.file_id == file.header.file_id:
            return other
    raise FileNotFoundError(2, "was deleted before it could be read", str(file.path))


def _list_files(wanted: Sequence[Path], already_archived: set[Path], failures: dict[Path, Ingested]) -> list[Path]:
    """List the wanted files, and what journald has rotated away from them since `already_archived` was taken."""
    files: list[Path] = []
    for path in wanted:
        try:
            files += journal_files(path) if path.is_dir() else [path]
        except (ForensicsError, OSError) as error:
            failures.setdefault(path, unreadable(path, error))
    return [*files, *sorted(_archived_siblings(wanted) - already_archived)]


def _inspect(path: Path) -> SourceFile:
    status = path.stat()
    return SourceFile(path, header(path), status.st_size, status.st_mtime_ns)


def _archived_siblings(files: Sequence[Path]) -> set[Path]:
    """List the archived files of those of `files` that journald writes to: `system@….journal` for `system.journal`."""
    written = [path for path in files if path.suffix == ".journal" and "@" not in path.name]
    return {other for path in written for other in path.parent.glob(f"{escape(path.stem)}@*.journal*")}
