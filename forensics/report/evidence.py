"""Give every piece of evidence of a report its name (E3, 2.E3, I1), the same in each format and for `show`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from forensics.model.values import Evidence, Incident, Report
from forensics.report import chain, timeline

_AROUND = 3  # lines


@dataclass(slots=True)
class Names:
    """The names of one section's evidence; `referred` are those that its blocks lead to, in the order of their names."""

    prefix: str
    numbers: dict[Evidence, int]
    used: set[Evidence] = field(default_factory=set)

    def ref(self, evidence: Evidence | None) -> str:
        """Return E1, E2, …, and remember that it must be quoted; "" without evidence."""
        if evidence is None:
            return ""
        self.used.add(evidence)
        return self._name(evidence)

    def _name(self, evidence: Evidence) -> str:
        return f"{self.prefix}{self.numbers.setdefault(evidence, len(self.numbers) + 1)}"

    def referred(self) -> Iterator[tuple[str, Evidence]]:
        """Yield (name, evidence) of all that was referred to."""
        return ((self._name(evidence), evidence) for evidence in sorted(self.used, key=lambda one: self.numbers[one]))

    def by_evidence(self) -> Iterator[tuple[Evidence, str]]:
        """Yield (evidence, name) of everything that a format may refer to."""
        return ((evidence, self._name(evidence)) for evidence in self.numbers)


def shown_before(evidence: Evidence) -> tuple[str, ...]:
    """Return the lines before an event that are shown; those before them are there to show which of these is a secret."""
    return evidence.before[-_AROUND:]


def of_incident(report: Report, index: int) -> Names:
    """Name the evidence of one incident: its classes, changes, detection and chain, in this order, whatever a format shows of it."""
    incident = report.incidents[index]
    prefix = f"{index + 1}.E" if len(report.incidents) > 1 else "E"
    return Names(prefix, _numbered(_of(report, incident)))


def of_isolated(report: Report) -> Names:
    return Names("I", _numbered(row.sample for row in report.isolated))


def _numbered(evidence: Iterable[Evidence | None]) -> dict[Evidence, int]:
    kept = dict.fromkeys(one for one in evidence if one is not None)
    return {one: number for number, one in enumerate(kept, 1)}


def _of(report: Report, incident: Incident) -> Iterator[Evidence | None]:
    yield from (row.sample for row in incident.classes)
    yield from (row.sample for row in incident.beside)
    yield from (step.evidence for step in timeline.steps(incident))
    yield from (lane.evidence for lane in timeline.lanes(incident))
    yield from (link.evidence for link in (*chain.chain(report, incident), *chain.factors(incident)))
    for link in incident.links:
        yield link.evidence
        yield None if link.ended is None else link.ended.evidence
    yield from (fix.evidence for fix in incident.fix_attempts)
    yield from (change.evidence for change in (*incident.changes, incident.trigger) if change is not None)
    yield from (incident.detection.evidence[name] for name in sorted(incident.detection.evidence))
    yield incident.gate.evidence if incident.gate is not None else None
