"""Divide history into portions of bounded size, so that memory does not grow with its length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from forensics.store.manifest import Manifest

MOST_ENTRIES = 150_000  # of a portion, if they are spread evenly over their day: 0.3 GB
MOST_SLICES = 24  # of a day: each portion reads the hour before it again
DAY, DAY_US = timedelta(days=1), 86_400_000_000
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Portion:
    """The time from `start` until `end`, with about so many entries."""

    start: datetime
    end: datetime
    entries: int


def portions(manifests: Iterable[Manifest], since: datetime, until: datetime, most: int | None = None) -> list[Portion]:
    """List the portions of a window, oldest first; days without entries are in none."""
    most = MOST_ENTRIES if most is None else most
    found: list[Portion] = []
    for piece in _slices(manifests, since, until, most):
        last = found[-1] if found else None
        if last is not None and last.entries + piece.entries <= most:
            found[-1] = Portion(last.start, piece.end, last.entries + piece.entries)
        else:
            found.append(piece)
    return found


def _slices(manifests: Iterable[Manifest], since: datetime, until: datetime, most: int) -> Iterable[Portion]:
    """List the days with entries, those with too many in slices of equal length."""
    first, last = ((moment - EPOCH) // DAY for moment in (since, until))
    of_days: Counter[int] = Counter()
    for manifest in manifests:
        for part in manifest.parts:
            began, ended = part.first_time // DAY_US, part.last_time // DAY_US  # on one day, but for hostile journals
            for day in range(max(first, began), min(last, ended) + 1):
                of_days[day] += max(1, part.rows // (ended - began + 1))
    for day, entries in sorted(of_days.items()):
        count = max(1, min(MOST_SLICES, -(-entries // most)))
        for number in range(count):
            start, end = (EPOCH + day * DAY + place * DAY / count for place in (number, number + 1))
            if start < until and end > since:
                yield Portion(max(start, since), min(end, until), entries // count)
