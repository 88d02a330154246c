"""What a store promises: each entry once, in canonical order, and only what was asked for."""

import io
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq

from forensics.ingest.files import ingest_files
from forensics.ingest.streams import ingest_stream
from forensics.journal.reader import load
from forensics.model.frames import ENTRIES, checked
from tests.journal.oracle import needs_systemd
from tests.store.making import MINUTE, START, journal, numbers, opened, text

pytestmark = needs_systemd


def at(minutes: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START + minutes * MINUTE)


def test_entries_come_back_as_the_reader_gave_them(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 50)
    store = opened(tmp_path)
    ingest_files(store, [path])
    stored = checked(store.entries(), ENTRIES, "entries")
    assert stored.to_dicts() == load(path).table.to_pylist()


def test_an_entry_in_two_sources_comes_once(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 20)
    stream = subprocess.run(["journalctl", "-o", "export", "--file", path], check=True, capture_output=True).stdout
    store = opened(tmp_path)
    ingest_files(store, [path])
    ingest_stream(store, io.BytesIO(stream), "stdin")
    assert numbers(store) == list(range(20))
    assert len(store.entries(sources=ingest_files(store, [path]).sources)) == 20


def test_only_the_window_comes_and_only_its_parts_are_read(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 100, step=60 * MINUTE)
    store = opened(tmp_path)
    ingest_files(store, [path])
    first_day = min((store.layout.entries / "host=alpha").iterdir())
    assert numbers(store, since=at(50 * 60), until=at(60 * 60)) == list(range(50, 60))
    shutil.rmtree(first_day)
    assert numbers(store, since=at(50 * 60), until=at(60 * 60)) == list(range(50, 60))
    assert store.entries(since=at(10**6)).schema == ENTRIES


def test_boots_come_in_the_order_of_their_first_entry(tmp_path):
    later, earlier = journal(tmp_path / "a.journal", 50, 10, boot=1), journal(tmp_path / "b.journal", 0, 10, boot=2)
    other = journal(tmp_path / "c.journal", 20, 5, host="beta", boot=3, machine=8)
    store = opened(tmp_path)
    ingest_files(store, [later, other, earlier])
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
    ingest_files(store, paths)
    assert numbers(store) == [0, 1, 2, 3, 4]


def test_what_another_journal_repeats_under_its_own_numbers_comes_once(tmp_path):
    """As journalctl shows it; equal entries within one journal all stay."""
    whole = text(0, 1) + text(0, 1) + text(1, 3)
    store = opened(tmp_path)
    paths = []
    for name, stream in [("own", whole), ("sent", text(0, 1) + text(1, 2)), ("late", text(3, 2))]:
        paths.append(tmp_path / f"{name}.journal")
        subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", paths[-1], "-"], input=stream, check=True, capture_output=True)
    ingest_files(store, paths)
    named = [part for path in paths for part in ("--file", path)]
    shown = subprocess.run(["journalctl", "-q", "-o", "cat", *named], check=True, capture_output=True, text=True).stdout
    assert numbers(store) == [0, 0, 1, 2, 3, 4]
    assert [int(line.removeprefix("entry ")) for line in shown.splitlines()] == numbers(store)


def test_a_clock_that_jumps_back_changes_no_order(tmp_path):
    store = opened(tmp_path)
    path = tmp_path / "a.journal"
    for first in (100, 5000, 200):
        journal(path, first, 3)
    ingest_files(store, [path])
    assert numbers(store) == [100, 101, 102, 5000, 5001, 5002, 200, 201, 202]


def test_host_names_cannot_leave_their_directory(tmp_path):
    store = opened(tmp_path)
    for number, host in enumerate(["../../../evil", ".", "..", "a/b", "x" * 300, "ä\n", "%2E"]):
        ingest_stream(store, io.BytesIO(text(number, 1, host=host)), f"stream {number}")
    assert len(store.entries()) == 7
    parts = list(tmp_path.rglob("*.parquet"))
    assert len(parts) == 7
    assert {path.parents[1].parent for path in parts} == {store.layout.entries}


def test_pruned_days_are_gone_and_do_not_come_back(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 96, step=60 * MINUTE)
    store = opened(tmp_path)
    ingest_files(store, [path])
    removed = store.prune(at(50 * 60))
    left = numbers(store)
    assert removed == 96 - len(left)
    assert left == list(range(96 - len(left), 96))
    assert store.entries()["time"].min() <= at(50 * 60), "a day that has not ended stays"
    assert ingest_files(store, [path]).new_entries == 0
    os.utime(path)
    journal(path, 96, 2, step=60 * MINUTE)
    assert ingest_files(store, [path]).new_entries == 2
    assert numbers(store) == [*left, 96, 97]
    assert store.prune(at(50 * 60)) == 0


def test_parts_of_an_earlier_version_without_a_column_stay_readable(tmp_path):
    path, store = tmp_path / "a.journal", opened(tmp_path)
    ingest_files(store, [journal(path, 0, 20)])
    for part in sorted(store.layout.entries.rglob("*.parquet")):
        pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["writer"]), part, store_schema=False)
    ingest_files(store, [journal(path, 20, 20)])
    assert numbers(store) == list(range(40))
    assert store.entries()["writer"].cast(str).to_list() == [None] * 20 + ["- app.service -"] * 20
