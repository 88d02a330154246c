"""What the store needs of the journal reader: stages never import each other, so `Store.open` gets it handed in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa


class Damage(Protocol):
    @property
    def file(self) -> str: ...
    @property
    def offset(self) -> int | None: ...
    @property
    def reason(self) -> str: ...


class Header(Protocol):
    @property
    def file_id(self) -> str: ...
    @property
    def tail_seqnum(self) -> int: ...
    @property
    def n_entries(self) -> int: ...
    @property
    def state(self) -> str: ...


class Batch(Protocol):
    @property
    def table(self) -> pa.Table: ...
    @property
    def damage(self) -> Sequence[Damage]: ...
    @property
    def header(self) -> Header | None: ...


class Journal(Protocol):
    """The functions of `forensics.journal.sources`."""

    def header(self, path: Path, /) -> Header: ...
    def load(self, path: Path, /, *, after_seqnum: int = 0) -> Batch: ...
    def read_stream(self, stream: BinaryIO, name: str, /) -> Iterator[Batch]: ...
    def journal_files(self, folder: Path, /) -> list[Path]: ...
