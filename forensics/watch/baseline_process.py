"""Learning in a process of its own: a month of history takes memory that the watching, which goes on for months, does not need."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from forensics.query import Query
from forensics.watch.tracker import Tracker


def learned(settings: Query, say: Callable[[str], object]) -> Tracker:
    """As learning.learn; one that knows nothing when the process is killed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_learn, settings).result()
        except BrokenProcessPool:
            say("learning from history was killed, for lack of memory it seems: no failure is known, each alerts once. See --learn.")
            return Tracker()


def _learn(settings: Query) -> Tracker:
    from forensics.watch.baseline import learn  # noqa: PLC0415 - with all that reads history, which the parent never needs

    return learn(settings)
