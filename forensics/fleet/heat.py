"""Count when hosts failed: rows of hosts that failed first at about the same time, in steps of the whole window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from forensics.fleet.facts import HostFacts
from forensics.model.fleet import Heat, HeatRow

MOST_ROWS, STEPS = 60, 96

_Groups = Mapping[tuple[str, bool], Sequence[HostFacts]]


def heat_of(groups: _Groups, right: Sequence[HostFacts], names: Mapping[str, str]) -> Heat | None:
    """Make the heat map of the hosts whose clock is `right`; None where nothing failed."""
    start, end = min((host.since for host in right), default=None), max((host.until for host in right), default=None)
    if start is None or end is None or start >= end:
        return None
    keys = {host.key for host in right}
    kept = [(signature, _ordered((host for host in hosts if host.key in keys), names)) for (signature, _), hosts in groups.items()]
    kept = [(signature, hosts) for signature, hosts in kept if hosts]
    step = (end - start) / STEPS
    each = _row_size([len(hosts) for _, hosts in kept])
    rows = [
        HeatRow(signature, names[some[0].key], len(some), _counts(some, start, step))
        for signature, hosts in kept
        for some in (hosts[k : k + each] for k in range(0, len(hosts), each))
    ]
    return Heat(start, step, tuple(rows[:MOST_ROWS])) if rows else None


def _ordered(hosts: Iterable[HostFacts], names: Mapping[str, str]) -> list[HostFacts]:
    """Sort by the first failure."""
    return sorted(hosts, key=lambda host: (min((row.first for row in host.classes), default=host.until), names[host.key], host.key))


def _row_size(sizes: Sequence[int]) -> int:
    """Return how many hosts a row has so that there are at most MOST_ROWS of them, however they are grouped."""
    each = 1
    while sum(-(-size // each) for size in sizes) > MOST_ROWS and each < max(sizes):
        each += 1
    return each


def _counts(hosts: Sequence[HostFacts], start: datetime, step: timedelta) -> tuple[int, ...]:
    counts = [0] * STEPS
    for host in hosts:
        for k in {k for first, last in _stretches(host) for k in range(_step(first, start, step), _step(last, start, step) + 1)}:
            counts[k] += 1
    return tuple(counts)


def _step(time: datetime, start: datetime, step: timedelta) -> int:
    return min(STEPS - 1, max(0, int((time - start) / step)))


def _stretches(host: HostFacts) -> Iterator[tuple[datetime, datetime]]:
    """Yield the host's incidents, and the first and last failure of each class."""
    for incident in host.incidents:
        yield incident.start, host.until if incident.ongoing else incident.end or incident.start
    for row in host.classes:
        yield row.first, row.first
        yield row.last, row.last
