"""Directories of reports are read whatever lies in them: each file that is none is named, and the rest goes on."""

import gzip
import json
import os
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.fleet import read
from forensics.fleet.contract import to_json
from forensics.fleet.read import Found, find_files, read_summary
from tests.fleet.making import failed_text, host_name, well

WHOLE = failed_text(1).encode()


def written(folder, name, content):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def summary_of(*paths, processes=1):
    return read_summary(find_files(paths), processes)


def test_any_nesting_plain_and_packed_files_are_read(tmp_path):
    written(tmp_path, "a/b/c/report.json", WHOLE)
    written(tmp_path, "d/report.json.gz", gzip.compress(json.dumps(well(2)).encode()))
    written(tmp_path, "d/notes.txt", b"not looked at")
    written(tmp_path, "d/.report.json", b"being written")
    named = written(tmp_path / "elsewhere", "last-report", json.dumps(well(3)).encode())
    summary = summary_of(tmp_path / "a", tmp_path / "d", named)
    assert sorted(host.host for host in summary.hosts) == [host_name(1), host_name(2), host_name(3)]
    assert summary.unread == ()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.json", b"", "is not JSON"),
        ("x.json", WHOLE[:9000], "is cut off, or not JSON"),
        ("x.json", b'{"a": 1}', "is not a report of this program"),
        ("x.json", b"[" * 100_000, "nested too deeply"),
        ("x.json", b"\xff\xfe{", "is not JSON"),
        ("x.json.gz", gzip.compress(WHOLE)[:-200], "is cut off: gzip ends too early"),
        ("x.json.gz", b"\x1f\x8b" + b"junk" * 9, "is damaged: gzip cannot be unpacked"),
        ("x.json.gz", gzip.compress(bytes(66 << 20), 1), "is longer than 67,108,864 bytes when unpacked"),
    ],
)
def test_a_file_that_is_no_report_is_named_and_the_rest_goes_on(name, content, words, tmp_path):
    written(tmp_path, "good.json", WHOLE)
    bad = written(tmp_path, name, content)
    summary = summary_of(tmp_path)
    assert [host.host for host in summary.hosts] == [host_name(1)]
    ((file, why),) = [(each.file, each.why) for each in summary.unread]
    assert file == str(bad)
    assert words in why


def test_each_length_that_a_report_can_be_cut_to_is_survived(tmp_path):
    for length in range(0, len(WHOLE), 9_973):
        written(tmp_path, f"{length}.json", WHOLE[:length])
    summary = summary_of(tmp_path)
    assert summary.hosts == ()
    assert len(summary.unread) == len(range(0, len(WHOLE), 9_973))


def test_what_is_no_file_in_a_directory_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("/etc/hostname")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "folder.json").mkdir()
    found = {Path(each.file).name: each.why for each in summary_of(tmp_path).unread}
    assert found == {
        "pipe.json": "is a pipe; name a regular file instead",
        "link.json": "is a symbolic link; links in a directory are not followed",
    }


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"none' does not exist\."):
        find_files([tmp_path / "none"])


def test_more_files_than_are_read_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "MOST_FILES", 2)
    for number in range(4):
        written(tmp_path, f"{number}.json", WHOLE)
    found = find_files([tmp_path])
    assert len(found.files) == 2
    assert "has more than 2 reports or directories" in found.unread[0].why


def test_a_pool_gives_the_same_bytes_as_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "WORTH_A_POOL", 4)
    monkeypatch.setattr(read, "BATCH", 2)
    for number in range(5):
        written(tmp_path, f"{number}.json", json.dumps(well(number)).encode())
    written(tmp_path, "5.json", WHOLE[:100])
    steps = []
    alone, pooled = summary_of(tmp_path), read_summary(find_files([tmp_path]), 2, lambda *step: steps.append(step))
    assert to_json(alone) == to_json(pooled)
    assert (len(alone.hosts), steps) == (5, [(1, 3), (2, 3), (3, 3)])


def test_a_process_that_is_killed_loses_nothing(tmp_path, monkeypatch):
    class Killed:
        def __init__(self, *_, **__): ...
        def __enter__(self):
            return self

        def __exit__(self, *_): ...
        def map(self, work, batches):
            yield work(batches[0])
            raise BrokenProcessPool

    files = [written(tmp_path, f"{number}.json", json.dumps(well(number)).encode()) for number in range(6)]
    found = Found(tuple(map(str, files)), ())
    whole = read_summary(found, 1)
    monkeypatch.setattr(read, "WORTH_A_POOL", 4)
    monkeypatch.setattr(read, "BATCH", 2)
    monkeypatch.setattr(read, "ProcessPoolExecutor", Killed)
    assert read_summary(found, 2) == whole
    assert len(whole.hosts) == 6
