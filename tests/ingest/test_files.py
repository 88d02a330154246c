"""What an ingest adds: each entry once, nothing lost, and nothing the second time."""

import io
import shutil

import pytest

from forensics.errors import ForensicsError
from forensics.ingest import files as ingest_module
from forensics.ingest import finding
from forensics.ingest.files import ingest_files
from forensics.ingest.streams import ingest_stream
from forensics.journal.reader import header, load
from forensics.model.values import Damage
from tests.journal.oracle import needs_systemd
from tests.store.making import files, journal, numbers, opened, text

pytestmark = needs_systemd


def test_a_second_ingest_adds_nothing(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 50)
    store = opened(tmp_path)
    first = ingest_files(store, [path])
    before = files(store)
    second = ingest_files(store, [path])
    assert (first.new_entries, first.files_read, first.files_unchanged) == (50, 1, 0)
    assert (second.new_entries, second.files_read, second.files_unchanged) == (0, 0, 1)
    assert second.sources == first.sources
    assert files(store) == before


def test_a_grown_file_adds_just_what_is_new(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 30)
    store = opened(tmp_path)
    ingest_files(store, [path])
    for round_ in range(1, 6):
        journal(path, round_ * 30, 30)
        assert ingest_files(store, [path]).new_entries == 30
    assert numbers(store) == list(range(180))
    assert len([name for name in files(store) if name.endswith(".parquet")]) == 2, "small parts of a day are joined"


def test_a_rotated_file_is_known_under_its_new_name(tmp_path):
    path = journal(tmp_path / "system.journal", 0, 20)
    store = opened(tmp_path)
    ingest_files(store, [tmp_path])
    archived = path.rename(tmp_path / "system@1-2-3.journal")
    journal(path, 20, 10)
    assert ingest_files(store, [tmp_path]).new_entries == 10
    assert numbers(store) == list(range(30))
    assert store.entries()["file"].to_list() == [str(archived)] * 20 + [str(path)] * 10


def test_a_file_rotated_while_it_is_read_is_found_again(tmp_path, monkeypatch):
    folder = tmp_path / "journal"
    folder.mkdir()
    path = journal(folder / "system.journal", 0, 20)
    fresh = journal(tmp_path / "fresh.journal", 20, 5)

    def rotating(which, *, after_seqnum=0):
        """Journald rotates between the reading of the headers and of the entries."""
        if fresh.exists():
            path.rename(folder / "system@1-2-3.journal")
            fresh.rename(path)
        return load(which, after_seqnum=after_seqnum)

    monkeypatch.setattr(ingest_module, "load", rotating)
    store = opened(tmp_path)
    ingested = ingest_files(store, [folder])
    assert set(range(20)) <= set(numbers(store))
    assert ingested.damage == ()
    ingest_files(store, [folder])
    assert numbers(store) == list(range(25))


@pytest.mark.parametrize("given", ["folder", "files"])
def test_a_file_rotated_while_headers_are_read_is_found_again(tmp_path, given, monkeypatch):
    folder = tmp_path / "journal"
    folder.mkdir()
    path = journal(folder / "system.journal", 0, 20)
    fresh = journal(tmp_path / "fresh.journal", 20, 5)

    def rotating(which):
        """Journald rotates between the listing and the reading of the headers."""
        if fresh.exists():
            path.rename(folder / "system@1-2-3.journal")
            fresh.rename(path)
        return header(which)

    monkeypatch.setattr(finding, "header", rotating)
    store = opened(tmp_path)
    ingest_files(store, [folder] if given == "folder" else [path])
    assert numbers(store) == list(range(25))


def test_an_archived_sibling_of_a_file_is_not_read_along(tmp_path):
    path = journal(tmp_path / "system.journal", 0, 20)
    path.rename(tmp_path / "system@1-2-3.journal")
    journal(path, 20, 5)
    store = opened(tmp_path)
    ingest_files(store, [path])
    assert numbers(store) == list(range(20, 25))


def test_a_deleted_file_is_recorded_as_damage(tmp_path):
    kept, gone = journal(tmp_path / "a.journal", 0, 5), journal(tmp_path / "b.journal", 5, 5)
    gone.unlink()
    store = opened(tmp_path)
    assert [record.file for record in ingest_files(store, [kept, gone]).damage] == [str(gone)]
    assert numbers(store) == list(range(5))


def test_a_copy_of_a_journal_is_the_same_source(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 20)
    shutil.copy(path, tmp_path / "copy.journal")
    store = opened(tmp_path)
    assert ingest_files(store, [path]).new_entries == 20
    assert ingest_files(store, [tmp_path / "copy.journal"]).new_entries == 0
    assert numbers(store) == list(range(20))


@pytest.mark.parametrize("order", [("older", "newer"), ("newer", "older")])
def test_the_fuller_one_of_two_copies_counts(tmp_path, order):
    path = journal(tmp_path / "newer.journal", 0, 20)
    shutil.copy(path, tmp_path / "older.journal")
    journal(path, 20, 5)
    store = opened(tmp_path)
    ingest_files(store, [tmp_path / f"{name}.journal" for name in order])
    assert numbers(store) == list(range(25))


def test_a_stream_counts_once(tmp_path):
    store = opened(tmp_path)
    first = ingest_stream(store, io.BytesIO(text(0, 20)), "stdin")
    second = ingest_stream(store, io.BytesIO(text(0, 20)), "stdin")
    assert (first.new_entries, second.new_entries, second.files_unchanged) == (20, 0, 1)
    assert first.sources == second.sources
    assert numbers(store) == list(range(20))


def test_equal_entries_of_a_stream_without_sequence_numbers_all_stay(tmp_path):
    store = opened(tmp_path)
    ingest_stream(store, io.BytesIO(text(3, 1) * 4), "stdin")
    assert numbers(store) == [3, 3, 3, 3]


def test_a_damaged_copy_is_completed_by_a_better_one(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 300])
    store = opened(tmp_path)
    try:
        first = ingest_files(store, [path])
    except ForensicsError:
        pytest.skip("the cut file was refused as a whole")
    assert first.damage
    path.write_bytes(whole)
    second = ingest_files(store, [path])
    assert second.damage == ()
    assert first.new_entries + second.new_entries == 200
    assert numbers(store) == list(range(200))


def test_damage_is_reported_again_for_an_unchanged_file(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 200)
    content = bytearray(path.read_bytes())
    where = content.index(b"entry 100")
    content[where - 80 : where] = b"\xff" * 80  # the whole head of the DATA object
    path.write_bytes(content)
    store = opened(tmp_path)
    first, second = ingest_files(store, [path]), ingest_files(store, [path])
    assert second.files_unchanged == 1
    assert first.damage == second.damage
    assert all(isinstance(record, Damage) and record.file == str(path) for record in first.damage)
    assert first.damage


def test_progress_counts_to_all_bytes(tmp_path):
    paths = [journal(tmp_path / f"{n}.journal", n * 5, 5) for n in range(2)]
    calls = []
    ingest_files(opened(tmp_path), paths, lambda done, whole: calls.append((done, whole)))
    size = sum(path.stat().st_size for path in paths)
    assert calls == [(0, size), (paths[0].stat().st_size, size), (size, size)]
