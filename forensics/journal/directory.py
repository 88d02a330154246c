"""List the journal files of a directory as journalctl does, for every machine and namespace.

A file or machine directory that this user may not read stays in the list when others can be read, so that it gets a damage record;
when nothing can be read at all, the error names the remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from forensics.errors import JournalPermissionError, NothingRecordedError

HOST_DIRECTORIES = (Path("/var/log/journal"), Path("/run/log/journal"))  # sd-journal.c: add_search_paths
ENDINGS = (".journal", ".journal~")  # sd-journal.c: dirent_is_journal_file
PACKED_ENDINGS = tuple(ending + packed for ending in ENDINGS for packed in (".gz", ".xz", ".bz2", ".zst", ".lz4"))
REMOTE = "remote"  # where systemd-journal-remote keeps other machines' journals; journalctl reads it only when it is named
# sd-journal.c: dirent_is_journal_subdir; an id is written with or without dashes (sd-id128.c: id128_is_valid)
_MACHINE = re.compile(r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:\..*)?", re.DOTALL)
HINT = "Run as root, or join the group systemd-journal (sudo usermod -aG systemd-journal $USER, then log in again)."


def journal_files(directory: Path) -> list[Path]:
    """List the files of a journal root, of a machine's directory or of any directory that holds some, sorted by path.

    Raises JournalPermissionError when there are some but none may be read, NothingRecordedError when there are none.
    """
    return files_of([directory])


def host_files() -> list[Path]:
    """List the files of this host's own journal, persistent and volatile. Raises as `journal_files` does."""
    return files_of(HOST_DIRECTORIES)


def host_directories() -> list[Path]:
    """List journald's own directories that hold anything. Raises as `journal_files` does."""
    files_of(HOST_DIRECTORIES)
    return [directory for directory in HOST_DIRECTORIES if files_below(directory)]


def files_of(directories: Sequence[Path]) -> list[Path]:
    """List the journal files of all `directories`. Raises as `journal_files` does, for all of them together."""
    files = sorted({file for directory in directories for file in files_below(directory)})
    names = " and ".join(str(directory) for directory in directories)
    if not files:
        missing = "" if any(directory.is_dir() for directory in directories) else ": no such directory"
        raise NothingRecordedError(f"There is no journal in {names}{missing}.")
    if not any(_is_readable(file) for file in files):
        raise JournalPermissionError(f"The journal in {names} may not be read by this user. {HINT}")
    return files


def files_below(directory: Path, endings: tuple[str, ...] = ENDINGS) -> list[Path]:
    """List a directory's and its machine directories' files; a directory that may not be listed is listed itself."""
    try:
        names = list(directory.iterdir())
        machines = [path for path in names if _MACHINE.fullmatch(path.name) and path.is_dir()]
        return [*_files_in(names, endings), *(file for machine in machines for file in _files_of_machine(machine, endings))]
    except PermissionError:
        return [directory]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _files_of_machine(directory: Path, endings: tuple[str, ...]) -> list[Path]:
    try:
        return _files_in(directory.iterdir(), endings)
    except PermissionError:
        return [directory]
    except FileNotFoundError:
        return []


def _files_in(names: Iterable[Path], endings: tuple[str, ...]) -> list[Path]:
    """Keep regular files, as in journal-file.c, and broken links, so that these get a damage record."""
    return [path for path in names if path.name.endswith(endings) and (path.is_file() or not path.exists())]


def _is_readable(path: Path) -> bool:
    """Try to open a file, because access lists and capabilities decide too; one that is gone was rotated and counts as readable."""
    try:
        with path.open("rb"):
            return True
    except FileNotFoundError:
        return True
    except OSError:
        return False
