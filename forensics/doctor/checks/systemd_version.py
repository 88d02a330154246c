"""Check which mechanisms of the guard the running systemd has."""

from __future__ import annotations

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host
from forensics.guard.systemctl import NoManagerError

MECHANISMS = {
    230: "StartLimitIntervalSec= in [Unit]",
    232: "ids of invocations",
    236: "drills (StandardInputData=)",
    240: "LogRateLimitBurst= of a unit",
    254: "RestartMode=direct and RestartSteps=",
}  # the version since which there is each of them (NEWS)
LEAST = 236


def check(host: Host) -> Finding:
    if not host.is_here:
        return Finding(UNKNOWN, "a copy of files does not show the version of systemd")
    try:
        version = host.manager.version()
    except NoManagerError as error:
        return Finding(UNKNOWN, str(error).rstrip("."), "Units, gates and drills need a running systemd; reports on files do not.")
    if version is None:
        return Finding(UNKNOWN, "systemd does not answer", "Units, gates and drills need a running systemd; reports on files do not.")
    missing = [f"{what} (since {since})" for since, what in MECHANISMS.items() if version < since]
    found = f"systemd {version}" + (f" lacks {', '.join(missing)}" if missing else " has all that the guard uses")
    if version < LEAST:
        return Finding(
            PROBLEM, found, "Reports and alerts work; what the guard needs is not there.", "Use a distribution with a newer systemd."
        )
    return Finding(OK, found)
