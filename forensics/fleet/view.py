"""Make of a summary what a page over many hosts shows: classes by their cost, hosts by what failed, when, and what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from forensics.fleet.facts import ClassFacts, HostFacts, Summary
from forensics.fleet.heat import heat_of
from forensics.fleet.shared import having_changes, shared_change
from forensics.model.fleet import OTHERS, Doubts, FleetClass, FleetHost, FleetView, HostGroup

OLD = timedelta(days=2)  # a report a day, and one that was missed
SKEW = timedelta(minutes=5)  # between clocks that are both right
_MOST_GROUPS = 24
_SHORT_ID = 8


def of(summary: Summary, now: datetime, expected: Iterable[str] = (), old: timedelta = OLD) -> FleetView:
    """Make the view of a summary; `expected`: names of hosts that should have a report, which is old from an age of `old` on."""
    hosts = summary.hosts
    names = _names(hosts)
    classes = _classes(hosts, names)
    right = [host for host in hosts if not _has_wrong_clock(host, now)]
    groups = _groups(hosts, classes, names)
    return FleetView(
        now=now,
        since=min((host.since for host in right), default=None),
        until=max((host.until for host in right), default=None),
        known=len(hosts),
        failed=sum(map(_has_failed, hosts)),
        still_down=sum(map(_is_down, hosts)),
        failures=sum(host.failures for host in hosts),
        restarts=sum(host.restarts for host in hosts),
        downtime_s=sum(host.downtime_s for host in hosts),
        classes=classes,
        groups=tuple(_group(key, members, classes, names) for key, members in groups.items()),
        heat=heat_of({key: members for key, members in groups.items() if key[0]}, right, names),
        versions=tuple(sorted(Counter(host.version for host in hosts).items(), key=lambda row: (-row[1], row[0]))),
        doubts=_doubts(summary, now, names, expected, old),
    )


def _has_failed(host: HostFacts) -> bool:
    return bool(host.failures or host.incidents or host.classes)


def _is_down(host: HostFacts) -> bool:
    return any(incident.ongoing for incident in host.incidents)


def _names(hosts: Sequence[HostFacts]) -> dict[str, str]:
    """Name each host by its key: where several have one name, with the start of the machine id."""
    shared = Counter(host.host for host in hosts)
    return {host.key: f"{host.host} ({host.machine[:_SHORT_ID]})" if shared[host.host] > 1 else host.host for host in hosts}


def _classes(hosts: Sequence[HostFacts], names: Mapping[str, str]) -> tuple[FleetClass, ...]:
    """Sum up each class, the one that cost most first."""
    having: dict[str, list[HostFacts]] = defaultdict(list)
    for host in hosts:
        for row in host.classes:
            having[row.signature].append(host)
    changed = having_changes(hosts)
    found = [_class(signature, having[signature], changed, names) for signature in sorted(having)]
    return tuple(sorted(found, key=lambda row: (-round(row.downtime_s), -row.affected, -row.failures, row.signature)))


def _class(signature: str, having: Sequence[HostFacts], changed: Mapping[str, set[str]], names: Mapping[str, str]) -> FleetClass:
    """Sum up one class; changed: the hosts that have a change, by its key."""
    rows = {host.key: row for host in having for row in host.classes if row.signature == signature}
    ordered = sorted((row.first, names[key]) for key, row in rows.items())
    firsts = [time for time, _ in ordered]
    own = [[incident for incident in host.incidents if _main(incident.classes) == signature] for host in having]
    return FleetClass(
        signature=signature,
        title=min(row.title for row in rows.values()),
        units=tuple(sorted({unit for row in rows.values() for unit in row.units})),
        affected=len(rows),
        host=ordered[0][1],
        first=firsts[0],
        half_s=(firsts[(len(firsts) - 1) // 2] - firsts[0]).total_seconds(),
        all_s=(firsts[-1] - firsts[0]).total_seconds(),
        failures=sum(row.failures for row in rows.values()),
        restarts=sum(row.restarts for row in rows.values()),
        downtime_s=sum(incident.downtime_s for incidents in own for incident in incidents),
        still_down=sum(any(incident.ongoing for incident in incidents) for incidents in own),
        change=shared_change(having, rows, changed, names),
    )


def _main(classes: Sequence[ClassFacts]) -> str:
    return classes[0].signature if classes else ""


def _groups(hosts: Sequence[HostFacts], classes: Sequence[FleetClass], names: Mapping[str, str]) -> dict[tuple[str, bool], list[HostFacts]]:
    """Group hosts by the class that cost most over all hosts, those that are still down first; the healthy last."""
    rank = {row.signature: k for k, row in enumerate(classes)}
    grouped: dict[tuple[str, bool], list[HostFacts]] = defaultdict(list)
    for host in hosts:
        best = min((rank[row.signature] for row in host.classes), default=None)
        signature = OTHERS if best is None or best >= _MOST_GROUPS else classes[best].signature
        grouped[(signature if _has_failed(host) else "", _is_down(host))].append(host)
    order = sorted(grouped, key=lambda key: (not key[0], rank.get(key[0], len(rank)), not key[1]))
    return {key: sorted(grouped[key], key=lambda host: (names[host.key], host.key)) for key in order}


def _group(key: tuple[str, bool], members: Sequence[HostFacts], classes: Sequence[FleetClass], names: Mapping[str, str]) -> HostGroup:
    signature, still_down = key
    rank = {row.signature: k for k, row in enumerate(classes)}
    title = next((row.title for row in classes if row.signature == signature), signature)
    return HostGroup(signature, title, still_down, tuple(_host(host, rank, names) for host in members))


def _host(host: HostFacts, rank: Mapping[str, int], names: Mapping[str, str]) -> FleetHost:
    return FleetHost(
        name=names[host.key],
        file=host.file,
        classes=tuple(sorted((row.signature for row in host.classes), key=rank.__getitem__)),
        failures=host.failures,
        restarts=host.restarts,
        downtime_s=host.downtime_s,
        first=min((row.first for row in host.classes), default=None),
        ongoing=sum(incident.ongoing for incident in host.incidents),
        until=host.until,
        version=host.version,
    )


def _has_wrong_clock(host: HostFacts, now: datetime) -> bool:
    """Check whether a report is of the future, or was made before its window began."""
    return host.generated > now + SKEW or host.until > now + SKEW or host.generated < host.since


def _doubts(summary: Summary, now: datetime, names: Mapping[str, str], expected: Iterable[str], old: timedelta) -> Doubts:
    hosts = summary.hosts
    by_name, by_key, read = defaultdict(set), defaultdict(set), Counter(copy.key for copy in summary.copies)
    for host in hosts:
        by_name[host.host].add(host.key)
    for copy in summary.copies:
        by_key[copy.key].add(copy.host)
    notes = Counter(problem for host in hosts for problem in set(host.problems))

    def named(some: Iterable[HostFacts]) -> tuple[str, ...]:
        return tuple(sorted(names[host.key] for host in some))

    return Doubts(
        old_s=old.total_seconds(),
        unread=tuple((one.file, one.why) for one in summary.unread),
        hosts_missing=tuple(sorted(set(expected) - set(by_name))),
        hosts_old=named(host for host in hosts if host.generated < now - old),
        hosts_incomplete=named(host for host in hosts if not host.complete),
        hosts_wrong_clock=named(host for host in hosts if _has_wrong_clock(host, now)),
        hosts_one_name=tuple(sorted(name for name, keys in by_name.items() if len(keys) > 1)),
        hosts_one_machine=tuple(sorted(_joined(by_key.values()))),
        hosts_twice=named(host for host in hosts if read[host.key] > 1),
        notes=tuple(sorted(notes.items(), key=lambda row: (-row[1], row[0]))),
    )


def _joined(names: Iterable[set[str]]) -> Iterator[str]:
    """Join the names under which one machine id reported."""
    yield from (", ".join(sorted(some)) for some in names if len(some) > 1)
