"""Write files whole or not at all, keep what holds raw text to its user, and read only what is a file of bounded size."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal, cast

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700  # of what holds text of logs that is not redacted
# a directory that may be written but not listed, and file systems that cannot sync one: the rename has happened all the same
_UNSYNCABLE = {errno.EACCES, errno.EINVAL}
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


class NotReadableError(Exception):
    """A file that is not read, and why, as in "x is a pipe"."""


def write_atomically(path: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Replace the file at `path` so that a reader never sees half of it.

    A device or a pipe is written to directly; a symbolic link stays, and its target is replaced. `mode` is subject to the umask, except
    PRIVATE_FILE.
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


def open_private(path: Path, mode: Literal["wb", "ab"]) -> BinaryIO:
    """Open a file that only its user may read, whatever the umask; one that exists is narrowed."""
    file = open(path, mode, opener=lambda name, flags: os.open(name, flags, PRIVATE_FILE))  # noqa: SIM115 - the caller closes it
    _narrow(file.fileno(), PRIVATE_FILE)
    return cast(BinaryIO, file)


def make_private_directory(directory: Path) -> None:
    """Make a directory, and those above it, for its user only, whatever the umask; those that exist stay as they are."""
    if directory.is_dir():
        return
    make_private_directory(directory.parent)
    with suppress(FileExistsError):  # another process made it
        directory.mkdir(PRIVATE_DIRECTORY)
        directory.chmod(PRIVATE_DIRECTORY)
    if not directory.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(directory))


def make_private(directory: Path) -> None:
    """Take a directory, with all that is in it, away from other users; one that belongs to another user stays as it is.

    Only the directory itself is looked at once it is private: nobody else can reach what is in it.
    """
    if not stat.S_IMODE(directory.stat().st_mode) & _OTHERS:
        return
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            _narrow(f"{folder}/{name}", PRIVATE_FILE)
        _narrow(folder, PRIVATE_DIRECTORY)


def read_bounded(file: Path, longest: int) -> bytes:
    """Read a regular file of at most `longest` bytes, and never wait for one. Raises NotReadableError."""
    try:
        kind = stat.S_IFMT(file.stat().st_mode)  # before it is opened: opening a device can do something
        if kind != stat.S_IFREG:
            raise NotReadableError(f"is {_KINDS.get(kind, 'a device')}; name a regular file instead")
        with open(file, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
            content = stream.read(longest + 1)
    except OSError as error:
        raise NotReadableError(f"cannot be read: {error.strerror}") from None
    except ValueError:  # a name with a null character
        raise NotReadableError("cannot be read: no file has such a name") from None
    if content is None:  # of files in /proc that wait for what they will hold
        raise NotReadableError("cannot be read: it has nothing to read yet")
    if len(content) > longest:
        raise NotReadableError(f"is longer than {longest:,} bytes; is it the right file?")
    return content


def _narrow(file: int | str, mode: int) -> None:
    """Let only the user read a file or directory, given by its descriptor or its path, which is not followed where it is a link."""
    with suppress(PermissionError, FileNotFoundError):
        now = (os.fstat(file) if isinstance(file, int) else os.lstat(file)).st_mode
        if not stat.S_ISLNK(now) and stat.S_IMODE(now) != mode:
            os.chmod(file, mode)  # noqa: PTH101 - also of a descriptor


def _replace(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            if mode == PRIVATE_FILE:
                _narrow(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
