"""Define what goes into an evaluation: step series, and when Prometheus scrapes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StepSeries:
    """A series as an exporter would show it: values[i] holds from times[i] on.

    times: seconds since the epoch, ascending. Before the first one, and from a NaN on, the exporter does not show the series:
    the next scrape marks it as stale.
    """

    name: str
    labels: Mapping[str, str]
    times: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Scrapes:
    """When Prometheus scrapes: each `interval` seconds from `since` + `phase` to `until`, but not within a span of `missing`.

    A missing span is one without Prometheus: it leaves no samples and no stale markers.
    """

    since: float
    until: float
    interval: float = 15.0
    phase: float = 0.0
    missing: tuple[tuple[float, float], ...] = ()


def milliseconds(seconds: Floats | float) -> Ints:
    """Round to the milliseconds that Prometheus counts in."""
    return np.rint(np.asarray(seconds, dtype=np.float64) * 1000).astype(np.int64)
