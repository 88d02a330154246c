"""Collect what could not be read of one input as a bounded list of damage records."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.model.values import Damage

RECORDS_PER_REASON = 8  # in one file; a report shows examples and a count, nobody reads a thousand offsets
RECORDS_PER_FILE = 50


@dataclass(slots=True)
class DamageLog:
    """The damage of one file: the first records of each kind one by one, the rest as one record with a count."""

    file: str
    _offsets: dict[str, list[int | None]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, offset: int | None, reason: str, count: int = 1) -> None:
        """Record `count` cases of the same kind, the first of them at `offset`."""
        offsets = self._offsets.setdefault(reason, [])
        if len(offsets) < RECORDS_PER_REASON and len(self._offsets) <= RECORDS_PER_FILE:
            offsets.append(offset)
            count -= 1
        self._counts[reason] = self._counts.get(reason, 0) + count

    def add_all(self, offsets: list[int], reason: str) -> None:
        for offset in offsets[:RECORDS_PER_REASON]:
            self.add(offset, reason)
        if len(offsets) > RECORDS_PER_REASON:
            self.add(offsets[RECORDS_PER_REASON], reason, len(offsets) - RECORDS_PER_REASON)

    def records(self) -> tuple[Damage, ...]:
        """Records by offset, those of the whole file first; counted ones last."""
        single = [Damage(self.file, at, reason) for reason, offsets in self._offsets.items() for at in offsets]
        counted = [Damage(self.file, None, f"{reason} (and {n} more)") for reason, n in self._counts.items() if n]
        ordered = sorted(single, key=lambda d: (d.offset is not None, d.offset or 0, d.reason))
        if len(ordered) + len(counted) <= RECORDS_PER_FILE:
            return (*ordered, *sorted(counted))
        kept = ordered[: max(0, RECORDS_PER_FILE - min(len(counted), RECORDS_PER_FILE // 2))]
        rest = sum(self._counts.values()) + len(ordered) - len(kept)
        return (*kept, Damage(self.file, None, f"{rest} more damaged spots in the file"))
