"""Write a start limit for a unit as a drop-in of systemd, or for NixOS; choose numbers that each failure class's cycle reaches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.model.values import Incident

MARGIN = 2.0  # an interval twice as long as `burst` cycles also catches a loop that becomes slower
BURSTS = (5, 10, 20, 3)  # systemd's own default first; the others where quiet times need them
_INTERVALS_S = (60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Limit:
    """A start limit of a unit. manager: "system" or "user:<uid>"."""

    unit: str
    manager: str
    burst: int
    interval_s: int

    @property
    def option(self) -> str:
        """Spell it as `replay --limit` does."""
        return f"{self.burst}/{self.interval_s}"

    @property
    def is_of_a_user(self) -> bool:
        return self.manager != "system"


@dataclass(frozen=True, slots=True)
class Cycle:
    """The slowest loop that a limit must reach: seconds from one start to the next, and of what."""

    seconds: float
    of: str


def slowest_cycle(incidents: Iterable[Incident]) -> Cycle | None:
    """Find the longest cycle of any class or phase of restart loops; None where nothing was restarted."""
    loops = [incident for incident in incidents if incident.kind == "restart-loop"]
    classes = [Cycle(row.cycle_s, row.signature) for one in loops for row in one.classes if row.restarts and row.cycle_s is not None]
    phases = [Cycle(phase.cadence_s, f"the phase of {phase.primary}") for one in loops for phase in one.phases if phase.cadence_s]
    return max([*classes, *phases], key=lambda cycle: cycle.seconds, default=None)


def candidates(unit: str, manager: str, cycle: Cycle) -> tuple[Limit, ...]:
    """Return limits that the cycle reaches with the margin, the preferred one first."""
    limits = []
    for burst in BURSTS:
        needed = MARGIN * burst * cycle.seconds
        interval = next((interval for interval in _INTERVALS_S if interval >= needed), None)
        if interval is not None:
            limits.append(Limit(unit, manager, burst, interval))
    return tuple(limits)


def reach(limit: Limit, cycle: Cycle) -> str:
    """Explain why a loop of this cycle reaches the limit."""
    needed = limit.burst * cycle.seconds
    return (
        f"Reachable: the slowest cycle is {wording.duration(cycle.seconds)} ({cycle.of}); {limit.burst} of them take "
        f"{wording.duration(needed)}, {limit.interval_s / needed:.1f} times less than the interval of {wording.duration(limit.interval_s)}."
    )


def instructions(limit: Limit) -> Iterator[str]:
    """Yield what the reader of a drop-in must know."""
    user = " --user" if limit.is_of_a_user else ""
    directory = "~/.config/systemd/user" if limit.is_of_a_user else "/etc/systemd/system"
    yield f"Where it belongs: {directory}/{limit.unit}.d/50-start-limit.conf, then `systemctl{user} daemon-reload`."
    yield (
        f"When it has acted the unit is `failed`, which a rule can see, and starts by hand are refused too until the interval is over: "
        f"fix the cause, then `systemctl{user} reset-failed {limit.unit}` and `systemctl{user} start {limit.unit}`."
    )
    yield (
        "Restart= and RestartSec= stay as they are: with another RestartSec= the cycle changes, and this must be generated again. "
        "Until systemd 254 every daemon-reload opens the window anew."
    )


def drop_in_text(head: str, limit: Limit) -> str:
    """Write a drop-in; the settings are in [Unit] since systemd 230."""
    return f"{head}[Unit]\nStartLimitIntervalSec={limit.interval_s}\nStartLimitBurst={limit.burst}\n"


def nix_text(head: str, limits: Sequence[Limit]) -> str:
    """Write a NixOS module with the limits of all units."""
    services = "".join(_nix_service(limit) for limit in limits)
    return f"{head}{{ ... }}:\n{{\n{services}}}\n"


def _nix_service(limit: Limit) -> str:
    services = "systemd.user.services" if limit.is_of_a_user else "systemd.services"
    return (
        f"  {services}.{json.dumps(limit.unit.removesuffix('.service'))} = {{\n"
        f"    startLimitIntervalSec = {limit.interval_s};\n"
        f"    startLimitBurst = {limit.burst};\n"
        "  };\n"
    )
