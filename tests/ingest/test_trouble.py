"""What a store does when it is killed, when others write to it, and when disk, files or the store itself are bad: nothing is lost."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics.errors import ForensicsError, JournalPermissionError, NothingRecordedError
from forensics.history_replay import make_report
from forensics.ingest.files import ingest_files
from forensics.query import Query, Sources
from forensics.resources import folder
from forensics.store import Store, query
from tests.journal.oracle import needs_systemd
from tests.store.making import MINUTE, files, journal, numbers, opened

ROOT = Path(__file__).parents[2]
pytestmark = needs_systemd
DAY_MINUTES = 24 * 60


def test_a_newer_store_is_refused(tmp_path):
    opened(tmp_path)
    (tmp_path / "store" / "schema").write_text("2\n")
    with pytest.raises(ForensicsError, match="newer tabby-forensics"):
        opened(tmp_path)


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "schema").write_text("CREATE TABLE x;")
    with pytest.raises(ForensicsError, match="not a store"):
        opened(tmp_path)
    with pytest.raises(ForensicsError, match="store"):
        Store.open(tmp_path / "store" / "schema")


def test_a_file_that_is_not_a_journal_is_damage_among_others_and_an_error_alone(tmp_path):
    good, bad = journal(tmp_path / "a.journal", 0, 5), tmp_path / "b.journal"
    bad.write_bytes(b"no journal at all")
    store = opened(tmp_path)
    assert [record.file for record in ingest_files(store, [good, bad]).damage] == [str(bad)]
    with pytest.raises(ForensicsError):
        ingest_files(store, [bad])
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingRecordedError):
        ingest_files(store, [tmp_path / "empty"])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: becomes another user")
def test_a_file_that_may_not_be_read_is_damage_among_others_and_an_error_alone(tmp_path):
    good, bad = journal(tmp_path / "a.journal", 0, 5), journal(tmp_path / "b.journal", 5, 5)
    good.chmod(0o644)
    bad.chmod(0)
    shut = tmp_path / ("0" * 32)
    shut.mkdir(mode=0)
    for parent in [tmp_path, *tmp_path.parents[:3]]:
        parent.chmod(parent.stat().st_mode | 0o055)
    (tmp_path / "store").mkdir()
    os.chown(tmp_path / "store", 65534, 65534)
    os.seteuid(65534)
    try:
        store = opened(tmp_path)
        assert [record.file for record in ingest_files(store, [good, bad]).damage] == [str(bad)]
        assert [record.file for record in ingest_files(store, [good, shut]).damage] == [str(shut)]
        for alone in (bad, shut):
            with pytest.raises(JournalPermissionError, match="systemd-journal"):
                ingest_files(store, [alone])
        with pytest.raises(ForensicsError, match="may not be read and written"):
            Store.open(tmp_path / "elsewhere" / "store")
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a small file system")
def test_a_full_disk_loses_nothing(tmp_path):
    small = tmp_path / "store"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "none", small], check=True)
    try:
        store = opened(tmp_path)
        ingest_files(store, [journal(tmp_path / "a.journal", 0, 20)])
        with pytest.raises(ForensicsError, match="disk is full"):
            ingest_files(store, [journal(tmp_path / "b.journal", 20, 3000, step=60 * MINUTE)])
        assert numbers(store) == list(range(20))
        subprocess.run(["mount", "-o", "remount,size=32m", small], check=True)
        assert ingest_files(store, [tmp_path / "b.journal"]).new_entries == 3000
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        assert ingest_files(opened(tmp_path), [tmp_path / "a.journal"]).files_unchanged == 1
        with pytest.raises(ForensicsError, match="read-only"):
            ingest_files(store, [journal(tmp_path / "c.journal", 4000, 5)])
    finally:
        subprocess.run(["umount", small], check=True)


INGEST = (
    "import sys; from pathlib import Path; from forensics.ingest.files import ingest_files; from forensics.store import Store;"
    "ingest_files(Store.open(Path(sys.argv[1])), [Path(sys.argv[2])])"
)


def ingesting(store: Path, folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", INGEST, str(store), str(folder)], cwd=ROOT, stderr=subprocess.PIPE)


def test_ingesting_does_not_import_polars(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 5)
    code = INGEST + "; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "store"), str(path)], cwd=ROOT, check=False).returncode == 0


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost_or_doubled(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    for number in range(4):
        journal(folder / f"{number}.journal", number * 1000, 1000)
    rng = random.Random(3)  # noqa: S311 - the same moments every time
    for _ in range(12):
        process = ingesting(tmp_path / "store", folder)
        while not (tmp_path / "store" / "v1" / "lock").exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (tmp_path / "store" / "schema").exists():
            got = numbers(opened(tmp_path))
            assert len(got) == len(set(got))
    store = opened(tmp_path)
    ingest_files(store, [folder])
    assert numbers(store) == list(range(4000))
    assert_nothing_is_left_over(store)


MOMENTS = ["moved", "committed", "drafted"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_between_the_steps_of_a_commit(tmp_path, moment):
    step = {
        "drafted": "w._in_parallel",
        "moved": "w.write_manifest",
        "committed": "w._remove_parts",
    }[moment]
    path = journal(tmp_path / "a.journal", 0, 20)
    ingest_files(opened(tmp_path), [path])
    journal(path, 20, 20)
    kill = f"import os; import forensics.store.workspace as w; {step} = lambda *a: os.kill(os.getpid(), 9);"
    killed = subprocess.run([sys.executable, "-c", kill + INGEST, str(tmp_path / "store"), str(path)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    store = opened(tmp_path)
    assert numbers(store) == list(range(40 if moment == "committed" else 20))
    ingest_files(store, [path])
    assert numbers(store) == list(range(40))
    assert_nothing_is_left_over(store)


def test_what_a_killed_process_left_is_kept_while_its_manifest_is_damaged(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 20)
    (source,) = ingest_files(opened(tmp_path), [path]).sources
    journal(path, 20, 20)
    kill = "import os; import forensics.store.workspace as w; w.write_manifest = lambda *a: os.kill(os.getpid(), 9);"
    subprocess.run([sys.executable, "-c", kill + INGEST, str(tmp_path / "store"), str(path)], cwd=ROOT, check=False)
    store = opened(tmp_path)
    whole = store.layout.manifest(source).read_bytes()
    store.layout.manifest(source).write_bytes(whole[:-9])
    ingest_files(store, [journal(tmp_path / "b.journal", 100, 5, boot=2)])
    store.layout.manifest(source).write_bytes(whole)
    assert numbers(store) == [*range(20), *range(100, 105)]


def assert_nothing_is_left_over(store: Store) -> None:
    manifests = [json.loads(path.read_bytes()) for path in store.layout.sources.iterdir()]
    named = {f"entries/{part['path']}" for manifest in manifests for part in manifest["parts"]}
    assert {name for name in files(store) if not name.startswith("sources/")} == named


def test_ingests_at_once_add_each_entry_once(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    for number in range(4):
        journal(folder / f"{number}.journal", number * 100, 100)
    processes = [ingesting(tmp_path / "store", folder) for _ in range(4)]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 4
    store = opened(tmp_path)
    assert numbers(store) == list(range(400))
    assert sum(json.loads(path.read_bytes())["entries"] for path in store.layout.sources.iterdir()) == 400
    assert_nothing_is_left_over(store)


def test_an_unknown_error_of_the_system_is_a_sentence_too(tmp_path, monkeypatch):
    def failing(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    store = opened(tmp_path)
    path = journal(tmp_path / "a.journal", 0, 5)
    monkeypatch.setattr("forensics.store.workspace._sync_file", failing)
    with pytest.raises(ForensicsError, match="Input/output error"):
        ingest_files(store, [path])


def test_a_part_that_another_process_joins_meanwhile_is_read_in_its_new_form(tmp_path, monkeypatch):
    path = journal(tmp_path / "a.journal", 0, 20)
    store = opened(tmp_path)
    ingest_files(store, [path])
    journal(path, 20, 20)
    read, ingests = query.sound_manifests, []

    def then_joined(*arguments):
        manifests = read(*arguments)
        if not ingests:
            ingests.append(ingest_files(store, [path]))
        return manifests

    monkeypatch.setattr(query, "sound_manifests", then_joined)
    assert numbers(store) == list(range(40))


@pytest.fixture
def three_days(tmp_path):
    """A journal of three days, ingested: the store, the path of the journal and the parts in order of time."""
    path = journal(tmp_path / "a.journal", 0, 72, step=60 * MINUTE)
    store = opened(tmp_path)
    ingest_files(store, [path])
    return store, path, sorted((tmp_path / "store").rglob("*.parquet"))


def cut_off(part):
    part.write_bytes(part.read_bytes()[:-100])


def overwrite(part):
    part.write_bytes(part.read_bytes()[:100] + b"\xff" * 1000 + part.read_bytes()[1100:])


@pytest.mark.parametrize("destroy", [cut_off, overwrite, Path.unlink], ids=["cut off", "overwritten", "deleted"])
def test_a_damaged_part_is_left_out_and_described_and_the_rest_is_read(three_days, destroy):
    store, path, parts = three_days
    whole = numbers(store)
    destroy(parts[1])
    stored = store.read()
    left = [int(message.removeprefix("entry ")) for message in stored.entries["message"]]
    assert left == [number for number in whole if not 2 <= number < 26], "the second day began after two hours"
    (damage,) = stored.damage
    assert (damage.file, damage.offset) == (str(parts[1]), None)
    for words in (f"24 entries of {path}", "from 2023-11-15 00:13:20 to 2023-11-15 23:13:20 UTC"):
        assert words in damage.reason
    assert "delete" not in damage.reason


def test_damage_outside_the_window_is_not_reported(three_days):
    store, _, parts = three_days
    cut_off(parts[1])
    noon = datetime(2023, 11, 16, 12, tzinfo=UTC)
    assert store.read(since=noon).damage == ()
    assert store.read(since=noon).entries.height > 0


def test_what_the_journal_still_has_of_a_damaged_part_can_be_read_again(three_days):
    store, path, parts = three_days
    cut_off(parts[1])
    (source,) = ingest_files(store, [path]).present
    (damage,) = store.read(present=[source]).damage
    assert f"delete {store.layout.manifest(source)} and run `ingest`" in damage.reason
    store.layout.manifest(source).unlink()
    ingest_files(store, [path])
    assert store.read().damage == ()
    assert numbers(store) == list(range(72))


def test_a_damaged_manifest_is_described_with_its_days_and_other_sources_are_read(three_days, tmp_path):
    store, path, _ = three_days
    (source,) = ingest_files(store, [path]).sources
    other = journal(tmp_path / "b.journal", 100, 5, step=60 * MINUTE, boot=2)
    store.layout.manifest(source).write_text('{"parts":')
    ingested = ingest_files(store, [path, other])
    assert [(record.file, "ingest that again" in record.reason) for record in ingested.damage] == [(str(path), True)], "the journal has it"
    stored = store.read()
    assert stored.entries.height == 5
    (damage,) = stored.damage
    assert damage.file == str(store.layout.manifest(source))
    assert "from 2023-11-14 to 2023-11-17" in damage.reason
    assert store.prune(datetime(2023, 11, 16, tzinfo=UTC)) == 0


def test_a_report_of_a_damaged_store_is_incomplete(three_days, tmp_path):
    _, path, parts = three_days
    cut_off(parts[1])
    report = make_report(Query(Sources((), (path,)), tmp_path / "store", datetime.now(UTC), pattern_folders=(folder("patterns"),)))
    assert not report.completeness.complete
    assert [damage.file for damage in report.completeness.damage] == [str(parts[1])]


def test_a_damaged_part_that_new_entries_would_join_stays_as_it_is(tmp_path):
    path = journal(tmp_path / "a.journal", 0, 5)
    store = opened(tmp_path)
    ingest_files(store, [path])
    (part,) = (tmp_path / "store").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:-20])
    journal(path, 5, 5)
    assert ingest_files(store, [path]).new_entries == 5
    assert numbers(store) == [5, 6, 7, 8, 9]
    assert [damage.file for damage in store.read().damage] == [str(part)]
