"""Start a oneshot of the user's once, and wait for its end, but not for ever."""

from __future__ import annotations

import time

from forensics.guard.remedy.ledger import DONE, FAILED, TIMED_OUT
from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.model.systemd import UNIT_SKIPPED

POLL_S = 1.0
_GOES_ON = "activating"


def start_and_wait(manager: Manager, start: str, within_s: float) -> tuple[str, str]:
    """Start a unit and return its outcome, and a clause that describes it; one that takes too long is left to go on."""
    began, since = time.monotonic(), time.time()
    try:
        done = manager.run("start", "--", start, within_s=within_s)
    except NoManagerError as error:
        return _too_long(within_s) if time.monotonic() - began >= within_s else (FAILED, f"could not be started: {error}")
    answer = " ".join(done.stderr.split())
    if done.returncode != 0 and not _ended_all_the_same(manager, start, began + within_s):  # systemd was executed anew
        return _too_long(within_s)
    return _how_it_ended(manager, start, answer if done.returncode != 0 else "", since)


def _too_long(within_s: float) -> tuple[str, str]:
    return TIMED_OUT, f"is not over after {within_s:.0f} s and goes on; it is not waited for, and the gate stays open"


def _ended_all_the_same(manager: Manager, start: str, deadline: float) -> bool:
    """Wait for a unit that went on although the call that started it ended; whether it ended in time."""
    while _state(manager, start).get("ActiveState") in (_GOES_ON, None):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _how_it_ended(manager: Manager, start: str, answer: str, since: float) -> tuple[str, str]:
    found = _state(manager, start)
    if found.get("ActiveState") == "failed" or found.get("Result", "success") != "success":
        return FAILED, f"failed ({found.get('Result')}, status {found.get('ExecMainStatus')}); the gate stays open"
    if answer and not found.get("InvocationID"):
        return FAILED, f"could not be started: {answer}; the gate stays open"
    if _was_skipped(manager, start, since):
        return FAILED, "was not run, because a condition of it does not hold; the gate stays open"
    return DONE, "is done; the gate is reset and the unit is started once"


def _state(manager: Manager, start: str) -> dict[str, str]:
    try:
        return manager.show(start, "ActiveState", "Result", "ExecMainStatus", "InvocationID")
    except NoManagerError:
        return {}


def _was_skipped(manager: Manager, start: str, since: float) -> bool:
    """Whether systemd logged that it skipped the unit: to systemctl that is a success."""
    about = "USER_UNIT" if manager.is_users else "UNIT"
    matches = [f"MESSAGE_ID={UNIT_SKIPPED}", f"{about}={start}"]
    try:
        called(["journalctl", "--sync"], 5.0)
        return bool(called(["journalctl", "--no-pager", "-q", "-o", "cat", f"--since=@{int(since)}", *matches], 10.0).stdout.strip())
    except NoManagerError:
        return False
