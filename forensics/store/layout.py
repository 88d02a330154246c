"""The paths of a store, and the version of that arrangement.

<store>/schema                                            the version, as text
<store>/v1/lock                                           held while something is committed
<store>/v1/sources/<source>.json                          a source's manifest: what has been committed of it
<store>/v1/entries/host=<H>/date=<D>/<source>-<a>-<b>.parquet
<store>/v1/pending/<process>/                             what a living process has not committed yet
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from forensics.errors import ForensicsError
from forensics.files import PRIVATE_FILE, NotReadableError, make_private, make_private_directory, read_bounded, write_atomically
from forensics.store.os_errors import as_sentences

VERSION = 1
_LONGEST_NAME = 120  # characters of a host in a path; a file name ends at 255 bytes, and log text names hosts
_UNSAFE_START = re.compile(r"^\.+")
_PART = re.compile(r"(host=[^/\x00]*)/(date=[0-9]{1,4}-[0-9]{2}-[0-9]{2})/([^/\x00]+)\.parquet")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_OWN = re.compile(r"schema|v\d+|watch|pushed-.*|\..*")  # what this program writes into the root of a store
_LONGEST_SCHEMA = 64  # bytes


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
                make_private_directory(directory)
            write_atomically(layout.schema, f"{VERSION}\n", mode=PRIVATE_FILE)
        text = _schema(layout)
    if not text.isascii() or not text.isdigit():
        raise ForensicsError(f"{root} is not a store: {layout.schema} holds no schema version. Choose another with --store.")
    if int(text) > VERSION:
        raise ForensicsError(
            f"The store {root} was written by a newer tabby-forensics (schema {text}; this version reads up to {VERSION}). "
            "Update the program, or choose another store with --store."
        )
    return layout


def keep_private(layout: Layout) -> None:
    """Take a store that an earlier version left readable away from other users; it holds what is not redacted."""
    make_private(layout.version)
    is_shared = layout.root.stat().st_mode & stat.S_ISVTX  # such as /tmp
    if not is_shared and all(_OWN.fullmatch(path.name) for path in layout.root.iterdir()):
        make_private(layout.root)


def is_source(name: object) -> bool:
    """Whether `name` can be a source's, and so part of a file's name."""
    return isinstance(name, str) and _SOURCE.fullmatch(name) is not None


def are_in_place(layout: Layout, source: str, paths: Iterable[str]) -> bool:
    """Whether these paths of parts are below `entries`, where parts of the source are, with no symbolic link on the way."""
    parts = [(path, _PART.fullmatch(path)) for path in paths]
    if not all(part is not None and part[3].startswith(f"{source}-") for _, part in parts):
        return False
    directories = {name for _, part in parts if part is not None for name in (part[1], f"{part[1]}/{part[2]}")}
    on_the_way = [*directories, *(path for path, _ in parts)]
    return not any(os.path.islink(f"{layout.entries}/{path}") for path in on_the_way)  # noqa: PTH114 - a Path costs five times more


def host_directory(host: str | None) -> str:
    """`host=<name>`, unique per host, without characters that could leave the directory; `host=%` for no name."""
    if host is None:
        return "host=%"
    safe = _UNSAFE_START.sub(lambda dots: "%2E" * len(dots[0]), quote(host, safe=""))
    if len(safe) > _LONGEST_NAME:
        safe = f"{safe[: _LONGEST_NAME - 40]}%{hashlib.sha256(host.encode()).hexdigest()[:32]}"
    return f"host={safe}"


def _schema(layout: Layout) -> str:
    """Read the text of the schema file; "" for one that is no such file."""
    try:
        return read_bounded(layout.schema, _LONGEST_SCHEMA).decode("utf-8", "replace").strip()
    except NotReadableError:
        return ""
