"""Decide whether systemd restarts a service after an end: by Restart=, and by the exit codes that are exceptions from it."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping

from forensics.policy.restart_setting import POLICIES

NAMES = ("Restart", "Result", "ExecMainCode", "ExecMainStatus", "RestartPreventExitStatus", "RestartForceExitStatus")
BY_EXIT = "1"  # of ExecMainCode=: CLD_EXITED


def is_restarted(shown: Mapping[str, str]) -> bool:
    """Whether an end with these properties is followed by a restart; what is not known is."""
    if _has(shown["RestartPreventExitStatus"], shown):
        return False
    policy = POLICIES.get(shown["Restart"])
    return policy is None or policy(shown["Result"]) or _has(shown["RestartForceExitStatus"], shown)


def _has(statuses: str, shown: Mapping[str, str]) -> bool:
    """Whether the main process ended with one of these exit codes, which are numbers, or signals, which are names."""
    status = shown["ExecMainStatus"]
    if not status.isdigit() or status == "0":
        return False
    words = set(re.split(r"[\s,]+", statuses))
    return bool(words & ({status} if shown["ExecMainCode"] == BY_EXIT else _signal_names(int(status))))


def _signal_names(number: int) -> set[str]:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return set()
    return {name, name.removeprefix("SIG")}
