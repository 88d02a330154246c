"""Define which controls to replay, and with what; without the user's own, those that are shipped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from forensics.replay.alertmanager import Routing
from forensics.replay.backoff import Pauses
from forensics.replay.limiters import StartLimit
from forensics.replay.litellm import Router
from forensics.replay.polls import Poll
from forensics.replay.reel import Prometheus
from forensics.replay.series import READY_S
from forensics.rules import Rule

SHIPPED = "shipped"
DEFAULT_LIMIT = StartLimit(5, 10.0)  # DefaultStartLimitBurst= and DefaultStartLimitIntervalSec=
LIMITS = (DEFAULT_LIMIT, StartLimit(5, 60.0), StartLimit(5, 300.0), StartLimit(10, 600.0), StartLimit(3, 3600.0))
STACKED = StartLimit(5, 300.0)  # with rules that wait for a failed unit
POLICIES = ("no", "on-abort", "on-abnormal", "on-watchdog", "on-failure")


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of the service. hold_s: for how long it must fail; ready_s: after a start the service answers, if nothing shows when."""

    interval_s: float = 15.0
    hold_s: float = 60.0
    ready_s: float = READY_S


@dataclass(frozen=True, slots=True)
class UnitFile:
    """The settings of a unit file that decide about restarts; null where it does not set them."""

    file: str
    limit: StartLimit
    policy: str | None = None
    pauses: Pauses | None = None
    on_failure: str = ""
    direct: bool = False  # RestartMode=direct
    unit: str = ""  # the only one that it is of; of a directory of units


@dataclass(frozen=True, slots=True)
class Asked:
    """The controls to replay. sources: of the kinds that the user gave, by kind; others are shipped."""

    rules: tuple[Rule, ...] | None = None  # null: the shipped ones, for each incident's unit
    limits: tuple[StartLimit, ...] = ()
    stacked: tuple[StartLimit, ...] = ()
    policies: tuple[str, ...] = ()
    unit_files: tuple[UnitFile, ...] = ()
    probes: tuple[Probe, ...] = ()
    polls: tuple[Poll, ...] = ()
    routers: tuple[Router, ...] = ()
    on_failure: bool = False
    gates: bool = False
    watch: bool = False
    prometheus: Prometheus = field(default_factory=Prometheus)
    routing: Routing | None = None
    ready_s: float = READY_S
    sources: dict[str, str] = field(default_factory=dict)

    def source(self, kind: str, detail: str = "") -> str:
        """Name where a control of this kind comes from."""
        return self.sources.get(kind) or (f"{SHIPPED}: {detail}" if detail else SHIPPED)


def shipped() -> Asked:
    """Return the controls that every report replays."""
    return Asked(
        limits=LIMITS,
        stacked=(STACKED,),
        policies=POLICIES,
        probes=(Probe(), Probe(hold_s=300.0)),
        polls=(Poll(), Poll(retries=2)),
        routers=(Router(),),
        on_failure=True,
        gates=True,
        watch=True,
    )


def with_own(asked: Asked, own: Asked) -> Asked:
    """Put the user's controls in place of the shipped ones of their kind."""
    given = {name: getattr(own, name) for name in ("limits", "probes", "polls", "routers") if getattr(own, name)}
    if own.rules is not None:
        given["rules"] = own.rules
    if own.limits:
        given["stacked"] = own.limits
    return replace(
        asked, **given, unit_files=own.unit_files, prometheus=own.prometheus, routing=own.routing, ready_s=own.ready_s, sources=own.sources
    )
