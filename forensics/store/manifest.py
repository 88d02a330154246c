"""The manifest of a source: what the store has committed of it, kept as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from forensics.errors import ForensicsError
from forensics.files import PRIVATE_FILE, write_atomically
from forensics.model.values import Damage
from forensics.store.layout import Layout, are_in_place

_LAST_TIME = 253_402_300_799_999_999  # µs since 1970, of the year 9999


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file. Times are µs since 1970; numbers are sequence numbers, or positions in a stream without them."""

    path: str  # below <store>/v1/entries
    rows: int
    first_time: int
    last_time: int
    first_number: int
    last_number: int
    seqnums: Mapping[str, tuple[int, int]] | None  # seqnum_id → its range; null when there are too many to name
    size: int


@dataclass(frozen=True, slots=True)
class FileState:
    """The counters, size and modification time of a file when it was last read; equal again means that nothing was added."""

    tail_seqnum: int
    n_entries: int
    state: str
    size: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Manifest:
    source: str
    file: str  # its last known path: journald renames what it rotates
    kind: str  # journal, stream
    state: FileState | None = None  # null for a stream
    tail_seqnum: int = 0  # the highest sequence number that is stored
    entries: int = 0  # that were ever stored, pruned ones included
    parts: tuple[Part, ...] = ()
    damage: tuple[Damage, ...] = ()
    pruned_before: int | None = None  # µs: older entries were deleted on request and do not come back

    def with_parts(self, parts: Iterable[Part]) -> Manifest:
        return replace(self, parts=tuple(sorted(parts, key=lambda part: (part.first_number, part.path))))

    def renamed(self, file: str) -> Manifest:
        return replace(self, file=file, damage=tuple(replace(record, file=file) for record in self.damage))


def read_manifest(layout: Layout, source: str) -> Manifest | None:
    """Read the manifest of a source; null when nothing of it was ever committed. Raises ForensicsError for a damaged one."""
    path = layout.manifest(source)
    try:
        return _in_place(layout, source, _from_json(json.loads(path.read_bytes())))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ForensicsError(
            f"{path} is damaged. If the journal file or stream that it describes still exists, delete it and ingest that again."
        ) from error


def _in_place(layout: Layout, source: str, manifest: Manifest) -> Manifest:
    """Return the manifest of a source. Raises ValueError for one of something else: what it names would be read, and deleted."""
    if manifest.source != source or not are_in_place(layout, source, [part.path for part in manifest.parts]):
        raise ValueError("it names files that are not its own")
    return manifest


def sound_manifests(layout: Layout, sources: Iterable[str] | None = None) -> tuple[list[Manifest], list[Damage]]:
    """Read the existing manifests of `sources`, or of all, sorted by source, and describe those that are damaged."""
    if sources is None:
        sources = [path.stem for path in layout.sources.glob("[!.]*.json")]
    manifests: list[Manifest] = []
    damage: list[Damage] = []
    for source in sorted(set(sources)):
        try:
            manifests += [manifest for manifest in [read_manifest(layout, source)] if manifest is not None]
        except ForensicsError:
            damage.append(
                Damage(
                    str(layout.manifest(source)),
                    None,
                    f"is damaged: what the store holds of a journal{_days(layout, source)} cannot be read",
                )
            )
    return manifests, damage


def _days(layout: Layout, source: str) -> str:
    """The days of a source's parts, in words; the directories still show them where the manifest does not."""
    days = sorted(path.parent.name.removeprefix("date=") for path in layout.entries.glob(f"*/*/{source}-*.parquet"))
    return f" from {days[0]} to {days[-1]}" if days else ""


def write_manifest(layout: Layout, manifest: Manifest) -> None:
    # the file of a damage record is the manifest's own
    stored = asdict(manifest) | {"damage": [(record.offset, record.reason) for record in manifest.damage]}
    write_atomically(layout.manifest(manifest.source), json.dumps(stored, sort_keys=True, separators=(",", ":")), mode=PRIVATE_FILE)


def _from_json(stored: dict[str, Any]) -> Manifest:
    """Make a manifest of what is stored. Raises ValueError, TypeError, KeyError or AttributeError for what no version writes."""
    state = stored["state"]
    _require(list, stored["parts"], stored["damage"])
    manifest = Manifest(
        **stored
        | {
            "state": None if state is None else FileState(**state),
            "parts": tuple(_part(part) for part in stored["parts"]),
            "damage": tuple(_damage(stored["file"], *record) for record in stored["damage"]),
        }
    )
    _require(str, manifest.source, manifest.file, manifest.kind)
    _require(int, manifest.tail_seqnum, manifest.entries, manifest.pruned_before or 0)
    if manifest.state is not None:
        _require(int, manifest.state.tail_seqnum, manifest.state.n_entries, manifest.state.size, manifest.state.changed_ns)
        _require(str, manifest.state.state)
    return manifest


def _part(stored: dict[str, Any]) -> Part:
    seqnums = stored["seqnums"]
    ranges = None if seqnums is None else {name: (first, last) for name, (first, last) in seqnums.items()}
    part = Part(**stored | {"seqnums": ranges})
    _require(str, part.path, *(ranges or {}))
    _require(int, part.rows, part.first_time, part.last_time, part.first_number, part.last_number, part.size)
    _require(int, *(number for pair in (ranges or {}).values() for number in pair))
    if not 0 <= part.first_time <= part.last_time <= _LAST_TIME:
        raise ValueError("a time that no entry has")
    return part


def _damage(file: str, offset: int | None, reason: str) -> Damage:
    _require(int, offset or 0)
    _require(str, reason)
    return Damage(file, offset, reason)


def _require(kind: type, *values: object) -> None:
    if not all(type(value) is kind for value in values):
        raise TypeError(f"expected {kind.__name__}")
