"""Check that the journal goes back, or will go back, as far as a report and the baseline of `watch` want: 30 days."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forensics import unit_file
from forensics.doctor.host import JOURNALS, OK, PROBLEM, UNKNOWN, Finding, Host, bytes_of
from forensics.doctor.journald_conf import read_journald_conf
from forensics.journal.format import HEADER_MIN, NotAJournal, parse_header
from forensics.wording import duration

WANTED_S = 30 * 86_400.0
LEAST_S = 3600.0  # of a journal whose growth says anything
DAY_S = 86_400.0
LARGEST = 4 << 30  # journald.conf(5): SystemMaxUse= and SystemKeepFree= are at most 4 GB by default
USE_SHARE, FREE_SHARE = 0.10, 0.15  # of the file system
REMEDY = "Raise SystemMaxUse= in /etc/systemd/journald.conf.d/, or log less."


@dataclass(frozen=True, slots=True)
class Kept:
    """What the files of a journal hold. Times are seconds since 1970; size: bytes on disk."""

    first: float
    last: float
    size: float


def check(host: Host) -> Finding:
    settings = read_journald_conf(host.root)
    folder = next((folder for folder in JOURNALS if host.journal_files(folder)), None)
    kept = None if folder is None else _kept(host.journal_files(folder))
    if folder is None or kept is None:
        return Finding(UNKNOWN, "no journal can be read", "How far back it goes is not known.")
    span_s = max(0.0, host.now - kept.first)
    longest_s = unit_file.seconds(settings.get("MaxRetentionSec", "0")) or 0.0
    if 0 < longest_s < WANTED_S:
        found = f"MaxRetentionSec={settings['MaxRetentionSec']} deletes entries before a report can use them"
        return Finding(PROBLEM, found, _short(longest_s), "Raise MaxRetentionSec= to 30 days or more.")
    if span_s >= WANTED_S:
        return Finding(OK, f"the journal goes back {duration(span_s)}")
    if span_s < LEAST_S:
        return Finding(UNKNOWN, f"the journal goes back {duration(span_s)} only", "How fast it grows cannot be estimated yet.")
    room, a_day = _room(host.at(folder), settings, is_kept=folder == JOURNALS[0]), kept.size / span_s * DAY_S
    lasts_s = room / a_day * DAY_S if a_day else WANTED_S
    found = f"the journal goes back {duration(span_s)} and grows by {_size(a_day)} a day; it may use {_size(room)}"
    if lasts_s < WANTED_S:
        return Finding(PROBLEM, f"{found}, enough for {duration(lasts_s)}", _short(lasts_s), REMEDY)
    return Finding(OK, f"{found}, enough for {duration(lasts_s)}")


def _short(seconds: float) -> str:
    return f"A report and the baseline of `watch` want 30 days; what is older than {duration(seconds)} is gone."


def _kept(files: list[Path]) -> Kept | None:
    """Read the headers of the files; those that cannot be read count for nothing."""
    first, last, size = float("inf"), 0.0, 0.0
    for file in files:
        try:
            with file.open("rb") as opened:
                head = parse_header(opened.read(HEADER_MIN), file.stat().st_size, file.name)
            size += file.stat().st_blocks * 512.0
        except (OSError, NotAJournal):
            continue
        if head.n_entries and head.head_realtime:
            first, last = min(first, head.head_realtime / 1e6), max(last, head.tail_realtime / 1e6)
    return Kept(first, last, size) if last else None


def _room(folder: Path, settings: Mapping[str, str], *, is_kept: bool) -> float:
    """Return the bytes that journald lets its files use, by its settings and their defaults."""
    prefix = "System" if is_kept else "Runtime"
    disk = os.statvfs(folder)
    whole, free = disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize
    most = bytes_of(settings.get(f"{prefix}MaxUse", "")) or min(USE_SHARE * whole, LARGEST)
    left = bytes_of(settings.get(f"{prefix}KeepFree", "")) or min(FREE_SHARE * whole, LARGEST)
    used = sum(file.stat().st_blocks * 512.0 for file in folder.rglob("*.journal*") if file.is_file())
    return min(most, max(used, used + free - left))


def _size(size: float) -> str:
    return f"{size / (1 << 20):.0f} MB" if size < 10 << 30 else f"{size / (1 << 30):.0f} GB"
