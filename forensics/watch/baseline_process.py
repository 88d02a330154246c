"""Read the baseline in a process of its own: a month of history takes memory that a `watch` of months does not need."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection

from forensics.query import Query
from forensics.watch.tracker import Tracker

BEAT_S = 0.2  # how often the caller hears of it, at least
ENDS_S = 5.0  # in which a process that is no longer wanted ends


def read_baseline_in_process(query: Query, say: Callable[[str], object], beat: Callable[[float], object] = lambda _: None) -> Tracker:
    """Call `baseline.read_baseline` in a new process; an empty Tracker when that is killed. Raises what it raised.

    beat: called again and again with the share that is done; what it raises ends the process.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_read, args=(query, theirs), name="baseline", daemon=True)
    with ours:
        with theirs, _without_interruption():
            process.start()
        try:
            found = _awaited(ours, beat)
        finally:
            process.terminate()
            process.join(ENDS_S)
    if isinstance(found, Exception):
        raise found
    if found is None:
        say("reading history was killed (out of memory?); starting without a baseline, so every failure will alert once. See --learn.")
    return found or Tracker()


def _awaited(connection: Connection, beat: Callable[[float], object]) -> Tracker | Exception | None:
    """Wait for what the process found; null when it ended without an answer."""
    share = 0.0
    while True:
        beat(share)
        try:
            if not connection.poll(BEAT_S):
                continue
            received = connection.recv()
        except (EOFError, ConnectionResetError):
            return None
        if not isinstance(received, float):
            answer: Tracker | Exception = received
            return answer
        share = received


@contextmanager
def _without_interruption() -> Iterator[None]:
    """Start a process without SIGINT, which Ctrl-C sends to the whole group: it would print a traceback of its own."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read(query: Query, connection: Connection) -> None:
    from forensics.watch.baseline import read_baseline  # noqa: PLC0415 - with all that reads history, which the parent never needs

    with connection, suppress(BrokenPipeError):  # of a parent that was killed
        try:
            answer: Tracker | Exception = read_baseline(query, connection.send)
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001 - raised again by the parent
            answer = error
        connection.send(answer)
