"""Record on disk which lines Loki has accepted, so that a push can be continued and a repeated line be recognised.

A line is recorded as eight bytes of a hash of its stream, time and text. There is one file per selection: what the user asked to
push, where to. What Loki may or may not have when the program is killed is in a file of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.export.loki_streams import Line, LogStream
from forensics.files import open_private

Digests = npt.NDArray[np.uint64]
LINES_AT_ONCE = 10_000
MOST_SELECTIONS = 50  # files per Loki that are kept; a relative --since makes one selection, an absolute one makes one per push


def digests(stream: LogStream, lines: Sequence[Line]) -> Digests:
    """Hash each line with its stream; metadata are left out, so that a line is known whatever later versions add to it."""
    key = hashlib.blake2b(stream.name.encode(), digest_size=16).digest()
    texts = (f"{ns}\0{text}".encode(errors="surrogatepass") for ns, text, _ in lines)
    return np.frombuffer(b"".join(hashlib.blake2b(text, digest_size=8, key=key).digest() for text in texts), np.uint64)


@dataclass(slots=True)
class Accepted:
    """The lines of one selection that Loki has accepted. before: of the push that is continued; in_flight: sent when it was killed."""

    unfinished: Path
    finished: Path
    sending: Path
    others: tuple[Path, ...]
    before: Digests
    in_flight: Digests
    file: BinaryIO
    earlier: Digests | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    @property
    def continues_a_push(self) -> bool:
        return len(self.before) > 0 or len(self.in_flight) > 0

    def undelivered(self, stream: LogStream) -> pl.DataFrame:
        """Return the lines of a stream that the continued push has not delivered."""
        if not len(self.before):
            return stream.lines
        hashes = [digests(stream, part.rows()) for part in stream.lines.iter_slices(LINES_AT_ONCE)]
        return stream.lines.filter(pl.Series(~np.isin(np.concatenate(hashes), self.before))) if hashes else stream.lines

    def was_in_flight(self, lines: Digests) -> bool:
        """Whether the first of these was sent when an earlier push was killed."""
        return bool(np.isin(lines[:1], self.in_flight).any())

    def begin(self, lines: Digests) -> None:
        """Note lines before they are sent."""
        with open_private(self.sending, "wb") as file:
            file.write(lines.tobytes())

    def add(self, lines: Digests) -> None:
        """Record lines that Loki has."""
        self.file.write(lines.tobytes())
        self.file.flush()

    def is_known(self, lines: Digests) -> npt.NDArray[np.bool_]:
        """Whether Loki accepted each line in an earlier push, or earlier in this one."""
        if self.earlier is None:
            self.earlier = np.unique(np.concatenate([_read(file) for file in self.others]))
        return np.isin(lines, self.earlier)

    def finish(self) -> None:
        """Note that the push has come to its end."""
        self.file.close()
        self.unfinished.replace(self.finished)
        self.sending.unlink(missing_ok=True)
        of_this_loki = self.finished.parent.glob(f"{self.finished.name.rsplit('-', 1)[0]}-*.accepted")
        for file in sorted(of_this_loki, key=lambda file: file.stat().st_mtime_ns)[:-MOST_SELECTIONS]:
            file.unlink(missing_ok=True)


def open_accepted(directory: Path, target: Sequence[str], selection: Sequence[str], *, resume: bool) -> Accepted:
    """Open the record of a selection at a target (URL, tenant); without `resume` its push begins anew."""
    of_target = f"pushed-{_short(target)}"
    stem = f"{of_target}-{_short(selection)}"
    unfinished, finished, sending = (directory / f"{stem}.{suffix}" for suffix in ("unfinished", "accepted", "sending"))
    if not resume and unfinished.exists():
        with open_private(finished, "ab") as file:
            file.write(_read(unfinished).tobytes())
        unfinished.unlink()
    before = _read(unfinished)
    file = open_private(unfinished, "ab")
    file.truncate(before.nbytes)
    others = sorted(path for path in directory.glob(f"{of_target}-*") if path.suffix in {".accepted", ".unfinished"})
    return Accepted(unfinished, finished, sending, tuple(others), before, _read(sending), file)


def _read(file: Path) -> Digests:
    """Read whole hashes; the last one may be cut off after a power failure."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return np.empty(0, np.uint64)
    return np.frombuffer(raw[: len(raw) // 8 * 8], np.uint64)


def _short(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]
