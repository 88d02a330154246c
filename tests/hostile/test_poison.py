"""Whatever breaks a batch is skipped, counted and reported once; everything else counts, and a restart does not meet it again."""

from contextlib import closing

import pytest

from forensics.watch import stream
from forensics.watch.poison import MOST_BROKEN, by_halves
from forensics.watch.state import State
from forensics.watch.stream import Stream
from tests.hostile.two_units import rows_of_two
from tests.watch.live import Journal, alerts, rounds, watching

POISON = "a line that breaks the labels"


def breaks_labels(monkeypatch):
    """Make `label` raise for the events with the hostile line."""
    label = stream.label

    def raising(events, attempts, patterns, past):
        if events["text"].str.contains(POISON, literal=True).any():
            raise RuntimeError("poisoned")
        return label(events, attempts, patterns, past)

    monkeypatch.setattr(stream, "label", raising)


def breaks_reading(monkeypatch):
    """Make `facts_of` raise for a batch with the hostile line."""
    facts_of = stream.facts_of

    def raising(entries, *rest):
        if entries["message"].fill_null("").str.contains(POISON, literal=True).any():
            raise RuntimeError("poisoned")
        return facts_of(entries, *rest)

    monkeypatch.setattr(stream, "facts_of", raising)


@pytest.mark.parametrize("breaks", [breaks_labels, breaks_reading])
def test_what_breaks_a_batch_is_skipped_and_the_rest_counts(tmp_path, known, clock, monkeypatch, breaks):
    breaks(monkeypatch)
    rows, sentences = rows_of_two(tmp_path, POISON), []
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, Journal(rows), known, say=sentences.append)
        rounds(watch, clock)
        raised = alerts(state)
        assert ("NewFailureSignature", "a.service") in raised
        assert ("JournalLoss", "") in raised
        assert len(sentences) == 1
        assert sentences[0].endswith("RuntimeError: poisoned. They are skipped; please report this.")
        assert watch.metrics.counters["watch_skipped"]._value.get() >= 1
        position = state.position()
    sentences.clear()
    with closing(State.open(tmp_path)) as state:
        again = watching(state, Journal(rows, _place(rows, position.replay)), known, say=sentences.append)
        again.resume(position, first=False)
        rounds(again, clock)
        assert sentences == []


def _place(rows, cursor):
    return next(number for number, row in enumerate(rows) if row["__CURSOR"] == cursor) + 1


def test_a_reader_that_breaks_ends_nothing(tmp_path, known, clock):
    rows, sentences = rows_of_two(tmp_path, "x"), []
    journal = Journal(rows)
    take, broken = journal.take, [OSError(74, "Bad message"), OSError(74, "Bad message"), ValueError("year 12007 is out of range")]

    def breaking(most, until=None):
        if broken:
            raise broken.pop()
        return take(most, until)

    journal.take = breaking
    with closing(State.open(tmp_path)) as state:
        rounds(watching(state, journal, known, say=sentences.append), clock)
        raised = alerts(state)
    assert {("NewFailureSignature", "a.service"), ("JournalLoss", "")} <= set(raised)
    assert [sentence.split(":")[1] for sentence in sentences] == [" ValueError", " OSError"]


def test_a_panic_of_polars_is_skipped_too(tmp_path, known, clock, monkeypatch):
    from polars.exceptions import PanicException

    monkeypatch.setattr(Stream, "settle", lambda *_: (_ for _ in ()).throw(PanicException("index out of bounds")))
    sentences = []
    with closing(State.open(tmp_path)) as state:
        rounds(watching(state, Journal(rows_of_two(tmp_path, "x")), known, say=sentences.append), clock)
        assert ("JournalLoss", "") in alerts(state)
    assert sentences


@pytest.mark.parametrize("bad", [set(), {0}, {99}, {17, 18, 64}, set(range(100))])
def test_halving_finds_each_that_breaks_and_keeps_the_order_of_the_rest(bad):
    given_up, tries = [], []

    def work(items):
        tries.append(len(items))
        if bad & set(items):
            raise ValueError
        return list(items)

    kept = [item for part in by_halves(range(100), work, lambda items, _: given_up.extend(items)) for item in part]
    if len(bad) < 100:
        assert (kept, set(given_up)) == ([item for item in range(100) if item not in bad], bad)
    assert sorted(kept + given_up) == list(range(100))
    assert len(tries) <= 3 * MOST_BROKEN
