"""What a store promises: each entry once, nothing lost, and a second run that costs nothing."""

import io
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forensics.errors import ForensicsError
from forensics.journal import sources
from forensics.model.frames import ENTRIES, checked
from forensics.model.values import Damage
from forensics.store import Store
from tests.journal.oracle import needs_systemd
from tests.store.making import MINUTE, START, files, journal, numbers, opened, text

ROOT = Path(__file__).parents[2]
pytestmark = needs_systemd
DAY_MINUTES = 24 * 60


def at(minutes: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START + minutes * MINUTE)


def test_entries_come_back_as_the_reader_gave_them(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 50)
    store = opened(tmp_path)
    store.ingest([path])
    stored = checked(store.entries(), ENTRIES, "entries")
    assert stored.to_dicts() == sources.load(path).table.to_pylist()


def test_a_second_ingest_adds_nothing(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 50)
    store = opened(tmp_path)
    first = store.ingest([path])
    before = files(store)
    second = store.ingest([path])
    assert (first.new_entries, first.files_read, first.files_unchanged) == (50, 1, 0)
    assert (second.new_entries, second.files_read, second.files_unchanged) == (0, 0, 1)
    assert second.sources == first.sources
    assert files(store) == before


def test_a_grown_file_adds_just_what_is_new(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 30)
    store = opened(tmp_path)
    store.ingest([path])
    for round_ in range(1, 6):
        journal(path, round_ * 30, 30)
        assert store.ingest([path]).new_entries == 30
    assert numbers(store) == list(range(180))
    assert len([name for name in files(store) if name.endswith(".parquet")]) == 2, "small parts of a day are joined"


def test_a_rotated_file_is_known_under_its_new_name(tmp_path):
    path = journal(tmp_path / "system.journal", 0, 20)
    store = opened(tmp_path)
    store.ingest([tmp_path])
    archived = path.rename(tmp_path / "system@1-2-3.journal")
    journal(path, 20, 10)
    assert store.ingest([tmp_path]).new_entries == 10
    assert numbers(store) == list(range(30))
    assert store.entries()["file"].to_list() == [str(archived)] * 20 + [str(path)] * 10


