"""Names of files and folders in, the journal files that are there out: journald renames them while they are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from forensics.errors import ForensicsError
from forensics.ingest.tally import Tally
from forensics.store.manifest import State
from forensics.store.reading import Header, Journal

JOURNAL = "*.journal*"


@dataclass(frozen=True, slots=True)
class Found:
    """A journal file as it was met: where, with which header, and what its folder says of it."""

    path: Path
    header: Header
    size: int
    changed_ns: int

    @property
    def state(self) -> State:
        return State(self.header.tail_seqnum, self.header.n_entries, self.header.state, self.size, self.changed_ns)

    @property
    def content(self) -> tuple[int, int]:
        return self.header.tail_seqnum, self.header.n_entries


def find(journal: Journal, wanted: Sequence[Path], tally: Tally) -> list[Found]:
    """Every journal file of `wanted` files and folders once, under its newest name, sorted by path.

    Folders are listed until nothing new appears: a file that journald rotates between the listing and the reading of its
    header would be missing otherwise.
    """
    found: dict[str, Found] = {}
    seen: set[Path] = set()
    known = _archived(wanted)
    while new := [path for path in _listed(journal, wanted, known, tally) if path not in seen]:
        for path in new:
            seen.add(path)
            try:
                file = _look(journal, path)
            except FileNotFoundError as error:
                if path in wanted:
                    tally.refuse(path, error)
            except (ForensicsError, OSError) as error:
                tally.refuse(path, error)
            else:
                other = found.get(file.header.file_id)
                if other is None or other.content <= file.content:  # two copies: the one that has more; two names: the newer
                    found[file.header.file_id] = file
    return sorted(found.values(), key=lambda file: file.path)


def _listed(journal: Journal, wanted: Sequence[Path], known: set[Path], tally: Tally) -> list[Path]:
    """All files that are wanted now, with those that journald has made of them since `known` were the archived ones."""
    files: list[Path] = []
    for path in wanted:
        try:
            files += journal.journal_files(path) if path.is_dir() else [path]
        except (ForensicsError, OSError) as error:
            if str(path) not in {refused for refused, _, _ in tally.damage}:
                tally.refuse(path, error)
    return [*files, *sorted(_archived(wanted) - known)]


def _look(journal: Journal, path: Path) -> Found:
    status = path.stat()
    return Found(path, journal.header(path), status.st_size, status.st_mtime_ns)


def find_again(journal: Journal, file: Found) -> Found:
    """The same journal file under the name that journald has given it since. Raises FileNotFoundError when it is deleted."""
    for path in [file.path, *sorted(file.path.parent.glob(JOURNAL))]:
        try:
            other = _look(journal, path)
        except (ForensicsError, OSError):
            continue
        if other.header.file_id == file.header.file_id:
            return other
    raise FileNotFoundError(2, "was deleted before it could be read", str(file.path))


def _archived(files: Sequence[Path]) -> set[Path]:
    """What journald has rotated away under the names of those of `files` that it writes to: `system@….journal` for `system.journal`."""
    written = [path for path in files if path.suffix == ".journal" and "@" not in path.name]
    return {other for path in written for other in path.parent.glob(f"{escape(path.stem)}@*.journal*")}
