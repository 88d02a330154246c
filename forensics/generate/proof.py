"""Prove rules by replay: which incidents each fires in, how soon, how often outside; choose those that page in time and never else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from forensics import wording
from forensics.model.controls import FIRES, Replayed
from forensics.model.values import Incident
from forensics.rules import Rule

VERSIONS = (2, 3)  # of Prometheus; their windows differ by one scrape
Replay = Callable[[Sequence[Rule], int], Mapping[str, Sequence[Replayed]]]  # rules and a version → incident id → what each would have done


@dataclass(frozen=True, slots=True)
class Fired:
    """When a rule first fires in an incident, in seconds from its start, over all phases and versions."""

    after_s: float
    earliest_s: float
    latest_s: float
    always: bool = True  # in each phase

    def __str__(self) -> str:
        if self.latest_s < 120:
            return f"T+{self.after_s:.0f} s ({self.earliest_s:.0f}–{self.latest_s:.0f})"
        spread = max(self.after_s - self.earliest_s, self.latest_s - self.after_s)
        return f"T+{wording.duration(self.after_s)} (± {wording.duration(spread)})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a replay says about a rule. fired: by incident; outside: firings in quiet times; why: reasons where it does not fire."""

    rule: Rule
    fired: Mapping[str, Fired] = field(default_factory=dict)
    outside: int = 0
    why: Mapping[str, str] = field(default_factory=dict)

    def in_time(self, incidents: Iterable[Incident], within_s: float) -> tuple[Incident, ...]:
        """Return the incidents in which it always fires within this time."""
        fired = [(incident, self.fired.get(incident.id)) for incident in incidents]
        return tuple(incident for incident, first in fired if first is not None and first.always and first.latest_s <= within_s)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rules that are proven, with the incidents that each pages in time, and the incidents that none does."""

    proven: tuple[tuple[Verdict, tuple[Incident, ...]], ...]
    missed: tuple[Incident, ...]


def judge(rules: Sequence[Rule], incidents: Sequence[Incident], replay: Replay) -> tuple[Verdict, ...]:
    """Replay rules in the modes of all versions; a rule's verdict is the worst of them."""
    named = [replace(rule, alert=f"candidate {number}") for number, rule in enumerate(rules)]
    found: list[dict[str, list[Replayed]]] = [{} for _ in rules]
    positions = {rule.alert: number for number, rule in enumerate(named)}
    for version in VERSIONS:
        for incident_id, controls in replay(named, version).items():
            for control in controls:
                found[positions[control.control]].setdefault(incident_id, []).append(control)
    wanted = {incident.id for incident in incidents}
    return tuple(
        _verdict(rule, {id_: rows for id_, rows in of_rule.items() if id_ in wanted}) for rule, of_rule in zip(rules, found, strict=True)
    )


def _verdict(rule: Rule, found: Mapping[str, Sequence[Replayed]]) -> Verdict:
    fired = {id_: fired_of(rows) for id_, rows in found.items() if len(rows) == len(VERSIONS) and all(row.status == FIRES for row in rows)}
    outside = [max((row.firings_outside or 0) for row in rows) for rows in found.values()]
    why = {id_: next(row.reason for row in rows if row.status != FIRES) for id_, rows in found.items() if id_ not in fired}
    return Verdict(rule, fired, sum(outside), why)


def fired_of(rows: Sequence[Replayed]) -> Fired:
    """Combine what a rule does in the versions of Prometheus."""
    after = [row.after_s or 0.0 for row in rows]
    earliest = min(_or(row.earliest_s, row.after_s) for row in rows)
    latest = max(_or(row.latest_s, row.after_s) for row in rows)
    return Fired(median(after), earliest, latest, all(not row.never_share for row in rows))


def _or(value: float | None, other: float | None) -> float:
    return value if value is not None else other or 0.0


def choose(verdicts: Sequence[Verdict], incidents: Sequence[Incident], within_s: float) -> Chosen:
    """Choose as few rules as page every incident they can; of equal ones the first, which is the most robust."""
    quiet = [verdict for verdict in verdicts if verdict.outside == 0]
    left = list(incidents)
    proven: list[tuple[Verdict, tuple[Incident, ...]]] = []
    while left:
        best = max(quiet, key=lambda verdict: len(verdict.in_time(left, within_s)), default=None)
        paged = best.in_time(left, within_s) if best is not None else ()
        if best is None or not paged:
            break
        proven.append((best, best.in_time(incidents, within_s)))
        left = [incident for incident in left if incident not in paged]
    return Chosen(tuple(proven), tuple(left))


def nearest(verdicts: Sequence[Verdict], incident: Incident) -> str:
    """Say which rule comes nearest for an incident that none pages in time."""
    fires = [verdict for verdict in verdicts if incident.id in verdict.fired]
    sure = [verdict for verdict in fires if not verdict.outside and verdict.fired[incident.id].always]
    if sure:
        best = min(sure, key=lambda verdict: verdict.fired[incident.id].latest_s)
        within = math.ceil(best.fired[incident.id].latest_s)
        return f"the first that fires nowhere else is {best.rule.expr}, at {best.fired[incident.id]}: --within {within}s"
    if fires:
        best = min(fires, key=lambda verdict: (verdict.outside, not verdict.fired[incident.id].always))
        but = [wording.plural(best.outside, "firing") + " outside of incidents"] if best.outside else []
        but += [] if best.fired[incident.id].always else ["phases of scrapes in which it does not fire"]
        return f"{best.rule.expr} fires at {best.fired[incident.id]}, with {' and '.join(but)}"
    return next((reason for verdict in reversed(verdicts) if (reason := verdict.why.get(incident.id))), "no rule fires")
