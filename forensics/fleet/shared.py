"""Find the change that most hosts had before a class of failure first occurred on them, and the hosts that have it and are well."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from forensics.fleet.facts import ChangeFacts, ClassFacts, HostFacts
from forensics.model.fleet import SharedChange

_BEFORE = timedelta(days=1)
_LEAST_HOSTS, _LEAST_SHARE = 2, 0.5


UNLISTED = ""  # no change has this key
_NO_CAUSES = frozenset({"login"})  # who looks at a failure logs in


def having_changes(hosts: Sequence[HostFacts]) -> dict[str, set[str]]:
    """Return the keys of the hosts that have a change, by the change's key; under UNLISTED those without any."""
    having: dict[str, set[str]] = defaultdict(set)
    for host in hosts:
        if not host.changes:
            having[UNLISTED].add(host.key)
        for change in host.changes:
            having[change.key].add(host.key)
    return having


def shared_change(
    affected: Sequence[HostFacts], rows: Mapping[str, ClassFacts], changed: Mapping[str, set[str]], names: Mapping[str, str]
) -> SharedChange | None:
    """Choose the change that most of the affected hosts share; rows: the class by host; changed: hosts by change.

    Of two that as many share, the one that began more incidents, then the one that fewer healthy hosts have.
    """
    sharing: Counter[str] = Counter()
    began: Counter[str] = Counter()
    samples: dict[str, ChangeFacts] = {}
    for host in affected:
        row = rows[host.key]
        triggers = {one.key: one for one in _triggers(host, row.signature)}
        before = triggers | {one.key: one for one in host.changes if row.first - _BEFORE <= one.time <= row.first}
        before = {key: one for key, one in before.items() if key != UNLISTED and one.kind not in _NO_CAUSES}
        began.update(triggers.keys())
        sharing.update(before.keys())
        for key, change in before.items():
            samples[key] = min(samples.get(key, change), change, key=lambda one: (one.time, one.summary, one.kind))
    likely = [key for key, number in sharing.items() if number >= max(_LEAST_HOSTS, _LEAST_SHARE * len(rows))]
    if not likely:
        return None
    well = {key: changed.get(key, set()) - rows.keys() for key in likely}
    best = min(likely, key=lambda key: (-sharing[key], -began[key], len(well[key]), key))
    healthy = sorted(names[key] for key in well[best])
    return SharedChange(
        samples[best].kind, samples[best].summary, sharing[best], tuple(healthy), len(changed.get(UNLISTED, set()) - rows.keys())
    )


def _triggers(host: HostFacts, signature: str) -> Iterator[ChangeFacts]:
    """Yield what began the host's incidents of which the class is the main one."""
    for incident in host.incidents:
        if incident.trigger is not None and incident.classes and incident.classes[0].signature == signature:
            yield incident.trigger
