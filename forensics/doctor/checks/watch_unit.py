"""Check that a `watch` runs, as a service that is started again and watched by systemd."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, shown
from forensics.guard.drill.watchers import Watcher

WRITES = "`tabby-forensics generate systemd` writes a unit for it."
PROPERTIES = ("ActiveState", "UnitFileState", "Restart", "WatchdogUSec", "User", "DynamicUser", "NRestarts")


def check(host: Host) -> Finding:
    watcher = host.watcher
    if watcher is None and not host.is_here:
        return Finding(UNKNOWN, "a copy of files does not show whether `watch` runs")
    if watcher is None:
        return Finding(PROBLEM, "no `watch` is running", "Nobody is alerted about any failure.", f"Start one; {WRITES}")
    if not watcher.unit:
        means = "Nothing starts it again after a reboot, or when it ends."
        return Finding(PROBLEM, f"`watch` (process {watcher.pid}) is not a service", means, f"Let systemd start it: {WRITES}")
    if watcher.is_users != host.manager.is_users:
        whose = f"user {watcher.uid}'s" if watcher.is_users else "the system's"
        return Finding(UNKNOWN, f"{watcher.unit} is a service of {whose} manager", remedy="Ask that one: with --user, or without.")
    state = shown(host, watcher.unit, *PROPERTIES)
    if state is None:
        return Finding(UNKNOWN, f"{watcher.unit} (process {watcher.pid}) runs; its settings cannot be seen")
    return _judged(watcher, state)


def _judged(watcher: Watcher, state: Mapping[str, str]) -> Finding:
    """Judge the settings of the unit."""
    if state["UnitFileState"] in {"disabled", "masked"}:
        found = f"{watcher.unit} runs, but is {state['UnitFileState']}"
        return Finding(PROBLEM, found, "It is not started at the next boot.", f"`systemctl enable {watcher.unit}`")
    weak = [text for holds, text in _weaknesses(state) if holds]
    found = f"{watcher.unit} runs (process {watcher.pid}, user {_user(state, watcher.uid)})"
    if weak:
        return Finding(PROBLEM, f"{found} {' and '.join(weak)}", "When it ends or hangs, nobody is alerted any more.", WRITES)
    return Finding(OK, found)


def _weaknesses(state: Mapping[str, str]) -> tuple[tuple[bool, str], ...]:
    return (
        (state["Restart"] in {"no", ""}, "without Restart="),
        (state["WatchdogUSec"] in {"0", "infinity", ""}, "without WatchdogSec="),
    )


def _user(state: Mapping[str, str], uid: int) -> str:
    return "of its own" if state["DynamicUser"] == "yes" else state["User"] or ("root" if uid == 0 else str(uid))
