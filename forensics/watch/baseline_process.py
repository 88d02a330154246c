"""Read the baseline in a process of its own: a month of history takes memory that a `watch` of months does not need."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context

from forensics.query import Query
from forensics.watch.tracker import Tracker


def read_baseline_in_process(query: Query, say: Callable[[str], object]) -> Tracker:
    """Call `baseline.read_baseline` in a new process; an empty Tracker when that is killed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return _submitted(pool, query).result()
        except KeyboardInterrupt:
            for process in active_children():
                process.terminate()
            raise
        except BrokenProcessPool:
            say("reading history was killed (out of memory?); starting without a baseline, so every failure will alert once. See --learn.")
            return Tracker()


def _submitted(pool: ProcessPoolExecutor, query: Query) -> Future[Tracker]:
    """Start the process without SIGINT, which Ctrl-C sends to the whole group: it would print a traceback of its own."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_read, query)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read(query: Query) -> Tracker:
    from forensics.watch.baseline import read_baseline  # noqa: PLC0415 - with all that reads history, which the parent never needs

    return read_baseline(query)
