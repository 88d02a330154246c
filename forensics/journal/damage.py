"""What could not be read: the record that every reader of this package leaves in place of data, and a bounded list of them."""

from __future__ import annotations

from dataclasses import dataclass, field

RECORDS_A_REASON = 8  # of one kind in one file; a report shows examples and a count, nobody reads a thousand offsets
RECORDS_A_FILE = 50


@dataclass(frozen=True, slots=True, order=True)
class Damage:
    """Something in an input that could not be read. offset is null when it is the whole file's. The twin of `model.Damage`."""

    file: str
    offset: int | None
    reason: str


@dataclass(slots=True)
class DamageLog:
    """Collects the damage of one file: the first records one by one, the rest of each kind as one record with a count."""

    file: str
    _places: dict[str, list[int | None]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, offset: int | None, reason: str, count: int = 1) -> None:
        """Record `count` things of the same kind, the first of them at `offset`."""
        places = self._places.setdefault(reason, [])
        if len(places) < RECORDS_A_REASON and len(self._places) <= RECORDS_A_FILE:
            places.append(offset)
            count -= 1
        self._counts[reason] = self._counts.get(reason, 0) + count

    def add_all(self, offsets: list[int], reason: str) -> None:
        for offset in offsets[:RECORDS_A_REASON]:
            self.add(offset, reason)
        if len(offsets) > RECORDS_A_REASON:
            self.add(offsets[RECORDS_A_REASON], reason, len(offsets) - RECORDS_A_REASON)

    def records(self) -> tuple[Damage, ...]:
        """In order of offset, what is about the whole file first; what was only counted last."""
        single = [Damage(self.file, at, reason) for reason, places in self._places.items() for at in places]
        counted = [Damage(self.file, None, f"{reason} (and {n} more)") for reason, n in self._counts.items() if n]
        ordered = sorted(single, key=lambda d: (d.offset is not None, d.offset or 0, d.reason))
        if len(ordered) + len(counted) <= RECORDS_A_FILE:
            return (*ordered, *sorted(counted))
        kept = ordered[: max(0, RECORDS_A_FILE - min(len(counted), RECORDS_A_FILE // 2))]
        rest = sum(self._counts.values()) + len(ordered) - len(kept)
        return (*kept, Damage(self.file, None, f"{rest} more places in the file could not be read"))
