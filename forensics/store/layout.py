"""The paths of a store, and the version of that arrangement.

<store>/schema                                            the version, as text
<store>/v1/lock                                           held while something is committed
<store>/v1/sources/<source>.json                          a source's manifest: what has been committed of it
<store>/v1/entries/host=<H>/date=<D>/<source>-<a>-<b>.parquet
<store>/v1/pending/<process>/                             what a living process has not committed yet
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from forensics.errors import ForensicsError
from forensics.files import write_atomically
from forensics.store.os_errors import as_sentences

VERSION = 1
_LONGEST_NAME = 120  # characters of a host in a path; a file name ends at 255 bytes, and log text names hosts
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
    """Open or create the layout at `root`. Raises ForensicsError for a newer store and where one cannot be created."""
    layout = Layout(root)
    with as_sentences(root):
        if not layout.schema.exists():
            for directory in (layout.sources, layout.entries, layout.pending):
                directory.mkdir(parents=True, exist_ok=True)
            write_atomically(layout.schema, f"{VERSION}\n")
        text = layout.schema.read_text("utf-8", "replace").strip()
    if not text.isascii() or not text.isdigit():
        raise ForensicsError(f"{root} is not a store: {layout.schema} holds no schema version. Choose another with --store.")
    if int(text) > VERSION:
        raise ForensicsError(
            f"The store {root} was written by a newer tabby-forensics (schema {text}; this version reads up to {VERSION}). "
            "Update the program, or choose another store with --store."
        )
    return layout


def host_directory(host: str | None) -> str:
    """`host=<name>`, unique per host, without characters that could leave the directory; `host=%` for no name."""
    if host is None:
        return "host=%"
    safe = _UNSAFE_START.sub(lambda dots: "%2E" * len(dots[0]), quote(host, safe=""))
    if len(safe) > _LONGEST_NAME:
        safe = f"{safe[: _LONGEST_NAME - 40]}%{hashlib.sha256(host.encode()).hexdigest()[:32]}"
    return f"host={safe}"
