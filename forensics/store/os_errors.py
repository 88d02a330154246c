"""Turn the operating system's refusals of work in the store into sentences for the user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forensics.errors import ForensicsError, NotPermittedError

_FULL = "The disk is full: the store {path} could not take everything. Nothing stored was lost; free some space, or choose another --store."
_DENIED = "The store {path} may not be read and written by this user; choose another with --store."
SENTENCES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "The store {path} is on a read-only file system; choose another with --store.",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.ENOTDIR: "The store {path} cannot be created: part of its path is a file. Choose another with --store.",
    errno.EEXIST: "The store {path} cannot be created: it is a file. Choose another with --store.",
}


@contextmanager
def as_sentences(path: Path) -> Iterator[None]:
    """Turn an OSError from working in the store at `path` into a ForensicsError."""
    try:
        yield
    except OSError as error:
        sentence = SENTENCES.get(error.errno or 0, "The store {path} failed: {error}.")
        kind = NotPermittedError if isinstance(error, PermissionError) else ForensicsError
        raise kind(sentence.format(path=path, error=error.strerror or error)) from error
