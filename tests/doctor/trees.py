"""Directories that look like a host's files, for checks of what is configured and kept."""

import struct
from collections.abc import Mapping
from pathlib import Path

from forensics.doctor.host import Host

NOW = 1_800_000_000.0
DAY = 86_400.0
MACHINE = "1ab" + "0" * 29
KEPT, VOLATILE = f"var/log/journal/{MACHINE}", f"run/log/journal/{MACHINE}"


def host(root: Path, files: Mapping[str, str | bytes] | None = None, **settings) -> Host:
    """Write files below `root` and return the host that they are of."""
    for name, content in (files or {}).items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return Host(now=NOW, root=root, **settings)


def journal(first: float, last: float = NOW, size: int = 4096) -> bytes:
    """Make a journal file whose header names its first and last entry; there is nothing else in it."""
    head = bytearray(272)
    head[:8] = b"LPKSHHRH"
    struct.pack_into("<2Q", head, 88, 272, size)
    struct.pack_into("<6Q", head, 152, 10, 10, 1, 272, int(first * 1e6), int(last * 1e6))
    return bytes(head) + b"\1" * max(0, size - len(head))
