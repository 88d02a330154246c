"""Read chosen samples from the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str, names: Sequence[str]) -> list[Sample]:
    """Return the samples with these names, in their order; lines that cannot be parsed are left out."""
    found = []
    for line in text.splitlines():
        if line.startswith(tuple(names)):
            try:
                families = list(text_string_to_metric_families(f"{line}\n"))
            except ValueError:
                continue
            parsed = [sample for family in families for sample in family.samples]
            found += [Sample(sample.name, dict(sample.labels), float(sample.value)) for sample in parsed if sample.name in names]
    return found
