"""Define a rule with what was proven of it, in the sentences that its file has above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.generate.proof import Verdict
from forensics.generate.replaying import Noise
from forensics.model.values import Incident
from forensics.rules import Rule

MARGIN = 1.25  # a scrape interval of a fifth of the range makes an increase look so much larger


@dataclass(frozen=True, slots=True)
class ProvenRule:
    """A rule with what was proven of it. incidents: those that it pages in time; second lines have none."""

    rule: Rule
    sentences: tuple[str, ...]
    incidents: tuple[Incident, ...] = ()
    is_proven: bool = True


def is_quiet(measured: Noise) -> bool:
    """Whether a rule fires in no phase outside of incidents, and its threshold is not only just above what quiet times show."""
    near = measured.highest is not None and measured.threshold is not None and measured.highest * MARGIN > measured.threshold
    return not measured.outside and not near


def sentences(verdict: Verdict, paged: Sequence[Incident], measured: Noise) -> Iterator[str]:
    """Yield when a rule fires in each of these incidents, and what it does outside."""
    for incident in paged:
        yield f"Proven: fires at {verdict.fired[incident.id]} of the incident of {wording.instant(incident.start)} UTC."
    highest = "" if measured.highest is None else f"; the highest value in quiet times is {measured.highest:.2f}"
    quiet = wording.duration(measured.quiet_s)
    yield f"Fires 0 times in {quiet} outside of incidents, {wording.plural(measured.inside, 'time')} in them{highest}."