def test_a_file_rotated_while_it_is_read_is_found_again(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    path = journal(folder / "system.journal", 0, 20)
    fresh = journal(tmp_path / "fresh.journal", 20, 5)

    class Rotating:
        """journald rotates between the reading of the headers and of the entries."""

        header, journal_files, read_stream = sources.header, sources.journal_files, sources.read_stream

        @staticmethod
        def load(which, *, after_seqnum=0):
            if fresh.exists():
                path.rename(folder / "system@1-2-3.journal")
                fresh.rename(path)
            return sources.load(which, after_seqnum=after_seqnum)

    store = Store.open(tmp_path / "store", Rotating)
    ingested = store.ingest([folder])
    assert set(range(20)) <= set(numbers(store))
    assert ingested.damage == ()
    store.ingest([folder])
    assert numbers(store) == list(range(25))


@pytest.mark.parametrize("given", ["folder", "files"])
def test_a_file_rotated_while_headers_are_read_is_found_again(tmp_path, given):
    folder = tmp_path / "journal"
    folder.mkdir()
    path = journal(folder / "system.journal", 0, 20)
    fresh = journal(tmp_path / "fresh.journal", 20, 5)

    class Rotating:
        """journald rotates between the listing and the reading of the headers."""

        load, journal_files, read_stream = sources.load, sources.journal_files, sources.read_stream

        @staticmethod
        def header(which):
            if fresh.exists():
                path.rename(folder / "system@1-2-3.journal")
                fresh.rename(path)
            return sources.header(which)

    store = Store.open(tmp_path / "store", Rotating)
    store.ingest([folder] if given == "folder" else [path])
    assert numbers(store) == list(range(25))


def test_an_archived_sibling_of_a_file_is_not_read_along(tmp_path):
    path = journal(tmp_path / "system.journal", 0, 20)
    path.rename(tmp_path / "system@1-2-3.journal")
    journal(path, 20, 5)
    store = opened(tmp_path)
    store.ingest([path])
    assert numbers(store) == list(range(20, 25))


def test_a_deleted_file_is_recorded_as_damage(tmp_path):
    kept, gone = journal(tmp_path / "a.journal", 0, 5), journal(tmp_path / "b.journal", 5, 5)
    gone.unlink()
    store = opened(tmp_path)
    assert [record.file for record in store.ingest([kept, gone]).damage] == [str(gone)]
    assert numbers(store) == list(range(5))


def test_a_copy_of_a_journal_is_the_same_source(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 20)
    shutil.copy(path, tmp_path / "copy.journal")
    store = opened(tmp_path)
    assert store.ingest([path]).new_entries == 20
    assert store.ingest([tmp_path / "copy.journal"]).new_entries == 0
    assert numbers(store) == list(range(20))


@pytest.mark.parametrize("order", [("older", "newer"), ("newer", "older")])
def test_of_two_copies_the_fuller_one_counts(tmp_path, order):
    path = journal(tmp_path / "newer.journal", 0, 20)
    shutil.copy(path, tmp_path / "older.journal")
    journal(path, 20, 5)
    store = opened(tmp_path)
    store.ingest([tmp_path / f"{name}.journal" for name in order])
    assert numbers(store) == list(range(25))


def test_an_entry_in_two_sources_comes_once(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 20)
    stream = subprocess.run(["journalctl", "-o", "export", "--file", path], check=True, capture_output=True).stdout
    store = opened(tmp_path)
    store.ingest([path])
    store.ingest_stream(io.BytesIO(stream), "stdin")
    assert numbers(store) == list(range(20))
    assert len(store.entries(sources=store.ingest([path]).sources)) == 20


def test_a_stream_counts_once(tmp_path):
    store = opened(tmp_path)
    first = store.ingest_stream(io.BytesIO(text(0, 20)), "stdin")
    second = store.ingest_stream(io.BytesIO(text(0, 20)), "stdin")
    assert (first.new_entries, second.new_entries, second.files_unchanged) == (20, 0, 1)
    assert first.sources == second.sources
    assert numbers(store) == list(range(20))


def test_equal_entries_of_a_stream_without_sequence_numbers_all_stay(tmp_path):
    store = opened(tmp_path)
    store.ingest_stream(io.BytesIO(text(3, 1) * 4), "stdin")
    assert numbers(store) == [3, 3, 3, 3]


def test_a_damaged_copy_is_completed_by_a_better_one(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 300])
    store = opened(tmp_path)
    try:
        first = store.ingest([path])
    except ForensicsError:
        pytest.skip("the cut file was refused as a whole")
    assert first.damage
    path.write_bytes(whole)
    second = store.ingest([path])
    assert second.damage == ()
    assert first.new_entries + second.new_entries == 200
    assert numbers(store) == list(range(200))


def test_damage_is_told_again_for_an_unchanged_file(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 200)
    content = bytearray(path.read_bytes())
    where = content.index(b"entry 100")
    content[where - 80 : where] = b"\xff" * 80  # the whole head of the DATA object
    path.write_bytes(content)
    store = opened(tmp_path)
    first, second = store.ingest([path]), store.ingest([path])
    assert second.files_unchanged == 1
    assert first.damage == second.damage
    assert all(isinstance(record, Damage) and record.file == str(path) for record in first.damage)
    assert first.damage


def test_only_the_window_comes_and_only_its_parts_are_read(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 100, step=60 * MINUTE)
    store = opened(tmp_path)
    store.ingest([path])
    first_day = min((store.layout.entries / "host=alpha").iterdir())
    assert numbers(store, since=at(50 * 60), until=at(60 * 60)) == list(range(50, 60))
    shutil.rmtree(first_day)
    assert numbers(store, since=at(50 * 60), until=at(60 * 60)) == list(range(50, 60))
    assert store.entries(since=at(10**6)).schema == ENTRIES


