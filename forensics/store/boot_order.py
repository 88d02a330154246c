"""Put the boots of each machine in order: by sequence number where they share its id, else by the wall clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import pairwise

Boot = int  # its index
Began = tuple[int, str]  # wall clock, boot id


def in_order(began: Mapping[Boot, Began], numbers: Iterable[tuple[int, int, Boot]]) -> list[Boot]:
    """Order the boots of one machine. numbers: (sequence number id, lowest number, boot).

    Without a clock that runs while the machine is off, boots begin at any time; journald's counter goes on (journal-file.c).
    """
    after, waits_for = _constraints(numbers)
    ready = [(began[boot], boot) for boot in began if not waits_for[boot]]
    heapify(ready)
    left = dict(began)
    ordered = []
    while left:
        boot = heappop(ready)[1] if ready else min(left, key=lambda index: left[index])  # two counters disagree: the wall clock decides
        if left.pop(boot, None) is None:
            continue
        ordered.append(boot)
        for later in after[boot]:
            waits_for[later].discard(boot)
            if later in left and not waits_for[later]:
                heappush(ready, (began[later], later))
    return ordered


def _constraints(numbers: Iterable[tuple[int, int, Boot]]) -> tuple[dict[Boot, set[Boot]], dict[Boot, set[Boot]]]:
    """Return which boots come right after each boot by some counter, and which before it."""
    after: dict[Boot, set[Boot]] = defaultdict(set)
    waits_for: dict[Boot, set[Boot]] = defaultdict(set)
    by_id: dict[int, list[tuple[int, Boot]]] = defaultdict(list)
    for number_id, lowest, boot in numbers:
        by_id[number_id].append((lowest, boot))
    for counted in by_id.values():
        for (_, earlier), (_, later) in pairwise(sorted(counted)):
            after[earlier].add(later)
            waits_for[later].add(earlier)
    return after, waits_for
