"""Have a failure named in a process of its own, so that neither the unit's limits nor a crash of what names it can matter."""

from __future__ import annotations

import json
import os
from typing import Any

from forensics.guard.gate.transient import unit_name
from forensics.guard.own_calls import own_call
from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.policy.breaker import UNKNOWN, Failure

SHORTEST_S = 0.5  # with less time left it is not begun
LONGEST_S = 15.0
SPARE_S = 0.5  # it ends itself, so that no unit fails
MEMORY = "2G"
LONGEST_TITLE = 200


def classified(manager: Manager, unit: str, invocation: str, result: str, within_s: float) -> tuple[Failure, str]:
    """Return the class of the failure that just ended, with its title; an unknown one where it cannot be found in time."""
    within_s = min(within_s, LONGEST_S)
    if within_s < SHORTEST_S:
        return UNKNOWN, ""
    options = (
        "--wait", "--pipe", f"--property=RuntimeMaxSec={within_s + SPARE_S:.1f}s", f"--property=MemoryMax={MEMORY}",
        "--property=StandardError=null", "--property=TimeoutStopSec=1s",
    )  # fmt: skip
    words = ("gate", "classify", *manager.options, unit, invocation or "-", result or "-", f"{within_s:.2f}")
    command = own_call(manager, f"{unit_name(unit, 'classify', 0)}{os.getpid()}", options, words)
    try:
        return parse_answer(called(command, within_s + SPARE_S).stdout)
    except NoManagerError:
        return UNKNOWN, ""


def parse_answer(text: str) -> tuple[Failure, str]:
    """Read what `gate classify` printed; anything else is no answer."""
    try:
        answer: dict[str, Any] = json.loads(text)
        signature, helps, alike, title = (answer[name] for name in ("signature", "restart_helps", "alike", "title"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return UNKNOWN, ""
    if not isinstance(signature, str) or not signature or not isinstance(alike, int) or helps not in (True, False, None):
        return UNKNOWN, ""
    return Failure(signature, helps, alike), str(title)[:LONGEST_TITLE]
