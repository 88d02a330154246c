"""Decide by Restart= whether a service is restarted after an end, as service_shall_restart() in service.c does; standard library only."""

from __future__ import annotations

from collections.abc import Callable

GOOD, EXIT, SKIPPED = "success", "exit-code", "exec-condition"
POLICIES: dict[str, Callable[[str], bool]] = {  # value of Restart= → whether a service with this result is restarted
    "no": lambda _: False,
    "on-abort": lambda result: result in {"signal", "core-dump"},
    "on-watchdog": lambda result: result == "watchdog",
    "on-abnormal": lambda result: result not in {GOOD, EXIT, SKIPPED},
    "on-failure": lambda result: result not in {GOOD, SKIPPED},
    "on-success": lambda result: result == GOOD,
    "always": lambda result: result != SKIPPED,
}
