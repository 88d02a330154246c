"""Check that `watch` is not behind the journal, and has skipped or lost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forensics.doctor.host import JOURNALS, OK, PROBLEM, UNKNOWN, Finding, Host, listen_address
from forensics.doctor.metrics import is_stuck, metrics_of
from forensics.guard.drill.snapshot import NoStateError, read_snapshot
from forensics.wording import duration, plural

MOST_LAG_S = 60.0
LOSSES = (
    ("tabby_forensics_watch_skipped_total", ("entry", "entries"), "that it could not process"),
    ("tabby_forensics_watch_refused_alerts_total", ("alert", "alerts"), "that a sink refused"),
)
REMEDY = "See its log: `journalctl -u tabby-forensics`; `systemctl restart tabby-forensics` continues where it was."


def check(host: Host) -> Finding:
    if host.watcher is None:
        return Finding(UNKNOWN, "no `watch` is running")
    metrics = metrics_of(listen_address(host)) if host.is_here else {}
    lost = [f"{plural(number, *nouns)} {what}" for name, nouns, what in LOSSES if (number := _total(metrics, name))]
    if metrics and is_stuck(listen_address(host)):
        return Finding(PROBLEM, "`watch` answers that it is stuck", "Its loop has not turned for 30 s: nobody is alerted.", REMEDY)
    behind_s = _behind(host, metrics)
    if behind_s is not None and behind_s > MOST_LAG_S:
        means = "What happened since then has raised no alert."
        return Finding(PROBLEM, f"`watch` has read nothing for {duration(behind_s)}, and the journal has grown since", means, REMEDY)
    if lost:
        return Finding(PROBLEM, f"since its start `watch` counts {', '.join(lost)}", "Some failures may have raised no alert.", REMEDY)
    if behind_s is None and not metrics:
        return Finding(
            UNKNOWN, f"process {host.watcher.pid} runs; neither its state nor its metrics can be read", "Run as root to see more."
        )
    keeps_up = "`watch` answers" if behind_s is None else "`watch` keeps up with the journal"
    return Finding(OK, keeps_up + (" and has lost nothing" if metrics else ""))


def _total(metrics: Mapping[str, Mapping[str, float]], name: str) -> int:
    return int(sum(metrics.get(name, {}).values()))


def _behind(host: Host, metrics: Mapping[str, Mapping[str, float]]) -> float | None:
    """Return how much newer the journal is than what `watch` has read; null where that cannot be seen."""
    read = _read_until(host, metrics)
    newest = max((_modified(file) for folder in JOURNALS for file in host.journal_files(folder)), default=0.0)
    return None if read is None or not newest else max(0.0, newest - read)


def _read_until(host: Host, metrics: Mapping[str, Mapping[str, float]]) -> float | None:
    """Return when the state was written, which follows each entry within a second; without it, the time of the newest entry read."""
    try:
        return read_snapshot(host.state_directory).written if host.state_directory is not None else None
    except NoStateError:
        return max(metrics.get("tabby_forensics_last_event_timestamp_seconds", {}).values(), default=0.0) or None


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
