"""Directories and files of report.json → Summary, in one process or, where there are many, in a pool of them."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from forensics.compare.fields import MistakeError, parsed
from forensics.errors import UsageError
from forensics.files import NotReadableError, read_bounded
from forensics.fleet.facts import HostFacts, Summary, Unread
from forensics.fleet.merge import merge_all, summary_of
from forensics.fleet.summarise import found_in, summary_of_found

SUFFIXES = (".json", ".json.gz")
LARGEST = 64 << 20  # bytes of a report, unpacked: that of a month with 14,000 failures has 80 kB
MOST_FILES = 200_000
MOST_FOLDERS = 200_000
BATCH = 50  # files: 2 MB to 4 MB of ordinary reports
WORTH_A_POOL = 400  # files: below, starting processes takes longer than they save
_GZIP = 16 + zlib.MAX_WBITS

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, sorted, and what was passed over."""

    files: tuple[str, ...]
    unread: tuple[Unread, ...]


def find_files(paths: Iterable[Path]) -> Found:
    """List the reports in directories, whatever their nesting, and the files that are named. Raises UsageError for what is not there."""
    files: set[str] = set()
    unread: set[Unread] = set()
    for path in paths:
        if path.is_dir():
            _walk(str(path), files, unread)
        elif path.exists():
            files.add(str(path))
        else:
            raise UsageError(f"'{path}' does not exist.")
    return Found(tuple(sorted(files)), tuple(sorted(unread)))


def _walk(directory: str, files: set[str], unread: set[Unread]) -> None:
    """Add what is below a directory; links are not followed, so that no host leads elsewhere."""

    def refused(error: OSError) -> None:
        unread.add(Unread(str(error.filename), f"cannot be read: {error.strerror}"))

    for number, (folder, folders, names) in enumerate(os.walk(directory, onerror=refused)):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(SUFFIXES) or name.startswith("."):
                continue
            file = f"{folder.rstrip('/')}/{name}"
            if len(files) >= MOST_FILES or number >= MOST_FOLDERS:
                unread.add(Unread(directory, f"has more than {MOST_FILES:,} reports or directories; the rest was not read"))
                return
            if stat.S_ISLNK(os.lstat(file).st_mode):
                unread.add(Unread(file, "is a symbolic link; links in a directory are not followed"))
            else:
                files.add(file)


def read_summary(found: Found, processes: int, progress: Progress | None = None) -> Summary:
    """Summarise the files; the same for any number of processes."""
    parts = [summary_of((), (), found.unread)]
    batches = [found.files[first : first + BATCH] for first in range(0, len(found.files), BATCH)]
    for done, part in enumerate(_parts(batches, processes if len(found.files) >= WORTH_A_POOL else 1), 1):
        parts.append(part)
        if progress is not None:
            progress(done, len(batches))
    return merge_all(parts)


def _parts(batches: Sequence[tuple[str, ...]], processes: int) -> Iterable[Summary]:
    if processes < 2:
        yield from map(read_batch, batches)
        return
    done = 0
    # "spawn": a copy of a process that has threads can hang
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            for part in pool.map(read_batch, batches):
                yield part
                done += 1
        except BrokenProcessPool:  # one was killed, as for want of memory
            yield from map(read_batch, batches[done:])


def read_batch(files: Iterable[str]) -> Summary:
    """Summarise a batch of files: the unit of work of one process, a pool, or an engine."""
    return summary_of_found(map(read_file, files))


def read_file(file: str) -> HostFacts | Unread:
    """Read one report, or say why it is none."""
    try:
        content = read_bounded(Path(file), LARGEST)
        return found_in(file, parsed(_unpacked(content) if content[:2] == b"\x1f\x8b" else content))
    except (NotReadableError, MistakeError) as error:
        return Unread(file, str(error))


def _unpacked(packed: bytes) -> bytes:
    """Unpack gzip up to a bound. Raises MistakeError."""
    unpack = zlib.decompressobj(_GZIP)
    try:
        content = unpack.decompress(packed, LARGEST + 1)
    except zlib.error:
        raise MistakeError("is damaged: gzip cannot be unpacked") from None
    if len(content) > LARGEST:
        raise MistakeError(f"is longer than {LARGEST:,} bytes when unpacked")
    if not unpack.eof:
        raise MistakeError("is cut off: gzip ends too early")
    return content


def usable_processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0))
