"""Where everything in a store is, and which version of that arrangement it has.

<store>/schema                                            the version, as text
<store>/v1/lock                                           held while something is committed
<store>/v1/sources/<source>.json                          a source's manifest: what has been committed of it
<store>/v1/entries/host=<H>/date=<D>/<source>-<a>-<b>.parquet
<store>/v1/pending/<run>/                                 what a living run has not committed yet
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from forensics.errors import ForensicsError
from forensics.store.os_errors import as_sentences

VERSION = 1
_LONGEST_NAME = 120  # of a host in a path; a file name ends at 255 bytes, and log text names hosts
_UNSAFE_START = re.compile(r"^\.+")


@dataclass(frozen=True, slots=True)
class Layout:
    root: Path

    @property
    def schema(self) -> Path:
        return self.root / "schema"

    @property
    def version(self) -> Path:
        return self.root / f"v{VERSION}"

    @property
    def lock(self) -> Path:
        return self.version / "lock"

    @property
    def sources(self) -> Path:
        return self.version / "sources"

    @property
    def entries(self) -> Path:
        return self.version / "entries"

    @property
    def pending(self) -> Path:
        return self.version / "pending"

    def manifest(self, source: str) -> Path:
        return self.sources / f"{source}.json"


def open_layout(root: Path) -> Layout:
    """The layout at `root`, made when it is not there. Raises ForensicsError for a newer store and where one cannot be made."""
    layout = Layout(root)
    with as_sentences(root):
        if not layout.schema.exists():
            for folder in (layout.sources, layout.entries, layout.pending):
                folder.mkdir(parents=True, exist_ok=True)
            write_atomically(layout.schema, f"{VERSION}\n".encode())
        text = layout.schema.read_text("utf-8", "replace").strip()
    if not text.isascii() or not text.isdigit():
        raise ForensicsError(f"{layout.schema} does not hold a schema version: {root} is not a store, choose another with --store.")
    if int(text) > VERSION:
        raise ForensicsError(
            f"The store {root} was written by a newer tabby-forensics (schema {text}, this one knows {VERSION}): "
            "update the program, or choose another with --store."
        )
    return layout


def host_folder(host: str | None) -> str:
    """`host=<name>` with everything escaped that could leave the folder or the file system; `host=%` for no name. One to one."""
    if host is None:
        return "host=%"
    safe = _UNSAFE_START.sub(lambda dots: "%2E" * len(dots[0]), quote(host, safe=""))
    if len(safe) > _LONGEST_NAME:
        safe = f"{safe[: _LONGEST_NAME - 40]}%{hashlib.sha256(host.encode()).hexdigest()[:32]}"
    return f"host={safe}"


def write_atomically(path: Path, content: bytes) -> None:
    """All of it or nothing under `path`, also over a power failure."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
