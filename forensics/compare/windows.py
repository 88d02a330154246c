"""Compare the facts of two windows: classes, rates, incidents. docs/report-compare.md has the criterion for a changed rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import exp, lgamma, log

from forensics.compare.facts import Facts, PastIncident
from forensics.model.comparison import ClassChange, Comparison, IncidentChange, Side
from forensics.wording import duration

FACTOR = 2.0  # a rate that changed by less is called the same
CHANCE = 0.01  # two equal rates differ as much as this in one comparison of a hundred
_MOST_TESTED = 2000  # occurrences of both windows; more are scaled down, which makes the test only stricter
# between the end of an incident and its continuation in the later window; a job runs once a day
_PAUSE, _PAUSE_OF_A_JOB = timedelta(hours=1), timedelta(hours=25)
_NOTABLE = 0.05  # share of a window that may be missing without a word
_ORDER = {"new": 0, "more": 1, "fewer": 2, "gone": 3, "unclear": 4, "same": 5}


def compare(before: Facts | None, now: Facts, notes: Iterable[str] = ()) -> Comparison:
    """Compare two windows; `before` is None where nothing is recorded of the earlier one."""
    if before is None:
        return Comparison(None, _side(now), notes=tuple(notes))
    classes = [_class(name, before, now) for name in {**before.classes, **now.classes}]
    ranked = sorted(classes, key=lambda row: (_ORDER[row.status], -max(row.now, row.before), row.signature))
    return Comparison(_side(before), _side(now), tuple(ranked), tuple(_incidents(before, now)), (*_unequal(before, now), *notes))


def _side(facts: Facts) -> Side:
    return Side(
        since=facts.since,
        until=facts.until,
        recorded_s=facts.recorded_s,
        entries=facts.entries,
        complete=facts.complete,
        failures=facts.failures,
        restarts=facts.restarts,
        incidents=len(facts.incidents),
        ongoing=sum(one.ongoing for one in facts.incidents),
        downtime_s=sum(one.downtime_s for one in facts.incidents),
    )


def _class(name: str, before: Facts, now: Facts) -> ClassChange:
    title = (now.classes.get(name) or before.classes[name])[0]
    counts = [facts.classes.get(name, ("", 0))[1] for facts in (before, now)]
    days = [max(facts.recorded_s, 1.0) / 86400 for facts in (before, now)]
    rates = [count / length for count, length in zip(counts, days, strict=True)]
    factor = max(rates) / min(rates) if min(rates) > 0 else None
    largest = max((one.classes.get(name, 0) for one in now.incidents), default=0)
    return ClassChange(
        name,
        title,
        _status(name, before, now, counts, days, factor),
        counts[0],
        counts[1],
        rates[0],
        rates[1],
        factor,
        min(largest, counts[1]),
    )


def _status(name: str, before: Facts, now: Facts, counts: list[int], days: list[float], factor: float | None) -> str:
    if not counts[0] or not counts[1]:
        return "new" if counts[1] else "gone" if counts[0] else "same"
    if factor is None or factor < FACTOR:
        return "same"
    together = _together(name, before, now)
    if chance([count / together for count in counts], days) >= CHANCE:
        return "unclear"
    return "more" if counts[1] / days[1] > counts[0] / days[0] else "fewer"


def _together(name: str, before: Facts, now: Facts) -> float:
    """Return how many failures of a class come together: the mean size of the group that a failure is in, an isolated one is alone."""
    grouped = [count for facts in (before, now) for one in facts.incidents if (count := one.classes.get(name, 0))]
    total = sum(facts.classes.get(name, ("", 0))[1] for facts in (before, now))
    alone = max(0, total - sum(grouped))
    return (sum(count * count for count in grouped) + alone) / max(1, sum(grouped) + alone)


def chance(counts: list[float], lengths: list[float]) -> float:
    """Return how likely two equal rates give counts at least as far apart: the exact two-sided test of two Poisson counts.

    Of all occurrences those of the second window have a binomial distribution, with its share of the time.
    """
    scale = min(1.0, _MOST_TESTED / max(1.0, sum(counts)))
    first, second = (int(count * scale) for count in counts)
    number, share = first + second, lengths[1] / sum(lengths)
    if not number or not 0 < share < 1:
        return 1.0
    terms = [
        exp(lgamma(number + 1) - lgamma(k + 1) - lgamma(number - k + 1) + k * log(share) + (number - k) * log(1 - share))
        for k in range(number + 1)
    ]
    return min(1.0, 2 * min(sum(terms[: second + 1]), sum(terms[second:])))


def _incidents(before: Facts, now: Facts) -> Iterator[IncidentChange]:
    """Yield what is new, came again or continued, then what is gone."""
    units = {_unit(one) for one in before.incidents}
    for one in now.incidents:
        earlier = [other for other in before.incidents if _unit(other) == _unit(one)]
        continued = any(_meets(other, before.until, one, now.until) for other in earlier)
        yield _change("continued" if continued else "again" if _unit(one) in units else "new", one)
    still = {_unit(one) for one in now.incidents}
    yield from (_change("gone", one) for one in before.incidents if _unit(one) not in still)


def _unit(one: PastIncident) -> tuple[str, str, str]:
    return one.machine or one.host, one.manager, one.unit


def _meets(one: PastIncident, one_until: datetime, other: PastIncident, other_until: datetime) -> bool:
    """Check whether an incident goes on in another of the same unit: they overlap, or hardly a pause is between them."""
    pause = _PAUSE_OF_A_JOB if one.ongoing and one.kind == "failing-job" else _PAUSE
    end = one_until if one.ongoing or one.end is None else one.end
    return other.start <= end + pause and one.start <= (other.end or other_until)


def _change(status: str, one: PastIncident) -> IncidentChange:
    return IncidentChange(status, one.id, one.unit, one.manager, one.host, one.kind, one.ongoing, one.start, one.end, one.downtime_s)


def _unequal(before: Facts, now: Facts) -> Iterator[str]:
    """Write what makes the windows hard to compare."""
    if before.until > now.since:
        yield f"The two windows overlap by {duration((min(before.until, now.until) - now.since).total_seconds())}."
    if before.hosts and now.hosts and set(before.hosts) != set(now.hosts):
        yield f"The hosts differ: {', '.join(before.hosts)} before, {', '.join(now.hosts)} now."
    for facts, name in ((before, "earlier"), (now, "later")):
        if facts.recorded_s < facts.length_s * (1 - _NOTABLE):
            recorded, whole = duration(facts.recorded_s), duration(facts.length_s)
            yield f"Of the {name} window only {recorded} of {whole} are recorded; rates are per recorded day."
        elif not facts.complete:
            yield f"Data of the {name} window are incomplete: its counts are lower bounds."
    if max(before.length_s, now.length_s) > min(before.length_s, now.length_s) * (1 + _NOTABLE):
        yield f"The windows are not equally long ({duration(before.length_s)} and {duration(now.length_s)}): compare rates, not counts."
