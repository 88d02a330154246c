"""Look up metric names in the catalogue: which exporters have them, with which labels, behind which flag.

metrics.json is made by fixtures/metrics/make.py. Its families decide about names that it does not have: in a closed one they do not exist.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("metrics.json")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that exists. labels: with all the values that each can have, None where not fixed; never: values that it has not."""

    name: str
    by: str
    kind: str = ""
    labels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    never: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flag: str = ""  # of the exporter, where the metric is off by default
    until: str = ""  # the last version that has it, where newer ones do not


@dataclass(frozen=True, slots=True)
class Family:
    """What is known about the names that begin so. kind: closed, open or foreign; by: the exporter, or whose the names are."""

    prefix: str
    kind: str
    by: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    rows: Mapping[str, Mapping[str, object]]
    gone: Mapping[str, tuple[str, str, str]]  # names that old versions had: the exporter, the last version, the type
    families: Mapping[str, Family]  # by prefix
    lengths: tuple[int, ...]  # of the prefixes, the longest first

    def get(self, name: str) -> Metric | None:
        row = self.rows.get(name)
        if row is None and name.endswith("_created"):  # prometheus_client gives counters and histograms the time when they began
            row = next(
                (self.rows[other] for end in ("_total", "_count") if (other := name.removesuffix("_created") + end) in self.rows), None
            )
        return None if row is None else _metric(name, row)

    def family(self, name: str) -> Family | None:
        """Return the family that a name belongs to; `node_cpu` belongs to `node_cpu_`."""
        if name.count(":") > 1:  # level:metric:operations, as recording rules are named
            return None
        starts = (f"{name}_"[:length] for length in self.lengths if length <= len(name) + 1)
        return next((self.families[start] for start in starts if start in self.families), None)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Read the shipped catalogue, once."""
    parts = json.loads(_FILE.read_text(encoding="utf-8"))
    families = {prefix: Family(prefix, kind, by) for kind in ("closed", "open", "foreign") for prefix, by in parts[kind].items()}
    gone = {name: (by, until, kind) for name, (by, until, kind) in parts["gone"].items()}
    return Catalogue(parts["metrics"], gone, families, tuple(sorted({len(prefix) for prefix in families}, reverse=True)))


def _metric(name: str, row: Mapping[str, object]) -> Metric:
    labels = row.get("labels") or {}
    assert isinstance(labels, dict)  # noqa: S101 - the file is ours, and a test reads all of it
    values = {label: tuple(closed) if isinstance(closed, list) else None for label, closed in labels.items()}
    never = row.get("never") or {}
    assert isinstance(never, dict)  # noqa: S101
    never = {label: tuple(texts) for label, texts in never.items()}
    return Metric(name, str(row["by"]), str(row.get("type", "")), values, never, str(row.get("flag", "")), str(row.get("until", "")))
