"""Read the baseline in a process of its own: a month of history takes memory that a `watch` of months does not need."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from forensics.query import Query
from forensics.watch.tracker import Tracker


def read_baseline_in_process(query: Query, say: Callable[[str], object]) -> Tracker:
    """Call `baseline.read_baseline` in a new process; an empty Tracker when that is killed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_read, query).result()
        except BrokenProcessPool:
            say("reading history was killed (out of memory?); starting without a baseline, so every failure will alert once. See --learn.")
            return Tracker()


def _read(query: Query) -> Tracker:
    from forensics.watch.baseline import read_baseline  # noqa: PLC0415 - with all that reads history, which the parent never needs

    return read_baseline(query)
