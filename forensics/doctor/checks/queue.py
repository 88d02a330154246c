"""Check that no alert waits for long."""

from __future__ import annotations

from collections import Counter

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host
from forensics.guard.drill.snapshot import NoStateError, read_snapshot
from forensics.sanitize.characters import visible_name
from forensics.wording import duration, plural

LONGEST_S = 60.0
MEANS = "These alerts have reached nobody yet."
REMEDY = "See why in the log of `watch`; they are sent once the receiver answers, or a sink has this name again."


def check(host: Host) -> Finding:
    directory = host.state_directory
    if directory is None:
        return Finding(UNKNOWN, "the state of `watch` cannot be seen", "Whether alerts are waiting is not known.")
    try:
        queued = read_snapshot(directory).queued
    except NoStateError as error:
        return Finding(UNKNOWN, str(error).rstrip("."), "Whether alerts are waiting is not known.")
    if not queued:
        return Finding(OK, "no alert is waiting")
    oldest = min(alert.raised_at or alert.starts_at for _, alert in queued)
    sinks = ", ".join(f"{visible_name(name)} ({number})" for name, number in Counter(sink for sink, _ in queued).most_common())
    waits = f"{plural(len(queued), 'alert')} waiting, the oldest for {duration(max(0.0, host.now - oldest))}: {sinks}"
    return Finding(OK, waits) if host.now - oldest < LONGEST_S else Finding(PROBLEM, waits, MEANS, REMEDY)
