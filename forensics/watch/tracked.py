"""Hold what `watch` must remember of each unit and machine across its own restarts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forensics.model.moments import Moment
from forensics.policy.unit_state import UnitState
from forensics.watch.batch import Statement

CGROUP = Path("/proc/self/cgroup")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class TrackedUnit:
    """counter: systemd's, of the last restart; null before the first. may_be_reset: a client stopped the unit since.

    waiting: statements that follow an end which is not labelled yet. opening: the gate's last statement that it stops the restarts.
    remedy: what a remedy reported last.
    """

    state: UnitState = field(default_factory=UnitState)
    counter: int | None = None
    may_be_reset: bool = False
    waiting: list[Statement] = field(default_factory=list)
    opening: Statement | None = None
    remedy: str = ""

    @property
    def is_idle(self) -> bool:
        """Neither running nor failing, and known to be a job where it is one: it need not be remembered."""
        state = self.state
        is_undecided = state.stop is not None or state.gate is not None or (state.last is not None and state.last.finished)
        return state.running is None and state.span.start is None and not is_undecided and not self.waiting


@dataclass(slots=True)
class TrackedMachine:
    """last: its newest entry. offset: of a steady clock from the boot's, in seconds; null until one of its entries is read."""

    host: str
    last: Moment
    offset: float | None = None

    def now(self, steady: float, time: float) -> Moment:
        """Return the present by the clock of its newest boot; its newest entry while that is unknown. time: seconds since 1970."""
        if self.offset is None:
            return self.last
        return Moment(int(time * 1e6), int((steady - self.offset) * 1e6), self.last.boot)

    def read(self, host: str, last: Moment, steady: float) -> None:
        """Take an entry that has just been read into account: none arrives before it is written."""
        if last.clock is not None:
            offset = steady - last.clock / 1e6
            self.offset = offset if self.offset is None or last.boot != self.last.boot else min(self.offset, offset)
        self.host, self.last = host or self.host, last


def this_boot() -> str:
    """Identify the boot of the host that `watch` runs on: a steady clock counts from it."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def own_unit() -> str:
    """Name the service that this process runs in; "" outside of any."""
    try:
        path = CGROUP.read_text(encoding="utf-8").strip().rpartition("::")[2]
    except OSError:
        return ""
    return next((part for part in reversed(path.split("/")) if part.endswith(".service")), "")


@dataclass(slots=True)
class StoredUnit:
    """A unit with whether the last attempt belongs to the span: then they share it."""

    unit: TrackedUnit
    last_is_in_span: bool


def stored_unit(unit: TrackedUnit) -> dict[str, Any]:
    """Convert to JSON values for `StoredUnit` and `restored_unit`."""
    last = unit.state.last
    return {"unit": asdict(unit), "last_is_in_span": last is not None and last.span is unit.state.span}


def restored_unit(stored: StoredUnit) -> TrackedUnit:
    """Let the last attempt and the unit share their span again."""
    state = stored.unit.state
    if stored.last_is_in_span and state.last is not None:
        state.last.span = state.span
    return stored.unit
