"""What the store has committed of one source, and its form as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from forensics.errors import ForensicsError
from forensics.store.layout import Layout, write_atomically


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file. Times are µs since 1970; numbers are sequence numbers, of a stream without them the entries' positions."""

    path: str  # below <store>/v1/entries
    rows: int
    first_time: int
    last_time: int
    first_number: int
    last_number: int
    seqnums: Mapping[str, tuple[int, int]] | None  # seqnum_id → its range; null when there are too many to name
    size: int


@dataclass(frozen=True, slots=True)
class State:
    """What a journal file's header and its folder said when it was last read: equal again means that nothing was added."""

    tail_seqnum: int
    n_entries: int
    state: str
    size: int
    changed_ns: int  # the file's modification time


@dataclass(frozen=True, slots=True)
class Manifest:
    source: str
    file: str  # where it was last seen: journald renames what it rotates
    kind: str  # journal, stream
    state: State | None = None  # null for a stream
    tail_seqnum: int = 0  # the highest sequence number that is stored
    entries: int = 0  # that were ever stored, pruned ones included
    parts: tuple[Part, ...] = ()
    damage: tuple[tuple[int | None, str], ...] = ()  # offset, reason
    pruned_before: int | None = None  # µs: older entries were deleted on request and do not come back

    def with_parts(self, parts: Iterable[Part]) -> Manifest:
        return replace(self, parts=tuple(sorted(parts, key=lambda part: (part.first_number, part.path))))


def read_manifest(layout: Layout, source: str) -> Manifest | None:
    """The manifest of a source, null when nothing of it was ever committed. Raises ForensicsError for one that is damaged."""
    path = layout.manifest(source)
    try:
        return _from_json(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ForensicsError(f"{path} is damaged: delete it, and the journal file it is about is ingested again.") from error


def read_manifests(layout: Layout, sources: Iterable[str] | None = None) -> list[Manifest]:
    """The manifests of `sources` that are there, or of all, sorted by source."""
    if sources is None:
        sources = [path.stem for path in layout.sources.glob("[!.]*.json")]
    found = (read_manifest(layout, source) for source in sorted(set(sources)))
    return [manifest for manifest in found if manifest is not None]


def write_manifest(layout: Layout, manifest: Manifest) -> None:
    write_atomically(layout.manifest(manifest.source), json.dumps(asdict(manifest), sort_keys=True, separators=(",", ":")).encode())


def _from_json(stored: dict[str, Any]) -> Manifest:
    state = stored["state"]
    return Manifest(
        **stored
        | {
            "state": None if state is None else State(**state),
            "parts": tuple(_part(part) for part in stored["parts"]),
            "damage": tuple((offset, reason) for offset, reason in stored["damage"]),
        }
    )


def _part(stored: dict[str, Any]) -> Part:
    seqnums = stored["seqnums"]
    ranges = None if seqnums is None else {name: (first, last) for name, (first, last) in seqnums.items()}
    return Part(**stored | {"seqnums": ranges})
