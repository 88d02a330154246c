"""Folders in, the journal files in them out: what journalctl would read there, for every machine and namespace.

A file or machine folder that this user may not read stays in the list when others can be read, so that whoever reads the list
leaves a damage record for it; when nothing can be read at all, the error says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from forensics.errors import JournalPermissionError, NothingRecordedError

HOST_DIRECTORIES = (Path("/var/log/journal"), Path("/run/log/journal"))  # sd-journal.c: add_search_paths
ENDINGS = (".journal", ".journal~")  # sd-journal.c: dirent_is_journal_file
# sd-journal.c: dirent_is_journal_subdir; an id is written with or without dashes (sd-id128.c: id128_is_valid)
_MACHINE = re.compile(r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:\..*)?", re.DOTALL)
HINT = "Run it as root, or join the group systemd-journal (sudo usermod -aG systemd-journal $USER, then log in again)."


def journal_files(folder: Path) -> list[Path]:
    """The journal files of a journal root, of one machine's folder or of any folder that holds some, sorted by path.

    Raises JournalPermissionError when there are some but none may be read, NothingRecordedError when there are none.
    """
    return files_of([folder])


def host_files() -> list[Path]:
    """The files of this host's own journal, persistent and volatile. Raises as `journal_files` does."""
    return files_of(HOST_DIRECTORIES)


def host_directories() -> list[Path]:
    """Those of journald's own folders that hold anything. Raises as `journal_files` does."""
    files_of(HOST_DIRECTORIES)
    return [folder for folder in HOST_DIRECTORIES if _files_below(folder)]


def files_of(folders: Sequence[Path]) -> list[Path]:
    """The journal files of all `folders`. Raises as `journal_files` does, when it holds for all of them together."""
    found = sorted({file for folder in folders for file in _files_below(folder)})
    names = " and ".join(str(folder) for folder in folders)
    if not found:
        missing = "" if any(folder.is_dir() for folder in folders) else ": there is no such folder"
        raise NothingRecordedError(f"There is no journal in {names}{missing}.")
    if not any(_may_be_read(file) for file in found):
        raise JournalPermissionError(f"The journal in {names} may not be read by this user. {HINT}")
    return found


def _files_below(folder: Path) -> list[Path]:
    """Journal files in the folder and in its machine folders; a folder that may not be listed stands for what it holds."""
    try:
        names = list(folder.iterdir())
        machines = [path for path in names if _MACHINE.fullmatch(path.name) and path.is_dir()]
        return [*_files_in(names), *(file for machine in machines for file in _files_of_machine(machine))]
    except PermissionError:
        return [folder]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _files_of_machine(folder: Path) -> list[Path]:
    try:
        return _files_in(folder.iterdir())
    except PermissionError:
        return [folder]
    except FileNotFoundError:
        return []


def _files_in(names: Iterable[Path]) -> list[Path]:
    """Regular files only, as in journal-file.c; a link that leads nowhere stays, so that it is on record."""
    return [path for path in names if path.name.endswith(ENDINGS) and (path.is_file() or not path.exists())]


def _may_be_read(path: Path) -> bool:
    """Tried, not computed: access lists and capabilities decide too. A file that is gone was rotated and counts as readable."""
    try:
        with path.open("rb"):
            return True
    except FileNotFoundError:
        return True
    except OSError:
        return False
