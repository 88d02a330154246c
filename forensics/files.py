"""Write files whole or not at all, also across a power failure."""

from __future__ import annotations

import errno
import os
from pathlib import Path

# a directory that may be written but not listed, and file systems that cannot sync one: the rename has happened all the same
_UNSYNCABLE = {errno.EACCES, errno.EINVAL}


def write_atomically(path: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Replace the file at `path` so that a reader never sees half of it.

    A device or a pipe is written to directly; a symbolic link stays, and its target is replaced. `mode` is subject to the umask.
    """
    raw = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(raw)
        return
    try:
        _replace(path.resolve(), raw, mode)
    except OSError as error:  # it names the temporary file
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_directory(directory: Path) -> None:
    """Make the renames in a directory survive a power failure."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _UNSYNCABLE:
            raise


def _replace(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
