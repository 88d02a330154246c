"""Learning in a process of its own: a month of history takes memory that the watching, which goes on for months, does not need."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from forensics.live.tracker import Tracker
from forensics.settings import Settings


def learned(settings: Settings, say: Callable[[str], object]) -> Tracker:
    """As learning.learn; one that knows nothing when the process is killed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_learn, settings).result()
        except BrokenProcessPool:
            say("learning from history was killed, for lack of memory it seems: no failure is known, each alerts once. See --learn.")
            return Tracker()


def _learn(settings: Settings) -> Tracker:
    from forensics.live.learning import learn  # noqa: PLC0415 - with all that reads history, which the parent never needs

    return learn(settings)
