"""Which sources belong to a report when journal files come and go."""

import pytest

from forensics.ingest.sources import ingest_sources
from forensics.journal import directory
from forensics.query import Sources
from forensics.store import Store
from tests.journal.oracle import needs_systemd
from tests.store.making import journal, numbers

pytestmark = needs_systemd


@pytest.fixture
def root(tmp_path):
    """A journal root with two files; `old` is the one that journald deletes first."""
    folder = tmp_path / "journal" / ("a" * 32)
    folder.mkdir(parents=True)
    journal(folder / "old.journal", 0, 3)
    journal(folder / "new.journal", 3, 3)
    return tmp_path / "journal"


def reported_numbers(wanted, tmp_path):
    ingested = ingest_sources(wanted, tmp_path / "store")
    store = Store.open(tmp_path / "store")
    return [number for number in range(6) if number in set(numbers(store, sources=ingested.sources))]


@pytest.mark.parametrize("wanted", ["none", "root", "machine"])
def test_what_journald_has_deleted_of_the_hosts_own_journal_stays_in_the_report(root, tmp_path, monkeypatch, wanted):
    monkeypatch.setattr(directory, "HOST_DIRECTORIES", (root, tmp_path / "nothing"))
    named = {"none": (), "root": (root,), "machine": (root / ("a" * 32),)}[wanted]
    sources = Sources(named, ())
    assert reported_numbers(sources, tmp_path) == [0, 1, 2, 3, 4, 5]
    (root / ("a" * 32) / "old.journal").unlink()
    assert reported_numbers(sources, tmp_path) == [0, 1, 2, 3, 4, 5]


def test_a_report_on_any_other_directory_shows_what_is_in_it_now(root, tmp_path):
    assert reported_numbers(Sources((root,), ()), tmp_path) == [0, 1, 2, 3, 4, 5]
    (root / ("a" * 32) / "old.journal").unlink()
    assert reported_numbers(Sources((root,), ()), tmp_path) == [3, 4, 5]
