"""Check that there is room for the state of `watch` and the store of history."""

from __future__ import annotations

import os
from pathlib import Path

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host

LEAST_BYTES, LEAST_SHARE = 200 << 20, 0.02
MEANS = "`watch` keeps its state in memory while it cannot write, and loses it when it ends; reports cannot be made."


def check(host: Host) -> Finding:
    wanted = {folder for folder in (host.state_directory, host.store) if folder is not None}
    free = {folder: room for folder in sorted(wanted) if (room := _free(folder)) is not None}
    if not free:
        return Finding(UNKNOWN, "the directories of the store and the state cannot be seen", MEANS)
    short = [folder for folder, (left, share) in free.items() if left < LEAST_BYTES or share < LEAST_SHARE]
    shown = ", ".join(f"{folder}: {left / (1 << 20):,.0f} MB free" for folder, (left, _) in free.items())
    if short:
        return Finding(PROBLEM, shown, MEANS, "Free some space, or move the store with --store and the state with --state.")
    return Finding(OK, shown)


def _free(folder: Path) -> tuple[float, float] | None:
    """Return free bytes and their share, of the file system that the folder is on, or will be."""
    for existing in (folder, *folder.parents):
        try:
            disk = os.statvfs(existing)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return _left(disk)
    return None


def _left(disk: os.statvfs_result) -> tuple[float, float]:
    return disk.f_bavail * disk.f_frsize, disk.f_bavail / max(1, disk.f_blocks)
