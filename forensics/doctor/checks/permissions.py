"""Check that this user, and the one that `watch` belongs to, may read the system's journal."""

from __future__ import annotations

import os
import re
from pathlib import Path

from forensics.doctor.host import JOURNALS, OK, PROBLEM, UNKNOWN, Finding, Host
from forensics.guard.drill.watchers import Watcher

REMEDY = "Run as root, or join the group systemd-journal: `usermod -aG systemd-journal USER`, then log in again."
REMEDY_OF_WATCH = "Set SupplementaryGroups=systemd-journal in the unit of `watch`, as `tabby-forensics generate systemd` does."


def check(host: Host) -> Finding:
    files = [file for folder in JOURNALS for file in host.journal_files(folder)]
    of_system = [file for file in files if file.name.startswith("system")]
    if not files:
        means = "Nothing can be found out about services: reports and alerts are made of the journal."
        return Finding(PROBLEM, "there is no journal", means, "Start systemd-journald, or look where this host keeps its journal.")
    if not any(os.access(file, os.R_OK) for file in of_system or files):
        return Finding(PROBLEM, "this user may not read the system's journal", "What this user starts sees no system service.", REMEDY)
    if host.watcher is not None and (problem := _watcher_problem(host, host.watcher, (of_system or files)[0])) is not None:
        return problem
    if not of_system:
        return Finding(UNKNOWN, "only journals of users are here", "Whether services of the system can be read is not known.", REMEDY)
    return Finding(OK, "this user may read the system's journal" + ("" if host.watcher is None else ", and so may `watch`"))


def _watcher_problem(host: Host, watcher: Watcher, journal: Path) -> Finding | None:
    """Compare the groups of the process of `watch` with the group of the journal; root needs none."""
    status = _status(host.at(f"proc/{watcher.pid}/status"))
    groups = {int(number) for number in re.findall(r"\d+", " ".join(re.findall(r"^(?:Groups|Gid):(.*)$", status, re.MULTILINE)))}
    if watcher.uid == 0 or not groups or journal.stat().st_gid in groups or journal.stat().st_mode & 0o004:
        return None
    means = "It may see nothing of the system's services, unless an access list lets it."
    return Finding(UNKNOWN, f"`watch` (user {watcher.uid}) is not in the group of the journal", means, REMEDY_OF_WATCH)


def _status(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
