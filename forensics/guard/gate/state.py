"""Keep the state of a gate in a file below /run: read whatever is there, written whole, one command at a time."""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from forensics.errors import ForensicsError
from forensics.files import NotReadableError, open_private, read_bounded, write_atomically
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.policy.breaker import CLOSED, STATES, Breaker, Limits

VERSION = 1
LONGEST = 65_536  # bytes of a state file
LOCKED_S = 5.0  # how long to wait for another command
DAMAGED = "the state file was damaged: counting began anew"


@dataclass(frozen=True, slots=True)
class GateState:
    """What a gate remembers of a unit. since, probe_at: seconds since 1970; noted, probed: seconds by the monotonic clock."""

    breaker: Breaker = field(default_factory=Breaker)
    limits: Limits = field(default_factory=Limits)
    title: str = ""  # of the class
    helps: str = ""  # whether a restart helps: "yes", "no" or "" where that is not known
    since: float = 0.0  # when it opened first, or closed
    probe_at: float = 0.0
    noted: float = 0.0  # the last end
    probed: float = 0.0  # the last try
    invocation: str = ""  # of the last end
    environment: str = ""  # its fingerprint at the last opening
    trouble: str = ""  # what went wrong with the gate itself
    good: int = 0  # ends in a row that systemd calls good, and restarts

    @property
    def state(self) -> str:
        return self.breaker.state

    @property
    def failures(self) -> int:
        return self.breaker.failures

    @property
    def signature(self) -> str:
        return self.breaker.signature

    @property
    def opened(self) -> int:
        return self.breaker.opened

    @property
    def cooldown_s(self) -> float:
        return self.breaker.cooldown_s

    @property
    def resting(self) -> str:
        """The unit's ActiveState while restarts are stopped, if nobody touches it."""
        return "inactive" if self.breaker.state != CLOSED and self.good else "failed"

    @property
    def is_open(self) -> bool:
        return self.breaker.state != CLOSED


def directory(manager: Manager) -> Path:
    """Return where the state files of a manager's units are."""
    return manager.runtime_directory / "gate"


def read_state(manager: Manager, unit: str) -> GateState:
    """Read the state of a unit's gate: that of a closed one without a file. Raises NoManagerError for one that cannot be read."""
    file = directory(manager) / f"{unit}.json"
    try:
        os.lstat(file)
    except FileNotFoundError:
        return GateState()
    except OSError as error:
        raise NoManagerError(f"the state of the gate cannot be read: {error.strerror}.") from None
    if not os.access(file, os.R_OK):
        raise NoManagerError(f"the state of the gate cannot be read by this user ({file}).")
    try:
        return parse_state(read_bounded(file, LONGEST))
    except NotReadableError:
        return GateState(trouble=DAMAGED)


def parse_state(content: bytes) -> GateState:
    """Parse a state file; one that is damaged in any way is a closed gate's, with a note of that."""
    try:
        stored = json.loads(content)
        if stored.pop("version") != VERSION or stored["breaker"]["state"] not in STATES:
            return GateState(trouble=DAMAGED)
        parts = {"breaker": _values(Breaker, stored.pop("breaker")), "limits": _values(Limits, stored.pop("limits"))}
        state: GateState = _values(GateState, stored, **parts)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return GateState(trouble=DAMAGED)
    return state


def write_state(manager: Manager, unit: str, state: GateState) -> None:
    """Replace the state file. Raises OSError."""
    write_atomically(directory(manager) / f"{unit}.json", json.dumps({"version": VERSION, **asdict(state)}), mode=0o644)


@contextmanager
def locked(manager: Manager, unit: str, within_s: float = LOCKED_S) -> Iterator[None]:
    """Keep other gate commands about the unit waiting. Raises ForensicsError when one takes too long, or without the right to do it."""
    try:
        directory(manager).mkdir(parents=True, exist_ok=True)
        with open_private(directory(manager) / f".{unit}.lock", "ab") as file:  # private: whoever can open it can hold it
            _lock(file.fileno(), unit, time.monotonic() + within_s)
            yield
    except PermissionError:
        raise ForensicsError(f"'{directory(manager)}' cannot be written by this user; use sudo.") from None


def _lock(descriptor: int, unit: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ForensicsError(f"another gate command about {unit} is still busy.") from None
            time.sleep(0.02)
        else:
            return


def _values(kind: type, stored: Mapping[str, Any], **parts: object) -> Any:
    """Make a value of stored ones, each of its declared type; another version of the program may have stored fewer. Raises TypeError."""
    hints = get_type_hints(kind)
    checked = {
        one.name: _checked(stored[one.name], hints[one.name]) for one in fields(kind) if one.name in stored and one.name not in parts
    }
    return kind(**checked, **parts)


def _checked(value: object, kind: type) -> object:
    if kind is str and isinstance(value, str):
        return value
    if kind in (int, float) and isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return kind(value)
    raise TypeError