def test_boots_come_in_the_order_of_their_first_entry(tmp_path):
    later, earlier = journal(tmp_path / "a.journal", 50, 10, boot=1), journal(tmp_path / "b.journal", 0, 10, boot=2)
    other = journal(tmp_path / "c.journal", 20, 5, host="beta", boot=3)
    store = opened(tmp_path)
    store.ingest([later, other, earlier])
    assert numbers(store) == [*range(10), *range(50, 60), *range(20, 25)]


def test_a_boot_of_two_files_with_ids_of_their_own_is_merged_by_the_clock(tmp_path):
    even = text(0, 1) + text(2, 1) + text(4, 1)
    odd = text(1, 1) + text(3, 1)
    store = opened(tmp_path)
    paths = []
    for name, stream in [("even", even), ("odd", odd)]:
        (tmp_path / name).write_bytes(stream)
        paths.append(tmp_path / f"{name}.journal")
        subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", paths[-1], "-"], input=stream, check=True, capture_output=True)
    store.ingest(paths)
    assert numbers(store) == [0, 1, 2, 3, 4]


def test_what_another_journal_repeats_under_its_own_numbers_comes_once(tmp_path):
    """As journalctl shows it; equal entries within one journal all stay."""
    whole = text(0, 1) + text(0, 1) + text(1, 3)
    store = opened(tmp_path)
    paths = []
    for name, stream in [("own", whole), ("sent", text(0, 1) + text(1, 2)), ("late", text(3, 2))]:
        paths.append(tmp_path / f"{name}.journal")
        subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", paths[-1], "-"], input=stream, check=True, capture_output=True)
    store.ingest(paths)
    named = [part for path in paths for part in ("--file", path)]
    shown = subprocess.run(["journalctl", "-q", "-o", "cat", *named], check=True, capture_output=True, text=True).stdout
    assert numbers(store) == [0, 0, 1, 2, 3, 4]
    assert [int(line.removeprefix("entry ")) for line in shown.splitlines()] == numbers(store)


def test_a_clock_that_jumps_back_changes_no_order(tmp_path):
    store = opened(tmp_path)
    path = tmp_path / "a.journal"
    for first in (100, 5000, 200):
        journal(path, first, 3)
    store.ingest([path])
    assert numbers(store) == [100, 101, 102, 5000, 5001, 5002, 200, 201, 202]


def test_hosts_have_folders_that_cannot_be_left(tmp_path):
    store = opened(tmp_path)
    for number, host in enumerate(["../../../evil", ".", "..", "a/b", "x" * 300, "ä\n", "%2E"]):
        store.ingest_stream(io.BytesIO(text(number, 1, host=host)), f"stream {number}")
    assert len(store.entries()) == 7
    parts = list(tmp_path.rglob("*.parquet"))
    assert len(parts) == 7
    assert {path.parents[1].parent for path in parts} == {store.layout.entries}


def test_pruned_days_are_gone_and_do_not_come_back(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 96, step=60 * MINUTE)
    store = opened(tmp_path)
    store.ingest([path])
    removed = store.prune(at(50 * 60))
    left = numbers(store)
    assert removed == 96 - len(left)
    assert left == list(range(96 - len(left), 96))
    assert store.entries()["time"].min() <= at(50 * 60), "a day that has not ended stays"
    assert store.ingest([path]).new_entries == 0
    os.utime(path)
    journal(path, 96, 2, step=60 * MINUTE)
    assert store.ingest([path]).new_entries == 2
    assert numbers(store) == [*left, 96, 97]
    assert store.prune(at(50 * 60)) == 0


def test_progress_counts_to_all_bytes(tmp_path):
    paths = [journal(tmp_path / f"{n}.journal", n * 5, 5) for n in range(2)]
    seen = []
    opened(tmp_path).ingest(paths, lambda done, whole: seen.append((done, whole)))
    size = sum(path.stat().st_size for path in paths)
    assert seen == [(paths[0].stat().st_size, size), (size, size)]
