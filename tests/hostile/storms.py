"""Storms of alerts: lives of units as the tracker is given them, and errors that healthy services log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import product

import polars as pl

from forensics.alerting.alert import Alert
from forensics.model.values import Signature, UnitKey
from forensics.signatures import naming
from forensics.watch.batch import BatchFacts, Boot
from forensics.watch.stream import NonfatalError
from forensics.watch.tracker import Tracker
from tests.watch.stories import STEADY, T0, Life, moment

SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "so", "ti")
WORDS = ["".join(parts) for parts in product(SYLLABLES, repeat=4)]  # 2,401 without a digit, which would be masked


def unknown(texts: list[str], frames: list[str]) -> list[tuple[Signature, str]]:
    """Name tracebacks that no pattern has; each with the place that raised it."""
    stacks = [
        f'Traceback (most recent call last):\n  File "/srv/app/main.py", line 7, in {frame}\n{text}'
        for text, frame in zip(texts, frames, strict=True)
    ]
    columns = {"event": range(len(stacks)), "kind": ["traceback"] * len(stacks), "text": stacks}
    events = pl.DataFrame(columns).with_columns(root=pl.lit(None, pl.String), last=pl.lit(None, pl.String))
    rows = naming.mined(events).sort("event").iter_rows()
    return [(naming.mined_signature(signature, title), site) for _, signature, title, site in rows]


def logs(tracker: Tracker, texts: list[str], unit: str = "a.service", every: float = 1.0, frame: Callable[[str], str] = str) -> list[Alert]:
    """Let a healthy service log these exceptions."""
    alerts: list[Alert] = []
    tracker.read(BatchFacts(boots=(Boot("m1", "hydra", moment(0)),)), STEADY)
    named = unknown(texts, [frame(text) for text in texts])
    for number, (text, (signature, site)) in enumerate(zip(texts, named, strict=True)):
        time = datetime.fromtimestamp(T0 + number * every, UTC)
        error = NonfatalError("hydra", UnitKey("m1", "system", unit), time, signature, "exception", text, site)
        alerts += tracker.survived(error)
    return alerts


def fails(tracker: Tracker, classes: Iterable[Signature], unit: str = "a.service", every: float = 0.1, begin: float = 0.0) -> list[Alert]:
    """Let attempts of a unit fail, each for another reason, without restarts."""
    life = Life(tracker, unit=unit)
    tracker.read(BatchFacts(boots=(Boot(life.machine, life.host, moment(begin)),)), STEADY + begin)
    alerts: list[Alert] = []
    for number, signature in enumerate(classes):
        life.began = begin + number * every - 1
        alerts += life.end(begin + number * every, signature)
    return alerts


def mined(count: int, first: int = 0) -> list[Signature]:
    """Unrelated classes of failures."""
    return [Signature(f"mined:{number:016x}", " ".join(WORDS[(number * step) % 2401] for step in (1, 7, 11)), "high") for number in
            range(first, first + count)]  # fmt: skip


def passes(tracker: Tracker, seconds: float) -> list[Alert]:
    """Let time pass after the storm."""
    return tracker.tick(STEADY + seconds, T0 + seconds)
