"""Hold what `watch` must remember of each unit and machine across its own restarts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forensics.model.moments import Moment
from forensics.model.values import UnitKey
from forensics.policy.unit_state import Last, Running, Series, Span, UnitState
from forensics.watch.batch import Statement

CGROUP = Path("/proc/self/cgroup")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class TrackedUnit:
    """counter: systemd's, of the last restart; null before the first. may_be_reset: a client stopped the unit since.

    waiting: statements that follow an end which is not labelled yet.
    """

    state: UnitState = field(default_factory=UnitState)
    counter: int | None = None
    may_be_reset: bool = False
    waiting: list[Statement] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        """Neither running nor failing, and known to be a job where it is one: it need not be remembered."""
        state = self.state
        is_undecided = state.stop is not None or (state.last is not None and state.last.finished)
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


def stored_unit(unit: TrackedUnit) -> dict[str, Any]:
    """Convert to JSON values for `restored_unit`."""
    values = asdict(unit)
    state = unit.state
    values["state"]["last_is_in_span"] = state.last is not None and state.last.span is state.span
    return values


def restored_unit(values: Mapping[str, Any]) -> TrackedUnit:
    """Read what `stored_unit` made."""
    state = dict(values["state"])
    span = _span(state["span"])
    running, last = state["running"], state["last"]
    return TrackedUnit(
        state=UnitState(
            span=span,
            running=None
            if running is None
            else Running(**running | {"started": Moment(*running["started"]), "ready": _moment(running["ready"])}),
            last=None
            if last is None
            else Last(
                **last
                | {
                    "began": Moment(*last["began"]),
                    "ended": Moment(*last["ended"]),
                    "span": span if state["last_is_in_span"] else _span(last["span"]),
                }
            ),
            stop=_moment(state["stop"]),
            is_job=state["is_job"],
            series=_series(state["series"]),
        ),
        counter=values["counter"],
        may_be_reset=values["may_be_reset"],
        waiting=[_statement(statement) for statement in values["waiting"]],
    )


def _statement(values: Mapping[str, Any]) -> Statement:
    return Statement(**dict(values) | {"unit": UnitKey(*values["unit"]), "at": Moment(*values["at"])})


def _span(values: Mapping[str, Any]) -> Span:
    series = None if values["series"] is None else _series(values["series"])
    return Span(**dict(values) | {"down_since": _moment(values["down_since"]), "series": series})


def _series(values: Mapping[str, Any]) -> Series:
    return Series([Moment(*moment) for moment in values["recent"]], values["is_recurring"])


def _moment(values: Sequence[Any] | None) -> Moment | None:
    return None if values is None else Moment(*values)
