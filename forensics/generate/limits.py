"""Write a start limit for a unit as a drop-in of systemd, or for NixOS; choose numbers that each failure class's cycle reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.generate import nix_syntax
from forensics.generate.replaying import Stage
from forensics.model.controls import FIRES, Replayed
from forensics.model.values import Incident
from forensics.replay.limiters import StartLimit

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
    def start_limit(self) -> StartLimit:
        return StartLimit(self.burst, float(self.interval_s))

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


@dataclass(frozen=True, slots=True)
class Proof:
    """What a limit would have done. rows: by incident."""

    limit: Limit
    cycle: Cycle
    rows: Mapping[str, Replayed]

    def holds(self, loops: Iterable[Incident]) -> bool:
        """Whether it stops every loop and refuses nothing in quiet times."""
        return all(incident.id in self.rows and self.rows[incident.id].status == FIRES for incident in loops) and not self.refusals_outside

    @property
    def refusals_outside(self) -> int:
        return sum(row.refusals_outside or 0 for row in self.rows.values())


def find_limit(unit: str, incidents: Sequence[Incident], stage: Stage) -> Proof | None:
    """Return the first limit that stops every restart loop of a unit and refuses nothing in quiet times; none where there is none."""
    loops = [incident for incident in incidents if incident.kind == "restart-loop"]
    cycle = slowest_cycle(loops)
    if cycle is None or unit not in stage.scenes:
        return None
    proofs = (Proof(limit, cycle, stage.limit(unit, limit.start_limit)) for limit in candidates(unit, loops[0].manager, cycle))
    return next((proof for proof in proofs if proof.holds(loops)), None)


def sentences(proof: Proof, incidents: Iterable[Incident]) -> Iterator[str]:
    """Yield what was proven, one sentence per incident and one about quiet times."""
    for incident in incidents:
        row = proof.rows.get(incident.id)
        if row is not None:
            yield f"Replayed in the incident of {wording.instant(incident.start)} UTC: {_did(row, incident)}."
    yield f"In quiet times of this history it refuses {wording.plural(proof.refusals_outside, 'start')}."


def _did(row: Replayed, incident: Incident) -> str:
    if row.status != FIRES:
        return f"it does not act ({row.reason})"
    avoided = f"{wording.count(row.restarts_avoided or 0)} of {wording.plural(incident.restarts, 'restart')} would not have happened"
    return f"it acts at T+{wording.duration(row.after_s)}, {avoided} (people start the unit again when they did)"


def reach(limit: Limit, cycle: Cycle) -> str:
    """Explain why a loop of this cycle reaches the limit."""
    needed = limit.burst * cycle.seconds
    return (
        f"Reachable: the slowest cycle is {wording.duration(cycle.seconds)} ({cycle.of}); {limit.burst} of them take "
        f"{wording.duration(needed)}, {limit.interval_s / needed:.1f} times less than the interval of {wording.duration(limit.interval_s)}."
    )


def instructions(limit: Limit, *, nix: bool = False) -> Iterator[str]:
    """Yield what the reader of a drop-in must know."""
    user = " --user" if limit.is_of_a_user else ""
    directory = "~/.config/systemd/user" if limit.is_of_a_user else "/etc/systemd/system"
    if not nix:
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
    return (
        f"  {nix_syntax.service(limit.unit, is_users=limit.is_of_a_user)} = {{\n"
        f"    startLimitIntervalSec = {limit.interval_s};\n"
        f"    startLimitBurst = {limit.burst};\n"
        "  };\n"
    )
