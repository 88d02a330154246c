"""Journal files made by systemd's own code, and what journalctl says is in them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

JOURNAL_REMOTE = Path("/lib/systemd/systemd-journal-remote")
FIXTURES = Path(__file__).parents[2] / "fixtures" / "journals"
Fields = list[tuple[str, bytes]]  # of one entry, in the order of the file

needs_systemd = pytest.mark.skipif(
    not JOURNAL_REMOTE.exists() or shutil.which("journalctl") is None,
    reason="needs journalctl and systemd-journal-remote (Debian: apt install systemd-journal-remote)",
)


def fixture_text(name: str) -> bytes:
    """A recorded export stream of fixtures/journals."""
    packed = (FIXTURES / f"{name}.export.zst").read_bytes()
    with pa.input_stream(pa.BufferReader(packed), compression="zstd") as stream:
        return bytes(stream.read())


def environment(*, compact: bool = True, keyed: bool = True) -> dict[str, str]:
    return {**os.environ, "SYSTEMD_JOURNAL_COMPACT": str(int(compact)), "SYSTEMD_JOURNAL_KEYED_HASH": str(int(keyed))}


def make_journal(text: bytes, path: Path, *, compact: bool = True, keyed: bool = True, compress: bool = True) -> Path:
    """The journal file that systemd-journal-remote writes for an export stream."""
    command = [JOURNAL_REMOTE, f"--compress={'yes' if compress else 'no'}", "-o", path, "-"]
    subprocess.run(command, input=text, env=environment(compact=compact, keyed=keyed), check=True, capture_output=True)
    return path


def journalctl(path: Path, *arguments: str) -> bytes:
    command = ["journalctl", "--file", path, "--all", "--no-pager", "--quiet", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def export(entries: Iterable[Iterable[tuple[str, bytes]]]) -> bytes:
    """Entries as an export stream; every value in the form that may hold anything."""
    return b"".join(b"".join(_field(name, value) for name, value in entry) + b"\n" for entry in entries)


def _field(name: str, value: bytes) -> bytes:
    if name.startswith("__") or name == "_BOOT_ID":
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"


def parse_export(text: bytes) -> Iterator[Fields]:
    """The entries of an export stream (systemd's docs/JOURNAL_EXPORT_FORMATS.md)."""
    at, fields = 0, []
    while at < len(text):
        end = text.index(b"\n", at)
        line = text[at:end]
        at = end + 1
        if not line:
            if fields:
                yield fields
            fields = []
        elif b"=" in line:
            name, _, value = line.partition(b"=")
            fields.append((name.decode(), value))
        else:
            size = int.from_bytes(text[at : at + 8], "little")
            fields.append((line.decode(), text[at + 8 : at + 8 + size]))
            at += 8 + size + 1
    if fields:
        yield fields


def shown(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
