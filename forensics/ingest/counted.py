"""Count what is read of a file, so that somebody who waits sees how far it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from forensics.ingest.files import Progress


@dataclass(slots=True)
class CountedStream:
    """A stream that reports how many bytes are read of it, never all of them: what is read has still to be stored."""

    stream: BinaryIO
    size: int
    progress: Progress
    done: int = 0

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.done += len(content)
        self.progress(min(self.done, self.size - 1), self.size)
        return content


@contextmanager
def opened(path: Path, progress: Progress | None) -> Iterator[BinaryIO]:
    """Open a file to read; progress(done, all) counts its bytes. A pipe has no size and no progress."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if progress is None or not size:
            yield stream
            return
        try:
            yield cast("BinaryIO", CountedStream(stream, size, progress))
        finally:
            progress(size, size)
